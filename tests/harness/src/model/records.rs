//! An operator's work on customer records.

use async_trait::async_trait;
use enrollment::identifiers::{ClientId, CustomerId, IntentId, Last4, ProgramId};
use enrollment::intent::{Card, CardState, Customer};
use enrollment::ports::{Cursor, CustomerKey, CustomerRecords, Entry, Page, StoreError};
use jiff::Timestamp;

use super::counts::Change;
use super::{Model, card_ttl, customer_key};

/// Entries of one page: few, so that tests go through several.
const LISTED_AT_ONCE: usize = 2;

#[async_trait]
impl CustomerRecords for Model {
    async fn key(
        &self,
        client: &ClientId,
        program: &ProgramId,
        customer: &CustomerId,
    ) -> Result<CustomerKey, StoreError> {
        Ok(customer_key(client, program, customer))
    }

    async fn entries(&self, client: &ClientId, from: Option<&Cursor>) -> Result<Page<Entry>, StoreError> {
        let state = self.state();
        let of_client = format!("customer#{client}#");
        let customers = state.customers.iter().filter_map(|(key, customer)| {
            let (program, _) = key.0.strip_prefix(&of_client)?.rsplit_once('#')?;
            let program = ProgramId::parse(program).ok().filter(|_| customer.version > 0)?;
            Some((key.0.clone(), Entry::Customer(program, key.clone())))
        });
        let failed = state.intents.values().filter_map(|stored| {
            let outcome = stored.intent.outcome()?;
            let is_listed = stored.intent.client == *client && !outcome.status.is_success();
            let id = stored.intent.id;
            is_listed.then(|| (id.to_hex(), Entry::Failed(id)))
        });
        let mut entries: Vec<(String, Entry)> = customers
            .chain(failed)
            .filter(|(place, _)| from.is_none_or(|from| *place > from.0))
            .collect();
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        let next = (entries.len() > LISTED_AT_ONCE).then(|| Cursor(entries[LISTED_AT_ONCE - 1].0.clone()));
        let entries = entries.into_iter().take(LISTED_AT_ONCE);
        Ok(Page {
            entries: entries.map(|(_, entry)| entry).collect(),
            next,
        })
    }

    async fn by_key(&self, _client: &ClientId, key: &CustomerKey) -> Result<Customer, StoreError> {
        Ok(self.state().customer(key, self.now()))
    }

    async fn mark_cancelled(
        &self,
        (_, _, key): (&ClientId, &ProgramId, &CustomerKey),
        card: &Card,
        retention_days: u16,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut state = self.state();
        let stored = state.stored_card(key, card.id);
        if stored.is_none_or(|stored| stored.card.state != CardState::Active) {
            return Ok(false);
        }
        let kept_until = card_ttl(at, retention_days);
        state.cancel(key, card.id, at, kept_until);
        let customer = state.customers.entry(key.clone()).or_default();
        customer.apply(Change::MarkedCancelled { kept_until }, &[]);
        Ok(true)
    }

    async fn set_last4(&self, key: &CustomerKey, card: IntentId, last4: Last4) -> Result<(), StoreError> {
        if let Some(stored) = self.state().stored_card(key, card) {
            stored.card.last4 = last4;
        }
        Ok(())
    }
}

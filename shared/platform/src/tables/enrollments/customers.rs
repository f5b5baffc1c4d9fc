//! The port `Customers`: the counts and the cards of a customer, which share a partition.

use async_trait::async_trait;
use enrollment::identifiers::{
    BankCustomerNumber, Bin, ClientId, CustomerId, IntentId, Last4, ProgramId, Ranac,
};
use enrollment::intent::{Card, CardCount, CardState, Consent, Customer};
use enrollment::ports::{Customers, StoreError};

use super::{CARD, CUSTOMER, DynamoEnrollments, state};
use crate::aws::describe;
use crate::tables::customers;
use crate::tables::item::{self, Fields};

const OPERATION: &str = "reading a customer";

#[async_trait]
impl Customers for DynamoEnrollments {
    async fn card_count(
        &self,
        client: &ClientId,
        program: &ProgramId,
        customer: &CustomerId,
    ) -> Result<CardCount, StoreError> {
        const OPERATION: &str = "counting cards";
        let pk = customers::primary_key(&self.vault, OPERATION, client, program, customer).await?;
        count_of(self.item(OPERATION, &pk, CUSTOMER).await?.as_ref())
    }

    async fn customer(
        &self,
        client: &ClientId,
        program: &ProgramId,
        customer: &CustomerId,
    ) -> Result<Customer, StoreError> {
        let pk = customers::primary_key(&self.vault, OPERATION, client, program, customer).await?;
        self.read_by_key(client, &pk).await
    }
}

impl DynamoEnrollments {
    pub(super) async fn read_by_key(&self, client: &ClientId, pk: &str) -> Result<Customer, StoreError> {
        let mut found = Customer::default();
        for fields in self.partition(OPERATION, pk).await? {
            match fields.text("sk")? {
                CUSTOMER => {
                    found.count = count(&fields)?;
                    found.consents = consents(&fields)?;
                }
                sk if sk.starts_with(CARD) && !fields.is_expired(self.clock.now())? => {
                    found.cards.push(self.card(client, pk, sk, &fields).await?);
                }
                // Past its time, or of a newer release.
                _ => {}
            }
        }
        found
            .cards
            .sort_by_key(|card| (card.enrolled_at, card.id.to_hex()));
        Ok(found)
    }

    /// Reads the item of one of a customer's cards; `None` where it is past its time.
    pub(in crate::tables) async fn card_of(
        &self,
        client: &ClientId,
        pk: &str,
        fields: &Fields,
    ) -> Result<Option<Card>, StoreError> {
        if fields.is_expired(self.clock.now())? {
            return Ok(None);
        }
        self.card(client, pk, fields.text("sk")?, fields).await.map(Some)
    }

    pub(super) async fn card(
        &self,
        client: &ClientId,
        pk: &str,
        sk: &str,
        fields: &Fields,
    ) -> Result<Card, StoreError> {
        let sealing = self.sealing(OPERATION, client, pk, sk);
        Ok(Card {
            id: card_id(fields)?,
            ranac: sealing.open(fields, "ranac", Ranac::parse).await?,
            bank_customer_number: sealing
                .open(fields, "bank_customer_number", BankCustomerNumber::parse)
                .await?,
            bin: fields.parsed("bin", Bin::parse)?,
            last4: fields.parsed("last4", Last4::parse)?,
            design_code: fields.optional_text("design_code")?.map(str::to_owned),
            state: card_state(fields)?,
            enrolled_at: fields.time("enrolled_at")?,
        })
    }

    /// All items of a partition, as they were last written.
    pub(super) async fn partition(
        &self,
        operation: &'static str,
        pk: &str,
    ) -> Result<Vec<Fields>, StoreError> {
        let mut found = Vec::new();
        let mut start = None;
        loop {
            let answer = self
                .dynamodb
                .query()
                .table_name(&self.tables.enrollments)
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", item::text(pk))
                .consistent_read(true)
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| StoreError::unavailable(operation, describe(&error)))?;
            for item in answer.items.unwrap_or_default() {
                found.push(Fields::of(operation, item)?);
            }
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(found);
            }
        }
    }
}

/// Counts of a customer's item; all of them are zero where there is none.
pub(in crate::tables) fn count_of(found: Option<&Fields>) -> Result<CardCount, StoreError> {
    found.map(count).transpose().map(Option::unwrap_or_default)
}

/// The counts of a customer's item.
pub(super) fn count(fields: &Fields) -> Result<CardCount, StoreError> {
    Ok(CardCount {
        active: fields.number("active")?,
        pending: fields.number("pending")?,
        // Of the time before there were replacements.
        changing: fields.optional_number("changing")?.unwrap_or_default(),
        version: fields.number("version")?,
        kept_until: fields.ttl()?,
    })
}

fn consents(fields: &Fields) -> Result<Vec<Consent>, StoreError> {
    fields
        .texts("consents")?
        .into_iter()
        .map(|json| fields.check("consents", serde_json::from_str(json)))
        .collect()
}

/// The name of a card's item.
pub(super) fn card_id(fields: &Fields) -> Result<IntentId, StoreError> {
    fields.parsed("sk", |sk| {
        IntentId::from_hex(sk.strip_prefix(CARD).unwrap_or_default())
    })
}

/// The state of a card's item.
pub(super) fn card_state(fields: &Fields) -> Result<CardState, StoreError> {
    match fields.text("state")? {
        state::ACTIVE => Ok(CardState::Active),
        state::LOCKED => Ok(CardState::Locked),
        state::PENDING_CANCELLATION => Ok(CardState::PendingCancellation),
        state::CANCELLED => Ok(CardState::Cancelled {
            at: fields.time("cancelled_at")?,
        }),
        _ => Err(fields.unreadable("a state of a card that this release does not know".into())),
    }
}

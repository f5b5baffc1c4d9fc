//! The port `Confirmations` over `DynamoDB`.

#[cfg(feature = "operator")]
pub mod admin;
mod destinations;

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::ReturnValue;
use enrollment::clock::Clock;
use enrollment::confirmation::{Confirmation, ConfirmationId};
use enrollment::delivery::{Destination, Parked};
use enrollment::identifiers::{ClientId, IntentId};
use enrollment::ports::{
    Claim, ClaimWrite, ConfirmationState, Confirmations, DueConfirmation, RecordedConfirmation, StoreError,
};
use enrollment::randomness::Randomness;
use enrollment::time::later;
use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::customers::OWNER;
use super::due_index::{self, Kind};
use super::item::{self, Fields, Item, Written};
use super::sealing::Sealing;
use super::update::ItemUpdate;
use crate::vault::{Purpose, Vault};

/// Retention of a delivered confirmation.
const DELIVERED_KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Retention of a parked confirmation: the time that an operator has to replay or drop it.
const PARKED_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Values of `state`.
pub(super) const DUE: &str = "due";
pub(super) const DELIVERED: &str = "delivered";
pub(super) const PARKED: &str = "parked";

/// The `confirmations` table.
pub struct DynamoConfirmations {
    dynamodb: Client,
    table: String,
    vault: Arc<Vault>,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
}

impl DynamoConfirmations {
    /// Over the table of that physical name.
    pub fn new(
        dynamodb: Client,
        table: impl Into<String>,
        vault: Arc<Vault>,
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
    ) -> Self {
        Self {
            dynamodb,
            table: table.into(),
            vault,
            clock,
            randomness,
        }
    }

    async fn read(
        &self,
        id: &ConfirmationId,
        until: Timestamp,
        fields: &Fields,
    ) -> Result<Claim, StoreError> {
        let client = fields.parsed("client", ClientId::parse)?;
        let confirmation = opened(&self.vault, id, &client, fields).await?;
        Ok(Claim {
            confirmation,
            ticket: fields.text("ticket")?.to_owned(),
            attempt: fields.number("attempts")?,
            waiting_since: fields.time("waiting_since")?,
            until,
        })
    }

    /// A claim that can't be used: what may be readable later is due when the claim would have ended, and no attempt
    /// counts; what will never be is parked.
    async fn give_back(
        &self,
        id: &ConfirmationId,
        until: Timestamp,
        now: Timestamp,
        error: &StoreError,
    ) -> Result<(), StoreError> {
        let update = ItemUpdate::new(&self.table, item::key(&primary_key(id)))
            .when("#state = :due AND agenda_at = :until")
            .value(":due", item::text(DUE))
            .value(":until", item::millis(until))
            .value(":one", item::number(1));
        let update = match error {
            StoreError::Unavailable { .. } => update.set("attempts = attempts - :one"),
            StoreError::Unreadable { .. } => update
                .set("attempts = attempts - :one, #state = :parked, reason = :reason")
                .set("agenda = :agenda, agenda_at = :at, #ttl = :ttl")
                .value(":parked", item::text(PARKED))
                .value(":reason", item::text(Parked::Unreadable.as_str()))
                .value(":agenda", Kind::Parked.of(id.as_str()))
                .value(":at", item::millis(now))
                .value(":ttl", item::seconds(later(now, PARKED_KEPT))),
        };
        update
            .send(&self.dynamodb, "returning a claim", ReturnValue::None)
            .await
            .map(drop)
    }

    /// The confirmation, where it is under the claim of that ticket or was last written under it. The SDK sends a call
    /// again whose answer was lost; then its condition does not hold, although the call did its work.
    async fn under(
        &self,
        operation: &'static str,
        id: &ConfirmationId,
        ticket: &str,
    ) -> Result<Option<Fields>, StoreError> {
        let key = item::key(&primary_key(id));
        let found = item::read(&self.dynamodb, &self.table, operation, key).await?;
        let is_ours = |fields: &Fields| Ok(fields.optional_text("ticket")? == Some(ticket));
        match found {
            Some(fields) if is_ours(&fields)? => Ok(Some(fields)),
            _ => Ok(None),
        }
    }

    /// Sends an update of a claim.
    async fn note(
        &self,
        operation: &'static str,
        claim: &Claim,
        update: ItemUpdate,
    ) -> Result<ClaimWrite, StoreError> {
        let is_stored = update
            .send(&self.dynamodb, operation, ReturnValue::None)
            .await?
            .is_some()
            || self
                .under(operation, &claim.confirmation.id, &claim.ticket)
                .await?
                .is_some();
        Ok(if is_stored {
            ClaimWrite::Stored
        } else {
            ClaimWrite::ClaimLost
        })
    }

    /// An update that counts only while the claim lasts.
    fn of_claim(&self, claim: &Claim) -> ItemUpdate {
        ItemUpdate::new(&self.table, item::key(&primary_key(&claim.confirmation.id)))
            .when("#state = :due AND agenda_at = :until AND attempts = :attempt AND ticket = :ticket")
            .value(":ticket", item::text(claim.ticket.as_str()))
            .value(":due", item::text(DUE))
            .value(":until", item::millis(claim.until))
            .value(":attempt", item::number(claim.attempt))
    }
}

#[async_trait]
impl Confirmations for DynamoConfirmations {
    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<DueConfirmation>, StoreError> {
        const OPERATION: &str = "listing due confirmations";
        let due = |fields: &Fields| {
            Ok(DueConfirmation {
                id: id_of(fields)?,
                client: fields.parsed("client", ClientId::parse)?,
                since: fields.time("agenda_at")?,
            })
        };
        let (dynamodb, table) = (&self.dynamodb, &self.table);
        let client = |due: &DueConfirmation| due.client.clone();
        due_index::list_in_turn(dynamodb, table, OPERATION, (Kind::Due, now), limit, due, client).await
    }

    async fn claim(
        &self,
        id: &ConfirmationId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Claim>, StoreError> {
        const OPERATION: &str = "claiming a confirmation";
        let mut ticket = [0; 16];
        self.randomness.fill(&mut ticket);
        let ticket = hex::encode(ticket);
        let update = ItemUpdate::new(&self.table, item::key(&primary_key(id)))
            .set("agenda_at = :until, attempts = attempts + :one, ticket = :ticket")
            .when("#state = :due AND agenda_at <= :now")
            .when_schema_is_known()
            .value(":due", item::text(DUE))
            .value(":until", item::millis(until))
            .value(":now", item::millis(now))
            .value(":one", item::number(1))
            .value(":ticket", item::text(ticket.as_str()));
        let claimed = match update
            .send(&self.dynamodb, OPERATION, ReturnValue::AllNew)
            .await?
        {
            Some(claimed) => Some(Fields::of(OPERATION, claimed)),
            None => match self.under(OPERATION, id, &ticket).await {
                // One of a newer release, which sends it.
                Err(StoreError::Unreadable { .. }) => None,
                found => found?.map(Ok),
            },
        };
        let Some(claimed) = claimed else {
            return Ok(None);
        };
        let read = async { self.read(id, until, &claimed?).await };
        match read.await {
            Ok(claim) => Ok(Some(claim)),
            Err(error) => {
                self.give_back(id, until, now, &error).await?;
                Err(error)
            }
        }
    }

    async fn delivered(&self, claim: &Claim, at: Timestamp) -> Result<ClaimWrite, StoreError> {
        let update = self
            .of_claim(claim)
            .set("#state = :delivered, delivered_at = :at, #ttl = :ttl")
            .remove("agenda, agenda_at, #url, body")
            .value(":delivered", item::text(DELIVERED))
            .value(":at", item::millis(at))
            .value(":ttl", item::seconds(later(at, DELIVERED_KEPT)));
        self.note("noting a delivery", claim, update).await
    }

    async fn retry(&self, claim: &Claim, due: Timestamp, failure: &str) -> Result<ClaimWrite, StoreError> {
        let update = self
            .of_claim(claim)
            .set("agenda_at = :next, last_failure = :failure")
            .value(":next", item::millis(due))
            .value(":failure", item::text(failure));
        self.note("putting a confirmation off", claim, update).await
    }

    async fn wait(&self, claim: &Claim, due: Timestamp) -> Result<ClaimWrite, StoreError> {
        let update = self
            .of_claim(claim)
            .set("agenda_at = :next, attempts = attempts - :one")
            .value(":next", item::millis(due))
            .value(":one", item::number(1));
        self.note("letting a confirmation wait", claim, update).await
    }

    async fn park(
        &self,
        claim: &Claim,
        reason: Parked,
        failure: Option<&str>,
        at: Timestamp,
    ) -> Result<ClaimWrite, StoreError> {
        let id = claim.confirmation.id.as_str();
        // Without a failure there was no attempt.
        let made = claim.attempt - u32::from(failure.is_none());
        let mut update = self
            .of_claim(claim)
            .set("#state = :parked, reason = :reason, agenda = :agenda, agenda_at = :at")
            .set("#ttl = :ttl, attempts = :made")
            .value(":parked", item::text(PARKED))
            .value(":reason", item::text(reason.as_str()))
            .value(":agenda", Kind::Parked.of(id))
            .value(":made", item::number(made))
            .value(":at", item::millis(at))
            .value(":ttl", item::seconds(later(at, PARKED_KEPT)));
        if let Some(failure) = failure {
            update = update
                .set("last_failure = :failure")
                .value(":failure", item::text(failure));
        }
        self.note("parking a confirmation", claim, update).await
    }

    async fn destination(&self, client: &ClientId, destination: &str) -> Result<Destination, StoreError> {
        self.read_destination(client, destination).await
    }

    async fn update_destination(
        &self,
        client: &ClientId,
        destination: &str,
        state: &Destination,
    ) -> Result<bool, StoreError> {
        self.write_destination(client, destination, state).await
    }
}

/// Customer and card that a confirmation belongs to.
#[derive(Clone, Copy)]
pub(super) struct Owner<'a> {
    /// The customer's key.
    pub(super) customer: &'a str,
    /// The card with which it goes.
    pub(super) card: Option<IntentId>,
}

/// The item of a confirmation that is due at once.
pub(super) async fn written(
    vault: &Vault,
    operation: &'static str,
    confirmation: &Confirmation,
    owner: Owner<'_>,
    at: Timestamp,
) -> Result<Item, StoreError> {
    let pk = primary_key(&confirmation.id);
    let sealing = sealing(vault, operation, &confirmation.client, &pk);
    let item = Written::new(&pk)
        .text(OWNER, owner.customer)
        .set_optional("card", owner.card.map(|card| item::text(card.to_hex())))
        .text("client", confirmation.client.as_str())
        .set("url", sealing.seal("url", confirmation.url.as_str()).await?)
        .set("body", sealing.seal("body", &confirmation.body).await?)
        .text("state", DUE)
        .number("attempts", 0)
        .millis("outcome_at", at)
        .millis("waiting_since", at)
        .set("agenda", Kind::Due.of(confirmation.id.as_str()))
        .millis("agenda_at", at);
    Ok(item.into_item())
}

/// The confirmation of an item that was not delivered yet.
async fn opened(
    vault: &Vault,
    id: &ConfirmationId,
    client: &ClientId,
    fields: &Fields,
) -> Result<Confirmation, StoreError> {
    let pk = primary_key(id);
    let sealing = sealing(vault, fields.operation(), client, &pk);
    Ok(Confirmation {
        id: id.clone(),
        client: client.clone(),
        url: sealing.open(fields, "url", Url::parse).await?,
        body: sealing
            .open(fields, "body", |body| {
                Ok::<_, std::convert::Infallible>(body.to_owned())
            })
            .await?,
    })
}

fn sealing<'a>(vault: &'a Vault, operation: &'static str, client: &'a ClientId, pk: &'a str) -> Sealing<'a> {
    Sealing {
        vault,
        operation,
        client,
        purpose: Purpose::Confirmation,
        table: "confirmations",
        pk,
        sk: "",
    }
}

pub(super) fn primary_key(id: &ConfirmationId) -> String {
    format!("confirmation#{id}")
}

/// A confirmation as a customer's record has it, of the item itself.
pub(super) fn recorded(fields: &Fields) -> Result<RecordedConfirmation, StoreError> {
    let state = match fields.text("state")? {
        DUE => ConfirmationState::Due {
            // The last release did not store it.
            outcome_at: match fields.optional_time("outcome_at")? {
                Some(at) => at,
                None => fields.time("waiting_since")?,
            },
        },
        DELIVERED => ConfirmationState::Delivered,
        _ => ConfirmationState::Parked,
    };
    Ok(RecordedConfirmation {
        id: id_of(fields)?,
        card: fields.optional_parsed("card", IntentId::from_hex)?,
        state,
    })
}

/// The name of a confirmation's item.
pub(super) fn id_of(fields: &Fields) -> Result<ConfirmationId, StoreError> {
    fields.parsed("pk", |pk| {
        ConfirmationId::parse(pk.strip_prefix("confirmation#").unwrap_or_default())
    })
}

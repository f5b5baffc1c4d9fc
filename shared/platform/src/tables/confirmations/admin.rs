//! Operator's access to confirmations: list, show, replay, drop.

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::ReturnValue;
use enrollment::batch::BatchId;
use enrollment::clock::Clock;
use enrollment::confirmation::{Confirmation, ConfirmationId};
use enrollment::delivery::Parked;
use enrollment::flows::purge;
use enrollment::identifiers::ClientId;
use enrollment::ports::{Batches as _, Clients as _, CustomerKey, Purges as _, StoreError};
use enrollment::time::later;
use jiff::Timestamp;

use super::{DELIVERED, DUE, PARKED, PARKED_KEPT, destinations, id_of, opened, primary_key};
use crate::aws::{describe, where_it_held};
use crate::tables::audit::Permit;
use crate::tables::customers::{OWNER, program_of};
use crate::tables::due_index::{self, Kind};
use crate::tables::item::{self, Fields};
use crate::tables::update::ItemUpdate;
use crate::tables::{DynamoBatches, DynamoClients, DynamoEnrollments, batches};
use crate::vault::Vault;

/// The operator's view of the `confirmations` table.
pub struct ConfirmationAdmin {
    dynamodb: Client,
    table: String,
    vault: Arc<Vault>,
    clock: Arc<dyn Clock>,
    records: Records,
}

/// Stores that decide whether a confirmation's record has expired.
pub struct Records {
    /// The customers' records.
    pub enrollments: DynamoEnrollments,
    /// Batches of issuers.
    pub batches: DynamoBatches,
    /// Set-ups, for the retention.
    pub clients: DynamoClients,
}

/// State of a confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is sent when its time comes.
    Due {
        /// Time at which it is due.
        at: Timestamp,
    },
    /// An operator has to decide.
    Parked {
        /// Since when.
        at: Timestamp,
        /// Reason for parking it.
        reason: Parked,
    },
    /// The receiver has it; address and body are forgotten.
    Delivered {
        /// Since when.
        at: Timestamp,
    },
}

/// A confirmation without what is sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// `webhook-id`.
    pub id: ConfirmationId,
    /// Client that receives it.
    pub client: ClientId,
    /// Its state.
    pub state: State,
    /// Number of attempts.
    pub attempts: u32,
    /// Time at which its outcome was stored, or at which it was last replayed.
    pub waiting_since: Timestamp,
    /// Failure of the last attempt, in one word.
    pub last_failure: Option<String>,
}

/// Result of a replay or a drop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decided {
    /// It is done.
    Done,
    /// It has been delivered meanwhile, or is gone.
    TooLate,
    /// Its record has expired: the next purge deletes both.
    Expired,
}

impl ConfirmationAdmin {
    /// Over the table of that physical name.
    pub fn new(
        dynamodb: Client,
        table: impl Into<String>,
        vault: Arc<Vault>,
        clock: Arc<dyn Clock>,
        records: Records,
    ) -> Self {
        Self {
            dynamodb,
            table: table.into(),
            vault,
            clock,
            records,
        }
    }

    /// Those that are parked, or else those that are due some time, the oldest first; at most `limit`, of one client or
    /// of all.
    pub async fn list(
        &self,
        parked: bool,
        client: Option<&ClientId>,
        limit: usize,
    ) -> Result<Vec<Listed>, StoreError> {
        const OPERATION: &str = "listing confirmations";
        let kind = if parked { Kind::Parked } else { Kind::Due };
        let all = if client.is_some() { usize::MAX } else { limit };
        let read = |fields: &Fields| listed_of(id_of(fields)?, fields);
        let mut listed = due_index::list(
            &self.dynamodb,
            &self.table,
            OPERATION,
            kind,
            Timestamp::MAX,
            all,
            read,
        )
        .await?;
        // The index does not know of `ttl`; what is past it is gone.
        let kept_since = later(self.clock.now(), -PARKED_KEPT);
        listed.retain(|entry| {
            client.is_none_or(|client| *client == entry.client)
                && !matches!(entry.state, State::Parked { at, .. } if at <= kept_since)
        });
        listed.truncate(limit);
        Ok(listed)
    }

    /// Finds a confirmation; `None` where it does not exist, or no longer.
    pub async fn find(&self, id: &ConfirmationId) -> Result<Option<Listed>, StoreError> {
        self.read(id)
            .await?
            .map(|fields| listed_of(id.clone(), &fields))
            .transpose()
    }

    /// Unseals address and body, which are personal data. `None` where the confirmation was delivered, does not exist, or is
    /// expired.
    pub async fn reveal(&self, _: &Permit, id: &ConfirmationId) -> Result<Option<Confirmation>, StoreError> {
        match self.undelivered(id).await? {
            Some(fields) if !self.is_expired(id, &fields).await? => self.open(id, &fields).await.map(Some),
            _ => Ok(None),
        }
    }

    /// Makes a confirmation due at once with its full number of attempts, and reopens its receiver. It is then due for at most
    /// another 96 hours, but defers the purge of its record only until 96 hours after the outcome.
    pub async fn replay(&self, _: &Permit, id: &ConfirmationId) -> Result<Decided, StoreError> {
        let Some(fields) = self.undelivered(id).await? else {
            return Ok(Decided::TooLate);
        };
        if self.is_expired(id, &fields).await? {
            return Ok(Decided::Expired);
        }
        let confirmation = self.open(id, &fields).await?;
        self.forget_destination(&confirmation).await?;
        let now = self.clock.now();
        let update = ItemUpdate::new(&self.table, item::key(&primary_key(id)))
            .set("#state = :due, agenda = :agenda, agenda_at = :now, waiting_since = :now, attempts = :none")
            .remove("reason, ticket, #ttl")
            .when("#state IN (:due, :parked)")
            .value(":due", item::text(DUE))
            .value(":parked", item::text(PARKED))
            .value(":agenda", Kind::Due.of(id.as_str()))
            .value(":now", item::millis(now))
            .value(":none", item::number(0));
        Ok(
            match update
                .send(&self.dynamodb, "replaying a confirmation", ReturnValue::None)
                .await?
            {
                Some(_) => Decided::Done,
                None => Decided::TooLate,
            },
        )
    }

    /// Deletes a confirmation that was not delivered.
    pub async fn drop_confirmation(&self, _: &Permit, id: &ConfirmationId) -> Result<Decided, StoreError> {
        let delete = self
            .dynamodb
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(item::key(&primary_key(id))))
            .condition_expression("#state IN (:due, :parked)")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":due", item::text(DUE))
            .expression_attribute_values(":parked", item::text(PARKED));
        match where_it_held(delete.send().await) {
            Ok(Some(_)) => Ok(Decided::Done),
            Ok(None) => Ok(Decided::TooLate),
            Err(detail) => Err(StoreError::unavailable("dropping a confirmation", detail)),
        }
    }

    async fn undelivered(&self, id: &ConfirmationId) -> Result<Option<Fields>, StoreError> {
        match self.read(id).await? {
            Some(fields) if fields.text("state")? != DELIVERED => Ok(Some(fields)),
            _ => Ok(None),
        }
    }

    async fn open(&self, id: &ConfirmationId, fields: &Fields) -> Result<Confirmation, StoreError> {
        let client = fields.parsed("client", ClientId::parse)?;
        opened(&self.vault, id, &client, fields).await
    }

    /// Whether the record of a confirmation is expired by the current `retention_days` of its program or issuer, deleted or not.
    async fn is_expired(&self, id: &ConfirmationId, fields: &Fields) -> Result<bool, StoreError> {
        let client = fields.parsed("client", ClientId::parse)?;
        if let Some(batch) = batches::id_of_key(fields.text(OWNER)?) {
            return self.is_batch_expired(&client, batch).await;
        }
        let key = CustomerKey(fields.text(OWNER)?.to_owned());
        let program = program_of(&client, &key)
            .ok_or_else(|| fields.unreadable("owner names no program of the client".into()))?;
        // Without a set-up there are no `retention_days`, so nothing is expired.
        let Some(set_up) = self.records.clients.by_id(&client).await? else {
            return Ok(false);
        };
        let record = self.records.enrollments.record(&client, &key).await?;
        let now = self.clock.now();
        let until = purge::expired_before(now, set_up.retention_days(&program));
        Ok(purge::is_expired(record, id, until, now))
    }

    async fn is_batch_expired(&self, client: &ClientId, id: BatchId) -> Result<bool, StoreError> {
        let Some(batch) = self.records.batches.batch(id).await? else {
            return Ok(true);
        };
        let set_up = self.records.clients.by_id(client).await?;
        let days = set_up.and_then(|client| client.issuer_retention_days());
        let (Some(days), Some(result)) = (days, batch.result()) else {
            return Ok(false);
        };
        Ok(result.at <= purge::expired_before(self.clock.now(), days))
    }

    async fn forget_destination(&self, confirmation: &Confirmation) -> Result<(), StoreError> {
        let key = destinations::primary_key(&confirmation.client, &confirmation.destination());
        self.dynamodb
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(item::key(&key)))
            .send()
            .await
            .map(drop)
            .map_err(|error| StoreError::unavailable("forgetting a receiver's state", describe(&error)))
    }

    async fn read(&self, id: &ConfirmationId) -> Result<Option<Fields>, StoreError> {
        const OPERATION: &str = "reading a confirmation";
        let found = item::read(
            &self.dynamodb,
            &self.table,
            OPERATION,
            item::key(&primary_key(id)),
        )
        .await?;
        match found {
            Some(fields) if fields.is_expired(self.clock.now())? => Ok(None),
            found => Ok(found),
        }
    }
}

fn listed_of(id: ConfirmationId, fields: &Fields) -> Result<Listed, StoreError> {
    let state = match fields.text("state")? {
        DUE => State::Due {
            at: fields.time("agenda_at")?,
        },
        PARKED => State::Parked {
            at: fields.time("agenda_at")?,
            reason: fields.parsed("reason", |text| {
                Parked::from_text(text).ok_or("a reason of a newer release")
            })?,
        },
        DELIVERED => State::Delivered {
            at: fields.time("delivered_at")?,
        },
        _ => return Err(fields.unreadable("state is none that this release knows".into())),
    };
    Ok(Listed {
        id,
        client: fields.parsed("client", ClientId::parse)?,
        state,
        attempts: fields.number("attempts")?,
        waiting_since: fields.time("waiting_since")?,
        last_failure: fields.optional_text("last_failure")?.map(str::to_owned),
    })
}

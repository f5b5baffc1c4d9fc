//! Transaction that stores an intent's outcome, with the card, the confirmation and the counts that follow from it.

use aws_sdk_dynamodb::types::{self, AttributeValue, TransactWriteItem};
use enrollment::action::ActionCode;
use enrollment::confirmation::Confirmation;
use enrollment::identifiers::IntentId;
use enrollment::intent::{Conclusion, Consent, Intent, Outcome};
use enrollment::ports::{Put, StoreError};
use enrollment::status::Status;
use enrollment::time::later;
use jiff::Timestamp;

use super::card_counts::Change;
use super::conclusion::Parts;
use super::{
    DynamoEnrollments, FAILED_KEPT, INTENT, card_sort_key, card_ttl, intent_item_key, intent_key, state,
};
use crate::tables::confirmations::{self, Owner};
use crate::tables::item::{self, Written};
use crate::tables::sessions;
use crate::tables::transaction::{IntoWrite as _, built};
use crate::tables::update::ItemUpdate;

const OPERATION: &str = "storing an outcome";

/// Attributes of a lease, and of the last call under it.
pub(super) const LEASE: &str = "lease_until, unanswered_at";
/// Attributes that a look-up needs.
pub(super) const LOOK_UP: &str = "present_before";
/// Attributes of an intent in the index of due work.
pub(super) const AGENDA: &str = "agenda, agenda_at";
/// Attributes of the old card that its cancellation needs.
pub(super) const OLD_CARD: &str = "old_ranac, old_number";

impl DynamoEnrollments {
    pub(super) async fn finish_intent(&self, intent: &Intent) -> Result<Put, StoreError> {
        let Some(conclusion) = intent.conclusion() else {
            return Err(StoreError::unavailable(OPERATION, "the intent has no outcome"));
        };
        let outcome = &conclusion.outcome;
        let customer_key = self.customer_key(OPERATION, intent).await?;
        let mut required = Vec::new();
        if outcome.status.is_success() && intent.action != ActionCode::OptOut {
            required.push(self.put_card(&customer_key, intent, outcome).await?);
        }
        if let Some(confirmation) = intent.confirmation() {
            let owner = Owner {
                customer: &customer_key,
                card: intent.card(),
            };
            required.push(self.put_confirmation(&confirmation, owner, outcome).await?);
        }
        // Consents are kept with the customer only after a success. A failed intent keeps its own.
        let consents: &[Consent] = if outcome.status.is_success() {
            &intent.consents
        } else {
            &[]
        };
        let change = Change::of(intent, outcome);
        let parts = Parts {
            intent: self.store_outcome(intent, conclusion).await?,
            count_updates: self.count_updates(OPERATION, &customer_key, change, consents)?,
            required,
            old_card: self.change_old_card(&customer_key, intent, outcome)?,
            session: Some(self.release_session(intent, outcome)?),
        };
        match self.store(OPERATION, parts).await? {
            Put::AlreadyExists => self.finished_before(intent.id).await,
            Put::Created => {
                if let Some(metrics) = &self.metrics {
                    metrics.outcome(outcome.status, outcome.code);
                }
                Ok(Put::Created)
            }
        }
    }

    async fn store_outcome(
        &self,
        intent: &Intent,
        conclusion: &Conclusion,
    ) -> Result<TransactWriteItem, StoreError> {
        let outcome = &conclusion.outcome;
        let has_cleanup = conclusion.has_cleanup();
        let pk = intent_key(intent.id);
        let sealing = self.sealing(OPERATION, &intent.client, &pk, INTENT);
        let ranac = outcome.ranac.as_ref().map(enrollment::identifiers::Ranac::expose);
        let optional = [
            ("code", outcome.code.map(|code| item::number(code.0))),
            (
                "outcome_last4",
                outcome.last4.map(|last4| item::text(last4.as_str())),
            ),
            ("ranac", sealing.seal_optional("ranac", ranac).await?),
            ("ttl", kept_until(intent, conclusion).map(item::seconds)),
        ];
        let mut update = ItemUpdate::new(&self.tables.enrollments, intent_item_key(intent.id))
            .set("#status = :status, needs_cleanup = :needs_cleanup, finished_at = :at")
            .when("attribute_exists(pk) AND attribute_not_exists(#status)")
            .value(":status", item::text(outcome.status.as_str()))
            .value(":needs_cleanup", AttributeValue::Bool(has_cleanup))
            .value(":at", item::millis(outcome.at));
        for (attribute, value) in optional {
            let Some(value) = value else { continue };
            update = update
                .set(format!("#{attribute} = :{attribute}"))
                .value(format!(":{attribute}"), value);
        }
        let is_success = outcome.status.is_success();
        if has_cleanup && is_success {
            // The cancellation of the replaced card is due at once.
            update = update.set("agenda_at = :at");
        }
        let is_failed_replacement = intent.action == ActionCode::Replace && !is_success;
        // Ends the lease, except after a failure with cleanup: the lease holder may still be calling MRS.
        let update = update.remove("unknown_since");
        let update = if !has_cleanup {
            update.remove(LEASE).remove(LOOK_UP).remove(AGENDA)
        } else if is_success {
            update.remove(LEASE)
        } else {
            update
        };
        let update = if is_failed_replacement {
            update.remove(OLD_CARD)
        } else {
            update
        };
        update.into_write(OPERATION)
    }

    async fn put_card(
        &self,
        customer_key: &str,
        intent: &Intent,
        outcome: &Outcome,
    ) -> Result<TransactWriteItem, StoreError> {
        let sk = card_sort_key(intent.id);
        let sealing = self.sealing(OPERATION, &intent.client, customer_key, &sk);
        let ranac = outcome.ranac.as_ref().map(enrollment::identifiers::Ranac::expose);
        let number = intent.bank_customer_number.expose();
        let card = Written::with_sort_key(customer_key, &sk)
            .text("client", intent.client.as_str())
            .text("program", intent.program.as_str())
            .set(
                "customer",
                sealing.seal("customer", intent.customer.expose()).await?,
            )
            .set(
                "bank_customer_number",
                sealing.seal("bank_customer_number", number).await?,
            )
            .set_optional("ranac", sealing.seal_optional("ranac", ranac).await?)
            .text("bin", intent.bin.as_str())
            .text("last4", outcome.last4.unwrap_or(intent.last4).as_str())
            .set_optional("design_code", intent.design_code.as_deref().map(item::text))
            .text("state", state::ACTIVE)
            .millis("enrolled_at", outcome.at);
        let put = types::Put::builder()
            .table_name(&self.tables.enrollments)
            .set_item(Some(card.into_item()))
            .build();
        Ok(built(OPERATION, put)?.into_write())
    }

    /// Writes of the old card.
    fn change_old_card(
        &self,
        customer_key: &str,
        intent: &Intent,
        outcome: &Outcome,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let Some(card) = &intent.old_card else {
            return Ok(Vec::new());
        };
        if outcome.status == Status::SuccessRemoval {
            return self.cancel_card(OPERATION, customer_key, intent, card, outcome.at);
        }
        let update = ItemUpdate::new(
            &self.tables.enrollments,
            item::key_pair(customer_key, &card_sort_key(card.id)),
        )
        .when("locked_by = :intent")
        .value(":intent", item::text(intent.id.to_hex()));
        let update = if outcome.status.is_success() {
            update
                .set("#state = :pending_cancellation")
                .value(":pending_cancellation", item::text(state::PENDING_CANCELLATION))
        } else {
            update
                .set("#state = :active")
                .remove("locked_by")
                .value(":active", item::text(state::ACTIVE))
        };
        Ok(vec![update.into_write(OPERATION)?])
    }

    /// Write of the confirmation, due at once. It happens once, by the intent's condition in the same transaction.
    async fn put_confirmation(
        &self,
        confirmation: &Confirmation,
        owner: Owner<'_>,
        outcome: &Outcome,
    ) -> Result<TransactWriteItem, StoreError> {
        let item = confirmations::written(&self.vault, OPERATION, confirmation, owner, outcome.at).await?;
        let put = types::Put::builder()
            .table_name(&self.tables.confirmations)
            .set_item(Some(item))
            .build();
        Ok(built(OPERATION, put)?.into_write())
    }

    fn release_session(&self, intent: &Intent, outcome: &Outcome) -> Result<TransactWriteItem, StoreError> {
        let update = ItemUpdate::new(
            &self.tables.sessions,
            item::key(&sessions::primary_key(intent.session)),
        )
        .when("open_attempt = :intent")
        .value(":intent", item::text(intent.id.to_hex()));
        let update = if outcome.status.is_success() {
            update
                .set("finished = :yes")
                .remove("open_attempt")
                .value(":yes", AttributeValue::Bool(true))
        } else {
            update
                .set("failures = failures + :one")
                .remove("open_attempt")
                .value(":one", item::number(1))
        };
        update.into_write(OPERATION)
    }

    /// Distinguishes an intent that has its outcome from one that does not exist: the condition fails for both.
    async fn finished_before(&self, id: IntentId) -> Result<Put, StoreError> {
        match self.item(OPERATION, &intent_key(id), INTENT).await? {
            Some(_) => Ok(Put::AlreadyExists),
            None => Err(StoreError::unavailable(OPERATION, "there is no such intent")),
        }
    }
}

/// Time to live of an intent: of a failed one without cleanup, seven days after its outcome; of an opt-out, that of its
/// card. An intent that enrolled a card stays as long as the card.
fn kept_until(intent: &Intent, conclusion: &Conclusion) -> Option<Timestamp> {
    let outcome = &conclusion.outcome;
    match (&intent.old_card, outcome.status) {
        (Some(card), Status::SuccessRemoval) => Some(card_ttl(outcome.at, card.retention_days)),
        (_, status) if status.is_success() || conclusion.has_cleanup() => None,
        _ => Some(later(outcome.at, FAILED_KEPT)),
    }
}

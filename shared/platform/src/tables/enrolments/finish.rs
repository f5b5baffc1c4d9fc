use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use enrollment::confirmation::Confirmation;
use enrollment::identifiers::IntentId;
use enrollment::intent::{Intent, Outcome};
use enrollment::ports::{Finished, StoreError};
use enrollment::time::later;

use super::{CUSTOMER, DynamoEnrolments, FAILED_KEPT, INTENT, card_sort_key, intent_item_key, intent_key};
use crate::tables::item::{self, Written};
use crate::tables::transaction::{IntoWrite as _, built, transact};
use crate::tables::{confirmations, sessions};

const OPERATION: &str = "storing an outcome";
/// Positions in the transaction; the session is the last write, so that it can be left out.
const INTENT_ITEM: usize = 0;
const CUSTOMER_ITEM: usize = 1;

impl DynamoEnrolments {
    pub(super) async fn finish_intent(&self, intent: &Intent) -> Result<Finished, StoreError> {
        let Some(outcome) = &intent.outcome else {
            return Err(StoreError::Unavailable {
                operation: OPERATION,
                detail: "the intent has no outcome".into(),
            });
        };
        let customer_key = self.customer_key(OPERATION, intent).await?;
        let intent_write = self.store_outcome(intent, outcome).await?;
        let mut further = Vec::new();
        if outcome.status.is_success() {
            further.push(self.put_card(&customer_key, intent, outcome).await?);
        }
        if let Some(confirmation) = intent.confirmation() {
            further.push(self.put_confirmation(&confirmation, outcome).await?);
        }
        // The outcome is what MRS did, and must be stored even where the session or the count is not as it was left.
        let (mut with_session, mut count_is_sound) = (true, true);
        loop {
            let mut writes = vec![
                intent_write.clone(),
                self.recount(&customer_key, outcome, count_is_sound)?,
            ];
            writes.extend(further.iter().cloned());
            let session = writes.len();
            if with_session {
                writes.push(self.release_session(intent, outcome)?);
            }
            let transacted = transact(&self.dynamodb, &*self.randomness, OPERATION, writes).await?;
            if transacted.refuses(INTENT_ITEM) {
                return self.finished_before(intent.id).await;
            }
            if !transacted.refuses_any() {
                if let (Some(metrics), Some(outcome)) = (&self.metrics, &intent.outcome) {
                    metrics.enrolment_outcome(outcome.status, outcome.code);
                }
                return Ok(Finished::Now);
            }
            // Each is given up at most once, so this ends.
            let session_gone = transacted.refuses(session) && with_session;
            let count_unsound = transacted.refuses(CUSTOMER_ITEM) && count_is_sound;
            if !session_gone && !count_unsound {
                return Err(StoreError::Unavailable {
                    operation: OPERATION,
                    detail: format!("{transacted:?}"),
                });
            }
            tracing::warn!(
                session_gone,
                count_unsound,
                "an outcome is stored without what it belongs to"
            );
            with_session &= !session_gone;
            count_is_sound &= !count_unsound;
        }
    }

    async fn store_outcome(
        &self,
        intent: &Intent,
        outcome: &Outcome,
    ) -> Result<TransactWriteItem, StoreError> {
        let pk = intent_key(intent.id);
        let sealing = self.sealing(OPERATION, &intent.client, &pk, INTENT);
        let ranac = outcome.ranac.as_ref().map(enrollment::identifiers::Ranac::expose);
        // While MRS may hold something for it, an intent must not go.
        let ends = !outcome.status.is_success() && !outcome.leftover;
        let optional = [
            ("code", outcome.code.map(|code| item::number(code.0))),
            (
                "outcome_last4",
                outcome.last4.map(|last4| item::text(last4.as_str())),
            ),
            ("ranac", sealing.seal_optional("ranac", ranac).await?),
            ("ttl", ends.then(|| item::seconds(later(outcome.at, FAILED_KEPT)))),
        ];
        let mut expression = "SET #status = :status, leftover = :leftover, finished_at = :at".to_owned();
        let mut update = Update::builder()
            .table_name(&self.tables.enrolments)
            .set_key(Some(intent_item_key(intent.id)))
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(#status)")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":status", item::text(outcome.status.as_str()))
            .expression_attribute_values(":leftover", AttributeValue::Bool(outcome.leftover))
            .expression_attribute_values(":at", item::millis(outcome.at));
        for (attribute, value) in optional {
            let Some(value) = value else { continue };
            // By way of a name: some attributes are reserved words.
            expression.push_str(&[", #", attribute, " = :", attribute].concat());
            update = update
                .expression_attribute_names(format!("#{attribute}"), attribute)
                .expression_attribute_values(format!(":{attribute}"), value);
        }
        if !outcome.leftover {
            expression.push_str(" REMOVE agenda, agenda_at");
        }
        Ok(built(OPERATION, update.update_expression(expression).build())?.into_write())
    }

    fn recount(
        &self,
        customer_key: &str,
        outcome: &Outcome,
        count_is_sound: bool,
    ) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.tables.enrolments)
            .set_key(Some(item::key_pair(customer_key, CUSTOMER)))
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":new", item::number(u8::from(outcome.status.is_success())))
            .expression_attribute_values(":one", item::number(1));
        let update = if count_is_sound {
            update
                .update_expression(
                    "SET active = active + :new, pending = pending - :one, #version = #version + :one",
                )
                .condition_expression("attribute_exists(pk) AND pending >= :one")
        } else {
            update
                .update_expression(
                    "SET #schema = if_not_exists(#schema, :schema), active = if_not_exists(active, :none) + :new, \
                     pending = if_not_exists(pending, :none), #version = if_not_exists(#version, :none) + :one",
                )
                .expression_attribute_names("#schema", "schema")
                .expression_attribute_values(":schema", item::number(item::SCHEMA))
                .expression_attribute_values(":none", item::number(0))
        };
        Ok(built(OPERATION, update.build())?.into_write())
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
            .text("state", "active")
            .millis("enrolled_at", outcome.at);
        let put = Put::builder()
            .table_name(&self.tables.enrolments)
            .set_item(Some(card.into_item()))
            .build();
        Ok(built(OPERATION, put)?.into_write())
    }

    /// Due at once. That it is written once follows from the intent's condition.
    async fn put_confirmation(
        &self,
        confirmation: &Confirmation,
        outcome: &Outcome,
    ) -> Result<TransactWriteItem, StoreError> {
        let item = confirmations::written(&self.vault, OPERATION, confirmation, outcome.at).await?;
        let put = Put::builder()
            .table_name(&self.tables.confirmations)
            .set_item(Some(item))
            .build();
        Ok(built(OPERATION, put)?.into_write())
    }

    fn release_session(&self, intent: &Intent, outcome: &Outcome) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.tables.sessions)
            .set_key(Some(item::key(&sessions::primary_key(intent.session))))
            .condition_expression("open_attempt = :intent")
            .expression_attribute_values(":intent", item::text(intent.id.to_hex()));
        let update = if outcome.status.is_success() {
            update
                .update_expression("SET finished = :yes REMOVE open_attempt")
                .expression_attribute_values(":yes", AttributeValue::Bool(true))
        } else {
            update
                .update_expression("SET failures = failures + :one REMOVE open_attempt")
                .expression_attribute_values(":one", item::number(1))
        };
        Ok(built(OPERATION, update.build())?.into_write())
    }

    /// The intent's condition fails where it has its outcome, and where there is no such intent.
    async fn finished_before(&self, id: IntentId) -> Result<Finished, StoreError> {
        match self.item(OPERATION, &intent_key(id), INTENT).await? {
            Some(_) => Ok(Finished::Before),
            None => Err(StoreError::Unavailable {
                operation: OPERATION,
                detail: "there is no such intent".into(),
            }),
        }
    }

    pub(super) async fn note_leftover_gone(&self, id: IntentId) -> Result<(), StoreError> {
        const OPERATION: &str = "noting that a leftover is gone";
        let update = Update::builder()
            .table_name(&self.tables.enrolments)
            .set_key(Some(intent_item_key(id)))
            .update_expression("SET leftover = :no, #ttl = :ttl REMOVE agenda, agenda_at")
            // Once only: a repeat must not put off the end.
            .condition_expression("leftover = :yes")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":no", AttributeValue::Bool(false))
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .expression_attribute_values(":ttl", item::seconds(later(self.clock.now(), FAILED_KEPT)))
            .build();
        let writes = vec![built(OPERATION, update)?.into_write()];
        transact(&self.dynamodb, &*self.randomness, OPERATION, writes)
            .await
            .map(|_| ())
    }
}

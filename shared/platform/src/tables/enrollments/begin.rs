use aws_sdk_dynamodb::types::{self, AttributeValue, TransactWriteItem, Update};
use enrollment::intent::{CardCount, Intent, OldCard};
use enrollment::ports::{BeginError, Put, StoreError};
use enrollment::session::MAX_FAILURES;
use enrollment::time::later;
use jiff::SignedDuration;

use super::{CUSTOMER, DynamoEnrollments, card_sort_key, counter_of, state};
use crate::tables::item;
use crate::tables::sessions;
use crate::tables::transaction::{IntoWrite as _, built, transact};

const OPERATION: &str = "beginning an intent";
/// Positions in the transaction.
const INTENT: usize = 0;
const SESSION: usize = 1;
const CUSTOMER_ITEM: usize = 2;
const OLD_CARD: usize = 3;
/// How long a customer without a card is kept: longer than a failed intent, which is all there is of such a one.
const WITHOUT_CARD_KEPT: SignedDuration = SignedDuration::from_hours(8 * 24);

impl DynamoEnrollments {
    pub(super) async fn begin_intent(
        &self,
        intent: &Intent,
        count: CardCount,
        failures: u32,
    ) -> Result<Result<Put, BeginError>, StoreError> {
        let customer_key = self.customer_key(OPERATION, intent).await?;
        let mut writes = vec![
            self.put_intent(intent, &customer_key).await?,
            self.occupy_session(intent, failures)?,
            self.count_open(intent, &customer_key, count)?,
        ];
        if let Some(card) = &intent.old_card {
            writes.push(self.hold(intent, &customer_key, card)?);
        }
        let transacted = transact(&self.dynamodb, &*self.randomness, OPERATION, writes).await?;
        // A repeat finds its own session busy and its customer changed: the intent itself decides first.
        Ok(if transacted.refuses(INTENT) {
            Ok(Put::AlreadyExists)
        } else if transacted.refuses(SESSION) {
            Err(BeginError::SessionBusy)
        } else if transacted.refuses(OLD_CARD) {
            Err(BeginError::CardTaken)
        } else if transacted.refuses(CUSTOMER_ITEM) {
            Err(BeginError::CustomerChanged)
        } else {
            Ok(Put::Created)
        })
    }

    async fn put_intent(&self, intent: &Intent, customer_key: &str) -> Result<TransactWriteItem, StoreError> {
        let put = types::Put::builder()
            .table_name(&self.tables.enrollments)
            .set_item(Some(self.written(OPERATION, intent, customer_key).await?))
            .condition_expression("attribute_not_exists(pk)")
            .build();
        Ok(built(OPERATION, put)?.into_write())
    }

    fn occupy_session(&self, intent: &Intent, failures: u32) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.tables.sessions)
            .set_key(Some(item::key(&sessions::primary_key(intent.session))))
            .update_expression("SET open_attempt = :intent, last_attempt = :intent")
            .condition_expression(
                "attribute_exists(pk) AND #schema <= :schema AND attribute_not_exists(open_attempt) \
                 AND expires_at > :now AND finished = :no AND failures < :most AND failures = :failures",
            )
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_values(":schema", item::number(item::SCHEMA))
            .expression_attribute_values(":intent", item::text(intent.id.to_hex()))
            .expression_attribute_values(":now", item::millis(intent.created_at))
            .expression_attribute_values(":no", AttributeValue::Bool(false))
            .expression_attribute_values(":most", item::number(MAX_FAILURES))
            .expression_attribute_values(":failures", item::number(failures))
            .build();
        Ok(built(OPERATION, update)?.into_write())
    }

    fn count_open(
        &self,
        intent: &Intent,
        customer_key: &str,
        count: CardCount,
    ) -> Result<TransactWriteItem, StoreError> {
        let counter = counter_of(intent.action);
        let kept_until = later(intent.created_at, WITHOUT_CARD_KEPT);
        let update = Update::builder()
            .table_name(&self.tables.enrollments)
            .set_key(Some(item::key_pair(customer_key, CUSTOMER)))
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":schema", item::number(item::SCHEMA))
            .expression_attribute_values(":one", item::number(1))
            .expression_attribute_values(":none", item::number(0));
        let update = if count.version == 0 {
            update
                .update_expression(
                    "SET #schema = :schema, active = :none, pending = :one, changing = :none, \
                     #version = :one, #ttl = :kept",
                )
                .condition_expression("attribute_not_exists(pk)")
                .expression_attribute_names("#ttl", "ttl")
                .expression_attribute_values(":kept", item::seconds(kept_until))
        } else {
            let mut expression =
                format!("SET {counter} = if_not_exists({counter}, :none) + :one, #version = #version + :one");
            let mut update = update
                .condition_expression("#version = :version AND #schema <= :schema")
                .expression_attribute_values(":version", item::number(count.version));
            if let Some(until) = count.kept_until {
                expression.push_str(", #ttl = :kept");
                update = update
                    .expression_attribute_names("#ttl", "ttl")
                    .expression_attribute_values(":kept", item::seconds(until.max(kept_until)));
            }
            update.update_expression(expression)
        };
        Ok(built(OPERATION, update.build())?.into_write())
    }

    /// No other intent may take the card meanwhile.
    fn hold(
        &self,
        intent: &Intent,
        customer_key: &str,
        card: &OldCard,
    ) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.tables.enrollments)
            .set_key(Some(item::key_pair(customer_key, &card_sort_key(card.id))))
            .update_expression("SET #state = :held, held_by = :intent")
            .condition_expression("#state = :active AND #schema <= :schema")
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_values(":held", item::text(state::LOCKED))
            .expression_attribute_values(":active", item::text(state::ACTIVE))
            .expression_attribute_values(":schema", item::number(item::SCHEMA))
            .expression_attribute_values(":intent", item::text(intent.id.to_hex()))
            .build();
        Ok(built(OPERATION, update)?.into_write())
    }
}

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use enrollment::intent::{CardCount, Intent};
use enrollment::ports::{Begun, StoreError};
use enrollment::session::MAX_FAILURES;

use super::{CUSTOMER, DynamoEnrolments};
use crate::tables::item;
use crate::tables::sessions;
use crate::tables::transaction::{IntoWrite as _, built, transact};

const OPERATION: &str = "beginning an intent";
/// Positions in the transaction.
const INTENT: usize = 0;
const SESSION: usize = 1;
const CUSTOMER_ITEM: usize = 2;

impl DynamoEnrolments {
    pub(super) async fn begin_intent(&self, intent: &Intent, count: CardCount) -> Result<Begun, StoreError> {
        let customer_key = self.customer_key(OPERATION, intent).await?;
        let writes = vec![
            self.put_intent(intent).await?,
            self.occupy_session(intent)?,
            self.count_pending(&customer_key, count)?,
        ];
        let transacted = transact(&self.dynamodb, &*self.randomness, OPERATION, writes).await?;
        // A repeat finds its own session busy and its customer changed: the intent itself decides first.
        Ok(if transacted.refuses(INTENT) {
            Begun::Before
        } else if transacted.refuses(SESSION) {
            Begun::SessionBusy
        } else if transacted.refuses(CUSTOMER_ITEM) {
            Begun::CustomerChanged
        } else {
            Begun::Now
        })
    }

    async fn put_intent(&self, intent: &Intent) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder()
            .table_name(&self.tables.enrolments)
            .set_item(Some(self.written(OPERATION, intent).await?))
            .condition_expression("attribute_not_exists(pk)")
            .build();
        Ok(built(OPERATION, put)?.into_write())
    }

    fn occupy_session(&self, intent: &Intent) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.tables.sessions)
            .set_key(Some(item::key(&sessions::primary_key(intent.session))))
            .update_expression("SET open_attempt = :intent, last_attempt = :intent")
            .condition_expression(
                "attribute_exists(pk) AND #schema <= :schema AND attribute_not_exists(open_attempt) \
                 AND expires_at > :now AND finished = :no AND failures < :most",
            )
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_values(":schema", item::number(item::SCHEMA))
            .expression_attribute_values(":intent", item::text(intent.id.to_hex()))
            .expression_attribute_values(":now", item::millis(intent.created_at))
            .expression_attribute_values(":no", AttributeValue::Bool(false))
            .expression_attribute_values(":most", item::number(MAX_FAILURES))
            .build();
        Ok(built(OPERATION, update)?.into_write())
    }

    fn count_pending(&self, customer_key: &str, count: CardCount) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.tables.enrolments)
            .set_key(Some(item::key_pair(customer_key, CUSTOMER)))
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":one", item::number(1));
        let update = if count.version == 0 {
            update
                .update_expression("SET #schema = :schema, active = :none, pending = :one, #version = :one")
                .condition_expression("attribute_not_exists(pk)")
                .expression_attribute_values(":none", item::number(0))
        } else {
            update
                .update_expression("SET pending = pending + :one, #version = #version + :one")
                .condition_expression("#version = :version AND #schema <= :schema")
                .expression_attribute_values(":version", item::number(count.version))
        };
        let update = update.expression_attribute_values(":schema", item::number(item::SCHEMA));
        Ok(built(OPERATION, update.build())?.into_write())
    }
}

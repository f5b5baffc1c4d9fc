use aws_sdk_dynamodb::types::{self, AttributeValue, TransactWriteItem};
use enrollment::intent::{CardCount, Intent, OldCard};
use enrollment::ports::{BeginError, Put, StoreError};
use enrollment::session::MAX_FAILURES;
use enrollment::time::later;
use jiff::SignedDuration;

use super::{CUSTOMER, DynamoEnrollments, card_sort_key, count_attribute, state};
use crate::tables::item;
use crate::tables::sessions;
use crate::tables::transaction::{IntoWrite as _, built, transact};
use crate::tables::update::ItemUpdate;

const OPERATION: &str = "beginning an intent";
/// Positions in the transaction.
const INTENT: usize = 0;
const SESSION: usize = 1;
const CUSTOMER_ITEM: usize = 2;
const OLD_CARD: usize = 3;
/// Retention of a customer without a card: longer than that of a failed intent, the only record of such a customer.
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
        ItemUpdate::new(
            &self.tables.sessions,
            item::key(&sessions::primary_key(intent.session)),
        )
        .set("open_attempt = :intent, last_attempt = :intent")
        .when("attribute_exists(pk) AND attribute_not_exists(open_attempt) AND expires_at > :now")
        .when("finished = :no AND failures < :most AND failures = :failures")
        .when_schema_is_known()
        .value(":intent", item::text(intent.id.to_hex()))
        .value(":now", item::millis(intent.created_at))
        .value(":no", AttributeValue::Bool(false))
        .value(":most", item::number(MAX_FAILURES))
        .value(":failures", item::number(failures))
        .into_write(OPERATION)
    }

    fn count_open(
        &self,
        intent: &Intent,
        customer_key: &str,
        count: CardCount,
    ) -> Result<TransactWriteItem, StoreError> {
        let attribute = count_attribute(intent.action);
        let kept_until = later(intent.created_at, WITHOUT_CARD_KEPT);
        let update = ItemUpdate::new(&self.tables.enrollments, item::key_pair(customer_key, CUSTOMER))
            .value(":one", item::number(1))
            .value(":none", item::number(0));
        let update = if count.version == 0 {
            update
                .set("#schema = :schema, active = :none, pending = :one, changing = :none")
                .set("#version = :one, #ttl = :kept")
                .when("attribute_not_exists(pk)")
                .value(":kept", item::seconds(kept_until))
        } else {
            let update = update
                .set(format!("{attribute} = if_not_exists({attribute}, :none) + :one"))
                .set("#version = #version + :one")
                .when("#version = :version")
                .when_schema_is_known()
                .value(":version", item::number(count.version));
            match count.kept_until {
                Some(until) => update
                    .set("#ttl = :kept")
                    .value(":kept", item::seconds(until.max(kept_until))),
                None => update,
            }
        };
        update.into_write(OPERATION)
    }

    /// No other intent may take the card meanwhile.
    fn hold(
        &self,
        intent: &Intent,
        customer_key: &str,
        card: &OldCard,
    ) -> Result<TransactWriteItem, StoreError> {
        ItemUpdate::new(
            &self.tables.enrollments,
            item::key_pair(customer_key, &card_sort_key(card.id)),
        )
        .set("#state = :locked, locked_by = :intent")
        .when("#state = :active")
        .when_schema_is_known()
        .value(":locked", item::text(state::LOCKED))
        .value(":active", item::text(state::ACTIVE))
        .value(":intent", item::text(intent.id.to_hex()))
        .into_write(OPERATION)
    }
}

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{self, AttributeValue};
use enrollment::action::ActionCode;
use enrollment::clock::Clock;
use enrollment::identifiers::{ClientId, CustomerId, IntentId, Last4, ProgramId, SessionId};
use enrollment::language::Language;
use enrollment::ports::{Put, Sessions, StoreError, UsedTokens};
use enrollment::randomness::Randomness;
use enrollment::session::{self, MAX_FAILURES, Session, UsedToken};
use enrollment::time::later;
use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::batch::Key;
use super::customers::{self, OWNER};
use super::item::{self, Fields, Item, Written};
use super::sealing::Sealing;
use super::transaction::{IntoWrite as _, built, transact};
use super::update::ItemUpdate;
use crate::aws::describe;
use crate::vault::{Purpose, Vault};

/// Retention of an expired session, for a page that reads the result of its last attempt.
const KEPT_AFTER_EXPIRY: SignedDuration = SignedDuration::from_hours(24);
/// Retention of a used token after its validity: longer than any request takes, and any two clocks differ. Only its time
/// to live deletes it.
const KEPT_AFTER_USE: SignedDuration = SignedDuration::from_hours(1);
const TOKEN: usize = 1;

/// The `sessions` table.
pub struct DynamoSessions {
    dynamodb: Client,
    table: String,
    vault: Arc<Vault>,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
}

impl DynamoSessions {
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

    async fn written(&self, session: &Session) -> Result<Item, StoreError> {
        let pk = primary_key(session.id);
        let sealing = self.sealing("storing a session", &session.client, &pk);
        let url = session.confirmation_url.as_ref().map(Url::as_str);
        let return_url = session.return_url.as_ref().map(Url::as_str);
        let owner = customers::primary_key(
            &self.vault,
            "storing a session",
            &session.client,
            &session.program,
            &session.customer,
        )
        .await?;
        let item = Written::new(&pk)
            .text(OWNER, owner)
            .text("client", session.client.as_str())
            .text("program", session.program.as_str())
            .text("action", session.action.as_str())
            .set(
                "customer",
                sealing.seal("customer", session.customer.expose()).await?,
            )
            .text("language", session.language.as_str())
            .set_optional(
                "confirmation_url",
                sealing.seal_optional("confirmation_url", url).await?,
            )
            .set_optional(
                "return_url",
                sealing.seal_optional("return_url", return_url).await?,
            )
            .set_optional("last4", session.last4.map(|last4| item::text(last4.as_str())))
            .millis("opened_at", session.opened_at)
            .millis("expires_at", session.expires_at)
            .number("extensions", session.extensions)
            .number("failures", session.failures)
            .set_optional(
                "open_attempt",
                session.open_attempt.map(|intent| item::text(intent.to_hex())),
            )
            .set_optional(
                "last_attempt",
                session.last_attempt.map(|intent| item::text(intent.to_hex())),
            )
            .flag("finished", session.finished)
            .ttl(later(session.expires_at, KEPT_AFTER_EXPIRY));
        Ok(item.into_item())
    }

    /// The key of a session's item, for reading it together with others.
    pub(super) fn key(&self, id: SessionId) -> Key<'_> {
        (&self.table, item::key(&primary_key(id)))
    }

    /// Reads the item of a session; `None` where it is past its time.
    pub(super) async fn session_of(
        &self,
        id: SessionId,
        fields: &Fields,
    ) -> Result<Option<Session>, StoreError> {
        if fields.is_expired(self.clock.now())? {
            Ok(None)
        } else {
            self.read(id, fields).await.map(Some)
        }
    }

    async fn read(&self, id: SessionId, fields: &Fields) -> Result<Session, StoreError> {
        let pk = primary_key(id);
        let client = fields.parsed("client", ClientId::parse)?;
        let sealing = self.sealing(fields.operation(), &client, &pk);
        let expires_at = fields.time("expires_at")?;
        Ok(Session {
            id,
            program: fields.parsed("program", ProgramId::parse)?,
            action: fields.parsed("action", ActionCode::parse)?,
            customer: sealing.open(fields, "customer", CustomerId::parse).await?,
            language: fields.parsed("language", Language::parse)?,
            confirmation_url: sealing
                .open_optional(fields, "confirmation_url", Url::parse)
                .await?,
            return_url: sealing.open_optional(fields, "return_url", Url::parse).await?,
            last4: fields.optional_parsed("last4", Last4::parse)?,
            // Items of releases without extensions have neither time of opening nor count.
            opened_at: fields
                .optional_time("opened_at")?
                .unwrap_or_else(|| later(expires_at, -session::LIFETIME)),
            expires_at,
            extensions: fields.optional_number("extensions")?.unwrap_or_default(),
            failures: fields.number("failures")?,
            open_attempt: fields.optional_parsed("open_attempt", IntentId::from_hex)?,
            last_attempt: fields.optional_parsed("last_attempt", IntentId::from_hex)?,
            finished: fields.flag("finished")?,
            client: client.clone(),
        })
    }

    fn sealing<'a>(&'a self, operation: &'static str, client: &'a ClientId, pk: &'a str) -> Sealing<'a> {
        Sealing {
            vault: &self.vault,
            operation,
            client,
            purpose: Purpose::Session,
            table: "sessions",
            pk,
            sk: "",
        }
    }
}

#[async_trait]
impl Sessions for DynamoSessions {
    async fn open(&self, session: &Session, token: &UsedToken) -> Result<Put, StoreError> {
        const OPERATION: &str = "opening a session";
        let put_session = types::Put::builder()
            .table_name(&self.table)
            .set_item(Some(self.written(session).await?))
            .condition_expression("attribute_not_exists(pk)");
        let put_token = types::Put::builder()
            .table_name(&self.table)
            .set_item(Some(used(token).into_item()))
            // Never by time: the clock may have passed `until` since the token was verified.
            .condition_expression("attribute_not_exists(pk)");
        let writes = vec![
            built(OPERATION, put_session.build())?.into_write(),
            built(OPERATION, put_token.build())?.into_write(),
        ];
        let transacted = transact(&self.dynamodb, &*self.randomness, OPERATION, writes).await?;
        if transacted.refuses(TOKEN) {
            return Ok(Put::AlreadyExists);
        }
        if transacted.refuses_any() {
            // 256 random bits came a second time: whatever made them is broken.
            return Err(StoreError::unavailable(OPERATION, "its id exists already"));
        }
        Ok(Put::Created)
    }

    async fn find(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        const OPERATION: &str = "reading a session";
        let (table, key) = self.key(id);
        let Some(fields) = item::read(&self.dynamodb, table, OPERATION, key).await? else {
            return Ok(None);
        };
        self.session_of(id, &fields).await
    }

    async fn extend(&self, extended: &Session, now: Timestamp) -> Result<bool, StoreError> {
        const OPERATION: &str = "extending a session";
        // A transaction, because one of an attempt may be at the item: it is then tried again.
        let update = ItemUpdate::new(&self.table, item::key(&primary_key(extended.id)))
            .set("expires_at = :until, extensions = :count, #ttl = :ttl")
            .when("expires_at > :now AND finished = :no AND failures < :most")
            .when("(extensions = :before OR attribute_not_exists(extensions) AND :before = :none)")
            .value(":until", item::millis(extended.expires_at))
            .value(":count", item::number(extended.extensions))
            .value(
                ":ttl",
                item::seconds(later(extended.expires_at, KEPT_AFTER_EXPIRY)),
            )
            .value(":now", item::millis(now))
            .value(":no", AttributeValue::Bool(false))
            .value(":most", item::number(MAX_FAILURES))
            .value(":before", item::number(extended.extensions.saturating_sub(1)))
            .value(":none", item::number(0));
        let writes = vec![update.into_write(OPERATION)?];
        let transacted = transact(&self.dynamodb, &*self.randomness, OPERATION, writes).await?;
        Ok(!transacted.refuses_any())
    }
}

#[async_trait]
impl UsedTokens for DynamoSessions {
    async fn use_once(&self, token: &UsedToken) -> Result<Put, StoreError> {
        const OPERATION: &str = "storing a used token";
        let mut ticket = [0; 16];
        self.randomness.fill(&mut ticket);
        let ticket = hex::encode(ticket);
        let item = used(token).text("ticket", ticket.as_str()).into_item();
        let put = self
            .dynamodb
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)")
            // The function that asks may not read sessions.
            .return_values_on_condition_check_failure(types::ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let Err(error) = put else {
            return Ok(Put::Created);
        };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(refused)) => {
                // Stored by this call, where its answer was lost and the SDK sent it again.
                let stored = refused.item.as_ref().and_then(|item| item.get("ticket"));
                let is_ours = stored == Some(&item::text(ticket));
                Ok(if is_ours { Put::Created } else { Put::AlreadyExists })
            }
            _ => Err(StoreError::unavailable(OPERATION, describe(&error))),
        }
    }
}

/// Item of a used token.
fn used(token: &UsedToken) -> Written {
    Written::new(&used_key(token))
        .millis("until", token.until)
        .ttl(later(token.until, KEPT_AFTER_USE))
}

fn used_key(token: &UsedToken) -> String {
    format!("token#{}", hex::encode(token.digest))
}

pub(super) fn primary_key(id: SessionId) -> String {
    format!("session#{}", id.to_hex())
}

/// The name of the session of an item.
pub(super) fn id_of(fields: &Fields) -> Result<SessionId, StoreError> {
    fields.parsed("pk", |pk| {
        SessionId::from_hex(pk.strip_prefix("session#").unwrap_or_default())
    })
}

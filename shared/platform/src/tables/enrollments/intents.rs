//! The port `Intents`, and intents as items.

use async_trait::async_trait;
use enrollment::action::ActionCode;
use enrollment::identifiers::{
    BankCustomerNumber, Bin, ClientId, CustomerId, IncidentId, IntentId, Last4, ProgramId, Ranac, SessionId,
};
use enrollment::intent::{
    CardCount, Cleanup, Conclusion, INTENT_LEASE, Inquiry, Intent, OldCard, Outcome, Stage,
};
use enrollment::ports::{BeginError, Intents, Put, StoreError};
use enrollment::status::{MrsCode, Status};
use enrollment::time::later;
use jiff::Timestamp;
use url::Url;

use super::{DynamoEnrollments, INTENT, intent_key};
use crate::tables::customers::OWNER;
use crate::tables::due_index::Kind;
use crate::tables::item::{self, Fields, Item, Written};
use crate::tables::sealing::Sealing;

#[async_trait]
impl Intents for DynamoEnrollments {
    async fn intent(&self, id: IntentId) -> Result<Option<Intent>, StoreError> {
        let Some(fields) = self.item("reading an intent", &intent_key(id), INTENT).await? else {
            return Ok(None);
        };
        self.intent_of(id, &fields).await
    }

    async fn begin(
        &self,
        intent: &Intent,
        count: CardCount,
        failures: u32,
    ) -> Result<Result<Put, BeginError>, StoreError> {
        self.begin_intent(intent, count, failures).await
    }

    async fn finish(&self, intent: &Intent) -> Result<Put, StoreError> {
        self.finish_intent(intent).await
    }

    async fn complete_cleanup(&self, intent: &Intent, at: Timestamp) -> Result<(), StoreError> {
        self.complete_cleanup(intent, at).await
    }
}

impl DynamoEnrollments {
    /// The item of an intent whose outcome is open.
    /// `owner` is the customer's key.
    pub(super) async fn written(
        &self,
        operation: &'static str,
        intent: &Intent,
        owner: &str,
    ) -> Result<Item, StoreError> {
        let pk = intent_key(intent.id);
        let sealing = self.sealing(operation, &intent.client, &pk, INTENT);
        let url = intent.confirmation_url.as_ref().map(Url::as_str);
        let number = intent.bank_customer_number.expose();
        let consents = serde_json::to_string(&intent.consents)
            .map_err(|_| StoreError::unavailable(operation, "it can't be written as JSON"))?;
        let old = intent.old_card.as_ref();
        let old_ranac = old.map(|card| card.ranac.expose());
        let old_number = old.map(|card| card.bank_customer_number.expose());
        let item = Written::with_sort_key(&pk, INTENT)
            .text(OWNER, owner)
            .text("session", intent.session.to_hex())
            .text("client", intent.client.as_str())
            .text("program", intent.program.as_str())
            .text("action", intent.action.as_str())
            .set(
                "customer",
                sealing.seal("customer", intent.customer.expose()).await?,
            )
            .set(
                "bank_customer_number",
                sealing.seal("bank_customer_number", number).await?,
            )
            .text("bin", intent.bin.as_str())
            .text("last4", intent.last4.as_str())
            .set_optional("design_code", intent.design_code.as_deref().map(item::text))
            .set_optional("old_card", old.map(|card| item::text(card.id.to_hex())))
            .set_optional("old_ranac", sealing.seal_optional("old_ranac", old_ranac).await?)
            .set_optional(
                "old_number",
                sealing.seal_optional("old_number", old_number).await?,
            )
            .set_optional(
                "old_retention_days",
                old.map(|card| item::number(card.retention_days)),
            )
            .text("consents", consents)
            .set_optional(
                "confirmation_url",
                sealing.seal_optional("confirmation_url", url).await?,
            )
            .bytes("fingerprint", intent.fingerprint.to_vec())
            .text("incident", intent.incident.as_str())
            .millis("created_at", intent.created_at)
            .set("agenda", Kind::DueIntent.of(&intent.id.to_hex()))
            // At once: a sweep comes within the 60 s that an outcome may stay away, wherever its process died.
            .millis("agenda_at", intent.created_at)
            // Whoever stores it asks MRS first.
            .millis("lease_until", later(intent.created_at, INTENT_LEASE))
            .millis("unanswered_at", intent.created_at);
        Ok(item.into_item())
    }

    pub(super) async fn read(&self, id: IntentId, fields: &Fields) -> Result<Intent, StoreError> {
        let pk = intent_key(id);
        let client = fields.parsed("client", ClientId::parse)?;
        let sealing = self.sealing(fields.operation(), &client, &pk, INTENT);
        Ok(Intent {
            id,
            session: fields.parsed("session", SessionId::from_hex)?,
            program: fields.parsed("program", ProgramId::parse)?,
            action: fields.parsed("action", ActionCode::parse)?,
            customer: sealing.open(fields, "customer", CustomerId::parse).await?,
            bank_customer_number: sealing
                .open(fields, "bank_customer_number", BankCustomerNumber::parse)
                .await?,
            bin: fields.parsed("bin", Bin::parse)?,
            last4: fields.parsed("last4", Last4::parse)?,
            design_code: fields.optional_text("design_code")?.map(str::to_owned),
            old_card: old_card(fields, sealing).await?,
            consents: fields.parsed("consents", |json| serde_json::from_str(json))?,
            confirmation_url: sealing
                .open_optional(fields, "confirmation_url", Url::parse)
                .await?,
            fingerprint: fields.check("fingerprint", fields.bytes("fingerprint")?.try_into())?,
            incident: IncidentId::stored(fields.text("incident")?.to_owned()),
            created_at: fields.time("created_at")?,
            inquiry: Inquiry {
                unanswered_at: fields.optional_time("unanswered_at")?,
                unknown_since: fields.optional_time("unknown_since")?,
                present_before: sealing.open_optional(fields, "present_before", ranacs).await?,
            },
            stage: stage(fields, sealing).await?,
            client: client.clone(),
        })
    }
}

/// A list of RANACs, as it is sealed.
pub(super) fn written_ranacs(ranacs: &[Ranac]) -> Result<String, serde_json::Error> {
    let exposed: Vec<&str> = ranacs.iter().map(Ranac::expose).collect();
    serde_json::to_string(&exposed)
}

/// Reads such a list. That it is none is all that is said about it.
fn ranacs(json: &str) -> Result<Vec<Ranac>, ()> {
    let texts: Vec<String> = serde_json::from_str(json).map_err(drop)?;
    texts
        .iter()
        .map(|text| Ranac::parse(text).map_err(drop))
        .collect()
}

/// Reads the old card; `None` once its ids at MRS are deleted, when nothing is left to do for it.
async fn old_card(fields: &Fields, sealing: Sealing<'_>) -> Result<Option<OldCard>, StoreError> {
    let Some(ranac) = sealing.open_optional(fields, "old_ranac", Ranac::parse).await? else {
        return Ok(None);
    };
    Ok(Some(OldCard {
        id: fields.parsed("old_card", IntentId::from_hex)?,
        ranac,
        bank_customer_number: sealing
            .open(fields, "old_number", BankCustomerNumber::parse)
            .await?,
        retention_days: fields.number("old_retention_days")?,
    }))
}

/// Stage of an intent. MRS is called as soon as the intent is stored.
async fn stage(fields: &Fields, sealing: Sealing<'_>) -> Result<Stage, StoreError> {
    let known = |text: &str| Status::from_text(text).ok_or("a status that this release does not know");
    let Some(status) = fields.optional_parsed("status", known)? else {
        return Ok(Stage::Open {
            since: fields.time("created_at")?,
        });
    };
    let outcome = Outcome {
        status,
        code: fields.optional_number("code")?.map(MrsCode),
        ranac: sealing.open_optional(fields, "ranac", Ranac::parse).await?,
        last4: fields.optional_parsed("outcome_last4", Last4::parse)?,
        at: fields.time("finished_at")?,
    };
    Ok(Stage::Ended(Conclusion {
        cleanup: fields.flag("needs_cleanup")?.then(|| Cleanup::kind_for(&outcome)),
        outcome,
    }))
}

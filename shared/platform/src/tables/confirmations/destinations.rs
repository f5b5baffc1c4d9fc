use enrollment::delivery::Destination;
use enrollment::identifiers::ClientId;
use enrollment::ports::StoreError;
use enrollment::time::later;
use jiff::SignedDuration;

use super::DynamoConfirmations;
use crate::aws::where_it_held;
use crate::tables::item::{self, Written};

/// A receiver that nothing was sent to for so long starts afresh.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

impl DynamoConfirmations {
    pub(super) async fn read_destination(
        &self,
        client: &ClientId,
        destination: &str,
    ) -> Result<Destination, StoreError> {
        const OPERATION: &str = "reading a receiver's state";
        let key = item::key(&primary_key(client, destination));
        let Some(fields) = item::read(&self.dynamodb, &self.table, OPERATION, key).await? else {
            return Ok(Destination::default());
        };
        let version = fields.number("version")?;
        if fields.is_expired(self.clock.now())? {
            return Ok(Destination {
                version,
                ..Destination::default()
            });
        }
        Ok(Destination {
            failures: fields.number("failures")?,
            closed_until: fields.optional_time("closed_until")?,
            gone: fields.flag("gone")?,
            version,
        })
    }

    pub(super) async fn write_destination(
        &self,
        client: &ClientId,
        destination: &str,
        state: &Destination,
    ) -> Result<bool, StoreError> {
        let item = Written::new(&primary_key(client, destination))
            .number("failures", state.failures)
            .set_optional("closed_until", state.closed_until.map(item::millis))
            .flag("gone", state.gone)
            .number("version", state.version + 1)
            .ttl(later(self.clock.now(), KEPT));
        let put = self
            .dynamodb
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item.into_item()));
        let put = if state.version == 0 {
            put.condition_expression("attribute_not_exists(pk)")
        } else {
            put.condition_expression("#version = :version")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":version", item::number(state.version))
        };
        where_it_held(put.send().await)
            .map(|stored| stored.is_some())
            .map_err(|detail| StoreError::unavailable("storing a receiver's state", detail))
    }
}

/// The host stands in the client's set-up in clear, so it may here.
pub(super) fn primary_key(client: &ClientId, destination: &str) -> String {
    format!("destination#{client}#{destination}")
}

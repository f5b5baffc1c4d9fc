//! A customer's keys: by blind index, never by name.
//!
//! Whatever else is stored of a customer carries that key as its attribute `owner`, by which an index of the same name
//! finds it: intents, sessions, confirmations.

use aws_sdk_dynamodb::Client;
use enrollment::identifiers::{ClientId, CustomerId, ProgramId};
use enrollment::ports::{CustomerKey, StoreError};

use super::item::{self, Fields};
use crate::aws::describe;
use crate::vault::Vault;

/// `customer#<client>#<program>#<blind index>`. Only the program may hold a `#`; what stands around it is of fixed
/// shape, so two customers never share a key.
pub(super) async fn primary_key(
    vault: &Vault,
    operation: &'static str,
    client: &ClientId,
    program: &ProgramId,
    customer: &CustomerId,
) -> Result<String, StoreError> {
    let index = vault
        .blind_index(client, "customer", customer.expose())
        .await
        .map_err(|error| error.into_store_error(operation))?;
    Ok(format!("customer#{client}#{program}#{index}"))
}

/// The program of a key that [`primary_key`] made.
pub(super) fn program_of(client: &ClientId, key: &CustomerKey) -> Option<ProgramId> {
    let of_client = key.0.strip_prefix(&format!("customer#{client}#"))?;
    let (program, _) = of_client.rsplit_once('#')?;
    ProgramId::parse(program).ok()
}

/// The attribute, and the name of the index over it.
pub(super) const OWNER: &str = "owner";

/// Lists the items of a customer by the index `owner` of a table, which lags by moments.
pub(super) async fn owned<T>(
    dynamodb: &Client,
    table: &str,
    operation: &'static str,
    owner: &str,
    read: impl Fn(&Fields) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut found = Vec::new();
    let mut start = None;
    loop {
        let answer = dynamodb
            .query()
            .table_name(table)
            .index_name(OWNER)
            // A reserved word.
            .key_condition_expression("#owner = :owner")
            .expression_attribute_names("#owner", OWNER)
            .expression_attribute_values(":owner", item::text(owner))
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(|error| StoreError::unavailable(operation, describe(&error)))?;
        for entry in answer.items.unwrap_or_default() {
            found.push(read(&Fields::of(operation, entry)?)?);
        }
        start = answer.last_evaluated_key;
        if start.is_none() {
            return Ok(found);
        }
    }
}

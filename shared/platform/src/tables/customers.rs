//! A customer's keys: by blind index, never by name.

use enrollment::identifiers::{ClientId, CustomerId, ProgramId};
use enrollment::ports::StoreError;

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

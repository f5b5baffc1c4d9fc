//! Replacement of a secret that was read before: of two concurrent changes, neither is lost.
//!
//! Secrets Manager has no conditional write. It can move a version's label, though, and refuses to move a label that is
//! not on the version that the call names. So the new value is stored under a label of its own first, and gets the
//! label of the current version only if the version that was read still has it.

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use enrollment::ports::StoreError;
use enrollment::randomness::Randomness;
use secrecy::{ExposeSecret as _, SecretString};

use crate::aws::describe;

const OPERATION: &str = "replacing a secret";
const CURRENT: &str = "AWSCURRENT";

/// Result of [`replace`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretReplacement {
    /// The new value is the current one.
    Replaced,
    /// Another operator has replaced the value since it was read. Theirs stays.
    Conflict,
}

/// Replaces a secret's value if `read_version` is still the current version.
///
/// # Errors
/// Error where Secrets Manager does not answer, or refuses for another reason.
pub async fn replace(
    manager: &Client,
    full_name: &str,
    value: &SecretString,
    read_version: &str,
    randomness: &dyn Randomness,
) -> Result<SecretReplacement, StoreError> {
    let mut bytes = [0; 16];
    randomness.fill(&mut bytes);
    // Id of the new version. Secrets Manager recognizes a repeated call of the SDK by it.
    let version = hex::encode(bytes);
    let label = format!("pending-{version}");
    manager
        .put_secret_value()
        .secret_id(full_name)
        .client_request_token(&version)
        .secret_string(value.expose_secret())
        .version_stages(&label)
        .send()
        .await
        .map_err(|error| failed(&error))?;
    let moved = manager
        .update_secret_version_stage()
        .secret_id(full_name)
        .version_stage(CURRENT)
        .move_to_version_id(&version)
        .remove_from_version_id(read_version)
        .send()
        .await;
    let replaced = match moved {
        Ok(_) => SecretReplacement::Replaced,
        // A repeated call is refused too if the first one succeeded: the current version decides.
        Err(error) => match current(manager, full_name).await? {
            now if now == version => SecretReplacement::Replaced,
            now if now == read_version => return Err(failed(&error)),
            _ => SecretReplacement::Conflict,
        },
    };
    // Secrets Manager deletes versions without a label eventually. This value was never used, or has a label of its
    // own.
    let forgotten = manager
        .update_secret_version_stage()
        .secret_id(full_name)
        .version_stage(&label)
        .remove_from_version_id(&version)
        .send()
        .await;
    forgotten.map_err(|error| failed(&error))?;
    Ok(replaced)
}

async fn current(manager: &Client, full_name: &str) -> Result<String, StoreError> {
    let answer = manager.get_secret_value().secret_id(full_name).send().await;
    let answer = answer.map_err(|error| failed(&error))?;
    Ok(answer.version_id.unwrap_or_default())
}

fn failed<E: ProvideErrorMetadata>(error: &SdkError<E>) -> StoreError {
    StoreError::unavailable(OPERATION, describe(error))
}

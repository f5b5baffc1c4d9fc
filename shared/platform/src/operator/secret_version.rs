//! A secret that is read, changed and written: two operators who do it at the same time must not lose one another's change.
//!
//! Secrets Manager has no conditional write. It moves the label of the current version from one version to another, though,
//! and refuses where the label is not on the version that the call names: the new value is stored under a label of its own
//! first, and becomes the current one only in place of the version that was read.

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
pub enum Replaced {
    /// The new value is the current one.
    Done,
    /// Somebody else has replaced the value that was read; theirs stands.
    Changed,
}

/// Gives a secret a new value, where the one of `read_version` is still its current one.
///
/// # Errors
/// Where Secrets Manager does not answer, or refuses for another reason.
pub async fn replace(
    manager: &Client,
    full_name: &str,
    value: &SecretString,
    read_version: &str,
    randomness: &dyn Randomness,
) -> Result<Replaced, StoreError> {
    let mut bytes = [0; 16];
    randomness.fill(&mut bytes);
    // The name of the new version, by which the SDK's repeats of the call are known as such.
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
        Ok(_) => Replaced::Done,
        // A repeat of a call that did its work is refused, too: what is current now decides.
        Err(error) => match current(manager, full_name).await? {
            now if now == version => Replaced::Done,
            now if now == read_version => return Err(failed(&error)),
            _ => Replaced::Changed,
        },
    };
    // A version without a label is deleted by Secrets Manager some day. Its value was never used, or has its own label.
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
    StoreError::Unavailable {
        operation: OPERATION,
        detail: describe(error),
    }
}

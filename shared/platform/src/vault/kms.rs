use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_kms::Client;
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::DataKeySpec;

use super::{DataKey, GeneratedKey, KeyName, KeyWrapper, VaultError};
use crate::aws::describe;

/// Key wrapper over KMS, with client and purpose as encryption context.
#[derive(Debug, Clone)]
pub struct KmsKeyWrapper {
    kms: Client,
    key_id: String,
}

impl KmsKeyWrapper {
    /// `key_id` is the id, ARN or alias of a symmetric key.
    pub fn new(kms: Client, key_id: impl Into<String>) -> Self {
        Self {
            kms,
            key_id: key_id.into(),
        }
    }
}

#[async_trait]
impl KeyWrapper for KmsKeyWrapper {
    async fn generate(&self, name: &KeyName) -> Result<GeneratedKey, VaultError> {
        let answer = self
            .kms
            .generate_data_key()
            .key_id(&self.key_id)
            .key_spec(DataKeySpec::Aes256)
            .set_encryption_context(Some(context(name)))
            .send()
            .await
            .map_err(|error| unavailable("KMS GenerateDataKey", &error))?;
        match (
            answer
                .plaintext
                .as_ref()
                .and_then(|plain| DataKey::new(plain.as_ref())),
            answer.ciphertext_blob,
        ) {
            (Some(key), Some(wrapped)) => Ok(GeneratedKey {
                key,
                wrapped: wrapped.into_inner(),
            }),
            _ => Err(VaultError::DamagedKey(name.clone())),
        }
    }

    async fn unwrap(&self, name: &KeyName, wrapped: &[u8]) -> Result<DataKey, VaultError> {
        let answer = self
            .kms
            .decrypt()
            // The key is named, so that a key that was wrapped in another account is refused.
            .key_id(&self.key_id)
            .ciphertext_blob(Blob::new(wrapped))
            .set_encryption_context(Some(context(name)))
            .send()
            .await
            .map_err(|error| match error.as_service_error() {
                Some(refused) if refused.is_invalid_ciphertext_exception() => {
                    VaultError::DamagedKey(name.clone())
                }
                _ => unavailable("KMS Decrypt", &error),
            })?;
        answer
            .plaintext
            .as_ref()
            .and_then(|plain| DataKey::new(plain.as_ref()))
            .ok_or_else(|| VaultError::DamagedKey(name.clone()))
    }
}

/// Encryption context of a data key. The period is not part of it: the item in the table states it, and a key that was
/// moved to another month opens nothing.
fn context(name: &KeyName) -> HashMap<String, String> {
    HashMap::from([
        ("client".to_owned(), name.client.to_string()),
        ("purpose".to_owned(), name.purpose.as_str().to_owned()),
    ])
}

fn unavailable<E: ProvideErrorMetadata>(operation: &'static str, error: &SdkError<E>) -> VaultError {
    VaultError::Unavailable {
        operation,
        detail: describe(error),
    }
}

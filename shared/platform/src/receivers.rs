//! Port `Receivers` over the crate `webhooks`, with each client's secrets from Secrets Manager. A rotated secret is
//! used within five minutes, without a deployment.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use enrollment::confirmation::Confirmation;
use enrollment::delivery::{ATTEMPT_LIMIT, DeliveryResult};
use enrollment::identifiers::ClientId;
use enrollment::log::{by_display, error};
use enrollment::ports::Receivers;
use jiff::{SignedDuration, Timestamp};
use webhooks::sender::{PrivateHost, SenderSettings, SenderSetupError, Trust};
use webhooks::{MessageId, RetryAfter, Sender, SigningKeys};

use crate::secrets::{ConfirmationSecrets, Secrets};

/// Number of clients' own senders in the cache.
const MAX_SENDERS: usize = 100;
const USER_AGENT: &str = concat!("card-enrollment/", env!("CARGO_PKG_VERSION"));

/// Partners' receivers, reached over public HTTPS.
pub struct WebhookReceivers {
    secrets: Arc<Secrets>,
    private_hosts: Vec<PrivateHost>,
    /// Sender for all clients whose receivers have certificates of public authorities.
    public: Sender,
    /// Senders for clients with certificate authorities of their own, each with the version of the secret that it was
    /// made from.
    own: Mutex<HashMap<ClientId, (String, Sender)>>,
}

/// Reason on our side for which a confirmation can't be posted.
#[derive(Debug, thiserror::Error)]
enum PrepareError {
    #[error(transparent)]
    Store(#[from] enrollment::ports::StoreError),
    #[error(transparent)]
    Keys(#[from] webhooks::signing::KeyError),
    #[error(transparent)]
    Id(#[from] webhooks::signing::MessageIdError),
    #[error("certificate authorities of the client: {0}")]
    Authorities(#[from] webhooks::sender::TrustError),
    #[error(transparent)]
    Sender(#[from] SenderSetupError),
}

// Errors of the crate `webhooks` describe a key or certificate without showing it.
by_display!(PrepareError);

impl WebhookReceivers {
    /// `private_hosts` may be posted to although they are not on the public internet.
    pub fn new(secrets: Arc<Secrets>, private_hosts: Vec<PrivateHost>) -> Result<Self, SenderSetupError> {
        let public = Sender::new(&settings(Trust::mozilla(), &private_hosts))?;
        Ok(Self {
            secrets,
            private_hosts,
            public,
            own: Mutex::default(),
        })
    }

    async fn prepared(
        &self,
        confirmation: &Confirmation,
        now: Timestamp,
    ) -> Result<(Sender, Vec<(&'static str, String)>), PrepareError> {
        let (secrets, version) = self.secrets.confirmation_secrets(&confirmation.client).await?;
        let keys = SigningKeys::new(&secrets.secrets, &secrets.signing_keys)?;
        let id = MessageId::new(confirmation.id.as_str())?;
        let signed = keys.sign(&id, now.as_second(), confirmation.body.as_bytes());
        let mut headers = signed.headers().to_vec();
        headers.push(("content-type", "application/json".to_owned()));
        let sender = self.sender(&confirmation.client, &secrets, version)?;
        Ok((sender, headers))
    }

    fn sender(
        &self,
        client: &ClientId,
        secrets: &ConfirmationSecrets,
        version: String,
    ) -> Result<Sender, PrepareError> {
        let Some(authorities) = &secrets.certificate_authorities else {
            return Ok(self.public.clone());
        };
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, sender)) = own.get(client).filter(|(made_for, _)| *made_for == version) {
            return Ok(sender.clone());
        }
        let trust = Trust::mozilla_and_pem(authorities)?;
        let sender = Sender::new(&settings(trust, &self.private_hosts))?;
        if own.len() >= MAX_SENDERS {
            own.clear();
        }
        own.insert(client.clone(), (version, sender.clone()));
        Ok(sender)
    }
}

#[async_trait]
impl Receivers for WebhookReceivers {
    async fn post(&self, confirmation: &Confirmation, now: Timestamp) -> DeliveryResult {
        let (sender, headers) = match self.prepared(confirmation, now).await {
            Ok(prepared) => prepared,
            Err(unready) => {
                // Counts as a failed attempt: the retry schedule leaves an operator three days to repair it.
                error!(
                    error = unready,
                    client = confirmation.client,
                    "signing confirmation failed"
                );
                return DeliveryResult::Unready;
            }
        };
        let body = confirmation.body.clone().into_bytes();
        match sender.post(&confirmation.url, &headers, body).await {
            Ok(answer) => DeliveryResult::Answered {
                status: answer.status,
                retry_after: answer.retry_after.map(|wait| from_now(wait, now)),
            },
            Err(failure) => DeliveryResult::Failed(failure.class()),
        }
    }
}

fn settings(trust: Trust, private_hosts: &[PrivateHost]) -> SenderSettings {
    SenderSettings {
        total_timeout: ATTEMPT_LIMIT.unsigned_abs(),
        trust,
        dangerous_private_hosts: private_hosts.to_vec(),
        user_agent: USER_AGENT.to_owned(),
        ..SenderSettings::default()
    }
}

fn from_now(wait: RetryAfter, now: Timestamp) -> SignedDuration {
    let seconds = match wait {
        RetryAfter::Seconds(seconds) => i64::try_from(seconds).unwrap_or(i64::MAX),
        RetryAfter::At(second) => second.saturating_sub(now.as_second()).max(0),
    };
    SignedDuration::from_secs(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_wait_count_from_now() {
        let now = Timestamp::from_second(1_000).unwrap();
        for (wait, seconds) in [
            (RetryAfter::Seconds(30), 30),
            (RetryAfter::Seconds(u64::MAX), i64::MAX),
            (RetryAfter::At(1_060), 60),
            (RetryAfter::At(i64::MIN), 0),
        ] {
            assert_eq!(
                from_now(wait, now),
                SignedDuration::from_secs(seconds),
                "{wait:?}"
            );
        }
    }
}

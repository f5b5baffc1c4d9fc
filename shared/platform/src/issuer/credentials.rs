//! Credentials for the Issuer Enrollment API: OAuth 1.0a, and a client certificate where mutual TLS is agreed.

use std::sync::Arc;

use enrollment::clock::Clock;
use enrollment::log::LogText;
use enrollment::ports::StoreError;
use enrollment::randomness::Randomness;
use mastercard::http::{HttpClient, Trust};
use mastercard::keys::PrivateKey;
use mastercard::oauth1::{Signer, Stamp};
use mastercard::{OAuth1Scheme, RequestSigner};
use secrecy::ExposeSecret as _;

use crate::connection::{Connected, Credentials, http_client, identity, log_text};
use crate::secrets::{IssuerCredentials, Secrets};

/// OAuth key, and the certificate if there is one, of the secret `mastercard-issuer`.
pub struct IssuerAuthentication {
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
}

/// HTTP client with the signer of its calls.
#[derive(Clone)]
pub struct SignedClient {
    pub(super) http: HttpClient,
    pub(super) signer: Arc<dyn RequestSigner>,
}

impl IssuerAuthentication {
    /// Authentication whose timestamps and nonces come from these.
    pub fn new(clock: Arc<dyn Clock>, randomness: Arc<dyn Randomness>) -> Self {
        Self { clock, randomness }
    }
}

impl Credentials for IssuerAuthentication {
    type Stored = IssuerCredentials;
    type Client = SignedClient;

    async fn read(secrets: &Secrets) -> Result<IssuerCredentials, StoreError> {
        secrets.issuer_credentials().await
    }

    fn version(stored: &IssuerCredentials) -> &str {
        &stored.version
    }

    fn connect(&self, stored: &IssuerCredentials) -> Result<Connected<SignedClient>, LogText> {
        let key = PrivateKey::from_pem(stored.signing_key.expose_secret())
            .map_err(|_| LogText::from("the signing key is not usable"))?;
        let signer = Signer::new(stored.consumer_key.expose_secret(), key)
            .map_err(|_| LogText::from("the consumer key is not usable"))?;
        let identity = stored.identity.as_ref().map(identity).transpose()?;
        let trust = match &stored.certificate_authorities {
            Some(pem) => Trust::only_pem(pem).map_err(log_text)?,
            None => Trust::Mozilla,
        };
        let connected = http_client(trust, identity)?;
        let (clock, randomness) = (Arc::clone(&self.clock), Arc::clone(&self.randomness));
        let stamp = move || {
            let mut random = [0; 16];
            randomness.fill(&mut random);
            let seconds = clock.now().as_second();
            Stamp::from_random(random, seconds.try_into().unwrap_or_default())
        };
        Ok(Connected {
            client: SignedClient {
                http: connected.client,
                signer: Arc::new(OAuth1Scheme::new(signer, stamp)),
            },
            certificate_ends: connected.certificate_ends,
        })
    }
}

//! Secrets of Secrets Manager, checked for their shape and cached for five minutes: a rotated secret is used without a
//! deployment, and most invocations read none.
//!
//! | name after the stack's prefix | JSON |
//! | --- | --- |
//! | `/mastercard/mtls` | `{"certificate": PEM chain, "privateKey": PKCS#8 PEM}` or `{"pkcs12": base64, "password"}`; both may have `"certificateAuthorities": PEM` |
//! | `/mastercard-issuer` | `{"consumerKey", "signingKey": PKCS#8 PEM}`; for mutual TLS `"clientCertificate": PEM chain` and `"clientKey": PKCS#8 PEM`; `"certificateAuthorities": PEM` may be absent |
//! | `/mastercard/encryption` | `{"keyReference": "119009", "publicKey": PEM, "fingerprint": hex SHA-256}` |
//! | `/clients/<id>/confirmation` | `{"secrets": ["whsec_…"], "signingKeys": ["whsk_…"], "certificateAuthorities": PEM}`; every one of them signs, the first first; at least one secret, the others may be absent |

use std::fmt;
use std::sync::Arc;

use aws_sdk_secretsmanager::Client;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use enrollment::clock::Clock;
use enrollment::identifiers::ClientId;
use enrollment::log::{LogText, by_display};
use enrollment::ports::{EncryptionKey, StoreError};
use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::aged_cache::AgedCache;
use crate::aws::describe;

const OPERATION: &str = "reading a secret";
const MAX_AGE: SignedDuration = SignedDuration::from_mins(5);
const MAX_COUNT: usize = 100;

/// Name of the client certificate for Mastercard, without the prefix.
pub const MTLS: &str = "mastercard/mtls";
/// Name of the credentials for the Issuer Enrollment API, without the prefix.
pub const ISSUER: &str = "mastercard-issuer";
/// Name of the key that card numbers are encrypted under, without the prefix.
pub const ENCRYPTION: &str = "mastercard/encryption";

/// Name of a client's confirmation secrets, without the prefix.
pub fn confirmation_name(client: &ClientId) -> String {
    format!("clients/{client}/confirmation")
}

/// Secrets of one stack.
pub struct Secrets {
    manager: Client,
    prefix: String,
    cache: AgedCache<String, Arc<Version>>,
}

/// Certificate and authorities for mutual TLS towards Mastercard.
#[derive(Debug, Clone)]
pub struct MutualTls {
    /// Version of the secret. While it is the same, so are the other members.
    pub version: String,
    /// Certificate and private key.
    pub identity: TlsIdentity,
    /// Certificate authorities (PEM) that are trusted instead of the public ones, if any.
    pub certificate_authorities: Option<String>,
}

/// Client certificate with its private key, as the secret stores it.
#[derive(Debug, Clone)]
pub enum TlsIdentity {
    /// PEM.
    Pem {
        /// Certificate chain, the client's certificate first.
        certificate: String,
        /// Private key, PKCS#8.
        private_key: SecretString,
    },
    /// PKCS#12.
    Pkcs12 {
        /// File with certificate and private key.
        file: SecretSlice<u8>,
        /// Password of the file.
        password: SecretString,
    },
}

/// Credentials for the Issuer Enrollment API.
#[derive(Debug, Clone)]
pub struct IssuerCredentials {
    /// Version of the secret. While it is the same, so are the other members.
    pub version: String,
    /// Consumer key of OAuth 1.0a.
    pub consumer_key: SecretString,
    /// Private key (PEM) that signs the calls.
    pub signing_key: SecretString,
    /// Certificate for mutual TLS, if it is agreed.
    pub identity: Option<TlsIdentity>,
    /// Certificate authorities (PEM) that are trusted instead of the public ones, if any.
    pub certificate_authorities: Option<String>,
}

/// Keys that sign a client's confirmations, the current ones first.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfirmationSecrets {
    /// `whsec_…`, for `v1`: at least one; two while one is rotated.
    #[serde(serialize_with = "exposed")]
    pub secrets: Vec<SecretString>,
    /// `whsk_…`, for `v1a`, if the client wants it.
    #[serde(default, skip_serializing_if = "Vec::is_empty", serialize_with = "exposed")]
    pub signing_keys: Vec<SecretString>,
    /// Certificate authorities (PEM) of the client's receivers, trusted beside the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_authorities: Option<String>,
}

fn exposed<S: serde::Serializer>(secrets: &[SecretString], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(secrets.iter().map(ExposeSecret::expose_secret))
}

struct Version {
    id: String,
    text: SecretString,
}

impl Secrets {
    /// Secrets whose names start with `prefix` and a slash.
    pub fn new(manager: Client, prefix: impl Into<String>, clock: Arc<dyn Clock>) -> Self {
        Self {
            manager,
            prefix: prefix.into(),
            cache: AgedCache::new(clock, MAX_AGE, MAX_COUNT),
        }
    }

    /// Reads certificate and authorities for mutual TLS towards Mastercard.
    pub async fn mutual_tls(&self) -> Result<MutualTls, StoreError> {
        let version = self.version(SecretName::MutualTls).await?;
        let written: WrittenMutualTls = parse(SecretName::MutualTls, &version.text)?;
        let identity = match (
            written.certificate,
            written.private_key,
            written.pkcs12,
            written.password,
        ) {
            (Some(certificate), Some(private_key), None, None) => TlsIdentity::Pem {
                certificate,
                private_key,
            },
            (None, None, Some(file), Some(password)) => {
                let file = STANDARD
                    .decode(file.expose_secret().trim())
                    .map_err(|_| unreadable(SecretName::MutualTls, "its pkcs12 is not base64"))?;
                TlsIdentity::Pkcs12 {
                    file: file.into(),
                    password,
                }
            }
            _ => {
                return Err(unreadable(
                    SecretName::MutualTls,
                    "it needs certificate and privateKey, or pkcs12 and password",
                ));
            }
        };
        let certificate_authorities = written.certificate_authorities;
        Ok(MutualTls {
            version: version.id.clone(),
            identity,
            certificate_authorities,
        })
    }

    /// Reads the credentials for the Issuer Enrollment API.
    pub async fn issuer_credentials(&self) -> Result<IssuerCredentials, StoreError> {
        let version = self.version(SecretName::Issuer).await?;
        issuer_credentials(&version)
    }

    /// Returns the keys that sign a client's confirmations, and the version of their secret.
    pub async fn confirmation_secrets(
        &self,
        client: &ClientId,
    ) -> Result<(ConfirmationSecrets, String), StoreError> {
        let name = SecretName::Confirmation(client);
        let version = self.version(name).await?;
        let secrets: ConfirmationSecrets = parse(name, &version.text)?;
        if secrets.secrets.is_empty() {
            Err(unreadable(name, "it has no secret"))
        } else {
            Ok((secrets, version.id.clone()))
        }
    }

    /// Returns the key that card numbers are encrypted under, as the secret has it. [`crate::card_keys`] checks that
    /// the deployment allows it.
    pub async fn encryption_key(&self) -> Result<EncryptionKey, StoreError> {
        let written: WrittenEncryption = parse(
            SecretName::Encryption,
            &self.version(SecretName::Encryption).await?.text,
        )?;
        let key = mastercard::keys::PublicKey::from_pem(&written.public_key)
            .map_err(|_| unreadable(SecretName::Encryption, "its publicKey is not usable"))?;
        key.verify_fingerprint(&written.fingerprint).map_err(|_| {
            unreadable(
                SecretName::Encryption,
                "its fingerprint does not match its publicKey",
            )
        })?;
        Ok(EncryptionKey {
            reference: written.key_reference,
            spki: key.spki_base64(),
            fingerprint: key.fingerprint().to_owned(),
        })
    }

    /// Clears the cache, so that the next read asks Secrets Manager. For a caller whose certificate Mastercard has just
    /// refused.
    pub fn refresh(&self) {
        self.cache.clear();
    }

    async fn version(&self, name: SecretName<'_>) -> Result<Arc<Version>, StoreError> {
        let full_name = format!("{}/{name}", self.prefix);
        let load = async {
            let answer = self
                .manager
                .get_secret_value()
                .secret_id(&full_name)
                .send()
                .await
                .map_err(|error| {
                    StoreError::unavailable(OPERATION, LogText::of(name).because(describe(&error)))
                })?;
            let text = answer
                .secret_string
                .ok_or_else(|| unreadable(name, "it is not a text"))?;
            Ok(Arc::new(Version {
                id: answer.version_id.unwrap_or_default(),
                text: text.into(),
            }))
        };
        self.cache.get_or_load(&full_name, load).await
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenMutualTls {
    certificate: Option<String>,
    private_key: Option<SecretString>,
    pkcs12: Option<SecretString>,
    password: Option<SecretString>,
    certificate_authorities: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenIssuer {
    consumer_key: SecretString,
    signing_key: SecretString,
    client_certificate: Option<String>,
    client_key: Option<SecretString>,
    certificate_authorities: Option<String>,
}

fn issuer_credentials(version: &Version) -> Result<IssuerCredentials, StoreError> {
    let written: WrittenIssuer = parse(SecretName::Issuer, &version.text)?;
    let identity = match (written.client_certificate, written.client_key) {
        (None, None) => None,
        (Some(certificate), Some(private_key)) => Some(TlsIdentity::Pem {
            certificate,
            private_key,
        }),
        _ => {
            return Err(unreadable(
                SecretName::Issuer,
                "clientCertificate and clientKey need each other",
            ));
        }
    };
    Ok(IssuerCredentials {
        version: version.id.clone(),
        consumer_key: written.consumer_key,
        signing_key: written.signing_key,
        identity,
        certificate_authorities: written.certificate_authorities,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenEncryption {
    key_reference: String,
    public_key: String,
    fingerprint: String,
}

fn parse<T: DeserializeOwned>(name: SecretName<'_>, text: &SecretString) -> Result<T, StoreError> {
    // The parser's message may quote a value, so only the position is reported.
    serde_json::from_str(text.expose_secret()).map_err(|error| {
        let place = LogText::from("its JSON is wrong at line").with(error.line());
        unreadable(name, place.with("column").with(error.column()))
    })
}

fn unreadable(name: SecretName<'_>, detail: impl Into<LogText>) -> StoreError {
    StoreError::unreadable(OPERATION, LogText::of(name).because(detail.into()))
}

/// Name of a secret without the stack's prefix.
#[derive(Clone, Copy)]
enum SecretName<'a> {
    MutualTls,
    Encryption,
    Issuer,
    Confirmation(&'a ClientId),
}

impl fmt::Display for SecretName<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MutualTls => formatter.write_str(MTLS),
            Self::Encryption => formatter.write_str(ENCRYPTION),
            Self::Issuer => formatter.write_str(ISSUER),
            Self::Confirmation(client) => formatter.write_str(&confirmation_name(client)),
        }
    }
}

by_display!(SecretName<'_>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_certificate_needs_its_key() {
        let version = |text: &str| Version {
            id: "1".into(),
            text: text.to_owned().into(),
        };
        let without = version(r#"{"consumerKey": "a!b", "signingKey": "topsecret"}"#);
        let read = issuer_credentials(&without).unwrap();
        assert!(read.identity.is_none());
        assert!(!format!("{read:?}").contains("topsecret"));
        for wrong in [
            r#"{"consumerKey": "a!b", "signingKey": "topsecret", "clientKey": "topsecret"}"#,
            r#"{"consumerKey": "a!b", "signingKey": "topsecret", "clientCertificate": "topsecret"}"#,
            r#"{"consumerKey": "topsecret"}"#,
            r#"{"consumerKey": 7, "signingKey": "topsecret"}"#,
        ] {
            let error = issuer_credentials(&version(wrong)).unwrap_err().to_string();
            assert!(
                error.contains("mastercard-issuer") && !error.contains("topsecret"),
                "{error}"
            );
        }
    }

    #[test]
    fn secrets_are_not_printed() {
        let client = ClientId::parse("a").unwrap();
        let name = SecretName::Confirmation(&client);
        let version = Version {
            id: "1".into(),
            text: r#"{"secrets": 7, "x": "topsecret"}"#.to_owned().into(),
        };
        let error = parse::<ConfirmationSecrets>(name, &version.text).unwrap_err();
        assert!(!error.to_string().contains("topsecret"), "{error}");
        assert!(error.to_string().contains("clients/a/confirmation"), "{error}");
        let identity = TlsIdentity::Pem {
            certificate: "public".into(),
            private_key: "topsecret".to_owned().into(),
        };
        assert!(!format!("{identity:?}").contains("topsecret"));
        let secrets: ConfirmationSecrets =
            parse(name, &r#"{"secrets": ["whsec_topsecret"]}"#.to_owned().into()).unwrap();
        assert!(!format!("{secrets:?}").contains("topsecret"));
    }
}

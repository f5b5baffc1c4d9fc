//! Signatures of Standard Webhooks 1.0: `v1` (HMAC-SHA256) and `v1a` (ed25519).

use std::fmt;

use aws_lc_rs::{
    hmac,
    signature::{ED25519_PUBLIC_KEY_LEN, Ed25519KeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;
use zeroize::Zeroizing;

const SECRET_PREFIX: &str = "whsec_";
const SIGNING_KEY_PREFIX: &str = "whsk_";
const VERIFYING_KEY_PREFIX: &str = "whpk_";

const SEED_BYTES: usize = 32;

/// Keys that sign a message, several of a kind while one replaces another. The underlying library wipes them when they
/// are dropped.
pub struct SigningKeys {
    secrets: Vec<hmac::Key>,
    signing_keys: Vec<Ed25519KeyPair>,
}

/// Id of a message, the same for all attempts to deliver it. Visible ASCII without a full stop, which separates the id
/// from the timestamp in the signed text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageId(String);

/// The three headers of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    id: MessageId,
    timestamp: i64,
    signature: String,
}

/// Reason for which a set of keys can't be used. It shows nothing of the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyError {
    /// There is no key.
    #[error("no key")]
    NoKey,
    /// A secret for `v1` is invalid.
    #[error("a secret must be `whsec_` and the base64 of 24 to 64 bytes")]
    Secret,
    /// A key for `v1a` is invalid.
    #[error("a signing key must be `whsk_` and the base64 of a 32-byte seed, or of seed and public key")]
    SigningKey,
    /// A key for `v1a` contains the public key of another seed.
    #[error("the public key in a signing key does not belong to its seed")]
    Halves,
}

/// Text that is not a valid message id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a message id must consist of visible ASCII characters without a full stop")]
pub struct MessageIdError;

impl SigningKeys {
    /// Parses secrets for `v1` (`whsec_…`) and keys for `v1a` (`whsk_…`: a seed, or seed and public key in libsodium's
    /// form), at least one in all.
    pub fn new(secrets: &[SecretString], signing_keys: &[SecretString]) -> Result<Self, KeyError> {
        if secrets.is_empty() && signing_keys.is_empty() {
            return Err(KeyError::NoKey);
        }
        Ok(Self {
            secrets: secrets.iter().map(secret).collect::<Result<_, _>>()?,
            signing_keys: signing_keys.iter().map(signing_key).collect::<Result<_, _>>()?,
        })
    }

    /// Signs a body, byte for byte as it is sent. `timestamp` is that of the attempt, not of the event, in seconds
    /// since 1970-01-01T00:00:00Z.
    pub fn sign(&self, id: &MessageId, timestamp: i64, body: &[u8]) -> Signed {
        let content = [format!("{}.{timestamp}.", id.0).as_bytes(), body].concat();
        let symmetric = self
            .secrets
            .iter()
            .map(|secret| format!("v1,{}", STANDARD.encode(hmac::sign(secret, &content))));
        let asymmetric = self
            .signing_keys
            .iter()
            .map(|key| format!("v1a,{}", STANDARD.encode(key.sign(&content))));
        Signed {
            id: id.clone(),
            timestamp,
            signature: symmetric.chain(asymmetric).collect::<Vec<_>>().join(" "),
        }
    }
}

/// Shows the number of keys and nothing else.
impl fmt::Debug for SigningKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SigningKeys")
            .field("secrets", &self.secrets.len())
            .field("signing_keys", &self.signing_keys.len())
            .finish()
    }
}

impl MessageId {
    /// Checks the text of an id.
    pub fn new(id: impl Into<String>) -> Result<Self, MessageIdError> {
        let id = id.into();
        if id.is_empty() || id.bytes().any(|byte| byte == b'.' || !byte.is_ascii_graphic()) {
            return Err(MessageIdError);
        }
        Ok(Self(id))
    }

    /// Returns the id as it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Signed {
    /// Returns the headers `webhook-id`, `webhook-timestamp`, and `webhook-signature` with all `v1` signatures in the
    /// order of the keys, then all `v1a` signatures.
    pub fn headers(&self) -> [(&'static str, String); 3] {
        [
            ("webhook-id", self.id.0.clone()),
            ("webhook-timestamp", self.timestamp.to_string()),
            ("webhook-signature", self.signature.clone()),
        ]
    }
}

/// Returns the public key (`whpk_…`) of a signing key (`whsk_…`), for verification.
pub fn verifying_key(key: &SecretString) -> Result<String, KeyError> {
    let key = signing_key(key)?;
    Ok(format!(
        "{VERIFYING_KEY_PREFIX}{}",
        STANDARD.encode(key.public_key())
    ))
}

fn secret(text: &SecretString) -> Result<hmac::Key, KeyError> {
    let bytes = decode(text, SECRET_PREFIX).ok_or(KeyError::Secret)?;
    if !(24..=64).contains(&bytes.len()) {
        return Err(KeyError::Secret);
    }
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

fn signing_key(text: &SecretString) -> Result<Ed25519KeyPair, KeyError> {
    let bytes = decode(text, SIGNING_KEY_PREFIX).ok_or(KeyError::SigningKey)?;
    let (seed, public_key) = bytes.split_at_checked(SEED_BYTES).ok_or(KeyError::SigningKey)?;
    match public_key.len() {
        0 => Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| KeyError::SigningKey),
        ED25519_PUBLIC_KEY_LEN => {
            Ed25519KeyPair::from_seed_and_public_key(seed, public_key).map_err(|_| KeyError::Halves)
        }
        _ => Err(KeyError::SigningKey),
    }
}

fn decode(text: &SecretString, prefix: &str) -> Option<Zeroizing<Vec<u8>>> {
    let encoded = text.expose_secret().strip_prefix(prefix)?;
    // Filled in place, so that what was decoded before an error is wiped too.
    let mut bytes = Zeroizing::new(Vec::new());
    STANDARD.decode_vec(encoded, &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};

    use super::*;

    // From the specification's own libraries: Rust (`v1`) and Go (`v1a`).
    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const SIGNING_KEY: &str = "whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=";

    #[test]
    fn v1_matches_the_specification() {
        let keys = SigningKeys::new(&[SECRET.into()], &[]).unwrap();
        let body = br#"{"email":"test@example.com","username":"test_user"}"#;
        let signed = keys.sign(&id("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk"), 1_649_367_553, body);
        assert_eq!(
            signed.headers(),
            [
                ("webhook-id", "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk".to_owned()),
                ("webhook-timestamp", "1649367553".to_owned()),
                (
                    "webhook-signature",
                    "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=".to_owned()
                ),
            ]
        );
    }

    #[test]
    fn v1a_matches_the_specification() {
        let keys = SigningKeys::new(&[], &[SIGNING_KEY.into()]).unwrap();
        let signed = keys.sign(
            &id("msg_p5jXN8AQM9LWM0D4loKWxJek"),
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(
            signed.signature,
            "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag=="
        );
    }

    #[test]
    fn v1a_is_verified_by_the_exported_public_key() {
        let public_key = verifying_key(&SIGNING_KEY.into()).unwrap();
        let public_key = STANDARD
            .decode(public_key.strip_prefix("whpk_").unwrap())
            .unwrap();
        let keys = SigningKeys::new(&[], &[SIGNING_KEY.into()]).unwrap();
        let signed = keys.sign(&id("msg_1"), -1, b"\xff\x00 not a text");
        let signature = STANDARD
            .decode(signed.signature.strip_prefix("v1a,").unwrap())
            .unwrap();
        let public_key = UnparsedPublicKey::new(&ED25519, public_key);
        assert!(
            public_key
                .verify(b"msg_1.-1.\xff\x00 not a text", &signature)
                .is_ok()
        );
        assert!(
            public_key
                .verify(b"msg_1.-1.\xff\x00 not a tex_", &signature)
                .is_err()
        );
    }

    #[test]
    fn all_keys_sign_in_order_v1_first() {
        let other_secret = whole_key("whsec_", &[7; 64]);
        let other_key = whole_key("whsk_", &[7; 32]);
        let each = |secrets: &[&SecretString], signing_keys: &[&SecretString]| {
            let owned = |keys: &[&SecretString]| keys.iter().copied().cloned().collect::<Vec<_>>();
            let keys = SigningKeys::new(&owned(secrets), &owned(signing_keys)).unwrap();
            keys.sign(&id("msg_1"), 1, b"{}").signature
        };
        let (secret, key) = (SECRET.into(), SIGNING_KEY.into());
        assert_eq!(
            each(&[&other_secret, &secret], &[&key, &other_key]),
            [
                each(&[&other_secret], &[]),
                each(&[&secret], &[]),
                each(&[], &[&key]),
                each(&[], &[&other_key]),
            ]
            .join(" ")
        );
    }

    #[test]
    fn signing_key_may_include_its_public_key() {
        let seed = STANDARD
            .decode(SIGNING_KEY.strip_prefix("whsk_").unwrap())
            .unwrap();
        let public_key = verifying_key(&SIGNING_KEY.into()).unwrap();
        let public_key = STANDARD
            .decode(public_key.strip_prefix("whpk_").unwrap())
            .unwrap();
        let long = whole_key("whsk_", &[seed.as_slice(), &public_key].concat());
        assert_eq!(verifying_key(&long), verifying_key(&SIGNING_KEY.into()));

        let wrong = whole_key("whsk_", &[seed.as_slice(), &[7; 32]].concat());
        assert_eq!(verifying_key(&wrong), Err(KeyError::Halves));
        assert_eq!(SigningKeys::new(&[], &[wrong]).err(), Some(KeyError::Halves));
    }

    #[test]
    fn malformed_keys_are_refused() {
        assert_eq!(SigningKeys::new(&[], &[]).err(), Some(KeyError::NoKey));
        for length in [24, 32, 64] {
            assert!(
                SigningKeys::new(&[whole_key("whsec_", &vec![1; length])], &[]).is_ok(),
                "{length}"
            );
        }
        for length in [0, 1, 23, 65] {
            let error = SigningKeys::new(&[whole_key("whsec_", &vec![1; length])], &[]).err();
            assert_eq!(error, Some(KeyError::Secret), "{length}");
        }
        for length in [0, 31, 33, 63, 65] {
            let error = SigningKeys::new(&[], &[whole_key("whsk_", &vec![1; length])]).err();
            assert_eq!(error, Some(KeyError::SigningKey), "{length}");
        }
        for secret in [
            "",
            "whsec_",
            "C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            SIGNING_KEY,
            "whsec_C2FVsBQIhrscChlQIMV-b5sSYspob7oD",
        ] {
            let error = SigningKeys::new(&[SECRET.into(), secret.into()], &[]).err();
            assert_eq!(error, Some(KeyError::Secret), "{secret}");
        }
        for key in [
            "",
            "whsk_",
            SECRET,
            "whpk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=",
        ] {
            let error = SigningKeys::new(&[SECRET.into()], &[key.into()]).err();
            assert_eq!(error, Some(KeyError::SigningKey), "{key}");
        }
    }

    #[test]
    fn ambiguous_id_is_refused() {
        for text in ["", "msg.1", ".", "msg 1", "msg_1\r\nx: y", "msg_\u{e9}", "msg\t"] {
            assert_eq!(MessageId::new(text).err(), Some(MessageIdError), "{text:?}");
        }
        assert_eq!(
            id("msg_2KWPBgLlAfxdpx2AI54pPJ85f4W").as_str(),
            "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"
        );
    }

    #[test]
    fn keys_are_not_printed() {
        let keys = SigningKeys::new(&[SECRET.into()], &[SIGNING_KEY.into()]).unwrap();
        assert_eq!(format!("{keys:?}"), "SigningKeys { secrets: 1, signing_keys: 1 }");
    }

    fn id(text: &str) -> MessageId {
        MessageId::new(text).unwrap()
    }

    fn whole_key(prefix: &str, bytes: &[u8]) -> SecretString {
        format!("{prefix}{}", STANDARD.encode(bytes)).into()
    }
}

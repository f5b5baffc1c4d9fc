use std::fmt;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use thiserror::Error;
use url::Url;

use super::{
    base_string::{BodyHash, base_string, percent_encode},
    signature::SignatureMethod,
};
use crate::keys::PrivateKey;

/// Characters of a nonce that [`Stamp::from_random`] makes, as Mastercard's own signers use them.
const NONCE_CHARACTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Longest nonce, in characters.
const MAX_NONCE: usize = 64;

/// Signs requests as one caller: consumer key and signing key of a project at Mastercard. Clones share the key.
#[derive(Clone)]
pub struct Signer {
    consumer_key: String,
    key: PrivateKey,
    method: SignatureMethod,
}

/// Nonce and time of one request. A gateway refuses a nonce that it has seen, and a time that is far from its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    nonce: String,
    timestamp: u64,
}

/// Value of the header `Authorization`. Whoever has it can repeat the request for a while: it is never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Authorization(String);

/// Reason for which a request can't be signed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SignError {
    /// The consumer key is empty, or has a character that needs encoding in a header or in a base string.
    #[error("the consumer key may only have letters, digits and `!-._~`")]
    ConsumerKey,
    /// The nonce is empty, longer than 64 characters, or has other characters than letters, digits and `-._~`.
    #[error("the nonce needs 1 to 64 letters, digits or `-._~`")]
    Nonce,
    /// aws-lc refused the operation.
    #[error("the signature could not be made")]
    Crypto,
}

impl Signer {
    /// Takes the consumer key of a project at Mastercard, and its signing key.
    pub fn new(consumer_key: &str, key: PrivateKey) -> Result<Self, SignError> {
        let is_plain = consumer_key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!-._~".contains(&byte));
        if consumer_key.is_empty() || !is_plain {
            return Err(SignError::ConsumerKey);
        }
        Ok(Self {
            consumer_key: consumer_key.to_owned(),
            key,
            method: SignatureMethod::RsaSha256,
        })
    }

    /// Changes the signature scheme.
    #[must_use]
    pub fn with_method(mut self, method: SignatureMethod) -> Self {
        self.method = method;
        self
    }

    /// Consumer key.
    pub fn consumer_key(&self) -> &str {
        &self.consumer_key
    }

    /// Signs a request: the method, the address exactly as it is sent, and the bytes of the body.
    pub fn authorization(
        &self,
        method: &str,
        url: &Url,
        body: &[u8],
        stamp: &Stamp,
    ) -> Result<Authorization, SignError> {
        let body_hash = BodyHash::of(body);
        let timestamp = stamp.timestamp.to_string();
        let parameters = self.parameters(&body_hash, stamp, &timestamp);
        let signature = self.sign(base_string(method, url, &parameters).as_bytes())?;
        let signature = ("oauth_signature", signature.as_str());
        let quoted: Vec<String> = parameters
            .into_iter()
            .chain([signature])
            .map(|(name, value)| format!("{name}=\"{value}\""))
            .collect();
        Ok(Authorization(format!("OAuth {}", quoted.join(","))))
    }

    /// Signature base string of a request, to compare it with the one that a gateway reports.
    pub fn base_string(&self, method: &str, url: &Url, body: &[u8], stamp: &Stamp) -> String {
        let timestamp = stamp.timestamp.to_string();
        base_string(
            method,
            url,
            &self.parameters(&BodyHash::of(body), stamp, &timestamp),
        )
    }

    fn parameters<'a>(
        &'a self,
        body_hash: &'a BodyHash,
        stamp: &'a Stamp,
        timestamp: &'a str,
    ) -> [(&'static str, &'a str); 6] {
        [
            ("oauth_consumer_key", &self.consumer_key),
            ("oauth_nonce", &stamp.nonce),
            ("oauth_timestamp", timestamp),
            ("oauth_signature_method", self.method.as_str()),
            ("oauth_version", "1.0"),
            ("oauth_body_hash", body_hash.as_str()),
        ]
    }

    /// Signs a message; base64, percent-encoded.
    fn sign(&self, message: &[u8]) -> Result<String, SignError> {
        let pair = self.key.pair();
        let encoding = match self.method {
            SignatureMethod::RsaSha256 => &RSA_PKCS1_SHA256,
            SignatureMethod::RsaPss => &RSA_PSS_SHA256,
        };
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(encoding, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| SignError::Crypto)?;
        Ok(percent_encode(STANDARD.encode(signature).as_bytes()))
    }
}

impl Stamp {
    /// Takes a nonce and the time in UNIX seconds.
    pub fn new(nonce: &str, timestamp: u64) -> Result<Self, SignError> {
        let is_plain = nonce
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
        if nonce.is_empty() || nonce.len() > MAX_NONCE || !is_plain {
            return Err(SignError::Nonce);
        }
        Ok(Self {
            nonce: nonce.to_owned(),
            timestamp,
        })
    }

    /// Makes a nonce of 16 letters and digits from as many random bytes. The time is in UNIX seconds.
    pub fn from_random(random: [u8; 16], timestamp: u64) -> Self {
        let nonce = random
            .iter()
            .map(|byte| char::from(NONCE_CHARACTERS[usize::from(*byte) % NONCE_CHARACTERS.len()]))
            .collect();
        Self { nonce, timestamp }
    }

    /// Nonce.
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// Time in UNIX seconds.
    pub fn timestamp(&self) -> u64 {
        self.timestamp
    }
}

impl Authorization {
    /// Returns the value, which is ASCII.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Authorization({} bytes)", self.0.len())
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Signer")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

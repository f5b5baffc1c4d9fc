//! Mastercard's side of a batch's encryption: opens a compact JWE (RFC 7516), and publishes the public key (RFC 7517).
//!
//! Header as in the examples of Mastercard's card API: `alg` RSA-OAEP-256, `enc` A128GCM or A256GCM, `kid` or `keyId` from
//! the key list, `cty` optional.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::traits::PublicKeyParts as _;
use rsa::{Oaep, RsaPrivateKey, RsaPublicKey};
use serde_json::{Value, json};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::KEY_ID;

/// Private half of the key under which issuers encrypt. As to timing, see the key of MRS: a stand-in with test numbers.
pub(super) struct EncryptionKey(RsaPrivateKey);

/// Reason for which a JWE is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JweError {
    /// Not five parts of base64url, or a header that is not JSON.
    Form,
    /// Another algorithm, or a header that must be understood.
    Algorithm,
    /// A key that is not in the list.
    Key,
    /// The key or the tag does not fit.
    Decryption,
}

impl EncryptionKey {
    pub(super) fn from_pem(pkcs8: &str) -> Result<Self, rsa::pkcs8::Error> {
        RsaPrivateKey::from_pkcs8_pem(pkcs8).map(Self)
    }

    pub(super) fn public_key(&self) -> RsaPublicKey {
        RsaPublicKey::from(&self.0)
    }

    /// The key list, with a member that no reader needs to know.
    pub(super) fn list(&self) -> Value {
        let number = |bytes: Vec<u8>| URL_SAFE_NO_PAD.encode(bytes);
        json!({"keys": [{
            "kty": "RSA", "kid": KEY_ID, "use": "enc", "alg": "RSA-OAEP-256", "key_ops": ["wrapKey", "encrypt"],
            "e": number(self.0.e().to_bytes_be()), "n": number(self.0.n().to_bytes_be()), "environment": "local",
        }]})
    }

    pub(super) fn open(&self, compact: &str) -> Result<Zeroizing<Vec<u8>>, JweError> {
        let parts: Vec<&str> = compact.split('.').collect();
        let [header, key, iv, ciphertext, tag] = parts[..] else {
            return Err(JweError::Form);
        };
        let part = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| JweError::Form);
        let fields: Value = serde_json::from_slice(&part(header)?).map_err(|_| JweError::Form)?;
        let text = |name: &str| fields.get(name).and_then(Value::as_str);
        if text("alg") != Some("RSA-OAEP-256") || fields.get("crit").is_some() || fields.get("zip").is_some()
        {
            return Err(JweError::Algorithm);
        }
        let (algorithm, key_length) = match text("enc") {
            Some("A128GCM") => (&AES_128_GCM, 16),
            Some("A256GCM") => (&AES_256_GCM, 32),
            _ => return Err(JweError::Algorithm),
        };
        if text("kid").or_else(|| text("keyId")) != Some(KEY_ID) {
            return Err(JweError::Key);
        }
        let wrapped = part(key)?;
        let secret = self
            .0
            .decrypt(Oaep::new::<Sha256>(), &wrapped)
            .map(Zeroizing::new);
        let secret = secret.map_err(|_| JweError::Decryption)?;
        if secret.len() != key_length {
            return Err(JweError::Decryption);
        }
        let unbound = UnboundKey::new(algorithm, &secret).map_err(|_| JweError::Decryption)?;
        let nonce = Nonce::try_assume_unique_for_key(&part(iv)?).map_err(|_| JweError::Decryption)?;
        let mut sealed = Zeroizing::new([part(ciphertext)?, part(tag)?].concat());
        let length = LessSafeKey::new(unbound)
            .open_in_place(nonce, Aad::from(header.as_bytes()), &mut sealed)
            .map_err(|_| JweError::Decryption)?
            .len();
        sealed.truncate(length);
        Ok(sealed)
    }
}

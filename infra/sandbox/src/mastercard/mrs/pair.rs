//! The cipher behind the pair `{"key","data"}`.
//!
//! **Assumption.** The widget document (`docs/sources.md#widget`) names the two members and where they come from, not
//! the cipher. Taken here, and in the page's one module for it: a fresh AES-256-GCM key; `data` = base64(12-byte IV ‖
//! ciphertext ‖ 16-byte tag) of the card number's ASCII digits, no AAD; `key` = base64 of the key under RSA-OAEP with
//! SHA-256 and MGF1-SHA-256.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::{Oaep, RsaPrivateKey};
use serde::Deserialize;
use sha2::Sha256;
use zeroize::Zeroizing;

const IV_LENGTH: usize = 12;
const KEY_LENGTH: usize = 32;

/// The private half of the key under which browsers encrypt (test refid 119009).
///
/// The `rsa` crate's private-key operations are not constant-time (RUSTSEC-2023-0071). This is a stand-in on a loopback
/// address whose key protects test numbers only.
pub(crate) struct PairKey(RsaPrivateKey);

/// The pair is not one that this key opens. Deliberately says no more.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the pair can't be decrypted")]
pub(crate) struct Undecryptable;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair<'a> {
    key: &'a str,
    data: &'a str,
}

impl PairKey {
    pub(crate) fn from_pem(pkcs8: &str) -> Result<Self, rsa::pkcs8::Error> {
        RsaPrivateKey::from_pkcs8_pem(pkcs8).map(Self)
    }

    /// Takes the pair as JSON and returns what was encrypted, whatever that is.
    pub(crate) fn decrypt(&self, pair: &str) -> Result<Zeroizing<String>, Undecryptable> {
        let pair: Pair<'_> = serde_json::from_str(pair).map_err(|_| Undecryptable)?;
        let wrapped = STANDARD.decode(pair.key).map_err(|_| Undecryptable)?;
        let data = STANDARD.decode(pair.data).map_err(|_| Undecryptable)?;
        let key = Zeroizing::new(
            self.0
                .decrypt(Oaep::new::<Sha256>(), &wrapped)
                .map_err(|_| Undecryptable)?,
        );
        let (iv, sealed) = data.split_at_checked(IV_LENGTH).ok_or(Undecryptable)?;
        if key.len() != KEY_LENGTH {
            return Err(Undecryptable);
        }
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).map_err(|_| Undecryptable)?);
        let nonce = Nonce::try_assume_unique_for_key(iv).map_err(|_| Undecryptable)?;
        let mut sealed = Zeroizing::new(sealed.to_vec());
        let plain = key
            .open_in_place(nonce, Aad::empty(), &mut sealed)
            .map_err(|_| Undecryptable)?;
        let plain = std::str::from_utf8(plain).map_err(|_| Undecryptable)?;
        Ok(Zeroizing::new(plain.to_owned()))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::LazyLock;

    use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
    use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};
    use rsa::RsaPublicKey;
    use rsa::rand_core::OsRng;

    use super::*;

    /// One key for all tests: making one takes a while.
    pub(crate) static PEM: LazyLock<String> = LazyLock::new(|| {
        KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)
            .unwrap()
            .serialize_pem()
    });

    pub(crate) fn key() -> PairKey {
        PairKey::from_pem(&PEM).unwrap()
    }

    /// Encrypts as the page does.
    pub(crate) fn encrypt(text: &str) -> String {
        encrypt_with(text, &[7; KEY_LENGTH], Oaep::new::<Sha256>())
    }

    fn encrypt_with(text: &str, data_key: &[u8], padding: Oaep) -> String {
        let public = RsaPublicKey::from(&key().0);
        let mut iv = [0; IV_LENGTH];
        SystemRandom::new().fill(&mut iv).unwrap();
        let mut data = text.as_bytes().to_vec();
        let aes = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; KEY_LENGTH]).unwrap());
        aes.seal_in_place_append_tag(Nonce::assume_unique_for_key(iv), Aad::empty(), &mut data)
            .unwrap();
        let wrapped = public.encrypt(&mut OsRng, padding, data_key).unwrap();
        let data = STANDARD.encode([iv.as_slice(), &data].concat());
        format!(r#"{{"key":"{}","data":"{data}"}}"#, STANDARD.encode(wrapped))
    }

    #[test]
    fn pair_of_the_page_is_decrypted() {
        assert_eq!(
            key().decrypt(&encrypt("5234000000090123")).unwrap().as_str(),
            "5234000000090123"
        );
    }

    #[test]
    fn white_space_around_the_pair_is_ignored() {
        assert!(
            key()
                .decrypt(&format!("\n{}\n", encrypt("5234000000090123")))
                .is_ok()
        );
    }

    #[test]
    fn every_other_pair_gives_the_same_error() {
        let good = encrypt("5234000000090123");
        let changed = {
            let mut pair: serde_json::Value = serde_json::from_str(&good).unwrap();
            let mut data = STANDARD.decode(pair["data"].as_str().unwrap()).unwrap();
            data[IV_LENGTH] ^= 1;
            pair["data"] = STANDARD.encode(data).into();
            pair.to_string()
        };
        let short_key = encrypt_with("5234000000090123", &[7; 16], Oaep::new::<Sha256>());
        let other_padding = encrypt_with("5234000000090123", &[7; KEY_LENGTH], Oaep::new::<sha2::Sha512>());
        let no_data = r#"{"key":"AAAA"}"#.to_owned();
        let too_short = r#"{"key":"AAAA","data":"AAAA"}"#.to_owned();
        for pair in [
            changed,
            short_key,
            other_padding,
            no_data,
            too_short,
            good.replacen("\"key\"", "\"kez\"", 1),
        ] {
            assert_eq!(key().decrypt(&pair), Err(Undecryptable));
        }
    }
}

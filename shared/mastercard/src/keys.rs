//! RSA keys: public keys and certificates, parsed, checked and identified by fingerprint; private keys from PEM, DER
//! and PKCS#12. Operations with a private key run in aws-lc.

mod certificate;
mod components;
mod private;

use aws_lc_rs::{
    digest::{SHA256, digest},
    encoding::AsDer,
    rsa::{PublicEncryptingKey, PublicKeyComponents},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use rustls_pki_types::pem::{PemObject, SectionKind};
use thiserror::Error;

pub use self::{
    certificate::Certificate,
    components::Components,
    private::{PrivateKey, PrivateKeyError},
};
use crate::x509;

/// Length of the shortest key, in bits.
const MIN_BITS: usize = 2048;

/// RSA public key, to encrypt for its owner or to verify signatures.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    spki: Vec<u8>,
    fingerprint: String,
    bits: usize,
}

/// Reason for which a key can't be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The text has no readable PEM section.
    #[error("no readable PEM section")]
    NotPem,
    /// The PEM section is neither a public key nor a certificate. It may be a private key, which does not belong here.
    #[error(
        "expected one PUBLIC KEY or CERTIFICATE section; convert others with `openssl rsa -pubin -pubout`"
    )]
    WrongSection,
    /// The certificate is not valid X.509 DER.
    #[error("the certificate can't be read")]
    Certificate,
    /// The key is not an RSA public key of 2048 to 8192 bits.
    #[error("not an RSA public key of at least 2048 bits")]
    NotRsa2048,
    /// The key does not have the expected fingerprint.
    #[error("the key's fingerprint is {actual}, not the expected one")]
    FingerprintMismatch {
        /// Fingerprint of the key.
        actual: String,
    },
}

impl PublicKey {
    /// Parses a key from PEM: one `PUBLIC KEY` (`SubjectPublicKeyInfo`) or one `CERTIFICATE` section.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let mut sections = <(SectionKind, Vec<u8>)>::pem_slice_iter(pem.as_bytes());
        let (kind, der) = sections
            .next()
            .ok_or(KeyError::NotPem)?
            .map_err(|_| KeyError::NotPem)?;
        if sections.next().is_some() {
            return Err(KeyError::WrongSection);
        }
        match kind {
            SectionKind::PublicKey => Self::from_spki_der(der),
            SectionKind::Certificate => {
                Self::from_spki_der(x509::public_key(&der).ok_or(KeyError::Certificate)?)
            }
            _ => Err(KeyError::WrongSection),
        }
    }

    /// Parses a key from `SubjectPublicKeyInfo` DER.
    pub fn from_spki_der(spki: Vec<u8>) -> Result<Self, KeyError> {
        let bits = PublicEncryptingKey::from_der(&spki)
            .map_err(|_| KeyError::NotRsa2048)?
            .key_size_bits();
        if bits < MIN_BITS {
            return Err(KeyError::NotRsa2048);
        }
        let fingerprint = hex::encode(digest(&SHA256, &spki));
        Ok(Self {
            spki,
            fingerprint,
            bits,
        })
    }

    /// Parses a key from DER: `SubjectPublicKeyInfo`, `RSAPublicKey` (PKCS#1) or a certificate, told apart by their form.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        if let Some(spki) = x509::public_key(der) {
            return Self::from_spki_der(spki);
        }
        let components = Components::from_pkcs1_der(der);
        components.map_or_else(
            || Self::from_spki_der(der.to_vec()),
            |found| Self::from_components(&found),
        )
    }

    /// Makes a key of modulus and exponent, as a JSON Web Key has them.
    pub fn from_components(components: &Components) -> Result<Self, KeyError> {
        let parts = PublicKeyComponents {
            n: components.modulus(),
            e: components.exponent(),
        };
        let spki = parts.as_der().map_err(|_| KeyError::NotRsa2048)?;
        Self::from_spki_der(spki.as_ref().to_vec())
    }

    /// Modulus and public exponent. An error means that the key is bound to one algorithm by its identifier.
    pub fn components(&self) -> Result<Components, KeyError> {
        Components::from_spki_der(&self.spki).ok_or(KeyError::NotRsa2048)
    }

    /// Checks that the key has the fingerprint `expected`, in hexadecimal of either case.
    pub fn verify_fingerprint(&self, expected: &str) -> Result<(), KeyError> {
        if self.fingerprint.eq_ignore_ascii_case(expected) {
            Ok(())
        } else {
            Err(KeyError::FingerprintMismatch {
                actual: self.fingerprint.clone(),
            })
        }
    }

    /// SHA-256 of the `SubjectPublicKeyInfo` DER in lower-case hexadecimal. Mastercard calls it the key fingerprint.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// `SubjectPublicKeyInfo` DER.
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// `SubjectPublicKeyInfo` DER in base64. Decoded, it is the input of `WebCrypto`'s `importKey("spki", …)`.
    pub fn spki_base64(&self) -> String {
        STANDARD.encode(&self.spki)
    }

    /// PEM with one `PUBLIC KEY` section, in lines of 64 characters.
    pub fn to_pem(&self) -> String {
        private::pem("PUBLIC KEY", &self.spki).to_string()
    }

    /// Length of the modulus, in bits.
    pub fn bits(&self) -> usize {
        self.bits
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("PublicKey")
            .field("fingerprint", &self.fingerprint)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC_KEY: &str = include_str!("../tests/fixtures/rsa-2048-public.pem");
    const CERTIFICATE: &str = include_str!("../tests/fixtures/rsa-2048-certificate.pem");
    /// `openssl pkey -pubin -in rsa-2048-public.pem -outform DER | sha256sum`
    const FINGERPRINT: &str = include_str!("../tests/fixtures/rsa-2048-public.sha256");

    #[test]
    fn fingerprint_is_the_one_of_openssl() {
        let key = PublicKey::from_pem(PUBLIC_KEY).unwrap();
        assert_eq!(key.fingerprint(), FINGERPRINT.trim());
        assert_eq!(key.bits(), 2048);
        let body: String = PUBLIC_KEY.lines().filter(|line| !line.starts_with('-')).collect();
        assert_eq!(key.spki_base64(), body);
    }

    #[test]
    fn certificate_has_the_same_key() {
        assert_eq!(PublicKey::from_pem(CERTIFICATE), PublicKey::from_pem(PUBLIC_KEY));
    }

    #[test]
    fn exchanged_key_is_detected() {
        let key = PublicKey::from_pem(PUBLIC_KEY).unwrap();
        assert_eq!(key.verify_fingerprint(&FINGERPRINT.trim().to_uppercase()), Ok(()));
        assert!(matches!(
            key.verify_fingerprint("00"),
            Err(KeyError::FingerprintMismatch { .. })
        ));
    }

    #[test]
    fn short_or_other_keys_are_refused() {
        let short = include_str!("../tests/fixtures/rsa-1024-public.pem");
        let elliptic = include_str!("../tests/fixtures/p256-public.pem");
        assert_eq!(PublicKey::from_pem(short), Err(KeyError::NotRsa2048));
        assert_eq!(PublicKey::from_pem(elliptic), Err(KeyError::NotRsa2048));
    }

    #[test]
    fn other_pem_sections_are_refused() {
        let private = &rcgen::KeyPair::generate().unwrap().serialize_pem();
        assert_eq!(PublicKey::from_pem(private), Err(KeyError::WrongSection));
        assert_eq!(PublicKey::from_pem("nothing"), Err(KeyError::NotPem));
        assert_eq!(
            PublicKey::from_pem(&format!("{PUBLIC_KEY}{PUBLIC_KEY}")),
            Err(KeyError::WrongSection)
        );
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert_eq!(PublicKey::from_pem(broken), Err(KeyError::Certificate));
    }

    #[test]
    fn der_of_each_form_is_the_same_key() {
        let pem = include_str!("../tests/fixtures/signing-public.pem");
        let key = PublicKey::from_pem(pem).unwrap();
        let pkcs1 = include_bytes!("../tests/fixtures/signing-public-pkcs1.der");
        let certificate =
            Certificate::from_pem(include_str!("../tests/fixtures/signing-certificate.pem")).unwrap();
        for der in [key.spki_der(), pkcs1, certificate.der()] {
            assert_eq!(PublicKey::from_der(der), Ok(key.clone()));
        }
        assert_eq!(key.to_pem(), pem);
        assert_eq!(PublicKey::from_components(&key.components().unwrap()), Ok(key));
        assert_eq!(PublicKey::from_der(b"nothing"), Err(KeyError::NotRsa2048));
    }
}

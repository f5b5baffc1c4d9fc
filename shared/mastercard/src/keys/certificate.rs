use aws_lc_rs::digest::{SHA256, digest};
use rustls_pki_types::{CertificateDer, pem::PemObject};

use super::{KeyError, PublicKey};
use crate::x509;

/// X.509 certificate with an RSA key. Its signatures and validity are not checked: what counts is its fingerprint.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    public_key: PublicKey,
    fingerprint: String,
    not_after: i64,
}

impl Certificate {
    /// Parses the first `CERTIFICATE` section of a PEM text.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| KeyError::NotPem)?;
        Self::from_der(&der)
    }

    /// Parses a certificate from DER.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        let spki = x509::public_key(der).ok_or(KeyError::Certificate)?;
        Ok(Self {
            public_key: PublicKey::from_spki_der(spki)?,
            fingerprint: hex::encode(digest(&SHA256, der)),
            not_after: x509::not_after(&CertificateDer::from(der)).ok_or(KeyError::Certificate)?,
            der: der.to_vec(),
        })
    }

    /// SHA-256 of the certificate's DER in lower-case hexadecimal. Mastercard calls it the certificate fingerprint.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Public key of the subject.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// End of the validity, in UNIX seconds.
    pub fn not_after(&self) -> i64 {
        self.not_after
    }

    /// DER of the certificate.
    pub fn der(&self) -> &[u8] {
        &self.der
    }
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Certificate")
            .field("fingerprint", &self.fingerprint)
            .finish_non_exhaustive()
    }
}

use std::sync::Arc;

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use thiserror::Error;

/// Which servers are believed.
#[derive(Debug, Clone, Default)]
pub enum Trust {
    /// Mozilla's roots as compiled in: the machine's own store is never scanned, which costs a cold start tens of
    /// milliseconds and lets a base image decide.
    #[default]
    Mozilla,
    /// The given authorities and no others.
    Only(CertificateAuthorities),
}

/// A checked, non-empty set of certificate authorities.
#[derive(Debug, Clone)]
pub struct CertificateAuthorities(Arc<RootCertStore>);

/// Why a set of authorities can't be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TrustError {
    /// The text holds no certificate, or one whose PEM or DER can't be read.
    #[error("no readable CERTIFICATE section")]
    NotCertificates,
}

impl Trust {
    /// Trusts the certificates of a PEM text and no others.
    pub fn only_pem(pem: &str) -> Result<Self, TrustError> {
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate.map_err(|_| TrustError::NotCertificates)?;
            store.add(certificate).map_err(|_| TrustError::NotCertificates)?;
        }
        if store.is_empty() {
            return Err(TrustError::NotCertificates);
        }
        Ok(Self::Only(CertificateAuthorities(Arc::new(store))))
    }

    pub(super) fn roots(&self) -> Arc<RootCertStore> {
        match self {
            Self::Mozilla => Arc::new(RootCertStore {
                roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
            }),
            Self::Only(authorities) => Arc::clone(&authorities.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_a_certificate_would_trust_nobody_and_is_refused() {
        for pem in [
            "",
            "nothing",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ] {
            assert_eq!(
                Trust::only_pem(pem).err(),
                Some(TrustError::NotCertificates),
                "{pem}"
            );
        }
    }

    #[test]
    fn the_built_in_roots_are_there() {
        assert!(Trust::Mozilla.roots().len() > 100);
    }
}

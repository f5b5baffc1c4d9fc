use std::sync::Arc;

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use thiserror::Error;

/// Certificate authorities of trusted servers.
#[derive(Debug, Clone, Default)]
pub enum Trust {
    /// Mozilla's roots, compiled in. The machine's own store is not read: that would cost a cold start tens of
    /// milliseconds and let a base image decide.
    #[default]
    Mozilla,
    /// These authorities and no others.
    Only(CertificateAuthorities),
}

/// Checked, non-empty set of certificate authorities.
#[derive(Debug, Clone)]
pub struct CertificateAuthorities(Arc<RootCertStore>);

/// Reason for which a set of authorities can't be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TrustError {
    /// The text has no certificate, or one whose PEM or DER can't be parsed.
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
    fn text_without_a_certificate_is_refused() {
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
    fn built_in_roots_are_present() {
        assert!(Trust::Mozilla.roots().len() > 100);
    }
}

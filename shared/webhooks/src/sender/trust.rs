use std::sync::Arc;

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use thiserror::Error;

/// Certificate authorities of trusted servers: Mozilla's roots, compiled in, and added ones. The machine's own store is
/// never read.
#[derive(Debug, Clone)]
pub struct Trust(Arc<RootCertStore>);

/// The text has no certificate, or one whose PEM or DER can't be parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("no readable CERTIFICATE section")]
pub struct TrustError;

impl Trust {
    /// Mozilla's roots only.
    pub fn mozilla() -> Self {
        Self(Arc::new(mozilla()))
    }

    /// Mozilla's roots and the authorities of a PEM text.
    pub fn mozilla_and_pem(pem: &str) -> Result<Self, TrustError> {
        let mut store = mozilla();
        let before = store.len();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate.map_err(|_| TrustError)?;
            store.add(certificate).map_err(|_| TrustError)?;
        }
        if store.len() == before {
            return Err(TrustError);
        }
        Ok(Self(Arc::new(store)))
    }

    pub(super) fn roots(&self) -> Arc<RootCertStore> {
        Arc::clone(&self.0)
    }
}

impl Default for Trust {
    fn default() -> Self {
        Self::mozilla()
    }
}

fn mozilla() -> RootCertStore {
    RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
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
            assert_eq!(Trust::mozilla_and_pem(pem).err(), Some(TrustError), "{pem}");
        }
    }

    #[test]
    fn authority_is_added_to_the_built_in_ones() {
        let key = rcgen::KeyPair::generate().unwrap();
        let pem = rcgen::CertificateParams::default()
            .self_signed(&key)
            .unwrap()
            .pem();
        let extended = Trust::mozilla_and_pem(&pem).unwrap();
        assert!(Trust::default().0.len() > 100);
        assert_eq!(extended.0.len(), Trust::default().0.len() + 1);
    }
}

use std::sync::Arc;

use rustls::{
    client::ResolvesClientCert,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::{CertifiedKey, SingleCertAndKey},
};
use thiserror::Error;

use crate::x509;

/// Client certificate with its chain and private key, for mutual TLS.
///
/// The key is parsed and stored by aws-lc. The caller has to wipe the text that it came from.
#[derive(Clone)]
pub struct ClientIdentity {
    certified: Arc<CertifiedKey>,
    not_after: i64,
}

/// Reason for which an identity can't be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// There is no certificate, or it can't be parsed.
    #[error("no readable certificate")]
    Certificate,
    /// There is no usable private key.
    #[error("no usable private key; expected an unencrypted PKCS#8 `PRIVATE KEY` section")]
    PrivateKey,
    /// The private key is encrypted with a passphrase.
    #[error("the private key is encrypted; unlock it with `openssl pkcs8 -topk8 -nocrypt`")]
    EncryptedPrivateKey,
    /// The private key belongs to another certificate.
    #[error("the private key does not belong to the first certificate")]
    KeyOfAnotherCertificate,
    /// The password of the PKCS#12 file is wrong, or its contents were changed.
    #[cfg(feature = "pkcs12")]
    #[error("the PKCS#12 password is wrong")]
    Pkcs12Password,
    /// The PKCS#12 file is encrypted by an unsupported algorithm.
    #[cfg(feature = "pkcs12")]
    #[error("the PKCS#12 file's encryption is not supported; export it again with OpenSSL 3")]
    Pkcs12Encryption,
    /// The data is not a PKCS#12 file with a private key and its certificate.
    #[cfg(feature = "pkcs12")]
    #[error("not a PKCS#12 file with a private key and its certificate")]
    Pkcs12,
}

impl ClientIdentity {
    /// Parses a chain, the client's certificate first, and its private key (PKCS#8) from PEM.
    pub fn from_pem(chain: &str, private_key: &str) -> Result<Self, IdentityError> {
        let chain = CertificateDer::pem_slice_iter(chain.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| IdentityError::Certificate)?;
        if private_key.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----")
            || private_key.contains("Proc-Type: 4,ENCRYPTED")
        {
            return Err(IdentityError::EncryptedPrivateKey);
        }
        let key =
            PrivateKeyDer::from_pem_slice(private_key.as_bytes()).map_err(|_| IdentityError::PrivateKey)?;
        Self::new(chain, key)
    }

    /// Parses chain and private key from a PKCS#12 file.
    ///
    /// Files that OpenSSL 3 calls legacy (RC2-40, triple DES) are supported, as older key tools write them. The file is
    /// the operator's own secret, so the strength of its encryption in transit does not matter here.
    #[cfg(feature = "pkcs12")]
    pub fn from_pkcs12(file: &[u8], password: &str) -> Result<Self, IdentityError> {
        use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
        use rustls::pki_types::PrivatePkcs8KeyDer;

        let store = KeyStore::from_pkcs12(file, password, Pkcs12ImportPolicy::Strict)
            .map_err(|e| pkcs12_error(&e))?;
        let (_, entry) = store.private_key_chain().ok_or(IdentityError::Pkcs12)?;
        let chain = entry
            .certs()
            .iter()
            .map(|certificate| CertificateDer::from(certificate.as_der().to_vec()))
            .collect();
        Self::new(
            chain,
            PrivatePkcs8KeyDer::from(entry.key().as_der().to_vec()).into(),
        )
    }

    /// End of the chain's validity, in UNIX seconds: that of its first certificate to expire. Monitor it.
    pub fn not_after(&self) -> i64 {
        self.not_after
    }

    pub(super) fn resolver(&self) -> Arc<dyn ResolvesClientCert> {
        Arc::new(SingleCertAndKey::from(Arc::clone(&self.certified)))
    }

    fn new(
        chain: Vec<CertificateDer<'static>>,
        private_key: PrivateKeyDer<'static>,
    ) -> Result<Self, IdentityError> {
        let ends: Option<Vec<i64>> = chain.iter().map(x509::not_after).collect();
        let not_after = ends
            .and_then(|ends| ends.into_iter().min())
            .ok_or(IdentityError::Certificate)?;
        let key = aws_lc_rs::default_provider()
            .key_provider
            .load_private_key(private_key)
            .map_err(|_| IdentityError::PrivateKey)?;
        // rustls' own comparison can't read certificates of X.509 version 1, which a partner's authority may still issue.
        let certified_key = chain.first().and_then(|leaf| x509::public_key(leaf));
        let own_key = key.public_key().map(|public_key| public_key.to_vec());
        if own_key.is_none() || own_key != certified_key {
            return Err(IdentityError::KeyOfAnotherCertificate);
        }
        let certified = CertifiedKey::new(chain, key);
        Ok(Self {
            certified: Arc::new(certified),
            not_after,
        })
    }
}

impl std::fmt::Debug for ClientIdentity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ClientIdentity")
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "pkcs12")]
fn pkcs12_error(error: &p12_keystore::error::Error) -> IdentityError {
    use p12_keystore::error::Error;
    match error {
        Error::MacError(_) | Error::UnpadError | Error::Pkcs5Error(_) => IdentityError::Pkcs12Password,
        Error::UnsupportedEncryptionScheme | Error::UnsupportedMacAlgorithm => {
            IdentityError::Pkcs12Encryption
        }
        _ => IdentityError::Pkcs12,
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn certificate(year: i32) -> (String, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(vec!["client.test".to_owned()]).unwrap();
        parameters.not_after = date_time_ymd(year, 1, 1);
        (parameters.self_signed(&key).unwrap().pem(), key)
    }

    #[test]
    fn pem_reports_the_first_expiry_of_the_chain() {
        let (first, key) = certificate(2030);
        let (second, _) = certificate(2029);
        let identity = ClientIdentity::from_pem(&format!("{first}{second}"), &key.serialize_pem()).unwrap();
        assert_eq!(identity.not_after(), 1_861_920_000);
    }

    #[test]
    fn key_of_another_certificate_is_refused() {
        let (chain, _) = certificate(2030);
        let (_, key) = certificate(2030);
        assert_eq!(
            ClientIdentity::from_pem(&chain, &key.serialize_pem()).err(),
            Some(IdentityError::KeyOfAnotherCertificate)
        );
    }

    #[test]
    fn each_unreadable_input_has_its_error() {
        let (chain, key) = certificate(2030);
        let key = key.serialize_pem();
        assert_eq!(
            ClientIdentity::from_pem("", &key).err(),
            Some(IdentityError::Certificate)
        );
        assert_eq!(
            ClientIdentity::from_pem(&chain, "").err(),
            Some(IdentityError::PrivateKey)
        );
        assert_eq!(
            ClientIdentity::from_pem(&chain, &chain).err(),
            Some(IdentityError::PrivateKey)
        );
        let locked = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
        assert_eq!(
            ClientIdentity::from_pem(&chain, &locked).err(),
            Some(IdentityError::EncryptedPrivateKey)
        );
    }

    #[test]
    fn debug_omits_the_key() {
        let (chain, key) = certificate(2030);
        let identity = ClientIdentity::from_pem(&chain, &key.serialize_pem()).unwrap();
        assert_eq!(
            format!("{identity:?}"),
            "ClientIdentity { not_after: 1893456000, .. }"
        );
    }

    #[cfg(feature = "pkcs12")]
    mod pkcs12 {
        use super::*;

        const MODERN: &[u8] = include_bytes!("../../tests/fixtures/client-modern.p12");
        const LEGACY: &[u8] = include_bytes!("../../tests/fixtures/client-legacy-rc2-40.p12");
        const NO_CERTIFICATE: &[u8] = include_bytes!("../../tests/fixtures/no-certificate.p12");
        /// `openssl pkcs12 -in client-modern.p12 -clcerts -nokeys | openssl x509 -noout -enddate`
        const NOT_AFTER: i64 = 1_881_628_584;

        #[test]
        fn openssl_files_are_read_including_legacy() {
            for file in [MODERN, LEGACY] {
                assert_eq!(
                    ClientIdentity::from_pkcs12(file, "changeit").unwrap().not_after(),
                    NOT_AFTER
                );
            }
        }

        #[test]
        fn wrong_password_differs_from_wrong_file() {
            assert_eq!(
                ClientIdentity::from_pkcs12(MODERN, "wrong").err(),
                Some(IdentityError::Pkcs12Password)
            );
            assert_eq!(
                ClientIdentity::from_pkcs12(LEGACY, "wrong").err(),
                Some(IdentityError::Pkcs12Password)
            );
            assert_eq!(
                ClientIdentity::from_pkcs12(b"nothing", "changeit").err(),
                Some(IdentityError::Pkcs12)
            );
            assert_eq!(
                ClientIdentity::from_pkcs12(NO_CERTIFICATE, "changeit").err(),
                Some(IdentityError::Pkcs12)
            );
        }
    }
}

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    rsa::{KeyPair, KeySize},
    signature::KeyPair as _,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use rustls_pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{Error as PemError, PemObject},
};
use thiserror::Error;
use zeroize::Zeroizing;

use super::{Certificate, PublicKey};

/// Characters in a line of PEM.
const PEM_LINE: usize = 64;

/// RSA private key of 2048 to 8192 bits, stored by aws-lc, with the certificate that came with it.
///
/// The caller has to wipe the text that it came from.
#[derive(Clone)]
pub struct PrivateKey {
    pair: KeyPair,
    public_key: PublicKey,
    certificate: Option<Certificate>,
}

/// Reason for which a private key can't be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PrivateKeyError {
    /// The text has no `PRIVATE KEY` or `RSA PRIVATE KEY` section, or it can't be parsed.
    #[error("no readable private key; expected a `PRIVATE KEY` or `RSA PRIVATE KEY` section")]
    NoKey,
    /// The private key is encrypted with a passphrase.
    #[error("the private key is encrypted; unlock it with `openssl pkey -in LOCKED.pem -out KEY.pem`")]
    Encrypted,
    /// The key is not an RSA key of 2048 to 8192 bits.
    #[error("not an RSA private key of at least 2048 bits")]
    NotRsa2048,
    /// The file has more than one private key.
    #[error("more than one private key; keep one in the file")]
    MoreThanOne,
    /// A certificate came with the key, but none belongs to it.
    #[error("none of the certificates beside the private key belongs to it")]
    KeyOfAnotherCertificate,
    /// The password of the PKCS#12 file is wrong, or its contents were changed.
    #[cfg(feature = "pkcs12")]
    #[error("the PKCS#12 password is wrong")]
    Pkcs12Password,
    /// The PKCS#12 file is encrypted by an unsupported algorithm, such as RC2 with 128 bits.
    #[cfg(feature = "pkcs12")]
    #[error(
        "the PKCS#12 file's encryption is not supported; convert it with \
         `openssl pkcs12 -legacy -in OLD.p12 -nodes -out KEY.pem` and use KEY.pem"
    )]
    Pkcs12Encryption,
    /// The data is not a PKCS#12 file with a private key.
    #[cfg(feature = "pkcs12")]
    #[error("not a PKCS#12 file with a private key")]
    Pkcs12,
}

impl PrivateKey {
    /// Parses a key from PEM: one `PRIVATE KEY` (PKCS#8) or `RSA PRIVATE KEY` (PKCS#1) section. Of certificates beside
    /// it, the one that belongs to the key is kept.
    pub fn from_pem(pem: &str) -> Result<Self, PrivateKeyError> {
        let mut keys = PrivateKeyDer::pem_slice_iter(pem.as_bytes());
        let first = keys.next();
        if is_encrypted(pem) && !matches!(first, Some(Ok(PrivateKeyDer::Pkcs8(_)))) {
            return Err(PrivateKeyError::Encrypted);
        }
        let key = first
            .ok_or(PrivateKeyError::NoKey)?
            .map_err(|_| PrivateKeyError::NoKey)?;
        if keys.next().is_some() {
            return Err(PrivateKeyError::MoreThanOne);
        }
        let pair = match &key {
            PrivateKeyDer::Pkcs8(der) => KeyPair::from_pkcs8(der.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(der) => KeyPair::from_der(der.secret_pkcs1_der()),
            _ => return Err(PrivateKeyError::NotRsa2048),
        };
        let certificates = CertificateDer::pem_slice_iter(pem.as_bytes())
            .collect::<Result<Vec<_>, PemError>>()
            .map_err(|_| PrivateKeyError::KeyOfAnotherCertificate)?;
        Self::new(pair.map_err(|_| PrivateKeyError::NotRsa2048)?)?.with_certificate_of(&certificates)
    }

    /// Parses a key from DER: PKCS#8 or PKCS#1, unencrypted.
    pub fn from_der(der: &[u8]) -> Result<Self, PrivateKeyError> {
        let pair = KeyPair::from_pkcs8(der).or_else(|_| KeyPair::from_der(der));
        Self::new(pair.map_err(|_| PrivateKeyError::NotRsa2048)?)
    }

    /// Parses the only key of a PKCS#12 file, as Mastercard's portal delivers it. A certificate is optional.
    ///
    /// Files that OpenSSL 3 calls legacy (RC2-40, triple DES) are supported; other old encryption is an error that names
    /// the command to convert the file.
    #[cfg(feature = "pkcs12")]
    pub fn from_pkcs12(file: &[u8], password: &str) -> Result<Self, PrivateKeyError> {
        let archive =
            p12_keystore::Pkcs12Archive::from_pkcs12(file, password).map_err(|error| pkcs12_error(&error))?;
        let [bag] = archive.keys.as_slice() else {
            return Err(if archive.keys.is_empty() {
                PrivateKeyError::Pkcs12
            } else {
                PrivateKeyError::MoreThanOne
            });
        };
        let certificates: Vec<CertificateDer<'_>> = archive
            .certs
            .iter()
            .map(|bag| CertificateDer::from(bag.cert.as_der()))
            .collect();
        Self::from_der(bag.key.as_der())?.with_certificate_of(&certificates)
    }

    /// Makes a new key of 2048, 3072 or 4096 bits; `None` for another length, or if the generator fails.
    pub fn generate(bits: usize) -> Option<Self> {
        let size = match bits {
            2048 => KeySize::Rsa2048,
            3072 => KeySize::Rsa3072,
            4096 => KeySize::Rsa4096,
            _ => return None,
        };
        Self::new(KeyPair::generate(size).ok()?).ok()
    }

    /// Public key of the pair.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// Certificate that came with the key and belongs to it.
    pub fn certificate(&self) -> Option<&Certificate> {
        self.certificate.as_ref()
    }

    /// Unencrypted PKCS#8 DER, for another library or a file of mode 0600.
    pub fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, PrivateKeyError> {
        let der: Pkcs8V1Der<'_> = self.pair.as_der().map_err(|_| PrivateKeyError::NotRsa2048)?;
        Ok(Zeroizing::new(der.as_ref().to_vec()))
    }

    /// PEM with one unencrypted `PRIVATE KEY` section, in lines of 64 characters.
    pub fn to_pkcs8_pem(&self) -> Result<Zeroizing<String>, PrivateKeyError> {
        Ok(pem("PRIVATE KEY", &self.to_pkcs8_der()?))
    }

    /// Key pair of aws-lc.
    #[cfg(feature = "oauth1")]
    pub(crate) fn pair(&self) -> &KeyPair {
        &self.pair
    }

    fn new(pair: KeyPair) -> Result<Self, PrivateKeyError> {
        let spki: PublicKeyX509Der<'_> = pair
            .public_key()
            .as_der()
            .map_err(|_| PrivateKeyError::NotRsa2048)?;
        let public_key =
            PublicKey::from_spki_der(spki.as_ref().to_vec()).map_err(|_| PrivateKeyError::NotRsa2048)?;
        Ok(Self {
            pair,
            public_key,
            certificate: None,
        })
    }

    fn with_certificate_of(mut self, certificates: &[CertificateDer<'_>]) -> Result<Self, PrivateKeyError> {
        self.certificate = certificates
            .iter()
            .filter_map(|der| Certificate::from_der(der).ok())
            .find(|certificate| certificate.public_key() == &self.public_key);
        if self.certificate.is_none() && !certificates.is_empty() {
            return Err(PrivateKeyError::KeyOfAnotherCertificate);
        }
        Ok(self)
    }
}

/// Shows the fingerprint of the public key.
impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("PrivateKey")
            .field("fingerprint", &self.public_key.fingerprint())
            .finish_non_exhaustive()
    }
}

/// Whether a PEM text says that its key needs a passphrase.
fn is_encrypted(pem: &str) -> bool {
    pem.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || pem.contains("Proc-Type: 4,ENCRYPTED")
}

/// Writes one PEM section.
pub(super) fn pem(label: &str, der: &[u8]) -> Zeroizing<String> {
    let body = Zeroizing::new(STANDARD.encode(der));
    let mut text = Zeroizing::new(String::with_capacity(
        body.len() + body.len() / PEM_LINE + 2 * label.len() + 40,
    ));
    text.push_str("-----BEGIN ");
    text.push_str(label);
    text.push_str("-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(PEM_LINE));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}

#[cfg(feature = "pkcs12")]
fn pkcs12_error(error: &p12_keystore::error::Error) -> PrivateKeyError {
    use p12_keystore::error::Error;
    match error {
        Error::MacError(_) | Error::UnpadError | Error::Pkcs5Error(_) => PrivateKeyError::Pkcs12Password,
        Error::UnsupportedEncryptionScheme | Error::UnsupportedMacAlgorithm => {
            PrivateKeyError::Pkcs12Encryption
        }
        _ => PrivateKeyError::Pkcs12,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PKCS8: &str = include_str!("../../tests/fixtures/signing.pem");
    const PKCS1: &str = include_str!("../../tests/fixtures/signing-pkcs1.pem");
    const CERTIFICATE: &str = include_str!("../../tests/fixtures/signing-certificate.pem");
    /// `openssl pkey -in signing.pem -pubout -outform DER | sha256sum`
    const KEY_FINGERPRINT: &str = "7ad4d80241d13c1535456c53e559634b49114d13af3c2f789af8e0ac47385f31";
    /// `openssl x509 -in signing-certificate.pem -outform DER | sha256sum`
    const CERTIFICATE_FINGERPRINT: &str = "c1b8be3b3fa9f69b22749e0486c326db503225a23aa3074ed36c29a7afa8415f";

    fn fingerprint(key: &PrivateKey) -> &str {
        key.public_key().fingerprint()
    }

    #[test]
    fn pem_of_either_form_is_read() {
        for pem in [PKCS8, PKCS1, &format!("Bag Attributes\n{PKCS8}")] {
            let key = PrivateKey::from_pem(pem).unwrap();
            assert_eq!(fingerprint(&key), KEY_FINGERPRINT);
            assert_eq!(key.certificate(), None);
            assert_eq!(*key.to_pkcs8_pem().unwrap(), PKCS8);
        }
    }

    #[test]
    fn der_of_either_form_is_read() {
        for pem in [PKCS8, PKCS1] {
            let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
            let key = PrivateKey::from_der(&STANDARD.decode(body).unwrap()).unwrap();
            assert_eq!(fingerprint(&key), KEY_FINGERPRINT);
        }
        assert_eq!(
            PrivateKey::from_der(b"0").err(),
            Some(PrivateKeyError::NotRsa2048)
        );
    }

    #[test]
    fn certificate_beside_the_key_is_kept_if_it_belongs_to_it() {
        let other = include_str!("../../tests/fixtures/rsa-2048-certificate.pem");
        let key = PrivateKey::from_pem(&format!("{other}{PKCS8}{CERTIFICATE}")).unwrap();
        assert_eq!(key.certificate().unwrap().fingerprint(), CERTIFICATE_FINGERPRINT);
        assert_eq!(
            PrivateKey::from_pem(&format!("{PKCS8}{other}")).err(),
            Some(PrivateKeyError::KeyOfAnotherCertificate)
        );
    }

    #[test]
    fn encrypted_pem_is_refused_with_the_command() {
        for pem in [
            include_str!("../../tests/fixtures/signing-locked.pem"),
            include_str!("../../tests/fixtures/signing-pkcs1-locked.pem"),
        ] {
            let error = PrivateKey::from_pem(pem).err().unwrap();
            assert_eq!(error, PrivateKeyError::Encrypted);
            assert!(
                error
                    .to_string()
                    .contains("openssl pkey -in LOCKED.pem -out KEY.pem")
            );
        }
    }

    #[test]
    fn each_unusable_pem_has_its_error() {
        for (pem, expected) in [
            ("", PrivateKeyError::NoKey),
            (CERTIFICATE, PrivateKeyError::NoKey),
            (&PKCS8[..900], PrivateKeyError::NoKey),
            (&format!("{PKCS8}{PKCS1}"), PrivateKeyError::MoreThanOne),
            (
                include_str!("../../tests/fixtures/p256.pem"),
                PrivateKeyError::NotRsa2048,
            ),
            (
                include_str!("../../tests/fixtures/rsa-1024.pem"),
                PrivateKeyError::NotRsa2048,
            ),
        ] {
            assert_eq!(PrivateKey::from_pem(pem).err(), Some(expected));
        }
    }

    #[test]
    fn generated_keys_differ_and_have_their_length() {
        let key = PrivateKey::generate(2048).unwrap();
        assert_eq!(key.public_key().bits(), 2048);
        assert_ne!(
            fingerprint(&key),
            fingerprint(&PrivateKey::generate(2048).unwrap())
        );
        assert!(PrivateKey::generate(1024).is_none());
        let again = PrivateKey::from_pem(&key.to_pkcs8_pem().unwrap()).unwrap();
        assert_eq!(again.public_key(), key.public_key());
    }

    #[test]
    fn debug_shows_the_fingerprint_only() {
        let key = PrivateKey::from_pem(PKCS8).unwrap();
        assert_eq!(
            format!("{key:?}"),
            format!("PrivateKey {{ fingerprint: \"{KEY_FINGERPRINT}\", .. }}")
        );
    }

    #[cfg(feature = "pkcs12")]
    mod pkcs12 {
        use super::*;

        const PASSWORD: &str = "keystorepassword";

        #[test]
        fn containers_are_read_with_their_certificate() {
            for file in [
                &include_bytes!("../../tests/fixtures/signing.p12")[..],
                include_bytes!("../../tests/fixtures/signing-rc2-40.p12"),
            ] {
                let key = PrivateKey::from_pkcs12(file, PASSWORD).unwrap();
                assert_eq!(fingerprint(&key), KEY_FINGERPRINT);
                assert_eq!(key.certificate().unwrap().fingerprint(), CERTIFICATE_FINGERPRINT);
            }
        }

        #[test]
        fn certificate_is_optional() {
            let file = include_bytes!("../../tests/fixtures/signing-without-certificate.p12");
            let key = PrivateKey::from_pkcs12(file, PASSWORD).unwrap();
            assert_eq!(fingerprint(&key), KEY_FINGERPRINT);
            assert_eq!(key.certificate(), None);
        }

        #[test]
        fn unsupported_encryption_names_the_command() {
            let file = include_bytes!("../../tests/fixtures/signing-rc2-128.p12");
            let error = PrivateKey::from_pkcs12(file, PASSWORD).err().unwrap();
            assert_eq!(error, PrivateKeyError::Pkcs12Encryption);
            assert!(error.to_string().contains("openssl pkcs12 -legacy"));
        }

        #[test]
        fn wrong_password_differs_from_wrong_file() {
            for file in [
                &include_bytes!("../../tests/fixtures/signing.p12")[..],
                include_bytes!("../../tests/fixtures/signing-rc2-40.p12"),
            ] {
                assert_eq!(
                    PrivateKey::from_pkcs12(file, "wrong").err(),
                    Some(PrivateKeyError::Pkcs12Password)
                );
            }
            assert_eq!(
                PrivateKey::from_pkcs12(PKCS8.as_bytes(), PASSWORD).err(),
                Some(PrivateKeyError::Pkcs12)
            );
        }
    }
}

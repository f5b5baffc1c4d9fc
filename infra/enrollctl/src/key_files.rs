//! RSA keys in files of other tools: PEM with any line breaks, DER and PKCS#12.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow, ensure};
use enrollment::{encoding, pem};
use mastercard::keys::{Certificate, PrivateKey, PrivateKeyError, PublicKey};
use secrecy::ExposeSecret;
use zeroize::Zeroizing;

use crate::files;

/// Longest file with a key, in bytes.
pub(crate) const MAX_KEY_FILE: u64 = 256 * 1024;

/// Content of a file with a key.
pub(crate) enum KeyFile {
    /// Private key, with its certificate if the file has one.
    Private(PrivateKey),
    /// Certificate.
    Certificate(Certificate),
    /// Public key.
    Public(PublicKey),
}

/// Reads a private key from PEM, DER, or PKCS#12 with its password.
pub(crate) fn private_key(file: &Path, password_file: Option<&Path>) -> Result<PrivateKey> {
    match read(file, password_file)? {
        KeyFile::Private(key) => Ok(key),
        KeyFile::Certificate(_) => Err(anyhow!("is a certificate, and its private key is needed")),
        KeyFile::Public(_) => Err(anyhow!("is a public key, and the private one is needed")),
    }
    .with_context(|| file.display().to_string())
}

/// Reads a public key from PEM, DER, or a certificate.
pub(crate) fn public_key(file: &Path) -> Result<PublicKey> {
    match read(file, None)? {
        KeyFile::Private(_) => Err(anyhow!(
            "is a private key, and the public one is needed: `openssl pkey -pubout`"
        ))
        .with_context(|| file.display().to_string()),
        KeyFile::Certificate(certificate) => Ok(certificate.public_key().clone()),
        KeyFile::Public(key) => Ok(key),
    }
}

/// Reads a key of any kind.
pub(crate) fn read(file: &Path, password_file: Option<&Path>) -> Result<KeyFile> {
    let bytes = Zeroizing::new(files::bytes(file, MAX_KEY_FILE)?);
    let password = password_file.map(files::password).transpose()?;
    let password = password.as_ref().map(ExposeSecret::expose_secret);
    parse(&bytes, password).with_context(|| file.display().to_string())
}

/// Parses a key of any kind.
pub(crate) fn parse(bytes: &[u8], password: Option<&str>) -> Result<KeyFile> {
    // A sequence of more than 127 bytes, and in no encoding a text.
    if matches!(bytes, [0x30, 0x80..=0x84, ..]) {
        return parse_der(bytes, password);
    }
    ensure!(
        password.is_none(),
        "is no PKCS#12 file; --password-file belongs to one"
    );
    let text = Zeroizing::new(encoding::text(bytes)?);
    let sections = pem::sections(&text)?;
    let is_locked =
        |section: &pem::Section| section.is_encrypted() || section.label == "ENCRYPTED PRIVATE KEY";
    ensure!(!sections.iter().any(is_locked), PrivateKeyError::Encrypted);
    let rewrapped: Zeroizing<String> = Zeroizing::new(sections.iter().map(pem::Section::to_pem).collect());
    if sections
        .iter()
        .any(|section| section.label.ends_with("PRIVATE KEY"))
    {
        return Ok(KeyFile::Private(PrivateKey::from_pem(&rewrapped)?));
    }
    let [section] = sections.as_slice() else {
        return Err(match sections.len() {
            0 => anyhow!("has no key: neither PEM nor DER"),
            _ => anyhow!("has several keys or certificates; keep one in the file"),
        });
    };
    if section.label == "CERTIFICATE" {
        return Ok(KeyFile::Certificate(Certificate::from_der(&section.content)?));
    }
    Ok(KeyFile::Public(PublicKey::from_der(&section.content)?))
}

fn parse_der(bytes: &[u8], password: Option<&str>) -> Result<KeyFile> {
    if let Some(password) = password {
        return Ok(KeyFile::Private(PrivateKey::from_pkcs12(bytes, password)?));
    }
    if let Ok(key) = PrivateKey::from_der(bytes) {
        return Ok(KeyFile::Private(key));
    }
    if let Ok(certificate) = Certificate::from_der(bytes) {
        return Ok(KeyFile::Certificate(certificate));
    }
    let key = PublicKey::from_der(bytes);
    Ok(KeyFile::Public(key.context(
        "is DER, but no RSA key of 2048 bits or more; a PKCS#12 file needs --password-file",
    )?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = include_str!("../../../shared/mastercard/tests/fixtures/signing.pem");
    const PUBLIC: &str = include_str!("../../../shared/mastercard/tests/fixtures/signing-public.pem");
    const CERTIFICATE: &str =
        include_str!("../../../shared/mastercard/tests/fixtures/signing-certificate.pem");
    const LOCKED: &str = include_str!("../../../shared/mastercard/tests/fixtures/signing-pkcs1-locked.pem");
    const CONTAINER: &[u8] = include_bytes!("../../../shared/mastercard/tests/fixtures/signing.p12");

    fn kind(bytes: &[u8], password: Option<&str>) -> String {
        match parse(bytes, password) {
            Ok(KeyFile::Private(key)) => format!("private {}", key.public_key().bits()),
            Ok(KeyFile::Certificate(_)) => "certificate".to_owned(),
            Ok(KeyFile::Public(_)) => "public".to_owned(),
            Err(error) => format!("{error:#}"),
        }
    }

    #[test]
    fn each_form_is_recognized() {
        let one_line: String = KEY.lines().collect();
        let der = |pem: &str| pem::sections(pem).unwrap()[0].content.clone();
        for (bytes, expected) in [
            (KEY.as_bytes(), "private 2048"),
            (one_line.as_bytes(), "private 2048"),
            (
                format!("\u{feff}{}", KEY.replace('\n', "\r\n")).as_bytes(),
                "private 2048",
            ),
            (PUBLIC.as_bytes(), "public"),
            (CERTIFICATE.as_bytes(), "certificate"),
            (&der(KEY), "private 2048"),
            (&der(PUBLIC), "public"),
            (&der(CERTIFICATE), "certificate"),
        ] {
            assert_eq!(kind(bytes, None), expected);
        }
        assert_eq!(kind(CONTAINER, Some("keystorepassword")), "private 2048");
    }

    #[test]
    fn each_fault_has_its_sentence() {
        for (bytes, password, expected) in [
            (CONTAINER, None, "a PKCS#12 file needs --password-file"),
            (CONTAINER, Some("wrong"), "the PKCS#12 password is wrong"),
            (KEY.as_bytes(), Some("x"), "is no PKCS#12 file"),
            (
                LOCKED.as_bytes(),
                None,
                "openssl pkey -in LOCKED.pem -out KEY.pem",
            ),
            (&b"nothing"[..], None, "neither PEM nor DER"),
            (
                format!("{PUBLIC}{PUBLIC}").as_bytes(),
                None,
                "keep one in the file",
            ),
        ] {
            let told = kind(bytes, password);
            assert!(told.contains(expected), "{told}");
        }
    }
}

//! The keys and certificates of the local system: a CA, the stand-in's server certificate, our client certificate, the
//! key pair under which card numbers are encrypted. Made once; a missing file is made again, with those that depend on it.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_RSA_SHA256, RsaKeySize, SanType,
};
use time::{Duration, OffsetDateTime};

use crate::checkout::Checkout;
use crate::console::Step;
use crate::files;

const LIFETIME: Duration = Duration::days(3650);
/// Public half of the key pair under which card numbers are encrypted.
pub(crate) const CARD_KEY: &str = "rewards.pub.pem";
/// Public half of the key pair under which issuers encrypt batches.
const BATCH_KEY: &str = "issuer-encryption.pub.pem";
/// Private key that signs the calls of the Issuer Enrollment API.
pub(crate) const SIGNING_KEY: &str = "issuer-signing.key.pem";
/// Files of the certificates, which are useful only together.
const CERTIFICATES: [&str; 6] = [
    "ca.pem",
    "ca.key.pem",
    "server.pem",
    "server.key.pem",
    "client.pem",
    "client.key.pem",
];

/// Makes the missing keys and certificates.
pub(crate) fn ensure(checkout: &Checkout) -> Result<()> {
    let pki = checkout.pki();
    if !CERTIFICATES.iter().all(|name| pki.join(name).is_file()) {
        let step = Step::start("making a CA and certificates");
        certificates(&pki).context("can't make the certificates")?;
        step.done();
    }
    rsa_pair(
        &pki.join("rewards.key.pem"),
        &pki.join(CARD_KEY),
        "Mastercard's stand-in",
    )?;
    rsa_pair(
        &pki.join("issuer-encryption.key.pem"),
        &pki.join(BATCH_KEY),
        "batches to Mastercard's stand-in",
    )?;
    rsa_pair(
        &pki.join(SIGNING_KEY),
        &pki.join("issuer-signing.pub.pem"),
        "calls to Mastercard's stand-in",
    )?;
    let demo = checkout.demo();
    rsa_pair(
        &demo.join("private-key.pem"),
        &demo.join("public-key.pem"),
        "the demo client",
    )
}

fn certificates(pki: &Path) -> Result<()> {
    let ca_key = KeyPair::generate()?;
    let mut ca = parameters("Local CA of card enrollment", &[])?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    files::write(&pki.join("ca.pem"), ca.self_signed(&ca_key)?.pem().as_bytes())?;
    files::write_secret(&pki.join("ca.key.pem"), ca_key.serialize_pem().as_bytes())?;
    let issuer = Issuer::new(ca, ca_key);

    let localhost = [
        SanType::DnsName("localhost".try_into()?),
        SanType::IpAddress([127, 0, 0, 1].into()),
    ];
    let mut server = parameters("localhost", &localhost)?;
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let mut client = parameters("card-enrollment-local", &[])?;
    client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    for (name, mut certificate) in [("server", server), ("client", client)] {
        certificate.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        certificate.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let pem = certificate.signed_by(&key, &issuer)?.pem();
        files::write(&pki.join(format!("{name}.pem")), pem.as_bytes())?;
        files::write_secret(
            &pki.join(format!("{name}.key.pem")),
            key.serialize_pem().as_bytes(),
        )?;
    }
    Ok(())
}

fn parameters(common_name: &str, names: &[SanType]) -> Result<CertificateParams> {
    let mut parameters = CertificateParams::new(Vec::new())?;
    parameters.subject_alt_names = names.to_vec();
    parameters
        .distinguished_name
        .push(DnType::CommonName, common_name);
    let now = OffsetDateTime::now_utc();
    parameters.not_before = now - Duration::days(1);
    parameters.not_after = now + LIFETIME;
    Ok(parameters)
}

/// An RSA 2048 pair: PKCS#8 and SPKI, as PEM. The public half follows from the private one.
fn rsa_pair(private: &Path, public: &Path, whose: &str) -> Result<()> {
    let present = fs::read_to_string(private)
        .ok()
        .and_then(|pem| KeyPair::from_pem(&pem).ok());
    let key = if let Some(key) = present {
        key
    } else {
        let step = Step::start(format!("making an RSA key for {whose}"));
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
        files::write_secret(private, key.serialize_pem().as_bytes())?;
        step.done();
        key
    };
    files::write(public, key.public_key_pem().as_bytes())
}

/// Fingerprint of the stand-in's public key, which the deployment allows.
pub(crate) fn card_key_fingerprint(checkout: &Checkout) -> Result<String> {
    let file = checkout.pki().join(CARD_KEY);
    let pem = fs::read_to_string(&file).with_context(|| format!("can't read {}", file.display()))?;
    fingerprint(&pem)
}

/// SHA-256 of the key's DER, in hexadecimal.
pub(crate) fn fingerprint(pem: &str) -> Result<String> {
    Ok(hex::encode(digest(&SHA256, &der(pem)?)))
}

fn der(pem: &str) -> Result<Vec<u8>> {
    let base64: String = pem
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .map(str::trim)
        .collect();
    STANDARD.decode(base64).context("not a PEM file")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pem_file_is_decoded() {
        assert_eq!(
            der("-----BEGIN X-----\nAQID\r\nBA==\n-----END X-----\n").unwrap(),
            [1, 2, 3, 4]
        );
        assert!(der("-----BEGIN X-----\n???\n").is_err());
    }

    #[test]
    fn lost_public_key_is_restored() {
        let folder = std::env::temp_dir().join(format!("xtask-keys-{}", std::process::id()));
        certificates(&folder).unwrap();
        assert!(CERTIFICATES.iter().all(|name| folder.join(name).is_file()));
        let (private, public) = (folder.join("key.pem"), folder.join("pub.pem"));
        rsa_pair(&private, &public, "a test").unwrap();
        let first = fs::read_to_string(&public).unwrap();
        assert!(first.starts_with("-----BEGIN PUBLIC KEY-----"));
        fs::remove_file(&public).unwrap();
        rsa_pair(&private, &public, "a test").unwrap();
        assert_eq!(fs::read_to_string(&public).unwrap(), first);
        fs::remove_dir_all(folder).unwrap();
    }
}

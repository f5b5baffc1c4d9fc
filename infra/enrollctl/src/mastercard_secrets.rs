//! Credentials that Mastercard issued: checked, and stored for the functions.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use mastercard::http::{ClientIdentity, Trust};
use mastercard::keys::PublicKey;
use platform::card_keys::CardKeyFingerprints;
use platform::operator::Stack;
use platform::secrets::{ENCRYPTION, MTLS};
use platform::tables::audit::Trail;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::arguments::{AuditReference, MutualTlsFiles};
use crate::files;
use crate::gate::Gate;

/// Stores the client certificate for mutual TLS.
pub(crate) async fn mutual_tls(stack: &Stack, files: &MutualTlsFiles) -> Result<()> {
    let (identity, mut secret) = match (
        &files.certificate,
        &files.key,
        &files.pkcs12,
        &files.password_file,
    ) {
        (Some(certificate), Some(key), ..) => {
            let (certificate, key) = (
                files::sections(certificate)?,
                SecretString::from(files::sections(key)?),
            );
            let identity = ClientIdentity::from_pem(&certificate, key.expose_secret())?;
            (
                identity,
                json!({"certificate": certificate, "privateKey": key.expose_secret()}),
            )
        }
        (.., Some(file), Some(password)) => {
            let bytes = fs::read(file).with_context(|| format!("can't read {}", file.display()))?;
            let password = files::password(password)?;
            let identity = ClientIdentity::from_pkcs12(&bytes, password.expose_secret())?;
            (
                identity,
                json!({"pkcs12": STANDARD.encode(bytes), "password": password.expose_secret()}),
            )
        }
        _ => anyhow::bail!("either a certificate with its key or a PKCS#12 file with its password is needed"),
    };
    if let Some(authorities) = &files.authorities {
        let pem = files::sections(authorities)?;
        Trust::only_pem(&pem).with_context(|| format!("{}", authorities.display()))?;
        secret["certificateAuthorities"] = pem.into();
    }
    let end = Timestamp::from_second(identity.not_after())?;
    let permit = Gate::open(stack, &files.reason)
        .await?
        .pass(Trail::Stack, "store client certificate", &format!("ends {end}"))
        .await?;
    stack
        .write_secret(&permit, MTLS, &SecretString::from(secret.to_string()))
        .await?;
    println!(
        "client certificate stored at '{}'; it expires on {end}",
        stack.secret_name(MTLS)
    );
    Ok(())
}

/// Key to store.
pub(crate) struct NewKey<'a> {
    /// Mastercard's reference of the key.
    pub(crate) reference: &'a str,
    /// The key or its certificate.
    pub(crate) file: &'a Path,
    /// Expected fingerprint.
    pub(crate) fingerprint: Option<&'a str>,
}

/// Stores the public key that pages encrypt card numbers under.
pub(crate) async fn encryption_key(stack: &Stack, new: &NewKey<'_>, reason: &AuditReference) -> Result<()> {
    let NewKey {
        reference,
        file,
        fingerprint: expected,
    } = *new;
    let read = files::public_key(file)?;
    if let Some(validity) = read.validity {
        eprintln!(
            "warning: {} is a certificate, valid from {validity}: its dates are not checked",
            file.display()
        );
    }
    let pem = read.pem;
    let key = PublicKey::from_pem(&pem).with_context(|| format!("{}", file.display()))?;
    if let Some(expected) = expected {
        // `openssl x509 -fingerprint` writes colons.
        key.verify_fingerprint(&expected.replace(|other: char| other == ':' || other.is_whitespace(), ""))?;
    }
    allowed(key.fingerprint(), &stack.settings.card_key_fingerprints)?;
    let secret = json!({"keyReference": reference, "publicKey": pem, "fingerprint": key.fingerprint()});
    let records = format!("key {reference}, fingerprint {}", key.fingerprint());
    let permit = Gate::open(stack, reason)
        .await?
        .pass(Trail::Stack, "store encryption key", &records)
        .await?;
    stack
        .write_secret(&permit, ENCRYPTION, &SecretString::from(secret.to_string()))
        .await?;
    println!(
        "key {reference} stored at '{}'; its fingerprint is {}",
        stack.secret_name(ENCRYPTION),
        key.fingerprint()
    );
    Ok(())
}

/// Refuses a key that pages would not receive: the deployment has to allow it first.
fn allowed(fingerprint: &str, fingerprints: &CardKeyFingerprints) -> Result<()> {
    if fingerprints.allow(fingerprint) {
        return Ok(());
    }
    let now = match fingerprints.to_string() {
        none if none.is_empty() => "none".to_owned(),
        some => some,
    };
    anyhow::bail!(
        "the stack does not allow this key: its fingerprint {fingerprint} is not in CardKeyFingerprints (now: {now}). If \
         Mastercard confirms it, deploy with it in the list, beside the key in use, then store it"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_outside_the_allow_list_is_refused() {
        let (one, other) = ("ab".repeat(32), "cd".repeat(32));
        let both: CardKeyFingerprints = format!("{one},{other}").parse().unwrap();
        assert!(allowed(&other, &both).is_ok());
        let refused = allowed(&other, &one.parse().unwrap()).unwrap_err().to_string();
        assert!(
            refused.contains(&other) && refused.contains(&format!("now: {one}")),
            "{refused}"
        );
        let refused = allowed(&one, &CardKeyFingerprints::default())
            .unwrap_err()
            .to_string();
        assert!(refused.contains("now: none"), "{refused}");
    }
}

//! What the template does not bring: secrets, the tables' time to live, the demo client.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::command::run_logged;
use crate::console::Step;
use crate::demo;
use crate::deploy::{Settings, isolate, put_secret};
use crate::interrupt::Interrupt;
use crate::local_aws::{LocalAws, Service, variables};
use crate::place::{Place, STACK};
use crate::ports::Ports;

/// Mastercard's test key has this reference (source document 001).
const TEST_KEY_REFERENCE: &str = "119009";
/// The stand-in's public half of it.
const CARD_KEY: &str = "rewards.pub.pem";
/// Tables whose items end by themselves, by their names in the stack's settings.
const TABLES_WITH_TIME_TO_LIVE: [&str; 4] = [
    "SESSIONS_TABLE",
    "ENROLLMENTS_TABLE",
    "LIMITS_TABLE",
    "CONFIRMATIONS_TABLE",
];

/// Sets what is not set. Doing it again changes nothing.
pub(crate) fn ensure(
    place: &Place,
    aws: &LocalAws,
    settings: &Settings,
    confirmation_secret: &str,
) -> Result<()> {
    let step = Step::start("checking tables and secrets");
    // The local AWS ignores the template's TimeToLiveSpecification.
    for table in TABLES_WITH_TIME_TO_LIVE {
        time_to_live(aws, settings.text(table)?)?;
    }
    let prefix = settings.text("SECRETS_PREFIX")?;
    let mut changed = false;
    for (name, content) in [
        ("mastercard/mtls".to_owned(), client_identity(&place.pki())?),
        ("mastercard/encryption".to_owned(), encryption_key(&place.pki())?),
        (
            format!("clients/{}/confirmation", demo::CLIENT),
            json!({
                "secrets": [confirmation_secret],
                "certificateAuthorities": read(&place.pki().join("ca.pem"))?,
            }),
        ),
    ] {
        changed |= put_secret(aws, &format!("{prefix}/{name}"), &content.to_string())?;
    }
    step.done_with(if changed { "secrets stored" } else { "" });
    Ok(())
}

/// Applies the demo client's file, as an operator would.
pub(crate) fn apply_demo_client(
    place: &Place,
    enrollctl: &Path,
    ports: &Ports,
    interrupt: &Interrupt,
) -> Result<()> {
    let mut command = Command::new(enrollctl);
    command
        .args(["--stack", STACK, "client", "apply"])
        .arg(place.demo().join("client.toml"))
        .args(["--yes", "--reference", "cargo xtask up"]);
    isolate(&mut command, place).envs(variables(ports.aws));
    run_logged(
        "applying the demo client",
        &mut command,
        &place.log("client-apply"),
        interrupt,
    )
}

fn time_to_live(aws: &LocalAws, table: &str) -> Result<()> {
    let name = json!({ "TableName": table });
    let present = aws.call(Service::DynamoDb, "DescribeTimeToLive", &name)??;
    // Setting it again is refused.
    if present
        .pointer("/TimeToLiveDescription/TimeToLiveStatus")
        .and_then(Value::as_str)
        == Some("ENABLED")
    {
        return Ok(());
    }
    let body =
        json!({ "TableName": table, "TimeToLiveSpecification": { "AttributeName": "ttl", "Enabled": true } });
    aws.call(Service::DynamoDb, "UpdateTimeToLive", &body)?
        .with_context(|| format!("time to live of {table}"))?;
    Ok(())
}

fn client_identity(pki: &Path) -> Result<Value> {
    Ok(json!({
        "certificate": read(&pki.join("client.pem"))?,
        "privateKey": read(&pki.join("client.key.pem"))?,
        "certificateAuthorities": read(&pki.join("ca.pem"))?,
    }))
}

/// The fingerprint of the stand-in's public key: what the deployment allows.
pub(crate) fn card_key_fingerprint(place: &Place) -> Result<String> {
    fingerprint(&read(&place.pki().join(CARD_KEY))?)
}

fn encryption_key(pki: &Path) -> Result<Value> {
    let public_key = read(&pki.join(CARD_KEY))?;
    Ok(json!({
        "keyReference": TEST_KEY_REFERENCE,
        "fingerprint": fingerprint(&public_key)?,
        "publicKey": public_key,
    }))
}

/// SHA-256 of the key's DER, in hexadecimal.
fn fingerprint(pem: &str) -> Result<String> {
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

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("can't read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pem_file_gives_its_bytes() {
        assert_eq!(
            der("-----BEGIN X-----\nAQID\r\nBA==\n-----END X-----\n").unwrap(),
            [1, 2, 3, 4]
        );
        assert!(der("-----BEGIN X-----\n???\n").is_err());
    }
}

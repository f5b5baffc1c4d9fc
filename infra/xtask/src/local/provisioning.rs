//! Resources that the template does not create: secrets, the tables' time to live, the demo client.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::checkout::{Checkout, STACK};
use crate::console::Step;
use crate::local::aws::{LocalAws, Service, variables};
use crate::local::demo_client;
use crate::local::deployment::Settings;
use crate::local::keys;
use crate::local::ports::Ports;
use crate::programs::command::{isolate, run_logged};
use crate::programs::interrupt::Interrupt;

/// Mastercard's test key has this reference (`docs/sources.md#widget`).
const TEST_KEY_REFERENCE: &str = "119009";
/// Consumer key that the stand-in knows, as `CONSUMER_KEY` of the sandbox.
const CONSUMER_KEY: &str =
    "SandboxClient0000000000000000000000000000000000x!SandboxKey00000000000000000000000000000000000000x";
/// Tables whose items end by themselves, by their names in the stack's settings.
const TABLES_WITH_TIME_TO_LIVE: [&str; 6] = [
    "SESSIONS_TABLE",
    "ENROLLMENTS_TABLE",
    "LIMITS_TABLE",
    "CONFIRMATIONS_TABLE",
    "BATCHES_TABLE",
    "DIGITAL_CARDS_TABLE",
];

/// Sets the missing ones. A second run changes nothing.
pub(crate) fn ensure(
    checkout: &Checkout,
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
        ("mastercard/mtls".to_owned(), client_identity(&checkout.pki())?),
        (
            "mastercard-issuer".to_owned(),
            issuer_credentials(&checkout.pki())?,
        ),
        (
            "mastercard/encryption".to_owned(),
            encryption_key(&checkout.pki())?,
        ),
        (
            format!("clients/{}/confirmation", demo_client::CLIENT),
            json!({
                "secrets": [confirmation_secret],
                "certificateAuthorities": read(&checkout.pki().join("ca.pem"))?,
            }),
        ),
    ] {
        changed |= aws.put_secret(&format!("{prefix}/{name}"), &content.to_string())?;
    }
    step.done_with(if changed { "secrets stored" } else { "" });
    Ok(())
}

/// Applies the demo client's file, as an operator would.
pub(crate) fn apply_demo_client(
    checkout: &Checkout,
    enrollctl: &Path,
    ports: &Ports,
    interrupt: &Interrupt,
) -> Result<()> {
    let mut command = Command::new(enrollctl);
    command
        .args(["--stack", STACK, "client", "apply"])
        .arg(checkout.demo().join("client.toml"))
        .args(["--yes", "--reference", "cargo xtask up"]);
    isolate(&mut command, &checkout.home()).envs(variables(ports.aws));
    run_logged(
        "applying the demo client",
        &mut command,
        &checkout.log("client-apply"),
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

/// The stand-in asks issuers' callers for no client certificate.
fn issuer_credentials(pki: &Path) -> Result<Value> {
    Ok(json!({
        "consumerKey": CONSUMER_KEY,
        "signingKey": read(&pki.join(keys::SIGNING_KEY))?,
        "certificateAuthorities": read(&pki.join("ca.pem"))?,
    }))
}

fn encryption_key(pki: &Path) -> Result<Value> {
    let public_key = read(&pki.join(keys::CARD_KEY))?;
    Ok(json!({
        "keyReference": TEST_KEY_REFERENCE,
        "fingerprint": keys::fingerprint(&public_key)?,
        "publicKey": public_key,
    }))
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("can't read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consumer_key_is_that_of_the_sandbox() {
        let sandbox = include_str!("../../../sandbox/src/mastercard/issuer_enrollment.rs");
        assert!(sandbox.contains(&format!("\"{CONSUMER_KEY}\"")));
    }
}

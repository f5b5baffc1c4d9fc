//! The demo client: its file, its pictures, and `demo.json` for people who try with their own tools.

use std::fs;

use anyhow::{Context as _, Result};
use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::checkout::Checkout;
use crate::files;
use crate::local::ports::Ports;

/// As in infra/local/demo/client.toml.
pub(crate) const CLIENT: &str = "demo";
pub(crate) const PROGRAM: &str = "10765";
/// Test card that Mastercard's stand-in enrolls; the sandbox's README lists the others.
pub(crate) const TEST_CARD: &str = "5234000000090123";

/// Key id in the stand-in's key list, as `KEY_ID` of the sandbox.
pub(crate) const BATCH_KEY_ID: &str = "20260401120000-local-fpan-encryption-src-mastercard-int";
/// Cards whose enrollment by a batch has an outcome of its own, by outcome.
const ISSUER_CARDS: &str = include_str!("../../../local/demo/issuer-cards.json");

/// Writes the demo client's files for these ports, and returns the secret that signs its confirmations.
pub(crate) fn write(checkout: &Checkout, ports: &Ports) -> Result<String> {
    let (from, to) = (checkout.root().join("infra/local/demo"), checkout.demo());
    for picture in ["logo.png", "background.png"] {
        let content =
            fs::read(from.join(picture)).with_context(|| format!("infra/local/demo/{picture} is missing"))?;
        files::write(&to.join(picture), &content)?;
    }
    let batch = fs::read(from.join("batch.csv")).context("infra/local/demo/batch.csv is missing")?;
    files::write(&to.join("batch.csv"), &batch)?;
    let client =
        fs::read_to_string(from.join("client.toml")).context("infra/local/demo/client.toml is missing")?;
    files::write(&to.join("client.toml"), with_ports(&client, ports).as_bytes())?;

    let file = to.join("demo.json");
    let present: Option<Value> = fs::read(&file)
        .ok()
        .and_then(|json| serde_json::from_slice(&json).ok());
    let secret = match present
        .as_ref()
        .and_then(|demo| demo.get("confirmationSecret")?.as_str())
    {
        Some(secret) => secret.to_owned(),
        None => new_secret()?,
    };
    let demo = json!({
        "clientId": CLIENT,
        "programId": PROGRAM,
        "confirmationUrl": format!("https://localhost:{}/confirmations", ports.receiver),
        "returnUrl": format!("http://localhost:{}/return", ports.partner),
        "confirmationSecret": secret,
        "testCard": TEST_CARD,
        "issuer": issuer(ports)?,
    });
    files::write_secret(&file, &serde_json::to_vec_pretty(&demo)?)?;
    Ok(secret)
}

/// Part of `demo.json` for issuers: the demo client is one.
fn issuer(ports: &Ports) -> Result<Value> {
    Ok(json!({
        "clientId": CLIENT,
        "privateKey": "private-key.pem",
        "keyList": format!("https://localhost:{}/keys/mcs/fpanEncryption", ports.mastercard),
        "keyId": BATCH_KEY_ID,
        "sample": "batch.csv",
        "cards": serde_json::from_str::<Value>(ISSUER_CARDS).context("issuer-cards.json is not JSON")?,
    }))
}

/// The committed file has the usual ports.
fn with_ports(client: &str, ports: &Ports) -> String {
    client
        .replace("localhost:8701", &format!("localhost:{}", ports.partner))
        .replace("localhost:8702", &format!("localhost:{}", ports.receiver))
}

/// Standard Webhooks 1.0: `whsec_` and the base64 of 24 to 64 bytes.
fn new_secret() -> Result<String> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).context("the system gives no random bytes")?;
    Ok(format!("whsec_{}", STANDARD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::ports::USUAL;

    #[test]
    fn key_id_is_that_of_the_sandbox() {
        let sandbox = include_str!("../../../sandbox/src/mastercard/issuer_enrollment.rs");
        assert!(sandbox.contains(&format!("\"{BATCH_KEY_ID}\"")));
        let issuer = issuer(&USUAL).unwrap();
        assert_eq!(issuer["cards"]["enrolled"], "5234000100000006");
        assert_eq!(
            issuer["keyList"],
            "https://localhost:8703/keys/mcs/fpanEncryption"
        );
    }

    #[test]
    fn client_file_has_the_chosen_ports() {
        let client = include_str!("../../../local/demo/client.toml");
        assert_eq!(with_ports(client, &USUAL), client);
        let moved = with_ports(
            client,
            &Ports {
                partner: 9001,
                receiver: 9002,
                ..USUAL
            },
        );
        assert_eq!(moved.matches("localhost:9001").count(), 3);
        assert!(moved.contains("http://localhost:9001") && moved.contains("\"localhost:9002\""));
        assert!(!moved.contains("8701") && !moved.contains("8702"));
    }
}

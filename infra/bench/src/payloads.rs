//! CPU time of encrypting payloads, beside Mastercard's packages for Python and Node.js in the same run.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use mastercard::field_encryption::{Cipher, Encoding, EncryptorSettings, Names, OaepHash, PathMapping};
use mastercard::jwe::{ContentEncryption, Decryptor, KeyName};
use mastercard::keys::{Certificate, PrivateKey};
use mastercard::{field_encryption, jwe};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Arguments;
use crate::cpu_time;

const CERTIFICATE: &str = include_str!("../../../shared/mastercard/tests/fixtures/signing-certificate.pem");
const KEY: &str = include_str!("../../../shared/mastercard/tests/fixtures/signing.pem");

/// Cards of a batch.
const CARDS: usize = 250;

/// CPU time of each operation in microseconds, as the scripts print it.
#[derive(Debug, Deserialize)]
struct Beside {
    jwe: f64,
    field: f64,
}

/// Measures both kinds of encryption in this program, in Python and in Node.js.
pub(crate) fn measure(arguments: &Arguments) -> Result<()> {
    let (batch, card) = (batch(), card(0));
    let (batch_file, card_file) = (
        arguments.scratch.join("batch.json"),
        arguments.scratch.join("card.json"),
    );
    fs::write(&batch_file, batch.to_string())?;
    fs::write(&card_file, json!({ "data": card }).to_string())?;
    let certificate = arguments.scratch.join("certificate.pem");
    fs::write(&certificate, CERTIFICATE)?;

    let beside = |program: &Path, script: &str| -> Result<Beside> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("beside").join(script);
        let output = Command::new(program)
            .arg(script)
            .args([&certificate, &batch_file, &card_file])
            .output()
            .with_context(|| format!("{} can't be run", program.display()))?;
        ensure!(
            output.status.success(),
            "{}: {}",
            program.display(),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(serde_json::from_slice(&output.stdout)?)
    };
    let python = beside(&arguments.python, "payloads.py")?;
    let node = beside(&arguments.node, "payloads.mjs")?;
    let ours = Ours::new()?;

    println!("Payloads, CPU time on one core, least of five; not judged");
    println!(
        "{:<44}{:>10}{:>12}{:>8}{:>12}{:>8}",
        "", "us", "Python us", "x", "Node.js us", "x"
    );
    let plaintext = batch.to_string();
    let line = |name: &str, took: Duration, python: f64, node: f64| {
        let took = took.as_secs_f64() * 1e6;
        println!(
            "{name:<44}{took:>10.1}{python:>12.1}{:>8.1}{node:>12.1}{:>8.1}",
            python / took,
            node / took
        );
    };
    let name = |enc| format!("JWE of {CARDS} cards ({} KB), {enc}", plaintext.len() / 1024);
    for enc in [ContentEncryption::A256Gcm, ContentEncryption::A128Gcm] {
        let took = ours.jwe(enc, plaintext.as_bytes())?;
        line(&name(enc), took, python.jwe, node.jwe);
    }
    line(
        "field of one card, AES-128-CBC",
        ours.field(&json!({ "data": card }))?,
        python.field,
        node.field,
    );
    println!(
        "{:<44}{:>10.1}",
        "reading such a JWE, A128GCM",
        ours.reading(plaintext.as_bytes())?.as_secs_f64() * 1e6
    );
    Ok(())
}

struct Ours {
    certificate: Certificate,
}

impl Ours {
    fn new() -> Result<Self> {
        Ok(Self {
            certificate: Certificate::from_pem(CERTIFICATE)?,
        })
    }

    fn encryptor(&self, enc: ContentEncryption) -> Result<jwe::Encryptor> {
        let key = self.certificate.public_key();
        Ok(jwe::Encryptor::new(
            key,
            KeyName::kid(key.fingerprint()),
            enc,
            None,
        )?)
    }

    fn jwe(&self, enc: ContentEncryption, plaintext: &[u8]) -> Result<Duration> {
        let encryptor = self.encryptor(enc)?;
        cpu_time::of(|| {
            std::hint::black_box(encryptor.encrypt(plaintext)?);
            Ok(())
        })
    }

    fn reading(&self, plaintext: &[u8]) -> Result<Duration> {
        let compact = self.encryptor(ContentEncryption::A128Gcm)?.encrypt(plaintext)?;
        let decryptor = Decryptor::new(&PrivateKey::from_pem(KEY)?)?;
        cpu_time::of(|| {
            std::hint::black_box(decryptor.decrypt(&compact)?);
            Ok(())
        })
    }

    fn field(&self, payload: &Value) -> Result<Duration> {
        let settings = EncryptorSettings {
            names: Names::client_encryption(),
            cipher: Cipher::Aes128Cbc,
            oaep_hash: OaepHash::Sha256,
            encoding: Encoding::Hex,
            certificate_fingerprint: Some(self.certificate.fingerprint().to_owned()),
            key_fingerprint: None,
        };
        let encryptor = field_encryption::Encryptor::new(self.certificate.public_key(), settings)?;
        let paths = [PathMapping::parse("$.data", "$.encrypted")?];
        cpu_time::of(|| {
            let encrypted = encryptor.encrypt_payload(payload.clone(), &paths)?;
            ensure!(encrypted.parts == 1, "nothing was encrypted");
            std::hint::black_box(encrypted);
            Ok(())
        })
    }
}

/// Content of a batch: one consumer for each card.
fn batch() -> Value {
    let consumers: Vec<Value> = (0..CARDS)
        .map(|index| {
            json!({
                "externalConsumerId": format!("consumer-{index:08}"),
                "consumerIdentity": {"identityType": "EMAIL_ADDRESS", "identityValue": format!("consumer.{index:08}@example.test")},
                "firstName": "Maria", "lastName": "Musterfrau", "countryCode": "DE", "languageCode": "de",
                "cards": [card(index)],
            })
        })
        .collect();
    json!({ "consumers": consumers })
}

fn card(index: usize) -> Value {
    json!({
        "externalCardId": format!("card-{index:08}"),
        // Of the range that test cards have.
        "primaryAccountNumber": format!("5123456{index:09}"),
        "panExpirationMonth": "12",
        "panExpirationYear": "2030",
    })
}

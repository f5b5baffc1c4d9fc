//! Field-level encryption by hand, for whoever looks for the difference between two implementations.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use enrollment::encoding;
use mastercard::field_encryption::{
    Decryptor, DecryptorSettings, Encryptor, EncryptorSettings, MissingHash, Names, OaepHash, PathMapping,
    keeps_its_digits,
};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::arguments::field::{FieldCommand, Form, MissingHashName};
use crate::arguments::jwe::Streams;
use crate::files::{self, Inputs};
use crate::jwe::{self, MAX_CONTENT, PRIVATE, PUBLIC};
use crate::key_files;

/// Longest file with header fields, in bytes.
const MAX_HEADERS: u64 = 64 * 1024;

/// Runs a command of `enrollctl field`.
pub(crate) fn run(command: FieldCommand) -> Result<()> {
    let mut inputs = Inputs::default();
    match command {
        FieldCommand::Encrypt {
            key,
            form,
            cipher,
            hash,
            certificate_fingerprint,
            key_fingerprint,
            headers,
            streams,
        } => {
            let key = jwe::encryption_key(&mut inputs, &key)?;
            let certificate = key.certificate.map(|found| found.fingerprint().to_owned());
            let settings = EncryptorSettings {
                names: names(&form)?,
                cipher: cipher.into(),
                oaep_hash: hash.into(),
                encoding: form.encoding.into(),
                certificate_fingerprint: certificate_fingerprint.or(certificate),
                key_fingerprint,
            };
            let encryptor = Encryptor::new(&key.key, settings)?;
            encrypt(&mut inputs, &encryptor, &form, headers.as_deref(), &streams)
        }
        FieldCommand::Decrypt {
            key,
            form,
            missing_hash,
            mode,
            headers,
            streams,
        } => {
            inputs.claim(&key.key)?;
            let key = key_files::private_key(&key.key, key.password_file.as_deref())?;
            let settings = DecryptorSettings {
                names: names(&form)?,
                encoding: form.encoding.into(),
                missing_hash: match missing_hash {
                    MissingHashName::Sha256 => MissingHash::Assumed(OaepHash::Sha256),
                    MissingHashName::Sha512 => MissingHash::Assumed(OaepHash::Sha512),
                    MissingHashName::Pkcs1 => MissingHash::Pkcs1V15,
                },
                modes: mode.into(),
            };
            let decryptor = Decryptor::new(&key, settings)?;
            decrypt(&mut inputs, &decryptor, &form, headers.as_deref(), &streams)
        }
    }
}

fn encrypt(
    inputs: &mut Inputs,
    encryptor: &Encryptor,
    form: &Form,
    headers: Option<&Path>,
    streams: &Streams,
) -> Result<()> {
    let paths = paths(form)?;
    if let Some(headers) = headers {
        jwe::ensure_free(headers)?;
        files::ensure_distinct(&streams.output, headers)?;
    }
    jwe::ensure_free(&streams.output)?;
    let payload = payload(inputs, &streams.input)?;
    let encrypted = match headers {
        None => encryptor.encrypt_payload(payload, &paths)?,
        Some(_) => encryptor.encrypt_payload_with_headers(payload, &paths)?,
    };
    ensure!(
        encrypted.parts > 0,
        "nothing is at the paths, so nothing was encrypted"
    );
    if let Some(headers) = headers {
        let mut lines = Vec::new();
        for (name, value) in &encrypted.headers {
            writeln!(lines, "{name}: {value}")?;
        }
        files::write(headers, &lines, PUBLIC)?;
    }
    files::write(&streams.output, &json(&encrypted.payload)?, PUBLIC)
}

fn decrypt(
    inputs: &mut Inputs,
    decryptor: &Decryptor,
    form: &Form,
    headers: Option<&Path>,
    streams: &Streams,
) -> Result<()> {
    let paths = paths(form)?;
    let headers = match headers {
        None => None,
        Some(file) => {
            inputs.claim(file)?;
            let text = encoding::text(&files::bytes(file, MAX_HEADERS)?)?;
            Some(header_fields(&text).with_context(|| file.display().to_string())?)
        }
    };
    let payload = payload(inputs, &streams.input)?;
    let decrypted = match headers {
        None => decryptor.decrypt_payload(payload, &paths)?,
        Some(headers) => decryptor.decrypt_payload_with_headers(payload, &paths, &headers)?,
    };
    ensure!(
        decrypted.parts > 0,
        "no encrypted part is at the paths, so nothing was decrypted"
    );
    files::write(&streams.output, &json(&decrypted.payload)?, PRIVATE)
}

/// Names of the known set, with those that were given in place of its own.
fn names(form: &Form) -> Result<Names> {
    let mut names = Names::known(&form.names).with_context(|| {
        format!(
            "--names {}: expected token-connect, client-encryption or headers",
            form.names
        )
    })?;
    for renamed in &form.renamed {
        let (value, name) = renamed
            .split_once('=')
            .with_context(|| format!("--name {renamed}: expected VALUE=TEXT"))?;
        let optional = (!name.is_empty()).then(|| name.to_owned());
        let required = || {
            optional
                .clone()
                .with_context(|| format!("--name {value}: needs a text"))
        };
        match value {
            "value" => names.encrypted_value = required()?,
            "key" => names.encrypted_key = required()?,
            "iv" => names.initialization_vector = required()?,
            "hash" => names.oaep_hash = optional,
            "certificate-fingerprint" => names.certificate_fingerprint = optional,
            "key-fingerprint" => names.key_fingerprint = optional,
            "mode" => names.cipher_mode = optional,
            "tag" => names.tag = optional,
            "aad" => names.additional_data = optional,
            _ => bail!("--name {value}: no such value"),
        }
    }
    Ok(names)
}

fn paths(form: &Form) -> Result<Vec<PathMapping>> {
    form.paths
        .iter()
        .map(|path| {
            let (from, to) = path
                .split_once('=')
                .with_context(|| format!("--path {path}: expected FROM=TO"))?;
            PathMapping::parse(from, to).with_context(|| format!("--path {path}"))
        })
        .collect()
}

fn payload(inputs: &mut Inputs, file: &Path) -> Result<Value> {
    inputs.claim(file)?;
    let bytes = Zeroizing::new(files::bytes(file, MAX_CONTENT)?);
    let text = Zeroizing::new(encoding::text(&bytes).with_context(|| file.display().to_string())?);
    // The parser's message names a place, and quotes nothing of the text.
    let payload = serde_json::from_str(&text).with_context(|| format!("{} is not JSON", file.display()))?;
    ensure!(
        keeps_its_digits(&text),
        "{} has a number with more digits than a number keeps here; write it as a text",
        file.display()
    );
    Ok(payload)
}

fn json(payload: &Value) -> Result<Zeroizing<Vec<u8>>> {
    let mut json = Zeroizing::new(serde_json::to_vec(payload)?);
    json.push(b'\n');
    Ok(json)
}

/// Header fields of lines `name: value`. Empty lines are skipped.
fn header_fields(text: &str) -> Result<Vec<(String, String)>> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(index, line)| {
            let (name, value) = line
                .split_once(':')
                .with_context(|| format!("line {}: expected `name: value`", index + 1))?;
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::arguments::{Arguments, Command};

    fn form(arguments: &[&str]) -> Form {
        let line = [
            "enrollctl",
            "field",
            "encrypt",
            "--key",
            "k.pem",
            "--path",
            "$.a=$.b",
        ];
        match Arguments::try_parse_from(line.iter().chain(arguments))
            .unwrap()
            .command
        {
            Command::Field(FieldCommand::Encrypt { form, .. }) => form,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn known_names_can_be_changed() {
        let names = names(&form(&[
            "--names",
            "token-connect",
            "--name",
            "iv=x-iv",
            "--name",
            "hash=",
        ]))
        .unwrap();
        let expected = Names {
            initialization_vector: "x-iv".to_owned(),
            oaep_hash: None,
            ..Names::token_connect()
        };
        assert_eq!(names, expected);
    }

    #[test]
    fn wrong_names_and_paths_have_a_sentence() {
        for (arguments, expected) in [
            (["--names", "mine"], "--names mine: expected token-connect"),
            (["--name", "iv"], "--name iv: expected VALUE=TEXT"),
            (["--name", "iv="], "--name iv: needs a text"),
            (["--name", "vi=x"], "--name vi: no such value"),
        ] {
            let told = format!("{:#}", names(&form(&arguments)).unwrap_err());
            assert!(told.starts_with(expected), "{told}");
        }
        for path in ["$.a", "$.a=$..b", "$.a[*]=$.b"] {
            let told = format!("{:#}", paths(&form(&["--path", path])).unwrap_err());
            assert!(told.starts_with(&format!("--path {path}: ")), "{told}");
        }
    }

    #[test]
    fn header_fields_are_lines() {
        let fields = header_fields("x-iv: 00\r\n\nX-Key :a:b \n").unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(fields, [pair("x-iv", "00"), pair("X-Key", "a:b")]);
        assert_eq!(
            header_fields("x-iv").unwrap_err().to_string(),
            "line 1: expected `name: value`"
        );
    }
}

//! RSA keys for Mastercard's interfaces: new ones, certificate requests, fingerprints, key lists.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow, ensure};
use jiff::Timestamp;
use mastercard::http::{HttpClient, HttpSettings, Method, Trust, Url, header};
use mastercard::jwks::{KeyList, ListedKey};
use mastercard::keys::PrivateKey;
use rcgen::{CertificateParams, DistinguishedName, DnType, PKCS_RSA_SHA256};

use crate::arguments::keys::KeyCommand;
use crate::files;
use crate::key_files::{self, KeyFile};

/// Runs a command of `enrollctl keys`.
pub(crate) async fn run(command: KeyCommand) -> Result<ExitCode> {
    match command {
        KeyCommand::New { file, public, bits } => new(&file, public.as_deref(), bits)?,
        KeyCommand::Csr {
            key,
            common_name,
            organization,
            unit,
            locality,
            state,
            country,
            out,
        } => {
            let key = key_files::private_key(&key.key, key.password_file.as_deref())?;
            let subject = [
                (DnType::CommonName, Some(common_name)),
                (DnType::OrganizationName, organization),
                (DnType::OrganizationalUnitName, unit),
                (DnType::LocalityName, locality),
                (DnType::StateOrProvinceName, state),
                (DnType::CountryName, country),
            ];
            write(out.as_deref(), &request(&key, subject)?, 0o644)?;
        }
        KeyCommand::Fingerprint { file, password_file } => {
            print!(
                "{}",
                description(&key_files::read(&file, password_file.as_deref())?)?
            );
        }
        KeyCommand::Fetch {
            url,
            fingerprint,
            kid,
            out,
            authorities,
        } => {
            let list = fetch(&url, authorities.as_deref()).await?;
            let Some(fingerprint) = fingerprint else {
                print!("{}", table(&list));
                return Ok(ExitCode::SUCCESS);
            };
            return pinned(&list, &fingerprint, kid.as_deref(), out.as_deref());
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn new(file: &Path, public: Option<&Path>, bits: usize) -> Result<()> {
    ensure!(
        matches!(bits, 2048 | 3072 | 4096),
        "the length must be 2048, 3072 or 4096 bits"
    );
    for present in [Some(file), public].into_iter().flatten() {
        ensure!(
            present == Path::new("-") || present.symlink_metadata().is_err(),
            "{} already exists; nothing was written",
            present.display()
        );
    }
    if let Some(public) = public {
        files::ensure_distinct(file, public)?;
    }
    let key = PrivateKey::generate(bits).context("can't generate an RSA key")?;
    write(Some(file), &key.to_pkcs8_pem()?, 0o600)?;
    if let Some(public) = public {
        write(Some(public), &key.public_key().to_pem(), 0o644)?;
    }
    eprintln!("key fingerprint {}", key.public_key().fingerprint());
    Ok(())
}

/// Makes a certificate request.
fn request<const N: usize>(key: &PrivateKey, subject: [(DnType, Option<String>); N]) -> Result<String> {
    let mut name = DistinguishedName::new();
    for (attribute, value) in subject {
        let Some(value) = value else { continue };
        ensure!(
            !value.trim().is_empty() && value.chars().count() <= 64 && !value.chars().any(char::is_control),
            "a part of the subject must have 1 to 64 characters, none of them a control character"
        );
        if attribute == DnType::CountryName {
            ensure!(
                value.len() == 2 && value.bytes().all(|byte| byte.is_ascii_uppercase()),
                "the country must be two capital letters, as in ISO 3166"
            );
            name.push(
                attribute,
                rcgen::DnValue::PrintableString(value.as_str().try_into()?),
            );
        } else {
            name.push(attribute, value);
        }
    }
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = name;
    let pem = key.to_pkcs8_pem()?;
    let pair = rcgen::KeyPair::from_pkcs8_pem_and_sign_algo(&pem, &PKCS_RSA_SHA256)?;
    Ok(parameters.serialize_request(&pair)?.pem()?)
}

/// Describes a key in lines of name and value.
fn description(file: &KeyFile) -> Result<String> {
    let (kind, key, certificate) = match file {
        KeyFile::Private(key) => ("private key", key.public_key(), key.certificate()),
        KeyFile::Certificate(certificate) => ("certificate", certificate.public_key(), Some(certificate)),
        KeyFile::Public(key) => ("public key", key, None),
    };
    let mut lines = format!(
        "kind                     {kind}, RSA {}\nkey fingerprint          {}\n",
        key.bits(),
        key.fingerprint()
    );
    if let Some(certificate) = certificate {
        let end = Timestamp::from_second(certificate.not_after())?;
        lines.push_str(&format_certificate(certificate.fingerprint(), &end.to_string()));
    }
    Ok(lines)
}

fn format_certificate(fingerprint: &str, end: &str) -> String {
    format!("certificate fingerprint  {fingerprint}\ncertificate expires      {end}\n")
}

/// Fetches a key list.
pub(crate) async fn fetch(address: &str, authorities: Option<&Path>) -> Result<KeyList> {
    let url = Url::parse(address).context("the address can't be parsed")?;
    ensure!(url.scheme() == "https", "a key list is fetched by https only");
    let trust = match authorities {
        Some(file) => {
            let pem = files::sections(file)?;
            Trust::only_pem(&pem).with_context(|| file.display().to_string())?
        }
        None => Trust::Mozilla,
    };
    let client = HttpClient::new(&HttpSettings {
        trust,
        ..HttpSettings::default()
    })?;
    let mut headers = header::HeaderMap::new();
    headers.insert(
        header::ACCEPT,
        header::HeaderValue::from_static("application/json"),
    );
    let answer = client
        .send(Method::GET, &url, headers, None)
        .await
        .with_context(|| format!("{url} can't be fetched"))?;
    ensure!(
        answer.status == 200,
        "{url} answered {}; expected 200",
        answer.status
    );
    let content = answer
        .content()
        .map_err(|fault| anyhow!("{url} answered with {fault}"))?;
    let list = KeyList::parse(&content).with_context(|| url.to_string())?;
    if list.skipped() > 0 {
        eprintln!(
            "note: {} entries are no RSA keys of 2048 bits or more",
            list.skipped()
        );
    }
    Ok(list)
}

/// Writes the key with a fingerprint, and announces others for encryption.
fn pinned(list: &KeyList, fingerprint: &str, kid: Option<&str>, out: Option<&Path>) -> Result<ExitCode> {
    // `openssl x509 -fingerprint` writes colons.
    let expected = fingerprint.replace(|other: char| other == ':' || other.is_whitespace(), "");
    ensure!(
        expected.len() == 64 && expected.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "a fingerprint has 64 hexadecimal digits"
    );
    let found = list
        .with_fingerprint(&expected)
        .find(|listed| kid.is_none_or(|kid| listed.id.as_deref() == Some(kid)));
    let Some(listed) = found else {
        println!(
            "no key of the list has this fingerprint{}:",
            if kid.is_some() { " and name" } else { "" }
        );
        print!("{}", table(list));
        return Ok(ExitCode::from(1));
    };
    if !listed.is_for_encryption() {
        eprintln!("warning: the key is for {}", shown(listed.usage.as_deref()));
    }
    for other in others(list, listed) {
        eprintln!("{}", announcement(listed, other));
    }
    write(out, &listed.key.to_pem(), 0o644)?;
    if let Some(out) = out {
        println!("kid {} written to {}", shown(listed.id.as_deref()), out.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Other keys for encryption, without those whose name has no later date than that of the key in use.
fn others<'a>(list: &'a KeyList, used: &ListedKey) -> Vec<&'a ListedKey> {
    list.keys()
        .iter()
        .filter(|other| other.is_for_encryption() && other.key != used.key)
        .filter(|other| match (date(used), date(other)) {
            (Some(used), Some(other)) => other > used,
            _ => true,
        })
        .collect()
}

/// Line about another key. Only a key with a date can be called newer: names without one are Mastercard's older form.
fn announcement(used: &ListedKey, other: &ListedKey) -> String {
    let (kind, advice) = match (date(used), date(other)) {
        (_, None) => ("other", ""),
        (_, Some(_)) => ("newer", "; use it once Mastercard has confirmed the fingerprint"),
    };
    format!(
        "{kind} key for encryption: kid {}, fingerprint {}{advice}",
        shown(other.id.as_deref()),
        other.key.fingerprint()
    )
}

/// Digits at the beginning of a key's name, which are its date (`20230207223521-…`) if they are eight or more.
fn date(listed: &ListedKey) -> Option<&str> {
    let name = listed.id.as_deref()?;
    let digits = name.len()
        - name
            .trim_start_matches(|digit: char| digit.is_ascii_digit())
            .len();
    (digits >= 8).then(|| &name[..digits])
}

fn table(list: &KeyList) -> String {
    let lines: Vec<String> = list
        .keys()
        .iter()
        .map(|listed| {
            format!(
                "kid {}  use {}  alg {}  RSA {}  fingerprint {}\n",
                shown(listed.id.as_deref()),
                shown(listed.usage.as_deref()),
                shown(listed.algorithm.as_deref()),
                listed.key.bits(),
                listed.key.fingerprint()
            )
        })
        .collect();
    lines.concat()
}

/// A text of the list, without characters that a terminal would act on.
fn shown(text: Option<&str>) -> String {
    text.map_or_else(
        || "-".to_owned(),
        |text| {
            text.chars()
                .filter(|letter| !letter.is_control())
                .take(100)
                .collect()
        },
    )
}

/// Writes a text to a new file, or to standard output.
fn write(file: Option<&Path>, text: &str, mode: u32) -> Result<()> {
    match file {
        Some(file) if file != Path::new("-") => files::create(file, text, mode),
        _ => {
            print!("{text}");
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    /// List of two keys with names, the used one first.
    fn list(used: &str, other: &str) -> KeyList {
        let keys: Vec<serde_json::Value> = [used, other]
            .iter()
            .zip([0xa5_u8, 0xb7])
            .map(|(name, byte)| {
                let mut modulus = [byte; 256];
                modulus[255] = 1;
                serde_json::json!({"kty": "RSA", "use": "enc", "kid": name, "e": "AQAB",
                    "n": URL_SAFE_NO_PAD.encode(modulus)})
            })
            .collect();
        KeyList::parse(serde_json::json!({"keys": keys}).to_string().as_bytes()).unwrap()
    }

    fn announced(used: &str, other: &str) -> Vec<String> {
        let list = list(used, other);
        let used = &list.keys()[0];
        others(&list, used)
            .into_iter()
            .map(|other| announcement(used, other))
            .collect()
    }

    #[test]
    fn key_without_a_date_is_not_called_newer() {
        let dated = "20230207223521-src-fpan-encryption";
        for older in ["149123-src-fpan-encryption", "src-fpan-encryption"] {
            let [line] = announced(dated, older).try_into().unwrap();
            assert!(
                line.starts_with(&format!("other key for encryption: kid {older}, ")),
                "{line}"
            );
            assert!(!line.contains("use it"), "{line}");
            let [line] = announced(older, dated).try_into().unwrap();
            assert!(line.starts_with("newer key") && line.contains("use it"), "{line}");
        }
        let [line] = announced("src-fpan-encryption", "149123-src-fpan-encryption")
            .try_into()
            .unwrap();
        assert!(line.starts_with("other key"), "{line}");
        assert!(announced(dated, "20220101000000-src-fpan-encryption").is_empty());
    }

    #[test]
    fn both_keys_need_a_file_each() {
        let folder = std::env::temp_dir();
        let file = folder.join(format!("enrollctl-same-{}.pem", std::process::id()));
        let other = folder.join(".").join(file.file_name().unwrap());
        let told = new(&file, Some(&other), 2048).unwrap_err().to_string();
        assert!(told.contains("same file") && !file.exists(), "{told}");
    }
}

//! Mastercard's key that a card file is encrypted under.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use mastercard::jwks::{KeyList, ListedKey};
use mastercard::keys::PublicKey;

use super::arguments::SubmitArguments;
use crate::keys::fetch;

/// Key and the name that the JWE gives it.
pub(crate) struct NamedKey {
    pub(crate) key: PublicKey,
    pub(crate) id: String,
}

/// Finds the key that the options describe; `None` where they describe none.
pub(crate) async fn find(arguments: &SubmitArguments) -> Result<Option<NamedKey>> {
    let (list, source) = match (&arguments.key_list, &arguments.encryption_key) {
        (Some(url), _) => (fetch(url, arguments.authorities.as_deref()).await?, url.clone()),
        (None, Some(file)) => (read(file)?, file.display().to_string()),
        (None, None) => return Ok(None),
    };
    let key = chosen(&list, arguments.kid.as_deref(), arguments.fingerprint.as_deref())
        .with_context(|| source.clone())?;
    if let Some(expected) = &arguments.fingerprint {
        key.key.verify_fingerprint(expected).context(source)?;
    }
    Ok(Some(key))
}

/// Chooses a key by `kid`, by fingerprint, or because it is the only one.
fn chosen(list: &KeyList, kid: Option<&str>, fingerprint: Option<&str>) -> Result<NamedKey> {
    let usable: Vec<&ListedKey> = list
        .keys()
        .iter()
        .filter(|listed| listed.is_for_encryption())
        .collect();
    if let [only] = usable[..]
        && only.id.is_none()
    {
        let id = kid.map_or_else(|| only.key.fingerprint().to_owned(), str::to_owned);
        let key = only.key.clone();
        return Ok(NamedKey { key, id });
    }
    let matching: Vec<&ListedKey> = usable
        .into_iter()
        .filter(|listed| kid.is_none() || listed.id.as_deref() == kid)
        .filter(|listed| {
            kid.is_some()
                || fingerprint.is_none_or(|wanted| listed.key.fingerprint().eq_ignore_ascii_case(wanted))
        })
        .collect();
    match matching[..] {
        [only] => Ok(NamedKey {
            key: only.key.clone(),
            id: only.id.clone().context("the key has no kid: add --kid")?,
        }),
        [] => bail!("has no such key for encryption"),
        _ => bail!("has several keys for encryption: choose one by --kid or --fingerprint"),
    }
}

/// Reads a key file: a key list, PEM, DER or a certificate.
fn read(file: &Path) -> Result<KeyList> {
    let shown = || file.display().to_string();
    let bytes = fs::read(file).with_context(shown)?;
    if let Ok(list) = KeyList::parse(&bytes) {
        return Ok(list);
    }
    let key = match std::str::from_utf8(&bytes) {
        Ok(text) => PublicKey::from_pem(text),
        Err(_) => PublicKey::from_der(&bytes),
    };
    Ok(KeyList::new(vec![ListedKey {
        id: None,
        usage: None,
        algorithm: None,
        key: key.with_context(shown)?,
    }]))
}

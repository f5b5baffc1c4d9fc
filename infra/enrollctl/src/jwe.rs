//! JWEs by hand, for whoever looks for the difference between two implementations.

use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use enrollment::encoding;
use mastercard::jwe::{Decryptor, Encryptor, KeyMember, KeyName};
use mastercard::jwks::KeyList;
use mastercard::keys::{Certificate, PublicKey};
use zeroize::Zeroizing;

use crate::arguments::jwe::{EncryptionKeyFile, JweCommand};
use crate::files::{self, Inputs};
use crate::key_files::{self, KeyFile};

/// Longest plaintext, JWE or payload, in bytes.
pub(crate) const MAX_CONTENT: u64 = 64 * 1024 * 1024;

/// Mode of a file with a plaintext.
pub(crate) const PRIVATE: u32 = 0o600;

/// Mode of other files.
pub(crate) const PUBLIC: u32 = 0o644;

/// Runs a command of `enrollctl jwe`.
pub(crate) fn run(command: JweCommand) -> Result<()> {
    let mut inputs = Inputs::default();
    match command {
        JweCommand::Encrypt {
            key,
            key_id,
            enc,
            cty,
            streams,
        } => {
            let key = encryption_key(&mut inputs, &key)?;
            let name = KeyName {
                member: if key_id { KeyMember::KeyId } else { KeyMember::Kid },
                value: key.name,
            };
            let encryptor = Encryptor::new(&key.key, name, enc.into(), cty.as_deref())?;
            inputs.claim(&streams.input)?;
            let plaintext = Zeroizing::new(files::bytes(&streams.input, MAX_CONTENT)?);
            let mut compact = encryptor.encrypt(&plaintext)?;
            compact.push('\n');
            files::write(&streams.output, compact.as_bytes(), PUBLIC)
        }
        JweCommand::Decrypt { key, streams } => {
            inputs.claim(&key.key)?;
            let key = key_files::private_key(&key.key, key.password_file.as_deref())?;
            inputs.claim(&streams.input)?;
            let bytes = files::bytes(&streams.input, MAX_CONTENT)?;
            let name = || streams.input.display().to_string();
            let compact = encoding::text(&bytes).with_context(name)?;
            let plaintext = Decryptor::new(&key)?
                .decrypt(encoding::trimmed(&compact))
                .with_context(name)?;
            files::write(&streams.output, &plaintext, PRIVATE)
        }
    }
}

/// Receiver's key, with what Mastercard calls it.
pub(crate) struct EncryptionKey {
    pub(crate) key: PublicKey,
    pub(crate) name: String,
    pub(crate) certificate: Option<Certificate>,
}

/// Reads a public key, a certificate, or the key of a key list that `kid` names; without `kid`, its only one.
pub(crate) fn encryption_key(inputs: &mut Inputs, file: &EncryptionKeyFile) -> Result<EncryptionKey> {
    inputs.claim(&file.key)?;
    let bytes = Zeroizing::new(files::bytes(&file.key, key_files::MAX_KEY_FILE)?);
    let found = if bytes.trim_ascii_start().starts_with(b"{") {
        listed(&bytes, file.kid.as_deref())
    } else {
        unlisted(&bytes, file.kid.as_deref())
    };
    found.with_context(|| file.key.display().to_string())
}

fn listed(json: &[u8], kid: Option<&str>) -> Result<EncryptionKey> {
    let list = KeyList::parse(json)?;
    let name = match (kid, list.keys()) {
        (Some(kid), _) => kid,
        (None, [only]) => only.id.as_deref().context("the key has no name; give --kid")?,
        (None, keys) => bail!("is a key list of {} RSA keys; choose one with --kid", keys.len()),
    };
    Ok(EncryptionKey {
        key: list.encryption_key(name)?.clone(),
        name: name.to_owned(),
        certificate: None,
    })
}

fn unlisted(bytes: &[u8], kid: Option<&str>) -> Result<EncryptionKey> {
    let (key, certificate) = match key_files::parse(bytes, None)? {
        KeyFile::Private(_) => bail!("is a private key, and the receiver's public one is needed"),
        KeyFile::Certificate(certificate) => (certificate.public_key().clone(), Some(certificate)),
        KeyFile::Public(key) => (key, None),
    };
    let name = kid.unwrap_or(key.fingerprint()).to_owned();
    Ok(EncryptionKey {
        key,
        name,
        certificate,
    })
}

/// Refuses to write over an input, before anything is read.
pub(crate) fn ensure_free(file: &Path) -> Result<()> {
    ensure!(
        file == Path::new("-") || file.symlink_metadata().is_err(),
        "{} already exists; nothing was written",
        file.display()
    );
    Ok(())
}

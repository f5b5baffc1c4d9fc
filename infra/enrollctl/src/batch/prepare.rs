//! Preparation of batches: windows of the card file, cut, encrypted and written to their journals.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use aws_lc_rs::digest::{Context as Sha256, SHA256};
use card_file::{BatchLimits, CardFile, Digest, Faults, FileError, Layout, Plaintext, Window};
use mastercard::jwe::{ContentEncryption, Encryptor, KeyName};
use mastercard::keys::PublicKey;
use tokio::sync::mpsc::Sender;

use super::folder::{Folder, Settings, WindowFiles};
use super::journal::JournalWriter;

/// Limit of the service for a body (docs/contract.md).
const MAX_BODY: usize = 512 * 1024;
/// Bytes of a JWE besides header, encrypted key and content: vector, tag, points and padding.
const JWE_BYTES: usize = 64;

/// Encrypts batches, and writes the requests' bodies.
pub(crate) struct BatchEncryption {
    encryptor: Encryptor,
    limits: BatchLimits,
    confirmation: String,
    /// Beginning of all ids of batches of the run.
    prefix: String,
    content: Plaintext,
    body: Vec<u8>,
}

impl BatchEncryption {
    /// Prepares the encryption by the settings of a run.
    pub(crate) fn new(settings: &Settings, file_digest: &str) -> Result<Self> {
        let key = PublicKey::from_pem(&settings.encryption_key).context("the run's encryption key")?;
        let content_encryption = ContentEncryption::parse(&settings.content_encryption)
            .context("the content encryption is unknown")?;
        let encryptor = Encryptor::new(
            &key,
            KeyName::kid(settings.key_id.as_str()),
            content_encryption,
            None,
        )?;
        let confirmation = match &settings.confirmation_url {
            Some(url) => format!(r#","confirmationUrl":{}"#, serde_json::to_string(url)?),
            None => String::new(),
        };
        let other_bytes = encryptor.encrypt(b"")?.len() + confirmation.len() + JWE_BYTES + 256;
        Ok(Self {
            encryptor,
            limits: BatchLimits {
                cards: card_file::MAX_BATCH_CARDS,
                body_bytes: MAX_BODY,
                other_bytes,
            },
            confirmation,
            prefix: id_prefix(file_digest, &settings.client, &settings.label),
            content: Plaintext::new(Vec::with_capacity(MAX_BODY)),
            body: Vec::with_capacity(MAX_BODY),
        })
    }

    /// Cuts a window into batches, and calls `write` with the lines and the body of each.
    pub(crate) fn encrypt(
        &mut self,
        number: u32,
        window: &mut Window,
        mut write: impl FnMut(&[u64], &[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut lines = Vec::with_capacity(card_file::MAX_BATCH_CARDS);
        for (plan, at) in window.plan(&self.limits).iter().zip(0..) {
            window.write_content(plan, &mut self.content);
            let jwe = self.encryptor.encrypt(&self.content)?;
            let body = &mut self.body;
            body.clear();
            body.extend_from_slice(br#"{"externalBatchId":""#);
            body.extend_from_slice(external_id(&self.prefix, number, at).as_bytes());
            body.extend_from_slice(br#"","encryptedEnrollmentData":""#);
            body.extend_from_slice(jwe.as_bytes());
            body.extend_from_slice(br#"","manifest":{"profiles":"#);
            window.write_manifest(plan, body);
            body.push(b'}');
            body.extend_from_slice(self.confirmation.as_bytes());
            body.push(b'}');
            ensure!(body.len() <= MAX_BODY, "a batch is larger than 512 KB");
            lines.clear();
            lines.extend(window.lines(plan));
            write(&lines, &self.body)?;
        }
        Ok(())
    }
}

/// Id of a batch: the same for the same file, client and label, so that a repeat is known as one.
///
/// Three parts joined by hyphens: 16 letters, the window and the batch in it. Digits would be a card number only if 13 stood in a row.
pub(crate) fn external_id(prefix: &str, window: u32, batch: u32) -> String {
    format!("{prefix}-{window}-{batch}")
}

/// Letters of a digest over file, client and label.
pub(crate) fn id_prefix(file_digest: &str, client: &str, label: &str) -> String {
    let mut digest = Sha256::new(&SHA256);
    for part in [file_digest, client, label] {
        digest.update(&(part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
    let digest = digest.finish();
    let letters = digest.as_ref()[..8]
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15]);
    letters.map(|letter| char::from(b'a' + letter)).collect()
}

/// Card file of a run, for the second pass.
pub(crate) struct Source {
    pub(crate) file: PathBuf,
    pub(crate) layout: Layout,
    /// Digests at the windows' ends, by the first pass.
    pub(crate) windows: Vec<Digest>,
}

/// Prepares each window that the folder does not have, in order, and sends its number on.
///
/// Runs in a thread of its own. Ends early if nobody receives any more.
pub(crate) fn prepare(
    source: &Source,
    folder: &Path,
    encryption: &mut BatchEncryption,
    mut window: Window,
    prepared: &Sender<Result<u32>>,
) {
    if let Err(error) = prepare_windows(source, folder, encryption, &mut window, prepared) {
        // Nobody to tell: the receiver ended first.
        let _ = prepared.blocking_send(Err(error));
    }
}

fn prepare_windows(
    source: &Source,
    folder: &Path,
    encryption: &mut BatchEncryption,
    window: &mut Window,
    prepared: &Sender<Result<u32>>,
) -> Result<()> {
    let folder = Folder::read(folder);
    let shown = source.file.display();
    let mut file = CardFile::open(&source.file, &source.layout).with_context(|| shown.to_string())?;
    for (number, expected) in (0..).zip(&source.windows) {
        // A file with faults did not pass the first pass, so a fault is a change.
        let mut faults = Faults::up_to(0);
        let is_read = file
            .next_window(window, &mut faults)
            .with_context(|| shown.to_string())?;
        if !is_read || !faults.is_empty() || file.digest() != *expected {
            return Err(FileError::Changed).with_context(|| shown.to_string());
        }
        if !matches!(folder.window(number)?, WindowFiles::Absent) {
            continue;
        }
        let path = folder.journal_path(number);
        let mut journal = JournalWriter::create(&path)?;
        encryption.encrypt(number, window, |lines, body| Ok(journal.add(lines, body)?))?;
        journal
            .finish()
            .with_context(|| format!("can't write {}", path.display()))?;
        if prepared.blocking_send(Ok(number)).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

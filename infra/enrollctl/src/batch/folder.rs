//! State folder of a run: what the run is, journals of open windows, results of finished ones.

use std::fs::{self, File, TryLockError};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use card_file::{CardIdName, Layout, create_private_file};
use serde::{Deserialize, Serialize};

use super::journal::Journal;

const RUN_FILE: &str = "run.json";
const LOCK_FILE: &str = "lock";

/// Description of a run: decided when it begins, the same when it is resumed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Run {
    /// Version of this folder's form, and of the rules by which batches are cut.
    pub(crate) version: u32,
    /// SHA-256 of the card file, in hexadecimal.
    pub(crate) file_digest: String,
    pub(crate) cards: u64,
    pub(crate) profiles: u64,
    pub(crate) windows: u32,
    pub(crate) settings: Settings,
}

/// Settings of a run that decide the bytes that are sent, and where to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) url: String,
    pub(crate) client: String,
    pub(crate) label: String,
    /// Mastercard's public key, PEM.
    pub(crate) encryption_key: String,
    pub(crate) key_id: String,
    pub(crate) content_encryption: String,
    pub(crate) card_id_name: String,
    pub(crate) range_digits: usize,
    pub(crate) window_cards: usize,
    pub(crate) confirmation_url: Option<String>,
}

impl Settings {
    /// Form of the content, and rules by which it is cut.
    pub(crate) fn layout(&self) -> Layout {
        Layout {
            card_id_name: card_id_name(&self.card_id_name),
            range_digits: self.range_digits,
            window_cards: self.window_cards,
        }
    }

    /// Name of the option by which these settings differ from others.
    pub(crate) fn difference(&self, other: &Self) -> Option<&'static str> {
        [
            (self.url != other.url, "--url"),
            (self.client != other.client, "--client"),
            (self.label != other.label, "--run"),
            (self.key_id != other.key_id, "--kid"),
            (
                self.content_encryption != other.content_encryption,
                "--content-encryption",
            ),
            (self.card_id_name != other.card_id_name, "--card-id-name"),
            (self.range_digits != other.range_digits, "--range-digits"),
            (self.window_cards != other.window_cards, "--window"),
            (
                self.confirmation_url != other.confirmation_url,
                "--confirmation-url",
            ),
        ]
        .into_iter()
        .find_map(|(differs, option)| differs.then_some(option))
    }
}

/// Name of a card's id by its option.
pub(crate) fn card_id_name(name: &str) -> CardIdName {
    match name {
        "externalCredentialId" => CardIdName::ExternalCredentialId,
        _ => CardIdName::ExternalCardId,
    }
}

/// Numbers of cards by their result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) accepted: u64,
    pub(crate) failed: u64,
    pub(crate) unknown: u64,
}

impl Totals {
    pub(crate) fn sum(self) -> u64 {
        self.accepted + self.failed + self.unknown
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.failed += other.failed;
        self.unknown += other.unknown;
    }
}

/// A window as its files say.
pub(crate) enum WindowFiles {
    /// Not prepared.
    Absent,
    /// Prepared, with batches that have no results yet.
    Open(PathBuf),
    /// All its cards have results.
    Finished(PathBuf),
}

/// State folder. One process at a time holds its lock.
pub(crate) struct Folder {
    path: PathBuf,
    _lock: Option<File>,
}

impl Folder {
    /// Opens a folder to work in it; creates it where there is none. Refuses one that another process works in.
    pub(crate) fn lock(path: &Path) -> Result<Self> {
        let shown = path.display();
        create_folder(path, true).with_context(|| format!("can't create the state folder {shown}"))?;
        let lock =
            create_private_file(&path.join(LOCK_FILE)).with_context(|| format!("can't write to {shown}"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!("another enrollctl works with {shown}"),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("{shown} can't be locked"));
            }
        }
        Ok(Self {
            path: path.to_owned(),
            _lock: Some(lock),
        })
    }

    /// Opens a folder to read it.
    pub(crate) fn read(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            _lock: None,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads what the run is; `None` in a new folder.
    pub(crate) fn run(&self) -> Result<Option<Run>> {
        let path = self.path.join(RUN_FILE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| path.display().to_string()),
        };
        let run: Run = serde_json::from_slice(&text)
            .with_context(|| format!("{} is not of this version of enrollctl", path.display()))?;
        if run.version != super::VERSION {
            bail!(
                "{} is of another version of enrollctl: finish the run with that one",
                path.display()
            );
        }
        Ok(Some(run))
    }

    /// Begins a run. Durable when it returns.
    pub(crate) fn begin(&self, run: &Run) -> Result<()> {
        let path = self.path.join(RUN_FILE);
        write_durably(&path, &serde_json::to_vec_pretty(run)?)
            .with_context(|| format!("can't write {}", path.display()))
    }

    /// Finds out how far a window is.
    pub(crate) fn window(&self, window: u32) -> io::Result<WindowFiles> {
        let (journal, results) = (self.journal_path(window), self.results_path(window));
        if results.try_exists()? {
            return Ok(WindowFiles::Finished(results));
        }
        Ok(if journal.try_exists()? {
            WindowFiles::Open(journal)
        } else {
            WindowFiles::Absent
        })
    }

    pub(crate) fn journal_path(&self, window: u32) -> PathBuf {
        self.path.join(format!("window-{window:06}.journal"))
    }

    fn results_path(&self, window: u32) -> PathBuf {
        self.path.join(format!("window-{window:06}.results"))
    }

    /// Writes the results of a window in the order of the card file, then deletes its journal, ciphertext included.
    pub(crate) fn finish(&self, window: u32, journal: &Journal) -> io::Result<()> {
        let mut rows = sorted_rows(journal)?;
        let totals = totals_of(&rows);
        rows.push(format!(
            "#{},{},{}",
            totals.accepted, totals.failed, totals.unknown
        ));
        let mut text = rows.join("\n");
        text.push('\n');
        write_durably(&self.results_path(window), text.as_bytes())?;
        self.drop_journal(window)
    }

    /// Deletes the journal of a finished window, if there still is one.
    pub(crate) fn drop_journal(&self, window: u32) -> io::Result<()> {
        match fs::remove_file(self.journal_path(window)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// Results of a journal's batches, by line of the card file.
pub(crate) fn sorted_rows(journal: &Journal) -> io::Result<Vec<String>> {
    let mut rows: Vec<String> = journal
        .rows()?
        .iter()
        .flat_map(|rows| rows.lines().map(str::to_owned))
        .collect();
    rows.sort_by_key(|row| line_of(row));
    Ok(rows)
}

/// Line of the card file that a result is about.
fn line_of(row: &str) -> u64 {
    let line = row.split(',').next().unwrap_or_default();
    line.parse().unwrap_or(u64::MAX)
}

/// Counts results.
pub(crate) fn totals_of(rows: &[String]) -> Totals {
    let mut totals = Totals::default();
    for row in rows {
        match row.split(',').nth(3) {
            Some("accepted") => totals.accepted += 1,
            Some("failed") => totals.failed += 1,
            _ => totals.unknown += 1,
        }
    }
    totals
}

/// Reads the totals of a finished window from the end of its results.
pub(crate) fn totals_at_end(results: &Path) -> io::Result<Totals> {
    use std::io::{Read as _, Seek as _, SeekFrom};

    let mut file = File::open(results)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(128)))?;
    let mut end = String::new();
    file.read_to_string(&mut end)?;
    let numbers: Option<Vec<u64>> = end.trim_end().rsplit_once('#').map(|(_, totals)| {
        totals
            .split(',')
            .map_while(|number| number.parse().ok())
            .collect()
    });
    match numbers.as_deref() {
        Some([accepted, failed, unknown]) => Ok(Totals {
            accepted: *accepted,
            failed: *failed,
            unknown: *unknown,
        }),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "a results file is damaged",
        )),
    }
}

/// Copies the results of a finished window without its totals.
pub(crate) fn copy_rows(results: &Path, out: &mut impl io::Write) -> io::Result<()> {
    for line in BufReader::new(File::open(results)?).lines() {
        let line = line?;
        if !line.starts_with('#') {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

/// Writes a file under another name, syncs it and renames it.
pub(crate) fn write_durably(path: &Path, content: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("part");
    let mut file = create_private_file(&temporary)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    sync_folder(path)
}

/// Makes the name of a file durable.
pub(crate) fn sync_folder(file: &Path) -> io::Result<()> {
    // Windows has no such call; there a renamed file's name is the file system's journal's matter.
    #[cfg(unix)]
    if let Some(folder) = file.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Creates a folder that only its owner may read. Those above it are created where `is_recursive`; then the folder may exist.
pub(crate) fn create_folder(path: &Path, is_recursive: bool) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(is_recursive);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(path)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata()
            .map_or(0, |metadata| metadata.permissions().mode() & 0o777)
    }

    #[test]
    fn files_are_their_owners_in_an_open_folder() {
        let path = std::env::temp_dir().join(format!("enrollctl-folder-{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        // What an earlier version left under the temporary name.
        fs::write(path.join("run.part"), b"").unwrap();
        fs::set_permissions(path.join("run.part"), fs::Permissions::from_mode(0o644)).unwrap();
        let folder = Folder::lock(&path).unwrap();
        write_durably(&path.join(RUN_FILE), b"{}").unwrap();
        let writer = super::super::journal::JournalWriter::create(&folder.journal_path(0)).unwrap();
        writer.finish().unwrap();
        let names = [LOCK_FILE, RUN_FILE, "window-000000.journal"];
        assert_eq!(names.map(|name| mode(&path.join(name))), [0o600; 3]);
        let (inner, above) = (path.join("scratch"), path.join("above/inner"));
        create_folder(&inner, false).unwrap();
        assert_eq!(mode(&inner), 0o700);
        assert!(create_folder(&inner, false).is_err());
        create_folder(&above, true).unwrap();
        fs::remove_dir_all(&path).unwrap();
    }
}

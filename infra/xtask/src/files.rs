//! Writing files that others read.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};

/// Writes a file as a whole or not at all; leaves it alone where it is that already. Secrets are for the owner only.
pub(crate) fn write(path: &Path, content: &[u8]) -> Result<()> {
    write_with_mode(path, content, 0o644)
}

/// As [`write`], readable by the owner only.
pub(crate) fn write_secret(path: &Path, content: &[u8]) -> Result<()> {
    write_with_mode(path, content, 0o600)
}

/// Lock against other threads and other runs of this program; ends with the file.
pub(crate) fn lock(path: &Path) -> Result<File> {
    fs::create_dir_all(path.parent().context("a lock without a folder")?)?;
    let file = File::create(path).with_context(|| format!("can't write {}", path.display()))?;
    file.lock()
        .with_context(|| format!("can't lock {}", path.display()))?;
    Ok(file)
}

fn write_with_mode(path: &Path, content: &[u8], mode: u32) -> Result<()> {
    if fs::read(path).is_ok_and(|present| present == content) {
        return Ok(());
    }
    let folder = path.parent().context("a file without a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("can't make {}", folder.display()))?;
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let draft = Path::new(&name);
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(draft)
        .with_context(|| format!("can't write {}", draft.display()))?;
    file.write_all(content)?;
    fs::rename(draft, path).with_context(|| format!("can't write {}", path.display()))
}

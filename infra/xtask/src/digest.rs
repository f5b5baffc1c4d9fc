//! SHA-256 of a step's inputs, by which an unchanged step is skipped.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use aws_lc_rs::digest::{Context, SHA256};

/// Collects named parts; the same parts in the same order give the same digest.
pub(crate) struct Digest(Context);

impl Digest {
    pub(crate) fn new() -> Self {
        Self(Context::new(&SHA256))
    }

    /// Adds a part with its length, so that no two lists of parts have the same digest.
    pub(crate) fn part(mut self, part: &[u8]) -> Self {
        self.0.update(&part.len().to_be_bytes());
        self.0.update(part);
        self
    }

    pub(crate) fn file(self, path: &Path) -> Result<Self> {
        Ok(self.part(&fs::read(path).with_context(|| format!("can't read {}", path.display()))?))
    }

    /// All files directly in a folder, by name.
    pub(crate) fn folder(mut self, folder: &Path) -> Result<Self> {
        let mut files = fs::read_dir(folder)
            .with_context(|| format!("can't read {}", folder.display()))?
            .map(|entry| Ok(entry?.path()))
            .collect::<Result<Vec<_>>>()?;
        files.sort();
        for file in files.iter().filter(|file| file.is_file()) {
            self = self.part(file.as_os_str().as_encoded_bytes()).file(file)?;
        }
        Ok(self)
    }

    pub(crate) fn hex(self) -> String {
        hex::encode(self.0.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_of_parts_change_the_digest() {
        let one = Digest::new().part(b"ab").part(b"c").hex();
        let other = Digest::new().part(b"a").part(b"bc").hex();
        assert_ne!(one, other);
        assert_eq!(one, Digest::new().part(b"ab").part(b"c").hex());
    }
}

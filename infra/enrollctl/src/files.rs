//! Files that people write: what their editors add around the content is removed here.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use enrollment::client::public_key::PublicKey;
use enrollment::{encoding, pem};
use secrecy::{ExposeSecret as _, SecretString};

/// Longest file of one line (an id, a password, a token), in bytes.
const MAX_LINE_FILE: u64 = 64 * 1024;

/// Name of standard input and standard output as a file.
const STANDARD_STREAM: &str = "-";

/// A DER sequence of more than 255 bytes.
const DER: &[u8] = b"\x30\x82";

/// Reads a text file: UTF-8, or UTF-16 with a byte-order mark, which is dropped; CRLF becomes LF.
pub(crate) fn text(file: &Path) -> Result<String> {
    let bytes = fs::read(file).with_context(|| format!("can't read {}", file.display()))?;
    encoding::text(&bytes).with_context(|| file.display().to_string())
}

/// Reads the only line of a file, or of standard input for `-`, without blanks and byte-order marks at its ends.
pub(crate) fn line(file: &Path) -> Result<String> {
    let bytes = bytes(file, MAX_LINE_FILE)?;
    let text = encoding::text(&bytes).with_context(|| file.display().to_string())?;
    Ok(encoding::trimmed(&text).to_owned())
}

/// Reads the bytes of a file, or of standard input for `-`.
pub(crate) fn bytes(file: &Path, limit: u64) -> Result<Vec<u8>> {
    let name = || file.display().to_string();
    let mut bytes = Vec::new();
    if file == Path::new(STANDARD_STREAM) {
        std::io::stdin().lock().take(limit + 1).read_to_end(&mut bytes)
    } else {
        let opened = fs::File::open(file).with_context(name)?;
        opened.take(limit + 1).read_to_end(&mut bytes)
    }
    .with_context(name)?;
    ensure!(
        bytes.len() as u64 <= limit,
        "{} is longer than {limit} bytes",
        file.display()
    );
    Ok(bytes)
}

/// Creates a file that does not exist yet.
pub(crate) fn create(file: &Path, content: impl AsRef<[u8]>, mode: u32) -> Result<()> {
    let unable = || format!("can't write {}", file.display());
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(file)
        .with_context(unable)?
        .write_all(content.as_ref())
        .with_context(unable)
}

/// Refuses two outputs of a command that are one file, or both standard output.
pub(crate) fn ensure_distinct(one: &Path, other: &Path) -> Result<()> {
    let resolved = |file: &Path| {
        let file = std::path::absolute(file).ok()?;
        Some(file.parent()?.canonicalize().ok()?.join(file.file_name()?))
    };
    let is_same = one == other
        || resolved(one)
            .zip(resolved(other))
            .is_some_and(|(one, other)| one == other);
    ensure!(
        !is_same,
        "{} is the same file as {}; nothing was written",
        other.display(),
        one.display()
    );
    Ok(())
}

/// Creates a file, or writes to standard output for `-`.
pub(crate) fn write(file: &Path, content: &[u8], mode: u32) -> Result<()> {
    if file != Path::new(STANDARD_STREAM) {
        return create(file, content, mode);
    }
    let mut output = std::io::stdout().lock();
    output
        .write_all(content)
        .and_then(|()| output.flush())
        .context("can't write to standard output")
}

/// Inputs of a command, of which standard input can be one only.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    is_standard_input_taken: bool,
}

impl Inputs {
    /// Returns a text, or the line in the file that it names: `@FILE`, or `-` for standard input.
    pub(crate) fn value(&mut self, text: &str) -> Result<String> {
        let file = match text.strip_prefix('@') {
            Some(file) => file,
            None if text == STANDARD_STREAM => text,
            None => return Ok(text.to_owned()),
        };
        self.claim(Path::new(file))?;
        line(Path::new(file))
    }

    /// Notes that a file is read. Standard input can be read once.
    pub(crate) fn claim(&mut self, file: &Path) -> Result<()> {
        if file == Path::new(STANDARD_STREAM) {
            ensure!(
                !self.is_standard_input_taken,
                "standard input can be read once only"
            );
            self.is_standard_input_taken = true;
        }
        Ok(())
    }
}

/// Reads certificates or a private key: PEM with any line breaks and any text around its sections.
pub(crate) fn sections(file: &Path) -> Result<String> {
    let bytes = fs::read(file).with_context(|| format!("can't read {}", file.display()))?;
    let read = || -> Result<String> {
        ensure!(
            !bytes.starts_with(DER),
            "is DER, and PEM is needed; convert it with 'openssl x509 -inform der' (a certificate) or 'openssl pkey -inform der' (a key)"
        );
        Ok(pem::rewrapped(&encoding::text(&bytes)?)?)
    };
    read().with_context(|| file.display().to_string())
}

/// Reads a password: the first line of a file, blanks included.
pub(crate) fn password(file: &Path) -> Result<SecretString> {
    let text = SecretString::from(text(file)?);
    Ok(text.expose_secret().trim_end_matches('\n').into())
}

/// Reads an RSA public key from PEM, DER or a certificate.
pub(crate) fn public_key(file: &Path) -> Result<PublicKey> {
    let bytes = fs::read(file).with_context(|| format!("can't read {}", file.display()))?;
    PublicKey::read(&bytes).with_context(|| file.display().to_string())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    const CERTIFICATE: &str =
        include_str!("../../../shared/mastercard/tests/fixtures/rsa-2048-certificate.pem");

    /// Temporary file, deleted with this value.
    struct Written(PathBuf);

    impl Written {
        fn new(name: &str, content: &[u8]) -> Self {
            let file = std::env::temp_dir().join(format!("enrollctl-{name}-{}", std::process::id()));
            fs::write(&file, content).unwrap();
            Self(file)
        }
    }

    impl Drop for Written {
        fn drop(&mut self) {
            // A file that stays behind harms nobody.
            let _ = fs::remove_file(&self.0);
        }
    }

    fn utf_16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn id_is_trimmed() {
        for content in [
            b"maria 7".to_vec(),
            b"maria 7\n".to_vec(),
            b"  maria 7 \r\n\r\n".to_vec(),
            b"\xef\xbb\xbfmaria 7\r\n".to_vec(),
            utf_16("\u{feff}maria 7\r\n"),
        ] {
            let file = Written::new("id", &content);
            assert_eq!(line(&file.0).unwrap(), "maria 7", "{content:?}");
        }
        let long = Written::new("long", &vec![b'x'; 70_000]);
        assert!(line(&long.0).is_err());
        assert!(line(Path::new("/nowhere")).is_err());
    }

    #[test]
    fn password_keeps_its_blanks() {
        for content in [&b" p w \r\n"[..], b"\xef\xbb\xbf p w ", b" p w \n"] {
            let file = Written::new("password", content);
            assert_eq!(password(&file.0).unwrap().expose_secret(), " p w ", "{content:?}");
        }
    }

    #[test]
    fn certificates_may_have_any_line_breaks() {
        let one_line: String = CERTIFICATE.lines().collect();
        for content in [
            format!("\u{feff}Bag Attributes\r\n{}", CERTIFICATE.replace('\n', "\r\n")).into_bytes(),
            one_line.into_bytes(),
            utf_16(&format!("\u{feff}{CERTIFICATE}")),
        ] {
            let file = Written::new("chain", &content);
            assert_eq!(sections(&file.0).unwrap(), CERTIFICATE);
            assert!(public_key(&file.0).unwrap().validity.is_some());
        }
        let der = Written::new("der", b"\x30\x82\x01\x0a");
        assert!(format!("{:#}", sections(&der.0).unwrap_err()).contains(": is DER, and PEM is needed"));
        let other = Written::new("other", b"Gr\xf6\xdfe");
        let told = format!("{:#}", sections(&other.0).unwrap_err());
        assert!(
            told.ends_with(": is not UTF-8 (byte 3 is none of it); save it as UTF-8"),
            "{told}"
        );
    }
}

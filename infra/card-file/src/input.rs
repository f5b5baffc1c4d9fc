//! Bytes of a card file as UTF-8, with a digest of what was read.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};
use encoding_rs::{Decoder, DecoderResult, UTF_16BE, UTF_16LE};
use zeroize::Zeroize as _;

use crate::error::FileError;
use crate::reader::Digest;

/// Bytes that are read at once. Every read but the last has this length, so that digests of two passes compare.
const READ_BYTES: usize = 64 * 1024;
/// UTF-16 grows by half at most when it becomes UTF-8.
const DECODED_BYTES: usize = READ_BYTES * 3 / 2 + 16;

/// Content of a file, decoded piece by piece.
pub(crate) struct Input {
    file: File,
    digest: Context,
    raw: Vec<u8>,
    utf_16: Option<Utf16>,
    /// Range of `raw`, or of the decoded text, that is not consumed yet.
    unread: std::ops::Range<usize>,
    is_at_end: bool,
}

struct Utf16 {
    decoder: Decoder,
    text: Vec<u8>,
}

impl Input {
    /// Opens a file and looks at its beginning.
    pub(crate) fn open(path: &Path) -> Result<Self, FileError> {
        let mut input = Self {
            file: File::open(path)?,
            digest: Context::new(&SHA256),
            raw: vec![0; READ_BYTES],
            utf_16: None,
            unread: 0..0,
            is_at_end: false,
        };
        let read = input.read_raw()?;
        input.unread = match &input.raw[..read] {
            [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => return Err(FileError::ZeroBytes),
            [0xff, 0xfe, ..] => input.decode_from(UTF_16LE.new_decoder_with_bom_removal(), read)?,
            [0xfe, 0xff, ..] => input.decode_from(UTF_16BE.new_decoder_with_bom_removal(), read)?,
            [0xef, 0xbb, 0xbf, ..] => 3..read,
            [b'P', b'K', 3 | 5, ..] | [0xd0, 0xcf, 0x11, 0xe0, ..] | [0x1f, 0x8b, ..] => {
                return Err(FileError::Archive);
            }
            _ => 0..read,
        };
        if input.unread.is_empty() && input.is_at_end {
            return Err(FileError::Empty);
        }
        if input.peek().contains(&0) {
            return Err(FileError::ZeroBytes);
        }
        Ok(input)
    }

    /// Bytes that are read and not consumed.
    pub(crate) fn peek(&self) -> &[u8] {
        let text = self.utf_16.as_ref().map_or(&self.raw, |utf_16| &utf_16.text);
        &text[self.unread.clone()]
    }

    /// Returns at least one byte; none at the end of the file.
    pub(crate) fn fill(&mut self) -> Result<&[u8], FileError> {
        while self.unread.is_empty() && !self.is_at_end {
            let read = self.read_raw()?;
            self.unread = match &mut self.utf_16 {
                None => 0..read,
                Some(utf_16) => 0..utf_16.decode(&self.raw[..read], self.is_at_end)?,
            };
        }
        Ok(self.peek())
    }

    pub(crate) fn consume(&mut self, bytes: usize) {
        self.unread.start += bytes;
    }

    /// Digest of the bytes that were read so far; of the whole file at its end.
    pub(crate) fn digest(&self) -> Digest {
        Digest::of(&self.digest.clone().finish())
    }

    fn decode_from(&mut self, decoder: Decoder, read: usize) -> Result<std::ops::Range<usize>, FileError> {
        let text = vec![0; DECODED_BYTES];
        let utf_16 = self.utf_16.insert(Utf16 { decoder, text });
        Ok(0..utf_16.decode(&self.raw[..read], self.is_at_end)?)
    }

    fn read_raw(&mut self) -> Result<usize, FileError> {
        let mut filled = 0;
        while filled < READ_BYTES {
            match self.file.read(&mut self.raw[filled..]) {
                Ok(0) => {
                    self.is_at_end = true;
                    break;
                }
                Ok(read) => filled += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.digest.update(&self.raw[..filled]);
        Ok(filled)
    }
}

impl Utf16 {
    fn decode(&mut self, raw: &[u8], is_last: bool) -> Result<usize, FileError> {
        let (result, read, written) =
            self.decoder
                .decode_to_utf8_without_replacement(raw, &mut self.text, is_last);
        match result {
            DecoderResult::InputEmpty if read == raw.len() => Ok(written),
            _ => Err(FileError::BrokenUtf16),
        }
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        self.raw.zeroize();
        if let Some(utf_16) = &mut self.utf_16 {
            utf_16.text.zeroize();
        }
    }
}

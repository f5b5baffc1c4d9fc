//! Text as editors and tools save it: with or without a byte-order mark, in UTF-8 or UTF-16, with any line end.

/// The byte-order mark of UTF-8.
pub const UTF_8_MARK: &[u8] = b"\xef\xbb\xbf";

const MARK: char = '\u{feff}';

/// Failure to decode the text of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodingError {
    /// A byte that is invalid in UTF-8: windows-1252 or similar, or no text at all.
    #[error("is not UTF-8 (byte {at} is none of it); save it as UTF-8")]
    NotUtf8 {
        /// Position of the first invalid byte, from 1.
        at: usize,
    },
    /// UTF-16 with its mark, incomplete or damaged.
    #[error("is damaged UTF-16; save it as UTF-8")]
    BrokenUtf16,
    /// UTF-16 or UTF-32 without its mark.
    #[error("has zero bytes, as UTF-16 without a byte-order mark has; save it as UTF-8")]
    ZeroBytes,
}

/// Decodes a text file: UTF-8, or UTF-16 with its byte-order mark. Marks at the beginning are dropped; CRLF becomes LF, and so
/// does the CR CR LF of a file that was converted twice.
///
/// # Errors
/// On other encodings: a guess at one could take a name for another.
pub fn text(bytes: &[u8]) -> Result<String, EncodingError> {
    let text = match bytes {
        // UTF-32 little-endian begins like UTF-16.
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => return Err(EncodingError::ZeroBytes),
        [0xff, 0xfe, rest @ ..] => utf_16(rest, u16::from_le_bytes)?,
        [0xfe, 0xff, rest @ ..] => utf_16(rest, u16::from_be_bytes)?,
        _ => String::from_utf8(bytes.to_vec()).map_err(|error| EncodingError::NotUtf8 {
            at: error.utf8_error().valid_up_to() + 1,
        })?,
    };
    if text.contains('\0') {
        return Err(EncodingError::ZeroBytes);
    }
    Ok(with_bare_line_feeds(text.trim_start_matches(MARK)))
}

/// Removes carriage returns before a line feed: one, or several in a file that was converted twice.
fn with_bare_line_feeds(text: &str) -> String {
    let Some((lines, last)) = text.rsplit_once('\n') else {
        return text.to_owned();
    };
    let mut read: String = lines
        .split('\n')
        .flat_map(|line| [line.trim_end_matches('\r'), "\n"])
        .collect();
    read.push_str(last);
    read
}

/// Removes blanks and byte-order marks from both ends, so that an id has one spelling.
pub fn trimmed(text: &str) -> &str {
    text.trim_matches(|character: char| character.is_whitespace() || character == MARK)
}

/// Returns a request's body without the byte-order mark that some clients put before it (RFC 8259 §8.1 lets a reader ignore it).
pub fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(UTF_8_MARK).unwrap_or(body)
}

fn utf_16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, EncodingError> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(EncodingError::BrokenUtf16);
    }
    let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
    String::from_utf16(&units).map_err(|_| EncodingError::BrokenUtf16)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn utf_16_le(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn marks_and_line_ends_are_taken_away() {
        for bytes in [
            b"a\nb".to_vec(),
            b"a\r\nb".to_vec(),
            b"\xef\xbb\xbfa\r\nb".to_vec(),
            b"\xef\xbb\xbf\xef\xbb\xbfa\nb".to_vec(),
            b"a\r\r\nb".to_vec(),
            utf_16_le("\u{feff}a\r\nb"),
            "\u{feff}a\nb".encode_utf16().flat_map(u16::to_be_bytes).collect(),
        ] {
            assert_eq!(text(&bytes).as_deref(), Ok("a\nb"), "{bytes:?}");
        }
    }

    #[test]
    fn each_other_encoding_is_refused_by_its_name() {
        assert_eq!(text(b"Gr\xf6\xdfe"), Err(EncodingError::NotUtf8 { at: 3 }));
        assert_eq!(text(&utf_16_le("Maria")), Err(EncodingError::ZeroBytes));
        assert_eq!(text(b"\xff\xfe\0\0M\0\0\0"), Err(EncodingError::ZeroBytes));
        assert_eq!(text(b"\xff\xfeM"), Err(EncodingError::BrokenUtf16));
        assert_eq!(text(b"\xff\xfe\x00\xd8"), Err(EncodingError::BrokenUtf16));
    }

    #[test]
    fn an_id_has_no_blanks_at_its_ends() {
        for written in [
            "maria 7",
            " maria 7\t",
            "\u{feff}maria 7\n",
            "\u{a0}maria 7\u{3000}\u{feff} \n",
        ] {
            assert_eq!(trimmed(written), "maria 7", "{written:?}");
        }
        assert_eq!(trimmed(" \u{feff} "), "");
    }

    proptest! {
        #[test]
        fn any_text_is_read_alike_from_both_encodings(written in "(\r|\n|[^\\x00\\x{feff}]){0,60}") {
            let read = text(written.as_bytes()).unwrap();
            prop_assert_eq!(text(&utf_16_le(&format!("\u{feff}{written}"))), Ok(read.clone()));
            let mut expected = written;
            while expected.contains("\r\n") {
                expected = expected.replace("\r\n", "\n");
            }
            prop_assert_eq!(read, expected);
        }
    }
}

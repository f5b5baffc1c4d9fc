use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252, mem::decode_latin1};

/// Encoding of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Charset {
    Ascii,
    Utf8,
    Utf16BigEndian,
    Utf16LittleEndian,
    Latin1,
    Windows1252,
}

/// Start of a document (XML 1.0, appendix F).
enum Start {
    /// Byte-order mark of this length.
    Mark(Charset, usize),
    /// `<` in two bytes.
    Wide(Charset),
    /// ASCII, at least in the declaration.
    Narrow,
}

/// Number of bytes in which a declaration is searched.
const MAX_DECLARATION: usize = 256;

/// Decodes a document by its byte-order mark, the `charset` of its `Content-Type` or its XML declaration, in this order
/// (RFC 7303 §3.2), and as UTF-8 without any of them. Bytes that are invalid in the encoding are an error and never
/// replaced.
pub(crate) fn decode<'a>(bytes: &'a [u8], charset: Option<&str>) -> Result<Cow<'a, str>, &'static str> {
    let start = Start::of(bytes);
    let named = charset.map(|name| Charset::named(name).ok_or("an encoding that is not known"));
    let (charset, bytes) = match start {
        Start::Mark(charset, length) => (charset, &bytes[length..]),
        Start::Wide(charset) => match named.transpose()? {
            // A name that leaves the order of the bytes open, or says the same.
            None | Some(Charset::Utf16BigEndian | Charset::Utf16LittleEndian) => (charset, bytes),
            Some(_) => return Err("bytes of another encoding than the one named"),
        },
        Start::Narrow => {
            let charset = match named.transpose()? {
                Some(charset) => charset,
                None => match declared(bytes)? {
                    Some(name) => Charset::named(name).ok_or("an encoding that is not known")?,
                    None => Charset::Utf8,
                },
            };
            if matches!(charset, Charset::Utf16BigEndian | Charset::Utf16LittleEndian) {
                return Err("bytes of another encoding than the one named");
            }
            (charset, bytes)
        }
    };
    charset
        .decode(bytes)
        .ok_or("bytes that the encoding does not have")
}

impl Start {
    fn of(bytes: &[u8]) -> Self {
        match bytes {
            [0xef, 0xbb, 0xbf, ..] => Self::Mark(Charset::Utf8, 3),
            // UTF-32, whose mark begins with that of UTF-16, ends as a text with zeros, which XML forbids.
            [0xff, 0xfe, ..] => Self::Mark(Charset::Utf16LittleEndian, 2),
            [0xfe, 0xff, ..] => Self::Mark(Charset::Utf16BigEndian, 2),
            [b'<', 0, ..] => Self::Wide(Charset::Utf16LittleEndian),
            [0, b'<', ..] => Self::Wide(Charset::Utf16BigEndian),
            _ => Self::Narrow,
        }
    }
}

impl Charset {
    /// Names of the encoding: those registered by the IANA that occur in practice, and `utf8`, which is not registered.
    fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "us-ascii" | "ascii" | "iso646-us" | "ansi_x3.4-1968" => Some(Self::Ascii),
            "utf-8" | "utf8" => Some(Self::Utf8),
            "utf-16" | "utf16" | "utf-16be" | "utf16be" | "utf-16 be" => Some(Self::Utf16BigEndian),
            "utf-16le" | "utf16le" => Some(Self::Utf16LittleEndian),
            "iso-8859-1" | "iso8859-1" | "iso_8859-1" | "iso88591" | "latin1" | "latin-1" | "l1" => {
                Some(Self::Latin1)
            }
            "windows-1252" | "cp1252" | "cp-1252" => Some(Self::Windows1252),
            _ => None,
        }
    }

    fn decode(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        let by =
            |encoding: &'static Encoding| encoding.decode_without_bom_handling_and_without_replacement(bytes);
        match self {
            Self::Ascii if !bytes.is_ascii() => None,
            Self::Ascii | Self::Utf8 => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Self::Utf16BigEndian => by(UTF_16BE),
            Self::Utf16LittleEndian => by(UTF_16LE),
            // Of its own: what the Web calls ISO-8859-1 is windows-1252.
            Self::Latin1 => Some(decode_latin1(bytes)),
            Self::Windows1252 => by(WINDOWS_1252),
        }
    }
}

/// Returns the encoding of an XML declaration, or `None` without a declaration or an encoding in it.
fn declared(bytes: &[u8]) -> Result<Option<&str>, &'static str> {
    let bytes = bytes.trim_ascii_start();
    if !bytes.starts_with(b"<?xml") {
        return Ok(None);
    }
    let bytes = &bytes[..bytes.len().min(MAX_DECLARATION)];
    let end = bytes
        .windows(2)
        .position(|pair| pair == b"?>")
        .ok_or("a declaration without an end")?;
    let declaration = std::str::from_utf8(&bytes[..end]).map_err(|_| "a declaration that is not ASCII")?;
    let Some((_, rest)) = declaration.split_once("encoding") else {
        return Ok(None);
    };
    let value = rest.trim_start().strip_prefix('=').map(str::trim_start);
    value
        .and_then(|value| {
            let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
            value[1..].split_once(quote).map(|(name, _)| Some(name))
        })
        .ok_or("a malformed declaration")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "<a>Jürgen €</a>";

    fn wide(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(unit).collect()
    }

    fn read(bytes: &[u8], charset: Option<&str>) -> Result<String, &'static str> {
        decode(bytes, charset).map(Cow::into_owned)
    }

    #[test]
    fn byte_order_mark_takes_precedence() {
        for (mark, body) in [
            (&b"\xef\xbb\xbf"[..], TEXT.as_bytes().to_vec()),
            (b"\xff\xfe", wide(TEXT, u16::to_le_bytes)),
            (b"\xfe\xff", wide(TEXT, u16::to_be_bytes)),
        ] {
            let bytes = [mark, &body].concat();
            for charset in [None, Some("iso-8859-1"), Some("utf-8")] {
                assert_eq!(read(&bytes, charset).as_deref(), Ok(TEXT), "{mark:?} {charset:?}");
            }
        }
    }

    #[test]
    fn content_type_precedes_the_declaration() {
        let document = b"<?xml version='1.0' encoding='UTF-8'?><a>\xfc</a>";
        assert_eq!(
            read(document, Some("ISO-8859-1")).as_deref(),
            Ok("<?xml version='1.0' encoding='UTF-8'?><a>\u{fc}</a>")
        );
        assert!(read(document, None).is_err());
    }

    #[test]
    fn each_encoding_is_read_by_its_declaration() {
        for (name, byte, character) in [
            ("UTF8", &b"\xc3\xbc"[..], 'ü'),
            ("utf8", b"\xc3\xbc", 'ü'),
            ("utf-8", b"\xe2\x82\xac", '€'),
            ("ISO-8859-1", b"\xfc", 'ü'),
            ("latin1", b"\x85", '\u{85}'),
            ("windows-1252", b"\x80", '€'),
            ("US-ASCII", b"u", 'u'),
        ] {
            let head = format!("\r\n<?xml version=\"1.0\" encoding = \"{name}\" standalone='yes' ?><a>");
            let document = [head.as_bytes(), byte, b"</a>"].concat();
            let expected = format!("{head}{character}</a>");
            assert_eq!(read(&document, None), Ok(expected), "{name}");
        }
    }

    #[test]
    fn utf_16_without_a_mark_is_read() {
        let document = format!("<?xml version='1.0' encoding='UTF-16'?>{TEXT}");
        for unit in [u16::to_le_bytes, u16::to_be_bytes] {
            for charset in [None, Some("utf-16"), Some("UTF-16LE")] {
                assert_eq!(read(&wide(&document, unit), charset).as_ref(), Ok(&document));
            }
            assert!(read(&wide(&document, unit), Some("utf-8")).is_err());
        }
    }

    #[test]
    fn unknown_or_invalid_encoding_is_an_error() {
        for (bytes, charset) in [
            (&b"<a>\xff</a>"[..], None),
            (b"<a>\xfc</a>", Some("us-ascii")),
            (b"<a/>", Some("koi8-r")),
            (b"<a/>", Some("")),
            (b"<a/>", Some("utf-16")),
            (b"\xff\xfe<", None),
            (b"\xff\xfe\x00\xd8", None),
            (b"<?xml version='1.0' encoding='EBCDIC-CP-BE'?><a/>", None),
            (b"<?xml version='1.0' encoding='UTF-16'?><a/>", None),
            (b"<?xml version='1.0' encoding=utf-8?><a/>", None),
            (b"<?xml version='1.0' encoding='utf-8", None),
            (b"+ADw-a/+AD4-", Some("utf-7")),
        ] {
            assert!(read(bytes, charset).is_err(), "{bytes:?} {charset:?}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_do_not_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..256),
            charset in proptest::option::of("[a-zA-Z0-9-]{0,12}"),
        ) {
            let _ = decode(&bytes, charset.as_deref());
        }

        #[test]
        fn arbitrary_declarations_do_not_panic(rest in "[ encodig='\"?>a-z0-9é]{0,80}") {
            let _ = decode(format!("<?xml{rest}").as_bytes(), None);
        }
    }
}

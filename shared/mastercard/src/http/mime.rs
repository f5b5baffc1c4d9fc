//! Media type of an answer, and the only part of an MTOM message (W3C "SOAP Message Transmission Optimization
//! Mechanism"): a `multipart/related` body (RFC 2387) whose root part is the envelope.

/// Document in an HTTP body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Document<'a> {
    pub(crate) bytes: &'a [u8],
    /// `charset` of its `Content-Type`.
    pub(crate) charset: Option<String>,
}

/// `Content-Type` (RFC 9110 §8.3.1). Type and names of parameters are in lower case.
struct ContentType {
    media: String,
    parameters: Vec<(String, String)>,
}

/// Headers of a part that are used.
#[derive(Default)]
struct PartHeaders {
    content_type: Option<String>,
    content_id: Option<String>,
    transfer_encoding: Option<String>,
}

/// Length of a boundary (RFC 2046 §5.1.1).
const BOUNDARY_CHARS: std::ops::RangeInclusive<usize> = 1..=70;

/// Longest headers of a part, in bytes.
const MAX_HEADERS: usize = 8 * 1024;

/// Returns the document: the body itself, or the only part of a `multipart/related` body. Several parts and a truncated
/// part are errors.
pub(crate) fn document<'a>(content_type: Option<&str>, body: &'a [u8]) -> Result<Document<'a>, &'static str> {
    let content_type = ContentType::parse(content_type.unwrap_or_default());
    if !content_type.media.starts_with("multipart/") {
        return Ok(Document {
            bytes: body,
            charset: content_type.parameter("charset"),
        });
    }
    if content_type.media != "multipart/related" {
        return Err("a multipart body of another kind");
    }
    let boundary = content_type
        .parameter("boundary")
        .filter(|boundary| BOUNDARY_CHARS.contains(&boundary.len()))
        .ok_or("a multipart body without a boundary")?;
    let (headers, bytes) = only_part(body, &boundary)?;
    let headers = PartHeaders::parse(headers)?;
    if let Some(start) = content_type.parameter("start")
        && headers.content_id.as_deref() != Some(start.trim())
    {
        return Err("a multipart body without its root part");
    }
    if let Some(encoding) = headers.transfer_encoding
        && !["7bit", "8bit", "binary"]
            .iter()
            .any(|known| encoding.eq_ignore_ascii_case(known))
    {
        return Err("a part in a transfer encoding");
    }
    let part_type = ContentType::parse(headers.content_type.as_deref().unwrap_or_default());
    if part_type.media.starts_with("multipart/") {
        return Err("a multipart body inside another");
    }
    Ok(Document {
        bytes,
        charset: part_type.parameter("charset"),
    })
}

impl ContentType {
    /// Parses a `Content-Type`. An invalid value is parsed up to its fault.
    fn parse(value: &str) -> Self {
        let (media, mut rest) = value.split_at(value.find(';').unwrap_or(value.len()));
        let mut parameters = Vec::new();
        while let Some(after) = rest.strip_prefix(';') {
            let after = after.trim_start();
            let end = after.find(['=', ';']).unwrap_or(after.len());
            let (name, after) = after.split_at(end);
            let Some(after) = after.strip_prefix('=') else {
                rest = after;
                continue;
            };
            let after = after.trim_start();
            let (value, after) = if let Some(quoted) = after.strip_prefix('"') {
                unquote(quoted)
            } else {
                let end = after.find(';').unwrap_or(after.len());
                (after[..end].trim().to_owned(), &after[end..])
            };
            parameters.push((name.trim().to_ascii_lowercase(), value));
            rest = after.trim_start();
        }
        Self {
            media: media.trim().to_ascii_lowercase(),
            parameters,
        }
    }

    fn parameter(&self, name: &str) -> Option<String> {
        let found = self.parameters.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone())
    }
}

/// Parses a quoted string up to its closing quote, and returns it with the rest of the text.
fn unquote(quoted: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    (value, "")
}

/// Returns headers and content of the part between the first delimiter and the closing one.
fn only_part<'a>(body: &'a [u8], boundary: &str) -> Result<(&'a [u8], &'a [u8]), &'static str> {
    const CUT: &str = "a multipart body that is cut off";
    let delimiter = format!("--{boundary}");
    let first = delimiter_line(body, &delimiter).ok_or("a multipart body without a part")?;
    let part = match first.after.as_slice() {
        _ if first.closes => return Err("a multipart body without a part"),
        [rest] => *rest,
        _ => return Err(CUT),
    };
    let next = delimiter_line(part, &delimiter).ok_or(CUT)?;
    if !next.closes {
        return Err("a multipart body of several parts");
    }
    let part = &part[..next.start];
    // A part without headers begins with the empty line.
    for (gap, skip) in [(&b"\r\n"[..], 2), (b"\n", 1)] {
        if part.starts_with(gap) {
            return Ok((b"", &part[skip..]));
        }
    }
    let window = &part[..part.len().min(MAX_HEADERS)];
    let at = |gap: &[u8]| window.windows(gap.len()).position(|bytes| bytes == gap);
    let (end, length) = match (at(b"\r\n\r\n"), at(b"\n\n")) {
        (Some(crlf), Some(lf)) if lf < crlf => (lf, 2),
        (Some(crlf), _) => (crlf, 4),
        (None, Some(lf)) => (lf, 2),
        (None, None) => return Err("a part whose headers do not end"),
    };
    Ok((&part[..end], &part[end + length..]))
}

/// Line that starts with a delimiter.
struct DelimiterLine<'a> {
    /// Start of the line, or of the line break before it, which belongs to the delimiter.
    start: usize,
    /// Whether it closes the last part.
    closes: bool,
    /// Rest of the text after the line; empty if the line does not end.
    after: Vec<&'a [u8]>,
}

/// Finds the first delimiter at the start of a line without other text.
fn delimiter_line<'a>(bytes: &'a [u8], delimiter: &str) -> Option<DelimiterLine<'a>> {
    let mut from = 0;
    while let Some(found) = bytes
        .get(from..)?
        .windows(delimiter.len())
        .position(|window| window == delimiter.as_bytes())
    {
        let at = from + found;
        from = at + 1;
        let before = &bytes[..at];
        let start = match before {
            [] => 0,
            [.., b'\r', b'\n'] => at - 2,
            [.., b'\n'] => at - 1,
            _ => continue,
        };
        let rest = &bytes[at + delimiter.len()..];
        if rest.starts_with(b"--") {
            return Some(DelimiterLine {
                start,
                closes: true,
                after: Vec::new(),
            });
        }
        let line_end = rest.iter().position(|byte| *byte == b'\n');
        let line = &rest[..line_end.unwrap_or(rest.len())];
        // Another boundary may begin with this one.
        if line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r')) {
            return Some(DelimiterLine {
                start,
                closes: false,
                after: line_end.map(|end| &rest[end + 1..]).into_iter().collect(),
            });
        }
    }
    None
}

impl PartHeaders {
    /// Parses `name: value` lines, and joins folded ones (RFC 5322 §2.2.3).
    fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        let text = std::str::from_utf8(bytes).map_err(|_| "a part whose headers are not ASCII")?;
        let mut lines: Vec<String> = Vec::new();
        for line in text.lines() {
            match lines.last_mut() {
                Some(last) if line.starts_with([' ', '\t']) => {
                    last.push(' ');
                    last.push_str(line.trim());
                }
                _ => lines.push(line.to_owned()),
            }
        }
        let mut headers = Self::default();
        for line in &lines {
            let (name, value) = line.split_once(':').ok_or("a part with a malformed header")?;
            let slot = match name.trim().to_ascii_lowercase().as_str() {
                "content-type" => &mut headers.content_type,
                "content-id" => &mut headers.content_id,
                "content-transfer-encoding" => &mut headers.transfer_encoding,
                _ => continue,
            };
            if slot.replace(value.trim().to_owned()).is_some() {
                return Err("a part with a header twice");
            }
        }
        Ok(headers)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RELATED: &str = "multipart/related; type=\"application/xop+xml\"; start=\"<root@example>\"; \
                           start-info=\"text/xml\"; boundary=\"uuid:1\"";

    fn part(headers: &str) -> String {
        format!("--uuid:1\r\n{headers}\r\n\r\n<a/>\r\n--uuid:1--\r\n")
    }

    fn read(content_type: &str, body: &str) -> Result<(String, Option<String>), &'static str> {
        let document = document(Some(content_type), body.as_bytes())?;
        let text = String::from_utf8(document.bytes.to_vec()).unwrap();
        Ok((text, document.charset))
    }

    fn charset(content_type: &str) -> Option<String> {
        read(content_type, "<a/>").unwrap().1
    }

    #[test]
    fn plain_document_is_returned_unchanged() {
        assert_eq!(charset(""), None);
        assert_eq!(charset("text/xml"), None);
        for content_type in [
            "text/xml; charset=utf-8",
            "Text/XML;action=\"a;b=c\\\"\" ; CharSet = \"utf-8\";",
            "application/soap+xml;x;charset=utf-8; charset=koi8-r",
        ] {
            assert_eq!(charset(content_type).as_deref(), Some("utf-8"), "{content_type}");
        }
    }

    #[test]
    fn only_part_of_a_message_is_read() {
        let folded = "content-type: application/xop+xml;\r\n\tcharset=UTF-8;\r\n type=\"text/xml\"\r\n\
                      Content-Transfer-Encoding: BINARY\r\nContent-ID: <root@example>";
        let expected = Ok(("<a/>".to_owned(), Some("UTF-8".to_owned())));
        assert_eq!(read(RELATED, &part(folded)), expected);
        let preamble = format!("a preamble\r\n--uuid:12\r\n\r\n{}an epilogue", part(folded));
        assert_eq!(read(RELATED, &preamble), expected);
        assert_eq!(read(RELATED, &part(folded).replace("\r\n", "\n")), expected);
        let bare = "multipart/related;boundary=b";
        assert_eq!(
            read(bare, "--b \r\n\r\n<a/>\r\n--b--"),
            Ok(("<a/>".to_owned(), None))
        );
        assert_eq!(
            read(bare, "--b\r\n\r\nx--b\r\n--bc\n\r\n--b--"),
            Ok(("x--b\r\n--bc\n".to_owned(), None))
        );
    }

    #[test]
    fn several_or_truncated_parts_are_refused() {
        let headers = "Content-Type: text/xml\r\nContent-ID: <root@example>";
        let good = part(headers);
        assert!(read(RELATED, &good).is_ok());
        let two = good.replace("--uuid:1--", "--uuid:1\r\n\r\npicture\r\n--uuid:1--");
        assert_eq!(read(RELATED, &two), Err("a multipart body of several parts"));
        for end in 0..good.len() - "--\r\n".len() {
            assert!(read(RELATED, &good[..end]).is_err(), "{end}");
        }
        for (content_type, body) in [
            ("multipart/related", good.clone()),
            ("multipart/related; boundary=\"\"", good.clone()),
            ("multipart/mixed; boundary=\"uuid:1\"", good.clone()),
            (RELATED, "--uuid:1--".to_owned()),
            (RELATED, part("Content-ID: <other@example>")),
            (RELATED, part("Content-Type: text/xml")),
            (RELATED, part(&format!("{headers}\r\n{headers}"))),
            (RELATED, part(&format!("{headers}\r\nnot a header"))),
            (
                RELATED,
                part(&format!("{headers}\r\nContent-Transfer-Encoding: base64")),
            ),
            (
                RELATED,
                part(&headers.replace("text/xml", "multipart/related; boundary=c")),
            ),
        ] {
            assert!(read(content_type, &body).is_err(), "{content_type}\n{body}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_messages_do_not_panic(
            content_type in "(multipart/related)?[; =\\\\\"a-z]{0,40}",
            body in "[-b\r\n :a]{0,80}",
        ) {
            let _ = document(Some(&content_type), body.as_bytes());
            let _ = document(Some("multipart/related;boundary=b"), body.as_bytes());
        }

        #[test]
        fn part_is_returned_byte_for_byte(content in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assume!(!content.windows(4).any(|window| window == b"--b-"));
            let message = [b"--b-\r\n\r\n", &content[..], b"\r\n--b---\r\n"].concat();
            let document = document(Some("multipart/related; boundary=b-"), &message);
            prop_assert_eq!(document.map(|document| document.bytes), Ok(&content[..]));
        }
    }
}

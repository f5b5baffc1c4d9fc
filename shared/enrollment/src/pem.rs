//! PEM as tools and people leave it: lines of any length or none, text around the sections, blanks at the ends of
//! lines, `\n` as two characters, base64 of either alphabet.
//!
//! The parsers of RFC 7468 in libraries are strict on purpose, since they read what programs pass to each other. This one
//! finds the sections; what is in them is DER, which libraries read.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const DASHES: &str = "-----";
const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
/// Longest label, in bytes.
const MAX_LABEL: usize = 64;
/// RFC 7468 §2.
const LINE: usize = 64;

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// One section of a PEM file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The words after `BEGIN`, in capitals: `PUBLIC KEY`.
    pub label: String,
    /// Fields before the content (RFC 1421), such as `Proc-Type: 4,ENCRYPTED`.
    pub headers: Vec<String>,
    /// The decoded content.
    pub content: Vec<u8>,
}

/// Failure to read a text with PEM sections.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PemError {
    /// The file is incomplete.
    #[error("has a section {0} without an end: the file breaks off")]
    Unfinished(String),
    /// Begin and end name different sections.
    #[error("has a section that begins as {begin} and ends as {end}")]
    Mismatch {
        /// The label at the beginning.
        begin: String,
        /// The label at the end.
        end: String,
    },
    /// Content with a character or a length that base64 can't have.
    #[error("has a section {0} that is not base64: it is damaged")]
    NotBase64(String),
}

impl Section {
    /// Whether the content is encrypted under a password, the older way.
    pub fn is_encrypted(&self) -> bool {
        self.headers
            .iter()
            .any(|header| header.starts_with("Proc-Type") && header.contains("ENCRYPTED"))
    }

    /// As RFC 7468 has it: base64 in lines of 64 characters.
    pub fn to_pem(&self) -> String {
        let Self {
            label,
            headers,
            content,
        } = self;
        let mut pem = format!("{BEGIN}{label}{DASHES}\n");
        for header in headers {
            pem.push_str(header);
            pem.push('\n');
        }
        if !headers.is_empty() {
            pem.push('\n');
        }
        for line in content.chunks(LINE / 4 * 3) {
            STANDARD.encode_string(line, &mut pem);
            pem.push('\n');
        }
        pem + &format!("{END}{label}{DASHES}\n")
    }
}

/// Returns the sections of a text, without the text around them.
///
/// # Errors
/// On a section that is incomplete or damaged.
pub fn sections(text: &str) -> Result<Vec<Section>, PemError> {
    // Copied out of JSON, or given by a variable of the environment.
    let text = text.replace("\\r", "").replace("\\n", "\n");
    let mut sections = Vec::new();
    let mut rest = text.as_str();
    while let Some((_, after)) = split(rest, BEGIN) {
        let Some((begin, after)) = label(after) else {
            // Dashes and the word in a text around.
            rest = after;
            continue;
        };
        let unfinished = || PemError::Unfinished(begin.clone());
        let (body, after) = split(after, END).ok_or_else(unfinished)?;
        if split(body, BEGIN).is_some() {
            return Err(unfinished());
        }
        let (end, after) = label(after).ok_or_else(unfinished)?;
        if begin != end {
            return Err(PemError::Mismatch { begin, end });
        }
        sections.push(section(begin, body)?);
        rest = after;
    }
    Ok(sections)
}

/// Returns the sections of a text as strict readers accept them, one after the other; the text itself where it has none.
///
/// # Errors
/// On a section that is incomplete or damaged.
pub fn rewrapped(text: &str) -> Result<String, PemError> {
    let sections = sections(text)?;
    if sections.is_empty() {
        return Ok(text.to_owned());
    }
    Ok(sections.iter().map(Section::to_pem).collect())
}

/// Decodes base64 of either alphabet (RFC 4648 §4 and §5), with padding or without, in lines of any length.
pub fn base64(text: &str) -> Option<Vec<u8>> {
    let one_alphabet: String = text
        .chars()
        .filter(|character| !character.is_whitespace())
        .map(|character| match character {
            '-' => '+',
            '_' => '/',
            other => other,
        })
        .collect();
    LENIENT.decode(one_alphabet).ok()
}

fn section(label: String, body: &str) -> Result<Section, PemError> {
    let (headers, lines): (Vec<&str>, Vec<&str>) = body.lines().partition(|line| line.contains(':'));
    match base64(&lines.concat()) {
        Some(content) if !content.is_empty() => Ok(Section {
            label,
            headers: headers
                .into_iter()
                .map(|header| header.trim().to_owned())
                .collect(),
            content,
        }),
        _ => Err(PemError::NotBase64(label)),
    }
}

/// Splits a text at the first `marker`, in upper or lower case.
fn split<'a>(text: &'a str, marker: &str) -> Option<(&'a str, &'a str)> {
    let at = text
        .as_bytes()
        .windows(marker.len())
        .position(|window| window.eq_ignore_ascii_case(marker.as_bytes()))?;
    // A marker is ASCII, so both ends are boundaries of characters.
    Some((text.get(..at)?, text.get(at + marker.len()..)?))
}

fn label(text: &str) -> Option<(String, &str)> {
    let (label, after) = text.split_once(DASHES)?;
    let is_label = (1..=MAX_LABEL).contains(&label.len())
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'-' | b'#'));
    is_label.then(|| (label.trim().to_ascii_uppercase(), after))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::PUBLIC_KEY_PEM;

    fn one(text: &str) -> Section {
        let mut sections = sections(text).unwrap();
        assert_eq!(sections.len(), 1, "{text}");
        sections.remove(0)
    }

    #[test]
    fn however_it_is_wrapped_the_content_is_the_same() {
        let whole = one(PUBLIC_KEY_PEM);
        assert_eq!(whole.to_pem(), PUBLIC_KEY_PEM);
        let body: String = PUBLIC_KEY_PEM
            .lines()
            .filter(|line| !line.starts_with('-'))
            .collect();
        let url_safe = body.replace('+', "-").replace('/', "_");
        let wide: Vec<&str> = body
            .as_bytes()
            .chunks(76)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        let wide = wide.join("\r\n");
        for written in [
            format!("-----BEGIN PUBLIC KEY-----{body}-----END PUBLIC KEY-----"),
            format!("-----BEGIN PUBLIC KEY----- {body} -----END PUBLIC KEY-----"),
            format!("-----BEGIN PUBLIC KEY-----\n{wide}\n-----END PUBLIC KEY-----"),
            format!("-----BEGIN PUBLIC KEY-----\n\n{body}\n\n-----END PUBLIC KEY-----\n\n"),
            format!("-----BEGIN PUBLIC KEY-----\n{url_safe}\n-----END PUBLIC KEY-----"),
            format!("-----begin public key-----\n{body}\n-----end public key-----"),
            PUBLIC_KEY_PEM.replace('\n', "\r\n"),
            PUBLIC_KEY_PEM.replace('\n', "  \t\n"),
            PUBLIC_KEY_PEM.replace('\n', "\n    "),
            PUBLIC_KEY_PEM.replace('\n', "\\n"),
            format!("key: \"{}\"", PUBLIC_KEY_PEM.replace('\n', "\\r\\n")),
            PUBLIC_KEY_PEM.replace('\n', "\n\n"),
            format!("Bag Attributes\n    friendlyName: b\n-----BEGIN nothing\n{PUBLIC_KEY_PEM}\nOf Größe\n"),
        ] {
            assert_eq!(one(&written), whole, "{written}");
        }
    }

    #[test]
    fn what_breaks_off_or_is_damaged_is_told() {
        let cut = &PUBLIC_KEY_PEM[..PUBLIC_KEY_PEM.len() - 40];
        for (written, error) in [
            (cut.to_owned(), PemError::Unfinished("PUBLIC KEY".into())),
            (
                format!("{cut}\n{PUBLIC_KEY_PEM}"),
                PemError::Unfinished("PUBLIC KEY".into()),
            ),
            (
                PUBLIC_KEY_PEM.replace("END PUBLIC", "END RSA PUBLIC"),
                PemError::Mismatch {
                    begin: "PUBLIC KEY".into(),
                    end: "RSA PUBLIC KEY".into(),
                },
            ),
            (
                PUBLIC_KEY_PEM.replacen("MII", "M*I", 1),
                PemError::NotBase64("PUBLIC KEY".into()),
            ),
            (
                PUBLIC_KEY_PEM.replacen("MII", "MIIII", 1),
                PemError::NotBase64("PUBLIC KEY".into()),
            ),
            (
                "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----".into(),
                PemError::NotBase64("PUBLIC KEY".into()),
            ),
        ] {
            assert_eq!(sections(&written), Err(error), "{written}");
        }
    }

    #[test]
    fn sections_are_rewrapped_with_their_headers() {
        let encrypted = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n\
                         -----END RSA PRIVATE KEY-----\n";
        assert!(one(encrypted).is_encrypted());
        assert_eq!(rewrapped(encrypted).unwrap(), encrypted);
        let two = format!("first\n{encrypted}second{PUBLIC_KEY_PEM}");
        assert_eq!(rewrapped(&two).unwrap(), format!("{encrypted}{PUBLIC_KEY_PEM}"));
        assert_eq!(rewrapped("nothing").unwrap(), "nothing");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(-----BEGIN A-----|-----END A-----|AAAA|[\\n:\\\\ é-]){0,12}") {
            if let Ok(found) = sections(&text) {
                let written: String = found.iter().map(Section::to_pem).collect();
                prop_assert_eq!(sections(&written).unwrap(), found);
            }
        }
    }
}

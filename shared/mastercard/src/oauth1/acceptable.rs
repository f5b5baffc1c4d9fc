use std::ops::Range;

use super::base_string::percent_decode;

/// Words before the base string in a gateway's text, compared without regard to case.
const MARKER: &str = "acceptable signature base string:";

/// Longest part of a base string that is decoded for a description, in characters.
const CONTEXT: usize = 24;

/// "Acceptable signature base string" of a gateway's refusal: the base string that it made of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptable {
    text: String,
    is_cut: bool,
}

/// First difference between a gateway's base string and ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseStringDifference {
    /// Name of the part that differs: `method`, `address`, or the parameter.
    pub part: String,
    /// Bytes of the gateway's base string that differ.
    pub theirs: Range<usize>,
    /// Bytes of our base string that differ.
    pub ours: Range<usize>,
}

impl Acceptable {
    /// Finds the base string in the body of a gateway's answer (JSON in any of its shapes), in its description, or takes
    /// a text that is a base string itself. Escapes of JSON and HTML are undone.
    pub fn find(text: &str) -> Option<Self> {
        let descriptions = serde_json::from_str::<serde_json::Value>(text.trim_start_matches('\u{feff}'))
            .map(|value| strings(&value))
            .unwrap_or_default();
        let mut sources = descriptions.iter().map(String::as_str).chain([text]);
        sources.find_map(base_string_in)
    }

    /// Base string.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Value of a parameter. A value that the header had percent-encoded is decoded, as an official signer has it.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let parameters = percent_decode(self.text.splitn(3, '&').nth(2)?);
        parameters
            .split('&')
            .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
            .map(percent_decode)
    }

    /// Whether the gateway cut the text off: it lacks the parameters that every request has.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Compares with our base string. `None` means that both are the same, as far as the gateway shows its own.
    pub fn difference(&self, ours: &str) -> Option<BaseStringDifference> {
        let theirs = self.text.as_str();
        let start = common_prefix(theirs.as_bytes(), ours.as_bytes());
        // A text that ends inside a parameter was cut off.
        let may_continue = self.is_cut || !ours.as_bytes()[start..].starts_with(b"%26");
        if start == theirs.len() && may_continue {
            return None;
        }
        let (their_rest, our_rest) = (&theirs.as_bytes()[start..], &ours.as_bytes()[start..]);
        let end = if self.is_cut {
            0
        } else {
            let reversed = |bytes: &[u8]| bytes.iter().rev().copied().collect::<Vec<u8>>();
            common_prefix(&reversed(their_rest), &reversed(our_rest))
        };
        Some(BaseStringDifference {
            part: part_at(if start == ours.len() { theirs } else { ours }, start),
            theirs: start..theirs.len() - end,
            ours: start..ours.len() - end,
        })
    }
}

/// All texts in a JSON value.
fn strings(value: &serde_json::Value) -> Vec<String> {
    match value {
        serde_json::Value::String(text) => vec![text.clone()],
        serde_json::Value::Array(items) => items.iter().flat_map(strings).collect(),
        serde_json::Value::Object(members) => members.values().flat_map(strings).collect(),
        _ => Vec::new(),
    }
}

fn base_string_in(text: &str) -> Option<Acceptable> {
    let lower = text.to_ascii_lowercase();
    let rest = lower.find(MARKER).map_or(text, |at| &text[at + MARKER.len()..]);
    let rest = rest.replace("&amp;", "&").replace("\\u0026", "&");
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%&".contains(&byte);
    let base = rest.trim_start();
    let end = base.bytes().position(|byte| !is_part(byte)).unwrap_or(base.len());
    // A full stop belongs to the sentence around it.
    let base = base[..end].trim_end_matches('.');
    let mut parts = base.splitn(3, '&');
    let method = parts.next()?;
    let address = parts.next()?;
    let is_base = !method.is_empty()
        && method.bytes().all(|byte| byte.is_ascii_uppercase())
        && address.starts_with("http");
    let parameters = parts.next().unwrap_or_default();
    is_base.then(|| Acceptable {
        text: base.to_owned(),
        is_cut: !parameters.contains("oauth_version%3D1.0"),
    })
}

fn common_prefix(one: &[u8], other: &[u8]) -> usize {
    one.iter()
        .zip(other)
        .take_while(|(one, other)| one == other)
        .count()
}

/// Names the part of a base string at a position.
fn part_at(base: &str, at: usize) -> String {
    let at = base[floor(base, at)..]
        .strip_prefix("%26")
        .map_or(at, |_| at + "%26".len());
    let before = &base[..floor(base, at)];
    match before.matches('&').count() {
        0 => "method".to_owned(),
        1 => "address".to_owned(),
        _ => {
            let start = before.rfind("%26").map_or_else(
                || before.rfind('&').map_or(0, |found| found + 1),
                |found| found + "%26".len(),
            );
            let name = base[start..].split("%3D").next().unwrap_or_default();
            percent_decode(&percent_decode(name))
                .chars()
                .take(CONTEXT)
                .collect()
        }
    }
}

/// Largest position of a character at or below `at`.
fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at)
}

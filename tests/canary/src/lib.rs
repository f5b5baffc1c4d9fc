#![doc = include_str!("../README.md")]

mod layers;
mod numbers;
mod persons;

use std::fmt;

use crate::layers::{LAYERS, Layer};
use crate::numbers::Number;

/// Number of layers that are taken off, one after the other. An item with a sealed value in a log has three: an escaped
/// text of JSON with base64 in it.
const DEEPEST: usize = 3;

/// A card number, or a word about a person, that was found. It does not contain the number or word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Offset in the bytes, or of the outermost layer.
    pub at: usize,
    /// The layers around it, outermost first.
    pub within: Vec<&'static str>,
    /// First six and last four digits, or what kind of word it is.
    pub masked: String,
}

/// All card numbers that stand in `bytes`, under up to three layers.
///
/// False positives are rare. In random bytes, such as sealed values, a number begins at a
/// given place with a probability of 2⁻³² · (10/256)¹² · 1/10 ≈ 3·10⁻²⁸. In random hexadecimal digits, such as hashes, sixteen
/// that are all decimal make a number with 16⁻⁴ · (10/16)¹² · 1/10 · (6/16)² ≈ 8·10⁻¹⁰: once in a thousand runs that leave
/// a megabyte of hashes each.
pub fn find(bytes: &[u8]) -> Vec<Finding> {
    let numbers = |bytes: &[u8]| {
        numbers::of(bytes)
            .map(|Number { at, masked }| (at, masked))
            .collect()
    };
    everywhere(bytes, numbers)
}

/// Everything in `bytes` that names a customer of the tests, under up to three layers: names, e-mail addresses, ids. A
/// finding says which of them, and not what it is.
pub fn find_persons(bytes: &[u8]) -> Vec<Finding> {
    everywhere(bytes, persons::of)
}

fn everywhere(bytes: &[u8], of: fn(&[u8]) -> Vec<(usize, String)>) -> Vec<Finding> {
    let mut findings = Vec::new();
    search(bytes, of, None, &mut Vec::new(), &mut findings);
    findings
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} at byte {}", self.masked, self.at)?;
        if !self.within.is_empty() {
            write!(formatter, " in {}", self.within.join(" in "))?;
        }
        Ok(())
    }
}

fn search(
    bytes: &[u8],
    of: fn(&[u8]) -> Vec<(usize, String)>,
    outermost: Option<usize>,
    within: &mut Vec<Layer>,
    findings: &mut Vec<Finding>,
) {
    findings.extend(of(bytes).into_iter().map(|(at, masked)| Finding {
        at: outermost.unwrap_or(at),
        within: within.iter().map(|layer| layer.name).collect(),
        masked,
    }));
    if within.len() == DEEPEST {
        return;
    }
    for layer in LAYERS {
        for piece in (layer.take_off)(bytes) {
            within.push(layer);
            search(
                &piece.content,
                of,
                Some(outermost.unwrap_or(piece.at)),
                within,
                findings,
            );
            within.pop();
        }
    }
}

#[cfg(test)]
mod tests;

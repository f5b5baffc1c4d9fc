//! Ranges of card numbers that belong to a program.

use serde::{Deserialize, Serialize};

use crate::identifiers::{Bin, Malformed};

/// A range of card numbers by their first 6 to 11 digits, both ends included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenBinRange", into = "WrittenBinRange")]
pub struct BinRange {
    from: String,
    to: String,
    /// First six digits of both ends.
    bins: (Bin, Bin),
    /// The card's visual design, passed to the page as `designCode`.
    pub design_code: Option<String>,
}

/// A BIN range as it is written, in the client file and in storage.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct WrittenBinRange {
    from: String,
    to: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    design_code: Option<String>,
}

impl BinRange {
    /// A range without a design code.
    ///
    /// # Errors
    /// On an end that is not 6 to 11 digits, on different lengths, and on a `from` above `to`.
    pub fn parse(from: &str, to: &str) -> Result<Self, Malformed> {
        const MALFORMED: Malformed = Malformed::new(
            "BIN range",
            "must be 6 to 11 digits of the same length, 'from' not above 'to'",
        );
        let is_prefix =
            |text: &str| (6..=11).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        // Of equal length, digits sort as numbers do.
        if !is_prefix(from) || !is_prefix(to) || from.len() != to.len() || from > to {
            return Err(MALFORMED);
        }
        Ok(Self {
            from: from.to_owned(),
            to: to.to_owned(),
            bins: (Bin::parse(&from[..6])?, Bin::parse(&to[..6])?),
            design_code: None,
        })
    }

    /// The range with a design code, or without one.
    #[must_use]
    pub fn with_design_code(self, design_code: Option<String>) -> Self {
        Self { design_code, ..self }
    }

    /// Returns the first prefix.
    pub fn from(&self) -> &str {
        &self.from
    }

    /// Returns the last prefix, of the same length.
    pub fn to(&self) -> &str {
        &self.to
    }

    /// Whether a number that starts with `bin` can lie in the range.
    pub fn may_contain(&self, bin: Bin) -> bool {
        let (first, last) = self.bins;
        (first..=last).contains(&bin)
    }
}

impl TryFrom<WrittenBinRange> for BinRange {
    type Error = Malformed;

    fn try_from(written: WrittenBinRange) -> Result<Self, Malformed> {
        Ok(Self::parse(&written.from, &written.to)?.with_design_code(written.design_code))
    }
}

impl From<BinRange> for WrittenBinRange {
    fn from(range: BinRange) -> Self {
        Self {
            from: range.from,
            to: range.to,
            design_code: range.design_code,
        }
    }
}

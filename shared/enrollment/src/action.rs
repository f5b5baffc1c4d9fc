//! Actions of the widget.

use serde::{Deserialize, Serialize};

use crate::identifiers::Malformed;

/// Action that a token asks for (`docs/sources.md#widget`, `actionCode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ActionCode {
    /// `N`: new registration.
    #[serde(rename = "N")]
    Enroll,
    /// `R`: replacement.
    #[serde(rename = "R")]
    Replace,
    /// `C`: opt-out.
    #[serde(rename = "C")]
    OptOut,
}

impl ActionCode {
    /// `N`, `R` or `C`.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        match text {
            "N" => Ok(Self::Enroll),
            "R" => Ok(Self::Replace),
            "C" => Ok(Self::OptOut),
            _ => Err(Malformed::new("actionCode", "must be N, R or C")),
        }
    }

    /// The letter of the widget document.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enroll => "N",
            Self::Replace => "R",
            Self::OptOut => "C",
        }
    }
}

//! Values that Mastercard gives.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::identifiers::Malformed;
use crate::log::{self, by_display};

/// Longest value, in characters. The client of the Issuer Enrollment API reads and sends no longer one.
const LONGEST: usize = 128;

fn graphic(kind: &'static str, text: &str) -> Result<String, Malformed> {
    if (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(text.to_owned())
    } else {
        Err(Malformed::new(
            kind,
            "must be printable ASCII characters without a space, not empty and not too long",
        ))
    }
}

macro_rules! foreign_ids {
    ($($(#[$doc:meta])* $name:ident, $kind:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Parses 1 to 128 printable ASCII characters without a space.
            ///
            /// # Errors
            /// [`Malformed`] with the rule. It never contains the text.
            pub fn parse(text: &str) -> Result<Self, Malformed> {
                graphic($kind, text).map(Self)
            }

            /// Returns the value as Mastercard writes it. Never log it.
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(concat!(stringify!($name), "(…)"))
            }
        }

        impl TryFrom<String> for $name {
            type Error = Malformed;
            fn try_from(text: String) -> Result<Self, Malformed> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )+};
}

foreign_ids! {
    /// Mastercard's id of a batch (`batchId`).
    MastercardBatchId, "batchId";
    /// Value of `X-Src-Cx-Flow-Id`, which is sent back with every later call of the same batch or card.
    FlowId, "X-Src-Cx-Flow-Id";
    /// Mastercard's id of an enrolled card (`srcDigitalCardId`). Sealed wherever it is stored.
    SrcDigitalCardId, "srcDigitalCardId";
    /// Mastercard's id of a consumer (`srcConsumerId`). Sealed wherever it is stored.
    SrcConsumerId, "srcConsumerId";
}

/// Reason of a failure, as Mastercard names it or as one of this service's own words. Only a closed form is kept
/// (`[A-Z][A-Z0-9_-]{0,63}` without four digits in a row), so that the reason may be logged and told.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReasonCode(String);

impl ReasonCode {
    /// Takes a code of the closed form; [`Self::unspecified`] for any other text.
    pub fn of(code: &str) -> Self {
        Self::parse(code).unwrap_or_else(|_| Self::unspecified())
    }

    /// Parses a code of the closed form.
    ///
    /// # Errors
    /// [`Malformed`] where the form is another.
    pub fn parse(code: &str) -> Result<Self, Malformed> {
        if log::is_closed_code(code) {
            Ok(Self(code.to_owned()))
        } else {
            Err(Malformed::new("reason", "must be a code in capital letters"))
        }
    }

    /// Stands for a reason that Mastercard did not give, or gave in no closed form.
    pub fn unspecified() -> Self {
        Self("UNSPECIFIED".into())
    }

    /// Reason of a card whose profile was not created because of another card (`docs/contract.md#batch-results`).
    pub fn profile_incomplete() -> Self {
        Self("PROFILE_INCOMPLETE".into())
    }

    /// Reason of a card that Mastercard certainly never got.
    pub fn not_submitted() -> Self {
        Self("NOT_SUBMITTED".into())
    }

    /// Returns the code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for ReasonCode {
    type Error = Malformed;
    fn try_from(text: String) -> Result<Self, Malformed> {
        Self::parse(&text)
    }
}

impl From<ReasonCode> for String {
    fn from(code: ReasonCode) -> Self {
        code.0
    }
}

by_display!(ReasonCode);

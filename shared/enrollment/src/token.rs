//! Tokens that a client signs (`docs/contract.md#token-checks`; `docs/sources.md#widget`, "Initialization Parameters").
//!
//! A token is checked in two parts, in the order of `docs/contract.md#token-checks`; the first failure decides.
//!
//! 1. The envelope, the same for every purpose: [`UnverifiedToken::parse`] reads the JWT and its issuer,
//!    [`UnverifiedToken::verify`] checks client, algorithm, signature and expiry, and the [`VerifiedToken`] it returns
//!    checks lifetime and audience on request and gives the record that makes a token single-use.
//! 2. The claim set, one type for each purpose: [`WidgetClaims`] opens the widget, [`CallClaims`] stand for one call.
//!
//! The token never chooses how it is checked: RS256 is fixed here, keys come from the client's set-up alone (`jku`, `jwk`,
//! `x5u`, `x5c` are not read).
//!
//! # Adding a purpose
//!
//! A purpose is one more file beside `token/widget.rs`, with a claim set and its `read`, which takes a [`VerifiedToken`]
//! and, where the token is bound to its request (`htm`, `htu`, `bodyHash`), that request's method, address and body hash.
//!
//! - Read each claim by [`VerifiedToken::required`], [`VerifiedToken::optional`] and [`VerifiedToken::claim`]; call
//!   [`VerifiedToken::lifetime`] and [`VerifiedToken::check_audience`] where the purpose's own order of checks has them.
//! - Compare `actionCode` with the purpose's own letters in that file. [`ActionCode`](crate::action::ActionCode) lists
//!   the actions of a widget session and gets no values for other purposes: each `read` refuses the letters of all others, so
//!   that a token of one purpose is of no use for another.
//! - Store [`VerifiedToken::single_use`] together with what the token starts, or leave it where a retry may send the same
//!   token again.

mod call;
mod envelope;
mod request;
mod widget;

use jiff::SignedDuration;

use crate::log::by_display;
use crate::reason::Reason;
use crate::status::Status;

pub use call::{CallClaims, CallPurpose, CalledRequest};
pub use envelope::{LEEWAY, MAX_LENGTH, UnverifiedToken, VerifiedToken};
pub use request::of_request;
pub use widget::WidgetClaims;

/// Rules of this deployment for every token.
#[derive(Debug, Clone, Copy)]
pub struct TokenRules<'a> {
    /// The longest `exp - iat`.
    pub max_lifetime: SignedDuration,
    /// The public base address. `aud`, where a token has it, is or contains this address; a slash at its end makes no
    /// difference.
    pub audience: &'a str,
}

/// Refusal of a token: the row of `docs/contract.md#token-checks` that failed, and a fixed word for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The request or a claim is malformed, missing or of the wrong type.
    #[error("invalid parameters: {0}")]
    InvalidParameters(&'static str),
    /// The client, the signature or the permission is wrong.
    #[error("access denied: {0}")]
    AccessDenied(&'static str),
    /// The client is suspended.
    #[error("access denied: client is suspended")]
    Suspended,
    /// The limit of attempts is reached.
    #[error("access denied: limit of attempts")]
    LimitReached,
    /// The token opened a session before.
    #[error("access denied: token was used before")]
    Used,
    /// `exp` has passed.
    #[error("token expired")]
    TokenExpired,
}

by_display!(TokenError);

impl TokenError {
    /// Returns the status for the partner.
    pub fn status(self) -> Status {
        match self {
            Self::InvalidParameters(_) => Status::InvalidParameters,
            Self::AccessDenied(_) | Self::Suspended | Self::LimitReached | Self::Used => Status::AccessDenied,
            Self::TokenExpired => Status::TokenExpired,
        }
    }

    /// Returns the reason for the customer, where there is a text more precise than the status.
    pub fn reason(self) -> Option<Reason> {
        match self {
            Self::Suspended => Some(Reason::Suspended),
            Self::LimitReached => Some(Reason::Limit),
            Self::Used => Some(Reason::Used),
            Self::InvalidParameters(_) | Self::AccessDenied(_) | Self::TokenExpired => None,
        }
    }
}

#[cfg(test)]
mod tests;

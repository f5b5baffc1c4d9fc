//! OAuth 1.0a with a body hash, as Mastercard's API gateway checks it: header `Authorization: OAuth …`, signed with
//! RSA-SHA256 (`docs/sources.md#oauth`).

mod acceptable;
mod base_string;
mod deviation;
mod header;
mod signature;
mod signer;
mod verify;

pub use self::{
    acceptable::{Acceptable, BaseStringDifference},
    base_string::{BodyHash, base_string},
    deviation::Deviation,
    header::{Header, HeaderError},
    signature::SignatureMethod,
    signer::{Authorization, SignError, Signer, Stamp},
    verify::{VerifyError, verify},
};

#[cfg(test)]
mod tests;

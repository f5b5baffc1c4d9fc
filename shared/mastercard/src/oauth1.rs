//! OAuth 1.0a with a body hash, as Mastercard's API gateway checks it: header `Authorization: OAuth …`, signed with
//! RSA-SHA256 (`docs/sources.md#oauth`).

mod base_string;
mod header;
mod signer;
mod verify;

pub use self::{
    base_string::{BodyHash, base_string},
    header::{Header, HeaderError},
    signer::{Authorization, SignError, SignatureMethod, Signer, Stamp},
    verify::{VerifyError, verify},
};

//! Faults of a request, each by JSON pointer.

use std::fmt;

/// Limit of faults that are reported. One more says that there are others.
pub const MAX_FAULTS: usize = 1000;

/// One fault of a request. It never repeats a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchFault {
    /// Place of the fault, a JSON pointer (RFC 6901); empty for the whole body.
    pub pointer: String,
    /// Rule that is broken.
    pub kind: FaultKind,
}

/// Rule of a request that is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// The body is no JSON object, or a member comes twice in it.
    NotJson,
    /// A member is missing.
    Missing,
    /// A value is of another JSON type.
    WrongType,
    /// An object has a member that this service does not know.
    UnknownMember,
    /// An id is not 1 to 64 of `[A-Za-z0-9._-]`, or is `.` or `..`.
    MalformedId,
    /// An id contains a card number.
    CardNumber,
    /// An id comes twice.
    DuplicateId,
    /// A list is empty.
    Empty,
    /// The batch has more than [`MAX_CARDS`](super::MAX_CARDS) cards.
    TooManyCards,
    /// The text is no compact JWE.
    NotJwe,
    /// `alg` of the JWE is not RSA-OAEP-256.
    JweAlgorithm,
    /// `enc` of the JWE is neither A128GCM nor A256GCM.
    JweEncryption,
    /// The JWE names no key, or none of Mastercard's configured keys.
    JweKey,
    /// The address is not https, or not on a registered host.
    Address,
    /// There are more faults than are reported.
    More,
}

impl FaultKind {
    /// Returns the sentence for the caller.
    pub fn message(self) -> &'static str {
        match self {
            Self::NotJson => "must be a JSON object in which no member comes twice",
            Self::Missing => "is missing",
            Self::WrongType => "has the wrong JSON type",
            Self::UnknownMember => "has a member that is not known",
            Self::MalformedId => "must be 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-', and not '.' or '..'",
            Self::CardNumber => "must not contain a card number",
            Self::DuplicateId => "comes twice in the batch",
            Self::Empty => "must not be empty",
            Self::TooManyCards => "has more than 250 cards",
            Self::NotJwe => "must be a compact JWE with a 12-byte nonce and a 16-byte tag",
            Self::JweAlgorithm => "must have the alg RSA-OAEP-256",
            Self::JweEncryption => "must have the enc A128GCM or A256GCM",
            Self::JweKey => "must name one of Mastercard's current keys by kid or keyId",
            Self::Address => "must be an https address of a registered host, of at most 2048 characters",
            Self::More => "has more faults, which are not listed",
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.message())
    }
}

impl fmt::Display for BatchFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.pointer, self.kind)
    }
}

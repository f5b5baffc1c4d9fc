//! Forms in which REST services, and what stands between them and a client, put the same answer of the Issuer Enrollment
//! API. Some of them are read by the product, the others must leave it without a result; `README.md` says which.

use serde::{Deserialize, Serialize};

/// One form. The first group concerns members, the second bytes, the third says nothing, or something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Form {
    /// Cards under their consumers, ids of the consumer at the consumer alone.
    Nested,
    /// `externalBatchID`, `batchID`, `records`, `SUCCESS`, `FAILURE`.
    OtherSpellings,
    /// The names of the other dialect.
    OtherDialect,
    /// The error in the other wrapping.
    OtherWrapping,
    /// Details of an error as `details`, its reason null, its status as text.
    Details,
    /// Errors in the gateway's shape, inside a record too.
    GatewayErrors,
    /// Members that nobody knows, and null for what is absent.
    ExtraMembers,
    /// Members and records in another order.
    Reordered,
    /// The answer one object deeper.
    Wrapped,
    /// The answer as the only item of a list.
    Listed,

    /// Indented, with CRLF.
    Pretty,
    /// A byte-order mark.
    ByteOrderMark,
    /// UTF-16, little-endian, with its mark.
    #[serde(rename = "utf-16")]
    Utf16,
    /// `text/plain; charset=ISO-8859-1`.
    Charset,
    /// Compressed without being asked.
    Gzip,
    /// Without a length, in chunks.
    Chunked,

    /// No records at all, with a final status.
    MissingItems,
    /// A record of somebody else's card.
    ForeignIds,
    /// Each record twice, the second one with the opposite outcome.
    Contradictions,
    /// A status that nobody knows.
    UnknownStatus,
    /// The id of another batch.
    OtherBatch,
    /// A member twice, with different values.
    MemberTwice,
    /// A page, with status 200.
    Html,
    /// Status 200 without a body.
    EmptyBody,
    /// An error, with status 200.
    Error200,
}

//! Shapes in which SOAP stacks, and what stands between them and a client, put the same answer. Some of them are read by the
//! product, the others must leave it with an unknown outcome; `README.md` says which.

use serde::{Deserialize, Serialize};

/// One shape. The first group concerns envelopes and elements, the second bytes, the third can't be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Shape {
    /// SOAP 1.2, with its form of a fault.
    #[serde(rename = "soap-1.2")]
    Soap12,
    /// `faultcode`, `faultstring` and `detail` in the namespace of SOAP 1.1.
    QualifiedFault,
    /// `ErrorResp` in the customer namespace.
    CustomerError,
    /// `ErrorResp` without a namespace.
    BareError,
    /// `ErrorResp` in a namespace of the stack's own, inside a bean.
    OwnError,
    /// A fault with HTTP status 200.
    Fault200,
    /// A fault with HTTP status 400.
    Fault400,
    /// Prefixes as JAX-WS counts them.
    OtherPrefixes,
    /// A header with a block that must be understood.
    HeaderBlock,
    /// Members of an answer without a namespace.
    Unqualified,
    /// The members one element deeper.
    Wrapped,
    /// Comments, a style sheet, CDATA.
    Decorated,

    /// `encoding="UTF8"`.
    Utf8Name,
    /// A byte-order mark.
    ByteOrderMark,
    /// UTF-16, little-endian, with its mark.
    #[serde(rename = "utf-16")]
    Utf16,
    /// UTF-16, big-endian, by its declaration alone.
    #[serde(rename = "utf-16be")]
    Utf16Be,
    /// ISO-8859-1 by declaration.
    #[serde(rename = "iso-8859-1")]
    Latin1,
    /// ISO-8859-1 by `Content-Type`, without a declaration.
    Charset,
    /// windows-1252 by declaration.
    #[serde(rename = "windows-1252")]
    Windows1252,
    /// Compressed without being asked.
    Gzip,
    /// Likewise, in zlib's format.
    Deflate,
    /// Likewise, without zlib's frame.
    RawDeflate,
    /// A MIME message of one part.
    Mtom,
    /// TLS ends without `close_notify`; the answer has its length.
    NoCloseNotify,

    /// Elements of other names.
    UnknownElement,
    /// Members in a namespace that nobody knows.
    UnknownNamespace,
    /// The members two elements deeper.
    NestedTwice,
    /// An encoding that nobody knows.
    UnknownEncoding,
    /// A MIME message of two parts.
    TwoParts,
    /// A gigabyte, compressed.
    Bomb,
    /// A document type.
    DocumentType,
    /// A body without an element.
    EmptyBody,
    /// A page, with status 200.
    Html,
    /// Status 202 without a body.
    Accepted,
    /// A fault that has its code twice.
    TwoCodes,
    /// A fault that has its code in `faultcode` alone.
    NoCode,
    /// A refusal as the gateway's JSON: the bare error.
    GatewayFlat,
    /// Likewise, a list of errors.
    GatewayList,
    /// Likewise, errors in a list.
    GatewayWrapped,
}

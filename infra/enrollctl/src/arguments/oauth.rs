//! Arguments of `enrollctl oauth`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use mastercard::oauth1::SignatureMethod;

#[derive(Debug, Subcommand)]
pub(crate) enum OAuthCommand {
    /// Prints the signature base string of a request. Exit code with --gateway: 0 same, 1 different, 2 failure.
    BaseString {
        #[command(flatten)]
        request: SignedRequest,
        #[command(flatten)]
        caller: Caller,
        /// Compare with the gateway's "Acceptable signature base string": the body of its answer, or a part of it. Consumer
        /// key, nonce, timestamp and signature method are then those of the gateway, unless they are given.
        #[arg(long, value_name = "FILE")]
        gateway: Option<PathBuf>,
    },
    /// Prints the value of the header `Authorization` for a request.
    Sign {
        #[command(flatten)]
        request: SignedRequest,
        #[command(flatten)]
        caller: Caller,
        /// Signing key: PEM, DER or PKCS#12.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// File with the password of a PKCS#12 file. An argument would be visible to every process.
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// Checks the header `Authorization` of a request. Exit code: 0 valid, 1 not valid, 2 failure.
    Verify {
        #[command(flatten)]
        request: SignedRequest,
        /// Caller's public key: PEM, DER or a certificate.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// Value of the header.
        #[arg(long, value_name = "TEXT")]
        header: String,
    },
}

/// Request that is signed. A text may be `@FILE`, or `-` for standard input.
#[derive(Debug, Args)]
pub(crate) struct SignedRequest {
    /// HTTP method.
    #[arg(long, value_name = "TEXT", default_value = "GET")]
    pub(crate) method: String,
    /// Address exactly as it is called, with its query.
    #[arg(long, value_name = "TEXT")]
    pub(crate) url: String,
    /// File with the bytes of the body, or `-` [default: no body].
    #[arg(long, value_name = "FILE")]
    pub(crate) body: Option<PathBuf>,
}

/// Caller, and the stamp of one request. A text may be `@FILE`, or `-` for standard input.
#[derive(Debug, Args)]
pub(crate) struct Caller {
    /// Consumer key of the project at Mastercard.
    #[arg(long, value_name = "TEXT")]
    pub(crate) consumer_key: Option<String>,
    /// Nonce [default: a new one].
    #[arg(long, value_name = "TEXT")]
    pub(crate) nonce: Option<String>,
    /// Time in UNIX seconds [default: now].
    #[arg(long, value_name = "TEXT")]
    pub(crate) timestamp: Option<String>,
    /// Signature scheme [default: RSA-SHA256].
    #[arg(long, value_name = "NAME")]
    pub(crate) signature_method: Option<Method>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Method {
    #[value(name = "RSA-SHA256")]
    RsaSha256,
    #[value(name = "RSA-PSS")]
    RsaPss,
}

impl From<Method> for SignatureMethod {
    fn from(method: Method) -> Self {
        match method {
            Method::RsaSha256 => Self::RsaSha256,
            Method::RsaPss => Self::RsaPss,
        }
    }
}

//! Arguments of `enrollctl jwe`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use mastercard::jwe::ContentEncryption;

use super::keys::PrivateKeyFile;

#[derive(Debug, Subcommand)]
pub(crate) enum JweCommand {
    /// Encrypts a plaintext as a compact JWE: RSA-OAEP-256 with AES-GCM.
    Encrypt {
        #[command(flatten)]
        key: EncryptionKeyFile,
        /// Name the key in the member `keyId` of the header, in place of `kid`.
        #[arg(long)]
        key_id: bool,
        /// Content encryption.
        #[arg(long, value_name = "NAME", default_value = "A128GCM")]
        enc: Enc,
        /// Type of the content, for the member `cty` of the header [default: none].
        #[arg(long, value_name = "TYPE")]
        cty: Option<String>,
        #[command(flatten)]
        streams: Streams,
    },
    /// Decrypts a compact JWE and verifies its tag.
    Decrypt {
        #[command(flatten)]
        key: PrivateKeyFile,
        #[command(flatten)]
        streams: Streams,
    },
}

/// Receiver's public key.
#[derive(Debug, Args)]
pub(crate) struct EncryptionKeyFile {
    /// Receiver's public key: PEM, DER, a certificate, or a key list (JWKS).
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// Name of the key; chooses a key of a key list [default: the fingerprint of the public key].
    #[arg(long, value_name = "TEXT")]
    pub(crate) kid: Option<String>,
}

/// Files that are read and written.
#[derive(Debug, Args)]
pub(crate) struct Streams {
    /// File to read [default: standard input].
    #[arg(long = "in", value_name = "FILE", default_value = "-")]
    pub(crate) input: PathBuf,
    /// File to write; it must not exist [default: standard output].
    #[arg(long = "out", value_name = "FILE", default_value = "-")]
    pub(crate) output: PathBuf,
}

/// Content encryptions that are written.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Enc {
    #[value(name = "A128GCM")]
    A128Gcm,
    #[value(name = "A256GCM")]
    A256Gcm,
}

impl From<Enc> for ContentEncryption {
    fn from(enc: Enc) -> Self {
        match enc {
            Enc::A128Gcm => Self::A128Gcm,
            Enc::A256Gcm => Self::A256Gcm,
        }
    }
}

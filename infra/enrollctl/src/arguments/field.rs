//! Arguments of `enrollctl field`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use mastercard::field_encryption::{AcceptedModes, Cipher, Encoding, OaepHash};

use super::jwe::Streams;
use super::keys::PrivateKeyFile;

#[derive(Debug, Subcommand)]
pub(crate) enum FieldCommand {
    /// Encrypts parts of a JSON payload. Fails if none of the paths leads to one.
    Encrypt {
        #[command(flatten)]
        key: super::jwe::EncryptionKeyFile,
        #[command(flatten)]
        form: Form,
        /// Cipher of the content.
        #[arg(long, value_name = "NAME", default_value = "AES-128-CBC")]
        cipher: CipherName,
        /// Hash function of OAEP.
        #[arg(long, value_name = "NAME", default_value = "SHA256")]
        hash: HashName,
        /// Fingerprint of the certificate [default: that of the certificate in --key, or none].
        #[arg(long, value_name = "TEXT")]
        certificate_fingerprint: Option<String>,
        /// Fingerprint of the public key [default: SHA-256 in hexadecimal].
        #[arg(long, value_name = "TEXT")]
        key_fingerprint: Option<String>,
        /// Write all values but the ciphertexts as HTTP header fields into this file; it must not exist.
        #[arg(long, value_name = "FILE")]
        headers: Option<PathBuf>,
        #[command(flatten)]
        streams: Streams,
    },
    /// Decrypts parts of a JSON payload. Fails if none of the paths leads to one.
    Decrypt {
        #[command(flatten)]
        key: PrivateKeyFile,
        #[command(flatten)]
        form: Form,
        /// Meaning of a payload that does not name the hash function of OAEP. PKCS1 is the padding of PKCS#1 v1.5, for old
        /// payloads of Token Connect.
        #[arg(long, value_name = "NAME", default_value = "SHA256")]
        missing_hash: MissingHashName,
        /// Mode of the cipher that is accepted. With `both` the payload chooses, and nothing authenticates its choice.
        #[arg(long, value_name = "NAME", default_value = "both")]
        mode: ModeName,
        /// Read all values but the ciphertexts from HTTP header fields in this file: lines `name: value`.
        #[arg(long, value_name = "FILE")]
        headers: Option<PathBuf>,
        #[command(flatten)]
        streams: Streams,
    },
}

/// Form of an encrypted payload.
#[derive(Debug, Args)]
pub(crate) struct Form {
    /// Part to process and place of the result, such as `$.card=$.encryptedCard`. Repeat it for several parts.
    #[arg(long = "path", value_name = "FROM=TO", required = true)]
    pub(crate) paths: Vec<String>,
    /// Known set of names: token-connect, client-encryption, headers.
    #[arg(long, value_name = "NAME", default_value = "client-encryption")]
    pub(crate) names: String,
    /// Name of one value, such as `iv=x-iv`; without a text, the value has no name. Values: value, key, iv, hash,
    /// certificate-fingerprint, key-fingerprint, mode, tag, aad. Repeat it for several values.
    #[arg(long = "name", value_name = "VALUE=TEXT")]
    pub(crate) renamed: Vec<String>,
    /// Encoding of binary values.
    #[arg(long, value_name = "NAME", default_value = "hex")]
    pub(crate) encoding: EncodingName,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum CipherName {
    #[value(name = "AES-128-CBC")]
    Aes128Cbc,
    #[value(name = "AES-256-CBC")]
    Aes256Cbc,
    #[value(name = "AES-128-GCM")]
    Aes128Gcm,
    #[value(name = "AES-256-GCM")]
    Aes256Gcm,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum HashName {
    #[value(name = "SHA256")]
    Sha256,
    #[value(name = "SHA512")]
    Sha512,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum MissingHashName {
    #[value(name = "SHA256")]
    Sha256,
    #[value(name = "SHA512")]
    Sha512,
    #[value(name = "PKCS1")]
    Pkcs1,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ModeName {
    Cbc,
    Gcm,
    Both,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum EncodingName {
    Hex,
    Base64,
}

impl From<CipherName> for Cipher {
    fn from(name: CipherName) -> Self {
        match name {
            CipherName::Aes128Cbc => Self::Aes128Cbc,
            CipherName::Aes256Cbc => Self::Aes256Cbc,
            CipherName::Aes128Gcm => Self::Aes128Gcm,
            CipherName::Aes256Gcm => Self::Aes256Gcm,
        }
    }
}

impl From<HashName> for OaepHash {
    fn from(name: HashName) -> Self {
        match name {
            HashName::Sha256 => Self::Sha256,
            HashName::Sha512 => Self::Sha512,
        }
    }
}

impl From<ModeName> for AcceptedModes {
    fn from(name: ModeName) -> Self {
        match name {
            ModeName::Cbc => Self::Cbc,
            ModeName::Gcm => Self::Gcm,
            ModeName::Both => Self::Both,
        }
    }
}

impl From<EncodingName> for Encoding {
    fn from(name: EncodingName) -> Self {
        match name {
            EncodingName::Hex => Self::Hex,
            EncodingName::Base64 => Self::Base64,
        }
    }
}

//! Values beside a ciphertext, and their forms.

use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OAEP_SHA512_MGF1SHA512, OaepAlgorithm};
use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose},
};

use super::{FieldEncryptionError, Names};

const LENIENT_BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Cipher of the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cipher {
    /// AES-CBC with PKCS#7 padding and a key of 128 bits, as all of Mastercard's libraries write it.
    Aes128Cbc,
    /// AES-CBC with PKCS#7 padding and a key of 256 bits.
    Aes256Cbc,
    /// AES-GCM with a key of 128 bits.
    Aes128Gcm,
    /// AES-GCM with a key of 256 bits.
    Aes256Gcm,
}

/// Encoding of binary values in a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Hexadecimal; lower case is written, both are read.
    Hex,
    /// Base64 with padding; without it is read as well.
    Base64,
}

/// Hash function of RSA-OAEP, for the label and for MGF1 alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OaepHash {
    /// SHA-256, written `SHA256`.
    Sha256,
    /// SHA-512, written `SHA512`.
    Sha512,
}

impl Cipher {
    /// Length of the content encryption key, in bytes.
    pub(super) fn key_length(self) -> usize {
        match self {
            Self::Aes128Cbc | Self::Aes128Gcm => 16,
            Self::Aes256Cbc | Self::Aes256Gcm => 32,
        }
    }

    pub(super) fn is_gcm(self) -> bool {
        matches!(self, Self::Aes128Gcm | Self::Aes256Gcm)
    }
}

impl Encoding {
    pub(super) fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => hex::encode(bytes),
            Self::Base64 => general_purpose::STANDARD.encode(bytes),
        }
    }

    pub(super) fn decode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Hex => hex::decode(text).ok(),
            Self::Base64 => LENIENT_BASE64.decode(text).ok(),
        }
    }
}

impl OaepHash {
    /// Word that stands in a payload.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
        }
    }

    /// Reads `SHA256` or `SHA512`, in either case, with or without a dash.
    pub fn parse(word: &str) -> Option<Self> {
        let word = word.to_ascii_uppercase().replace('-', "");
        [Self::Sha256, Self::Sha512]
            .into_iter()
            .find(|hash| hash.as_str() == word)
    }

    pub(super) fn algorithm(self) -> &'static OaepAlgorithm {
        match self {
            Self::Sha256 => &OAEP_SHA256_MGF1SHA256,
            Self::Sha512 => &OAEP_SHA512_MGF1SHA512,
        }
    }
}

/// Values of one encryption besides the ciphertext, as texts.
#[derive(Clone)]
pub(super) struct Parameters {
    pub(super) encrypted_key: Option<String>,
    pub(super) initialization_vector: Option<String>,
    pub(super) oaep_hash: Option<String>,
    pub(super) certificate_fingerprint: Option<String>,
    pub(super) key_fingerprint: Option<String>,
    pub(super) cipher_mode: Option<String>,
    pub(super) tag: Option<String>,
    pub(super) additional_data: Option<String>,
}

impl Parameters {
    /// Pairs of configured name and value, for the values that have both.
    pub(super) fn named(self, names: &Names) -> impl Iterator<Item = (String, String)> + use<> {
        [
            (Some(names.encrypted_key.clone()), self.encrypted_key),
            (
                Some(names.initialization_vector.clone()),
                self.initialization_vector,
            ),
            (names.oaep_hash.clone(), self.oaep_hash),
            (
                names.certificate_fingerprint.clone(),
                self.certificate_fingerprint,
            ),
            (names.key_fingerprint.clone(), self.key_fingerprint),
            (names.cipher_mode.clone(), self.cipher_mode),
            (names.tag.clone(), self.tag),
            (names.additional_data.clone(), self.additional_data),
        ]
        .into_iter()
        .filter_map(|(name, value)| name.zip(value))
    }

    /// Collects the values by their configured names.
    pub(super) fn collect(
        names: &Names,
        mut take: impl FnMut(&str) -> Result<Option<String>, FieldEncryptionError>,
    ) -> Result<Self, FieldEncryptionError> {
        let mut optional = |name: &Option<String>| name.as_deref().map_or(Ok(None), &mut take);
        Ok(Self {
            oaep_hash: optional(&names.oaep_hash)?,
            certificate_fingerprint: optional(&names.certificate_fingerprint)?,
            key_fingerprint: optional(&names.key_fingerprint)?,
            cipher_mode: optional(&names.cipher_mode)?,
            tag: optional(&names.tag)?,
            additional_data: optional(&names.additional_data)?,
            encrypted_key: take(&names.encrypted_key)?,
            initialization_vector: take(&names.initialization_vector)?,
        })
    }
}

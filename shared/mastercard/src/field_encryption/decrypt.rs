use std::borrow::Cow;

use aws_lc_rs::rsa::{OaepPrivateDecryptingKey, Pkcs1PrivateDecryptingKey, PrivateDecryptingKey};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::digits::keeps_its_digits;
use super::{
    Encoding, FieldEncryptionError, Names, OaepHash, PathMapping, fields::Parameters, json_path::JsonPath,
};
use crate::{content_cipher, content_key, keys::PrivateKey};

/// Lengths of content encryption keys, in bytes.
const KEYS: [usize; 2] = [16, 32];

/// Length of a block of AES, and of the initialization vector in CBC mode, in bytes.
const BLOCK: usize = 16;

/// Length of the initialization vector in GCM mode, in bytes.
const NONCE: usize = 12;

/// Form of what a [`Decryptor`] reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecryptorSettings {
    /// Names of members or header fields.
    pub names: Names,
    /// Encoding of binary values.
    pub encoding: Encoding,
    /// Meaning of a payload that does not name the hash function.
    pub missing_hash: MissingHash,
    /// Modes of the cipher that are read.
    pub modes: AcceptedModes,
}

/// Modes of the cipher that a [`Decryptor`] reads. The payload names its mode, and nothing authenticates the name: who
/// expects GCM must not read CBC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AcceptedModes {
    /// AES-CBC only.
    Cbc,
    /// AES-GCM only.
    Gcm,
    /// Both. Whoever can change a payload can have one of AES-GCM read as one of AES-CBC, without its authentication.
    Both,
}

/// Meaning of a payload that does not name the hash function of OAEP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingHash {
    /// OAEP with this hash function, by configuration, as in Mastercard's libraries.
    Assumed(OaepHash),
    /// PKCS#1 v1.5 in place of OAEP, as in Token Connect. Only for a receiver that must read old payloads: see ADR 34.
    Pkcs1V15,
}

/// Reader of encrypted payloads for one key.
pub struct Decryptor {
    oaep: OaepPrivateDecryptingKey,
    pkcs1: Option<Pkcs1PrivateDecryptingKey>,
    settings: DecryptorSettings,
}

/// Payload whose parts were decrypted.
#[derive(Debug, Clone, PartialEq)]
pub struct DecryptedPayload {
    /// Payload.
    pub payload: Value,
    /// Number of parts that were decrypted.
    pub parts: usize,
}

impl Decryptor {
    /// Prepares the decryption by a key.
    pub fn new(key: &PrivateKey, settings: DecryptorSettings) -> Result<Self, FieldEncryptionError> {
        let failed = FieldEncryptionError::Decryption;
        let pkcs8 = key.to_pkcs8_der().map_err(|_| failed.clone())?;
        let key = PrivateDecryptingKey::from_pkcs8(&pkcs8).map_err(|_| failed.clone())?;
        let pkcs1 = match settings.missing_hash {
            MissingHash::Assumed(_) => None,
            MissingHash::Pkcs1V15 => {
                Some(Pkcs1PrivateDecryptingKey::new(key.clone()).map_err(|_| failed.clone())?)
            }
        };
        Ok(Self {
            oaep: OaepPrivateDecryptingKey::new(key).map_err(|_| failed)?,
            pkcs1,
            settings,
        })
    }

    /// Decrypts the object that takes the place of a part. The plaintext is wiped when it is dropped.
    pub fn decrypt(&self, members: &Map<String, Value>) -> Result<Zeroizing<Vec<u8>>, FieldEncryptionError> {
        let names = &self.settings.names;
        let value = text(members, &names.encrypted_value)?.ok_or_else(|| missing(&names.encrypted_value))?;
        let parameters = Parameters::collect(names, |name| text(members, name))?;
        self.open(&value, &parameters)
    }

    /// Decrypts the parts of a payload. A mapping whose first path leads to nothing, or to an object without a
    /// ciphertext, is skipped.
    ///
    /// The members are removed, and so is the object that they leave empty. The plaintext goes to the mapping's second
    /// path: an object is merged into the one there, any other JSON replaces what is there, and what is not JSON is a
    /// text.
    pub fn decrypt_payload(
        &self,
        payload: Value,
        paths: &[PathMapping],
    ) -> Result<DecryptedPayload, FieldEncryptionError> {
        self.decrypt_parts(payload, paths, |members| {
            let names = &self.settings.names;
            Parameters::collect(names, |name| {
                let value = text(members, name);
                members.remove(name);
                value
            })
            .map(Cow::Owned)
        })
    }

    /// As [`Decryptor::decrypt_payload`], with all values but the ciphertexts in HTTP header fields, whose names are
    /// compared without case.
    pub fn decrypt_payload_with_headers(
        &self,
        payload: Value,
        paths: &[PathMapping],
        headers: &[(String, String)],
    ) -> Result<DecryptedPayload, FieldEncryptionError> {
        let parameters = Parameters::collect(&self.settings.names, |name| {
            let mut found = headers
                .iter()
                .filter(|(header, _)| header.eq_ignore_ascii_case(name));
            let value = found.next().map(|(_, value)| value.trim().to_owned());
            match found.next() {
                None => Ok(value),
                Some(_) => Err(wrong(name)),
            }
        })?;
        self.decrypt_parts(payload, paths, |_| Ok(Cow::Borrowed(&parameters)))
    }

    fn decrypt_parts<'a>(
        &self,
        mut payload: Value,
        paths: &[PathMapping],
        parameters: impl Fn(&mut Map<String, Value>) -> Result<Cow<'a, Parameters>, FieldEncryptionError>,
    ) -> Result<DecryptedPayload, FieldEncryptionError> {
        let mut parts = 0;
        for mapping in paths {
            for (from, to) in mapping.pairs(&mut payload)? {
                let Some(part) = from.get_mut(&mut payload) else {
                    continue;
                };
                let members = part.as_object_mut().ok_or_else(|| from.not_an_object())?;
                let name = &self.settings.names.encrypted_value;
                let Some(value) = text(members, name)? else {
                    continue;
                };
                members.remove(name);
                let parameters = parameters(members)?;
                let is_empty = members.is_empty();
                let content = self.open(&value, &parameters)?;
                if is_empty && !from.is_root() {
                    from.take(&mut payload);
                }
                put_content(&to, &mut payload, &content)?;
                parts += 1;
            }
        }
        Ok(DecryptedPayload { payload, parts })
    }

    /// Decrypts a ciphertext. The form of the values is checked first, and its faults have an error each; key and
    /// content have one.
    fn open(&self, value: &str, parameters: &Parameters) -> Result<Zeroizing<Vec<u8>>, FieldEncryptionError> {
        let names = &self.settings.names;
        let decode = |text: &str, name: &str| self.settings.encoding.decode(text).ok_or_else(|| wrong(name));
        let optional = |text: &Option<String>, name: &Option<String>| {
            text.as_deref()
                .zip(name.as_deref())
                .map(|(text, name)| decode(text, name))
                .transpose()
        };
        let hash = match &parameters.oaep_hash {
            Some(word) => Some(OaepHash::parse(word).ok_or(FieldEncryptionError::Hash)?),
            None => None,
        };
        let encrypted_key = parameters
            .encrypted_key
            .as_deref()
            .ok_or_else(|| missing(&names.encrypted_key))?;
        let encrypted_key = decode(encrypted_key, &names.encrypted_key)?;
        let vector = parameters
            .initialization_vector
            .as_deref()
            .map(|text| decode(text, &names.initialization_vector))
            .transpose()?;
        let tag = optional(&parameters.tag, &names.tag)?;
        let additional_data = optional(&parameters.additional_data, &names.additional_data)?;
        let mut content = Zeroizing::new(decode(value, &names.encrypted_value)?);

        let length = match (parameters.cipher_mode.as_deref(), tag) {
            _ if !self.settings.modes.include(parameters) => {
                return Err(FieldEncryptionError::UnacceptedMode);
            }
            (Some("GCM") | None, Some(tag)) => {
                let tag: [u8; 16] = tag
                    .try_into()
                    .map_err(|_| wrong(names.tag.as_deref().unwrap_or_default()))?;
                let vector = vector.ok_or_else(|| missing(&names.initialization_vector))?;
                if vector.len() != NONCE {
                    return Err(wrong(&names.initialization_vector));
                }
                let aad = additional_data.unwrap_or_default();
                let key = self.unwrap(&encrypted_key, hash)?;
                content_cipher::open_gcm(&key, &vector, &aad, &mut content, &tag)
            }
            (Some("GCM"), None) => return Err(missing(names.tag.as_deref().unwrap_or_default())),
            (Some("CBC") | None, None) => {
                // Token Connect: a missing vector is one of zeros.
                let vector = vector.unwrap_or_else(|| vec![0; BLOCK]);
                if vector.len() != BLOCK {
                    return Err(wrong(&names.initialization_vector));
                }
                let key = self.unwrap(&encrypted_key, hash)?;
                content_cipher::open_cbc(&key, &vector, &mut content)
            }
            _ => return Err(FieldEncryptionError::Mode),
        }
        .ok_or(FieldEncryptionError::Decryption)?;
        content.truncate(length);
        Ok(content)
    }

    /// Returns the content encryption key, or a random one in place of one that can't be unwrapped.
    fn unwrap(
        &self,
        wrapped: &[u8],
        hash: Option<OaepHash>,
    ) -> Result<Zeroizing<Vec<u8>>, FieldEncryptionError> {
        let unwrapped = match (hash, self.settings.missing_hash) {
            (Some(hash), _) | (None, MissingHash::Assumed(hash)) => {
                content_key::unwrap_oaep(&self.oaep, hash.algorithm(), wrapped)
            }
            (None, MissingHash::Pkcs1V15) => self
                .pkcs1
                .as_ref()
                .and_then(|key| content_key::unwrap_pkcs1(key, wrapped)),
        };
        content_key::or_random(unwrapped, &KEYS).ok_or(FieldEncryptionError::Decryption)
    }
}

impl AcceptedModes {
    /// Whether these values may be read: as GCM if they have its mode or its tag, otherwise as CBC.
    fn include(self, parameters: &Parameters) -> bool {
        let is_gcm = parameters.cipher_mode.as_deref() == Some("GCM") || parameters.tag.is_some();
        match self {
            Self::Cbc => !is_gcm,
            Self::Gcm => is_gcm,
            Self::Both => true,
        }
    }
}

impl std::fmt::Debug for Decryptor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Decryptor")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

fn put_content(to: &JsonPath, payload: &mut Value, content: &[u8]) -> Result<(), FieldEncryptionError> {
    let text = std::str::from_utf8(content).map_err(|_| FieldEncryptionError::Decryption)?;
    let value = match serde_json::from_str(text) {
        // Another spelling is a text: leading zeros, and digits that the number does not keep.
        Ok(Value::Number(number)) if number.to_string() != text => text.into(),
        // Nothing of an object or a list may be rounded either.
        Ok(Value::Object(_) | Value::Array(_)) if !keeps_its_digits(text) => text.into(),
        Ok(value) => value,
        Err(_) => text.into(),
    };
    to.put(payload, value)
}

fn text(members: &Map<String, Value>, name: &str) -> Result<Option<String>, FieldEncryptionError> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(wrong(name)),
    }
}

fn missing(name: &str) -> FieldEncryptionError {
    FieldEncryptionError::Missing {
        name: name.to_owned(),
    }
}

fn wrong(name: &str) -> FieldEncryptionError {
    FieldEncryptionError::Value {
        name: name.to_owned(),
    }
}

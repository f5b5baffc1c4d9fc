use std::io;

use aws_lc_rs::{
    rand,
    rsa::{OaepPublicEncryptingKey, PublicEncryptingKey},
};
use serde::Serialize as _;
use serde_json::{
    Map, Value,
    ser::{Formatter, Serializer},
};
use zeroize::{Zeroize, Zeroizing};

use super::{
    Cipher, Encoding, FieldEncryptionError, Names, OaepHash, PathMapping, fields::Parameters,
    json_path::JsonPath,
};
use crate::{content_cipher, keys::PublicKey};

/// Length of a block of AES, and of the initialization vector in CBC mode, in bytes.
const BLOCK: usize = 16;

/// Length of the initialization vector in GCM mode, in bytes.
const NONCE: usize = 12;

/// Length of the additional data that GCM authenticates, in bytes. It is random: Token Connect demands some, and says
/// nothing of its content.
const ADDITIONAL_DATA: usize = 16;

/// Form of what an [`Encryptor`] writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncryptorSettings {
    /// Names of members or header fields.
    pub names: Names,
    /// Cipher of the content.
    pub cipher: Cipher,
    /// Hash function of OAEP.
    pub oaep_hash: OaepHash,
    /// Encoding of binary values.
    pub encoding: Encoding,
    /// Fingerprint of the certificate, as the receiver expects it. Without it, none is written.
    pub certificate_fingerprint: Option<String>,
    /// Fingerprint of the key, as the receiver expects it. Without it, SHA-256 of the public key in hexadecimal.
    pub key_fingerprint: Option<String>,
}

/// Writer of encrypted payloads for one key.
pub struct Encryptor {
    key: OaepPublicEncryptingKey,
    settings: EncryptorSettings,
    key_fingerprint: String,
}

/// Payload with encrypted parts.
#[derive(Debug, Clone, PartialEq)]
pub struct EncryptedPayload {
    /// Payload.
    pub payload: Value,
    /// HTTP header fields, if the values stand there: names and values.
    pub headers: Vec<(String, String)>,
    /// Number of parts that were encrypted. Zero means that the payload is still in the clear.
    pub parts: usize,
}

impl Encryptor {
    /// Prepares the encryption for a key. AES-GCM needs names for mode, tag and additional data.
    pub fn new(key: &PublicKey, settings: EncryptorSettings) -> Result<Self, FieldEncryptionError> {
        if settings.cipher.is_gcm() && !settings.names.has_gcm() {
            return Err(FieldEncryptionError::GcmNames);
        }
        let key_fingerprint = settings
            .key_fingerprint
            .clone()
            .unwrap_or_else(|| key.fingerprint().to_owned());
        let key =
            PublicEncryptingKey::from_der(key.spki_der()).map_err(|_| FieldEncryptionError::Encryption)?;
        Ok(Self {
            key: OaepPublicEncryptingKey::new(key).map_err(|_| FieldEncryptionError::Encryption)?,
            settings,
            key_fingerprint,
        })
    }

    /// Encrypts one plaintext. Returns the object that takes its place.
    pub fn encrypt(&self, plaintext: &[u8]) -> Result<Map<String, Value>, FieldEncryptionError> {
        let session = Session::new(self)?;
        let (value, tag) = session.seal(self, with_room(plaintext))?;
        let mut members = Map::new();
        members.insert(self.settings.names.encrypted_value.clone(), value.into());
        let parameters = session.parameters(self, tag).named(&self.settings.names);
        members.extend(parameters.map(|(name, value)| (name, value.into())));
        Ok(members)
    }

    /// Encrypts the parts of a payload that the mappings name, each under a key of its own. A part that is missing is
    /// skipped, as Mastercard's libraries do: look at [`EncryptedPayload::parts`].
    ///
    /// A text is encrypted without its quotes, anything else as JSON without white space, in ASCII. The part is removed, and the
    /// members go into the object at the mapping's second path, which is made if its parent exists.
    pub fn encrypt_payload(
        &self,
        mut payload: Value,
        paths: &[PathMapping],
    ) -> Result<EncryptedPayload, FieldEncryptionError> {
        let mut parts = 0;
        for mapping in paths {
            for (from, to) in mapping.pairs(&mut payload)? {
                let Some(content) = take_content(&from, &mut payload)? else {
                    continue;
                };
                let members = self.encrypt(&content)?;
                to.object(&mut payload)?.extend(members);
                parts += 1;
            }
        }
        Ok(EncryptedPayload {
            payload,
            headers: Vec::new(),
            parts,
        })
    }

    /// As [`Encryptor::encrypt_payload`], with all values but the ciphertexts in HTTP header fields.
    ///
    /// All parts share one key and initialization vector, as in Mastercard's libraries: parts with the same beginning
    /// show it. AES-GCM is refused for more than one part.
    pub fn encrypt_payload_with_headers(
        &self,
        mut payload: Value,
        paths: &[PathMapping],
    ) -> Result<EncryptedPayload, FieldEncryptionError> {
        let session = Session::new(self)?;
        let (mut parts, mut last_tag) = (0, None);
        for mapping in paths {
            for (from, to) in mapping.pairs(&mut payload)? {
                let Some(content) = take_content(&from, &mut payload)? else {
                    continue;
                };
                if self.settings.cipher.is_gcm() && parts > 0 {
                    return Err(FieldEncryptionError::SharedNonce);
                }
                let (value, tag) = session.seal(self, content)?;
                let name = self.settings.names.encrypted_value.clone();
                to.object(&mut payload)?.insert(name, value.into());
                (parts, last_tag) = (parts + 1, tag);
            }
        }
        let headers = if parts == 0 {
            Vec::new()
        } else {
            session
                .parameters(self, last_tag)
                .named(&self.settings.names)
                .collect()
        };
        Ok(EncryptedPayload {
            payload,
            headers,
            parts,
        })
    }

    fn encode(&self, bytes: &[u8]) -> String {
        self.settings.encoding.encode(bytes)
    }
}

impl std::fmt::Debug for Encryptor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Encryptor")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// Removes a part and returns its plaintext.
fn take_content(
    from: &JsonPath,
    payload: &mut Value,
) -> Result<Option<Zeroizing<Vec<u8>>>, FieldEncryptionError> {
    let content = match from.take(payload) {
        None => return Ok(None),
        Some(Value::String(text)) => with_room(Zeroizing::new(text).as_bytes()),
        Some(value) => {
            let mut json = Zeroizing::new(Vec::new());
            value
                .serialize(&mut Serializer::with_formatter(&mut *json, Ascii))
                .map_err(|_| FieldEncryptionError::Encryption)?;
            wipe(value);
            with_room(&json)
        }
    };
    Ok(Some(content))
}

/// JSON without white space, and with `\u` in place of everything that is not ASCII: Mastercard's library for Node.js
/// decrypts UTF-8 as Latin-1.
struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: io::Write + ?Sized>(&mut self, writer: &mut W, text: &str) -> io::Result<()> {
        let mut units = [0; 2];
        for character in text.chars() {
            if character.is_ascii() {
                write!(writer, "{character}")?;
                continue;
            }
            for unit in character.encode_utf16(&mut units) {
                write!(writer, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }
}

/// Copies a plaintext with room for padding, so that it is not moved and leaves no copy.
fn with_room(plaintext: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut content = Zeroizing::new(Vec::with_capacity(plaintext.len() + BLOCK));
    content.extend_from_slice(plaintext);
    content
}

/// Overwrites the texts of a value.
fn wipe(value: Value) {
    match value {
        Value::String(mut text) => text.zeroize(),
        Value::Array(elements) => elements.into_iter().for_each(wipe),
        Value::Object(members) => members.into_iter().for_each(|(_, value)| wipe(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Fresh content encryption key with its initialization vector.
struct Session {
    key: Zeroizing<Vec<u8>>,
    wrapped_key: Vec<u8>,
    vector: [u8; BLOCK],
    additional_data: [u8; ADDITIONAL_DATA],
}

impl Session {
    fn new(encryptor: &Encryptor) -> Result<Self, FieldEncryptionError> {
        let failed = |_| FieldEncryptionError::Encryption;
        let mut session = Self {
            key: Zeroizing::new(vec![0; encryptor.settings.cipher.key_length()]),
            wrapped_key: vec![0; encryptor.key.ciphertext_size()],
            vector: [0; BLOCK],
            additional_data: [0; ADDITIONAL_DATA],
        };
        rand::fill(&mut session.key).map_err(failed)?;
        rand::fill(&mut session.vector).map_err(failed)?;
        rand::fill(&mut session.additional_data).map_err(failed)?;
        encryptor
            .key
            .encrypt(
                encryptor.settings.oaep_hash.algorithm(),
                &session.key,
                &mut session.wrapped_key,
                None,
            )
            .map_err(failed)?;
        Ok(session)
    }

    /// Encrypts a content. Returns ciphertext and tag, encoded.
    fn seal(
        &self,
        encryptor: &Encryptor,
        mut content: Zeroizing<Vec<u8>>,
    ) -> Result<(String, Option<String>), FieldEncryptionError> {
        let tag = if encryptor.settings.cipher.is_gcm() {
            let tag = content_cipher::seal_gcm(&self.key, self.nonce(), &self.additional_data, &mut content)
                .ok_or(FieldEncryptionError::Encryption)?;
            Some(encryptor.encode(&tag))
        } else {
            content_cipher::seal_cbc(&self.key, self.vector, &mut content)
                .ok_or(FieldEncryptionError::Encryption)?;
            None
        };
        Ok((encryptor.encode(&content), tag))
    }

    fn parameters(&self, encryptor: &Encryptor, tag: Option<String>) -> Parameters {
        let settings = &encryptor.settings;
        let is_gcm = settings.cipher.is_gcm();
        let vector: &[u8] = if is_gcm { self.nonce() } else { &self.vector };
        Parameters {
            encrypted_key: Some(encryptor.encode(&self.wrapped_key)),
            initialization_vector: Some(encryptor.encode(vector)),
            oaep_hash: Some(settings.oaep_hash.as_str().to_owned()),
            certificate_fingerprint: settings.certificate_fingerprint.clone(),
            key_fingerprint: Some(encryptor.key_fingerprint.clone()),
            cipher_mode: is_gcm.then(|| "GCM".to_owned()),
            tag,
            additional_data: is_gcm.then(|| encryptor.encode(&self.additional_data)),
        }
    }

    fn nonce(&self) -> &[u8] {
        &self.vector[..NONCE]
    }
}

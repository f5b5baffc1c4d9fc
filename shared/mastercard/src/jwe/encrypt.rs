use aws_lc_rs::{
    aead::{Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand,
    rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey},
};
use zeroize::Zeroizing;

use super::{ContentEncryption, JweError, KeyName, header, segment};
use crate::{content_cipher, keys::PublicKey};

/// Length of an authentication tag, in bytes.
const TAG: usize = 16;

/// Writer of JWEs for one key. Each JWE has a fresh content encryption key and initialization vector.
pub struct Encryptor {
    key: OaepPublicEncryptingKey,
    content_encryption: ContentEncryption,
    /// Encoded, the same in every JWE.
    header: String,
}

impl Encryptor {
    /// Prepares the encryption for a key. `key_name` and `content_type` (`cty`) become members of each header.
    ///
    /// Refuses content encryptions that are only read.
    pub fn new(
        key: &PublicKey,
        key_name: KeyName,
        content_encryption: ContentEncryption,
        content_type: Option<&str>,
    ) -> Result<Self, JweError> {
        if !content_encryption.is_written() {
            return Err(JweError::ContentEncryption);
        }
        let key = PublicEncryptingKey::from_der(key.spki_der()).map_err(|_| JweError::Encryption)?;
        Ok(Self {
            key: OaepPublicEncryptingKey::new(key).map_err(|_| JweError::Encryption)?,
            content_encryption,
            header: header::write(key_name, content_encryption, content_type)?,
        })
    }

    /// Encrypts a plaintext. The result is a compact JWE.
    pub fn encrypt(&self, plaintext: &[u8]) -> Result<String, JweError> {
        let mut key = Zeroizing::new([0; 32]);
        let key = &mut key[..self.content_encryption.key_length()];
        let mut nonce = [0; NONCE_LEN];
        rand::fill(key).map_err(|_| JweError::Encryption)?;
        rand::fill(&mut nonce).map_err(|_| JweError::Encryption)?;
        self.encrypt_under(key, nonce, plaintext)
    }

    fn encrypt_under(
        &self,
        key: &[u8],
        nonce: [u8; NONCE_LEN],
        plaintext: &[u8],
    ) -> Result<String, JweError> {
        let mut encrypted_key = vec![0; self.key.ciphertext_size()];
        self.key
            .encrypt(&OAEP_SHA256_MGF1SHA256, key, &mut encrypted_key, None)
            .map_err(|_| JweError::Encryption)?;

        let algorithm = content_cipher::gcm(key.len()).ok_or(JweError::Encryption)?;
        let content_key = UnboundKey::new(algorithm, key).map_err(|_| JweError::Encryption)?;
        let (mut ciphertext, mut tag) = (vec![0; plaintext.len()], [0; TAG]);
        LessSafeKey::new(content_key)
            .seal_out_of_place_scatter(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(self.header.as_bytes()),
                plaintext,
                &mut ciphertext,
                &[],
                &mut tag,
            )
            .map_err(|_| JweError::Encryption)?;

        let parts: [&[u8]; 4] = [&encrypted_key, &nonce, &ciphertext, &tag];
        let length = parts.map(|part| 1 + segment::encoded_length(part.len()));
        let mut compact = String::with_capacity(self.header.len() + length.iter().sum::<usize>());
        compact.push_str(&self.header);
        for part in parts {
            compact.push('.');
            segment::append(part, &mut compact);
        }
        Ok(compact)
    }
}

impl std::fmt::Debug for Encryptor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Encryptor")
            .field("content_encryption", &self.content_encryption)
            .finish_non_exhaustive()
    }
}

use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use zeroize::Zeroizing;

use super::{ContentEncryption, Header, JweError, header::Parts, segment};
use crate::{content_cipher, content_key, keys::PrivateKey};

/// Lengths of initialization vectors, in bytes: the one of RFC 7518, and the one of Mastercard's libraries.
const GCM_VECTORS: [usize; 2] = [12, 16];

/// Length of a block of AES, and of the initialization vector in CBC mode, in bytes.
const BLOCK: usize = 16;

/// Length of an authentication tag, in bytes.
const TAG: usize = 16;

/// Reader of JWEs for one key.
pub struct Decryptor {
    key: OaepPrivateDecryptingKey,
}

impl Decryptor {
    /// Prepares the decryption by a key.
    pub fn new(key: &PrivateKey) -> Result<Self, JweError> {
        let pkcs8 = key.to_pkcs8_der().map_err(|_| JweError::Decryption)?;
        let key = PrivateDecryptingKey::from_pkcs8(&pkcs8).map_err(|_| JweError::Decryption)?;
        Ok(Self {
            key: OaepPrivateDecryptingKey::new(key).map_err(|_| JweError::Decryption)?,
        })
    }

    /// Decrypts a compact JWE. The plaintext is wiped when it is dropped.
    ///
    /// The form of the JWE is checked first, and its faults have an error each. Then key and tag are verified; they
    /// have one error. A content encryption key that does not unwrap is replaced by a random one, so that the time
    /// does not show which of both failed (RFC 7516, 11.5).
    pub fn decrypt(&self, compact: &str) -> Result<Zeroizing<Vec<u8>>, JweError> {
        let parts = Parts::split(compact)?;
        let content_encryption = Header::from_parts(&parts)?.content_encryption();
        let encrypted_key = segment::decode(parts.encrypted_key)?;
        let vector = segment::decode(parts.initialization_vector)?;
        let mut content = Zeroizing::new(segment::decode(parts.ciphertext)?);
        let tag: [u8; TAG] = segment::decode(parts.tag)?
            .try_into()
            .map_err(|_| JweError::Tag)?;
        let vector_fits = match content_encryption {
            ContentEncryption::A128CbcHs256 => vector.len() == BLOCK,
            _ => GCM_VECTORS.contains(&vector.len()),
        };
        if !vector_fits {
            return Err(JweError::InitializationVector);
        }

        let unwrapped = content_key::unwrap_oaep(&self.key, &OAEP_SHA256_MGF1SHA256, &encrypted_key);
        let key = content_key::or_random(unwrapped, &[content_encryption.key_length()])
            .ok_or(JweError::Decryption)?;
        // RFC 7516, 5.1 step 14: the header as it was received.
        let aad = parts.header.as_bytes();
        let length = match content_encryption {
            ContentEncryption::A128CbcHs256 => {
                content_cipher::open_cbc_hs256(&key, &vector, aad, &mut content, &tag)
            }
            _ => content_cipher::open_gcm(&key, &vector, aad, &mut content, &tag),
        }
        .ok_or(JweError::Decryption)?;
        content.truncate(length);
        Ok(content)
    }
}

impl std::fmt::Debug for Decryptor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Decryptor(…)")
    }
}

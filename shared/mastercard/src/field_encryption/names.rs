/// Names of the members, or of the HTTP header fields, that carry the values of an encryption.
///
/// They are configuration: each of Mastercard's interfaces has its own. Without a name, a value is not written and not
/// looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// Ciphertext. It is always a member of the payload.
    pub encrypted_value: String,
    /// Content encryption key, wrapped by RSA.
    pub encrypted_key: String,
    /// Initialization vector.
    pub initialization_vector: String,
    /// Hash function of OAEP.
    pub oaep_hash: Option<String>,
    /// Fingerprint of the certificate.
    pub certificate_fingerprint: Option<String>,
    /// Fingerprint of the public key.
    pub key_fingerprint: Option<String>,
    /// Mode of the cipher: `CBC` or `GCM`.
    pub cipher_mode: Option<String>,
    /// Authentication tag of AES-GCM.
    pub tag: Option<String>,
    /// Additional data that AES-GCM authenticates.
    pub additional_data: Option<String>,
}

impl Names {
    /// Names of `encryptedPayload` in MDES Token Connect (`pushMultipleAccounts`).
    pub fn token_connect() -> Self {
        Self {
            encrypted_value: "encryptedData".to_owned(),
            encrypted_key: "encryptedKey".to_owned(),
            initialization_vector: "iv".to_owned(),
            oaep_hash: Some("oaepHashingAlgorithm".to_owned()),
            certificate_fingerprint: None,
            key_fingerprint: Some("publicKeyFingerprint".to_owned()),
            cipher_mode: Some("algorithmCipherMode".to_owned()),
            tag: Some("tag".to_owned()),
            additional_data: Some("aad".to_owned()),
        }
    }

    /// Members that the libraries for Java and Python have in their examples.
    pub fn client_encryption() -> Self {
        Self {
            encrypted_value: "encryptedValue".to_owned(),
            encrypted_key: "encryptedKey".to_owned(),
            initialization_vector: "iv".to_owned(),
            oaep_hash: Some("oaepPaddingDigestAlgorithm".to_owned()),
            certificate_fingerprint: Some("encryptionCertificateFingerprint".to_owned()),
            key_fingerprint: Some("encryptionKeyFingerprint".to_owned()),
            cipher_mode: None,
            tag: None,
            additional_data: None,
        }
    }

    /// Header fields that the library for Java has in its examples.
    pub fn headers() -> Self {
        Self {
            encrypted_value: "encryptedValue".to_owned(),
            encrypted_key: "x-encrypted-key".to_owned(),
            initialization_vector: "x-iv".to_owned(),
            oaep_hash: Some("x-oaep-padding-digest-algorithm".to_owned()),
            certificate_fingerprint: Some("x-encryption-certificate-fingerprint".to_owned()),
            key_fingerprint: Some("x-encryption-key-fingerprint".to_owned()),
            cipher_mode: None,
            tag: None,
            additional_data: None,
        }
    }

    /// Finds known names: `token-connect`, `client-encryption` or `headers`.
    pub fn known(name: &str) -> Option<Self> {
        match name {
            "token-connect" => Some(Self::token_connect()),
            "client-encryption" => Some(Self::client_encryption()),
            "headers" => Some(Self::headers()),
            _ => None,
        }
    }

    pub(super) fn has_gcm(&self) -> bool {
        self.cipher_mode.is_some() && self.tag.is_some() && self.additional_data.is_some()
    }
}

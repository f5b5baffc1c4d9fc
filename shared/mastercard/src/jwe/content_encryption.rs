/// Content encryption of a JWE (`enc`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ContentEncryption {
    /// `A128GCM`, of Mastercard's card and enrollment objects.
    A128Gcm,
    /// `A192GCM`. It is only read.
    A192Gcm,
    /// `A256GCM`, of Mastercard's client-encryption libraries.
    A256Gcm,
    /// `A128CBC-HS256`. It is only read.
    A128CbcHs256,
}

impl ContentEncryption {
    /// Value of `enc`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::A128Gcm => "A128GCM",
            Self::A192Gcm => "A192GCM",
            Self::A256Gcm => "A256GCM",
            Self::A128CbcHs256 => "A128CBC-HS256",
        }
    }

    /// Returns `None` if `enc` is not supported.
    pub fn parse(enc: &str) -> Option<Self> {
        [Self::A128Gcm, Self::A192Gcm, Self::A256Gcm, Self::A128CbcHs256]
            .into_iter()
            .find(|known| known.as_str() == enc)
    }

    /// Whether [`Encryptor`](super::Encryptor) writes it: A128GCM and A256GCM.
    pub fn is_written(self) -> bool {
        matches!(self, Self::A128Gcm | Self::A256Gcm)
    }

    /// Length of the content encryption key, in bytes.
    pub(super) fn key_length(self) -> usize {
        match self {
            Self::A128Gcm => 16,
            Self::A192Gcm => 24,
            Self::A256Gcm | Self::A128CbcHs256 => 32,
        }
    }
}

impl std::fmt::Display for ContentEncryption {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

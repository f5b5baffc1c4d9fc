use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaParameters, UnparsedPublicKey,
};

/// Signature scheme.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SignatureMethod {
    /// `RSA-SHA256`: RSASSA-PKCS1-v1_5 with SHA-256. All of Mastercard's gateways take it.
    #[default]
    RsaSha256,
    /// `RSA-PSS`: RSASSA-PSS with SHA-256, MGF1 with SHA-256 and a salt of 32 bytes. Newer official signers offer it.
    RsaPss,
}

impl SignatureMethod {
    /// Value of `oauth_signature_method`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RsaSha256 => "RSA-SHA256",
            Self::RsaPss => "RSA-PSS",
        }
    }

    /// Finds the scheme of a value of `oauth_signature_method`.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::RsaSha256, Self::RsaPss]
            .into_iter()
            .find(|method| method.as_str() == text)
    }

    /// Whether a signature of a message is one of the key (`SubjectPublicKeyInfo` DER, 2048 to 8192 bits).
    pub(crate) fn is_signature(self, spki: &[u8], message: &[u8], signature: &[u8]) -> bool {
        let parameters: &RsaParameters = match self {
            Self::RsaSha256 => &RSA_PKCS1_2048_8192_SHA256,
            Self::RsaPss => &RSA_PSS_2048_8192_SHA256,
        };
        UnparsedPublicKey::new(parameters, spki)
            .verify(message, signature)
            .is_ok()
    }
}

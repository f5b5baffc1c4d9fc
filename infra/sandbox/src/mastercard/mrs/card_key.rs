//! Digests of card numbers, which tell cards apart without the numbers.

use aws_lc_rs::hmac;

use crate::card_number::CardNumber;

/// HMAC-SHA-256 of a card number.
pub(crate) type CardDigest = [u8; 32];

/// Key of the digests: random, and kept as long as the accounts.
pub(crate) struct CardKey {
    bytes: [u8; 32],
    key: hmac::Key,
}

impl CardKey {
    pub(crate) fn new(bytes: [u8; 32]) -> Self {
        Self {
            bytes,
            key: hmac::Key::new(hmac::HMAC_SHA256, &bytes),
        }
    }

    pub(crate) fn digest(&self, card: &CardNumber) -> CardDigest {
        let tag = hmac::sign(&self.key, card.digits().as_bytes());
        let mut digest = [0; 32];
        digest.copy_from_slice(tag.as_ref());
        digest
    }

    /// For the file that the digests are kept in.
    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }
}

//! AES under a content encryption key, for JWE and for field-level encryption. `None` is any failure: a key of another
//! length, a wrong tag, wrong padding.

use aes_gcm::{
    AesGcm, KeyInit,
    aead::{AeadInOut, consts::U16},
    aes::{Aes128, Aes192, Aes256},
};
use aws_lc_rs::{
    aead::{
        AES_128_GCM, AES_192_GCM, AES_256_GCM, Aad, Algorithm, LessSafeKey, NONCE_LEN, Nonce, UnboundKey,
    },
    cipher::{
        AES_128, AES_192, AES_256, DecryptionContext, EncryptionContext, PaddedBlockDecryptingKey,
        PaddedBlockEncryptingKey, UnboundCipherKey,
    },
    constant_time::verify_slices_are_equal,
    hmac,
    iv::FixedLength,
};

/// Length of an authentication tag, in bytes.
const TAG: usize = 16;

/// AES-GCM with a key of `length` bytes.
pub(crate) fn gcm(length: usize) -> Option<&'static Algorithm> {
    match length {
        16 => Some(&AES_128_GCM),
        24 => Some(&AES_192_GCM),
        32 => Some(&AES_256_GCM),
        _ => None,
    }
}

/// Verifies and decrypts in place. Returns the plaintext's length.
///
/// aws-lc knows nonces of 12 bytes only. Those of 16 bytes are opened by the crate `aes-gcm`.
pub(crate) fn open_gcm(
    key: &[u8],
    nonce: &[u8],
    aad: &[u8],
    content: &mut [u8],
    tag: &[u8; TAG],
) -> Option<usize> {
    if nonce.len() == NONCE_LEN {
        let key = UnboundKey::new(gcm(key.len())?, key).ok()?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        LessSafeKey::new(key)
            .open_in_place_separate_tag(nonce, Aad::from(aad), tag, content)
            .ok()?;
    } else {
        match key.len() {
            16 => open_long_nonce::<AesGcm<Aes128, U16>>(key, nonce, aad, content, tag)?,
            24 => open_long_nonce::<AesGcm<Aes192, U16>>(key, nonce, aad, content, tag)?,
            32 => open_long_nonce::<AesGcm<Aes256, U16>>(key, nonce, aad, content, tag)?,
            _ => return None,
        }
    }
    Some(content.len())
}

fn open_long_nonce<Cipher: KeyInit + AeadInOut<NonceSize = U16, TagSize = U16>>(
    key: &[u8],
    nonce: &[u8],
    aad: &[u8],
    content: &mut [u8],
    tag: &[u8; TAG],
) -> Option<()> {
    let nonce: [u8; 16] = nonce.try_into().ok()?;
    Cipher::new_from_slice(key)
        .ok()?
        .decrypt_inout_detached(&nonce.into(), aad, content.into(), &(*tag).into())
        .ok()
}

/// Verifies and decrypts `AES_128_CBC_HMAC_SHA_256` (RFC 7518, 5.2.3) in place. Returns the plaintext's length.
///
/// `key` has 32 bytes: first the one for the HMAC, then the one for AES.
pub(crate) fn open_cbc_hs256(
    key: &[u8],
    vector: &[u8],
    aad: &[u8],
    content: &mut [u8],
    tag: &[u8; TAG],
) -> Option<usize> {
    let (mac_key, encryption_key) = key.split_at_checked(16)?;
    let aad_bits = u64::try_from(aad.len()).ok()?.checked_mul(8)?;
    let mut mac = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, mac_key));
    mac.update(aad);
    mac.update(vector);
    mac.update(content);
    mac.update(&aad_bits.to_be_bytes());
    verify_slices_are_equal(&mac.sign().as_ref()[..TAG], tag).ok()?;
    open_cbc(encryption_key, vector, content)
}

/// Decrypts AES-CBC with PKCS#7 padding in place. Nothing is authenticated. Returns the plaintext's length.
pub(crate) fn open_cbc(key: &[u8], vector: &[u8], content: &mut [u8]) -> Option<usize> {
    let iv = DecryptionContext::Iv128(FixedLength::try_from(vector).ok()?);
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(cbc(key)?).ok()?;
    Some(key.decrypt(content, iv).ok()?.len())
}

/// Encrypts by AES-GCM in place, under a nonce of 12 bytes that is used once. Returns the tag.
pub(crate) fn seal_gcm(key: &[u8], nonce: &[u8], aad: &[u8], content: &mut [u8]) -> Option<[u8; TAG]> {
    let key = UnboundKey::new(gcm(key.len())?, key).ok()?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let tag = LessSafeKey::new(key)
        .seal_in_place_separate_tag(nonce, Aad::from(aad), content)
        .ok()?;
    tag.as_ref().try_into().ok()
}

/// Encrypts by AES-CBC with PKCS#7 padding in place. Reserve a block more, or a copy of the plaintext may remain.
pub(crate) fn seal_cbc(key: &[u8], vector: [u8; 16], content: &mut Vec<u8>) -> Option<()> {
    let iv = EncryptionContext::Iv128(FixedLength::from(vector));
    let key = PaddedBlockEncryptingKey::cbc_pkcs7(cbc(key)?).ok()?;
    key.less_safe_encrypt(content, iv).ok()?;
    Some(())
}

fn cbc(key: &[u8]) -> Option<UnboundCipherKey> {
    let algorithm = match key.len() {
        16 => &AES_128,
        24 => &AES_192,
        32 => &AES_256,
        _ => return None,
    };
    UnboundCipherKey::new(algorithm, key).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        hex::decode(text.split_whitespace().collect::<String>()).unwrap()
    }

    /// First blocks of NIST SP 800-38A, appendices F.2.1, F.2.3 and F.2.5.
    #[test]
    fn cbc_is_the_one_of_nist_for_each_key_length() {
        let vector = hex("000102030405060708090a0b0c0d0e0f");
        for (key, first_block) in [
            (
                "2b7e151628aed2a6abf7158809cf4f3c",
                "7649abac8119b246cee98e9b12e9197d",
            ),
            (
                "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
                "4f021db243bc633d7178183a9fa071e8",
            ),
            (
                "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
                "f58c4c04d6e5f1ba779eabfb5f7bfbd6",
            ),
        ] {
            let mut content = hex("6bc1bee22e409f96e93d7e117393172a");
            seal_cbc(&hex(key), vector.clone().try_into().unwrap(), &mut content).unwrap();
            assert_eq!(content.len(), 32, "a block of padding");
            assert_eq!(content[..16], hex(first_block)[..], "{key}");
        }
    }

    /// RFC 7518, appendix B.1.
    #[test]
    fn cbc_with_hmac_is_the_one_of_rfc_7518() {
        let key = hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
        let vector = hex("1af38c2dc2b96ffdd86694092341bc04");
        let aad = b"The second principle of Auguste Kerckhoffs";
        let plaintext =
            b"A cipher system must not be required to be secret, and it must be able to fall into the hands \
            of the enemy without inconvenience";
        let ciphertext = hex("c80edfa32ddf39d5ef00c0b468834279a2e46a1b8049f792f76bfe54b903a9c9
            a94ac9b47ad2655c5f10f9aef71427e2fc6f9b3f399a221489f16362c7032336
            09d45ac69864e3321cf82935ac4096c86e133314c54019e8ca7980dfa4b9cf1b
            384c486f3a54c51078158ee5d79de59fbd34d848b3d69550a67646344427ade5
            4b8851ffb598f7f80074b9473c82e2db");
        let tag: [u8; TAG] = hex("652c3fa36b0a7c5b3219fab3a30bc1c4").try_into().unwrap();
        let open = |aad: &[u8], tag: &[u8; TAG]| {
            let mut content = ciphertext.clone();
            let length = open_cbc_hs256(&key, &vector, aad, &mut content, tag)?;
            content.truncate(length);
            Some(content)
        };
        assert_eq!(open(aad, &tag).as_deref(), Some(&plaintext[..]));
        assert_eq!(open(b"The second principle of Auguste Kerckhoff", &tag), None);
        for bit in 0..8 * TAG {
            let mut changed = tag;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(aad, &changed), None);
        }
    }
}

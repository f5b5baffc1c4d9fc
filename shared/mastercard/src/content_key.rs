//! Content encryption keys, wrapped by RSA for JWE and for field-level encryption.

use aws_lc_rs::{
    rand,
    rsa::{OaepAlgorithm, OaepPrivateDecryptingKey, Pkcs1PrivateDecryptingKey},
};
use zeroize::Zeroizing;

/// Decrypts a key by RSA-OAEP with an empty label. `None` is any failure.
pub(crate) fn unwrap_oaep(
    key: &OaepPrivateDecryptingKey,
    algorithm: &'static OaepAlgorithm,
    wrapped: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let mut output = Zeroizing::new(vec![0; key.min_output_size()]);
    let unwrapped = key.decrypt(algorithm, wrapped, &mut output, None).ok()?;
    Some(Zeroizing::new(unwrapped.to_vec()))
}

/// Decrypts a key by RSA with the padding of PKCS#1 v1.5. `None` is any failure.
pub(crate) fn unwrap_pkcs1(key: &Pkcs1PrivateDecryptingKey, wrapped: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut output = Zeroizing::new(vec![0; key.min_output_size()]);
    let unwrapped = key.decrypt(wrapped, &mut output).ok()?;
    Some(Zeroizing::new(unwrapped.to_vec()))
}

/// Replaces a key that was not unwrapped, or has none of the lengths, by a random one of the first length, so that the
/// time until an error does not show what failed (RFC 7516, 11.5). `None` if the generator fails.
pub(crate) fn or_random(
    unwrapped: Option<Zeroizing<Vec<u8>>>,
    lengths: &[usize],
) -> Option<Zeroizing<Vec<u8>>> {
    let mut random = Zeroizing::new(vec![0; *lengths.first()?]);
    rand::fill(&mut random).ok()?;
    Some(
        unwrapped
            .filter(|key| lengths.contains(&key.len()))
            .unwrap_or(random),
    )
}

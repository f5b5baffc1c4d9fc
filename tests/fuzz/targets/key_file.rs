//! A public key of a client: PEM, DER, base64 or anything else.

#![no_main]

use enrollment::client::public_key::PublicKey;
use enrollment::{encoding, pem};
use jsonwebtoken::DecodingKey;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    if let Ok(text) = encoding::text(file) {
        assert!(!text.contains("\r\n") && !text.starts_with('\u{feff}'));
        if let Ok(rewrapped) = pem::rewrapped(&text) {
            assert_eq!(pem::sections(&rewrapped), pem::sections(&text));
        }
    }
    match PublicKey::read(file) {
        Ok(key) => {
            assert!((2048..=8192).contains(&key.bits));
            let again = PublicKey::read(key.pem.as_bytes()).expect("a key that was read can be read");
            assert_eq!(
                (again.pem, again.bits, again.validity),
                (key.pem.clone(), key.bits, None)
            );
            DecodingKey::from_rsa_pem(key.pem.as_bytes()).expect("a key for RS256");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});

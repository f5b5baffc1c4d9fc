//! A compact JWE: its header without a key, and its decryption.

#![no_main]

use std::sync::LazyLock;

use fuzz::{RECEIVER, assert_no_card_number};
use libfuzzer_sys::fuzz_target;
use mastercard::jwe::{ContentEncryption, Decryptor, Encryptor, Header, JweError, KeyName};

static DECRYPTOR: LazyLock<Decryptor> =
    LazyLock::new(|| Decryptor::new(&RECEIVER).expect("a key that decrypts"));

fuzz_target!(|compact: &str| {
    let header = match Header::parse(compact) {
        Ok(header) => header,
        Err(error) => {
            assert_no_card_number(&error.to_string());
            // What has no readable header is refused with the same reason.
            assert_eq!(DECRYPTOR.decrypt(compact).err(), Some(error));
            return;
        }
    };
    assert!(!format!("{header:?}").contains("kid"));
    if let Some(name) = header.key_name() {
        assert!((1..=256).contains(&name.value.len()));
    }
    match DECRYPTOR.decrypt(compact) {
        Ok(plaintext) => {
            let again = written(&plaintext, header.key_name(), header.content_type());
            assert_eq!(DECRYPTOR.decrypt(&again).as_deref(), Ok(&*plaintext));
        }
        Err(JweError::Base64 | JweError::InitializationVector | JweError::Tag | JweError::Decryption) => {}
        Err(error) => panic!("a header that is read is refused: {error}"),
    }
});

/// Writes a plaintext with the same members in its header.
fn written(plaintext: &[u8], name: Option<&KeyName>, content_type: Option<&str>) -> String {
    let name = name.cloned().unwrap_or_else(|| KeyName::kid("k"));
    let encryptor = Encryptor::new(
        RECEIVER.public_key(),
        name.clone(),
        ContentEncryption::A256Gcm,
        content_type,
    );
    let compact = encryptor
        .and_then(|encryptor| encryptor.encrypt(plaintext))
        .expect("members that were read can be written");
    let header = Header::parse(&compact).expect("a header that was written can be read");
    assert_eq!(header.key_name(), Some(&name));
    assert_eq!(header.content_type(), content_type);
    compact
}

//! An encrypted payload with paths: the first line is `FROM=TO`, the rest is JSON.

#![no_main]

use std::sync::LazyLock;

use fuzz::{RECEIVER, assert_no_card_number};
use libfuzzer_sys::fuzz_target;
use mastercard::field_encryption::{
    AcceptedModes, Cipher, Decryptor, DecryptorSettings, Encoding, Encryptor, EncryptorSettings,
    FieldEncryptionError, MissingHash, Names, OaepHash, PathMapping,
};
use serde_json::Value;

static DECRYPTOR: LazyLock<Decryptor> = LazyLock::new(|| {
    let settings = DecryptorSettings {
        names: Names::token_connect(),
        encoding: Encoding::Hex,
        missing_hash: MissingHash::Pkcs1V15,
        modes: AcceptedModes::Both,
    };
    Decryptor::new(&RECEIVER, settings).expect("a key that decrypts")
});

static ENCRYPTOR: LazyLock<Encryptor> = LazyLock::new(|| {
    let settings = EncryptorSettings {
        names: Names::token_connect(),
        cipher: Cipher::Aes128Gcm,
        oaep_hash: OaepHash::Sha256,
        encoding: Encoding::Hex,
        certificate_fingerprint: None,
        key_fingerprint: None,
    };
    Encryptor::new(RECEIVER.public_key(), settings).expect("a key that encrypts")
});

fuzz_target!(|input: &str| {
    let Some((paths, json)) = input.split_once('\n') else {
        return;
    };
    let Some((from, to)) = paths.split_once('=') else {
        return;
    };
    let (Ok(there), Ok(back)) = (PathMapping::parse(from, to), PathMapping::parse(to, from)) else {
        return;
    };
    let Ok(payload) = serde_json::from_str::<Value>(json) else {
        return;
    };

    if let Err(error) = DECRYPTOR.decrypt_payload(payload.clone(), std::slice::from_ref(&there)) {
        let told = error.to_string();
        // Names and paths are the caller's own; nothing else of the payload is repeated.
        assert_no_card_number(&told.replace(from, "").replace(to, ""));
    }
    // An encrypted part that the payload has already need not be readable.
    if payload.to_string().contains("encryptedData") {
        return;
    }
    let Ok(encrypted) = ENCRYPTOR.encrypt_payload(payload, &[there]) else {
        return;
    };
    assert!(encrypted.headers.is_empty());
    match DECRYPTOR.decrypt_payload(encrypted.payload, &[back]) {
        Ok(decrypted) => assert_eq!(decrypted.parts, encrypted.parts),
        Err(FieldEncryptionError::NoParent { .. } | FieldEncryptionError::NotAnObject { .. }) => {}
        Err(error) => panic!("what was encrypted is refused: {error}"),
    }
});

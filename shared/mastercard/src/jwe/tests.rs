use std::sync::LazyLock;

use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use proptest::prelude::*;

use super::*;
use crate::keys::PrivateKey;

static OURS: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(2048).unwrap());

fn encryptor(enc: ContentEncryption) -> Encryptor {
    Encryptor::new(
        OURS.public_key(),
        KeyName::kid("a-key"),
        enc,
        Some("application/json"),
    )
    .unwrap()
}

fn decrypt(compact: &str) -> Result<Vec<u8>, JweError> {
    Ok(Decryptor::new(&OURS)?.decrypt(compact)?.to_vec())
}

/// A JWE of a header and parts that the encryptor would not write.
fn foreign(header: &str, key: &[u8], vector: &[u8], ciphertext: &[u8], tag: &[u8]) -> String {
    let public_key = PublicEncryptingKey::from_der(OURS.public_key().spki_der()).unwrap();
    let mut encrypted_key = vec![0; 256];
    OaepPublicEncryptingKey::new(public_key)
        .unwrap()
        .encrypt(&OAEP_SHA256_MGF1SHA256, key, &mut encrypted_key, None)
        .unwrap();
    [header.as_bytes(), &encrypted_key, vector, ciphertext, tag]
        .map(|part| URL_SAFE_NO_PAD.encode(part))
        .join(".")
}

fn with_header(header: &str) -> String {
    foreign(header, &[0; 16], &[0; 12], b"", &[0; 16])
}

fn header(json: &str) -> Result<Header, JweError> {
    Header::parse(&with_header(json))
}

#[test]
fn written_is_read() {
    for enc in [ContentEncryption::A128Gcm, ContentEncryption::A256Gcm] {
        for plaintext in [&b""[..], b"{}", &vec![7; 100_000]] {
            let compact = encryptor(enc).encrypt(plaintext).unwrap();
            assert_eq!(decrypt(&compact).unwrap(), plaintext);
            assert_eq!(Header::parse(&compact).unwrap().content_encryption(), enc);
        }
    }
}

#[test]
fn each_has_a_fresh_key_and_vector() {
    let encryptor = encryptor(ContentEncryption::A128Gcm);
    let [one, two] = [(); 2].map(|()| encryptor.encrypt(b"same").unwrap());
    for (index, (one, two)) in one.split('.').zip(two.split('.')).enumerate() {
        assert_eq!(one == two, index == 0, "part {index}");
    }
}

#[test]
fn header_is_the_one_of_mastercards_examples() {
    let kid = "20230207223521-sandbox-fpan-encryption-src-mastercard-int";
    let encryptor = Encryptor::new(
        OURS.public_key(),
        KeyName::kid(kid),
        ContentEncryption::A128Gcm,
        None,
    )
    .unwrap();
    let compact = encryptor.encrypt(b"{}").unwrap();
    let header = URL_SAFE_NO_PAD
        .decode(compact.split('.').next().unwrap())
        .unwrap();
    // `encryptedCard` of Mastercard's Card API specification (docs/sources.md).
    assert_eq!(
        String::from_utf8(header).unwrap(),
        format!(r#"{{"kid":"{kid}","alg":"RSA-OAEP-256","enc":"A128GCM"}}"#)
    );
}

#[test]
fn header_has_the_configured_members() {
    let encryptor = Encryptor::new(
        OURS.public_key(),
        KeyName::key_id("k"),
        ContentEncryption::A256Gcm,
        Some("application/json"),
    );
    let header = Header::parse(&encryptor.unwrap().encrypt(b"{}").unwrap()).unwrap();
    assert_eq!(header.key_name(), Some(&KeyName::key_id("k")));
    assert_eq!(header.content_type(), Some("application/json"));
    assert_eq!(header.content_encryption(), ContentEncryption::A256Gcm);
    assert!(!format!("{header:?}").contains("json"));
}

#[test]
fn encryption_that_is_only_read_is_not_written() {
    for enc in [ContentEncryption::A192Gcm, ContentEncryption::A128CbcHs256] {
        let refused = Encryptor::new(OURS.public_key(), KeyName::kid("k"), enc, None);
        assert_eq!(refused.err(), Some(JweError::ContentEncryption));
    }
}

#[test]
fn key_name_has_its_limits() {
    let new = |name: String| {
        Encryptor::new(
            OURS.public_key(),
            KeyName::kid(name),
            ContentEncryption::A128Gcm,
            None,
        )
    };
    assert!(new("k".repeat(256)).is_ok());
    for name in [String::new(), "k".repeat(257)] {
        assert_eq!(new(name).err(), Some(JweError::KeyName));
    }
    assert_eq!(
        header(r#"{"alg":"RSA-OAEP-256","enc":"A128GCM","kid":""}"#),
        Err(JweError::KeyName)
    );
}

#[test]
fn foreign_headers_are_read() {
    let long = format!(r#""x":"{}""#, "x".repeat(2900));
    for (members, name, content_type) in [
        (r#""kid":"k""#, Some(KeyName::kid("k")), None),
        // Mastercard's answers.
        (
            r#""keyId":"k","iat":1675808721"#,
            Some(KeyName::key_id("k")),
            None,
        ),
        (r#""kid":"k","keyId":"k""#, Some(KeyName::kid("k")), None),
        (r#""kid":null,"cty":null"#, None, None),
        // Escaped by a PHP or Java serializer.
        (r#""cty":"application\/json""#, None, Some("application/json")),
        (r#""typ":"JOSE","x5c":[["a"]]"#, None, None),
        (&long, None, None),
    ] {
        let read = header(&format!(
            r#" {{ {members} , "enc":"A128GCM","alg":"RSA-OAEP-256" }} "#
        ))
        .unwrap();
        assert_eq!(read.key_name(), name.as_ref(), "{members}");
        assert_eq!(read.content_type(), content_type, "{members}");
    }
}

#[test]
fn unsupported_headers_are_refused() {
    let known = r#""alg":"RSA-OAEP-256","enc":"A128GCM""#;
    for (json, error) in [
        ("", JweError::Header),
        ("null", JweError::Header),
        (r#"["RSA-OAEP-256","A128GCM"]"#, JweError::Header),
        (r#"{"alg":"RSA-OAEP-256"}"#, JweError::Header),
        (r#"{"alg":1,"enc":"A128GCM"}"#, JweError::Header),
        (&format!(r"{{{known}}}{{}}"), JweError::Header),
        (&format!(r#"{{{known},"alg":"RSA-OAEP-256"}}"#), JweError::Header),
        (&format!(r#"{{{known},"kid":5}}"#), JweError::Header),
        (r#"{"alg":"RSA-OAEP","enc":"A128GCM"}"#, JweError::Algorithm),
        (r#"{"alg":"RSA1_5","enc":"A128GCM"}"#, JweError::Algorithm),
        (r#"{"alg":"none","enc":"A128GCM"}"#, JweError::Algorithm),
        (
            r#"{"alg":"RSA-OAEP-256","enc":"A256CBC-HS512"}"#,
            JweError::ContentEncryption,
        ),
        (
            r#"{"alg":"RSA-OAEP-256","enc":"a128gcm"}"#,
            JweError::ContentEncryption,
        ),
        (
            &format!(r#"{{{known},"crit":["exp"]}}"#),
            JweError::CriticalExtension,
        ),
        (
            &format!(r#"{{{known},"crit":null}}"#),
            JweError::CriticalExtension,
        ),
        (&format!(r#"{{{known},"zip":"DEF"}}"#), JweError::Compression),
        (
            &format!(r#"{{{known},"kid":"a","keyId":"b"}}"#),
            JweError::TwoKeyNames,
        ),
        (
            &format!(r#"{{{known},"x":"{}"}}"#, "x".repeat(3100)),
            JweError::HeaderTooLong,
        ),
    ] {
        assert_eq!(header(json), Err(error), "{json}");
        assert_eq!(decrypt(&with_header(json)), Err(error), "{json}");
    }
}

#[test]
fn wrong_form_is_told() {
    let compact = encryptor(ContentEncryption::A128Gcm).encrypt(b"{}").unwrap();
    let parts: Vec<&str> = compact.split('.').collect();
    let with = |index: usize, part: &str| {
        let mut parts = parts.clone();
        parts[index] = part;
        parts.join(".")
    };
    for other in [
        "",
        "a",
        "a.b.c.d",
        &format!("{compact}."),
        &format!("{compact}.x"),
    ] {
        assert_eq!(decrypt(other), Err(JweError::Parts), "{other}");
        assert_eq!(Header::parse(other), Err(JweError::Parts), "{other}");
    }
    for part in ["a", "ä", "YWJj=", "YW Jj", "YWJ", "a\n"] {
        for index in 0..5 {
            assert!(decrypt(&with(index, part)).is_err(), "{part} in {index}");
        }
        if part != "YWJ" {
            assert_eq!(decrypt(&with(3, part)), Err(JweError::Base64), "{part}");
        }
    }
    // A cut of the last bits would be lost otherwise.
    assert_eq!(decrypt(&with(3, "YWJ")), Err(JweError::Base64));
    assert_eq!(decrypt(&with(2, "AAAA")), Err(JweError::InitializationVector));
    assert_eq!(decrypt(&with(2, "")), Err(JweError::InitializationVector));
    assert_eq!(decrypt(&with(4, "AAAA")), Err(JweError::Tag));
    assert_eq!(decrypt(&with(1, "")), Err(JweError::Decryption));
    assert_eq!(decrypt(&with(1, "AAAA")), Err(JweError::Decryption));
}

#[test]
fn changed_bits_are_noticed() {
    let compact = encryptor(ContentEncryption::A256Gcm)
        .encrypt(b"{\"a\":1}")
        .unwrap();
    let parts: Vec<Vec<u8>> = compact
        .split('.')
        .map(|part| URL_SAFE_NO_PAD.decode(part).unwrap())
        .collect();
    for (index, bytes) in parts.iter().enumerate().skip(1) {
        // The key has 2048 bits, and each costs a decryption by RSA.
        for bit in (0..bytes.len() * 8).step_by(if index == 1 { 61 } else { 1 }) {
            let mut changed = parts.clone();
            changed[index][bit / 8] ^= 1 << (bit % 8);
            let text = changed.iter().map(|part| URL_SAFE_NO_PAD.encode(part));
            let text = text.collect::<Vec<_>>().join(".");
            assert_eq!(
                decrypt(&text),
                Err(JweError::Decryption),
                "part {index}, bit {bit}"
            );
        }
    }
}

#[test]
fn header_is_authenticated_as_received() {
    let compact = encryptor(ContentEncryption::A256Gcm).encrypt(b"{}").unwrap();
    let (encoded, rest) = compact.split_once('.').unwrap();
    let json = String::from_utf8(URL_SAFE_NO_PAD.decode(encoded).unwrap()).unwrap();
    // The same members, written otherwise.
    let other = URL_SAFE_NO_PAD.encode(json.replace(',', ", "));
    assert_eq!(decrypt(&format!("{other}.{rest}")), Err(JweError::Decryption));
}

#[test]
fn jwe_for_another_key_is_refused() {
    let other_key = PrivateKey::generate(2048).unwrap();
    let other = Encryptor::new(
        other_key.public_key(),
        KeyName::kid("k"),
        ContentEncryption::A128Gcm,
        None,
    );
    let compact = other.unwrap().encrypt(b"{}").unwrap();
    assert_eq!(decrypt(&compact), Err(JweError::Decryption));
}

#[test]
fn content_key_of_another_length_is_refused() {
    let header = r#"{"alg":"RSA-OAEP-256","enc":"A256GCM"}"#;
    for length in [0, 16, 31, 33, 64] {
        let compact = foreign(header, &vec![0; length], &[0; 12], b"", &[0; 16]);
        assert_eq!(decrypt(&compact), Err(JweError::Decryption), "{length}");
    }
}

/// Mastercard's library for Node.js writes `/` where base64url has `_`.
#[test]
fn slash_of_the_node_library_is_read() {
    let encryptor = encryptor(ContentEncryption::A256Gcm);
    let plaintext = [0x5a; 3000];
    let compact = encryptor.encrypt(&plaintext).unwrap();
    assert!(compact.contains('_'));
    assert_eq!(decrypt(&compact.replace('_', "/")).unwrap(), plaintext);
    let (header, rest) = compact.split_once('.').unwrap();
    let standard = rest.replace('-', "+").replace('_', "/");
    assert_eq!(decrypt(&format!("{header}.{standard}")).unwrap(), plaintext);
    assert!(
        STANDARD_NO_PAD
            .decode(standard.split('.').next().unwrap())
            .is_ok()
    );
}

/// Vector of 16 bytes, as Mastercard's libraries for Java, Python and Node.js write it: encrypted with another crate.
#[test]
fn vector_of_sixteen_bytes_is_read() {
    use aes_gcm::{
        AesGcm, KeyInit,
        aead::{AeadInOut, consts::U16},
        aes::{Aes128, Aes192, Aes256},
    };
    fn seal<Cipher: KeyInit + AeadInOut<NonceSize = U16, TagSize = U16>>(enc: &str, key: &[u8]) -> String {
        let header = format!(r#"{{"alg":"RSA-OAEP-256","enc":"{enc}"}}"#);
        let mut content = b"{\"a\":1}".to_vec();
        let tag = Cipher::new_from_slice(key)
            .unwrap()
            .encrypt_inout_detached(
                &[9; 16].into(),
                URL_SAFE_NO_PAD.encode(&header).as_bytes(),
                content.as_mut_slice().into(),
            )
            .unwrap();
        foreign(&header, key, &[9; 16], &content, &tag)
    }
    for compact in [
        seal::<AesGcm<Aes128, U16>>("A128GCM", &[1; 16]),
        seal::<AesGcm<Aes192, U16>>("A192GCM", &[2; 24]),
        seal::<AesGcm<Aes256, U16>>("A256GCM", &[3; 32]),
    ] {
        assert_eq!(decrypt(&compact).unwrap(), b"{\"a\":1}");
        let tampered = format!("{}AA", &compact[..compact.len() - 2]);
        if tampered != compact {
            assert!(decrypt(&tampered).is_err());
        }
    }
}

fn parts() -> impl Strategy<Value = String> {
    let header = prop_oneof![
        Just(r#"{"alg":"RSA-OAEP-256","enc":"A128GCM"}"#.to_owned()),
        Just(r#"{"alg":"RSA-OAEP-256","enc":"A128CBC-HS256"}"#.to_owned()),
        "\\{\"alg\":\"RSA-OAEP-256\",\"enc\":\"A[12][0-9]{2}GCM\",\"[a-z]{3}\":.{0,5}\\}",
    ];
    let bytes = || proptest::collection::vec(any::<u8>(), 0..40);
    (header, bytes(), bytes(), bytes(), bytes()).prop_map(|(header, key, vector, content, tag)| {
        [header.as_bytes(), &key, &vector, &content, &tag]
            .map(|part| URL_SAFE_NO_PAD.encode(part))
            .join(".")
    })
}

proptest! {
    #[test]
    fn any_plaintext_returns(plaintext in proptest::collection::vec(any::<u8>(), 0..2000), long in any::<bool>()) {
        let enc = if long { ContentEncryption::A256Gcm } else { ContentEncryption::A128Gcm };
        let compact = encryptor(enc).encrypt(&plaintext).unwrap();
        prop_assert_eq!(decrypt(&compact).unwrap(), plaintext);
    }

    #[test]
    fn any_text_is_refused_without_panic(text in "\\PC{0,200}", parts in parts()) {
        prop_assert!(decrypt(&text).is_err());
        Header::parse(&text).ok();
        prop_assert!(decrypt(&parts).is_err());
    }
}

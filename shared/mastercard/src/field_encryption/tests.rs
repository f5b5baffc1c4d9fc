use std::sync::LazyLock;

use aws_lc_rs::rsa::{Pkcs1PublicEncryptingKey, PublicEncryptingKey};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::content_cipher;
use crate::keys::PrivateKey;

static OURS: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(2048).unwrap());

fn encryptor_settings() -> EncryptorSettings {
    EncryptorSettings {
        names: Names::token_connect(),
        cipher: Cipher::Aes128Cbc,
        oaep_hash: OaepHash::Sha256,
        encoding: Encoding::Hex,
        certificate_fingerprint: None,
        key_fingerprint: None,
    }
}

fn decryptor_settings() -> DecryptorSettings {
    DecryptorSettings {
        names: Names::token_connect(),
        encoding: Encoding::Hex,
        missing_hash: MissingHash::Assumed(OaepHash::Sha256),
        modes: AcceptedModes::Both,
    }
}

fn encryptor() -> Encryptor {
    Encryptor::new(OURS.public_key(), encryptor_settings()).unwrap()
}

fn decryptor() -> Decryptor {
    Decryptor::new(&OURS, decryptor_settings()).unwrap()
}

fn mapping(from: &str, to: &str) -> PathMapping {
    PathMapping::parse(from, to).unwrap()
}

fn encrypt(payload: Value, from: &str, to: &str) -> Result<Value, FieldEncryptionError> {
    Ok(encryptor()
        .encrypt_payload(payload, &[mapping(from, to)])?
        .payload)
}

fn decrypt(payload: Value, from: &str, to: &str) -> Result<Value, FieldEncryptionError> {
    Ok(decryptor()
        .decrypt_payload(payload, &[mapping(from, to)])?
        .payload)
}

mod forms {
    use super::*;

    #[test]
    fn each_cipher_hash_and_encoding_returns() {
        let ciphers = [
            Cipher::Aes128Cbc,
            Cipher::Aes256Cbc,
            Cipher::Aes128Gcm,
            Cipher::Aes256Gcm,
        ];
        for cipher in ciphers {
            for oaep_hash in [OaepHash::Sha256, OaepHash::Sha512] {
                for encoding in [Encoding::Hex, Encoding::Base64] {
                    let settings = EncryptorSettings {
                        cipher,
                        oaep_hash,
                        encoding,
                        ..encryptor_settings()
                    };
                    let members = Encryptor::new(OURS.public_key(), settings)
                        .unwrap()
                        .encrypt(b"{}")
                        .unwrap();
                    let settings = DecryptorSettings {
                        encoding,
                        ..decryptor_settings()
                    };
                    let plaintext = Decryptor::new(&OURS, settings).unwrap().decrypt(&members);
                    assert_eq!(
                        **plaintext.unwrap(),
                        *b"{}",
                        "{cipher:?} {oaep_hash:?} {encoding:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn members_are_those_of_token_connect() {
        let members = encryptor().encrypt(b"{}").unwrap();
        let names: Vec<&str> = members.keys().map(String::as_str).collect();
        let mut expected = [
            "encryptedData",
            "encryptedKey",
            "iv",
            "oaepHashingAlgorithm",
            "publicKeyFingerprint",
        ];
        expected.sort_unstable();
        let mut names = names;
        names.sort_unstable();
        assert_eq!(names, expected);
        assert_eq!(members["oaepHashingAlgorithm"], "SHA256");
        assert_eq!(members["publicKeyFingerprint"], OURS.public_key().fingerprint());
        assert_eq!(members["iv"].as_str().unwrap().len(), 32);
    }

    #[test]
    fn gcm_writes_mode_tag_and_additional_data() {
        let settings = EncryptorSettings {
            cipher: Cipher::Aes256Gcm,
            ..encryptor_settings()
        };
        let members = Encryptor::new(OURS.public_key(), settings)
            .unwrap()
            .encrypt(b"{}")
            .unwrap();
        assert_eq!(members["algorithmCipherMode"], "GCM");
        assert_eq!(members["iv"].as_str().unwrap().len(), 24);
        for (name, length) in [("tag", 32), ("aad", 32)] {
            assert_eq!(members[name].as_str().unwrap().len(), length, "{name}");
        }
    }

    #[test]
    fn gcm_needs_its_names() {
        let settings = EncryptorSettings {
            names: Names::client_encryption(),
            cipher: Cipher::Aes128Gcm,
            ..encryptor_settings()
        };
        assert_eq!(
            Encryptor::new(OURS.public_key(), settings).err(),
            Some(FieldEncryptionError::GcmNames)
        );
    }

    #[test]
    fn hash_is_read_in_each_spelling() {
        for (word, hash) in [
            ("SHA256", Some(OaepHash::Sha256)),
            ("SHA-256", Some(OaepHash::Sha256)),
            ("sha512", Some(OaepHash::Sha512)),
            ("SHA-512", Some(OaepHash::Sha512)),
            ("SHA1", None),
            ("SHA384", None),
            ("", None),
        ] {
            assert_eq!(OaepHash::parse(word), hash, "{word}");
        }
    }

    #[test]
    fn configured_fingerprints_are_written() {
        let settings = EncryptorSettings {
            names: Names::client_encryption(),
            certificate_fingerprint: Some("c".to_owned()),
            key_fingerprint: Some("k".to_owned()),
            ..encryptor_settings()
        };
        let members = Encryptor::new(OURS.public_key(), settings)
            .unwrap()
            .encrypt(b"{}")
            .unwrap();
        assert_eq!(members["encryptionCertificateFingerprint"], "c");
        assert_eq!(members["encryptionKeyFingerprint"], "k");
    }
}

mod payloads {
    use super::*;

    #[test]
    fn part_returns_to_its_place() {
        for (payload, from, to) in [
            (json!({"a": {"b": 1, "c": [true, null]}, "z": 1}), "$.a", "$.x"),
            (json!({"a": {"b": 1}}), "$.a", "$.a"),
            (json!({"a": {"b": {"c": "text"}}}), "$.a.b.c", "$.a.b.x"),
            (json!({"a": [1, 2, 3]}), "$.a", "$.x"),
            (json!({"a": 12.5}), "$.a", "$.x"),
            (json!({"a": false}), "a", "x"),
            (json!({"a": "söme text"}), "$['a']", "$['x']"),
            (json!({"a b": {"c.d": 1}}), "$['a b']['c.d']", "$['a b'].x"),
            (json!({"a": 1, "b": {}}), "$", "$"),
            (
                json!({"list": [{"a": 1, "b": 2}, {"a": {"x": 3}}]}),
                "$.list[*].a",
                "$.list[*].x",
            ),
            (
                json!({"list": [{"a": 1, "b": 2}, {"a": 3}]}),
                "$.list[*]",
                "$.list[*]",
            ),
            (json!([{"a": 1}, {"a": 2}]), "$[*].a", "$[*].x"),
            (json!({"list": []}), "$.list[*]", "$.list[*]"),
        ] {
            let encrypted = encrypt(payload.clone(), from, to).unwrap();
            if from != "$.list[*]" || payload["list"] != json!([]) {
                assert_ne!(encrypted, payload, "{from}");
            }
            assert_eq!(decrypt(encrypted, to, from).unwrap(), payload, "{from} {to}");
        }
    }

    /// `pushMultipleAccounts`: the list becomes a text in the object that also has the other members.
    #[test]
    fn ciphertext_takes_the_place_of_the_list() {
        let payload =
            json!({"pushFundingAccounts": {"encryptedPayload": {"encryptedData": [{"pushAccountId": "1"}]}}});
        let (from, to) = (
            "$.pushFundingAccounts.encryptedPayload.encryptedData",
            "$.pushFundingAccounts.encryptedPayload",
        );
        let encrypted = encrypt(payload, from, to).unwrap();
        let members = encrypted["pushFundingAccounts"]["encryptedPayload"]
            .as_object()
            .unwrap();
        assert_eq!(members.len(), 5);
        let plaintext = decryptor().decrypt(members).unwrap();
        assert_eq!(**plaintext, *br#"[{"pushAccountId":"1"}]"#);
    }

    #[test]
    fn text_has_no_quotes_and_json_no_white_space() {
        for (part, plaintext) in [
            (json!("a \"text\"\n"), "a \"text\"\n"),
            (json!({"a": [1, "b\n"]}), r#"{"a":[1,"b\n"]}"#),
            (
                json!(["Zoë", "日", "😀"]),
                r#"["Zo\u00eb","\u65e5","\ud83d\ude00"]"#,
            ),
            (json!(5), "5"),
            (Value::Null, "null"),
        ] {
            let encrypted = encrypt(json!({"a": part}), "$.a", "$.x").unwrap();
            let read = decryptor().decrypt(encrypted["x"].as_object().unwrap()).unwrap();
            assert_eq!(std::str::from_utf8(&read).unwrap(), plaintext);
        }
    }

    #[test]
    fn decrypted_object_is_merged() {
        let mut encrypted = encrypt(json!({"a": {"b": 1, "c": 2}}), "$.a", "$.x").unwrap();
        encrypted["a"] = json!({"b": 0, "d": 3});
        encrypted["x"]["other"] = json!("stays");
        assert_eq!(
            decrypt(encrypted, "$.x", "$.a").unwrap(),
            json!({"a": {"b": 1, "c": 2, "d": 3}, "x": {"other": "stays"}})
        );
    }

    #[test]
    fn missing_parts_are_skipped_and_counted() {
        let paths = [
            mapping("$.a", "$.x"),
            mapping("$.b.c", "$.y"),
            mapping("$.l[*].a", "$.l[*].x"),
        ];
        let payload = json!({"a": 1, "l": [{"a": 1}, {}]});
        let encrypted = encryptor().encrypt_payload(payload.clone(), &paths).unwrap();
        assert_eq!(encrypted.parts, 2);
        assert!(encrypted.headers.is_empty());
        let unchanged = decryptor()
            .decrypt_payload(payload.clone(), &[mapping("$.x", "$.a"), mapping("$", "$")])
            .unwrap();
        assert_eq!((unchanged.payload, unchanged.parts), (payload, 0));
    }

    #[test]
    fn impossible_places_are_refused() {
        let path = |path: &str| path.to_owned();
        for (payload, from, to, error) in [
            (
                json!({"a": 1}),
                "$.a",
                "$.b.c",
                FieldEncryptionError::NoParent { path: path("$.b.c") },
            ),
            (
                json!({"a": 1, "b": 2}),
                "$.a",
                "$.b",
                FieldEncryptionError::NotAnObject { path: path("$.b") },
            ),
            (
                json!({"a": 1, "b": [2]}),
                "$.a",
                "$.b.c",
                FieldEncryptionError::NotAnObject { path: path("$.b.c") },
            ),
            (
                json!({"l": {}}),
                "$.l[*].a",
                "$.l[*].x",
                FieldEncryptionError::NotAList {
                    path: path("$.l[*].a"),
                },
            ),
        ] {
            assert_eq!(encrypt(payload, from, to), Err(error), "{from} {to}");
        }
        assert_eq!(
            decrypt(json!({"a": "text"}), "$.a", "$.b"),
            Err(FieldEncryptionError::NotAnObject { path: path("$.a") })
        );
    }

    #[test]
    fn paths_are_checked() {
        for path in [
            "$",
            "a",
            "$.a.b",
            "$[*]",
            "$.a[*].b",
            "$.a[*]b",
            "$['a']['b']",
            "$.a['b'].c",
            "[*].a",
        ] {
            assert!(JsonPath::parse(path).is_ok(), "{path}");
        }
        for path in [
            "",
            ".",
            "$.",
            "$a",
            "$..a",
            "$.a.",
            "$.a[0]",
            "$.a[*][*]",
            "$.a[*].b[*]",
            "$.a[",
            "$.a]",
            "$['']",
            "$['a",
            "$.*",
            "$.a['b']c",
            "$$",
        ] {
            assert_eq!(JsonPath::parse(path), Err(FieldEncryptionError::Path), "{path}");
        }
        assert_eq!(
            JsonPath::parse(&"a".repeat(1025)),
            Err(FieldEncryptionError::Path)
        );
        for (from, to) in [("$.a[*]", "$.a"), ("$.a[*].x", "$.b[*].x"), ("$.a", "$.a[*]")] {
            assert_eq!(
                PathMapping::parse(from, to),
                Err(FieldEncryptionError::Wildcards),
                "{from} {to}"
            );
        }
    }
}

mod headers {
    use super::*;

    fn with(cipher: Cipher) -> (Encryptor, Decryptor) {
        let names = Names {
            cipher_mode: Some("x-mode".to_owned()),
            tag: Some("x-tag".to_owned()),
            additional_data: Some("x-aad".to_owned()),
            ..Names::headers()
        };
        let encryptor = EncryptorSettings {
            names: names.clone(),
            cipher,
            ..encryptor_settings()
        };
        let decryptor = DecryptorSettings {
            names,
            ..decryptor_settings()
        };
        (
            Encryptor::new(OURS.public_key(), encryptor).unwrap(),
            Decryptor::new(&OURS, decryptor).unwrap(),
        )
    }

    #[test]
    fn values_stand_in_header_fields() {
        let (encryptor, decryptor) = with(Cipher::Aes128Cbc);
        let payload = json!({"a": {"b": 1}, "c": "text"});
        let paths = [mapping("$.a", "$.a"), mapping("$.c", "$.c")];
        let encrypted = encryptor
            .encrypt_payload_with_headers(payload.clone(), &paths)
            .unwrap();
        assert_eq!(encrypted.parts, 2);
        assert_eq!(encrypted.payload["a"].as_object().unwrap().len(), 1);
        let mut names: Vec<&str> = encrypted.headers.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "x-encrypted-key",
                "x-encryption-key-fingerprint",
                "x-iv",
                "x-oaep-padding-digest-algorithm"
            ]
        );
        let headers: Vec<(String, String)> = encrypted
            .headers
            .iter()
            .map(|(name, value)| (name.to_uppercase(), format!(" {value} ")))
            .collect();
        let decrypted = decryptor
            .decrypt_payload_with_headers(encrypted.payload, &paths, &headers)
            .unwrap();
        assert_eq!((decrypted.payload, decrypted.parts), (payload, 2));
    }

    #[test]
    fn gcm_encrypts_one_part_only() {
        let (encryptor, decryptor) = with(Cipher::Aes256Gcm);
        let paths = [mapping("$.a", "$.a"), mapping("$.b", "$.b")];
        let two = encryptor.encrypt_payload_with_headers(json!({"a": 1, "b": 2}), &paths);
        assert_eq!(two, Err(FieldEncryptionError::SharedNonce));
        let one = encryptor
            .encrypt_payload_with_headers(json!({"b": 2}), &paths)
            .unwrap();
        let decrypted = decryptor
            .decrypt_payload_with_headers(one.payload, &paths, &one.headers)
            .unwrap();
        assert_eq!(decrypted.payload, json!({"b": 2}));
    }

    #[test]
    fn nothing_encrypted_has_no_header_fields() {
        let (encryptor, _) = with(Cipher::Aes128Cbc);
        let none = encryptor
            .encrypt_payload_with_headers(json!({}), &[mapping("$.a", "$.a")])
            .unwrap();
        assert_eq!((none.parts, none.headers), (0, Vec::new()));
    }

    #[test]
    fn missing_or_repeated_field_is_refused() {
        let (encryptor, decryptor) = with(Cipher::Aes128Cbc);
        let paths = [mapping("$.a", "$.a")];
        let encrypted = encryptor
            .encrypt_payload_with_headers(json!({"a": 1}), &paths)
            .unwrap();
        let decrypt = |headers: &[(String, String)]| {
            decryptor.decrypt_payload_with_headers(encrypted.payload.clone(), &paths, headers)
        };
        assert_eq!(
            decrypt(&[]),
            Err(FieldEncryptionError::Missing {
                name: "x-encrypted-key".to_owned()
            })
        );
        let twice = [encrypted.headers.clone(), encrypted.headers.clone()].concat();
        assert!(matches!(decrypt(&twice), Err(FieldEncryptionError::Value { .. })));
    }
}

mod foreign {
    use super::*;

    fn pkcs1(key: &[u8]) -> String {
        let public_key = PublicEncryptingKey::from_der(OURS.public_key().spki_der()).unwrap();
        let mut wrapped = vec![0; 256];
        Pkcs1PublicEncryptingKey::new(public_key)
            .unwrap()
            .encrypt(key, &mut wrapped)
            .unwrap();
        hex::encode(wrapped)
    }

    /// The payload's own mode is not authenticated: without mode and tag, one of AES-GCM looks like one of AES-CBC.
    #[test]
    fn payload_without_its_tag_is_no_cbc_where_gcm_is_expected() {
        let settings = EncryptorSettings {
            cipher: Cipher::Aes128Gcm,
            ..encryptor_settings()
        };
        let encryptor = Encryptor::new(OURS.public_key(), settings).unwrap();
        let with = |modes| {
            let settings = DecryptorSettings {
                modes,
                ..decryptor_settings()
            };
            Decryptor::new(&OURS, settings).unwrap()
        };
        let whole = encryptor.encrypt(&[b'x'; 32]).unwrap();
        assert_eq!(**with(AcceptedModes::Gcm).decrypt(&whole).unwrap(), [b'x'; 32]);
        let refused = Some(FieldEncryptionError::UnacceptedMode);
        assert_eq!(with(AcceptedModes::Cbc).decrypt(&whole).err(), refused);

        let names = Names::token_connect();
        let mut stripped = whole;
        for name in [&names.tag, &names.cipher_mode, &names.additional_data] {
            stripped.remove(name.as_deref().unwrap()).unwrap();
        }
        stripped[&names.initialization_vector] = hex::encode([0; 16]).into();
        assert_eq!(with(AcceptedModes::Gcm).decrypt(&stripped).err(), refused);
        // Read as CBC, with whatever comes of it.
        assert_ne!(with(AcceptedModes::Both).decrypt(&stripped).err(), refused);

        let cbc = self::encryptor().encrypt(b"{}").unwrap();
        assert_eq!(with(AcceptedModes::Gcm).decrypt(&cbc).err(), refused);
        assert_eq!(**with(AcceptedModes::Cbc).decrypt(&cbc).unwrap(), *b"{}");
    }

    #[test]
    fn text_of_digits_loses_none() {
        for text in [
            "12345678901234567890123",
            "0.10",
            "1e3",
            "-0",
            "100000000000000000000000000",
        ] {
            let payload = encrypt(json!({"a": text}), "$.a", "$.b").unwrap();
            assert_eq!(
                decrypt(payload, "$.b", "$.a").unwrap(),
                json!({"a": text}),
                "{text}"
            );
        }
        for text in [
            r#"{"c":[12345678901234567890123]}"#,
            "[0.12345678901234567890123]",
        ] {
            let payload = encrypt(json!({"a": text}), "$.a", "$.b").unwrap();
            assert_eq!(
                decrypt(payload, "$.b", "$.a").unwrap(),
                json!({"a": text}),
                "{text}"
            );
        }
        let payload = encrypt(json!({"a": r#"{"c":[1.5]}"#}), "$.a", "$.b").unwrap();
        assert_eq!(
            decrypt(payload, "$.b", "$.a").unwrap(),
            json!({"a": {"c": [1.5]}})
        );
        let payload = encrypt(json!({"a": "5123"}), "$.a", "$.b").unwrap();
        assert_eq!(decrypt(payload, "$.b", "$.a").unwrap(), json!({"a": 5123}));
    }

    /// Token Connect: without a hash function the key is wrapped by PKCS#1 v1.5, without a vector it is zeros.
    #[test]
    fn old_padding_and_zero_vector_are_read_on_request() {
        let mut content = b"[1]".to_vec();
        content_cipher::seal_cbc(&[7; 16], [0; 16], &mut content).unwrap();
        let members = json!({"encryptedData": hex::encode(content), "encryptedKey": pkcs1(&[7; 16])});
        let members = members.as_object().unwrap();
        assert_eq!(
            decryptor().decrypt(members).err(),
            Some(FieldEncryptionError::Decryption)
        );
        let settings = DecryptorSettings {
            missing_hash: MissingHash::Pkcs1V15,
            ..decryptor_settings()
        };
        let old = Decryptor::new(&OURS, settings).unwrap();
        assert_eq!(**old.decrypt(members).unwrap(), *b"[1]");
        // New payloads are read by the same decryptor.
        assert_eq!(
            **old.decrypt(&encryptor().encrypt(b"{}").unwrap()).unwrap(),
            *b"{}"
        );
    }

    #[test]
    fn upper_case_hex_and_unpadded_base64_are_read() {
        let mut members = encryptor().encrypt(b"{}").unwrap();
        for name in ["encryptedData", "encryptedKey", "iv"] {
            members[name] = members[name].as_str().unwrap().to_uppercase().into();
        }
        members["oaepHashingAlgorithm"] = "SHA-256".into();
        assert_eq!(**decryptor().decrypt(&members).unwrap(), *b"{}");
        assert_eq!(Encoding::Base64.decode("AA"), Some(vec![0]));
        assert_eq!(Encoding::Base64.decode("AA=="), Some(vec![0]));
    }

    #[test]
    fn wrong_members_are_told() {
        let value = |name: &str| FieldEncryptionError::Value {
            name: name.to_owned(),
        };
        let missing = |name: &str| FieldEncryptionError::Missing {
            name: name.to_owned(),
        };
        let tag = "0".repeat(32);
        for (name, member, error) in [
            ("encryptedData", json!("xyz"), value("encryptedData")),
            ("encryptedData", json!(5), value("encryptedData")),
            ("encryptedData", Value::Null, missing("encryptedData")),
            ("encryptedKey", Value::Null, missing("encryptedKey")),
            ("encryptedKey", json!("0"), value("encryptedKey")),
            ("iv", json!("00"), value("iv")),
            ("oaepHashingAlgorithm", json!("SHA1"), FieldEncryptionError::Hash),
            ("algorithmCipherMode", json!("ECB"), FieldEncryptionError::Mode),
            ("algorithmCipherMode", json!("GCM"), missing("tag")),
            ("tag", json!("00"), value("tag")),
            ("tag", json!(tag), value("iv")),
        ] {
            let mut members = encryptor().encrypt(b"{}").unwrap();
            members.insert(name.to_owned(), member);
            assert_eq!(decryptor().decrypt(&members).err(), Some(error), "{name}");
        }
        let mut members = encryptor().encrypt(b"{}").unwrap();
        members.insert("algorithmCipherMode".to_owned(), "CBC".into());
        assert!(decryptor().decrypt(&members).is_ok());
        members.insert("tag".to_owned(), tag.into());
        assert_eq!(
            decryptor().decrypt(&members).err(),
            Some(FieldEncryptionError::Mode)
        );
    }

    #[test]
    fn changed_key_or_content_is_one_error() {
        let settings = EncryptorSettings {
            cipher: Cipher::Aes128Gcm,
            ..encryptor_settings()
        };
        let members = Encryptor::new(OURS.public_key(), settings)
            .unwrap()
            .encrypt(b"{}")
            .unwrap();
        for name in ["encryptedData", "encryptedKey", "iv", "tag", "aad"] {
            let mut changed = members.clone();
            let text = changed[name].as_str().unwrap();
            let flipped = if text.starts_with('0') { "1" } else { "0" };
            changed[name] = format!("{flipped}{}", &text[1..]).into();
            assert_eq!(
                decryptor().decrypt(&changed).err(),
                Some(FieldEncryptionError::Decryption),
                "{name}"
            );
        }
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        // A text that reads as JSON returns as JSON, as in Mastercard's libraries.
        "[a-zäöü ]{1,10}"
            .prop_filter("JSON", |text| serde_json::from_str::<Value>(text).is_err())
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z]{1,3}", inner, 0..4)
                .prop_map(|members| { Value::Object(members.into_iter().collect()) }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_part_returns(part in any_json()) {
        let payload = json!({"a": part, "z": 1});
        let encrypted = encrypt(payload.clone(), "$.a", "$.x").unwrap();
        prop_assert_eq!(decrypt(encrypted, "$.x", "$.a").unwrap(), payload);
    }

    #[test]
    fn any_payload_and_path_is_handled(payload in any_json(), from in "[$.a\\[\\]*']{0,6}", to in "[$.a\\[\\]*']{0,6}") {
        if let Ok(mapping) = PathMapping::parse(&from, &to) {
            encryptor().encrypt_payload(payload.clone(), std::slice::from_ref(&mapping)).ok();
            decryptor().decrypt_payload(payload, &[mapping]).ok();
        }
    }
}

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::testing;

fn jwe() -> String {
    let segment = |length: usize| URL_SAFE_NO_PAD.encode(vec![7_u8; length]);
    let header = URL_SAFE_NO_PAD.encode(r#"{"kid":"key-1","alg":"RSA-OAEP-256","enc":"A128GCM"}"#);
    format!(
        "{header}.{}.{}.{}.{}",
        segment(256),
        segment(12),
        segment(40),
        segment(16)
    )
}

fn good() -> Value {
    json!({
        "externalBatchId": "batch-1",
        "encryptedEnrollmentData": jwe(),
        "manifest": {"profiles": [
            {"externalConsumerId": "p1", "cards": [{"externalCardId": "a"}, {"externalCardId": "b"}]},
            {"externalConsumerId": "p2", "cards": [{"externalCardId": "c"}]}
        ]},
        "confirmationUrl": "https://api.bank.example/batches"
    })
}

fn parse(body: &[u8]) -> Result<BatchRequest, Vec<BatchFault>> {
    BatchRequest::parse(body, &testing::client(), &["key-1".to_owned()])
}

/// Faults of a body, each as its pointer and kind.
fn faults(body: &Value) -> Vec<(String, FaultKind)> {
    let faults = parse(body.to_string().as_bytes()).err().unwrap_or_default();
    faults
        .into_iter()
        .map(|fault| (fault.pointer, fault.kind))
        .collect()
}

/// A fault of the good body after a change.
fn fault(change: impl FnOnce(&mut Value)) -> (String, FaultKind) {
    let mut body = good();
    change(&mut body);
    let faults = faults(&body);
    assert_eq!(faults.len(), 1, "{faults:?}");
    faults[0].clone()
}

#[test]
fn good_request_gives_its_parts() {
    let request = parse(good().to_string().as_bytes()).unwrap();
    assert_eq!(request.external_id.as_str(), "batch-1");
    assert_eq!(request.data.expose(), jwe());
    let cards: Vec<_> = request
        .manifest
        .cards()
        .map(|(profile, card)| (profile.consumer.as_str(), card.as_str()))
        .collect();
    assert_eq!(cards, [("p1", "a"), ("p1", "b"), ("p2", "c")]);
    assert_eq!(request.manifest.card_count(), 3);
    assert_eq!(request.confirmation_url.unwrap().path(), "/batches");
    assert_eq!(format!("{:?}", request.data), "EncryptedEnrollmentData(…)");
}

#[test]
fn confirmation_url_may_be_absent() {
    for value in [None, Some(Value::Null)] {
        let mut body = good();
        let members = body.as_object_mut().unwrap();
        members.remove("confirmationUrl");
        if let Some(value) = value {
            members.insert("confirmationUrl".into(), value);
        }
        assert_eq!(parse(body.to_string().as_bytes()).unwrap().confirmation_url, None);
    }
}

#[test]
fn every_fault_is_told_by_its_place() {
    let body = json!({
        "externalBatchId": "a b",
        "encryptedEnrollmentData": "x.y.z",
        "manifest": {"profiles": [
            {"externalConsumerId": "p1", "cards": []},
            {"externalConsumerId": "p1", "cards": [{"externalCardId": "a"}, {"externalCardId": "a"}, 7]},
            {"externalConsumerId": 7, "cards": [{}]},
            {"cards": {"externalCardId": "b"}},
            "profile"
        ], "more": 1},
        "confirmationUrl": "http://api.bank.example/"
    });
    let at = |pointer: &str, kind| (pointer.to_owned(), kind);
    assert_eq!(
        faults(&body),
        [
            at("/externalBatchId", FaultKind::MalformedId),
            at("/encryptedEnrollmentData", FaultKind::NotJwe),
            at("/manifest", FaultKind::UnknownMember),
            at("/manifest/profiles/0/cards", FaultKind::Empty),
            at("/manifest/profiles/1/externalConsumerId", FaultKind::DuplicateId),
            at(
                "/manifest/profiles/1/cards/1/externalCardId",
                FaultKind::DuplicateId
            ),
            at("/manifest/profiles/1/cards/2", FaultKind::WrongType),
            at("/manifest/profiles/2/externalConsumerId", FaultKind::WrongType),
            at("/manifest/profiles/2/cards/0/externalCardId", FaultKind::Missing),
            at("/manifest/profiles/3/externalConsumerId", FaultKind::Missing),
            at("/manifest/profiles/3/cards", FaultKind::WrongType),
            at("/manifest/profiles/4", FaultKind::WrongType),
            at("/confirmationUrl", FaultKind::Address),
        ]
    );
    let nothing = [
        at("/externalBatchId", FaultKind::Missing),
        at("/encryptedEnrollmentData", FaultKind::Missing),
        at("/manifest", FaultKind::Missing),
    ];
    assert_eq!(faults(&json!({})), nothing);
}

#[test]
fn card_number_is_refused_and_not_repeated() {
    for place in [
        "/externalBatchId",
        "/manifest/profiles/0/externalConsumerId",
        "/manifest/profiles/1/cards/0/externalCardId",
    ] {
        let mut body = good();
        *body.pointer_mut(place).unwrap() = "5234000000000106".into();
        let refused = parse(body.to_string().as_bytes()).unwrap_err();
        assert_eq!(refused.len(), 1);
        assert_eq!(
            (refused[0].pointer.as_str(), refused[0].kind),
            (place, FaultKind::CardNumber)
        );
        assert!(!format!("{refused:?} {}", refused[0]).contains("5234"));
    }
    let named = fault(|body| body["5234000000000106"] = 1.into());
    assert_eq!(
        named,
        (String::new(), FaultKind::UnknownMember),
        "nor is the name of a member"
    );
}

#[test]
fn body_is_one_object_without_duplicates() {
    let good = good().to_string();
    for body in [
        "",
        "[]",
        "7",
        "{",
        &good.replace("\"a\"", "\"a\",\"externalCardId\":\"b\""),
        &format!("{good} x"),
        &good.replacen('{', r#"{"manifest":{},"#, 1),
    ] {
        let expected = BatchFault {
            pointer: String::new(),
            kind: FaultKind::NotJson,
        };
        assert_eq!(parse(body.as_bytes()).unwrap_err(), [expected], "{body}");
    }
    assert!(
        parse(format!("\u{feff}{good}").as_bytes()).is_ok(),
        "a byte-order mark"
    );
    assert!(parse(b"\xff").is_err());
}

#[test]
fn batch_has_at_most_250_cards() {
    let with = |profiles: usize, cards: usize| {
        let profile = |profile: usize| {
            let cards: Vec<_> = (0..cards)
                .map(|card| json!({"externalCardId": format!("{profile}.{card}")}))
                .collect();
            json!({"externalConsumerId": profile.to_string(), "cards": cards})
        };
        let mut body = good();
        body["manifest"]["profiles"] = (0..profiles).map(profile).collect();
        body
    };
    assert_eq!(faults(&with(1, 250)), []);
    assert_eq!(faults(&with(250, 1)), []);
    let refused = ("/manifest/profiles".to_owned(), FaultKind::TooManyCards);
    for (profiles, cards) in [(1, 251), (251, 1)] {
        assert_eq!(faults(&with(profiles, cards)), std::slice::from_ref(&refused));
    }
    assert_eq!(
        fault(|body| body["manifest"]["profiles"] = json!([])).1,
        FaultKind::Empty
    );
}

#[test]
fn number_of_faults_is_bounded() {
    let cards: Vec<_> = (0..5000).map(|_| json!({"externalCardId": " "})).collect();
    let mut body = good();
    body["manifest"]["profiles"][0]["cards"] = cards.into();
    let faults = faults(&body);
    assert_eq!(faults.len(), MAX_FAULTS + 1);
    assert_eq!(faults[MAX_FAULTS], (String::new(), FaultKind::More));
}

#[test]
fn confirmation_goes_to_a_registered_https_host() {
    for url in [
        "http://api.bank.example/",
        "https://evil.example/",
        "nonsense",
        "",
        &format!("https://api.bank.example/{}", "x".repeat(2048)),
    ] {
        let refused = fault(|body| body["confirmationUrl"] = url.into());
        assert_eq!(
            refused,
            ("/confirmationUrl".to_owned(), FaultKind::Address),
            "{url}"
        );
    }
    let refused = fault(|body| body["confirmationUrl"] = json!({}));
    assert_eq!(refused.1, FaultKind::WrongType);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(!parse(&bytes).unwrap_err().is_empty());
    }

    #[test]
    fn any_damage_is_read_or_refused(place in 0_usize..400, byte in any::<u8>()) {
        let mut body = good().to_string().into_bytes();
        let place = place % body.len();
        body[place] = byte;
        if let Err(faults) = parse(&body) {
            prop_assert!(!faults.is_empty());
        }
    }
}

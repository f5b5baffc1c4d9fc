//! Tokens signed by the client, with claims that are malformed or not allowed.

use flows::forger::RsaKey;
use flows::stack::Stack;
use flows::time::now;
use serde_json::{Value, json};

use super::Forgery;
use super::victim::{HEADER, Victim};

const INVALID: &str = "INVALID_PARAMETERS";
const DENIED: &str = "ACCESS_DENIED";
const EXPIRED: &str = "TOKEN_EXPIRED";

pub(super) fn all(victim: &Victim) -> Vec<Forgery> {
    let changed = [times(), texts(), addresses(), audiences(), rights()]
        .into_iter()
        .flatten()
        .map(|(changes, status)| {
            let what = changes.to_string();
            (what, victim.token(&changes), status)
        });
    let mut all: Vec<(String, String, &'static str)> = changed.collect();
    all.extend(raw().into_iter().map(|(name, value, status)| {
        let claims = victim.claims(&json!({name: null}));
        let open = claims.strip_suffix('}').unwrap();
        let token = victim.own.token(HEADER, format!(r#"{open},"{name}":{value}}}"#));
        (format!("{name}: {value}"), token, status)
    }));
    for name in ["iss", "sub", "exp", "iat", "programId", "actionCode"] {
        all.push((format!("no {name}"), victim.token(&json!({name: null})), INVALID));
    }
    // RFC 7519 §4: two parsers may each use another one of the two.
    let twice = [
        format!(r#""iss":"{}""#, victim.partner.client),
        r#""sub":"somebody-else""#.into(),
        r#""\u0073ub":"somebody-else""#.into(),
        format!(r#""exp":{}"#, now() + 300),
        format!(r#""iat":{}"#, now()),
        r#""actionCode":"N""#.into(),
    ];
    all.extend(twice.map(|member| {
        let token = victim.token_with(&member);
        (format!("twice {member}"), token, INVALID)
    }));
    all.push((
        "expired and signed by nobody".into(),
        RsaKey::nobodys().token(HEADER, victim.claims(&expired())),
        DENIED,
    ));
    all.into_iter()
        .map(|(what, token, status)| {
            Forgery::of_token(format!("claims: {}", shortened(&what)), &token, status)
        })
        .collect()
}

fn times() -> Vec<(Value, &'static str)> {
    let now = now();
    vec![
        (expired(), EXPIRED),
        // The leeway is 60 s, and the request takes a part of the next one.
        (json!({"iat": now - 300, "exp": now - 61}), EXPIRED),
        (
            json!({"iat": now - 300, "exp": f64::from(u32::try_from(now - 62).unwrap()) + 0.5}),
            EXPIRED,
        ),
        (json!({"iat": 0, "exp": 1}), EXPIRED),
        (json!({"iat": 0, "exp": 0}), EXPIRED),
        (
            json!({"iat": now - 700, "exp": now - 100, "sub": 7, "programId": "99999"}),
            EXPIRED,
        ),
        (json!({"iat": now + 150, "exp": now + 300}), INVALID),
        (json!({"iat": now + 31_536_000, "exp": now + 31_536_300}), INVALID),
        (json!({"iat": now, "exp": now + 601}), INVALID),
        (json!({"iat": now, "exp": now + 30_100}), INVALID),
        (json!({"iat": 0, "exp": now + 300}), INVALID),
        (json!({"iat": now, "exp": now}), INVALID),
        (json!({"iat": now + 20, "exp": now + 10}), INVALID),
        (json!({"nbf": now + 150}), INVALID),
        (json!({"nbf": "soon"}), INVALID),
        (json!({"exp": (now + 300).to_string()}), INVALID),
        (json!({"iat": now.to_string()}), INVALID),
        (json!({"exp": [now + 300]}), INVALID),
        (json!({"iat": [now]}), INVALID),
        (json!({"exp": {"seconds": now + 300}}), INVALID),
        (json!({"exp": true}), INVALID),
        (json!({"exp": -1}), INVALID),
        (json!({"iat": -1}), INVALID),
        (json!({"exp": i64::MIN}), INVALID),
        (json!({"exp": i64::MAX}), INVALID),
        (json!({"exp": u64::MAX}), INVALID),
        (json!({"iat": u64::MAX}), INVALID),
        (json!({"exp": 253_402_300_800_i64}), INVALID),
        (json!({"exp": 1e300}), INVALID),
        (json!({"iat": 1e300}), INVALID),
        (json!({"exp": -1e300}), INVALID),
    ]
}

fn expired() -> Value {
    json!({"iat": now() - 700, "exp": now() - 100})
}

fn texts() -> Vec<(Value, &'static str)> {
    let long = "x".repeat(257);
    let mut all = Vec::new();
    for name in ["sub", "programId", "actionCode", "last4"] {
        for value in [
            json!(""),
            json!(7),
            json!(7.5),
            json!(true),
            json!(["N"]),
            json!({"a": "N"}),
            json!(long),
            json!("\u{1f4b3}".repeat(257)),
        ] {
            all.push((json!({name: value}), INVALID));
        }
    }
    for (name, values) in [
        (
            "sub",
            &[
                "a\u{0}b",
                "line\nbreak",
                "\u{7f}",
                "\u{85}",
                " maria",
                "maria ",
                "maria\u{a0}",
                "\u{3000}maria",
                "\u{feff}maria",
                "maria\u{feff}",
                "\u{2003}",
            ][..],
        ),
        (
            "actionCode",
            &["n", "X", "B", "P", "NN", " N", "N\u{0}", "\u{ff2e}"],
        ),
        (
            "last4",
            &[
                "123",
                "12345",
                "12a4",
                "-123",
                "1 34",
                "\u{ff11}\u{ff12}\u{ff13}\u{ff14}",
            ],
        ),
    ] {
        all.extend(values.iter().map(|value| (json!({name: value}), INVALID)));
    }
    all
}

fn addresses() -> Vec<(Value, &'static str)> {
    let registered = Stack::here().demo.confirmation_url.as_str();
    let refused = [
        registered.replace("https:", "http:"),
        registered.replace("https:", "ftp:"),
        registered.replace("https://", "https://user@"),
        registered.replace("https://", "https://user:word@"),
        registered.replace("https://", "https://:word@"),
        registered.replace("localhost", "localhost.evil.example"),
        registered.replace("localhost", "evil.example"),
        registered.replace("localhost", "localhost."),
        registered.replace("localhost", "127.0.0.1"),
        registered.replace("localhost", "2130706433"),
        registered.replace("localhost", "[::1]"),
        registered.replace("localhost", "[::ffff:127.0.0.1]"),
        registered.replace("localhost", "evil.example\\@localhost"),
        registered.replace("https://localhost", "https://localhost@evil.example"),
        registered.replace("localhost:", "localhost:1"),
        "https://localhost/".into(),
        "https://localhost:1/".into(),
        "https://169.254.169.254/latest/meta-data/".into(),
        "//localhost/".into(),
        "/confirmations".into(),
        "javascript:alert(1)".into(),
        "data:text/plain,x".into(),
        "https://".into(),
        "not an address".into(),
        String::new(),
        format!("{registered}?{}", "x".repeat(2048)),
    ];
    let mut all: Vec<(Value, &'static str)> = refused
        .iter()
        .flat_map(|address| [json!({"confirmationUrl": address}), json!({"ranac_url": address})])
        .map(|changes| (changes, INVALID))
        .collect();
    all.push((json!({"confirmationUrl": [registered]}), INVALID));
    all.push((json!({"confirmationUrl": {"url": registered}}), INVALID));
    all.push((
        json!({"confirmationUrl": registered, "ranac_url": format!("{registered}/more")}),
        INVALID,
    ));
    all
}

/// Tokens for another audience (RFC 7519 §4.1.3).
fn audiences() -> Vec<(Value, &'static str)> {
    let ours = Stack::here().endpoints.api.as_str();
    [
        json!(""),
        json!(7),
        json!(true),
        json!({}),
        json!([]),
        json!([[ours]]),
        json!([ours, 7]),
        json!([ours, null]),
        json!("widget"),
        json!("https://other.example"),
        json!(["https://other.example", "widget"]),
        json!(format!("{ours}/company/non_auth_initialize")),
        json!(format!("{ours}//")),
        json!(format!(" {ours}")),
        json!(ours.to_ascii_uppercase()),
    ]
    .map(|audience| (json!({"aud": audience}), INVALID))
    .into()
}

fn rights() -> Vec<(Value, &'static str)> {
    let mut all: Vec<(Value, &'static str)> = ["99999", "10765 ", "10765\u{0}", "010765", "../10765", "*"]
        .map(|program| (json!({"programId": program}), DENIED))
        .into();
    all.extend(["R", "C"].map(|action| (json!({"actionCode": action}), DENIED)));
    all
}

/// Values that a JSON library would not write.
fn raw() -> [(&'static str, &'static str, &'static str); 15] {
    [
        ("programId", "null", INVALID),
        ("actionCode", "null", INVALID),
        ("sub", "null", INVALID),
        ("exp", "null", INVALID),
        ("iat", "null", INVALID),
        ("exp", "NaN", INVALID),
        ("exp", "Infinity", INVALID),
        ("exp", "1e999", INVALID),
        ("exp", "0x7fffffff", INVALID),
        ("exp", "99999999999999999999999999999999", INVALID),
        ("exp", "1e-300", EXPIRED),
        ("exp", "-0", EXPIRED),
        ("iat", "1800000000 // now", INVALID),
        ("sub", r#""\ud800""#, INVALID),
        ("sub", r#""\x41""#, INVALID),
    ]
}

fn shortened(what: &str) -> String {
    what.chars().take(80).collect()
}

//! Valid tokens in a non-canonical encoding, and texts that only look like tokens.

use flows::forger::segment;
use serde_json::json;

use super::Forgery;
use super::victim::{HEADER, Victim};

const INVALID: &str = "INVALID_PARAMETERS";
const DENIED: &str = "ACCESS_DENIED";

/// Name of the case, the token, its status.
type Case = (&'static str, String, &'static str);

pub(super) fn all(victim: &Victim) -> Vec<Forgery> {
    let token = encoding_sensitive(victim);
    let cases = [
        parts(&token),
        others(victim, &token),
        other_encodings(&token),
        large(victim, &token),
    ];
    let cases = cases
        .into_iter()
        .flatten()
        .map(|(what, token, status)| (what.to_owned(), token, status));
    let invalid = segments(victim)
        .into_iter()
        .map(|(what, token)| (what.to_owned(), token))
        .chain(foreign_characters(&token))
        .map(|(what, token)| (what, token, INVALID));
    cases
        .chain(invalid)
        .map(|(what, token, status)| Forgery::of_token(format!("encoding: {what}"), &token, status))
        .collect()
}

/// Tokens with too many, too few or truncated parts.
fn parts(token: &str) -> Vec<Case> {
    let [header, claims, signature] = split(token);
    vec![
        ("an empty part for each", "..".into(), INVALID),
        ("letters", "a.b.c".into(), INVALID),
        ("one part", header.into(), INVALID),
        ("two parts", format!("{header}.{claims}"), INVALID),
        (
            "two parts and an empty one",
            format!("{header}.{claims}."),
            DENIED,
        ),
        ("detached claims", format!("{header}..{signature}"), INVALID),
        ("no header", format!(".{claims}.{signature}"), INVALID),
        ("a dot at the end", format!("{token}."), INVALID),
        ("a dot in front", format!(".{token}"), INVALID),
        ("the signature twice", format!("{token}.{signature}"), INVALID),
        ("the token twice", format!("{token}.{token}"), INVALID),
        (
            "header cut",
            format!("{}.{claims}.{signature}", cut(header, 4)),
            INVALID,
        ),
        (
            "claims cut",
            format!("{header}.{}.{signature}", cut(claims, 4)),
            INVALID,
        ),
        ("signature cut by a character", cut(token, 1), INVALID),
        ("signature cut by a byte", cut(token, 2), DENIED),
        ("signature cut in half", cut(token, signature.len() - 172), DENIED),
    ]
}

/// Texts that are no signed token, or contain one.
fn others(victim: &Victim, token: &str) -> Vec<Case> {
    vec![
        ("JWE", encrypted(), INVALID),
        (
            "JWE that is not encrypted",
            format!("{token}.{}.{}", segment([7; 12]), segment([7; 16])),
            INVALID,
        ),
        (
            "JWT in a JWT",
            victim
                .own
                .token(r#"{"typ":"JWT","alg":"RS256","cty":"JWT"}"#, token),
            INVALID,
        ),
        (
            "deflated claims",
            victim.own.token(
                r#"{"alg":"RS256","zip":"DEF"}"#,
                deflated(&victim.claims(&json!({}))),
            ),
            INVALID,
        ),
    ]
}

/// The same token in another encoding.
fn other_encodings(token: &str) -> Vec<Case> {
    let [header, claims, signature] = split(token);
    vec![
        (
            "padded",
            [header, claims, signature].map(padded).join("."),
            INVALID,
        ),
        ("the signature padded", format!("{token}=="), INVALID),
        (
            "the other alphabet",
            token.replace('-', "+").replace('_', "/"),
            INVALID,
        ),
        (
            "bits after the end of the claims",
            format!("{header}.{}.{signature}", next(claims)),
            INVALID,
        ),
        ("bits after the end of the signature", next(token), INVALID),
        ("escaped dots", token.replace('.', "%2E"), INVALID),
        ("dots of another script", token.replace('.', "\u{ff0e}"), INVALID),
    ]
}

fn large(victim: &Victim, token: &str) -> Vec<Case> {
    let [header, claims, _] = split(token);
    vec![
        (
            "a megabyte",
            format!("{header}.{claims}.{}", "A".repeat(1024 * 1024)),
            INVALID,
        ),
        (
            "a megabyte of claims",
            victim.token_with(&format!(r#""x":"{}""#, "x".repeat(1024 * 1024))),
            INVALID,
        ),
        ("a megabyte of dots", ".".repeat(1024 * 1024), INVALID),
        (
            "deep arrays in the claims",
            victim.token_with(&format!(r#""x":{}"#, deep(10_000))),
            INVALID,
        ),
        (
            "arrays as deep as fit",
            victim.token_with(&format!(r#""x":{}"#, deep(1000))),
            INVALID,
        ),
        (
            "deep arrays in the header",
            victim.own.token(
                format!(r#"{{"alg":"RS256","x":{}}}"#, deep(1000)),
                victim.claims(&json!({})),
            ),
            INVALID,
        ),
    ]
}

/// Foreign characters that some decoders skip.
fn foreign_characters(token: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for stranger in [" ", "\n", "\r\n", "\t", "\0", "\u{200b}", "\u{e9}", "="] {
        let (start, end) = token.split_at(token.len() - 4);
        for (place, token) in [
            ("in front", format!("{stranger}{token}")),
            ("in the header", token.replacen("ey", &format!("e{stranger}y"), 1)),
            (
                "in the claims",
                token.replacen(".ey", &format!(".e{stranger}y"), 1),
            ),
            ("in the signature", format!("{start}{stranger}{end}")),
            ("at the end", format!("{token}{stranger}")),
        ] {
            all.push((format!("{stranger:?} {place}"), token));
        }
    }
    all
}

fn split(token: &str) -> [&str; 3] {
    let parts: Vec<&str> = token.split('.').collect();
    parts.try_into().unwrap()
}

fn cut(part: &str, by: usize) -> String {
    part[..part.len() - by].to_owned()
}

/// Valid token whose encoding depends on padding, alphabet and last bits of claims and signature.
fn encoding_sensitive(victim: &Victim) -> String {
    let claims = victim.claims(&json!({}));
    let spaces = (4 - claims.len() % 3) % 3;
    let shows = |token: &String| {
        let signature = token.rsplit('.').next().unwrap_or_default();
        signature.contains('-') && signature.contains('_')
    };
    (0..50)
        .map(|more| {
            victim
                .own
                .token(HEADER, format!("{claims}{}", " ".repeat(spaces + 3 * more)))
        })
        .find(shows)
        .unwrap()
}

/// Parts that are not JSON objects, signed by the client.
fn segments(victim: &Victim) -> Vec<(&'static str, String)> {
    let claims = victim.claims(&json!({}));
    let sign = |header: &[u8], claims: &[u8]| victim.own.token(header, claims);
    let good = HEADER.as_bytes();
    let open = claims.strip_suffix('}').unwrap();
    let with = |before: &[u8], after: &[u8]| sign(good, &[before, claims.as_bytes(), after].concat());
    vec![
        (
            "a header that is an array",
            sign(br#"["RS256"]"#, claims.as_bytes()),
        ),
        ("a header that is a text", sign(br#""RS256""#, claims.as_bytes())),
        ("a header that is null", sign(b"null", claims.as_bytes())),
        (
            "a header with alg twice",
            sign(br#"{"alg":"RS256","alg":"none"}"#, claims.as_bytes()),
        ),
        (
            "a header with alg twice, alike",
            sign(br#"{"alg":"RS256","alg":"RS256"}"#, claims.as_bytes()),
        ),
        (
            "a header with alg twice, once escaped",
            sign(br#"{"alg":"RS256","\u0061lg":"RS256"}"#, claims.as_bytes()),
        ),
        ("claims that are an array", with(b"[", b"]")),
        ("claims that are a text", sign(good, br#""demo""#)),
        ("claims that are a number", sign(good, b"7")),
        ("empty claims", sign(good, b"{}")),
        ("claims with a byte-order mark", with(b"\xef\xbb\xbf", b"")),
        ("claims behind a NUL", with(b"\0", b"")),
        ("claims before a NUL", with(b"", b"\0")),
        ("claims twice", with(claims.as_bytes(), b"")),
        ("claims in UTF-16", sign(good, &utf16(&claims))),
        (
            "claims that are no UTF-8",
            sign(good, &[open.as_bytes(), b",\"x\":\"\xff\"}"].concat()),
        ),
        (
            "claims with an overlong NUL",
            sign(good, &[open.as_bytes(), b",\"x\":\"\xc0\x80\"}"].concat()),
        ),
    ]
}

fn encrypted() -> String {
    [
        segment(r#"{"alg":"RSA-OAEP-256","enc":"A256GCM","cty":"JWT"}"#),
        segment([7; 256]),
        segment([7; 12]),
        segment([7; 400]),
        segment([7; 16]),
    ]
    .join(".")
}

/// RFC 1951 §3.2.4: one block, stored.
fn deflated(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap();
    [
        &[1],
        &length.to_le_bytes()[..],
        &(!length).to_le_bytes(),
        text.as_bytes(),
    ]
    .concat()
}

fn deep(levels: usize) -> String {
    format!("{}{}", "[".repeat(levels), "]".repeat(levels))
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

fn padded(part: &str) -> String {
    format!("{part}{}", "=".repeat((4 - part.len() % 4) % 4))
}

/// Part with the lowest bit of its last character set, which belongs to no byte.
fn next(part: &str) -> String {
    let (rest, last) = part.split_at(part.len() - 1);
    let next = char::from(last.as_bytes()[0] + 1);
    format!("{rest}{next}")
}

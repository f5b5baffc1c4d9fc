#![doc = include_str!("../README.md")]

use std::io;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use enrollment::client::{Client, file};
use enrollment::token::TokenRules;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use mastercard::keys::PrivateKey;

const CLIENT: &str = include_str!("client.toml");
const PUBLIC_KEY: &str = include_str!("../../../shared/enrollment/src/testing/public-key.pem");
const PRIVATE_KEY: &str = include_str!("../../../shared/enrollment/src/testing/private-key.pem");
const RECEIVER_KEY: &str = include_str!("../../../shared/mastercard/tests/fixtures/signing.pem");
const TRANSLATION: &[u8] = include_bytes!("../corpus/translation/partial.json");
const LOGO: &[u8] = include_bytes!("../corpus/pictures/logo.png");

/// Private key that JWEs and encrypted fields of the corpus are made for.
pub static RECEIVER: LazyLock<PrivateKey> =
    LazyLock::new(|| PrivateKey::from_pem(RECEIVER_KEY).expect("a private RSA key"));

/// Number of digits in a row that could be a card number.
const SUSPICIOUS_DIGITS: usize = 12;

/// Rules for the tokens of the corpus.
pub const EXPECTED: TokenRules<'_> = TokenRules {
    max_lifetime: SignedDuration::from_mins(10),
    audience: "https://cards.example",
};

/// Time at which the tokens of the corpus are valid: 2027-01-15T08:00:00Z.
pub const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

/// Client that all tokens and submissions are checked against.
pub static SET_UP: LazyLock<Client> = LazyLock::new(|| {
    let faults = |faults| panic!("src/client.toml: {faults:?}");
    file::read(CLIENT, &open).unwrap_or_else(faults).client
});

/// Reads the files that a client file may name here.
///
/// # Errors
/// `NotFound` for any other name.
pub fn open(name: &str) -> io::Result<Vec<u8>> {
    match name {
        "public.pem" => Ok(PUBLIC_KEY.into()),
        "pl.json" => Ok(TRANSLATION.into()),
        "logo.png" => Ok(LOGO.into()),
        _ => Err(io::ErrorKind::NotFound.into()),
    }
}

/// Returns a token with these claims, signed by the client.
#[must_use]
pub fn signed(claims: &[u8]) -> String {
    static KEY: LazyLock<EncodingKey> =
        LazyLock::new(|| EncodingKey::from_rsa_pem(PRIVATE_KEY.as_bytes()).expect("a private RSA key"));
    let signed = unsigned(claims);
    let signature = crypto::sign(signed.as_bytes(), &KEY, Algorithm::RS256).expect("a key for RS256");
    format!("{signed}.{signature}")
}

/// Returns the part of a token that is signed.
#[must_use]
pub fn unsigned(claims: &[u8]) -> String {
    let segment = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    format!(
        "{}.{}",
        segment(br#"{"typ":"JWT","alg":"RS256"}"#),
        segment(claims)
    )
}

/// Panics if a text for a log or an answer contains digits that could be a card number.
pub fn assert_no_card_number(told: &str) {
    let longest = told
        .split(|character: char| !character.is_ascii_digit())
        .map(str::len)
        .max();
    assert!(
        longest < Some(SUSPICIOUS_DIGITS),
        "{longest:?} digits in a row: {told}"
    );
}

//! Someone who wants in without the partner's key: tokens put together byte by byte.

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaEncoding,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// The key of nobody's set-up.
const PRIVATE_KEY: &str = include_str!("other-private-key.pem");
/// Its certificate, signed by itself.
const CERTIFICATE: &str = include_str!("other-certificate.pem");

/// An RSA key, with what its owner and others know of it.
#[derive(Debug)]
pub struct RsaKey(KeyPair);

impl RsaKey {
    /// A new one of 2048 bits.
    pub fn fresh() -> Self {
        Self(KeyPair::generate(KeySize::Rsa2048).expect("the system's generator"))
    }

    /// That of a PKCS#8 file.
    pub fn of_pem(pem: &str) -> Self {
        Self(KeyPair::from_pkcs8(&der(pem)).expect("a private RSA key"))
    }

    /// A key that belongs to no client; [`certificate`] is about it.
    pub fn nobodys() -> Self {
        Self::of_pem(PRIVATE_KEY)
    }

    /// A signature over `message`.
    pub fn sign(&self, encoding: &'static dyn RsaEncoding, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0
            .sign(encoding, &SystemRandom::new(), message, &mut signature)
            .expect("room for the signature");
        signature
    }

    /// A token with this very header and these claims, signed as RS256 whatever the header says.
    pub fn token(&self, header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
        assemble(header, claims, |signed| self.sign(&RSA_PKCS1_SHA256, signed))
    }

    /// The public half as `SubjectPublicKeyInfo`.
    pub fn public_der(&self) -> Vec<u8> {
        let der: PublicKeyX509Der<'_> = self.0.public_key().as_der().expect("a public key");
        der.as_ref().to_vec()
    }

    /// The public half as a client's file has it.
    pub fn public_pem(&self) -> String {
        let lines: Vec<String> = STANDARD
            .encode(self.public_der())
            .as_bytes()
            .chunks(64)
            .map(|line| String::from_utf8_lossy(line).into_owned())
            .collect();
        format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            lines.join("\n")
        )
    }

    /// The number that everybody knows of it.
    pub fn modulus(&self) -> Vec<u8> {
        self.0
            .public_key()
            .modulus()
            .big_endian_without_leading_zero()
            .to_vec()
    }

    /// The public half as RFC 7517 writes it.
    pub fn jwk(&self) -> Value {
        json!({"kty": "RSA", "alg": "RS256", "use": "sig", "n": segment(self.modulus()), "e": "AQAB"})
    }
}

/// The certificate of [`RsaKey::nobodys`] as the header `x5c` takes it.
pub fn certificate() -> String {
    STANDARD.encode(der(CERTIFICATE))
}

/// A signature as ES256 makes it, by a key that nobody knows.
pub fn es256(message: &[u8]) -> Vec<u8> {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("the system's generator");
    let signature = key.sign(&SystemRandom::new(), message).expect("a key that signs");
    signature.as_ref().to_vec()
}

/// A signature under a shared secret.
pub fn hmac(algorithm: hmac::Algorithm, secret: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(algorithm, secret), message)
        .as_ref()
        .to_vec()
}

/// A token of these bytes, signed by `sign`.
pub fn assemble(
    header: impl AsRef<[u8]>,
    claims: impl AsRef<[u8]>,
    sign: impl FnOnce(&[u8]) -> Vec<u8>,
) -> String {
    let signed = format!("{}.{}", segment(header), segment(claims));
    let signature = segment(sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// A part of a token.
pub fn segment(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn der(pem: &str) -> Vec<u8> {
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    STANDARD.decode(lines.collect::<String>()).expect("PEM")
}

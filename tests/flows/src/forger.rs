//! Forger without the partner's key, who makes tokens byte by byte.

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

/// Key that is in no set-up.
const PRIVATE_KEY: &str = include_str!("other-private-key.pem");
/// Self-signed certificate of that key.
const CERTIFICATE: &str = include_str!("other-certificate.pem");

/// RSA key with its private and public parts.
#[derive(Debug)]
pub struct RsaKey(KeyPair);

impl RsaKey {
    /// Generates a key of 2048 bits.
    pub fn fresh() -> Self {
        Self(KeyPair::generate(KeySize::Rsa2048).expect("the system's generator"))
    }

    /// Reads a PKCS#8 file.
    pub fn of_pem(pem: &str) -> Self {
        Self(KeyPair::from_pkcs8(&der(pem)).expect("a private RSA key"))
    }

    /// Key of no client, which [`certificate`] certifies.
    pub fn nobodys() -> Self {
        Self::of_pem(PRIVATE_KEY)
    }

    /// Signs `message`.
    pub fn sign(&self, encoding: &'static dyn RsaEncoding, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0
            .sign(encoding, &SystemRandom::new(), message, &mut signature)
            .expect("room for the signature");
        signature
    }

    /// Token with exactly this header and these claims, signed as RS256 whatever the header says.
    pub fn token(&self, header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
        assemble(header, claims, |signed| self.sign(&RSA_PKCS1_SHA256, signed))
    }

    /// Public key as `SubjectPublicKeyInfo`.
    pub fn public_der(&self) -> Vec<u8> {
        let der: PublicKeyX509Der<'_> = self.0.public_key().as_der().expect("a public key");
        der.as_ref().to_vec()
    }

    /// Public key as in a client's file.
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

    /// Modulus.
    pub fn modulus(&self) -> Vec<u8> {
        self.0
            .public_key()
            .modulus()
            .big_endian_without_leading_zero()
            .to_vec()
    }

    /// Public key as a JWK (RFC 7517).
    pub fn jwk(&self) -> Value {
        json!({"kty": "RSA", "alg": "RS256", "use": "sig", "n": segment(self.modulus()), "e": "AQAB"})
    }
}

/// Certificate of [`RsaKey::nobodys`] in the form of the header `x5c`.
pub fn certificate() -> String {
    STANDARD.encode(der(CERTIFICATE))
}

/// ES256 signature by an unknown key.
pub fn es256(message: &[u8]) -> Vec<u8> {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("the system's generator");
    let signature = key.sign(&SystemRandom::new(), message).expect("a key that signs");
    signature.as_ref().to_vec()
}

/// Signature under a shared secret.
pub fn hmac(algorithm: hmac::Algorithm, secret: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(algorithm, secret), message)
        .as_ref()
        .to_vec()
}

/// Token of these bytes, signed by `sign`.
pub fn assemble(
    header: impl AsRef<[u8]>,
    claims: impl AsRef<[u8]>,
    sign: impl FnOnce(&[u8]) -> Vec<u8>,
) -> String {
    let signed = format!("{}.{}", segment(header), segment(claims));
    let signature = segment(sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// Encodes a part of a token.
pub fn segment(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn der(pem: &str) -> Vec<u8> {
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    STANDARD.decode(lines.collect::<String>()).expect("PEM")
}

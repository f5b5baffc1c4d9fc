//! Unused card numbers, and their encryption as the page does it.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::mrs_admin;
use crate::stack::Stack;

/// Test card.
#[derive(Debug, Clone)]
pub struct Card {
    /// All digits.
    pub number: String,
    /// Serial number of the last account at the Mastercard stand-in when this card was made.
    pub(crate) accounts_before: usize,
}

impl Card {
    /// Valid number in the demo program's first range. Its last four digits are unique among about ten thousand tests, so that
    /// its accounts at MRS can be identified.
    pub fn fresh() -> Self {
        let range = &Stack::here().program().bin_ranges[0];
        Self::in_range(&range.from[..6])
    }

    /// Valid number with these first six digits.
    pub fn in_range(bin: &str) -> Self {
        let last4 = format!("{:04}", next_last4());
        let free = random_digits(5);
        let number = (b'0'..=b'9')
            .map(|digit| format!("{bin}{free}{}{last4}", char::from(digit)))
            .find(|number| passes_luhn(number))
            .expect("one of ten digits makes the sum right");
        Self::numbered(&number)
    }

    /// Card of a given number, perhaps one with a fault at the stand-in.
    pub fn numbered(number: &str) -> Self {
        Self {
            number: number.to_owned(),
            accounts_before: mrs_admin::last_account(),
        }
    }

    /// Number with this prefix that passes Luhn. Its accounts at MRS can't be distinguished from older ones.
    pub fn completed(start: &str) -> Self {
        let number = (b'0'..=b'9')
            .map(|digit| format!("{start}{}", char::from(digit)))
            .find(|number| passes_luhn(number))
            .expect("one of ten digits makes the sum right");
        Self {
            number,
            accounts_before: 0,
        }
    }

    /// First six digits.
    pub fn bin(&self) -> &str {
        &self.number[..6]
    }

    /// Last four digits.
    pub fn last4(&self) -> &str {
        &self.number[self.number.len() - 4..]
    }

    /// Design code of its range, by the client's file.
    pub fn design_code(&self) -> Option<&'static str> {
        let holds = |from: &str, to: &str| (&from[..6]..=&to[..6]).contains(&self.bin());
        let mut ranges = Stack::here().program().bin_ranges.iter();
        ranges
            .find(|range| holds(&range.from, &range.to))
            .and_then(|range| range.design_code.as_deref())
    }

    /// Pair `{"key","data"}` under Mastercard's public key, as the page makes it: a fresh AES-256-GCM key, `data` =
    /// base64(IV ‖ ciphertext ‖ tag) of the digits, `key` = base64(RSA-OAEP with SHA-256 of the AES key).
    pub fn encrypted_under(&self, spki: &str) -> Value {
        let [key, iv] = [random_bytes(32), random_bytes(12)];
        let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).expect("32 bytes"));
        let nonce = Nonce::try_assume_unique_for_key(&iv).expect("12 bytes");
        let mut sealed = self.number.clone().into_bytes();
        cipher
            .seal_in_place_append_tag(nonce, Aad::empty(), &mut sealed)
            .expect("room for the tag");

        let spki = STANDARD.decode(spki).expect("base64");
        let public = PublicEncryptingKey::from_der(&spki).expect("a SubjectPublicKeyInfo of RSA");
        let public = OaepPublicEncryptingKey::new(public).expect("a key for OAEP");
        let mut wrapped = vec![0; public.ciphertext_size()];
        let wrapped = public
            .encrypt(&OAEP_SHA256_MGF1SHA256, &key, &mut wrapped, None)
            .expect("32 bytes fit under the key");
        json!({"key": STANDARD.encode(wrapped), "data": STANDARD.encode([iv, sealed].concat())})
    }
}

/// Fresh hexadecimal digits, for names that must be new.
pub fn random_hex(bytes: usize) -> String {
    hex::encode(random_bytes(bytes))
}

fn random_digits(count: usize) -> String {
    // The bias of a byte over ten digits does not matter here.
    random_bytes(count)
        .into_iter()
        .map(|byte| char::from(b'0' + byte % 10))
        .collect()
}

fn random_bytes(count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system's generator");
    bytes
}

/// Next of ten thousand numbers, over all processes that test this stack.
fn next_last4() -> u32 {
    let place = Stack::here().file("flows.last4");
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&place)
        .expect("the stack's folder can be written");
    file.lock().expect("a file can be locked");
    let mut text = String::new();
    file.read_to_string(&mut text).expect("a counter");
    let next = (text.trim().parse().unwrap_or(0) + 1) % 10_000;
    file.rewind().expect("a file");
    file.set_len(0).expect("a file");
    write!(file, "{next}").expect("the stack's folder can be written");
    next
}

/// Whether the last digit is the check digit of the others.
pub fn passes_luhn(number: &str) -> bool {
    let digits = number
        .bytes()
        .rev()
        .map(|byte| u32::from(byte - b'0'))
        .enumerate();
    let sum: u32 = digits
        .map(|(place, digit)| {
            if place % 2 == 0 {
                digit
            } else {
                digit * 2 / 10 + digit * 2 % 10
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn luhn_accepts_a_good_number_only() {
        assert!(passes_luhn("5234000000090123"));
        assert!(!passes_luhn("5234000000090124"));
    }
}

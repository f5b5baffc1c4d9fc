//! CPU time of an issuer's card file on one core, from CSV to ciphertext, as `enrollctl batch` spends it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use card_file::{BatchLimits, CardFile, CheckOptions, Faults, Layout, Plaintext, Window, check};
use mastercard::jwe::{ContentEncryption, Encryptor, KeyName};
use mastercard::keys::PublicKey;

use crate::cpu_time;

const KEY: &str = include_str!("../../../shared/mastercard/tests/fixtures/rsa-2048-public.pem");
/// Lines of the file: one window.
const CARDS: u32 = 19_751;
const LIMITS: BatchLimits = BatchLimits {
    cards: card_file::MAX_BATCH_CARDS,
    body_bytes: 512 * 1024,
    other_bytes: 1024,
};

/// Measures both passes: the check, and the one that encrypts.
pub(crate) fn measure(scratch: &Path) -> Result<()> {
    let path = scratch.join("cards.csv");
    fs::write(&path, cards())?;
    let mut window = Window::new();
    let options = CheckOptions {
        layout: Layout::default(),
        has_unique_card_ids: false,
        scratch: scratch.to_owned(),
        listed_faults: 1,
    };
    let checking = cpu_time::of(|| {
        let checked = check(&path, &options, &mut window, |_| ())?;
        let checked = checked.ok().context("the bench's card file has faults")?;
        ensure!(checked.cards == u64::from(CARDS), "{} cards", checked.cards);
        Ok(())
    })?;
    let key = PublicKey::from_pem(KEY)?;
    let encryptor = Encryptor::new(&key, KeyName::kid("bench"), ContentEncryption::A128Gcm, None)?;
    let mut content = Plaintext::new(Vec::with_capacity(LIMITS.body_bytes));
    let encrypting = cpu_time::of(|| encrypt(&path, &mut window, &mut content, &encryptor))?;
    println!(
        "\nA card file on one core, in CPU time: check {} cards a second, CSV to ciphertext {}, both passes {}",
        rate(checking),
        rate(encrypting),
        rate(checking + encrypting)
    );
    Ok(())
}

fn encrypt(path: &Path, window: &mut Window, content: &mut Plaintext, encryptor: &Encryptor) -> Result<()> {
    let mut file = CardFile::open(path, &Layout::default())?;
    let mut faults = Faults::up_to(1);
    let mut cards = 0;
    while file.next_window(window, &mut faults)? {
        for plan in window.plan(&LIMITS) {
            window.write_content(&plan, content);
            encryptor.encrypt(content)?;
            cards += plan.cards();
        }
    }
    ensure!(
        faults.is_empty() && cards == CARDS as usize,
        "{cards} cards were encrypted"
    );
    Ok(())
}

/// Cards a second.
fn rate(time: Duration) -> u128 {
    u128::from(CARDS) * 1_000_000 / time.as_micros().max(1)
}

/// A file of consumers with one card each, of seven account ranges.
fn cards() -> String {
    let mut text = String::from(
        "externalConsumerId,externalCardId,primaryAccountNumber,panExpirationMonth,panExpirationYear,emailAddress,firstName,lastName,\
         countryCode,languageCode\n",
    );
    for serial in 0..CARDS {
        let number = number(serial);
        // Writing to a `String` does not fail.
        let _ = writeln!(
            text,
            "consumer-{serial:09},card-{serial:09},{number},{},2031,person{serial}@example.com,Anna,Novakova,CZ,cs",
            serial % 12 + 1
        );
    }
    text
}

/// A number with a right check digit (ISO/IEC 7812-1, annex B).
fn number(serial: u32) -> String {
    let body = format!("5204740{}{serial:07}", serial % 7);
    let sum: u32 = body
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let value = u32::from(digit - b'0') * if place % 2 == 0 { 2 } else { 1 };
            if value > 9 { value - 9 } else { value }
        })
        .sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

//! The bytes of a sealed value, as `docs/envelope.md` describes them.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use zeroize::Zeroizing;

use super::{DataKey, KeyName, Period, VaultError};

/// The format written today.
const FORMAT: u8 = 1;
/// What the derivation of a record's key starts with.
const DERIVATION_LABEL: &[u8] = b"card-enrollment/sealed-value";

pub(super) const SALT_LENGTH: usize = 32;
pub(super) const NONCE_LENGTH: usize = 12;
const TAG_LENGTH: usize = 16;

/// Where a sealed value stands. Opened anywhere else it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The table's logical name, never the physical one: a restore changes that.
    pub table: &'a str,
    /// The item's partition key.
    pub pk: &'a str,
    /// The item's sort key; empty where the table has none.
    pub sk: &'a str,
    /// The attribute.
    pub attribute: &'a str,
}

/// A sealed value taken apart; nothing in it is verified yet.
pub(super) struct Parts<'a> {
    pub(super) period: Period,
    salt: &'a [u8; SALT_LENGTH],
    nonce: &'a [u8; NONCE_LENGTH],
    ciphertext: &'a [u8],
}

impl<'a> Parts<'a> {
    pub(super) fn read(sealed: &'a [u8]) -> Result<Self, VaultError> {
        let (&format, rest) = sealed.split_first().ok_or(VaultError::Malformed("it is empty"))?;
        if format != FORMAT {
            return Err(VaultError::UnknownFormat(format));
        }
        let (&period_length, rest) = rest.split_first().ok_or(VaultError::Malformed("it breaks off"))?;
        let (period, rest) = rest
            .split_at_checked(usize::from(period_length))
            .ok_or(VaultError::Malformed("it breaks off"))?;
        let period = Period::parse(period).ok_or(VaultError::Malformed("its period is not a name"))?;
        let (salt, rest) = rest
            .split_first_chunk()
            .ok_or(VaultError::Malformed("it breaks off"))?;
        let (nonce, ciphertext) = rest
            .split_first_chunk()
            .ok_or(VaultError::Malformed("it breaks off"))?;
        if ciphertext.len() < TAG_LENGTH {
            return Err(VaultError::Malformed("it breaks off"));
        }
        Ok(Self {
            period,
            salt,
            nonce,
            ciphertext,
        })
    }
}

/// Seals with a given salt and nonce, which must be fresh and random.
pub(super) fn seal(
    key: &DataKey,
    name: &KeyName,
    place: Place<'_>,
    salt: [u8; SALT_LENGTH],
    nonce: [u8; NONCE_LENGTH],
    plain: &[u8],
) -> Result<Vec<u8>, VaultError> {
    let period = name.period.as_str().as_bytes();
    // `Period` is at most 16 bytes long.
    let period_length =
        u8::try_from(period.len()).map_err(|_| VaultError::Malformed("its period is too long"))?;
    // The plain text lies in a buffer that is large enough for the whole, so that no copy of it is left behind.
    let header_length = 2 + period.len() + SALT_LENGTH + NONCE_LENGTH;
    let mut sealed = Vec::with_capacity(header_length + plain.len() + TAG_LENGTH);
    sealed.extend_from_slice(&[FORMAT, period_length]);
    sealed.extend_from_slice(period);
    sealed.extend_from_slice(&salt);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(plain);
    let (_, text) = sealed.split_at_mut(header_length);
    let tag = record_key(key, name, &salt)?
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), additional_data(place), text)
        .map_err(|_| VaultError::Malformed("it is too long"))?;
    sealed.extend_from_slice(tag.as_ref());
    Ok(sealed)
}

pub(super) fn open(
    key: &DataKey,
    name: &KeyName,
    place: Place<'_>,
    parts: &Parts<'_>,
) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let mut text = Zeroizing::new(parts.ciphertext.to_vec());
    let length = record_key(key, name, parts.salt)?
        .open_in_place(
            Nonce::assume_unique_for_key(*parts.nonce),
            additional_data(place),
            &mut text,
        )
        .map_err(|_| VaultError::Forged)?
        .len();
    text.truncate(length);
    Ok(text)
}

/// `HKDF-SHA-256(salt, data key, label ‖ format ‖ purpose ‖ client)`, each with its length before it.
fn record_key(key: &DataKey, name: &KeyName, salt: &[u8; SALT_LENGTH]) -> Result<LessSafeKey, VaultError> {
    let info = length_prefixed(&[
        DERIVATION_LABEL,
        &[FORMAT],
        name.purpose.as_str().as_bytes(),
        name.client.as_str().as_bytes(),
    ]);
    let damaged = |_| VaultError::DamagedKey(name.clone());
    let mut bytes = Zeroizing::new([0_u8; 32]);
    Salt::new(HKDF_SHA256, salt)
        .extract(key.expose())
        .expand(&[&info], HKDF_SHA256)
        .and_then(|output| output.fill(&mut *bytes))
        .map_err(damaged)?;
    UnboundKey::new(&AES_256_GCM, &*bytes)
        .map(LessSafeKey::new)
        .map_err(damaged)
}

fn additional_data(place: Place<'_>) -> Aad<Vec<u8>> {
    Aad::from(length_prefixed(&[
        place.table.as_bytes(),
        place.pk.as_bytes(),
        place.sk.as_bytes(),
        place.attribute.as_bytes(),
        &[FORMAT],
    ]))
}

/// Each field after its length as four bytes, big-endian: no two lists of fields give the same bytes.
pub(super) fn length_prefixed(fields: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(fields.iter().map(|field| field.len() + 4).sum());
    for field in fields {
        // DynamoDB's items end at 400 KB, far below 4 GB.
        let length = u32::try_from(field.len()).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(field);
    }
    bytes
}

//! Bytes of a sealed value, as `docs/envelope.md` describes them.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use zeroize::Zeroizing;

use super::{DataKey, KeyName, Period, VaultError};

/// Format of new values.
const FORMAT: u8 = 1;
/// Label of the derivation of a value's key.
const DERIVATION_LABEL: &[u8] = b"card-enrollment/sealed-value";

pub(super) const SALT_LENGTH: usize = 32;
pub(super) const NONCE_LENGTH: usize = 12;
const TAG_LENGTH: usize = 16;

/// Location of a sealed value. It can't be opened at any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Location<'a> {
    /// Logical name of the table. Not the physical one, which changes when a backup is restored.
    pub table: &'a str,
    /// Partition key of the item.
    pub pk: &'a str,
    /// Sort key of the item; empty where the table has none.
    pub sk: &'a str,
    /// Name of the attribute.
    pub attribute: &'a str,
}

/// Parts of a sealed value, not verified yet.
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

/// Seals with this salt and nonce, which have to be fresh and random.
pub(super) fn seal(
    key: &DataKey,
    name: &KeyName,
    location: Location<'_>,
    salt: [u8; SALT_LENGTH],
    nonce: [u8; NONCE_LENGTH],
    plain: &[u8],
) -> Result<Vec<u8>, VaultError> {
    let period = name.period.as_str().as_bytes();
    // `Period` is at most 16 bytes long.
    let period_length =
        u8::try_from(period.len()).map_err(|_| VaultError::Malformed("its period is too long"))?;
    // The buffer is large enough for the whole value, so that no copy of the plain text is left in memory.
    let header_length = 2 + period.len() + SALT_LENGTH + NONCE_LENGTH;
    let mut sealed = Vec::with_capacity(header_length + plain.len() + TAG_LENGTH);
    sealed.extend_from_slice(&[FORMAT, period_length]);
    sealed.extend_from_slice(period);
    sealed.extend_from_slice(&salt);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(plain);
    let (_, text) = sealed.split_at_mut(header_length);
    let tag = record_key(key, name, &salt)?
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            additional_data(location),
            text,
        )
        .map_err(|_| VaultError::Malformed("it is too long"))?;
    sealed.extend_from_slice(tag.as_ref());
    Ok(sealed)
}

pub(super) fn open(
    key: &DataKey,
    name: &KeyName,
    location: Location<'_>,
    parts: &Parts<'_>,
) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let mut text = Zeroizing::new(parts.ciphertext.to_vec());
    let length = record_key(key, name, parts.salt)?
        .open_in_place(
            Nonce::assume_unique_for_key(*parts.nonce),
            additional_data(location),
            &mut text,
        )
        .map_err(|_| VaultError::Forged)?
        .len();
    text.truncate(length);
    Ok(text)
}

/// Derives `HKDF-SHA-256(salt, data key, label ‖ format ‖ purpose ‖ client)`, with the length of each part before it.
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

fn additional_data(location: Location<'_>) -> Aad<Vec<u8>> {
    Aad::from(length_prefixed(&[
        location.table.as_bytes(),
        location.pk.as_bytes(),
        location.sk.as_bytes(),
        location.attribute.as_bytes(),
        &[FORMAT],
    ]))
}

/// Joins fields, each after its length in four bytes (big-endian): different lists of fields give different bytes.
pub(super) fn length_prefixed(fields: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(fields.iter().map(|field| field.len() + 4).sum());
    for field in fields {
        // An item of DynamoDB has at most 400 KB, far below 4 GB.
        let length = u32::try_from(field.len()).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(field);
    }
    bytes
}

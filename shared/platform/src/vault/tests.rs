use std::sync::atomic::Ordering;

use proptest::prelude::*;
use serde::Deserialize;

use super::testing::{InMemoryKeys, InMemoryWrapper};
use super::*;
use crate::clock::ManualClock;
use crate::randomness::SystemRandomness;

const PLACE: Location<'static> = Location {
    table: "enrollments",
    pk: "intent#1",
    sk: "intent",
    attribute: "customer",
};

struct Fixture {
    wrapper: Arc<InMemoryWrapper>,
    stored: Arc<InMemoryKeys>,
    clock: Arc<ManualClock>,
    vault: Vault,
    client: ClientId,
}

impl Fixture {
    fn new() -> Self {
        Self::with_caching(KeyCaching::default())
    }

    fn with_caching(caching: KeyCaching) -> Self {
        let wrapper = Arc::new(InMemoryWrapper::default());
        let stored = Arc::new(InMemoryKeys::default());
        let clock = Arc::new(ManualClock::default());
        let vault = vault(&wrapper, &stored, &clock, caching);
        Self {
            wrapper,
            stored,
            clock,
            vault,
            client: ClientId::parse("demo").unwrap(),
        }
    }

    async fn seal(&self, plain: &[u8]) -> Vec<u8> {
        self.vault
            .seal(&self.client, Purpose::Enrollment, PLACE, plain)
            .await
            .unwrap()
    }

    async fn open(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        self.vault
            .open(&self.client, Purpose::Enrollment, PLACE, sealed)
            .await
    }
}

fn vault(
    wrapper: &Arc<InMemoryWrapper>,
    stored: &Arc<InMemoryKeys>,
    clock: &Arc<ManualClock>,
    caching: KeyCaching,
) -> Vault {
    let (wrapper, stored, clock) = (Arc::clone(wrapper), Arc::clone(stored), Arc::clone(clock));
    Vault::new(wrapper, stored, clock, Arc::new(SystemRandomness), caching)
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

proptest! {
    #[test]
    fn sealed_value_opens(plain in proptest::collection::vec(any::<u8>(), 0..300)) {
        let fixture = Fixture::new();
        run(async {
            let sealed = fixture.seal(&plain).await;
            prop_assert_eq!(&**fixture.open(&sealed).await.unwrap(), &*plain);
            prop_assert_eq!(sealed.len(), 2 + 7 + 32 + 12 + plain.len() + 16);
            Ok(())
        })?;
    }

    #[test]
    fn flipped_bit_is_detected(
        plain in proptest::collection::vec(any::<u8>(), 0..40),
        position in any::<prop::sample::Index>(),
        bit in 0_u8..8,
    ) {
        let fixture = Fixture::new();
        run(async {
            let mut sealed = fixture.seal(&plain).await;
            let position = position.index(sealed.len());
            sealed[position] ^= 1 << bit;
            prop_assert!(fixture.open(&sealed).await.is_err());
            Ok(())
        })?;
    }

    #[test]
    fn arbitrary_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
        let fixture = Fixture::new();
        prop_assert!(run(fixture.open(&bytes)).is_err());
    }

    #[test]
    fn bytes_with_a_valid_start_are_refused(
        length in any::<u8>(),
        bytes in proptest::collection::vec(any::<u8>(), 0..120),
    ) {
        let fixture = Fixture::new();
        let sealed = [&[1, length], &b"2026-11"[..], &bytes].concat();
        prop_assert!(run(fixture.open(&sealed)).is_err());
    }
}

#[tokio::test]
async fn truncated_value_is_refused() {
    let fixture = Fixture::new();
    let sealed = fixture.seal(b"maria-7").await;
    for length in 0..sealed.len() {
        assert!(fixture.open(&sealed[..length]).await.is_err(), "{length}");
    }
    assert!(fixture.open(&[&sealed[..], &[0]].concat()).await.is_err());
}

#[tokio::test]
async fn value_opens_only_at_its_place() {
    let fixture = Fixture::new();
    let sealed = fixture.seal(b"maria-7").await;
    let elsewhere = [
        Location {
            table: "sessions",
            ..PLACE
        },
        Location {
            pk: "intent#2",
            ..PLACE
        },
        Location { sk: "", ..PLACE },
        Location {
            attribute: "ranac",
            ..PLACE
        },
        // The fields' borders count, not only their text.
        Location {
            pk: "intent#1i",
            sk: "ntent",
            ..PLACE
        },
    ];
    for location in elsewhere {
        let opened = fixture
            .vault
            .open(&fixture.client, Purpose::Enrollment, location, &sealed)
            .await;
        assert_eq!(opened.unwrap_err(), VaultError::Forged, "{location:?}");
    }
}

#[tokio::test]
async fn value_opens_only_for_its_client_and_purpose() {
    let fixture = Fixture::new();
    let other = ClientId::parse("other").unwrap();
    let sealed = fixture.seal(b"maria-7").await;
    let unknown = fixture
        .vault
        .open(&other, Purpose::Enrollment, PLACE, &sealed)
        .await
        .unwrap_err();
    assert!(matches!(unknown, VaultError::UnknownKey(_)));
    // With keys of their own in place, it is the tag that refuses.
    fixture
        .vault
        .seal(&other, Purpose::Enrollment, PLACE, b"x")
        .await
        .unwrap();
    fixture
        .vault
        .seal(&fixture.client, Purpose::Session, PLACE, b"x")
        .await
        .unwrap();
    let forged = fixture
        .vault
        .open(&other, Purpose::Enrollment, PLACE, &sealed)
        .await;
    assert_eq!(forged.unwrap_err(), VaultError::Forged);
    let forged = fixture
        .vault
        .open(&fixture.client, Purpose::Session, PLACE, &sealed)
        .await;
    assert_eq!(forged.unwrap_err(), VaultError::Forged);
}

#[tokio::test]
async fn equal_values_are_sealed_differently() {
    let fixture = Fixture::new();
    assert_ne!(fixture.seal(b"maria-7").await, fixture.seal(b"maria-7").await);
}

#[tokio::test]
async fn value_of_an_earlier_month_opens() {
    let fixture = Fixture::new();
    let sealed = fixture.seal(b"maria-7").await;
    fixture.clock.advance(SignedDuration::from_hours(24 * 40));
    let later = fixture.seal(b"maria-7").await;
    assert_eq!((&sealed[2..9], &later[2..9]), (&b"2026-11"[..], &b"2026-12"[..]));
    assert_eq!(&**fixture.open(&sealed).await.unwrap(), b"maria-7");
    assert_eq!(&**fixture.open(&later).await.unwrap(), b"maria-7");
}

#[tokio::test]
async fn kms_is_called_again_when_the_key_is_too_old() {
    let fixture = Fixture::new();
    let sealed = fixture.seal(b"maria-7").await;
    for _ in 0..5 {
        fixture.open(&fixture.seal(b"x").await).await.unwrap();
    }
    assert_eq!(fixture.wrapper.calls(), 1);
    fixture.clock.advance(SignedDuration::from_mins(61));
    fixture.open(&sealed).await.unwrap();
    assert_eq!(fixture.wrapper.calls(), 2);
}

#[tokio::test]
async fn least_recently_used_key_is_dropped() {
    let fixture = Fixture::with_caching(KeyCaching {
        max_count: 1,
        ..KeyCaching::default()
    });
    let sealed = fixture.seal(b"maria-7").await;
    fixture
        .vault
        .blind_index(&fixture.client, "customer", "maria-7")
        .await
        .unwrap();
    assert_eq!(fixture.wrapper.calls(), 2);
    fixture.open(&sealed).await.unwrap();
    assert_eq!(fixture.wrapper.calls(), 3);
}

#[tokio::test]
async fn concurrent_first_uses_make_one_call_to_kms() {
    let fixture = Fixture::new();
    let (a, b, c) = tokio::join!(fixture.seal(b"a"), fixture.seal(b"b"), fixture.seal(b"c"));
    assert_eq!(fixture.wrapper.calls(), 1);
    for sealed in [a, b, c] {
        fixture.open(&sealed).await.unwrap();
    }
}

#[tokio::test]
async fn lost_race_uses_the_other_key() {
    let winner = Fixture::new();
    let sealed = winner.seal(b"maria-7").await;
    let loser = vault(
        &winner.wrapper,
        &winner.stored,
        &winner.clock,
        KeyCaching::default(),
    );
    winner.stored.misses.store(1, Ordering::SeqCst);
    let by_loser = loser
        .seal(&winner.client, Purpose::Enrollment, PLACE, b"x")
        .await
        .unwrap();
    assert_eq!(&**winner.open(&by_loser).await.unwrap(), b"x");
    let opened = loser
        .open(&winner.client, Purpose::Enrollment, PLACE, &sealed)
        .await
        .unwrap();
    assert_eq!(&**opened, b"maria-7");
}

#[tokio::test]
async fn opening_does_not_make_a_key() {
    let fixture = Fixture::new();
    let sealed = [&b"\x01\x072031-01"[..], &[0; 60]].concat();
    assert!(matches!(
        fixture.open(&sealed).await.unwrap_err(),
        VaultError::UnknownKey(_)
    ));
    assert_eq!(fixture.wrapper.calls(), 0);
}

#[tokio::test]
async fn newer_format_is_named() {
    let fixture = Fixture::new();
    let mut sealed = fixture.seal(b"x").await;
    sealed[0] = 2;
    assert_eq!(
        fixture.open(&sealed).await.unwrap_err(),
        VaultError::UnknownFormat(2)
    );
}

#[tokio::test]
async fn blind_index_differs_by_client_field_and_value() {
    let fixture = Fixture::new();
    let other = ClientId::parse("other").unwrap();
    let index = async |client: &ClientId, field: &str, value: &str| {
        fixture.vault.blind_index(client, field, value).await.unwrap()
    };
    let first = index(&fixture.client, "customer", "maria-7").await;
    assert_eq!(first.len(), 64);
    fixture.clock.advance(SignedDuration::from_hours(24 * 40));
    assert_eq!(index(&fixture.client, "customer", "maria-7").await, first);
    assert_ne!(index(&fixture.client, "customer", "maria-8").await, first);
    assert_ne!(index(&fixture.client, "customerm", "aria-7").await, first);
    assert_ne!(index(&other, "customer", "maria-7").await, first);
}

#[test]
fn key_is_not_printed() {
    assert_eq!(format!("{:?}", DataKey::new(&[7; 32]).unwrap()), "DataKey(…)");
    assert!(DataKey::new(&[7; 31]).is_none());
}

/// The vectors of `docs/envelope.md`, which `tests/interop/test_envelope.py` checks by another implementation.
#[derive(Deserialize)]
struct Vectors {
    sealed_values: Vec<SealedVector>,
    blind_indexes: Vec<IndexVector>,
}

#[derive(Deserialize)]
struct SealedVector {
    data_key: String,
    client: String,
    purpose: String,
    period: String,
    table: String,
    pk: String,
    sk: String,
    attribute: String,
    salt: String,
    nonce: String,
    plaintext: String,
    sealed: String,
}

#[derive(Deserialize)]
struct IndexVector {
    data_key: String,
    client: String,
    version: String,
    field: String,
    value: String,
    index: String,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../../tests/vectors/envelope.json")).unwrap()
}

fn purpose(text: &str) -> Purpose {
    [
        Purpose::Session,
        Purpose::Enrollment,
        Purpose::Confirmation,
        Purpose::BlindIndex,
    ]
    .into_iter()
    .find(|purpose| purpose.as_str() == text)
    .unwrap()
}

fn bytes<const N: usize>(hexadecimal: &str) -> [u8; N] {
    hex::decode(hexadecimal).unwrap().try_into().unwrap()
}

#[test]
fn sealed_values_match_the_vectors() {
    for vector in vectors().sealed_values {
        let key = DataKey::new(&bytes::<32>(&vector.data_key)).unwrap();
        let period = Period::parse(vector.period.as_bytes()).unwrap();
        let name = KeyName::new(
            &ClientId::parse(&vector.client).unwrap(),
            purpose(&vector.purpose),
            period,
        );
        let location = Location {
            table: &vector.table,
            pk: &vector.pk,
            sk: &vector.sk,
            attribute: &vector.attribute,
        };
        let plain = hex::decode(&vector.plaintext).unwrap();
        let sealed = format::seal(
            &key,
            &name,
            location,
            bytes(&vector.salt),
            bytes(&vector.nonce),
            &plain,
        )
        .unwrap();
        assert_eq!(hex::encode(&sealed), vector.sealed, "{}", vector.attribute);
        let opened = format::open(&key, &name, location, &format::Parts::read(&sealed).unwrap()).unwrap();
        assert_eq!(*opened, plain);
    }
}

#[test]
fn blind_indexes_match_the_vectors() {
    for vector in vectors().blind_indexes {
        let key = DataKey::new(&bytes::<32>(&vector.data_key)).unwrap();
        let version = Period::parse(vector.version.as_bytes()).unwrap();
        let name = KeyName::new(
            &ClientId::parse(&vector.client).unwrap(),
            Purpose::BlindIndex,
            version,
        );
        assert_eq!(
            blind_index::of(&key, &name, &vector.field, &vector.value),
            vector.index,
            "{}",
            vector.value
        );
    }
}

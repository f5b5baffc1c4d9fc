use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use enrollment::action::ActionCode;
use enrollment::clock::Clock as _;
use enrollment::identifiers::Ranac;
use enrollment::intent::{CardCount, Conclusion};
use enrollment::limits::Counters;
use enrollment::ports::{
    BeginError, CounterKey, Customers as _, Intents as _, Limits as _, Sessions as _, StoreError,
};
use platform::vault::{
    DataKey, GeneratedKey, KeyName, KeyWrapper, KmsKeyWrapper, Location, Purpose, VaultError,
};

use crate::samples::{
    CONFIRMATION_URL, CUSTOMER, RANAC, RETURN_URL, attempt, client_id, customer_id, intent, program_id,
    session, used_token,
};
use engine::{Item, World, local_kms, on_every_engine};

const PLACE: Location<'static> = Location {
    table: "sessions",
    pk: "session#1",
    sk: "",
    attribute: "customer",
};

/// KMS with its calls counted.
pub(crate) struct CountingWrapper {
    pub(crate) kms: KmsKeyWrapper,
    pub(crate) calls: AtomicUsize,
}

#[async_trait]
impl KeyWrapper for CountingWrapper {
    async fn generate(&self, name: &KeyName) -> Result<GeneratedKey, VaultError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.kms.generate(name).await
    }

    async fn unwrap(&self, name: &KeyName, wrapped: &[u8]) -> Result<DataKey, VaultError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.kms.unwrap(name, wrapped).await
    }
}

/// One whole enrollment; gives back its bank customer number.
async fn enroll(world: &World) -> String {
    let vault = world.vault();
    let (sessions, enrollments, limits) = (
        world.sessions(&vault),
        world.enrollments(&vault),
        world.limits(&vault),
    );
    let now = world.clock.now();
    let session = session(now);
    sessions.open(&session, &used_token(now)).await.unwrap();
    let (client, program, customer) = (client_id(), program_id(), customer_id());
    limits
        .count(
            CounterKey {
                client: &client,
                program: &program,
                customer: &customer,
            },
            &Counters::default(),
            attempt(0),
            now,
        )
        .await
        .unwrap();
    let mut intent = intent(&session, 1, now);
    let count = enrollments
        .card_count(&client, &program, &customer)
        .await
        .unwrap();
    enrollments.begin(&intent, count, 0).await.unwrap().unwrap();
    intent.conclude(Conclusion::enrolled(
        ActionCode::Enroll,
        Ranac::parse(RANAC).unwrap(),
        None,
        now,
    ));
    enrollments.finish(&intent).await.unwrap();
    intent.bank_customer_number.expose().to_owned()
}

/// Everything that an item holds, as bytes.
fn raw(item: &Item) -> Vec<u8> {
    item.iter()
        .flat_map(|(name, value)| [name.as_bytes().to_vec(), bytes_of(value)].concat())
        .collect()
}

fn bytes_of(value: &AttributeValue) -> Vec<u8> {
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => text.as_bytes().to_vec(),
        AttributeValue::B(bytes) => bytes.as_ref().to_vec(),
        AttributeValue::Bool(_) => Vec::new(),
        AttributeValue::L(values) => values.iter().flat_map(bytes_of).collect(),
        AttributeValue::M(values) => raw(values),
        AttributeValue::Ss(texts) => texts.concat().into_bytes(),
        other => panic!("nothing here is of that kind: {other:?}"),
    }
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn nothing_personal_stands_in_the_clear() {
    on_every_engine(|world| async move {
        let number = enroll(&world).await;
        let tables = &world.tables;
        let mut items = 0;
        for table in [
            &tables.sessions,
            &tables.enrollments,
            &tables.confirmations,
            &tables.limits,
            &tables.keys,
        ] {
            for item in world.scan(table).await {
                items += 1;
                let raw = raw(&item);
                for personal in [
                    CUSTOMER,
                    RANAC,
                    &number,
                    CONFIRMATION_URL,
                    RETURN_URL,
                    "hidden-return",
                    "hidden-path",
                    "SUCCESS_ENROLLMENT\",\"p",
                ] {
                    let found = raw
                        .windows(personal.len())
                        .any(|window| window == personal.as_bytes());
                    assert!(!found, "{personal} in {item:?}");
                }
                assert_eq!(item["schema"], AttributeValue::N("1".into()), "{item:?}");
            }
        }
        // A session, its token; an intent, a customer, a card; a confirmation; two counters; four keys.
        assert_eq!(items, 12);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn a_ciphertext_that_was_moved_is_refused() {
    on_every_engine(|world| async move {
        let vault = world.vault();
        let (sessions, enrollments) = (world.sessions(&vault), world.enrollments(&vault));
        let now = world.clock.now();
        let (one, other) = (session(now), session(now));
        sessions.open(&one, &used_token(now)).await.unwrap();
        sessions.open(&other, &used_token(now)).await.unwrap();
        let unreadable =
            |result: Result<Option<_>, StoreError>| matches!(result, Err(StoreError::Unreadable { .. }));

        // Between attributes of one item.
        let intent = intent(&one, 1, now);
        enrollments
            .begin(&intent, CardCount::default(), 0)
            .await
            .unwrap()
            .unwrap();
        let item = world.item(&world.tables.enrollments, "intent#").await;
        let mut swapped = item.clone();
        swapped.insert("customer".into(), item["bank_customer_number"].clone());
        swapped.insert("bank_customer_number".into(), item["customer"].clone());
        world.put(&world.tables.enrollments, swapped).await;
        assert!(matches!(
            enrollments.intent(intent.id).await,
            Err(StoreError::Unreadable { .. })
        ));
        world.put(&world.tables.enrollments, item).await;
        assert!(enrollments.intent(intent.id).await.is_ok());

        // Between items.
        let key = |session: &enrollment::session::Session| format!("session#{}", session.id.to_hex());
        let first = world.item(&world.tables.sessions, &key(&one)).await;
        let mut second = world.item(&world.tables.sessions, &key(&other)).await;
        second.insert("customer".into(), first["customer"].clone());
        world.put(&world.tables.sessions, second).await;
        assert!(unreadable(sessions.find(other.id).await));

        // To another client.
        let mut taken = first.clone();
        taken.insert("client".into(), AttributeValue::S("other".into()));
        world.put(&world.tables.sessions, taken).await;
        assert!(unreadable(sessions.find(one.id).await));
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn newer_schema_is_refused_and_unknown_attribute_ignored() {
    on_every_engine(|world| async move {
        let vault = world.vault();
        let (sessions, enrollments) = (world.sessions(&vault), world.enrollments(&vault));
        let now = world.clock.now();
        let stored = session(now);
        sessions.open(&stored, &used_token(now)).await.unwrap();
        let mut item = world.item(&world.tables.sessions, "session#").await;
        item.insert("from_the_next_release".into(), AttributeValue::S("x".into()));
        world.put(&world.tables.sessions, item.clone()).await;
        assert_eq!(sessions.find(stored.id).await.unwrap().as_ref(), Some(&stored));
        item.insert("schema".into(), AttributeValue::N("2".into()));
        world.put(&world.tables.sessions, item).await;
        assert!(matches!(
            sessions.find(stored.id).await,
            Err(StoreError::Unreadable { .. })
        ));
        let begun = enrollments
            .begin(&intent(&stored, 1, now), CardCount::default(), 0)
            .await
            .unwrap();
        assert_eq!(begun, Err(BeginError::SessionBusy), "nor is it written");
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn a_warm_enrollment_asks_kms_for_nothing() {
    on_every_engine(|world| async move {
        let kms = Arc::new(CountingWrapper {
            kms: local_kms().await,
            calls: AtomicUsize::new(0),
        });
        let vault = world.vault_over(Arc::clone(&kms) as Arc<dyn KeyWrapper>);
        let (sessions, enrollments) = (world.sessions(&vault), world.enrollments(&vault));
        let mut calls = Vec::new();
        for _ in 0..3 {
            let now = world.clock.now();
            let session = session(now);
            sessions.open(&session, &used_token(now)).await.unwrap();
            let mut intent = intent(&session, 1, now);
            let count = enrollments
                .card_count(&client_id(), &program_id(), &customer_id())
                .await
                .unwrap();
            enrollments.begin(&intent, count, 0).await.unwrap().unwrap();
            intent.conclude(Conclusion::enrolled(
                ActionCode::Enroll,
                Ranac::parse(RANAC).unwrap(),
                None,
                now,
            ));
            enrollments.finish(&intent).await.unwrap();
            sessions.find(session.id).await.unwrap().unwrap();
            enrollments.intent(intent.id).await.unwrap().unwrap();
            calls.push(kms.calls.load(Ordering::SeqCst));
        }
        assert_eq!(calls, [4, 4, 4], "one for each purpose, once");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn processes_that_start_together_agree_on_one_key() {
    on_every_engine(|world| async move {
        let seals: Vec<_> = (0..6)
            .map(|_| {
                let vault = world.vault();
                tokio::spawn(async move {
                    let sealed = vault
                        .seal(&client_id(), Purpose::Session, PLACE, b"maria-7")
                        .await
                        .unwrap();
                    (vault, sealed)
                })
            })
            .collect();
        let mut sealed = Vec::new();
        for seal in seals {
            sealed.push(seal.await.unwrap());
        }
        assert_eq!(world.scan(&world.tables.keys).await.len(), 1);
        for (vault, _) in &sealed {
            for (_, bytes) in &sealed {
                let opened = vault
                    .open(&client_id(), Purpose::Session, PLACE, bytes)
                    .await
                    .unwrap();
                assert_eq!(&**opened, b"maria-7");
            }
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn wrapped_key_of_another_purpose_does_not_unwrap() {
    on_every_engine(|world| async move {
        let vault = world.vault();
        let sealed = vault
            .seal(&client_id(), Purpose::Session, PLACE, b"x")
            .await
            .unwrap();
        let mut item = world.item(&world.tables.keys, "key#").await;
        let moved = item["pk"].as_s().unwrap().replace("#session#", "#enrollment#");
        item.insert("pk".into(), AttributeValue::S(moved));
        world.put(&world.tables.keys, item).await;
        let opened = world
            .vault()
            .open(&client_id(), Purpose::Enrollment, PLACE, &sealed)
            .await;
        assert!(matches!(opened.unwrap_err(), VaultError::DamagedKey(_)));
    })
    .await;
}

//! Life-cycle records of enrolled cards, and used tokens.

#![expect(missing_docs, reason = "the name of a case says what it shows")]

use enrollment::batch::{
    BatchId, ExternalBatchId, ExternalCardId, ExternalConsumerId, FlowId, SrcConsumerId, SrcDigitalCardId,
};
use enrollment::clock::Clock as _;
use enrollment::digital_card::{DELETION_LEASE, DigitalCard, DigitalCardKey, DigitalCardState, SupersededId};
use enrollment::ports::Put;
use enrollment::session::UsedToken;
use jiff::Timestamp;

use super::steps::{HOUR, SECOND};
use crate::batch_fixture::BatchFixture;
use crate::batch_stores::BatchBackend;

/// A card as a batch of this moment enrolls it.
fn card(fixture: &BatchFixture, batch: &str, card: &str) -> DigitalCard {
    let now = fixture.clock.now();
    let external_id = ExternalBatchId::parse(batch).unwrap();
    DigitalCard {
        client: fixture.client.clone(),
        card: ExternalCardId::parse(card).unwrap(),
        consumer: ExternalConsumerId::parse("consumer-1").unwrap(),
        src_digital_card: SrcDigitalCardId::parse(&format!("{batch}-{card}")).unwrap(),
        src_consumer: SrcConsumerId::parse("src-consumer").ok(),
        src_client_id: "bank-src".into(),
        service_id: "SRC".into(),
        flow: FlowId::parse("flow").ok(),
        batch: BatchId::derive(&fixture.client, &external_id),
        batch_accepted_at: now,
        enrolled_at: now,
        state: DigitalCardState::Enrolled,
        superseded: Vec::new(),
    }
}

async fn request(fixture: &BatchFixture, card: &DigitalCard) -> DigitalCardKey {
    let now = fixture.clock.now();
    let cards = &fixture.stores.digital_cards;
    let requested = cards
        .request_deletion(&fixture.client, &card.card, now)
        .await
        .unwrap();
    let (key, stored) = requested.expect("the card is stored");
    assert_eq!(
        stored.state,
        DigitalCardState::DeletionPending { requested_at: now }
    );
    key
}

async fn acquire(fixture: &BatchFixture, key: &DigitalCardKey) -> Option<(DigitalCard, Timestamp)> {
    let now = fixture.clock.now();
    let lease = now + DELETION_LEASE;
    let acquired = fixture
        .stores
        .digital_cards
        .acquire(key, now, lease)
        .await
        .unwrap();
    acquired.map(|card| (card, lease))
}

pub async fn card_is_read_as_it_was_recorded(backend: &dyn BatchBackend) {
    let fixture = BatchFixture::new(backend).await;
    let whole = card(&fixture, "a", "card-1");
    let bare = DigitalCard {
        src_consumer: None,
        flow: None,
        ..card(&fixture, "a", "card-2")
    };
    let cards = &fixture.stores.digital_cards;
    for _ in 0..2 {
        cards.record(&[whole.clone(), bare.clone()]).await.unwrap();
        assert_eq!(fixture.card("card-1").await, Some(whole.clone()));
        assert_eq!(fixture.card("card-2").await, Some(bare.clone()));
    }
    assert_eq!(fixture.card("card-3").await, None);
    let mut listed = cards.cards_of(&fixture.client, &whole.consumer).await.unwrap();
    listed.sort_by(|a, b| a.card.cmp(&b.card));
    assert_eq!(listed, [whole, bare]);
}

pub async fn later_batch_replaces_the_record(backend: &dyn BatchBackend) {
    let fixture = BatchFixture::new(backend).await;
    let earlier = card(&fixture, "a", "card-1");
    fixture.clock.advance(SECOND);
    let mut later = card(&fixture, "b", "card-1");
    later.consumer = ExternalConsumerId::parse("consumer-2").unwrap();
    let cards = &fixture.stores.digital_cards;
    for (recorded, expected) in [(&earlier, &earlier), (&later, &later), (&earlier, &later)] {
        cards.record(std::slice::from_ref(recorded)).await.unwrap();
        assert_eq!(fixture.card("card-1").await.as_ref(), Some(expected));
    }
    assert_eq!(
        cards.cards_of(&fixture.client, &earlier.consumer).await.unwrap(),
        []
    );
    let listed = cards.cards_of(&fixture.client, &later.consumer).await.unwrap();
    assert_eq!(listed, [later]);
}

pub async fn deletion_is_requested_once(backend: &dyn BatchBackend) {
    let fixture = BatchFixture::new(backend).await;
    let card = card(&fixture, "a", "card-1");
    let cards = &fixture.stores.digital_cards;
    let now = fixture.clock.now();
    assert_eq!(
        cards
            .request_deletion(&fixture.client, &card.card, now)
            .await
            .unwrap(),
        None
    );
    cards.record(std::slice::from_ref(&card)).await.unwrap();
    assert_eq!(cards.due_deletions(Timestamp::MAX, 10).await.unwrap(), []);
    let key = request(&fixture, &card).await;
    fixture.clock.advance(HOUR);
    let again = cards
        .request_deletion(&fixture.client, &card.card, fixture.clock.now())
        .await
        .unwrap();
    let pending = DigitalCardState::DeletionPending { requested_at: now };
    assert_eq!(
        again.map(|(key, card)| (key, card.state)),
        Some((key.clone(), pending))
    );
    let due = cards.due_deletions(fixture.clock.now(), 10).await.unwrap();
    assert_eq!(due.len(), 1);
    assert_eq!(
        (&due[0].key, due[0].requested_at, due[0].due_at),
        (&key, now, now)
    );
}

pub async fn deletion_has_one_lease_holder(backend: &dyn BatchBackend) {
    let fixture = BatchFixture::new(backend).await;
    let card = card(&fixture, "a", "card-1");
    let cards = &fixture.stores.digital_cards;
    cards.record(std::slice::from_ref(&card)).await.unwrap();
    let key = request(&fixture, &card).await;
    let (mut deleted, lease) = acquire(&fixture, &key).await.expect("it is due");
    assert_eq!(acquire(&fixture, &key).await, None);
    fixture.clock.advance(DELETION_LEASE);
    let (_, second) = acquire(&fixture, &key).await.expect("the lease has ended");
    let at = fixture.clock.now();
    deleted.state = DigitalCardState::Deleted { at };
    assert!(
        !cards.update(&deleted, lease, at).await.unwrap(),
        "another has it"
    );
    assert!(cards.update(&deleted, second, at).await.unwrap());
    assert_eq!(fixture.card("card-1").await.unwrap().state, deleted.state);
    assert_eq!(cards.due_deletions(Timestamp::MAX, 10).await.unwrap(), []);
    let repeated = cards
        .request_deletion(&fixture.client, &card.card, at)
        .await
        .unwrap();
    assert_eq!(repeated.unwrap().1.state, deleted.state, "deleted it stays");
}

pub async fn superseded_id_keeps_its_age(backend: &dyn BatchBackend) {
    let fixture = BatchFixture::new(backend).await;
    let cards = &fixture.stores.digital_cards;
    let first = card(&fixture, "a", "card-1");
    cards.record(std::slice::from_ref(&first)).await.unwrap();
    request(&fixture, &first).await;
    fixture.clock.advance(HOUR);
    let later = card(&fixture, "b", "card-1");
    cards.record(std::slice::from_ref(&later)).await.unwrap();
    let due = cards.due_deletions(Timestamp::MAX, 10).await.unwrap();
    let (stored, lease) = acquire(&fixture, &due[0].key).await.expect("it is due");
    let next = fixture.clock.now() + HOUR;
    assert!(cards.update(&stored, lease, next).await.unwrap());
    let due = cards.due_deletions(Timestamp::MAX, 10).await.unwrap();
    assert_eq!((due[0].requested_at, due[0].due_at), (later.enrolled_at, next));
}

pub async fn failed_deletion_is_due_later(backend: &dyn BatchBackend) {
    let fixture = BatchFixture::new(backend).await;
    let card = card(&fixture, "a", "card-1");
    let cards = &fixture.stores.digital_cards;
    cards.record(std::slice::from_ref(&card)).await.unwrap();
    let key = request(&fixture, &card).await;
    let (pending, lease) = acquire(&fixture, &key).await.unwrap();
    let next = fixture.clock.now() + HOUR;
    assert!(cards.update(&pending, lease, next).await.unwrap());
    assert_eq!(acquire(&fixture, &key).await, None);
    fixture.clock.advance(HOUR);
    let (again, _) = acquire(&fixture, &key).await.expect("it is due");
    assert_eq!(again, pending);
}

pub async fn success_during_a_deletion_keeps_the_old_id_due(backend: &dyn BatchBackend) {
    let fixture = BatchFixture::new(backend).await;
    let earlier = DigitalCard {
        flow: FlowId::parse("flow-of-a").ok(),
        ..card(&fixture, "a", "card-1")
    };
    let cards = &fixture.stores.digital_cards;
    cards.record(std::slice::from_ref(&earlier)).await.unwrap();
    let key = request(&fixture, &earlier).await;
    let (mut deleted, lease) = acquire(&fixture, &key).await.unwrap();
    fixture.clock.advance(SECOND);
    let later = DigitalCard {
        flow: FlowId::parse("flow-of-b").ok(),
        ..card(&fixture, "b", "card-1")
    };
    cards.record(std::slice::from_ref(&later)).await.unwrap();
    let expected = DigitalCard {
        superseded: vec![SupersededId {
            id: earlier.src_digital_card.clone(),
            flow: earlier.flow.clone(),
        }],
        ..later.clone()
    };
    assert_eq!(expected.flow_of(&earlier.src_digital_card), earlier.flow.as_ref());
    assert_eq!(expected.flow_of(&later.src_digital_card), later.flow.as_ref());
    assert_eq!(fixture.card("card-1").await, Some(expected.clone()));
    deleted.state = DigitalCardState::Deleted {
        at: fixture.clock.now(),
    };
    let now = fixture.clock.now();
    assert!(
        !cards.update(&deleted, lease, now).await.unwrap(),
        "another batch enrolled it"
    );
    let (mut card, lease) = acquire(&fixture, &key).await.expect("the old id is due");
    assert_eq!(card, expected);
    card.superseded.clear();
    assert!(cards.update(&card, lease, now).await.unwrap());
    assert_eq!(fixture.card("card-1").await, Some(later));
    assert_eq!(cards.due_deletions(Timestamp::MAX, 10).await.unwrap(), []);
}

pub async fn deleted_card_is_listed_and_removed(backend: &dyn BatchBackend) {
    let fixture = BatchFixture::new(backend).await;
    let cards = &fixture.stores.digital_cards;
    let mut keys = Vec::new();
    for name in ["card-1", "card-2", "card-3"] {
        let card = card(&fixture, "a", name);
        cards.record(std::slice::from_ref(&card)).await.unwrap();
        let key = request(&fixture, &card).await;
        let (mut deleted, lease) = acquire(&fixture, &key).await.unwrap();
        let at = fixture.clock.now();
        deleted.state = DigitalCardState::Deleted { at };
        assert!(cards.update(&deleted, lease, at).await.unwrap());
        keys.push(key);
        fixture.clock.advance(HOUR);
    }
    let enrolled = card(&fixture, "a", "card-4");
    cards.record(std::slice::from_ref(&enrolled)).await.unwrap();
    let until = fixture.clock.now() - HOUR * 2;
    let mut listed = Vec::new();
    let mut from = None;
    loop {
        let page = cards
            .deleted(&fixture.client, until, from.as_ref(), 1)
            .await
            .unwrap();
        listed.extend(page.entries);
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    listed.sort();
    let mut expected = keys[..2].to_vec();
    expected.sort();
    assert_eq!(listed, expected);
    assert!(!cards.remove(&keys[2], until).await.unwrap(), "deleted later");
    assert!(cards.remove(&keys[0], until).await.unwrap());
    assert!(!cards.remove(&keys[0], until).await.unwrap(), "not there");
    assert_eq!(fixture.card("card-1").await, None);
}

pub async fn erased_card_is_gone_in_any_state(backend: &dyn BatchBackend) {
    let fixture = BatchFixture::new(backend).await;
    let card = card(&fixture, "a", "card-1");
    let cards = &fixture.stores.digital_cards;
    cards.record(std::slice::from_ref(&card)).await.unwrap();
    request(&fixture, &card).await;
    assert!(cards.erase(&fixture.client, &card.card).await.unwrap());
    assert!(!cards.erase(&fixture.client, &card.card).await.unwrap());
    assert_eq!(fixture.card("card-1").await, None);
    assert_eq!(cards.due_deletions(Timestamp::MAX, 10).await.unwrap(), []);
}

pub async fn token_is_used_once(backend: &dyn BatchBackend) {
    let fixture = BatchFixture::new(backend).await;
    let token = |number: u8| UsedToken {
        digest: [number; 32],
        until: fixture.clock.now() + HOUR,
    };
    let tokens = &fixture.stores.used_tokens;
    assert_eq!(tokens.use_once(&token(1)).await.unwrap(), Put::Created);
    assert_eq!(tokens.use_once(&token(1)).await.unwrap(), Put::AlreadyExists);
    assert_eq!(tokens.use_once(&token(2)).await.unwrap(), Put::Created);
}

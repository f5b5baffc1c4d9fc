//! Records: what a purge finds and deletes, and what an operator does with them.

#![expect(missing_docs, reason = "the name of a case says what it shows")]

use enrollment::action::ActionCode;
use enrollment::clock::Clock as _;
use enrollment::identifiers::{CustomerId, IntentId};
use enrollment::intent::{CardState, Customer};
use enrollment::ports::{ConfirmationState, CustomerKey, Entry, Record, Removal};
use enrollment::status::Status;
use jiff::Timestamp;

use super::steps::{HOUR, SECOND, enroll};
use crate::fixture::Fixture;
use crate::scripted_mrs::EnrollmentAnswer;
use crate::stores::Backend;

async fn key(fixture: &Fixture) -> CustomerKey {
    let Fixture {
        client,
        program,
        customer,
        ..
    } = fixture;
    fixture
        .stores
        .customer_records
        .key(client, program, customer)
        .await
        .unwrap()
}

async fn record(fixture: &Fixture) -> Option<Record> {
    let key = key(fixture).await;
    fixture.stores.purges.record(&fixture.client, &key).await.unwrap()
}

async fn expired(fixture: &Fixture, until: Timestamp, limit: usize) -> Vec<CustomerKey> {
    let mut found = Vec::new();
    let mut from = None;
    loop {
        let page = fixture
            .stores
            .purges
            .expired(&fixture.client, &fixture.program, until, from.as_ref(), limit)
            .await
            .unwrap();
        found.extend(page.entries);
        from = page.next;
        if from.is_none() {
            return found;
        }
    }
}

async fn opt_out(fixture: &Fixture, card: IntentId) {
    let session = fixture.session_for(ActionCode::OptOut).await;
    let response = fixture.opt_out(&session, "out", card).await.unwrap();
    assert!(crate::fixtures::is_success(&response), "{response:?}");
}

pub async fn record_has_all_of_a_customer(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    assert_eq!(record(&fixture).await, None);
    let card = fixture.card().await;
    let read = record(&fixture).await.unwrap();
    assert_eq!((read.count.active, read.cards.len()), (1, 1));
    assert_eq!((read.cards[0].id, read.cards[0].state), (card, CardState::Active));
    assert_eq!(read.intents.len(), 1);
    assert_eq!(read.intents[0].status, Some(Status::SuccessEnrollment));
    assert!(read.intents[0].is_settled);
    assert_eq!((read.confirmations.len(), read.sessions.len()), (1, 1));
    assert_eq!(read.confirmations[0].card, Some(card));
    let outcome_at = fixture.clock.now();
    assert_eq!(read.confirmations[0].state, ConfirmationState::Due { outcome_at });
}

pub async fn cancelled_cards_are_listed_by_their_cancellation(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let card = fixture.card().await;
    let at = fixture.clock.now();
    assert_eq!(expired(&fixture, at, 4).await, []);
    opt_out(&fixture, card).await;
    let at = fixture.clock.now();
    assert_eq!(expired(&fixture, at - SECOND, 4).await, []);
    assert_eq!(expired(&fixture, at, 4).await, [key(&fixture).await]);
}

pub async fn cancelled_cards_are_listed_oldest_first_in_pages(backend: &dyn Backend) {
    let mut fixture = Fixture::new(backend).await;
    let mut keys = Vec::new();
    for customer in ["customer-c", "customer-a", "customer-b"] {
        fixture.customer = CustomerId::parse(customer).unwrap();
        let card = fixture.card().await;
        opt_out(&fixture, card).await;
        keys.push(key(&fixture).await);
        fixture.clock.advance(SECOND);
    }
    let at = fixture.clock.now();
    assert_eq!(expired(&fixture, at, 4).await, keys);
    // Pages of one customer for each shard are ordered within themselves only.
    let mut paged = expired(&fixture, at, 1).await;
    paged.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    keys.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(paged, keys);
}

pub async fn changed_record_is_not_deleted(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let card = fixture.card().await;
    opt_out(&fixture, card).await;
    let before = record(&fixture).await.unwrap();
    fixture.mrs.has_card(false);
    enroll(&fixture).await;
    fixture.clock.advance(HOUR * (30 * 24));
    let purges = &fixture.stores.purges;
    assert!(!purges.remove(&before, &Removal::Everything).await.unwrap());
    assert_eq!(fixture.customer().await.cards.len(), 2);
}

pub async fn changed_record_loses_no_card(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let card = fixture.card().await;
    opt_out(&fixture, card).await;
    fixture.clock.advance(HOUR * (30 * 24));
    let before = record(&fixture).await.unwrap();
    fixture.mrs.has_card(false);
    let second = enroll(&fixture).await;
    let purges = &fixture.stores.purges;
    let removal = Removal::Cards(vec![card]);
    assert!(!purges.remove(&before, &removal).await.unwrap());
    let left = fixture.customer().await.cards;
    assert_eq!(
        left.iter().map(|card| card.id).collect::<Vec<_>>(),
        [card, second]
    );
}

pub async fn removal_leaves_nothing(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let card = fixture.card().await;
    opt_out(&fixture, card).await;
    fixture.clock.advance(HOUR * (30 * 24));
    let read = record(&fixture).await.unwrap();
    let purges = &fixture.stores.purges;
    assert!(purges.remove(&read, &Removal::Everything).await.unwrap());
    assert_eq!(record(&fixture).await, None);
    assert_eq!(fixture.customer().await, Customer::default());
    assert_eq!(fixture.confirmations().await.len(), 0);
    let at = fixture.clock.now();
    assert_eq!(expired(&fixture, at, 4).await, []);
}

pub async fn due_confirmation_stops_a_purge_and_no_erasure(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let card = fixture.card().await;
    opt_out(&fixture, card).await;
    let read = record(&fixture).await.unwrap();
    let purges = &fixture.stores.purges;
    assert!(!purges.remove(&read, &Removal::Everything).await.unwrap());
    assert!(record(&fixture).await.is_some());
    assert!(purges.remove(&read, &Removal::Erasure).await.unwrap());
    assert_eq!(record(&fixture).await, None);
}

pub async fn one_card_is_deleted_with_its_intents(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let first = fixture.card().await;
    opt_out(&fixture, first).await;
    fixture.mrs.has_card(false);
    let second = enroll(&fixture).await;
    fixture.clock.advance(HOUR * (30 * 24));
    let read = record(&fixture).await.unwrap();
    let removal = Removal::Cards(vec![first]);
    assert!(fixture.stores.purges.remove(&read, &removal).await.unwrap());
    let left = record(&fixture).await.unwrap();
    assert_eq!(
        left.cards.iter().map(|card| card.id).collect::<Vec<_>>(),
        [second]
    );
    assert_eq!(
        left.intents.iter().map(|intent| intent.id).collect::<Vec<_>>(),
        [second]
    );
    assert_eq!(left.confirmations.len(), 1);
    let active = Removal::Cards(vec![second]);
    let left = record(&fixture).await.unwrap();
    assert!(
        !fixture.stores.purges.remove(&left, &active).await.unwrap(),
        "it is active"
    );
}

pub async fn operator_lists_customers_and_failed_intents(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    fixture.card().await;
    fixture.mrs.answers_enrollment(EnrollmentAnswer::Declined(-52));
    let session = fixture.session().await;
    fixture.submit(&session, "a").await.unwrap();
    let failed = fixture.intent(&session, "a").await.id;
    let mut entries = Vec::new();
    let mut from = None;
    loop {
        let page = fixture
            .stores
            .customer_records
            .entries(&fixture.client, from.as_ref())
            .await
            .unwrap();
        entries.extend(page.entries);
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    assert_eq!(entries.len(), 2, "{entries:?}");
    assert!(entries.contains(&Entry::Failed(failed)));
    let customer = Entry::Customer(fixture.program.clone(), key(&fixture).await);
    assert!(entries.contains(&customer), "{entries:?}");
}

pub async fn operator_marks_an_active_card_cancelled_once(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let card = fixture.card().await;
    let key = key(&fixture).await;
    let before = fixture
        .stores
        .customer_records
        .by_key(&fixture.client, &key)
        .await
        .unwrap();
    assert_eq!(before, fixture.customer().await);
    let at = fixture.clock.now();
    let customer = (&fixture.client, &fixture.program, &key);
    for expected in [true, false] {
        let marked = fixture
            .stores
            .customer_records
            .mark_cancelled(customer, &before.cards[0], 30, at)
            .await;
        assert_eq!(marked.unwrap(), expected);
        assert_eq!(fixture.state_of(card).await, CardState::Cancelled { at });
    }
    let count = fixture.customer().await.count;
    assert_eq!((count.active, count.kept_until), (0, Some(at + HOUR * (37 * 24))));
    assert_eq!(expired(&fixture, at, 4).await, [key]);
}

pub async fn operator_corrects_the_last_four_digits(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let card = fixture.card().await;
    let key = key(&fixture).await;
    let last4 = enrollment::identifiers::Last4::parse("4321").unwrap();
    fixture
        .stores
        .customer_records
        .set_last4(&key, card, last4)
        .await
        .unwrap();
    assert_eq!(fixture.customer().await.cards[0].last4, last4);
}

pub async fn longer_retention_moves_the_time_to_live(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let card = fixture.card().await;
    opt_out(&fixture, card).await;
    let at = fixture.clock.now();
    let until = at + HOUR;
    let purges = &fixture.stores.purges;
    let refreshed = purges
        .refresh_ttls(&fixture.client, &fixture.program, 90, until)
        .await;
    assert!(refreshed.unwrap());
    let kept_until = fixture.customer().await.count.kept_until;
    assert_eq!(kept_until, Some(at + HOUR * (97 * 24)));
    fixture.clock.advance(HOUR * (90 * 24));
    assert_eq!(fixture.state_of(card).await, CardState::Cancelled { at });
    let too_late = purges
        .refresh_ttls(&fixture.client, &fixture.program, 90, at)
        .await;
    assert!(!too_late.unwrap());
}

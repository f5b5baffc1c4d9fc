//! Confirmations to send, and the state of their receivers.

#![expect(missing_docs, reason = "the name of a case says what it shows")]

use enrollment::clock::Clock as _;
use enrollment::confirmation::ConfirmationId;
use enrollment::delivery::{Destination, LEASE, Parked};
use enrollment::ports::{Claim, ClaimWrite};
use enrollment::status::Status;
use jiff::Timestamp;

use super::steps::{HOUR, SECOND};
use crate::fixture::Fixture;
use crate::stores::Backend;

/// A fixture with one due confirmation.
async fn with_one(backend: &dyn Backend) -> (Fixture, ConfirmationId) {
    let fixture = Fixture::new(backend).await;
    let card = fixture.card().await;
    (fixture, ConfirmationId::derive(card, Status::SuccessEnrollment))
}

async fn claim(fixture: &Fixture, id: &ConfirmationId) -> Option<Claim> {
    let now = fixture.clock.now();
    fixture
        .stores
        .confirmations
        .claim(id, now, now + LEASE)
        .await
        .unwrap()
}

async fn due(fixture: &Fixture, now: Timestamp) -> Vec<ConfirmationId> {
    let due = fixture.stores.confirmations.due(now, 10).await.unwrap();
    due.into_iter().map(|due| due.id).collect()
}

pub async fn claim_excludes_others_until_it_ends(backend: &dyn Backend) {
    let (fixture, id) = with_one(backend).await;
    let first = claim(&fixture, &id).await.unwrap();
    assert_eq!((first.attempt, first.claimed_at()), (1, fixture.clock.now()));
    assert!(first.confirmation.body.contains("SUCCESS_ENROLLMENT"));
    assert_eq!(claim(&fixture, &id).await, None);
    assert_eq!(due(&fixture, fixture.clock.now()).await, []);
    fixture.clock.advance(LEASE);
    assert_eq!(
        due(&fixture, fixture.clock.now()).await,
        std::slice::from_ref(&id)
    );
    let second = claim(&fixture, &id).await.unwrap();
    assert_eq!(second.attempt, 2);
    assert_ne!(second.ticket, first.ticket);
    let confirmations = &fixture.stores.confirmations;
    let at = fixture.clock.now();
    assert_eq!(
        confirmations.delivered(&first, at).await.unwrap(),
        ClaimWrite::ClaimLost
    );
    assert_eq!(
        confirmations.delivered(&second, at).await.unwrap(),
        ClaimWrite::Stored
    );
    assert_eq!(
        confirmations.delivered(&second, at).await.unwrap(),
        ClaimWrite::Stored,
        "a call whose answer was lost is repeated"
    );
    fixture.clock.advance(HOUR);
    assert_eq!(claim(&fixture, &id).await, None);
    assert_eq!(fixture.confirmations().await.len(), 0, "the body is deleted");
}

pub async fn retry_is_due_later_and_counts(backend: &dyn Backend) {
    let (fixture, id) = with_one(backend).await;
    let taken = claim(&fixture, &id).await.unwrap();
    let next = fixture.clock.now() + HOUR;
    let confirmations = &fixture.stores.confirmations;
    let written = confirmations.retry(&taken, next, "http_500").await.unwrap();
    assert_eq!(written, ClaimWrite::Stored);
    assert_eq!(due(&fixture, next - SECOND).await, []);
    assert_eq!(due(&fixture, next).await, std::slice::from_ref(&id));
    fixture.clock.advance_to(next);
    let again = claim(&fixture, &id).await.unwrap();
    assert_eq!((again.attempt, again.waiting_since), (2, taken.waiting_since));
}

pub async fn wait_counts_no_attempt(backend: &dyn Backend) {
    let (fixture, id) = with_one(backend).await;
    let taken = claim(&fixture, &id).await.unwrap();
    let next = fixture.clock.now() + HOUR;
    let written = fixture.stores.confirmations.wait(&taken, next).await.unwrap();
    assert_eq!(written, ClaimWrite::Stored);
    fixture.clock.advance_to(next);
    assert_eq!(claim(&fixture, &id).await.unwrap().attempt, 1);
}

pub async fn parked_confirmation_is_not_due(backend: &dyn Backend) {
    let (fixture, id) = with_one(backend).await;
    let taken = claim(&fixture, &id).await.unwrap();
    let at = fixture.clock.now();
    let confirmations = &fixture.stores.confirmations;
    let parked = confirmations
        .park(&taken, Parked::Gone, Some("http_410"), at)
        .await;
    assert_eq!(parked.unwrap(), ClaimWrite::Stored);
    fixture.clock.advance(HOUR * 24);
    assert_eq!(due(&fixture, fixture.clock.now()).await, []);
    assert_eq!(claim(&fixture, &id).await, None);
}

pub async fn state_of_a_receiver_is_written_over_its_version(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let confirmations = &fixture.stores.confirmations;
    let client = fixture.client.clone();
    let read = async || {
        confirmations
            .destination(&client, "bank.example:443")
            .await
            .unwrap()
    };
    assert_eq!(read().await, Destination::default());
    let closed = Destination {
        failures: 5,
        closed_until: Some(fixture.clock.now() + HOUR),
        ..Destination::default()
    };
    let write = async |state: &Destination| {
        let written = confirmations
            .update_destination(&client, "bank.example:443", state)
            .await;
        written.unwrap()
    };
    assert!(write(&closed).await);
    let stored = read().await;
    assert_eq!((stored.failures, stored.closed_until), (5, closed.closed_until));
    assert_ne!(stored.version, 0);
    assert!(!write(&closed).await, "another run was first");
    assert!(write(&stored).await);
    let other = confirmations
        .destination(&client, "bank.example:8443")
        .await
        .unwrap();
    assert_eq!(other, Destination::default());
    fixture.clock.advance(HOUR * (31 * 24));
    let forgotten = read().await;
    assert_eq!((forgotten.failures, forgotten.closed_until), (0, None));
    assert!(write(&forgotten).await);
}

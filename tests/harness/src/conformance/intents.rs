//! Intents: begun, acquired, ended, cleaned up; and the customers that they change.

#![expect(missing_docs, reason = "the name of a case says what it shows")]

use enrollment::action::ActionCode;
use enrollment::clock::Clock as _;
use enrollment::identifiers::{IntentId, Ranac};
use enrollment::intent::{CardCount, CardState, Conclusion, Intent};
use enrollment::ports::{BeginError, Put, Reschedule};
use enrollment::status::{MrsCode, Status};
use jiff::Timestamp;

use super::steps::{HOUR, SECOND, begin, count, enroll, ranac, unsaved};
use crate::fixture::Fixture;
use crate::stores::Backend;

fn ended(intent: &Intent, conclusion: Conclusion) -> Intent {
    let mut intent = intent.clone();
    intent.conclude(conclusion);
    intent
}

fn reschedule(next: Timestamp) -> Reschedule {
    Reschedule {
        next,
        unanswered_at: None,
        unknown_since: None,
    }
}

async fn read(fixture: &Fixture, id: IntentId) -> Option<Intent> {
    fixture.stores.intents.intent(id).await.unwrap()
}

async fn due(fixture: &Fixture) -> Vec<IntentId> {
    let due = fixture
        .stores
        .due_intents
        .due_intents(fixture.clock.now(), 100)
        .await
        .unwrap();
    due.into_iter().map(|due| due.id).collect()
}

pub async fn begun_intent_is_read_as_it_was_stored(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let token = fixture.session().await;
    let intent = unsaved(&fixture, &token, None).await;
    assert_eq!(begin(&fixture, &intent).await, Ok(Put::Created));
    let stored = read(&fixture, intent.id).await.unwrap();
    assert_eq!(stored.bank_customer_number, intent.bank_customer_number);
    assert_eq!(
        (stored.fingerprint, stored.created_at),
        (intent.fingerprint, intent.created_at)
    );
    assert_eq!(
        (&stored.incident, &stored.customer),
        (&intent.incident, &intent.customer)
    );
    assert_eq!((stored.outcome(), &stored.old_card), (None, &None));
    let session = fixture.stored_session(&token).await;
    assert_eq!(
        (session.open_attempt, session.last_attempt),
        (Some(intent.id), Some(intent.id))
    );
    let CardCount {
        active,
        pending,
        changing,
        version,
        ..
    } = count(&fixture).await;
    assert_eq!((active, pending, changing, version), (0, 1, 0, 1));
}

pub async fn repeated_begin_changes_nothing(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let token = fixture.session().await;
    let intent = unsaved(&fixture, &token, None).await;
    begin(&fixture, &intent).await.unwrap();
    let before = count(&fixture).await;
    assert_eq!(begin(&fixture, &intent).await, Ok(Put::AlreadyExists));
    assert_eq!(count(&fixture).await, before);
}

pub async fn session_begins_one_intent_at_a_time(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let token = fixture.session().await;
    let first = unsaved(&fixture, &token, None).await;
    begin(&fixture, &first).await.unwrap();
    let second = Intent {
        id: IntentId::derive(first.session, &crate::fixtures::idempotency_key("second")),
        ..first.clone()
    };
    assert_eq!(begin(&fixture, &second).await, Err(BeginError::SessionBusy));
    let at = fixture.clock.now();
    let declined = Conclusion::declined(ActionCode::Enroll, MrsCode(-52), at);
    let first = ended(&first, declined);
    assert_eq!(fixture.stores.intents.finish(&first).await.unwrap(), Put::Created);
    assert_eq!(
        begin(&fixture, &second).await,
        Err(BeginError::SessionBusy),
        "the session has failed once by now"
    );
    let begun = fixture
        .stores
        .intents
        .begin(&second, count(&fixture).await, 1)
        .await;
    assert_eq!(begun.unwrap(), Ok(Put::Created));
}

pub async fn expired_session_begins_nothing(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let token = fixture.session().await;
    let intent = unsaved(&fixture, &token, None).await;
    let late = Intent {
        created_at: fixture.stored_session(&token).await.expires_at,
        ..intent
    };
    assert_eq!(begin(&fixture, &late).await, Err(BeginError::SessionBusy));
    assert_eq!(read(&fixture, late.id).await, None);
}

pub async fn stale_count_begins_nothing(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let stale = count(&fixture).await;
    enroll(&fixture).await;
    let token = fixture.session().await;
    let intent = unsaved(&fixture, &token, None).await;
    let begun = fixture.stores.intents.begin(&intent, stale, 0).await.unwrap();
    assert_eq!(begun, Err(BeginError::CustomerChanged));
    assert_eq!(read(&fixture, intent.id).await, None);
    assert_eq!(fixture.stored_session(&token).await.open_attempt, None);
}

pub async fn card_is_locked_by_one_intent(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let card = enroll(&fixture).await;
    let first = fixture.session_for(ActionCode::OptOut).await;
    let opt_out = unsaved(&fixture, &first, Some(card)).await;
    let second = fixture.session_for(ActionCode::Replace).await;
    let replacement = unsaved(&fixture, &second, Some(card)).await;
    assert_eq!(begin(&fixture, &opt_out).await, Ok(Put::Created));
    assert_eq!(fixture.state_of(card).await, CardState::Locked);
    assert_eq!(begin(&fixture, &replacement).await, Err(BeginError::CardTaken));
    assert_eq!(count(&fixture).await.changing, 1);

    let at = fixture.clock.now();
    let declined = Conclusion::declined(ActionCode::OptOut, MrsCode(-10), at);
    fixture
        .stores
        .intents
        .finish(&ended(&opt_out, declined))
        .await
        .unwrap();
    assert_eq!(fixture.state_of(card).await, CardState::Active);
    assert_eq!(count(&fixture).await.changing, 0);
    assert_eq!(begin(&fixture, &replacement).await, Ok(Put::Created));
}

pub async fn first_outcome_stands(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let token = fixture.session().await;
    let intent = unsaved(&fixture, &token, None).await;
    begin(&fixture, &intent).await.unwrap();
    let at = fixture.clock.now();
    let success = ended(
        &intent,
        Conclusion::enrolled(ActionCode::Enroll, ranac(1), None, at),
    );
    let failure = ended(&intent, Conclusion::undetermined(ActionCode::Enroll, at));
    assert_eq!(
        fixture.stores.intents.finish(&success).await.unwrap(),
        Put::Created
    );
    assert_eq!(
        fixture.stores.intents.finish(&failure).await.unwrap(),
        Put::AlreadyExists
    );
    let stored = read(&fixture, intent.id).await.unwrap();
    assert_eq!(stored.outcome().unwrap().status, Status::SuccessEnrollment);
    let customer = fixture.customer().await;
    assert_eq!(customer.cards.len(), 1);
    assert_eq!(customer.cards[0].ranac, ranac(1));
    assert_eq!((customer.count.active, customer.count.pending), (1, 0));
    assert_eq!(customer.count.kept_until, None);
    let session = fixture.stored_session(&token).await;
    assert_eq!(
        (session.finished, session.failures, session.open_attempt),
        (true, 0, None)
    );
    assert_eq!(fixture.confirmations().await.len(), 1);
    assert_eq!(due(&fixture).await, []);
}

pub async fn failure_is_counted_and_kept_for_a_week(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let token = fixture.session().await;
    let intent = unsaved(&fixture, &token, None).await;
    begin(&fixture, &intent).await.unwrap();
    let at = fixture.clock.now();
    let failed = ended(
        &intent,
        Conclusion::declined(ActionCode::Enroll, MrsCode(-45), at),
    );
    fixture.stores.intents.finish(&failed).await.unwrap();
    let session = fixture.stored_session(&token).await;
    assert_eq!(
        (session.finished, session.failures, session.open_attempt),
        (false, 1, None)
    );
    let count = count(&fixture).await;
    assert_eq!((count.active, count.pending), (0, 0));
    assert!(count.kept_until.is_some());
    fixture.clock.advance(HOUR * (7 * 24) - SECOND);
    assert!(read(&fixture, intent.id).await.is_some());
    fixture.clock.advance(SECOND);
    assert_eq!(read(&fixture, intent.id).await, None);
}

pub async fn intent_without_an_outcome_is_not_ended(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let token = fixture.session().await;
    let intent = unsaved(&fixture, &token, None).await;
    assert!(fixture.stores.intents.finish(&intent).await.is_err());
    let at = fixture.clock.now();
    let never_begun = ended(
        &intent,
        Conclusion::enrolled(ActionCode::Enroll, ranac(1), None, at),
    );
    assert!(fixture.stores.intents.finish(&never_begun).await.is_err());
    assert_eq!(fixture.customer().await.cards, []);
}

pub async fn lease_excludes_others_until_it_ends(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let token = fixture.session().await;
    let intent = unsaved(&fixture, &token, None).await;
    begin(&fixture, &intent).await.unwrap();
    let leases = &fixture.stores.leases;
    let until = |now: Timestamp| now + SECOND * 30;
    let now = fixture.clock.now();
    assert_eq!(
        leases.acquire(intent.id, now, until(now)).await.unwrap(),
        None,
        "whoever began it"
    );
    fixture.clock.advance(SECOND * 30);
    let now = fixture.clock.now();
    let acquired = leases.acquire(intent.id, now, until(now)).await.unwrap().unwrap();
    assert_eq!(
        acquired.inquiry.unanswered_at,
        Some(intent.created_at),
        "as it was before"
    );
    assert_eq!(leases.acquire(intent.id, now, until(now)).await.unwrap(), None);
    let during = read(&fixture, intent.id).await.unwrap();
    assert_eq!(
        during.inquiry.unanswered_at,
        Some(now),
        "a call of unknown outcome"
    );

    let next = now + SECOND * 40;
    assert!(
        !leases.release(intent.id, now, reschedule(next)).await.unwrap(),
        "another lease"
    );
    assert!(
        leases
            .release(intent.id, until(now), reschedule(next))
            .await
            .unwrap()
    );
    assert_eq!(
        read(&fixture, intent.id).await.unwrap().inquiry.unanswered_at,
        None
    );
    assert_eq!(
        leases.acquire(intent.id, now, until(now)).await.unwrap(),
        None,
        "not due yet"
    );
    fixture.clock.advance_to(next);
    assert_eq!(due(&fixture).await, [intent.id]);
    assert!(
        leases
            .acquire(intent.id, next, until(next))
            .await
            .unwrap()
            .is_some()
    );
}

pub async fn due_intents_come_oldest_first(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let mut begun = Vec::new();
    for _ in 0..5 {
        let token = fixture.session().await;
        let intent = unsaved(&fixture, &token, None).await;
        assert_eq!(begin(&fixture, &intent).await, Ok(Put::Created));
        begun.push(intent.id);
        fixture.clock.advance(SECOND);
    }
    assert_eq!(due(&fixture).await, begun);
    let due_intents = &fixture.stores.due_intents;
    let now = fixture.clock.now();
    let first = due_intents.due_intents(now, 2).await.unwrap();
    assert_eq!(first.iter().map(|due| due.id).collect::<Vec<_>>(), begun[..2]);
    assert!(first[0].is_open);
    due_intents.reschedule(begun[0], now + SECOND).await.unwrap();
    assert_eq!(due(&fixture).await, begun[1..]);
    fixture.clock.advance(SECOND);
    assert_eq!(due(&fixture).await.last(), Some(&begun[0]));
}

pub async fn listed_ranacs_are_noted_while_an_intent_is_open(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let token = fixture.session().await;
    let intent = unsaved(&fixture, &token, None).await;
    begin(&fixture, &intent).await.unwrap();
    let leases = &fixture.stores.leases;
    leases
        .record_present(&intent, &[ranac(1), ranac(2)])
        .await
        .unwrap();
    let noted = read(&fixture, intent.id).await.unwrap().inquiry.present_before;
    assert_eq!(noted, Some(vec![ranac(1), ranac(2)]));
    let at = fixture.clock.now();
    let ended = ended(
        &intent,
        Conclusion::enrolled(ActionCode::Enroll, ranac(3), None, at),
    );
    fixture.stores.intents.finish(&ended).await.unwrap();
    assert!(leases.record_present(&intent, &[]).await.is_err());
    assert_eq!(
        read(&fixture, intent.id).await.unwrap().inquiry.present_before,
        None
    );
}

pub async fn late_enrollment_is_due_until_its_cleanup_ends(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let token = fixture.session().await;
    let intent = unsaved(&fixture, &token, None).await;
    begin(&fixture, &intent).await.unwrap();
    let at = fixture.clock.now();
    let undetermined = ended(&intent, Conclusion::undetermined(ActionCode::Enroll, at));
    fixture.stores.intents.finish(&undetermined).await.unwrap();
    assert_eq!(due(&fixture).await, [intent.id]);
    let now = fixture.clock.now();
    let listed = fixture.stores.due_intents.due_intents(now, 1).await.unwrap();
    assert!(!listed[0].is_open, "it is not known whether there is a card");
    fixture.clock.advance(HOUR * (30 * 24));
    assert!(
        read(&fixture, intent.id).await.is_some(),
        "it is kept as long as that takes"
    );
    let at = fixture.clock.now();
    for _ in 0..2 {
        fixture
            .stores
            .intents
            .complete_cleanup(&undetermined, at)
            .await
            .unwrap();
        assert_eq!(due(&fixture).await, []);
        let stored = read(&fixture, intent.id).await.unwrap();
        assert!(!stored.conclusion().unwrap().has_cleanup());
    }
    fixture.clock.advance(HOUR * (7 * 24));
    assert_eq!(read(&fixture, intent.id).await, None);
}

pub async fn replaced_card_is_cancelled_at_the_end_of_the_cleanup(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let card = enroll(&fixture).await;
    let token = fixture.session_for(ActionCode::Replace).await;
    let intent = unsaved(&fixture, &token, Some(card)).await;
    begin(&fixture, &intent).await.unwrap();
    fixture.clock.advance(SECOND);
    let at = fixture.clock.now();
    let replaced = ended(
        &intent,
        Conclusion::enrolled(ActionCode::Replace, ranac(9), None, at),
    );
    fixture.stores.intents.finish(&replaced).await.unwrap();
    assert_eq!(fixture.state_of(card).await, CardState::PendingCancellation);
    assert_eq!(fixture.state_of(intent.id).await, CardState::Active);
    let during = count(&fixture).await;
    assert_eq!((during.active, during.changing), (1, 1));
    assert_eq!(due(&fixture).await, [intent.id], "at once");
    let now = fixture.clock.now();
    let lease = fixture
        .stores
        .leases
        .acquire(intent.id, now, now + SECOND * 30)
        .await;
    assert!(lease.unwrap().unwrap().old_card.is_some());

    fixture.clock.advance(SECOND);
    let at = fixture.clock.now();
    fixture
        .stores
        .intents
        .complete_cleanup(&replaced, at)
        .await
        .unwrap();
    assert_eq!(fixture.state_of(card).await, CardState::Cancelled { at });
    let after = count(&fixture).await;
    assert_eq!((after.active, after.changing, after.kept_until), (1, 0, None));
    assert_eq!(due(&fixture).await, []);
    assert_eq!(
        read(&fixture, intent.id).await.unwrap().old_card,
        None,
        "its names are deleted"
    );
}

pub async fn last_card_that_leaves_dates_its_customer(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let card = enroll(&fixture).await;
    let token = fixture.session_for(ActionCode::OptOut).await;
    let intent = unsaved(&fixture, &token, Some(card)).await;
    begin(&fixture, &intent).await.unwrap();
    let at = fixture.clock.now();
    let removed = ended(&intent, Conclusion::removed(at));
    fixture.stores.intents.finish(&removed).await.unwrap();
    assert_eq!(fixture.state_of(card).await, CardState::Cancelled { at });
    let count = count(&fixture).await;
    let kept_until = at + HOUR * (37 * 24);
    assert_eq!((count.active, count.changing), (0, 0));
    assert_eq!(count.kept_until, Some(kept_until));
    fixture.clock.advance_to(kept_until);
    assert_eq!(fixture.customer().await.cards, []);
    assert_eq!(read(&fixture, card).await, None, "the enrollment expires with it");
    assert_eq!(read(&fixture, intent.id).await, None, "and so does the opt-out");
}

/// RANACs are compared as they were given.
pub async fn digits_of_mrs_are_stored_with_the_card(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let token = fixture.session().await;
    let intent = unsaved(&fixture, &token, None).await;
    begin(&fixture, &intent).await.unwrap();
    let at = fixture.clock.now();
    let last4 = enrollment::identifiers::Last4::parse("9999").ok();
    let ranac = Ranac::parse("03643782610476418733").unwrap();
    let enrolled = Conclusion::enrolled(ActionCode::Enroll, ranac.clone(), last4, at);
    fixture
        .stores
        .intents
        .finish(&ended(&intent, enrolled))
        .await
        .unwrap();
    let cards = fixture.customer().await.cards;
    assert_eq!((cards[0].ranac.clone(), Some(cards[0].last4)), (ranac, last4));
    assert_eq!(cards[0].enrolled_at, at);
}

//! One asker per intent: taking it, giving it back, and what is left of an asker that died.

use engine::{World, on_every_engine};
use enrollment::action::ActionCode;
use enrollment::clock::Clock as _;
use enrollment::identifiers::Ranac;
use enrollment::intent::{Conclusion, INTENT_LEASE, Intent};
use enrollment::ports::{Customers as _, Intents as _, Leases as _, Put, Reschedule, Sessions as _};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

use crate::samples::{client_id, customer_id, intent, program_id, session, used_token};

const SECOND: SignedDuration = SignedDuration::from_secs(1);

async fn begun(world: &World) -> Intent {
    let vault = world.vault();
    let now = world.clock.now();
    let opened = session(now);
    let sessions = world.sessions(&vault);
    sessions.open(&opened, &used_token(now)).await.unwrap();
    let intent = intent(&opened, 1, now);
    let enrollments = world.enrollments(&vault);
    let count = enrollments
        .card_count(&client_id(), &program_id(), &customer_id())
        .await
        .unwrap();
    assert_eq!(
        enrollments.begin(&intent, count, 0).await.unwrap(),
        Ok(Put::Created)
    );
    intent
}

fn reschedule(next: Timestamp) -> Reschedule {
    Reschedule {
        next,
        unanswered_at: None,
        unknown_since: None,
    }
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn one_of_many_takes_an_intent() {
    on_every_engine(|world| async move {
        let intent = begun(&world).await;
        let enrollments = Arc::new(world.enrollments(&world.vault()));
        let now = intent.created_at + INTENT_LEASE;
        let early = enrollments.acquire(intent.id, now - SECOND, now).await.unwrap();
        assert_eq!(early, None, "whoever begins it asks first");
        let turns = (0..8).map(|_| enrollments.acquire(intent.id, now, now + INTENT_LEASE));
        let taken: Vec<Intent> = join_all(turns)
            .await
            .into_iter()
            .filter_map(|taken| taken.unwrap())
            .collect();
        let [taken] = taken.as_slice() else {
            panic!("{} took it", taken.len())
        };
        let left = taken.inquiry.unanswered_at;
        assert_eq!(left, Some(intent.created_at), "the call of the one that died");
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn an_intent_comes_again_when_its_turn_does() {
    on_every_engine(|world| async move {
        let intent = begun(&world).await;
        let enrollments = world.enrollments(&world.vault());
        let (begun_at, lease) = (intent.created_at, intent.created_at + INTENT_LEASE);
        let next = begun_at + SECOND * 10;
        let unknown = Reschedule {
            unanswered_at: Some(begun_at),
            unknown_since: Some(begun_at + SECOND),
            ..reschedule(next)
        };
        assert!(enrollments.release(intent.id, lease, unknown).await.unwrap());
        let is_late = enrollments
            .release(intent.id, lease, reschedule(next))
            .await
            .unwrap();
        assert!(!is_late, "it is given back once");

        let early = next - SignedDuration::from_millis(1);
        assert_eq!(enrollments.acquire(intent.id, early, lease).await.unwrap(), None);
        let until = next + INTENT_LEASE;
        let taken = enrollments
            .acquire(intent.id, next, until)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(taken.inquiry.unanswered_at, Some(begun_at));
        assert_eq!(taken.inquiry.unknown_since, Some(begun_at + SECOND));
        let stored = enrollments.intent(intent.id).await.unwrap().unwrap();
        assert_eq!(stored.inquiry.unanswered_at, Some(next), "should this one die");
        assert!(
            enrollments
                .release(intent.id, until, reschedule(next))
                .await
                .unwrap()
        );
        let stored = enrollments.intent(intent.id).await.unwrap().unwrap();
        assert_eq!(stored.inquiry.unanswered_at, None);
        assert_eq!(stored.inquiry.unknown_since, None);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn what_is_settled_is_taken_by_nobody() {
    on_every_engine(|world| async move {
        let mut intent = begun(&world).await;
        let enrollments = world.enrollments(&world.vault());
        let ranac = Ranac::parse("03643782610476418733").unwrap();
        let now = intent.created_at + INTENT_LEASE;
        intent.conclude(Conclusion::enrolled(ActionCode::Enroll, ranac, None, now));
        assert_eq!(enrollments.finish(&intent).await.unwrap(), Put::Created);
        assert_eq!(enrollments.acquire(intent.id, now, now).await.unwrap(), None);
        let released = enrollments
            .release(intent.id, now, reschedule(now))
            .await
            .unwrap();
        assert!(!released);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn what_was_present_before_is_sealed_with_the_intent() {
    on_every_engine(|world| async move {
        let mut intent = begun(&world).await;
        let enrollments = world.enrollments(&world.vault());
        let ranacs = ["03643782610476418733", "13643782610476418733"].map(|text| Ranac::parse(text).unwrap());
        enrollments.record_present(&intent, &ranacs).await.unwrap();
        let stored = enrollments.intent(intent.id).await.unwrap().unwrap();
        assert_eq!(stored.inquiry.present_before.as_deref(), Some(&ranacs[..]));
        let items = world.scan(&world.tables.enrollments).await;
        assert!(!format!("{items:?}").contains("03643782610476418733"), "sealed");

        intent.conclude(Conclusion::undetermined(ActionCode::Enroll, intent.created_at));
        enrollments.finish(&intent).await.unwrap();
        let late = enrollments.record_present(&intent, &ranacs).await;
        assert!(late.is_err(), "what has its outcome enrolls nothing: {late:?}");
    })
    .await;
}

//! A replacement whose new card, or whose old one, MRS does not answer about.

use enrollment::action::ActionCode;
use enrollment::clock::Clock as _;
use enrollment::flows::describe::Description;
use enrollment::flows::submit::SubmitResponse;
use enrollment::intent::CardState;
use enrollment::status::Status;
use jiff::SignedDuration;
use serde_json::json;

use super::enrollments::{LEFT, MILLISECOND, outcome};
use crate::fixture::Fixture;
use crate::scripted_mrs::{Call, EnrollmentAnswer, RANACS};
use crate::stores::Backend;

pub async fn old_card_is_cancelled_after_the_new_one_is_in(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let old = fixture.card().await;
    let session = fixture.session_for(ActionCode::Replace).await;
    fixture.mrs.answers_enrollment(EnrollmentAnswer::NoAnswer);
    assert_eq!(
        fixture.replace(&session, "a", old).await.unwrap(),
        SubmitResponse::Open
    );
    assert_eq!(fixture.state_of(old).await, CardState::Locked);
    let elsewhere = fixture.session_for(ActionCode::OptOut).await;
    let refused = fixture.opt_out(&elsewhere, "b", old).await.unwrap();
    assert_eq!(outcome(&refused), (Status::ErrorRemoval, None, 5));

    fixture.mrs.has_card(true);
    fixture.clock.advance(LEFT - MILLISECOND);
    fixture.mrs.take_calls();
    fixture.resume(&session, "a").await;
    let replaced = fixture.replace(&session, "a", old).await.unwrap();
    assert_eq!(outcome(&replaced), (Status::SuccessReplacement, None, 0));
    assert_eq!(
        fixture.mrs.take_calls(),
        [Call::Find],
        "the old one is the next look's"
    );
    let replaced = fixture.intent(&session, "a").await.outcome().cloned().unwrap();
    assert_eq!(
        replaced.ranac.map(|ranac| ranac.expose().to_owned()).as_deref(),
        Some(RANACS[1])
    );
    assert_eq!(fixture.state_of(old).await, CardState::PendingCancellation);
    assert_eq!(fixture.cards().await, (1, 0));

    fixture.resume(&session, "a").await;
    assert_eq!(fixture.mrs.take_calls(), [Call::Cancel]);
    assert!(fixture.mrs.is_card_active() && !fixture.mrs.is_first_card_active());
    let at = fixture.clock.now();
    assert_eq!(fixture.state_of(old).await, CardState::Cancelled { at });
    assert_eq!(fixture.cards().await, (1, 0));
    assert_eq!(fixture.customer().await.count.changing, 0);
}

pub async fn deadline_keeps_the_old_card(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let old = fixture.card().await;
    let session = fixture.session_for(ActionCode::Replace).await;
    fixture.mrs.answers_enrollment(EnrollmentAnswer::NoAnswer);
    fixture.replace(&session, "a", old).await.unwrap();
    fixture.clock.advance(LEFT);
    let failed = fixture.replace(&session, "a", old).await.unwrap();
    assert_eq!(outcome(&failed), (Status::ErrorReplacement, Some(-1001), 4));
    assert_eq!(fixture.state_of(old).await, CardState::Active);

    fixture.mrs.has_card(true);
    fixture.resume(&session, "a").await;
    assert!(!fixture.mrs.is_card_active(), "the new one is cancelled");
    assert!(fixture.mrs.is_first_card_active(), "and the old one is not");
    assert_eq!(fixture.state_of(old).await, CardState::Active);
    assert_eq!(fixture.cards().await, (1, 0));
    let Description::Form(form) = fixture.describe_for(ActionCode::Replace, &session).await.unwrap() else {
        panic!("it may try again")
    };
    let offered: Vec<_> = form.choice.cards.iter().map(|card| card.id).collect();
    assert_eq!(offered, [old]);
}

pub async fn old_card_is_cancelled_in_the_end(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let old = fixture.card().await;
    let session = fixture.session_for(ActionCode::Replace).await;
    fixture.mrs.ignores(Call::Cancel);
    fixture.replace(&session, "a", old).await.unwrap();
    for _ in 0..9 {
        fixture.resume(&session, "a").await;
        assert!(fixture.mrs.is_first_card_active());
        assert_eq!(fixture.state_of(old).await, CardState::PendingCancellation);
        fixture.clock.advance(SignedDuration::from_hours(24));
    }
    fixture.mrs.recovers();
    fixture.mrs.declines_cancellation(-10);
    fixture.resume(&session, "a").await;
    assert_eq!(
        fixture.state_of(old).await,
        CardState::PendingCancellation,
        "a decline is no end of it while MRS holds it"
    );
    fixture.mrs.recovers();
    fixture.clock.advance(SignedDuration::from_hours(6));
    fixture.resume(&session, "a").await;
    assert!(!fixture.mrs.is_first_card_active() && fixture.mrs.is_card_active());
    let at = fixture.clock.now();
    assert_eq!(
        fixture.state_of(old).await,
        CardState::Cancelled { at },
        "the retention starts here"
    );
    assert!(
        !fixture
            .intent(&session, "a")
            .await
            .conclusion()
            .unwrap()
            .has_cleanup()
    );
}

pub async fn confirmed_once_and_at_once(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let old = fixture.card().await;
    let session = fixture.session_for(ActionCode::Replace).await;
    fixture.mrs.ignores(Call::Cancel);
    fixture.replace(&session, "a", old).await.unwrap();
    let of_replacements = async || {
        let mut sent = fixture.confirmations().await;
        sent.retain(|body| body["status"] != "SUCCESS_ENROLLMENT");
        sent
    };
    let sent = of_replacements().await;
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(
        (&sent[0]["status"], &sent[0]["ranac"]),
        (&json!("SUCCESS_REPLACEMENT"), &json!(RANACS[1]))
    );
    fixture.mrs.recovers();
    fixture.resume(&session, "a").await;
    assert_eq!(of_replacements().await, sent);
}

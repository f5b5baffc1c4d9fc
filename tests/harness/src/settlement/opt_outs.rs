//! An opt-out that MRS does not answer: the page gets an error after the deadline, and settlement continues.

use enrollment::action::ActionCode;
use enrollment::clock::Clock as _;
use enrollment::flows::describe::Description;
use enrollment::flows::submit::SubmitResponse;
use enrollment::intent::CardState;
use enrollment::look_up::LookUp;
use enrollment::status::Status;
use jiff::SignedDuration;
use serde_json::Value;

use super::enrollments::{MILLISECOND, outcome};
use crate::fixture::Fixture;
use crate::scripted_mrs::{Call, RANAC};
use crate::stores::Backend;

const DEADLINE: SignedDuration = SignedDuration::from_mins(1);

pub async fn page_gets_server_error_then_the_outcome(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let old = fixture.card().await;
    let session = fixture.session_for(ActionCode::OptOut).await;
    fixture.mrs.ignores(Call::Cancel);
    assert_eq!(
        fixture.opt_out(&session, "a", old).await.unwrap(),
        SubmitResponse::Open
    );
    fixture.clock.advance(DEADLINE - MILLISECOND);
    assert_eq!(
        fixture.opt_out(&session, "a", old).await.unwrap(),
        SubmitResponse::Open
    );
    fixture.clock.advance(MILLISECOND);
    let answer = fixture.opt_out(&session, "a", old).await.unwrap();
    assert_eq!(outcome(&answer), (Status::ErrorRemoval, Some(-1001), 0));
    assert_eq!(
        shown(&fixture.describe_for(ActionCode::OptOut, &session).await.unwrap()),
        answer
    );
    assert_eq!(
        fixture.intent(&session, "a").await.outcome(),
        None,
        "it is no outcome"
    );
    assert_eq!(fixture.state_of(old).await, CardState::Locked);
    assert_eq!(removals(&fixture).await, Vec::<Value>::new());

    for _ in 0..9 {
        fixture.resume(&session, "a").await;
        assert_eq!(fixture.intent(&session, "a").await.outcome(), None);
        fixture.clock.advance(SignedDuration::from_secs(20));
    }
    fixture.mrs.recovers();
    fixture.resume(&session, "a").await;
    assert!(!fixture.mrs.is_card_active());
    let removed = fixture.describe_for(ActionCode::OptOut, &session).await.unwrap();
    assert_eq!(outcome(&shown(&removed)), (Status::SuccessRemoval, None, 0));
    let at = fixture.clock.now();
    assert_eq!(fixture.state_of(old).await, CardState::Cancelled { at });
    assert_eq!(fixture.cards().await, (0, 0));
    let confirmed = removals(&fixture).await;
    assert_eq!(confirmed.len(), 1, "{confirmed:?}");
    assert_eq!(
        (&*confirmed[0]["status"].to_string(), &confirmed[0]["ranac"]),
        ("\"SUCCESS_REMOVAL\"", &Value::from(RANAC))
    );
}

pub async fn decline_is_an_error_only_while_the_card_is_active(backend: &dyn Backend) {
    for (holds, status, code, state) in [
        (true, Status::ErrorRemoval, Some(-85), Some(CardState::Active)),
        (false, Status::SuccessRemoval, None, None),
    ] {
        let fixture = Fixture::new(backend).await;
        let old = fixture.card().await;
        let session = fixture.session_for(ActionCode::OptOut).await;
        fixture.mrs.declines_cancellation(-85);
        fixture.mrs.has_card(holds);
        let (answered, answered_code, _) = outcome(&fixture.opt_out(&session, "a", old).await.unwrap());
        assert_eq!((answered, answered_code), (status, code));
        assert_eq!(fixture.mrs.take_calls(), [Call::Cancel, Call::Find]);
        let at = fixture.clock.now();
        let state = state.unwrap_or(CardState::Cancelled { at });
        assert_eq!(fixture.state_of(old).await, state);
    }
}

pub async fn unverified_decline_stays_open(backend: &dyn Backend) {
    for (code, ignores_find) in [(-85, true), (-1001, false)] {
        let fixture = Fixture::new(backend).await;
        let old = fixture.card().await;
        let session = fixture.session_for(ActionCode::OptOut).await;
        fixture.mrs.declines_cancellation(code);
        if ignores_find {
            fixture.mrs.ignores(Call::Find);
        }
        assert_eq!(
            fixture.opt_out(&session, "a", old).await.unwrap(),
            SubmitResponse::Open,
            "{code}"
        );
        assert_eq!(fixture.state_of(old).await, CardState::Locked);
        fixture.mrs.recovers();
        fixture.clock.advance(SignedDuration::from_secs(5));
        fixture.resume(&session, "a").await;
        let removed = fixture.opt_out(&session, "a", old).await.unwrap();
        assert_eq!(outcome(&removed).0, Status::SuccessRemoval, "{code}");
    }
}

pub async fn decline_proves_nothing_during_an_earlier_call(backend: &dyn Backend) {
    for (does_it, status, code) in [
        (true, Status::SuccessRemoval, None),
        (false, Status::ErrorRemoval, Some(-10)),
    ] {
        let fixture = Fixture::new(backend).await;
        let old = fixture.card().await;
        let session = fixture.session_for(ActionCode::OptOut).await;
        let begun = fixture.clock.now();
        fixture.mrs.ignores(Call::Cancel);
        assert_eq!(
            fixture.opt_out(&session, "a", old).await.unwrap(),
            SubmitResponse::Open
        );
        fixture.mrs.recovers();
        fixture.mrs.declines_cancellation(-10);
        for second in [5, 10, 20, 40, 60] {
            fixture
                .clock
                .advance_to(begun + SignedDuration::from_secs(second));
            fixture.resume(&session, "a").await;
            assert_eq!(fixture.intent(&session, "a").await.outcome(), None, "{second}");
            assert_eq!(fixture.state_of(old).await, CardState::Locked);
        }
        if does_it {
            fixture.mrs.has_card(false);
        }
        fixture.clock.advance_to(begun + SignedDuration::from_mins(2));
        fixture.resume(&session, "a").await;
        let outcome = fixture.intent(&session, "a").await.outcome().cloned().unwrap();
        assert_eq!((outcome.status, outcome.code.map(|code| code.0)), (status, code));
        assert_eq!(
            fixture.state_of(old).await == CardState::Active,
            fixture.mrs.is_card_active()
        );
    }
}

pub async fn unclear_look_up_decides_nothing(backend: &dyn Backend) {
    for answer in [LookUp::NotFound, LookUp::Unknown("no list".into())] {
        let fixture = Fixture::new(backend).await;
        let old = fixture.card().await;
        let session = fixture.session_for(ActionCode::OptOut).await;
        fixture.mrs.declines_cancellation(-10);
        fixture.mrs.answers_look_ups([answer.clone(), answer.clone()]);
        assert_eq!(
            fixture.opt_out(&session, "a", old).await.unwrap(),
            SubmitResponse::Open
        );
        fixture.clock.advance(SignedDuration::from_secs(5));
        fixture.resume(&session, "a").await;
        let intent = fixture.intent(&session, "a").await;
        assert_eq!(intent.outcome(), None, "{answer:?}");
        assert!(
            intent.inquiry.unknown_since.is_some(),
            "the operator is to see it"
        );
        assert_eq!(fixture.state_of(old).await, CardState::Locked);
        fixture.clock.advance(SignedDuration::from_secs(5));
        fixture.resume(&session, "a").await;
        let answer = fixture.opt_out(&session, "a", old).await.unwrap();
        assert_eq!(outcome(&answer).1, Some(-10), "what it lists counts");
        assert_eq!(fixture.state_of(old).await, CardState::Active);
    }
}

pub async fn declined_opt_out_can_be_retried(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let old = fixture.card().await;
    let session = fixture.session_for(ActionCode::OptOut).await;
    fixture.mrs.declines_cancellation(-10);
    let declined = fixture.opt_out(&session, "a", old).await.unwrap();
    assert_eq!(outcome(&declined), (Status::ErrorRemoval, Some(-10), 4));
    fixture.mrs.recovers();
    let removed = fixture.opt_out(&session, "b", old).await.unwrap();
    assert_eq!(outcome(&removed), (Status::SuccessRemoval, None, 0));
    assert_eq!(
        fixture.opt_out(&session, "a", old).await.unwrap(),
        declined_again(declined),
        "a repeat of the first gets the first answer, in a session that has ended since"
    );
}

/// The same answer without further tries.
fn declined_again(declined: SubmitResponse) -> SubmitResponse {
    match declined {
        SubmitResponse::Ended { ending, incident, .. } => SubmitResponse::Ended {
            ending,
            incident,
            attempts_left: 0,
            reason: None,
        },
        SubmitResponse::Open => panic!("it has ended"),
    }
}

fn shown(description: &Description) -> SubmitResponse {
    let Description::Attempt(SubmitResponse::Ended {
        ending,
        incident,
        attempts_left,
        reason,
    }) = description
    else {
        panic!("it had an attempt that has ended: {description:?}")
    };
    SubmitResponse::Ended {
        ending: ending.clone(),
        incident: incident.clone(),
        attempts_left: *attempts_left,
        reason: *reason,
    }
}

/// Events of opt-outs among the confirmations to the partner.
async fn removals(fixture: &Fixture) -> Vec<Value> {
    let mut sent = fixture.confirmations().await;
    sent.retain(|body| body["status"] != "SUCCESS_ENROLLMENT");
    sent
}

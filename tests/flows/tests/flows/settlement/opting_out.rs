//! An opt-out that MRS does not answer: the page is told so in the end, and it goes on.

use enrollment::action::ActionCode;
use enrollment::clock::Clock as _;
use enrollment::flows::describe::Description;
use enrollment::flows::submit::SubmitResponse;
use enrollment::intent::CardState;
use enrollment::look_up::LookUp;
use enrollment::status::Status;
use jiff::SignedDuration;
use serde_json::Value;

use super::bank::Bank;
use super::scripted_mrs::{Call, RANAC};
use super::{MILLISECOND, outcome};

const DEADLINE: SignedDuration = SignedDuration::from_mins(1);

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
async fn after_sixty_seconds_the_page_is_told_minus_1001_and_later_what_came_of_it() {
    let bank = Bank::new().await;
    let old = bank.card().await;
    let session = bank.session_for(ActionCode::OptOut).await;
    bank.mrs.is_deaf_to(Call::Cancel);
    assert_eq!(
        bank.opt_out(&session, "a", old).await.unwrap(),
        SubmitResponse::Open
    );
    bank.clock.advance(DEADLINE - MILLISECOND);
    assert_eq!(
        bank.opt_out(&session, "a", old).await.unwrap(),
        SubmitResponse::Open
    );
    bank.clock.advance(MILLISECOND);
    let told = bank.opt_out(&session, "a", old).await.unwrap();
    assert_eq!(outcome(&told), (Status::ErrorRemoval, Some(-1001), 0));
    assert_eq!(
        shown(&bank.describe_for(ActionCode::OptOut, &session).await.unwrap()),
        told
    );
    assert_eq!(
        bank.intent(&session, "a").await.outcome(),
        None,
        "it is no outcome"
    );
    assert_eq!(bank.state_of(old).await, CardState::Locked);
    assert_eq!(removals(&bank).await, Vec::<Value>::new());

    for _ in 0..9 {
        bank.look_after(&session, "a").await;
        assert_eq!(bank.intent(&session, "a").await.outcome(), None);
        bank.clock.advance(SignedDuration::from_secs(20));
    }
    bank.mrs.hears_again();
    bank.look_after(&session, "a").await;
    assert!(!bank.mrs.still_holds());
    let removed = bank.describe_for(ActionCode::OptOut, &session).await.unwrap();
    assert_eq!(outcome(&shown(&removed)), (Status::SuccessRemoval, None, 0));
    let at = bank.clock.now();
    assert_eq!(bank.state_of(old).await, CardState::Cancelled { at });
    assert_eq!(bank.cards().await, (0, 0));
    let confirmed = removals(&bank).await;
    assert_eq!(confirmed.len(), 1, "{confirmed:?}");
    assert_eq!(
        (&*confirmed[0]["status"].to_string(), &confirmed[0]["ranac"]),
        ("\"SUCCESS_REMOVAL\"", &Value::from(RANAC))
    );
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
async fn a_decline_is_an_error_only_while_mrs_holds_the_card() {
    for (holds, status, code, state) in [
        (true, Status::ErrorRemoval, Some(-85), Some(CardState::Active)),
        (false, Status::SuccessRemoval, None, None),
    ] {
        let bank = Bank::new().await;
        let old = bank.card().await;
        let session = bank.session_for(ActionCode::OptOut).await;
        bank.mrs.declines(-85);
        bank.mrs.holds(holds);
        let (told, told_code, _) = outcome(&bank.opt_out(&session, "a", old).await.unwrap());
        assert_eq!((told, told_code), (status, code));
        assert_eq!(bank.mrs.calls(), [Call::Cancel, Call::Find]);
        let at = bank.clock.now();
        let state = state.unwrap_or(CardState::Cancelled { at });
        assert_eq!(bank.state_of(old).await, state);
    }
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
async fn a_decline_that_mrs_can_t_be_asked_about_and_minus_1001_leave_it_open() {
    for (code, deaf) in [(-85, true), (-1001, false)] {
        let bank = Bank::new().await;
        let old = bank.card().await;
        let session = bank.session_for(ActionCode::OptOut).await;
        bank.mrs.declines(code);
        if deaf {
            bank.mrs.is_deaf_to(Call::Find);
        }
        assert_eq!(
            bank.opt_out(&session, "a", old).await.unwrap(),
            SubmitResponse::Open,
            "{code}"
        );
        assert_eq!(bank.state_of(old).await, CardState::Locked);
        bank.mrs.hears_again();
        bank.clock.advance(SignedDuration::from_secs(5));
        bank.look_after(&session, "a").await;
        let removed = bank.opt_out(&session, "a", old).await.unwrap();
        assert_eq!(outcome(&removed).0, Status::SuccessRemoval, "{code}");
    }
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
async fn a_decline_proves_nothing_while_a_call_may_be_at_work() {
    for (does_it, status, code) in [
        (true, Status::SuccessRemoval, None),
        (false, Status::ErrorRemoval, Some(-10)),
    ] {
        let bank = Bank::new().await;
        let old = bank.card().await;
        let session = bank.session_for(ActionCode::OptOut).await;
        let begun = bank.clock.now();
        bank.mrs.is_deaf_to(Call::Cancel);
        assert_eq!(
            bank.opt_out(&session, "a", old).await.unwrap(),
            SubmitResponse::Open
        );
        bank.mrs.hears_again();
        bank.mrs.declines(-10);
        for second in [5, 10, 20, 40, 60] {
            bank.clock.advance_to(begun + SignedDuration::from_secs(second));
            bank.look_after(&session, "a").await;
            assert_eq!(bank.intent(&session, "a").await.outcome(), None, "{second}");
            assert_eq!(bank.state_of(old).await, CardState::Locked);
        }
        if does_it {
            bank.mrs.holds(false);
        }
        bank.clock.advance_to(begun + SignedDuration::from_mins(2));
        bank.look_after(&session, "a").await;
        let outcome = bank.intent(&session, "a").await.outcome().cloned().unwrap();
        assert_eq!((outcome.status, outcome.code.map(|code| code.0)), (status, code));
        assert_eq!(
            bank.state_of(old).await == CardState::Active,
            bank.mrs.still_holds()
        );
    }
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
async fn a_look_up_that_says_nothing_decides_no_opt_out() {
    for answer in [LookUp::NotFound, LookUp::Unknown("no list".into())] {
        let bank = Bank::new().await;
        let old = bank.card().await;
        let session = bank.session_for(ActionCode::OptOut).await;
        bank.mrs.declines(-10);
        bank.mrs.says([answer.clone(), answer.clone()]);
        assert_eq!(
            bank.opt_out(&session, "a", old).await.unwrap(),
            SubmitResponse::Open
        );
        bank.clock.advance(SignedDuration::from_secs(5));
        bank.look_after(&session, "a").await;
        let intent = bank.intent(&session, "a").await;
        assert_eq!(intent.outcome(), None, "{answer:?}");
        assert!(
            intent.inquiry.unknown_since.is_some(),
            "the operator is to see it"
        );
        assert_eq!(bank.state_of(old).await, CardState::Locked);
        bank.clock.advance(SignedDuration::from_secs(5));
        bank.look_after(&session, "a").await;
        let told = bank.opt_out(&session, "a", old).await.unwrap();
        assert_eq!(outcome(&told).1, Some(-10), "what it lists counts");
        assert_eq!(bank.state_of(old).await, CardState::Active);
    }
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
async fn a_declined_opt_out_can_be_tried_again() {
    let bank = Bank::new().await;
    let old = bank.card().await;
    let session = bank.session_for(ActionCode::OptOut).await;
    bank.mrs.declines(-10);
    let declined = bank.opt_out(&session, "a", old).await.unwrap();
    assert_eq!(outcome(&declined), (Status::ErrorRemoval, Some(-10), 4));
    bank.mrs.hears_again();
    let removed = bank.opt_out(&session, "b", old).await.unwrap();
    assert_eq!(outcome(&removed), (Status::SuccessRemoval, None, 0));
    assert_eq!(
        bank.opt_out(&session, "a", old).await.unwrap(),
        declined_again(declined),
        "a repeat of the first is told the first, in a session that has ended since"
    );
}

/// The same, as it is told when nothing can be tried any more.
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

/// What the partner shall be told of opt-outs.
async fn removals(bank: &Bank) -> Vec<Value> {
    let mut told = bank.confirmations().await;
    told.retain(|body| body["status"] != "SUCCESS_ENROLLMENT");
    told
}

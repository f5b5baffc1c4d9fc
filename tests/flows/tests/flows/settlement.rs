//! What MRS does not answer: what becomes of it, and when, decided on the local AWS's tables by a clock and an MRS of the
//! tests' own. Here enrollments.

mod bank;
mod look_ups;
mod opting_out;
mod replacing;
mod scripted_mrs;

use enrollment::action::ActionCode;
use enrollment::clock::Clock as _;
use enrollment::flows::describe::Description;
use enrollment::flows::submit::{SubmitError, SubmitResponse};
use enrollment::session::{GRACE, LIFETIME};
use enrollment::status::{MrsCode, Status};
use jiff::SignedDuration;
use serde_json::json;

use bank::Bank;
use scripted_mrs::{Call, Ending, LAST4, RANAC};

/// The 60 s of the deadline without the 8 s that a call without an answer took.
const LEFT: SignedDuration = SignedDuration::from_secs(52);
const MILLISECOND: SignedDuration = SignedDuration::from_millis(1);

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
async fn nothing_is_decided_before_the_deadline_and_everything_at_it() {
    let bank = Bank::new().await;
    let session = bank.session().await;
    bank.mrs.ends(Ending::NoAnswer);
    assert_eq!(bank.submit(&session, "a").await.unwrap(), SubmitResponse::Open);
    assert_eq!(bank.mrs.calls(), [Call::Enroll, Call::Find]);
    bank.clock.advance(LEFT - MILLISECOND);
    assert_eq!(bank.submit(&session, "a").await.unwrap(), SubmitResponse::Open);
    bank.clock.advance(MILLISECOND);
    let (status, code, left) = outcome(&bank.submit(&session, "a").await.unwrap());
    assert_eq!((status, code, left), (Status::ErrorEnrollment, Some(-1001), 4));
    assert_eq!(
        bank.mrs.calls(),
        [],
        "never enrolled again, and nobody asks for the page's sake"
    );
    assert_eq!(bank.cards().await, (0, 0));
    assert!(
        bank.intent(&session, "a")
            .await
            .conclusion()
            .unwrap()
            .has_cleanup(),
        "MRS may yet come to hold it"
    );
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
async fn a_card_found_just_before_the_deadline_is_a_success_with_mrs_s_own_digits() {
    let bank = Bank::new().await;
    let session = bank.session().await;
    bank.mrs.ends(Ending::NoAnswer);
    bank.submit(&session, "a").await.unwrap();
    bank.mrs.holds(true);
    bank.clock.advance(LEFT - MILLISECOND);
    bank.look_after(&session, "a").await;
    let SubmitResponse::Ended {
        ending,
        attempts_left,
        ..
    } = bank.submit(&session, "a").await.unwrap()
    else {
        panic!("it is settled");
    };
    assert_eq!(
        (ending.status, ending.code, attempts_left),
        (Status::SuccessEnrollment, None, 0)
    );
    assert_eq!(
        ending
            .ranac
            .as_ref()
            .map(|ranac| ranac.expose().to_owned())
            .as_deref(),
        Some(RANAC)
    );
    assert_eq!(ending.last4.unwrap().as_str(), LAST4);
    assert!(bank.mrs.still_holds());
    assert_eq!(bank.cards().await, (1, 0));
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
async fn a_card_found_after_the_deadline_is_cancelled_there() {
    let bank = Bank::new().await;
    let session = bank.session().await;
    bank.mrs.ends(Ending::NoAnswer);
    bank.submit(&session, "a").await.unwrap();
    bank.mrs.holds(true);
    bank.clock.advance(LEFT);
    bank.mrs.calls();
    let (status, code, _) = outcome(&bank.submit(&session, "a").await.unwrap());
    assert_eq!((status, code), (Status::ErrorEnrollment, Some(-1001)));
    assert_eq!(bank.mrs.calls(), [], "it changes nothing, and the customer waits");
    bank.look_after(&session, "a").await;
    assert_eq!(bank.mrs.calls(), [Call::Find, Call::Cancel]);
    assert!(!bank.mrs.still_holds());
    let intent = bank.intent(&session, "a").await;
    assert!(
        !intent.conclusion().unwrap().has_cleanup(),
        "nothing is left to clean up"
    );
    assert_eq!(intent.outcome().unwrap().ranac, None);
    assert_eq!(bank.cards().await, (0, 0));
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
async fn a_leftover_that_can_t_be_cancelled_stays_noted() {
    let bank = Bank::new().await;
    let session = bank.session().await;
    bank.mrs.ends(Ending::NoAnswer);
    bank.submit(&session, "a").await.unwrap();
    bank.mrs.holds(true);
    bank.mrs.is_deaf_to(Call::Cancel);
    bank.clock.advance(LEFT);
    let (status, ..) = outcome(&bank.submit(&session, "a").await.unwrap());
    assert_eq!(status, Status::ErrorEnrollment);
    for _ in 0..9 {
        bank.look_after(&session, "a").await;
        assert!(
            bank.intent(&session, "a")
                .await
                .conclusion()
                .unwrap()
                .has_cleanup()
        );
        assert!(bank.mrs.still_holds());
        bank.clock.advance(SignedDuration::from_hours(24));
    }
    bank.mrs.hears_again();
    bank.look_after(&session, "a").await;
    assert!(!bank.mrs.still_holds(), "however long it took");
    assert!(
        !bank
            .intent(&session, "a")
            .await
            .conclusion()
            .unwrap()
            .has_cleanup()
    );
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
async fn the_deadline_decides_even_while_mrs_can_t_be_asked() {
    let bank = Bank::new().await;
    let session = bank.session().await;
    bank.mrs.ends(Ending::NoAnswer);
    bank.mrs.is_deaf_to(Call::Find);
    assert_eq!(bank.submit(&session, "a").await.unwrap(), SubmitResponse::Open);
    bank.clock.advance(LEFT - MILLISECOND);
    assert_eq!(bank.submit(&session, "a").await.unwrap(), SubmitResponse::Open);
    bank.clock.advance(MILLISECOND);
    let (status, code, _) = outcome(&bank.submit(&session, "a").await.unwrap());
    assert_eq!((status, code), (Status::ErrorEnrollment, Some(-1001)));
    assert!(
        bank.intent(&session, "a")
            .await
            .conclusion()
            .unwrap()
            .has_cleanup()
    );
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
async fn minus_1001_is_asked_about_once() {
    let bank = Bank::new().await;
    bank.mrs.ends(Ending::Declined(-1001));
    let session = bank.session().await;
    let (status, code, left) = outcome(&bank.submit(&session, "a").await.unwrap());
    assert_eq!((status, code, left), (Status::ErrorEnrollment, Some(-1001), 4));
    assert_eq!(bank.mrs.calls(), [Call::Enroll, Call::Find]);
    assert!(
        bank.intent(&session, "a")
            .await
            .conclusion()
            .unwrap()
            .has_cleanup(),
        "noted all the same"
    );

    bank.mrs.holds(true);
    let session = bank.session().await;
    let (status, code, _) = outcome(&bank.submit(&session, "b").await.unwrap());
    assert_eq!(
        (status, code),
        (Status::SuccessEnrollment, None),
        "what it holds counts, not what it said"
    );
    assert_eq!(bank.mrs.calls(), [Call::Enroll, Call::Find]);
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
async fn an_answer_of_mrs_is_not_asked_about() {
    for (ending, status, code) in [
        (Ending::Enrolled, Status::SuccessEnrollment, None),
        (Ending::Declined(-52), Status::ErrorEnrollment, Some(-52)),
        (Ending::Declined(-4711), Status::ErrorEnrollment, Some(-4711)),
        (Ending::NotSent, Status::ErrorEnrollment, Some(-1001)),
    ] {
        let bank = Bank::new().await;
        let session = bank.session().await;
        bank.mrs.ends(ending);
        let (told, told_code, _) = outcome(&bank.submit(&session, "a").await.unwrap());
        assert_eq!((told, told_code), (status, code), "{ending:?}");
        assert_eq!(bank.mrs.calls(), [Call::Enroll], "{ending:?}");
        assert!(
            !bank
                .intent(&session, "a")
                .await
                .conclusion()
                .unwrap()
                .has_cleanup(),
            "{ending:?}"
        );
    }
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
async fn the_first_outcome_stands_and_its_card_is_not_cancelled() {
    let bank = Bank::new().await;
    let session = bank.session().await;
    bank.mrs.ends(Ending::NoAnswer);
    bank.submit(&session, "a").await.unwrap();
    // The page has read the open intent; it is settled in time, and the page comes back after the deadline.
    let too_late = bank.intent(&session, "a").await;
    bank.mrs.holds(true);
    bank.clock.advance(LEFT - MILLISECOND);
    bank.look_after(&session, "a").await;
    let first = bank.intent(&session, "a").await;
    assert_eq!(first.outcome().unwrap().status, Status::SuccessEnrollment);
    bank.clock.advance(MILLISECOND);
    bank.mrs.calls();
    let second = bank.decide(too_late).await.unwrap();
    assert_eq!(second.conclusion(), first.conclusion());
    assert_eq!(bank.mrs.calls(), []);
    assert!(bank.mrs.still_holds());
    assert_eq!(bank.cards().await, (1, 0));
    assert_eq!(bank.confirmations().await.len(), 1);
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
async fn the_first_failure_stands_and_a_card_that_came_late_is_cancelled() {
    let bank = Bank::new().await;
    let session = bank.session().await;
    bank.mrs.ends(Ending::NoAnswer);
    bank.submit(&session, "a").await.unwrap();
    let [first, second] = [bank.intent(&session, "a").await, bank.intent(&session, "a").await];
    bank.clock.advance(LEFT);
    let first = bank.decide(first).await.unwrap();
    assert_eq!(first.outcome().unwrap().status, Status::ErrorEnrollment);
    bank.mrs.holds(true);
    let second = bank.decide(second).await.unwrap();
    assert_eq!(second.outcome().unwrap().status, Status::ErrorEnrollment);
    bank.look_after(&session, "a").await;
    assert!(!bank.mrs.still_holds());
    assert_eq!(bank.stored_session(&session).await.failures, 1, "counted once");
    assert_eq!(bank.confirmations().await.len(), 1);
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
async fn a_repeat_while_mrs_is_at_work_is_open_and_then_the_same() {
    let bank = Bank::new().await;
    let session = bank.session().await;
    bank.mrs.waits();
    let work = bank.submit(&session, "a");
    let repeat = async {
        bank.mrs.at_work.notified().await;
        let meanwhile = bank.submit(&session, "a").await.unwrap();
        let other = bank.submit(&session, "b").await;
        bank.mrs.go_on.notify_one();
        (meanwhile, other)
    };
    let (first, (meanwhile, other)) = tokio::join!(work, repeat);
    assert_eq!(meanwhile, SubmitResponse::Open);
    assert!(matches!(other, Err(SubmitError::AttemptOpen)), "{other:?}");
    let first = first.unwrap();
    assert_eq!(outcome(&first).0, Status::SuccessEnrollment);
    assert_eq!(bank.submit(&session, "a").await.unwrap(), first);
    assert_eq!(bank.mrs.calls(), [Call::Enroll]);
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
async fn nobody_else_asks_while_mrs_is_at_work() {
    let bank = Bank::new().await;
    let session = bank.session().await;
    bank.mrs.waits();
    let work = bank.submit(&session, "a");
    let another = async {
        bank.mrs.at_work.notified().await;
        bank.clock.advance(SignedDuration::from_secs(29));
        bank.look_after(&session, "a").await;
        let calls = bank.mrs.calls();
        bank.mrs.go_on.notify_one();
        calls
    };
    let (first, calls) = tokio::join!(work, another);
    assert_eq!(calls, [Call::Enroll]);
    assert_eq!(outcome(&first.unwrap()).0, Status::SuccessEnrollment);
    assert_eq!(bank.cards().await, (1, 0));
    assert_eq!(bank.confirmations().await.len(), 1);
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
async fn an_asker_that_died_keeps_nobody_from_asking() {
    let bank = Bank::new().await;
    let session = bank.session().await;
    bank.mrs.waits();
    tokio::select! {
        answer = bank.submit(&session, "a") => panic!("it waits for MRS: {answer:?}"),
        // The process is no more.
        () = bank.mrs.at_work.notified() => {}
    }
    assert_eq!(bank.mrs.calls(), [Call::Enroll]);
    bank.clock.advance(SignedDuration::from_secs(30));
    bank.look_after(&session, "a").await;
    assert_eq!(bank.mrs.calls(), [Call::Find]);
    let found = bank.submit(&session, "a").await.unwrap();
    assert_eq!(outcome(&found).0, Status::SuccessEnrollment);
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
async fn mrs_is_asked_at_five_times_however_often_the_page_asks() {
    let bank = Bank::new().await;
    let session = bank.session().await;
    bank.mrs.ends(Ending::NoAnswer);
    let begun = bank.clock.now();
    bank.submit(&session, "a").await.unwrap();
    assert_eq!(bank.mrs.calls(), [Call::Enroll, Call::Find]);
    let mut asked = Vec::new();
    let mut woken = vec![bank.wakeups.waits()];
    for second in 9..60 {
        bank.clock.advance_to(begun + SignedDuration::from_secs(second));
        // A page that is impatient, and messages that come twice.
        assert_eq!(bank.submit(&session, "a").await.unwrap(), SubmitResponse::Open);
        assert!(matches!(
            bank.describe(&session).await.unwrap(),
            Description::Attempt(SubmitResponse::Open)
        ));
        for _ in 0..2 {
            bank.look_after(&session, "a").await;
        }
        let calls = bank.mrs.calls();
        if !calls.is_empty() {
            assert_eq!(calls, [Call::Find]);
            asked.push(second);
            woken.push(bank.wakeups.waits());
        }
    }
    assert_eq!(asked, [10, 20, 40], "the first call took the first turn's time");
    let links: Vec<i64> = woken.iter().flatten().map(SignedDuration::as_secs).collect();
    assert_eq!(links, [2, 10, 20, 20], "each asker wakes the next one");
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
async fn a_double_click_gets_one_answer() {
    assert_one_answer(&Bank::new().await).await;
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
async fn a_double_click_gets_one_answer_for_the_last_card_that_is_allowed() {
    assert_one_answer(&Bank::with_program(|program| program.max_cards = 1).await).await;
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
async fn a_double_click_gets_one_answer_for_the_last_attempt_that_is_allowed() {
    assert_one_answer(&Bank::with_program(|program| program.attempts_per_customer_per_hour = 1).await).await;
}

async fn assert_one_answer(bank: &Bank) {
    let session = bank.session().await;
    let [first, second] = bank.submit_twice(&session, "a").await;
    let second = second.unwrap();
    assert_eq!(outcome(&second).0, Status::SuccessEnrollment);
    assert_eq!(first.unwrap(), second);
    assert_eq!(bank.cards().await, (1, 0));
    assert_eq!(
        bank.mrs
            .calls()
            .iter()
            .filter(|call| **call == Call::Enroll)
            .count(),
        1
    );
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
async fn a_page_that_is_loaded_anew_follows_the_open_attempt() {
    let bank = Bank::new().await;
    let session = bank.session().await;
    bank.mrs.ends(Ending::NoAnswer);
    bank.submit(&session, "a").await.unwrap();
    assert!(matches!(
        bank.describe(&session).await.unwrap(),
        Description::Attempt(SubmitResponse::Open)
    ));
    bank.clock.advance(LEFT);
    let Description::Attempt(settled) = bank.describe(&session).await.unwrap() else {
        panic!("it had an attempt")
    };
    assert_eq!(outcome(&settled), (Status::ErrorEnrollment, Some(-1001), 4));
    let Description::Form(form) = bank.describe(&session).await.unwrap() else {
        panic!("it may try again")
    };
    assert_eq!(form.choice.attempts_left, 4);

    bank.mrs.ends(Ending::Enrolled);
    let enrolled = bank.submit(&session, "b").await.unwrap();
    let Description::Attempt(again) = bank.describe(&session).await.unwrap() else {
        panic!("it has its success")
    };
    assert_eq!(again, enrolled);
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
async fn an_attempt_outlives_its_session() {
    let bank = Bank::new().await;
    let session = bank.session().await;
    bank.mrs.ends(Ending::NoAnswer);
    bank.clock.advance(SignedDuration::from_secs(15 * 60 - 1));
    assert_eq!(bank.submit(&session, "a").await.unwrap(), SubmitResponse::Open);
    let expired = bank.submit(&session, "b").await;
    assert!(matches!(expired, Err(SubmitError::SessionEnded)), "{expired:?}");
    assert!(matches!(
        bank.describe(&session).await.unwrap(),
        Description::Attempt(SubmitResponse::Open)
    ));
    bank.clock.advance(LEFT);
    assert_eq!(
        outcome(&bank.submit(&session, "a").await.unwrap()),
        (Status::ErrorEnrollment, Some(-1001), 0)
    );
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
async fn a_session_past_its_end_tells_nothing_of_an_open_attempt() {
    let bank = Bank::new().await;
    let old = bank.card().await;
    let session = bank.session_for(ActionCode::OptOut).await;
    bank.mrs.is_deaf_to(Call::Cancel);
    assert_eq!(
        bank.opt_out(&session, "a", old).await.unwrap(),
        SubmitResponse::Open
    );
    bank.mrs.hears_again();
    bank.mrs.calls();
    let expires_at = bank.stored_session(&session).await.expires_at;
    bank.clock.advance_to(expires_at + GRACE - MILLISECOND);
    assert_eq!(
        outcome(&bank.opt_out(&session, "a", old).await.unwrap()),
        (Status::ErrorRemoval, Some(-1001), 0)
    );
    bank.clock.advance(MILLISECOND);
    for _ in 0..3 {
        let repeated = bank.opt_out(&session, "a", old).await;
        assert!(matches!(repeated, Err(SubmitError::SessionEnded)), "{repeated:?}");
        let described = bank.describe_for(ActionCode::OptOut, &session).await;
        assert!(
            matches!(described, Err(SubmitError::SessionEnded)),
            "{described:?}"
        );
        bank.clock.advance(SignedDuration::from_hours(20));
    }
    assert_eq!(bank.mrs.calls(), [], "nobody asks for its sake");
    bank.look_after(&session, "a").await;
    assert!(!bank.mrs.still_holds(), "settlement goes on");
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
async fn the_last_failure_is_shown_for_five_minutes_more() {
    let bank = Bank::new().await;
    let session = bank.session().await;
    bank.mrs.ends(Ending::Declined(-45));
    bank.submit(&session, "a").await.unwrap();
    bank.clock.advance(LIFETIME);
    let Description::Attempt(shown) = bank.describe(&session).await.unwrap() else {
        panic!("nothing may be begun any more")
    };
    assert_eq!(outcome(&shown), (Status::ErrorEnrollment, Some(-45), 0));
    bank.clock.advance(GRACE);
    assert!(matches!(
        bank.describe(&session).await,
        Err(SubmitError::SessionEnded)
    ));
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
async fn an_open_attempt_takes_up_a_card_of_the_limit() {
    let bank = Bank::with_program(|program| program.max_cards = 1).await;
    let session = bank.session().await;
    bank.mrs.ends(Ending::NoAnswer);
    bank.submit(&session, "a").await.unwrap();
    assert_eq!(bank.cards().await, (0, 1));
    bank.mrs.calls();

    let other = bank.session().await;
    let (status, code, _) = outcome(&bank.submit(&other, "b").await.unwrap());
    assert_eq!((status, code), (Status::ErrorEnrollment, None));
    assert_eq!(bank.mrs.calls(), []);

    bank.clock.advance(LEFT);
    bank.submit(&session, "a").await.unwrap();
    bank.mrs.ends(Ending::Enrolled);
    let (status, ..) = outcome(&bank.submit(&other, "c").await.unwrap());
    assert_eq!(status, Status::SuccessEnrollment, "the failure made room");
    assert_eq!(bank.cards().await, (1, 0));
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
async fn the_confirmation_says_what_the_page_says() {
    let bank = Bank::new().await;
    let session = bank.session().await;
    bank.mrs.ends(Ending::Declined(-45));
    let SubmitResponse::Ended { ending, .. } = bank.submit(&session, "a").await.unwrap() else {
        panic!("it has ended")
    };
    let told = bank.confirmations().await;
    assert_eq!(
        told,
        [serde_json::from_str::<serde_json::Value>(&ending.to_json()).unwrap()]
    );
    assert_eq!(told[0]["statusCode"], json!("-45"));

    bank.mrs.ends(Ending::NoAnswer);
    bank.submit(&session, "b").await.unwrap();
    assert_eq!(
        bank.confirmations().await.len(),
        1,
        "an open outcome is not confirmed"
    );
    bank.mrs.holds(true);
    bank.clock.advance(SignedDuration::from_secs(2));
    bank.look_after(&session, "b").await;
    let SubmitResponse::Ended { ending, .. } = bank.submit(&session, "b").await.unwrap() else {
        panic!("it has ended")
    };
    let told = bank.confirmations().await;
    assert_eq!(told.len(), 2);
    assert!(told.contains(&serde_json::from_str(&ending.to_json()).unwrap()));
}

/// Status, code and attempts left of what has ended.
fn outcome(submitted: &SubmitResponse) -> (Status, Option<i32>, u32) {
    match submitted {
        SubmitResponse::Ended {
            ending,
            attempts_left,
            ..
        } => (
            ending.status,
            ending.code.map(|MrsCode(code)| code),
            *attempts_left,
        ),
        SubmitResponse::Open => panic!("it has not ended"),
    }
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
async fn a_session_says_how_it_ended_for_a_while_after_its_time_and_then_no_more() {
    let bank = Bank::new().await;
    let session = bank.session().await;
    bank.mrs.ends(Ending::Enrolled);
    bank.submit(&session, "a").await.unwrap();
    bank.clock.advance(LIFETIME + GRACE - MILLISECOND);
    assert!(matches!(
        bank.describe(&session).await,
        Ok(Description::Attempt(_))
    ));
    bank.clock.advance(MILLISECOND);
    assert!(matches!(
        bank.describe(&session).await,
        Err(SubmitError::SessionEnded)
    ));
}

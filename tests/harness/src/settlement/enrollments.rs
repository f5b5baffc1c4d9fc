//! Enrollments that MRS does not answer.

use enrollment::action::ActionCode;
use enrollment::clock::Clock as _;
use enrollment::flows::describe::Description;
use enrollment::flows::submit::{SubmitError, SubmitResponse};
use enrollment::session::{GRACE, LIFETIME};
use enrollment::status::{MrsCode, Status};
use jiff::SignedDuration;
use serde_json::json;

use crate::fixture::Fixture;
use crate::scripted_mrs::{Call, EnrollmentAnswer, LAST4, RANAC};
use crate::stores::Backend;

/// The 60 s of the deadline without the 8 s that a call without an answer took.
pub(super) const LEFT: SignedDuration = SignedDuration::from_secs(52);
pub(super) const MILLISECOND: SignedDuration = SignedDuration::from_millis(1);

pub async fn decided_at_the_deadline_and_not_before(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let session = fixture.session().await;
    fixture.mrs.answers_enrollment(EnrollmentAnswer::NoAnswer);
    assert_eq!(fixture.submit(&session, "a").await.unwrap(), SubmitResponse::Open);
    assert_eq!(fixture.mrs.take_calls(), [Call::Enroll, Call::Find]);
    fixture.clock.advance(LEFT - MILLISECOND);
    assert_eq!(fixture.submit(&session, "a").await.unwrap(), SubmitResponse::Open);
    fixture.clock.advance(MILLISECOND);
    let (status, code, left) = outcome(&fixture.submit(&session, "a").await.unwrap());
    assert_eq!((status, code, left), (Status::ErrorEnrollment, Some(-1001), 4));
    assert_eq!(
        fixture.mrs.take_calls(),
        [],
        "never enrolled again, and nobody asks for the page's sake"
    );
    assert_eq!(fixture.cards().await, (0, 0));
    assert!(
        fixture
            .intent(&session, "a")
            .await
            .conclusion()
            .unwrap()
            .has_cleanup(),
        "MRS may yet come to hold it"
    );
}

pub async fn found_before_the_deadline_is_a_success(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let session = fixture.session().await;
    fixture.mrs.answers_enrollment(EnrollmentAnswer::NoAnswer);
    fixture.submit(&session, "a").await.unwrap();
    fixture.mrs.has_card(true);
    fixture.clock.advance(LEFT - MILLISECOND);
    fixture.resume(&session, "a").await;
    let SubmitResponse::Ended {
        ending,
        attempts_left,
        ..
    } = fixture.submit(&session, "a").await.unwrap()
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
    assert!(fixture.mrs.is_card_active());
    assert_eq!(fixture.cards().await, (1, 0));
}

pub async fn found_after_the_deadline_is_cancelled(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let session = fixture.session().await;
    fixture.mrs.answers_enrollment(EnrollmentAnswer::NoAnswer);
    fixture.submit(&session, "a").await.unwrap();
    fixture.mrs.has_card(true);
    fixture.clock.advance(LEFT);
    fixture.mrs.take_calls();
    let (status, code, _) = outcome(&fixture.submit(&session, "a").await.unwrap());
    assert_eq!((status, code), (Status::ErrorEnrollment, Some(-1001)));
    assert_eq!(
        fixture.mrs.take_calls(),
        [],
        "it changes nothing, and the customer waits"
    );
    fixture.resume(&session, "a").await;
    assert_eq!(fixture.mrs.take_calls(), [Call::Find, Call::Cancel]);
    assert!(!fixture.mrs.is_card_active());
    let intent = fixture.intent(&session, "a").await;
    assert!(
        !intent.conclusion().unwrap().has_cleanup(),
        "nothing is left to clean up"
    );
    assert_eq!(intent.outcome().unwrap().ranac, None);
    assert_eq!(fixture.cards().await, (0, 0));
}

pub async fn failed_cancellation_is_tried_again(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let session = fixture.session().await;
    fixture.mrs.answers_enrollment(EnrollmentAnswer::NoAnswer);
    fixture.submit(&session, "a").await.unwrap();
    fixture.mrs.has_card(true);
    fixture.mrs.ignores(Call::Cancel);
    fixture.clock.advance(LEFT);
    let (status, ..) = outcome(&fixture.submit(&session, "a").await.unwrap());
    assert_eq!(status, Status::ErrorEnrollment);
    for _ in 0..9 {
        fixture.resume(&session, "a").await;
        assert!(
            fixture
                .intent(&session, "a")
                .await
                .conclusion()
                .unwrap()
                .has_cleanup()
        );
        assert!(fixture.mrs.is_card_active());
        fixture.clock.advance(SignedDuration::from_hours(24));
    }
    fixture.mrs.recovers();
    fixture.resume(&session, "a").await;
    assert!(!fixture.mrs.is_card_active(), "however long it took");
    assert!(
        !fixture
            .intent(&session, "a")
            .await
            .conclusion()
            .unwrap()
            .has_cleanup()
    );
}

pub async fn deadline_decides_while_mrs_is_down(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let session = fixture.session().await;
    fixture.mrs.answers_enrollment(EnrollmentAnswer::NoAnswer);
    fixture.mrs.ignores(Call::Find);
    assert_eq!(fixture.submit(&session, "a").await.unwrap(), SubmitResponse::Open);
    fixture.clock.advance(LEFT - MILLISECOND);
    assert_eq!(fixture.submit(&session, "a").await.unwrap(), SubmitResponse::Open);
    fixture.clock.advance(MILLISECOND);
    let (status, code, _) = outcome(&fixture.submit(&session, "a").await.unwrap());
    assert_eq!((status, code), (Status::ErrorEnrollment, Some(-1001)));
    assert!(
        fixture
            .intent(&session, "a")
            .await
            .conclusion()
            .unwrap()
            .has_cleanup()
    );
}

pub async fn server_error_is_looked_up_once(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    fixture.mrs.answers_enrollment(EnrollmentAnswer::Declined(-1001));
    let session = fixture.session().await;
    let (status, code, left) = outcome(&fixture.submit(&session, "a").await.unwrap());
    assert_eq!((status, code, left), (Status::ErrorEnrollment, Some(-1001), 4));
    assert_eq!(fixture.mrs.take_calls(), [Call::Enroll, Call::Find]);
    assert!(
        fixture
            .intent(&session, "a")
            .await
            .conclusion()
            .unwrap()
            .has_cleanup(),
        "noted all the same"
    );

    fixture.mrs.has_card(true);
    let session = fixture.session().await;
    let (status, code, _) = outcome(&fixture.submit(&session, "b").await.unwrap());
    assert_eq!(
        (status, code),
        (Status::SuccessEnrollment, None),
        "what it holds counts, not what it said"
    );
    assert_eq!(fixture.mrs.take_calls(), [Call::Enroll, Call::Find]);
}

pub async fn answered_enrollment_is_not_looked_up(backend: &dyn Backend) {
    for (ending, status, code) in [
        (EnrollmentAnswer::Enrolled, Status::SuccessEnrollment, None),
        (
            EnrollmentAnswer::Declined(-52),
            Status::ErrorEnrollment,
            Some(-52),
        ),
        (
            EnrollmentAnswer::Declined(-4711),
            Status::ErrorEnrollment,
            Some(-4711),
        ),
        (EnrollmentAnswer::NotSent, Status::ErrorEnrollment, Some(-1001)),
    ] {
        let fixture = Fixture::new(backend).await;
        let session = fixture.session().await;
        fixture.mrs.answers_enrollment(ending);
        let (answered, answered_code, _) = outcome(&fixture.submit(&session, "a").await.unwrap());
        assert_eq!((answered, answered_code), (status, code), "{ending:?}");
        assert_eq!(fixture.mrs.take_calls(), [Call::Enroll], "{ending:?}");
        assert!(
            !fixture
                .intent(&session, "a")
                .await
                .conclusion()
                .unwrap()
                .has_cleanup(),
            "{ending:?}"
        );
    }
}

pub async fn first_success_stands(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let session = fixture.session().await;
    fixture.mrs.answers_enrollment(EnrollmentAnswer::NoAnswer);
    fixture.submit(&session, "a").await.unwrap();
    // The page has read the open intent; it is settled in time, and the page comes back after the deadline.
    let too_late = fixture.intent(&session, "a").await;
    fixture.mrs.has_card(true);
    fixture.clock.advance(LEFT - MILLISECOND);
    fixture.resume(&session, "a").await;
    let first = fixture.intent(&session, "a").await;
    assert_eq!(first.outcome().unwrap().status, Status::SuccessEnrollment);
    fixture.clock.advance(MILLISECOND);
    fixture.mrs.take_calls();
    let second = fixture.decide(too_late).await.unwrap();
    assert_eq!(second.conclusion(), first.conclusion());
    assert_eq!(fixture.mrs.take_calls(), []);
    assert!(fixture.mrs.is_card_active());
    assert_eq!(fixture.cards().await, (1, 0));
    assert_eq!(fixture.confirmations().await.len(), 1);
}

pub async fn first_failure_stands_and_late_card_is_cancelled(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let session = fixture.session().await;
    fixture.mrs.answers_enrollment(EnrollmentAnswer::NoAnswer);
    fixture.submit(&session, "a").await.unwrap();
    let [first, second] = [
        fixture.intent(&session, "a").await,
        fixture.intent(&session, "a").await,
    ];
    fixture.clock.advance(LEFT);
    let first = fixture.decide(first).await.unwrap();
    assert_eq!(first.outcome().unwrap().status, Status::ErrorEnrollment);
    fixture.mrs.has_card(true);
    let second = fixture.decide(second).await.unwrap();
    assert_eq!(second.outcome().unwrap().status, Status::ErrorEnrollment);
    fixture.resume(&session, "a").await;
    assert!(!fixture.mrs.is_card_active());
    assert_eq!(fixture.stored_session(&session).await.failures, 1, "counted once");
    assert_eq!(fixture.confirmations().await.len(), 1);
}

pub async fn repeat_is_open_then_equal_to_the_first(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let session = fixture.session().await;
    fixture.mrs.blocks();
    let work = fixture.submit(&session, "a");
    let repeat = async {
        fixture.mrs.working.notified().await;
        let meanwhile = fixture.submit(&session, "a").await.unwrap();
        let other = fixture.submit(&session, "b").await;
        fixture.mrs.unblock.notify_one();
        (meanwhile, other)
    };
    let (first, (meanwhile, other)) = tokio::join!(work, repeat);
    assert_eq!(meanwhile, SubmitResponse::Open);
    assert!(matches!(other, Err(SubmitError::AttemptOpen)), "{other:?}");
    let first = first.unwrap();
    assert_eq!(outcome(&first).0, Status::SuccessEnrollment);
    assert_eq!(fixture.submit(&session, "a").await.unwrap(), first);
    assert_eq!(fixture.mrs.take_calls(), [Call::Enroll]);
}

pub async fn no_second_call_during_the_lease(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let session = fixture.session().await;
    fixture.mrs.blocks();
    let work = fixture.submit(&session, "a");
    let another = async {
        fixture.mrs.working.notified().await;
        fixture.clock.advance(SignedDuration::from_secs(29));
        fixture.resume(&session, "a").await;
        let calls = fixture.mrs.take_calls();
        fixture.mrs.unblock.notify_one();
        calls
    };
    let (first, calls) = tokio::join!(work, another);
    assert_eq!(calls, [Call::Enroll]);
    assert_eq!(outcome(&first.unwrap()).0, Status::SuccessEnrollment);
    assert_eq!(fixture.cards().await, (1, 0));
    assert_eq!(fixture.confirmations().await.len(), 1);
}

pub async fn expired_lease_is_taken_over(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let session = fixture.session().await;
    fixture.mrs.blocks();
    tokio::select! {
        answer = fixture.submit(&session, "a") => panic!("it waits for MRS: {answer:?}"),
        // The process is no more.
        () = fixture.mrs.working.notified() => {}
    }
    assert_eq!(fixture.mrs.take_calls(), [Call::Enroll]);
    fixture.clock.advance(SignedDuration::from_secs(30));
    fixture.resume(&session, "a").await;
    assert_eq!(fixture.mrs.take_calls(), [Call::Find]);
    let found = fixture.submit(&session, "a").await.unwrap();
    assert_eq!(outcome(&found).0, Status::SuccessEnrollment);
}

pub async fn page_polling_adds_no_calls_to_mrs(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let session = fixture.session().await;
    fixture.mrs.answers_enrollment(EnrollmentAnswer::NoAnswer);
    let begun = fixture.clock.now();
    fixture.submit(&session, "a").await.unwrap();
    assert_eq!(fixture.mrs.take_calls(), [Call::Enroll, Call::Find]);
    let mut asked = Vec::new();
    let mut woken = vec![fixture.wakeups.take_waits()];
    for second in 9..60 {
        fixture
            .clock
            .advance_to(begun + SignedDuration::from_secs(second));
        // A page that is impatient, and messages that come twice.
        assert_eq!(fixture.submit(&session, "a").await.unwrap(), SubmitResponse::Open);
        assert!(matches!(
            fixture.describe(&session).await.unwrap(),
            Description::Attempt(SubmitResponse::Open)
        ));
        for _ in 0..2 {
            fixture.resume(&session, "a").await;
        }
        let calls = fixture.mrs.take_calls();
        if !calls.is_empty() {
            assert_eq!(calls, [Call::Find]);
            asked.push(second);
            woken.push(fixture.wakeups.take_waits());
        }
    }
    assert_eq!(asked, [10, 20, 40], "the first call took the first turn's time");
    let links: Vec<i64> = woken.iter().flatten().map(SignedDuration::as_secs).collect();
    assert_eq!(links, [2, 10, 20, 20], "each asker wakes the next one");
}

pub async fn double_click_gets_one_answer(backend: &dyn Backend) {
    assert_one_answer(&Fixture::new(backend).await).await;
}

pub async fn double_click_at_the_card_limit(backend: &dyn Backend) {
    assert_one_answer(&Fixture::with_program(backend, |program| program.max_cards = 1).await).await;
}

pub async fn double_click_at_the_attempt_limit(backend: &dyn Backend) {
    assert_one_answer(
        &Fixture::with_program(backend, |program| program.attempts_per_customer_per_hour = 1).await,
    )
    .await;
}

async fn assert_one_answer(fixture: &Fixture) {
    let session = fixture.session().await;
    let [first, second] = fixture.submit_twice(&session, "a").await;
    let second = second.unwrap();
    assert_eq!(outcome(&second).0, Status::SuccessEnrollment);
    assert_eq!(first.unwrap(), second);
    assert_eq!(fixture.cards().await, (1, 0));
    assert_eq!(
        fixture
            .mrs
            .take_calls()
            .iter()
            .filter(|call| **call == Call::Enroll)
            .count(),
        1
    );
}

pub async fn reloaded_page_follows_the_open_attempt(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let session = fixture.session().await;
    fixture.mrs.answers_enrollment(EnrollmentAnswer::NoAnswer);
    fixture.submit(&session, "a").await.unwrap();
    assert!(matches!(
        fixture.describe(&session).await.unwrap(),
        Description::Attempt(SubmitResponse::Open)
    ));
    fixture.clock.advance(LEFT);
    let Description::Attempt(settled) = fixture.describe(&session).await.unwrap() else {
        panic!("it had an attempt")
    };
    assert_eq!(outcome(&settled), (Status::ErrorEnrollment, Some(-1001), 4));
    let Description::Form(form) = fixture.describe(&session).await.unwrap() else {
        panic!("it may try again")
    };
    assert_eq!(form.choice.attempts_left, 4);

    fixture.mrs.answers_enrollment(EnrollmentAnswer::Enrolled);
    let enrolled = fixture.submit(&session, "b").await.unwrap();
    let Description::Attempt(again) = fixture.describe(&session).await.unwrap() else {
        panic!("it has its success")
    };
    assert_eq!(again, enrolled);
}

pub async fn attempt_outlives_its_session(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let session = fixture.session().await;
    fixture.mrs.answers_enrollment(EnrollmentAnswer::NoAnswer);
    fixture.clock.advance(SignedDuration::from_secs(15 * 60 - 1));
    assert_eq!(fixture.submit(&session, "a").await.unwrap(), SubmitResponse::Open);
    let expired = fixture.submit(&session, "b").await;
    assert!(matches!(expired, Err(SubmitError::SessionEnded)), "{expired:?}");
    assert!(matches!(
        fixture.describe(&session).await.unwrap(),
        Description::Attempt(SubmitResponse::Open)
    ));
    fixture.clock.advance(LEFT);
    assert_eq!(
        outcome(&fixture.submit(&session, "a").await.unwrap()),
        (Status::ErrorEnrollment, Some(-1001), 0)
    );
}

pub async fn expired_session_hides_an_open_attempt(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let old = fixture.card().await;
    let session = fixture.session_for(ActionCode::OptOut).await;
    fixture.mrs.ignores(Call::Cancel);
    assert_eq!(
        fixture.opt_out(&session, "a", old).await.unwrap(),
        SubmitResponse::Open
    );
    fixture.mrs.recovers();
    fixture.mrs.take_calls();
    let expires_at = fixture.stored_session(&session).await.expires_at;
    fixture.clock.advance_to(expires_at + GRACE - MILLISECOND);
    assert_eq!(
        outcome(&fixture.opt_out(&session, "a", old).await.unwrap()),
        (Status::ErrorRemoval, Some(-1001), 0)
    );
    fixture.clock.advance(MILLISECOND);
    for _ in 0..3 {
        let repeated = fixture.opt_out(&session, "a", old).await;
        assert!(matches!(repeated, Err(SubmitError::SessionEnded)), "{repeated:?}");
        let described = fixture.describe_for(ActionCode::OptOut, &session).await;
        assert!(
            matches!(described, Err(SubmitError::SessionEnded)),
            "{described:?}"
        );
        fixture.clock.advance(SignedDuration::from_hours(20));
    }
    assert_eq!(fixture.mrs.take_calls(), [], "nobody asks for its sake");
    fixture.resume(&session, "a").await;
    assert!(!fixture.mrs.is_card_active(), "settlement goes on");
}

pub async fn last_failure_is_shown_for_the_grace_period(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let session = fixture.session().await;
    fixture.mrs.answers_enrollment(EnrollmentAnswer::Declined(-45));
    fixture.submit(&session, "a").await.unwrap();
    fixture.clock.advance(LIFETIME);
    let Description::Attempt(shown) = fixture.describe(&session).await.unwrap() else {
        panic!("nothing may be begun any more")
    };
    assert_eq!(outcome(&shown), (Status::ErrorEnrollment, Some(-45), 0));
    fixture.clock.advance(GRACE);
    assert!(matches!(
        fixture.describe(&session).await,
        Err(SubmitError::SessionEnded)
    ));
}

pub async fn open_attempt_counts_toward_the_card_limit(backend: &dyn Backend) {
    let fixture = Fixture::with_program(backend, |program| program.max_cards = 1).await;
    let session = fixture.session().await;
    fixture.mrs.answers_enrollment(EnrollmentAnswer::NoAnswer);
    fixture.submit(&session, "a").await.unwrap();
    assert_eq!(fixture.cards().await, (0, 1));
    fixture.mrs.take_calls();

    let other = fixture.session().await;
    let (status, code, _) = outcome(&fixture.submit(&other, "b").await.unwrap());
    assert_eq!((status, code), (Status::ErrorEnrollment, None));
    assert_eq!(fixture.mrs.take_calls(), []);

    fixture.clock.advance(LEFT);
    fixture.submit(&session, "a").await.unwrap();
    fixture.mrs.answers_enrollment(EnrollmentAnswer::Enrolled);
    let (status, ..) = outcome(&fixture.submit(&other, "c").await.unwrap());
    assert_eq!(status, Status::SuccessEnrollment, "the failure made room");
    assert_eq!(fixture.cards().await, (1, 0));
}

pub async fn confirmation_matches_the_page(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let session = fixture.session().await;
    fixture.mrs.answers_enrollment(EnrollmentAnswer::Declined(-45));
    let SubmitResponse::Ended { ending, .. } = fixture.submit(&session, "a").await.unwrap() else {
        panic!("it has ended")
    };
    let sent = fixture.confirmations().await;
    assert_eq!(
        sent,
        [serde_json::from_str::<serde_json::Value>(&ending.to_json()).unwrap()]
    );
    assert_eq!(sent[0]["statusCode"], json!("-45"));

    fixture.mrs.answers_enrollment(EnrollmentAnswer::NoAnswer);
    fixture.submit(&session, "b").await.unwrap();
    assert_eq!(
        fixture.confirmations().await.len(),
        1,
        "an open outcome is not confirmed"
    );
    fixture.mrs.has_card(true);
    fixture.clock.advance(SignedDuration::from_secs(2));
    fixture.resume(&session, "b").await;
    let SubmitResponse::Ended { ending, .. } = fixture.submit(&session, "b").await.unwrap() else {
        panic!("it has ended")
    };
    let sent = fixture.confirmations().await;
    assert_eq!(sent.len(), 2);
    assert!(sent.contains(&serde_json::from_str(&ending.to_json()).unwrap()));
}

/// Status, code and attempts left of what has ended.
pub(super) fn outcome(submitted: &SubmitResponse) -> (Status, Option<i32>, u32) {
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

pub async fn success_is_shown_for_the_grace_period(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let session = fixture.session().await;
    fixture.mrs.answers_enrollment(EnrollmentAnswer::Enrolled);
    fixture.submit(&session, "a").await.unwrap();
    fixture.clock.advance(LIFETIME + GRACE - MILLISECOND);
    assert!(matches!(
        fixture.describe(&session).await,
        Ok(Description::Attempt(_))
    ));
    fixture.clock.advance(MILLISECOND);
    assert!(matches!(
        fixture.describe(&session).await,
        Err(SubmitError::SessionEnded)
    ));
}

//! Look-ups: the intent that a card belongs to, and answers that prove nothing.

use enrollment::client::{BankCustomerNumberKind, Program};
use enrollment::look_up::{Account, AccountStatus, LookUp};
use enrollment::status::Status;
use jiff::SignedDuration;

use super::enrollments::{LEFT, outcome};
use crate::fixture::Fixture;
use crate::scripted_mrs::{Call, EnrollmentAnswer, RANAC, active};
use crate::stores::Backend;

/// Last four digits of the card, as the page gives them.
const CLAIMED: &str = "0123";

async fn with_number_of_customer(backend: &dyn Backend) -> Fixture {
    let by_customer =
        |program: &mut Program| program.bank_customer_number = BankCustomerNumberKind::CustomerId;
    Fixture::with_program(backend, by_customer).await
}

/// The customer's card in another program of the same client, which MRS has under the same number.
fn elsewhere() -> Account {
    Account {
        program: Some("20765".into()),
        ..active("99999999999999999999", CLAIMED)
    }
}

pub async fn active_card_under_the_number_declines(backend: &dyn Backend) {
    let fixture = with_number_of_customer(backend).await;
    let session = fixture.session().await;
    fixture.mrs.has_card(true);
    fixture.mrs.answers_enrollment(EnrollmentAnswer::NoAnswer);
    let (status, code, _) = outcome(&fixture.submit(&session, "a").await.unwrap());
    assert_eq!((status, code), (Status::ErrorEnrollment, Some(-50)));
    assert_eq!(
        fixture.mrs.take_calls(),
        [Call::Find],
        "nothing is enrolled or cancelled"
    );
    assert!(fixture.mrs.is_card_active());
    assert_eq!(fixture.cards().await, (0, 0));
}

pub async fn card_of_another_program_is_never_cancelled(backend: &dyn Backend) {
    let fixture = with_number_of_customer(backend).await;
    let session = fixture.session().await;
    fixture.mrs.also_lists(vec![elsewhere()]);
    fixture.mrs.answers_enrollment(EnrollmentAnswer::NoAnswer);
    fixture.submit(&session, "a").await.unwrap();
    assert_eq!(fixture.mrs.take_calls(), [Call::Find, Call::Enroll, Call::Find]);
    let intent = fixture.intent(&session, "a").await;
    assert_eq!(intent.outcome(), None, "it is not taken for the new card");
    assert_eq!(intent.inquiry.present_before.map(|ranacs| ranacs.len()), Some(1));
    fixture.clock.advance(LEFT);
    for _ in 0..9 {
        fixture.resume(&session, "a").await;
        fixture.clock.advance(SignedDuration::from_hours(24));
    }
    assert!(
        !fixture
            .intent(&session, "a")
            .await
            .conclusion()
            .unwrap()
            .has_cleanup(),
        "a week without a trace"
    );
    assert_eq!(fixture.mrs.cancelled(), Vec::<String>::new());
}

pub async fn card_is_identified_by_program_and_digits(backend: &dyn Backend) {
    let fixture = with_number_of_customer(backend).await;
    let session = fixture.session().await;
    fixture.mrs.also_lists(vec![elsewhere()]);
    fixture.mrs.answers_enrollment(EnrollmentAnswer::NoAnswer);
    fixture.submit(&session, "a").await.unwrap();
    let without_program = Account {
        program: None,
        ..active(RANAC, CLAIMED)
    };
    let mut at = SignedDuration::from_secs(10);
    fixture.clock.advance(SignedDuration::from_secs(2));
    for unclear in [
        without_program,
        Account {
            last4: None,
            ..active(RANAC, CLAIMED)
        },
    ] {
        fixture.mrs.also_lists(vec![elsewhere(), unclear.clone()]);
        fixture.resume(&session, "a").await;
        let intent = fixture.intent(&session, "a").await;
        assert_eq!(intent.outcome(), None, "{unclear:?}");
        assert!(intent.inquiry.unknown_since.is_some(), "{unclear:?}");
        fixture.clock.advance(at);
        at = at + at;
    }
    fixture.mrs.also_lists(vec![elsewhere(), active(RANAC, CLAIMED)]);
    fixture.resume(&session, "a").await;
    let found = fixture.submit(&session, "a").await.unwrap();
    assert_eq!(outcome(&found).0, Status::SuccessEnrollment);
    let intent = fixture.intent(&session, "a").await;
    assert_eq!(intent.outcome().cloned().unwrap().ranac.unwrap().expose(), RANAC);
    assert_eq!(intent.inquiry.unknown_since, None);
}

pub async fn unclear_look_up_enrolls_nothing(backend: &dyn Backend) {
    for unclear in [
        LookUp::Unknown("no list".into()),
        LookUp::Listed(vec![Account {
            status: AccountStatus::Unknown,
            ..elsewhere()
        }]),
    ] {
        let fixture = with_number_of_customer(backend).await;
        let session = fixture.session().await;
        fixture.mrs.answers_look_ups([unclear.clone()]);
        let (status, code, _) = outcome(&fixture.submit(&session, "a").await.unwrap());
        assert_eq!(
            (status, code),
            (Status::ErrorEnrollment, Some(-1001)),
            "{unclear:?}"
        );
        assert_eq!(fixture.mrs.take_calls(), [Call::Find]);
    }
}

pub async fn unknown_number_is_new(backend: &dyn Backend) {
    let fixture = with_number_of_customer(backend).await;
    let session = fixture.session().await;
    fixture.mrs.answers_look_ups([LookUp::NotFound]);
    let (status, ..) = outcome(&fixture.submit(&session, "a").await.unwrap());
    assert_eq!(status, Status::SuccessEnrollment);
    assert_eq!(fixture.mrs.take_calls(), [Call::Find, Call::Enroll]);
}

pub async fn cleanup_ends_by_proof_only(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let session = fixture.session().await;
    fixture.mrs.answers_enrollment(EnrollmentAnswer::NoAnswer);
    fixture.submit(&session, "a").await.unwrap();
    fixture.clock.advance(LEFT);
    let is_left = async || {
        fixture
            .intent(&session, "a")
            .await
            .conclusion()
            .unwrap()
            .has_cleanup()
    };
    fixture.submit(&session, "a").await.unwrap();
    let nonsense = LookUp::Unknown("no list".into());
    fixture.mrs.answers_look_ups(std::iter::repeat_n(nonsense, 20));
    for _ in 0..9 {
        fixture.resume(&session, "a").await;
        assert!(is_left().await, "not even after a week");
        fixture.clock.advance(SignedDuration::from_hours(24));
    }
    let swept = fixture.sweep().await;
    assert_eq!(
        (swept.resumed, swept.unknown_for_long),
        (1, 1),
        "the operator is notified"
    );
    fixture.clock.advance(SignedDuration::from_hours(6));
    let since = fixture.intent(&session, "a").await.inquiry.unknown_since.unwrap();
    assert!(since < fixture.intent(&session, "a").await.created_at + SignedDuration::from_mins(2));
    let cancelled = Account {
        status: AccountStatus::Cancelled,
        ..active(RANAC, CLAIMED)
    };
    fixture.mrs.answers_look_ups([LookUp::Listed(vec![cancelled])]);
    fixture.resume(&session, "a").await;
    assert!(!is_left().await, "MRS has cancelled it already");
}

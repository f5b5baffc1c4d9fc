//! What a look-up proves: whose a card is, and what is unknown.

use enrollment::client::{BankCustomerNumberKind, Program};
use enrollment::look_up::{Account, AccountStatus, LookUp};
use enrollment::status::Status;
use jiff::SignedDuration;

use super::bank::Bank;
use super::scripted_mrs::{Call, Ending, RANAC, active};
use super::{LEFT, outcome};

/// What the page gives as the card's last four digits.
const CLAIMED: &str = "0123";

async fn with_number_of_customer() -> Bank {
    let by_customer =
        |program: &mut Program| program.bank_customer_number = BankCustomerNumberKind::CustomerId;
    Bank::with_program(by_customer).await
}

/// The customer's card in another program of the same client, which MRS has under the same number.
fn elsewhere() -> Account {
    Account {
        program: Some("20765".into()),
        ..active("99999999999999999999", CLAIMED)
    }
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
async fn a_card_under_the_customers_number_refuses_another() {
    let bank = with_number_of_customer().await;
    let session = bank.session().await;
    bank.mrs.holds(true);
    bank.mrs.ends(Ending::NoAnswer);
    let (status, code, _) = outcome(&bank.submit(&session, "a").await.unwrap());
    assert_eq!((status, code), (Status::ErrorEnrollment, Some(-50)));
    assert_eq!(bank.mrs.calls(), [Call::Find], "nothing is enrolled or cancelled");
    assert!(bank.mrs.still_holds());
    assert_eq!(bank.cards().await, (0, 0));
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
async fn another_programs_card_of_the_customer_is_never_cancelled() {
    let bank = with_number_of_customer().await;
    let session = bank.session().await;
    bank.mrs.also_lists(vec![elsewhere()]);
    bank.mrs.ends(Ending::NoAnswer);
    bank.submit(&session, "a").await.unwrap();
    assert_eq!(bank.mrs.calls(), [Call::Find, Call::Enroll, Call::Find]);
    let intent = bank.intent(&session, "a").await;
    assert_eq!(intent.outcome(), None, "it is not taken for the new card");
    assert_eq!(intent.inquiry.present_before.map(|ranacs| ranacs.len()), Some(1));
    bank.clock.advance(LEFT);
    for _ in 0..9 {
        bank.look_after(&session, "a").await;
        bank.clock.advance(SignedDuration::from_hours(24));
    }
    assert!(
        !bank
            .intent(&session, "a")
            .await
            .conclusion()
            .unwrap()
            .has_cleanup(),
        "a week without a trace"
    );
    assert_eq!(bank.mrs.cancelled(), Vec::<String>::new());
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
async fn the_customers_own_card_is_told_by_program_and_digits() {
    let bank = with_number_of_customer().await;
    let session = bank.session().await;
    bank.mrs.also_lists(vec![elsewhere()]);
    bank.mrs.ends(Ending::NoAnswer);
    bank.submit(&session, "a").await.unwrap();
    let without_program = Account {
        program: None,
        ..active(RANAC, CLAIMED)
    };
    let mut at = SignedDuration::from_secs(10);
    bank.clock.advance(SignedDuration::from_secs(2));
    for unclear in [
        without_program,
        Account {
            last4: None,
            ..active(RANAC, CLAIMED)
        },
    ] {
        bank.mrs.also_lists(vec![elsewhere(), unclear.clone()]);
        bank.look_after(&session, "a").await;
        let intent = bank.intent(&session, "a").await;
        assert_eq!(intent.outcome(), None, "{unclear:?}");
        assert!(intent.inquiry.unknown_since.is_some(), "{unclear:?}");
        bank.clock.advance(at);
        at = at + at;
    }
    bank.mrs.also_lists(vec![elsewhere(), active(RANAC, CLAIMED)]);
    bank.look_after(&session, "a").await;
    let found = bank.submit(&session, "a").await.unwrap();
    assert_eq!(outcome(&found).0, Status::SuccessEnrollment);
    let intent = bank.intent(&session, "a").await;
    assert_eq!(intent.outcome().cloned().unwrap().ranac.unwrap().expose(), RANAC);
    assert_eq!(intent.inquiry.unknown_since, None);
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
async fn what_says_nothing_about_the_number_enrolls_nothing() {
    for unclear in [
        LookUp::Unknown("no list".into()),
        LookUp::Listed(vec![Account {
            status: AccountStatus::Unknown,
            ..elsewhere()
        }]),
    ] {
        let bank = with_number_of_customer().await;
        let session = bank.session().await;
        bank.mrs.says([unclear.clone()]);
        let (status, code, _) = outcome(&bank.submit(&session, "a").await.unwrap());
        assert_eq!(
            (status, code),
            (Status::ErrorEnrollment, Some(-1001)),
            "{unclear:?}"
        );
        assert_eq!(bank.mrs.calls(), [Call::Find]);
    }
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
async fn a_number_that_is_not_found_is_a_new_one() {
    let bank = with_number_of_customer().await;
    let session = bank.session().await;
    bank.mrs.says([LookUp::NotFound]);
    let (status, ..) = outcome(&bank.submit(&session, "a").await.unwrap());
    assert_eq!(status, Status::SuccessEnrollment);
    assert_eq!(bank.mrs.calls(), [Call::Find, Call::Enroll]);
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
async fn a_leftover_is_closed_by_a_statement_and_not_by_nonsense() {
    let bank = Bank::new().await;
    let session = bank.session().await;
    bank.mrs.ends(Ending::NoAnswer);
    bank.submit(&session, "a").await.unwrap();
    bank.clock.advance(LEFT);
    let is_left = async || {
        bank.intent(&session, "a")
            .await
            .conclusion()
            .unwrap()
            .has_cleanup()
    };
    bank.submit(&session, "a").await.unwrap();
    let nonsense = LookUp::Unknown("no list".into());
    bank.mrs.says(std::iter::repeat_n(nonsense, 20));
    for _ in 0..9 {
        bank.look_after(&session, "a").await;
        assert!(is_left().await, "not even after a week");
        bank.clock.advance(SignedDuration::from_hours(24));
    }
    let swept = bank.sweep().await;
    assert_eq!(
        (swept.looked_after, swept.unknown_for_long),
        (1, 1),
        "the operator is told"
    );
    bank.clock.advance(SignedDuration::from_hours(6));
    let since = bank.intent(&session, "a").await.inquiry.unknown_since.unwrap();
    assert!(since < bank.intent(&session, "a").await.created_at + SignedDuration::from_mins(2));
    let cancelled = Account {
        status: AccountStatus::Cancelled,
        ..active(RANAC, CLAIMED)
    };
    bank.mrs.says([LookUp::Listed(vec![cancelled])]);
    bank.look_after(&session, "a").await;
    assert!(!is_left().await, "MRS has cancelled it already");
}

//! A replacement whose new card, or whose old one, MRS does not answer about.

use enrollment::action::ActionCode;
use enrollment::clock::Clock as _;
use enrollment::flows::describe::Description;
use enrollment::flows::submit::SubmitResponse;
use enrollment::intent::CardState;
use enrollment::status::Status;
use jiff::SignedDuration;
use serde_json::json;

use super::bank::Bank;
use super::scripted_mrs::{Call, Ending, RANACS};
use super::{LEFT, MILLISECOND, outcome};

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
async fn the_old_card_goes_after_the_new_one_is_in_and_the_customer_does_not_wait_for_it() {
    let bank = Bank::new().await;
    let old = bank.card().await;
    let session = bank.session_for(ActionCode::Replace).await;
    bank.mrs.ends(Ending::NoAnswer);
    assert_eq!(
        bank.replace(&session, "a", old).await.unwrap(),
        SubmitResponse::Open
    );
    assert_eq!(bank.state_of(old).await, CardState::Locked);
    let elsewhere = bank.session_for(ActionCode::OptOut).await;
    let refused = bank.opt_out(&elsewhere, "b", old).await.unwrap();
    assert_eq!(outcome(&refused), (Status::ErrorRemoval, None, 5));

    bank.mrs.holds(true);
    bank.clock.advance(LEFT - MILLISECOND);
    bank.mrs.calls();
    bank.look_after(&session, "a").await;
    let replaced = bank.replace(&session, "a", old).await.unwrap();
    assert_eq!(outcome(&replaced), (Status::SuccessReplacement, None, 0));
    assert_eq!(bank.mrs.calls(), [Call::Find], "the old one is the next look's");
    let told = bank.intent(&session, "a").await.outcome().cloned().unwrap();
    assert_eq!(
        told.ranac.map(|ranac| ranac.expose().to_owned()).as_deref(),
        Some(RANACS[1])
    );
    assert_eq!(bank.state_of(old).await, CardState::PendingCancellation);
    assert_eq!(bank.cards().await, (1, 0));

    bank.look_after(&session, "a").await;
    assert_eq!(bank.mrs.calls(), [Call::Cancel]);
    assert!(bank.mrs.still_holds() && !bank.mrs.still_holds_first());
    let at = bank.clock.now();
    assert_eq!(bank.state_of(old).await, CardState::Cancelled { at });
    assert_eq!(bank.cards().await, (1, 0));
    assert_eq!(bank.customer().await.count.changing, 0);
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
async fn at_the_deadline_the_old_card_stays_and_the_new_one_goes_when_it_comes() {
    let bank = Bank::new().await;
    let old = bank.card().await;
    let session = bank.session_for(ActionCode::Replace).await;
    bank.mrs.ends(Ending::NoAnswer);
    bank.replace(&session, "a", old).await.unwrap();
    bank.clock.advance(LEFT);
    let failed = bank.replace(&session, "a", old).await.unwrap();
    assert_eq!(outcome(&failed), (Status::ErrorReplacement, Some(-1001), 4));
    assert_eq!(bank.state_of(old).await, CardState::Active);

    bank.mrs.holds(true);
    bank.look_after(&session, "a").await;
    assert!(!bank.mrs.still_holds(), "the new one is cancelled");
    assert!(bank.mrs.still_holds_first(), "and the old one is not");
    assert_eq!(bank.state_of(old).await, CardState::Active);
    assert_eq!(bank.cards().await, (1, 0));
    let Description::Form(form) = bank.describe_for(ActionCode::Replace, &session).await.unwrap() else {
        panic!("it may try again")
    };
    let offered: Vec<_> = form.choice.cards.iter().map(|card| card.id).collect();
    assert_eq!(offered, [old]);
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
async fn the_old_card_is_never_given_up() {
    let bank = Bank::new().await;
    let old = bank.card().await;
    let session = bank.session_for(ActionCode::Replace).await;
    bank.mrs.is_deaf_to(Call::Cancel);
    bank.replace(&session, "a", old).await.unwrap();
    for _ in 0..9 {
        bank.look_after(&session, "a").await;
        assert!(bank.mrs.still_holds_first());
        assert_eq!(bank.state_of(old).await, CardState::PendingCancellation);
        bank.clock.advance(SignedDuration::from_hours(24));
    }
    bank.mrs.hears_again();
    bank.mrs.declines(-10);
    bank.look_after(&session, "a").await;
    assert_eq!(
        bank.state_of(old).await,
        CardState::PendingCancellation,
        "a decline is no end of it while MRS holds it"
    );
    bank.mrs.hears_again();
    bank.clock.advance(SignedDuration::from_hours(6));
    bank.look_after(&session, "a").await;
    assert!(!bank.mrs.still_holds_first() && bank.mrs.still_holds());
    let at = bank.clock.now();
    assert_eq!(
        bank.state_of(old).await,
        CardState::Cancelled { at },
        "X counts from here"
    );
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
async fn it_is_confirmed_once_and_at_once() {
    let bank = Bank::new().await;
    let old = bank.card().await;
    let session = bank.session_for(ActionCode::Replace).await;
    bank.mrs.is_deaf_to(Call::Cancel);
    bank.replace(&session, "a", old).await.unwrap();
    let of_replacements = async || {
        let mut told = bank.confirmations().await;
        told.retain(|body| body["status"] != "SUCCESS_ENROLLMENT");
        told
    };
    let told = of_replacements().await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        (&told[0]["status"], &told[0]["ranac"]),
        (&json!("SUCCESS_REPLACEMENT"), &json!(RANACS[1]))
    );
    bank.mrs.hears_again();
    bank.look_after(&session, "a").await;
    assert_eq!(of_replacements().await, told);
}

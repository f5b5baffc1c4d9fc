//! Calls of `DynamoDB` for each POST, first attempt, in a warm function: how many, and on which items.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use engine::{Call, Calls, World, local_kms, on_engine_of_aws, on_every_engine};
use enrollment::action::ActionCode;
use enrollment::flows::submit::{SubmitError, SubmitResponse};
use enrollment::identifiers::IntentId;
use enrollment::ports::StoreError;
use enrollment::reason::Reason;
use enrollment::session::MAX_FAILURES;
use enrollment::status::Status;
use jiff::SignedDuration;
use serde_json::Value;

use crate::sealing::CountingWrapper;
use crate::visits::{Functions, Mrs, Visit, ending, set_up};

const OPENING: usize = 2;
const ENROLLMENT: usize = 6;
const REPLACEMENT: usize = 7;
const OPT_OUT: usize = 5;

/// Fails where more was called since the last look than the bound allows, and lists it.
fn within(bound: usize, what: &str, calls: &Calls) {
    let made: Vec<String> = calls.take().into_iter().map(|call| call.operation).collect();
    assert!(!made.is_empty(), "{what} called nothing: nothing was counted");
    assert!(
        made.len() <= bound,
        "{what} made {} calls, the bound is {bound}: {made:#?}",
        made.len()
    );
}

/// Every function has served a customer, and nothing else is warm.
async fn warm<'w>(world: &'w World, kms: &Arc<CountingWrapper>) -> Functions<'w> {
    let functions = Functions::new(world, &world.vault_over(kms.clone()));
    let card = functions.enroll("first").await;
    let visit = functions.open("first", ActionCode::Replace).await.unwrap();
    functions
        .submit(&visit, 1, Some(card), Mrs::Agrees)
        .await
        .unwrap();
    functions
}

async fn counting_kms() -> Arc<CountingWrapper> {
    Arc::new(CountingWrapper {
        kms: local_kms().await,
        calls: AtomicUsize::new(0),
    })
}

async fn opened(functions: &Functions<'_>, customer: &str, action: ActionCode, calls: &Calls) -> Visit {
    calls.take();
    let visit = functions.open(customer, action).await.unwrap();
    within(OPENING, &format!("opening for {}", action.as_str()), calls);
    visit
}

fn status(submitted: &SubmitResponse) -> Status {
    ending(submitted).status
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn each_post_stays_within_its_bound() {
    on_every_engine(|world| async move {
        set_up(&world).await;
        let (world, calls) = world.counted();
        let kms = counting_kms().await;
        let functions = warm(&world, &kms).await;
        let unwrapped = kms.calls.load(Ordering::SeqCst);
        assert!(unwrapped > 0, "the first customer's keys were unwrapped");

        // New to the limits; counted in this minute before; in an earlier one.
        let minute = SignedDuration::from_mins(1);
        for (customer, passed) in [
            ("second", SignedDuration::ZERO),
            ("second", SignedDuration::ZERO),
            ("second", minute),
        ] {
            world.clock.advance(passed);
            functions.open("third", ActionCode::Enroll).await.unwrap();
            let visit = opened(&functions, customer, ActionCode::Enroll, &calls).await;
            let submitted = functions.submit(&visit, 1, None, Mrs::Agrees).await.unwrap();
            within(ENROLLMENT, "an enrollment", &calls);
            assert_eq!(status(&submitted), Status::SuccessEnrollment);
            let card = IntentId::derive(visit.token.id(), &crate::visits::key(1));

            let visit = opened(&functions, customer, ActionCode::Replace, &calls).await;
            let submitted = functions
                .submit(&visit, 1, Some(card), Mrs::Agrees)
                .await
                .unwrap();
            within(REPLACEMENT, "a replacement", &calls);
            assert_eq!(status(&submitted), Status::SuccessReplacement);
            let card = IntentId::derive(visit.token.id(), &crate::visits::key(1));

            let visit = opened(&functions, customer, ActionCode::OptOut, &calls).await;
            let submitted = functions
                .submit(&visit, 1, Some(card), Mrs::Agrees)
                .await
                .unwrap();
            within(OPT_OUT, "an opt-out", &calls);
            assert_eq!(status(&submitted), Status::SuccessRemoval);
        }
        assert_eq!(
            kms.calls.load(Ordering::SeqCst),
            unwrapped,
            "no warm call needs KMS"
        );
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn a_forgotten_client_is_read_with_the_rest() {
    on_every_engine(|world| async move {
        set_up(&world).await;
        let (world, calls) = world.counted();
        let functions = warm(&world, &counting_kms().await).await;
        let visit = functions.open("second", ActionCode::Enroll).await.unwrap();
        world.clock.advance(SignedDuration::from_mins(2));
        calls.take();
        let submitted = functions.submit(&visit, 1, None, Mrs::Agrees).await.unwrap();
        within(ENROLLMENT, "an enrollment", &calls);
        assert_eq!(status(&submitted), Status::SuccessEnrollment);
        // And it is remembered by whoever asks for it alone.
        let visit = opened(&functions, "second", ActionCode::OptOut, &calls).await;
        let refused = functions
            .submit(&visit, 1, Some(unknown_card(&visit)), Mrs::Agrees)
            .await;
        assert!(matches!(refused, Err(SubmitError::Invalid(_))), "{refused:?}");
        within(OPT_OUT, "a refused opt-out", &calls);
    })
    .await;
}

/// A name that is none of the customer's cards.
fn unknown_card(visit: &Visit) -> IntentId {
    IntentId::derive(visit.token.id(), &crate::visits::key(9))
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn a_declined_card_leaves_as_many_tries_as_are_stored() {
    on_every_engine(|world| async move {
        set_up(&world).await;
        let (world, calls) = world.counted();
        let functions = warm(&world, &counting_kms().await).await;
        let visit = functions.open("second", ActionCode::Enroll).await.unwrap();
        for attempt in 1..=MAX_FAILURES {
            calls.take();
            let submitted = functions
                .submit(&visit, attempt, None, Mrs::Declines)
                .await
                .unwrap();
            within(ENROLLMENT, "a declined enrollment", &calls);
            assert_eq!(tries_left(&submitted).0, MAX_FAILURES - attempt);
            // The repeat reads the session as it is stored.
            let again = functions
                .submit(&visit, attempt, None, Mrs::Declines)
                .await
                .unwrap();
            assert_eq!(tries_left(&again), tries_left(&submitted));
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn failures_of_another_tab_are_in_the_tries_left() {
    on_every_engine(|world| async move {
        set_up(&world).await;
        let functions = Functions::new(&world, &world.vault());
        let visit = functions.open("one", ActionCode::Enroll).await.unwrap();
        let [first, second] = functions.submit_across(&visit).await;
        let (first, second) = (first.unwrap(), second.unwrap());
        assert_eq!(tries_left(&second).0, MAX_FAILURES - 1);
        assert_eq!(
            tries_left(&first).0,
            MAX_FAILURES - 2,
            "the first one began after it"
        );
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn a_repeat_read_in_two_instants_gets_the_first_answer() {
    on_every_engine(|world| async move {
        set_up(&world).await;
        let functions = Functions::new(&world, &world.vault());
        let visit = functions.open("one", ActionCode::Enroll).await.unwrap();
        let repeat = functions.submit_twice_at_once(&visit).await.unwrap();
        assert_eq!(ending(&repeat).status, Status::SuccessEnrollment);
    })
    .await;
}

fn tries_left(submitted: &SubmitResponse) -> (u32, Option<Reason>) {
    match submitted {
        SubmitResponse::Ended {
            attempts_left,
            reason,
            ..
        } => (*attempts_left, *reason),
        SubmitResponse::Open => panic!("it has no outcome"),
    }
}

/// The items of a call's transaction, each as its table and key.
fn items_of(call: &Call) -> Vec<String> {
    if call.operation != "TransactWriteItems" {
        return Vec::new();
    }
    let body: Value = serde_json::from_slice(&call.body).unwrap();
    let writes = body["TransactItems"].as_array().unwrap().iter();
    let items = writes.map(|write| {
        let (_, write) = write.as_object().unwrap().iter().next().unwrap();
        let key = if write["Key"].is_object() {
            &write["Key"]
        } else {
            &write["Item"]
        };
        format!("{} {} {}", write["TableName"], key["pk"]["S"], key["sk"]["S"])
    });
    items.collect()
}

/// Does all that a customer of the client can do, and gives the items of its transactions.
async fn written_by(functions: &Functions<'_>, customer: &str, calls: &Calls) -> BTreeSet<String> {
    calls.take();
    let (first, second) = (functions.enroll(customer).await, functions.enroll(customer).await);
    let visit = functions.open(customer, ActionCode::Enroll).await.unwrap();
    functions.submit(&visit, 1, None, Mrs::Declines).await.unwrap();
    for (action, card) in [(ActionCode::Replace, first), (ActionCode::OptOut, second)] {
        let visit = functions.open(customer, action).await.unwrap();
        let submitted = functions
            .submit(&visit, 1, Some(card), Mrs::Agrees)
            .await
            .unwrap();
        assert!(status(&submitted).is_success());
    }
    calls.take().iter().flat_map(items_of).collect()
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn no_transaction_has_an_item_that_customers_share() {
    on_every_engine(|world| async move {
        set_up(&world).await;
        let (world, calls) = world.counted();
        let functions = Functions::new(&world, &world.vault());
        let one = written_by(&functions, "one", &calls).await;
        let other = written_by(&functions, "other", &calls).await;
        // Five sessions with their tokens and intents, three cards, the customer, five confirmations.
        assert_eq!((one.len(), other.len()), (24, 24), "{one:#?}");
        let shared: Vec<_> = one.intersection(&other).collect();
        assert!(shared.is_empty(), "{shared:#?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn no_transaction_of_customers_at_once_is_canceled() {
    const CUSTOMERS: usize = 32;
    on_engine_of_aws(|world| async move {
        set_up(&world).await;
        let (world, calls) = world.counted();
        let vault = world.vault();
        let world = Arc::new(world);
        let together = Arc::new(tokio::sync::Barrier::new(CUSTOMERS));
        let customers: Vec<_> = (0..CUSTOMERS)
            .map(|number| {
                let (world, vault, together) = (world.clone(), vault.clone(), together.clone());
                tokio::spawn(async move {
                    let functions = Functions::new(&world, &vault);
                    let customer = format!("customer-{number}");
                    let visit = functions.open(&customer, ActionCode::Enroll).await.unwrap();
                    together.wait().await;
                    functions.submit(&visit, 1, None, Mrs::Agrees).await.unwrap()
                })
            })
            .collect();
        for customer in customers {
            assert_eq!(status(&customer.await.unwrap()), Status::SuccessEnrollment);
        }
        assert_eq!(calls.canceled(), [""; 0]);
        let transactions = calls.take();
        let transactions = transactions.iter().filter(|call| !items_of(call).is_empty());
        assert_eq!(transactions.count(), 3 * CUSTOMERS, "opened, begun, ended");
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn keys_left_out_of_an_answer_are_asked_for_again() {
    on_every_engine(|world| async move {
        set_up(&world).await;
        let functions = Functions::new(&world, &world.vault());
        let card = functions.enroll("one").await;
        let visit = functions.open("one", ActionCode::OptOut).await.unwrap();

        let busy = world.busy_for(usize::MAX);
        let functions = Functions::new(&busy, &world.vault());
        let refused = functions.submit(&visit, 1, Some(card), Mrs::Agrees).await;
        assert!(
            matches!(refused, Err(SubmitError::Store(StoreError::Unavailable { .. }))),
            "what is not said is not known: {refused:?}"
        );

        let busy = world.busy_for(2);
        let functions = Functions::new(&busy, &world.vault());
        let submitted = functions
            .submit(&visit, 1, Some(card), Mrs::Agrees)
            .await
            .unwrap();
        assert_eq!(status(&submitted), Status::SuccessRemoval);
    })
    .await;
}

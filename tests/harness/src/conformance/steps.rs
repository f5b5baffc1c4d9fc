//! Steps that several cases take.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use enrollment::identifiers::{IntentId, Ranac, SessionToken};
use enrollment::intent::{CardCount, Intent};
use enrollment::ports::{BeginError, Intents, Put, StoreError};
use jiff::{SignedDuration, Timestamp};

use crate::fixture::Fixture;
use crate::scripted_mrs::RANAC;

pub(super) const SECOND: SignedDuration = SignedDuration::from_secs(1);
pub(super) const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Intents that are never stored: an intent as the flow would begin it.
#[derive(Default)]
struct Unsaved(Mutex<Option<Intent>>);

#[async_trait]
impl Intents for Unsaved {
    async fn intent(&self, _: IntentId) -> Result<Option<Intent>, StoreError> {
        Ok(None)
    }

    async fn begin(
        &self,
        intent: &Intent,
        _: CardCount,
        _: u32,
    ) -> Result<Result<Put, BeginError>, StoreError> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(intent.clone());
        Ok(Ok(Put::AlreadyExists))
    }

    async fn finish(&self, _: &Intent) -> Result<Put, StoreError> {
        unreachable!("it is not begun")
    }

    async fn complete_cleanup(&self, _: &Intent, _: Timestamp) -> Result<(), StoreError> {
        unreachable!("it is not begun")
    }
}

/// The intent of a session's first submission, which is not stored. With a card: the one that it takes out of the program.
pub(super) async fn unsaved(fixture: &Fixture, token: &SessionToken, card: Option<IntentId>) -> Intent {
    let intents = Unsaved::default();
    let refused = fixture.submit_without_storing(&intents, token, card).await;
    assert!(refused.is_err(), "{refused:?}");
    let begun = intents.0.into_inner().unwrap_or_else(PoisonError::into_inner);
    begun.expect("the submission begins an intent")
}

/// The customer's count as it is stored.
pub(super) async fn count(fixture: &Fixture) -> CardCount {
    let Fixture {
        client,
        program,
        customer,
        ..
    } = fixture;
    let customers = &fixture.stores.customers;
    customers.card_count(client, program, customer).await.unwrap()
}

/// Begins an intent with the count of this moment.
pub(super) async fn begin(fixture: &Fixture, intent: &Intent) -> Result<Put, BeginError> {
    let count = count(fixture).await;
    fixture.stores.intents.begin(intent, count, 0).await.unwrap()
}

/// Enrolls a card of the customer, and returns its id.
pub(super) async fn enroll(fixture: &Fixture) -> IntentId {
    let session = fixture.session().await;
    let response = fixture.submit(&session, "enroll").await.unwrap();
    assert!(crate::fixtures::is_success(&response), "{response:?}");
    IntentId::derive(session.id(), &crate::fixtures::idempotency_key("enroll"))
}

/// RANAC of the given number.
pub(super) fn ranac(number: u8) -> Ranac {
    Ranac::parse(&format!("{}{number:02}", &RANAC[..RANAC.len() - 2])).unwrap()
}

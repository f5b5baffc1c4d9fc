//! Reports of a run whose claim fails. Deliveries are tested on real stores.

use std::sync::Arc;

use async_trait::async_trait;
use futures_executor::block_on;

use super::*;
use crate::client::Client;
use crate::confirmation::Confirmation;
use crate::identifiers::{ClientId, IntentId, Slug};
use crate::ports::{DueConfirmation, Work};
use crate::status::Status;
use crate::testing::Seeded;

/// Store whose claims fail with this error. No other call and no other port may be used.
struct Failing(fn() -> StoreError);

#[async_trait]
impl Confirmations for Failing {
    async fn due(&self, _: Timestamp, _: usize) -> Result<Vec<DueConfirmation>, StoreError> {
        unreachable!()
    }

    async fn claim(
        &self,
        _: &ConfirmationId,
        _: Timestamp,
        _: Timestamp,
    ) -> Result<Option<Claim>, StoreError> {
        Err(self.0())
    }

    async fn delivered(&self, _: &Claim, _: Timestamp) -> Result<ClaimWrite, StoreError> {
        unreachable!()
    }

    async fn retry(&self, _: &Claim, _: Timestamp, _: &str) -> Result<ClaimWrite, StoreError> {
        unreachable!()
    }

    async fn wait(&self, _: &Claim, _: Timestamp) -> Result<ClaimWrite, StoreError> {
        unreachable!()
    }

    async fn park(
        &self,
        _: &Claim,
        _: Parked,
        _: Option<&str>,
        _: Timestamp,
    ) -> Result<ClaimWrite, StoreError> {
        unreachable!()
    }

    async fn destination(&self, _: &ClientId, _: &str) -> Result<Destination, StoreError> {
        unreachable!()
    }

    async fn update_destination(&self, _: &ClientId, _: &str, _: &Destination) -> Result<bool, StoreError> {
        unreachable!()
    }
}

#[async_trait]
impl Receivers for Failing {
    async fn post(&self, _: &Confirmation, _: Timestamp) -> DeliveryResult {
        unreachable!()
    }
}

#[async_trait]
impl Clients for Failing {
    async fn by_id(&self, _: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
        unreachable!()
    }

    async fn by_slug(&self, _: &Slug) -> Result<Option<Arc<Client>>, StoreError> {
        unreachable!()
    }
}

#[async_trait]
impl Wakeups for Failing {
    async fn wake(&self, _: Work<'_>, _: SignedDuration) -> Result<(), StoreError> {
        unreachable!()
    }
}

impl Clock for Failing {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
}

fn confirmed(error: fn() -> StoreError) -> Result<DeliveryReport, StoreError> {
    let failing = Failing(error);
    let confirming = Delivery {
        confirmations: &failing,
        receivers: &failing,
        clients: &failing,
        wakeups: &failing,
        clock: &failing,
        randomness: &Seeded::new(1),
    };
    let intent = IntentId::from_hex(&"0".repeat(64)).unwrap();
    let id = ConfirmationId::derive(intent, Status::SuccessEnrollment);
    block_on(confirming.confirm(&id))
}

#[test]
fn unreadable_counts_as_parked() {
    let unreadable =
        || StoreError::unreadable("claiming a confirmation", "attribute body is of another kind");
    let confirmed = confirmed(unreadable).unwrap();
    assert_eq!(confirmed, DeliveryReport::Parked(Parked::Unreadable));
}

#[test]
fn unavailable_store_is_an_error() {
    let away = || StoreError::unavailable("claiming a confirmation", "no answer");
    assert!(matches!(confirmed(away), Err(StoreError::Unavailable { .. })));
}

//! Runs of the purge that end early, or that meet a failure.

use std::sync::Arc;

use async_trait::async_trait;
use enrollment::action::ActionCode;
use enrollment::client::Client;
use enrollment::flows::purge::{PurgeReport, RUN_LIMIT};
use enrollment::identifiers::{ClientId, ProgramId, Slug};
use enrollment::ports::{
    ClientIndex, Clients, Cursor, CustomerKey, Page, Purges, Record, Removal, StoreError,
};
use harness::model::Model;
use harness::{Fixture, TestClock};
use jiff::{SignedDuration, Timestamp};

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A customer whose only card is past its retention.
async fn with_expired_customer() -> (Fixture, Arc<Model>) {
    let (fixture, model) = Fixture::on_model(|_| {});
    let card = fixture.card().await;
    let session = fixture.session_for(ActionCode::OptOut).await;
    fixture.opt_out(&session, "out", card).await.unwrap();
    fixture.clock.advance(DAY * 30);
    (fixture, model)
}

/// The model's records, of which the list takes `delay` to read, and the deletion fails if `is_failing`.
struct SlowRecords {
    model: Arc<Model>,
    clock: Arc<TestClock>,
    delay: SignedDuration,
    is_failing: bool,
}

#[async_trait]
impl Purges for SlowRecords {
    async fn expired(
        &self,
        client: &ClientId,
        program: &ProgramId,
        until: Timestamp,
        from: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<CustomerKey>, StoreError> {
        let listed = self.model.expired(client, program, until, from, limit).await;
        self.clock.advance(self.delay);
        listed
    }

    async fn record(&self, client: &ClientId, key: &CustomerKey) -> Result<Option<Record>, StoreError> {
        self.model.record(client, key).await
    }

    async fn remove(&self, record: &Record, removal: &Removal) -> Result<bool, StoreError> {
        if self.is_failing {
            return Err(StoreError::unavailable("remove", "out of reach"));
        }
        self.model.remove(record, removal).await
    }

    async fn refresh_ttls(
        &self,
        client: &ClientId,
        program: &ProgramId,
        retention_days: u16,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        self.model
            .refresh_ttls(client, program, retention_days, until)
            .await
    }
}

fn slow(fixture: &mut Fixture, model: &Arc<Model>, delay: SignedDuration, is_failing: bool) {
    fixture.stores.purges = Arc::new(SlowRecords {
        model: model.clone(),
        clock: fixture.clock.clone(),
        delay,
        is_failing,
    });
}

#[tokio::test]
async fn run_whose_time_is_up_deletes_nothing_more() {
    let (mut fixture, model) = with_expired_customer().await;
    slow(&mut fixture, &model, RUN_LIMIT, false);
    let report = fixture.purge().await.unwrap();
    let cut_short = PurgeReport {
        is_cut_short: true,
        ..PurgeReport::default()
    };
    assert_eq!(report, cut_short);
    slow(&mut fixture, &model, SignedDuration::from_secs(1), false);
    assert_eq!(
        fixture.purge().await.unwrap().customers,
        1,
        "the next run resumes"
    );
}

#[tokio::test]
async fn failed_deletion_is_reported() {
    let (mut fixture, model) = with_expired_customer().await;
    slow(&mut fixture, &model, SignedDuration::ZERO, true);
    let report = fixture.purge().await.unwrap();
    assert!(report.is_cut_short);
    assert_eq!(report.customers, 0);
}

/// Set-ups of which one can't be read.
struct UnreadableSetup {
    model: Arc<Model>,
    unreadable: ClientId,
}

#[async_trait]
impl Clients for UnreadableSetup {
    async fn by_id(&self, id: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
        if *id == self.unreadable {
            return Err(StoreError::unreadable("by_id", "another schema version"));
        }
        self.model.by_id(id).await
    }

    async fn by_slug(&self, slug: &Slug) -> Result<Option<Arc<Client>>, StoreError> {
        self.model.by_slug(slug).await
    }
}

#[async_trait]
impl ClientIndex for UnreadableSetup {
    async fn clients(&self) -> Result<Vec<ClientId>, StoreError> {
        let mut ids = vec![self.unreadable.clone()];
        ids.extend(self.model.clients().await?);
        Ok(ids)
    }
}

#[tokio::test]
async fn unreadable_client_does_not_stop_the_others() {
    let (mut fixture, model) = with_expired_customer().await;
    let setups = Arc::new(UnreadableSetup {
        model,
        unreadable: ClientId::parse("unreadable").unwrap(),
    });
    fixture.stores.clients = setups.clone();
    fixture.stores.client_index = setups;
    let report = fixture.purge().await.unwrap();
    assert!(report.is_cut_short);
    assert_eq!(report.customers, 1);
}

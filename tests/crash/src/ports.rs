//! Ports whose every call is an injection point. Clock and randomness have none.

mod batches;

use std::sync::Arc;

use async_trait::async_trait;
use enrollment::client::Client;
use enrollment::confirmation::{Confirmation, ConfirmationId};
use enrollment::delivery::{ATTEMPT_LIMIT, DeliveryResult, Destination, Parked};
use enrollment::identifiers::{
    BankCustomerNumber, ClientId, CustomerId, IntentId, ProgramId, Ranac, SessionId, Slug,
};
use enrollment::intent::{CardCount, Customer, Intent};
use enrollment::limits::{Attempts, Counters};
use enrollment::look_up::LookUp;
use enrollment::ports::{
    BeginError, Claim, ClaimWrite, ClientIndex, Clients, Confirmations, ContextQuery, CounterKey, Cursor,
    CustomerKey, Customers, DueConfirmation, DueIntent, DueIntents, EncryptionKey, EncryptionKeys, Intents,
    Leases, Limits, NewCard, Page, Purges, Put, Receivers, Record, Removal, Reschedule, Rewards,
    RewardsError, Sessions, StoreError, SubmissionContext, SubmissionRecords, Wakeups, Work,
};
use enrollment::session::{Session, UsedToken};
use jiff::{SignedDuration, Timestamp};

use crate::injection::Execution;
use crate::observations::Observations;
use harness::mrs::Mrs;

/// Time limit of a call to the store, a queue or Secrets Manager.
const STORE_LIMIT: SignedDuration = SignedDuration::from_secs(7);
/// Time limit of a call to MRS.
const REWARDS_LIMIT: SignedDuration = SignedDuration::from_secs(8);

/// Port of one execution.
pub(crate) struct Injecting<'a, P> {
    pub(crate) inner: &'a P,
    pub(crate) execution: &'a Execution,
}

/// Port whose outcomes and claims are observed too.
pub(crate) struct Observing<'a, P> {
    pub(crate) injecting: Injecting<'a, P>,
    pub(crate) observations: &'a Observations,
}

impl<P> Injecting<'_, P> {
    async fn stored<T>(
        &self,
        call: &'static str,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.execution
            .effect(call, STORE_LIMIT, work, || Err(no_answer(call)))
            .await
    }

    async fn rewarded<T>(
        &self,
        call: &'static str,
        work: impl Future<Output = Result<T, RewardsError>>,
    ) -> Result<T, RewardsError> {
        let failed = || Err(RewardsError::Unknown("no answer in time".into()));
        self.execution.effect(call, REWARDS_LIMIT, work, failed).await
    }
}

fn no_answer(operation: &'static str) -> StoreError {
    StoreError::unavailable(operation, "no answer in time")
}

#[async_trait]
impl<P: Clients> Clients for Injecting<'_, P> {
    async fn by_id(&self, id: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
        self.stored("clients.by_id", self.inner.by_id(id)).await
    }

    async fn by_slug(&self, slug: &Slug) -> Result<Option<Arc<Client>>, StoreError> {
        self.stored("clients.by_slug", self.inner.by_slug(slug)).await
    }
}

#[async_trait]
impl<P: ClientIndex> ClientIndex for Injecting<'_, P> {
    async fn clients(&self) -> Result<Vec<ClientId>, StoreError> {
        self.stored("client_index.clients", self.inner.clients()).await
    }
}

#[async_trait]
impl<P: Sessions> Sessions for Injecting<'_, P> {
    async fn open(&self, session: &Session, token: &UsedToken) -> Result<Put, StoreError> {
        self.stored("sessions.open", self.inner.open(session, token))
            .await
    }

    async fn find(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.stored("sessions.find", self.inner.find(id)).await
    }

    async fn extend(&self, extended: &Session, now: Timestamp) -> Result<bool, StoreError> {
        self.stored("sessions.extend", self.inner.extend(extended, now))
            .await
    }
}

#[async_trait]
impl<P: Limits> Limits for Injecting<'_, P> {
    async fn counters(&self, counted: CounterKey<'_>) -> Result<Counters, StoreError> {
        self.stored("limits.counters", self.inner.counters(counted)).await
    }

    async fn count(
        &self,
        counted: CounterKey<'_>,
        known: &Counters,
        attempt: IntentId,
        now: Timestamp,
    ) -> Result<Attempts, StoreError> {
        self.stored("limits.count", self.inner.count(counted, known, attempt, now))
            .await
    }
}

#[async_trait]
impl<P: SubmissionRecords> SubmissionRecords for Observing<'_, P> {
    async fn session_and_intent(
        &self,
        session: SessionId,
        intent: IntentId,
    ) -> Result<Option<(Session, Option<Intent>)>, StoreError> {
        let read = async {
            let read = self.injecting.inner.session_and_intent(session, intent).await?;
            if let Some((_, Some(intent))) = &read {
                self.observations.intent(intent);
            }
            Ok(read)
        };
        self.injecting.stored("records.session_and_intent", read).await
    }

    async fn context(
        &self,
        session: &Session,
        wanted: ContextQuery,
    ) -> Result<SubmissionContext, StoreError> {
        let work = self.injecting.inner.context(session, wanted);
        self.injecting.stored("records.context", work).await
    }
}

#[async_trait]
impl<P: Intents> Intents for Observing<'_, P> {
    async fn intent(&self, id: IntentId) -> Result<Option<Intent>, StoreError> {
        let read = async {
            let read = self.injecting.inner.intent(id).await?;
            if let Some(intent) = &read {
                self.observations.intent(intent);
            }
            Ok(read)
        };
        self.injecting.stored("intents.intent", read).await
    }

    async fn begin(
        &self,
        intent: &Intent,
        count: CardCount,
        failures: u32,
    ) -> Result<Result<Put, BeginError>, StoreError> {
        let work = self.injecting.inner.begin(intent, count, failures);
        self.injecting.stored("intents.begin", work).await
    }

    async fn finish(&self, intent: &Intent) -> Result<Put, StoreError> {
        let written = async {
            let finished = self.injecting.inner.finish(intent).await?;
            if finished == Put::Created {
                self.observations.finished(intent);
            }
            Ok(finished)
        };
        self.injecting.stored("intents.finish", written).await
    }

    async fn complete_cleanup(&self, intent: &Intent, at: Timestamp) -> Result<(), StoreError> {
        let work = self.injecting.inner.complete_cleanup(intent, at);
        self.injecting.stored("intents.complete_cleanup", work).await
    }
}

#[async_trait]
impl<P: Leases> Leases for Observing<'_, P> {
    async fn acquire(
        &self,
        id: IntentId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Intent>, StoreError> {
        let taken = async {
            let taken = self.injecting.inner.acquire(id, now, until).await?;
            if let Some(intent) = &taken {
                self.observations.intent(intent);
            }
            Ok(taken)
        };
        self.injecting.stored("leases.acquire", taken).await
    }

    async fn release(
        &self,
        id: IntentId,
        until: Timestamp,
        reschedule: Reschedule,
    ) -> Result<bool, StoreError> {
        let work = self.injecting.inner.release(id, until, reschedule);
        self.injecting.stored("leases.release", work).await
    }

    async fn record_present(&self, intent: &Intent, ranacs: &[Ranac]) -> Result<(), StoreError> {
        let work = self.injecting.inner.record_present(intent, ranacs);
        self.injecting.stored("leases.record_present", work).await
    }
}

#[async_trait]
impl<P: DueIntents> DueIntents for Observing<'_, P> {
    async fn due_intents(&self, now: Timestamp, limit: usize) -> Result<Vec<DueIntent>, StoreError> {
        let work = self.injecting.inner.due_intents(now, limit);
        self.injecting.stored("due_intents.due_intents", work).await
    }

    async fn reschedule(&self, id: IntentId, at: Timestamp) -> Result<(), StoreError> {
        let work = self.injecting.inner.reschedule(id, at);
        self.injecting.stored("due_intents.reschedule", work).await
    }
}

#[async_trait]
impl<P: Customers> Customers for Observing<'_, P> {
    async fn card_count(
        &self,
        client: &ClientId,
        program: &ProgramId,
        customer: &CustomerId,
    ) -> Result<CardCount, StoreError> {
        let work = self.injecting.inner.card_count(client, program, customer);
        self.injecting.stored("customers.card_count", work).await
    }

    async fn customer(
        &self,
        client: &ClientId,
        program: &ProgramId,
        customer: &CustomerId,
    ) -> Result<Customer, StoreError> {
        let work = self.injecting.inner.customer(client, program, customer);
        self.injecting.stored("customers.customer", work).await
    }
}

#[async_trait]
impl<P: Purges> Purges for Injecting<'_, P> {
    async fn expired(
        &self,
        client: &ClientId,
        program: &ProgramId,
        until: Timestamp,
        from: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<CustomerKey>, StoreError> {
        let work = self.inner.expired(client, program, until, from, limit);
        self.stored("purges.expired", work).await
    }

    async fn record(&self, client: &ClientId, key: &CustomerKey) -> Result<Option<Record>, StoreError> {
        self.stored("purges.record", self.inner.record(client, key)).await
    }

    async fn remove(&self, record: &Record, removal: &Removal) -> Result<bool, StoreError> {
        self.stored("purges.remove", self.inner.remove(record, removal))
            .await
    }

    async fn refresh_ttls(
        &self,
        client: &ClientId,
        program: &ProgramId,
        retention_days: u16,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let work = self.inner.refresh_ttls(client, program, retention_days, until);
        self.stored("purges.refresh_ttls", work).await
    }
}

#[async_trait]
impl<P: Confirmations> Confirmations for Observing<'_, P> {
    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<DueConfirmation>, StoreError> {
        let work = self.injecting.inner.due(now, limit);
        self.injecting.stored("confirmations.due", work).await
    }

    async fn claim(
        &self,
        id: &ConfirmationId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Claim>, StoreError> {
        let claimed = async {
            let claim = self.injecting.inner.claim(id, now, until).await?;
            if let Some(claim) = &claim {
                self.observations.claim(claim, now);
            }
            Ok(claim)
        };
        self.injecting.stored("confirmations.claim", claimed).await
    }

    async fn delivered(&self, claim: &Claim, at: Timestamp) -> Result<ClaimWrite, StoreError> {
        let work = self.releasing(claim, self.injecting.inner.delivered(claim, at));
        self.injecting.stored("confirmations.delivered", work).await
    }

    async fn retry(&self, claim: &Claim, due: Timestamp, failure: &str) -> Result<ClaimWrite, StoreError> {
        let work = self.releasing(claim, self.injecting.inner.retry(claim, due, failure));
        self.injecting.stored("confirmations.retry", work).await
    }

    async fn wait(&self, claim: &Claim, due: Timestamp) -> Result<ClaimWrite, StoreError> {
        let work = self.releasing(claim, self.injecting.inner.wait(claim, due));
        self.injecting.stored("confirmations.wait", work).await
    }

    async fn park(
        &self,
        claim: &Claim,
        reason: Parked,
        failure: Option<&str>,
        at: Timestamp,
    ) -> Result<ClaimWrite, StoreError> {
        let work = self.releasing(claim, self.injecting.inner.park(claim, reason, failure, at));
        self.injecting.stored("confirmations.park", work).await
    }

    async fn destination(&self, client: &ClientId, destination: &str) -> Result<Destination, StoreError> {
        let work = self.injecting.inner.destination(client, destination);
        self.injecting.stored("confirmations.destination", work).await
    }

    async fn update_destination(
        &self,
        client: &ClientId,
        destination: &str,
        state: &Destination,
    ) -> Result<bool, StoreError> {
        let work = self
            .injecting
            .inner
            .update_destination(client, destination, state);
        self.injecting
            .stored("confirmations.update_destination", work)
            .await
    }
}

impl<P> Observing<'_, P> {
    async fn releasing(
        &self,
        claim: &Claim,
        work: impl Future<Output = Result<ClaimWrite, StoreError>>,
    ) -> Result<ClaimWrite, StoreError> {
        let noted = work.await?;
        self.observations.give_up(claim);
        Ok(noted)
    }
}

/// Records which process asks MRS about a number.
#[async_trait]
impl Rewards for Observing<'_, Mrs> {
    async fn enroll(&self, card: NewCard<'_>) -> Result<Ranac, RewardsError> {
        self.asks(card.bank_customer_number.expose());
        let work = self.injecting.inner.enroll(card);
        self.injecting.rewarded("rewards.enroll", work).await
    }

    async fn find(&self, institution: &str, number: &BankCustomerNumber) -> LookUp {
        self.asks(number.expose());
        let work = self.injecting.inner.find(institution, number);
        let failed = || LookUp::Unknown("no answer in time".into());
        let execution = self.injecting.execution;
        execution
            .effect("rewards.find", REWARDS_LIMIT, work, failed)
            .await
    }

    async fn cancel(&self, institution: &str, ranac: &Ranac) -> Result<(), RewardsError> {
        if let Some(number) = self.injecting.inner.number_of(ranac) {
            self.asks(&number);
        }
        let work = self.injecting.inner.cancel(institution, ranac);
        self.injecting.rewarded("rewards.cancel", work).await
    }
}

impl Observing<'_, Mrs> {
    fn asks(&self, number: &str) {
        self.observations.asks(number, self.injecting.execution.process());
    }
}

#[async_trait]
impl<P: Receivers> Receivers for Injecting<'_, P> {
    async fn post(&self, confirmation: &Confirmation, now: Timestamp) -> DeliveryResult {
        let work = self.inner.post(confirmation, now);
        let failed = || DeliveryResult::Failed("timeout_answer");
        self.execution
            .effect("receivers.post", ATTEMPT_LIMIT, work, failed)
            .await
    }
}

#[async_trait]
impl<P: Wakeups> Wakeups for Injecting<'_, P> {
    async fn wake(&self, work: Work<'_>, after: SignedDuration) -> Result<(), StoreError> {
        match work {
            Work::Intent(intent) => {
                const CALL: &str = "wakeups.settle";
                let work = self.inner.wake(Work::Intent(intent), after);
                let failed = || Err(no_answer(CALL));
                self.execution
                    .losable_effect(CALL, STORE_LIMIT, work, failed, Ok(()))
                    .await
            }
            Work::Confirmations(confirmations) => {
                const CALL: &str = "wakeups.confirm";
                let work = self.inner.wake(Work::Confirmations(confirmations), after);
                let failed = || Err(no_answer(CALL));
                self.execution
                    .losable_effect(CALL, STORE_LIMIT, work, failed, Ok(()))
                    .await
            }
            Work::BatchSubmissions(_) | Work::BatchPolls(_) | Work::Deletions(_) => {
                let call = match work {
                    Work::BatchSubmissions(_) => "wakeups.submit_batch",
                    Work::BatchPolls(_) => "wakeups.poll_batch",
                    _ => "wakeups.delete_card",
                };
                let work = self.inner.wake(work, after);
                let failed = || Err(no_answer(call));
                self.execution
                    .losable_effect(call, STORE_LIMIT, work, failed, Ok(()))
                    .await
            }
        }
    }
}

#[async_trait]
impl<P: EncryptionKeys> EncryptionKeys for Injecting<'_, P> {
    async fn current(&self) -> Result<EncryptionKey, StoreError> {
        self.stored("keys.current", self.inner.current()).await
    }
}

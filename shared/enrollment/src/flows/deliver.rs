//! Delivery of a confirmation: at least once, to a registered receiver, with retries and a circuit breaker
//! (`docs/contract.md#confirmations`).
//!
//! Tests: `shared/enrollment/tests/flows/deliver.rs` over the model of the stores,
//! `tests/flows/tests/flows/deliveries.rs` over HTTP, `shared/platform/tests/storage/{confirmations,destinations}.rs`,
//! `tests/crash` for lost claims, and `tests.rs` beside this file for a store that fails.

use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;
use crate::confirmation::ConfirmationId;
use crate::delivery::{
    self, Admission, BEGINS_WITHIN, DeliveryResult, Destination, LEASE, MAX_AGE, MAX_ATTEMPTS, Parked,
};
use crate::log::{LogText, error, info, warn};
use crate::ports::{Claim, ClaimWrite, Clients, Confirmations, Receivers, StoreError, Wakeups, Work};
use crate::randomness::Randomness;
use crate::time::later;

/// Tries to write a receiver's state, each of which may fail because another run changed it.
const UPDATE_TRIES: usize = 5;
/// Interval of the sweep. A retry that is due sooner gets a wake-up of its own.
const SWEEP_INTERVAL: SignedDuration = SignedDuration::from_secs(60);

/// Ports of a delivery.
pub struct Delivery<'a> {
    /// Confirmations.
    pub confirmations: &'a dyn Confirmations,
    /// Receivers of the partners.
    pub receivers: &'a dyn Receivers,
    /// Set-ups of the clients, for the registered hosts.
    pub clients: &'a dyn Clients,
    /// Wake-ups for retries.
    pub wakeups: &'a dyn Wakeups,
    /// Clock.
    pub clock: &'a dyn Clock,
    /// Generator of jitter.
    pub randomness: &'a dyn Randomness,
}

/// Result of a run for one confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryReport {
    /// The receiver accepted it.
    Delivered,
    /// The attempt failed, and the next one is due at this time.
    Retry(Timestamp),
    /// The receiver is closed until this time, and no attempt was made.
    Waiting(Timestamp),
    /// It is not tried again until an operator replays it.
    Parked(Parked),
    /// It is not due, another run has claimed it, or it was deleted.
    NotDue,
    /// The claim was lost before the result was stored. Unless an operator dropped the confirmation, it is sent again, whatever
    /// the receiver answered.
    ClaimLost,
}

impl DeliveryReport {
    /// Word for logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Retry(_) => "retry",
            Self::Waiting(_) => "waiting",
            Self::Parked(_) => "parked",
            Self::NotDue => "not-due",
            Self::ClaimLost => "claim-lost",
        }
    }
}

impl Delivery<'_> {
    /// Sends a confirmation if it is due.
    ///
    /// # Errors
    /// If the store fails. The confirmation is due again when the claim expires, so it may be sent twice.
    pub async fn confirm(&self, id: &ConfirmationId) -> Result<DeliveryReport, StoreError> {
        let now = self.clock.now();
        let claim = match self.confirmations.claim(id, now, later(now, LEASE)).await {
            Ok(Some(claim)) => claim,
            Ok(None) => return Ok(DeliveryReport::NotDue),
            Err(error @ StoreError::Unreadable { .. }) => {
                // The store has parked it, so the message need not return to the queue.
                error!(error, confirmation = id, "unreadable confirmation parked");
                return Ok(DeliveryReport::Parked(Parked::Unreadable));
            }
            Err(error) => return Err(error),
        };
        let confirmed = match self.admit(&claim).await {
            Ok(admitted) => self.act(&claim, admitted).await?,
            Err(error) => {
                // Nothing was sent, so no attempt counts.
                self.wait(&claim, later(self.clock.now(), SWEEP_INTERVAL)).await?;
                return Err(error);
            }
        };
        info!(
            confirmation = id,
            client = claim.confirmation.client,
            attempt = claim.attempt,
            outcome = confirmed.as_str(),
            "delivery attempt finished"
        );
        Ok(confirmed)
    }

    async fn act(&self, claim: &Claim, admitted: Admitted) -> Result<DeliveryReport, StoreError> {
        match admitted {
            Admitted::Go(destination) => self.deliver(claim, destination).await,
            Admitted::Wait(until) => self.wait(claim, until).await,
            Admitted::Never(reason) => self.park(claim, reason, None).await,
        }
    }

    /// Whether the host is still registered. A suspended client still gets its confirmations.
    async fn is_registered(&self, claim: &Claim) -> Result<bool, StoreError> {
        let client = self.clients.by_id(&claim.confirmation.client).await?;
        Ok(client.is_some_and(|client| client.may_confirm_to(&claim.confirmation.url)))
    }

    async fn admit(&self, claim: &Claim) -> Result<Admitted, StoreError> {
        // Runs that died count too, so that a confirmation that kills its run is parked in the end.
        if claim.attempt > MAX_ATTEMPTS {
            return Ok(Admitted::Never(Parked::Exhausted));
        }
        if !self.is_registered(claim).await? {
            return Ok(Admitted::Never(Parked::NotRegistered));
        }
        let (client, host) = (&claim.confirmation.client, claim.confirmation.destination());
        let destination = self.confirmations.destination(client, &host).await?;
        let now = self.clock.now();
        Ok(match destination.admit(now) {
            Admission::Go => Admitted::Go(destination),
            Admission::Wait(until) => Admitted::Wait(until),
            Admission::Gone => Admitted::Never(Parked::Gone),
            Admission::Probe(probing) => {
                if self
                    .confirmations
                    .update_destination(client, &host, &probing)
                    .await?
                {
                    Admitted::Go(Destination {
                        version: probing.version + 1,
                        ..probing
                    })
                } else {
                    // Another run is the probe.
                    Admitted::Wait(probing.closed_until.unwrap_or(now))
                }
            }
        })
    }

    async fn wait(&self, claim: &Claim, until: Timestamp) -> Result<DeliveryReport, StoreError> {
        let now = self.clock.now();
        if now >= later(claim.waiting_since, MAX_AGE) {
            return self.park(claim, Parked::TooOld, None).await;
        }
        let due = later(
            now,
            delivery::jittered(until.duration_since(now), self.randomness),
        );
        let due = due.min(later(claim.waiting_since, MAX_AGE));
        let noted = self.confirmations.wait(claim, due).await?;
        Ok(Self::report(claim, noted, DeliveryReport::Waiting(due)))
    }

    async fn deliver(&self, claim: &Claim, destination: Destination) -> Result<DeliveryReport, StoreError> {
        let started = self.clock.now();
        if started >= later(claim.claimed_at(), BEGINS_WITHIN) {
            return self.wait(claim, started).await;
        }
        let delivery = self.receivers.post(&claim.confirmation, started).await;
        let now = self.clock.now();
        // The result comes first: it must not be lost over the receiver's state.
        let confirmed = match delivery {
            DeliveryResult::Answered {
                status: 200..=299, ..
            } => {
                let noted = self.confirmations.delivered(claim, now).await?;
                Self::report(claim, noted, DeliveryReport::Delivered)
            }
            DeliveryResult::Answered { status: 410, .. } => {
                self.park(claim, Parked::Gone, Some(failure(delivery).as_str()))
                    .await?
            }
            _ => self.retry(claim, delivery, now).await?,
        };
        if let Err(error) = self.update_receiver(claim, destination, delivery, now).await {
            warn!(error, "state of a receiver not updated");
        }
        Ok(confirmed)
    }

    async fn retry(
        &self,
        claim: &Claim,
        delivery: DeliveryResult,
        now: Timestamp,
    ) -> Result<DeliveryReport, StoreError> {
        let failure = failure(delivery);
        warn!(
            confirmation = claim.confirmation.id,
            client = claim.confirmation.client,
            attempt = claim.attempt,
            failure,
            "delivery attempt failed"
        );
        let times = (claim.waiting_since, now);
        let due = match delivery::retry_at(claim.attempt, delivery, times, self.randomness) {
            Ok(due) => due,
            Err(reason) => return self.park(claim, reason, Some(failure.as_str())).await,
        };
        if self.confirmations.retry(claim, due, failure.as_str()).await? == ClaimWrite::ClaimLost {
            return Ok(Self::report(
                claim,
                ClaimWrite::ClaimLost,
                DeliveryReport::Retry(due),
            ));
        }
        let wait = due.duration_since(now);
        if wait < SWEEP_INTERVAL {
            let this = [(claim.confirmation.id.clone(), claim.confirmation.client.clone())];
            if let Err(error) = self.wakeups.wake(Work::Confirmations(&this), wait).await {
                warn!(error, "wake-up of a retry failed, the sweep sends it");
            }
        }
        Ok(DeliveryReport::Retry(due))
    }

    async fn park(
        &self,
        claim: &Claim,
        reason: Parked,
        failure: Option<&str>,
    ) -> Result<DeliveryReport, StoreError> {
        let now = self.clock.now();
        let noted = self.confirmations.park(claim, reason, failure, now).await?;
        if noted == ClaimWrite::Stored {
            warn!(
                confirmation = claim.confirmation.id,
                client = claim.confirmation.client,
                reason = reason.as_str(),
                "confirmation parked"
            );
        }
        Ok(Self::report(claim, noted, DeliveryReport::Parked(reason)))
    }

    /// Reports a lost claim as such: neither log nor metric may say `delivered` of a confirmation that is sent again.
    fn report(claim: &Claim, noted: ClaimWrite, confirmed: DeliveryReport) -> DeliveryReport {
        match noted {
            ClaimWrite::Stored => confirmed,
            ClaimWrite::ClaimLost => {
                warn!(
                    confirmation = claim.confirmation.id,
                    client = claim.confirmation.client,
                    attempt = claim.attempt,
                    result = confirmed.as_str(),
                    "claim lost, the confirmation is sent again"
                );
                DeliveryReport::ClaimLost
            }
        }
    }

    async fn update_receiver(
        &self,
        claim: &Claim,
        mut destination: Destination,
        delivery: DeliveryResult,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (client, host) = (&claim.confirmation.client, claim.confirmation.destination());
        for _ in 0..UPDATE_TRIES {
            let Some(next) = destination.after(delivery, now, self.randomness) else {
                return Ok(());
            };
            if self
                .confirmations
                .update_destination(client, &host, &next)
                .await?
            {
                return Ok(());
            }
            destination = self.confirmations.destination(client, &host).await?;
            if destination.is_closed(now) && matches!(delivery, DeliveryResult::Failed(_)) {
                // Attempts that were made and failed together count as one failure.
                return Ok(());
            }
        }
        // Many runs update it at the same time, so this update makes no difference.
        Ok(())
    }
}

enum Admitted {
    Go(Destination),
    Wait(Timestamp),
    Never(Parked),
}

fn failure(delivery: DeliveryResult) -> LogText {
    match delivery {
        DeliveryResult::Answered { status, .. } => LogText::numbered("http_", status),
        DeliveryResult::Failed(class) => class.into(),
        DeliveryResult::Unready => "unready".into(),
    }
}

#[cfg(test)]
mod tests;

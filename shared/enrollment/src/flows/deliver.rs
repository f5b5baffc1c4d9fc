//! Sending a confirmation: at least once, to a registered receiver, no more often than it can bear
//! (`docs/contract.md#confirmations`).

use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;
use crate::confirmation::ConfirmationId;
use crate::delivery::{
    self, Admission, BEGINS_WITHIN, DeliveryResult, Destination, LEASE, MAX_AGE, MAX_ATTEMPTS, Parked,
};
use crate::log::{LogText, error, info, warn};
use crate::ports::{Claim, ClaimWrite, Clients, Confirmations, Receivers, StoreError, Wakeups};
use crate::randomness::Randomness;
use crate::time::later;

/// How often a receiver's state is written anew because another run changed it in between.
const UPDATE_TRIES: usize = 5;
/// A retry that is due sooner than the next sweep gets a wake-up of its own.
const SWEEP_INTERVAL: SignedDuration = SignedDuration::from_secs(60);

/// What sending confirmations needs.
pub struct Delivery<'a> {
    /// What there is to send.
    pub confirmations: &'a dyn Confirmations,
    /// Whom to.
    pub receivers: &'a dyn Receivers,
    /// Set-ups: which hosts are registered.
    pub clients: &'a dyn Clients,
    /// For a retry after seconds.
    pub wakeups: &'a dyn Wakeups,
    /// The time.
    pub clock: &'a dyn Clock,
    /// For the jitter of waits.
    pub randomness: &'a dyn Randomness,
}

/// What came of one run over one confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryReport {
    /// The receiver has it.
    Delivered,
    /// An attempt failed, the next one is due then.
    Retry(Timestamp),
    /// The receiver is left alone until then; no attempt was made.
    Waiting(Timestamp),
    /// It is not tried any more by itself.
    Parked(Parked),
    /// It is not due, another run has it, or there is none: a wake-up too many.
    NotDue,
    /// The claim was lost before the result could be stored: unless an operator dropped the confirmation, it is sent again,
    /// whatever the receiver answered.
    ClaimLost,
}

impl DeliveryReport {
    /// The word for logs and metrics.
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
    /// Sends a confirmation where it is due.
    ///
    /// # Errors
    /// Where the store fails. The confirmation is due again when the claim ends, so it may be sent twice, never not at
    /// all.
    pub async fn confirm(&self, id: &ConfirmationId) -> Result<DeliveryReport, StoreError> {
        let now = self.clock.now();
        let claim = match self.confirmations.claim(id, now, later(now, LEASE)).await {
            Ok(Some(claim)) => claim,
            Ok(None) => return Ok(DeliveryReport::NotDue),
            Err(error @ StoreError::Unreadable { .. }) => {
                // The store has parked it: another message about it would find nothing to do.
                error!(
                    error,
                    confirmation = id,
                    "a confirmation can't be read, it is parked"
                );
                return Ok(DeliveryReport::Parked(Parked::Unreadable));
            }
            Err(error) => return Err(error),
        };
        let confirmed = match self.admit(&claim).await {
            Ok(admitted) => self.follow(&claim, admitted).await?,
            Err(error) => {
                // Nobody was asked, so no attempt counts.
                self.wait(&claim, later(self.clock.now(), SWEEP_INTERVAL)).await?;
                return Err(error);
            }
        };
        info!(
            confirmation = id,
            client = claim.confirmation.client,
            attempt = claim.attempt,
            outcome = confirmed.as_str(),
            "confirmation was dealt with"
        );
        Ok(confirmed)
    }

    async fn follow(&self, claim: &Claim, admitted: Admitted) -> Result<DeliveryReport, StoreError> {
        match admitted {
            Admitted::Go(destination) => self.deliver(claim, destination).await,
            Admitted::Wait(until) => self.wait(claim, until).await,
            Admitted::Never(reason) => self.park(claim, reason, None).await,
        }
    }

    /// A host that was taken out of the set-up gets nothing any more. A suspended client is told what still happens.
    async fn is_registered(&self, claim: &Claim) -> Result<bool, StoreError> {
        let client = self.clients.by_id(&claim.confirmation.client).await?;
        Ok(client.is_some_and(|client| client.may_confirm_to(&claim.confirmation.url)))
    }

    async fn admit(&self, claim: &Claim) -> Result<Admitted, StoreError> {
        // Runs that died count too: a confirmation that kills its run ends some day.
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
                    // Another run probes.
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
        Ok(Self::told(claim, noted, DeliveryReport::Waiting(due)))
    }

    async fn deliver(&self, claim: &Claim, destination: Destination) -> Result<DeliveryReport, StoreError> {
        let started = self.clock.now();
        if started >= later(claim.claimed_at(), BEGINS_WITHIN) {
            return self.wait(claim, started).await;
        }
        let delivery = self.receivers.post(&claim.confirmation, started).await;
        let now = self.clock.now();
        // First what became of the confirmation: that it was delivered must not be lost over a receiver's state.
        let confirmed = match delivery {
            DeliveryResult::Answered {
                status: 200..=299, ..
            } => {
                let noted = self.confirmations.delivered(claim, now).await?;
                Self::told(claim, noted, DeliveryReport::Delivered)
            }
            DeliveryResult::Answered { status: 410, .. } => {
                self.park(claim, Parked::Gone, Some(failure(delivery).as_str()))
                    .await?
            }
            _ => self.retry(claim, delivery, now).await?,
        };
        if let Err(error) = self.note(claim, destination, delivery, now).await {
            warn!(error, "what was learned of a receiver is lost");
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
            "a confirmation was not taken"
        );
        let times = (claim.waiting_since, now);
        let due = match delivery::retry_at(claim.attempt, delivery, times, self.randomness) {
            Ok(due) => due,
            Err(reason) => return self.park(claim, reason, Some(failure.as_str())).await,
        };
        if self.confirmations.retry(claim, due, failure.as_str()).await? == ClaimWrite::ClaimLost {
            return Ok(Self::told(
                claim,
                ClaimWrite::ClaimLost,
                DeliveryReport::Retry(due),
            ));
        }
        let wait = due.duration_since(now);
        if wait < SWEEP_INTERVAL {
            let this = [(claim.confirmation.id.clone(), claim.confirmation.client.clone())];
            if let Err(error) = self.wakeups.confirm(&this, wait).await {
                warn!(error, "a retry is left to the sweep");
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
                "a confirmation is parked"
            );
        }
        Ok(Self::told(claim, noted, DeliveryReport::Parked(reason)))
    }

    /// A lost claim is reported as such: neither log nor metric may say `delivered` of what is sent again.
    fn told(claim: &Claim, noted: ClaimWrite, confirmed: DeliveryReport) -> DeliveryReport {
        match noted {
            ClaimWrite::Stored => confirmed,
            ClaimWrite::ClaimLost => {
                warn!(
                    confirmation = claim.confirmation.id,
                    client = claim.confirmation.client,
                    attempt = claim.attempt,
                    result = confirmed.as_str(),
                    "claim of a confirmation lost, it is sent again"
                );
                DeliveryReport::ClaimLost
            }
        }
    }

    async fn note(
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
                // Sent side by side, failed together: that is one blip, not ten.
                return Ok(());
            }
        }
        // So many change it at once that one more word makes no difference.
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

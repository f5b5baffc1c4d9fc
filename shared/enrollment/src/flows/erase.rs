//! Erasure: all that is stored of a person in a program goes at once, where the person asks for it. What MRS holds is
//! cancelled there first, so that no card is forgotten.

use crate::client::Client;
use crate::clock::Clock;
use crate::identifiers::{CustomerId, ProgramId};
use crate::intent::CardState;
use crate::ports::{Customers, Ledger, Purges, Record, Removal, Rewards, StoreError};
use crate::status::MrsCode;

use super::purge::is_quiet;
use super::settle::{Cancellation, cancel_card};

/// How often it begins anew because the customer changed in between.
const TRIES: usize = 5;

/// What an erasure needs.
pub struct Erasure<'a> {
    /// The records.
    pub purges: &'a dyn Purges,
    /// Customers' cards.
    pub customers: &'a dyn Customers,
    /// For the customer's key, and cards that MRS has cancelled.
    pub ledger: &'a dyn Ledger,
    /// MRS, for active cards.
    pub rewards: &'a dyn Rewards,
    /// The time.
    pub clock: &'a dyn Clock,
}

/// Whom it is about.
#[derive(Debug, Clone, Copy)]
pub struct DataSubject<'a> {
    /// Whose customer.
    pub client: &'a Client,
    /// In which program.
    pub program: &'a ProgramId,
    /// Who.
    pub customer: &'a CustomerId,
}

/// What was erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErasureReport {
    /// Cards, those that had left the program before included.
    pub cards: usize,
    /// Cards that MRS was asked to cancel first.
    pub cancelled: usize,
    /// Intents.
    pub intents: usize,
    /// Confirmations, those that were never sent included.
    pub confirmations: usize,
    /// Sessions.
    pub sessions: usize,
}

/// Nothing was erased, or not all: why, and what was done by then. A next run goes on from there.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub struct ErasureError {
    /// Why.
    pub why: ErasureCause,
    /// What was done by then.
    pub progress: ErasureProgress,
}

/// How far an erasure has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ErasureProgress {
    /// Cards that MRS has cancelled.
    pub cancelled: usize,
    /// Whether records may have gone: where they are too many for one transaction, or the store failed at it.
    pub has_begun: bool,
}

/// Why not all was erased.
#[derive(Debug, thiserror::Error)]
pub enum ErasureCause {
    /// There is nothing.
    #[error("nothing is stored of this customer in this program")]
    Nobody,
    /// Cards are in the program, and were not to be taken out.
    #[error("{0} of the customer's cards are in the program")]
    ActiveCards(usize),
    /// Something is under way.
    #[error("an enrollment, a replacement or an opt-out of this customer is not settled yet")]
    Unsettled,
    /// MRS does not cancel a card.
    #[error("MRS does not cancel a card: {0}")]
    Refused(MrsCode),
    /// MRS does not answer: it may have cancelled one card more.
    #[error("MRS gave no usable answer to the cancellation of a card")]
    NoAnswer,
    /// The customer is at work at this very moment.
    #[error("the customer's records change at this very moment")]
    Busy,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Erasure<'_> {
    /// Erases all that is stored of a person. Active cards are cancelled at MRS first, where `opt_out` says so. A run that
    /// was cut off is begun again.
    ///
    /// # Errors
    /// [`ErasureError`].
    pub async fn erase(&self, person: DataSubject<'_>, opt_out: bool) -> Result<ErasureReport, ErasureError> {
        let mut progress = ErasureProgress::default();
        match self.erase_record(person, opt_out, &mut progress).await {
            Ok(record) => Ok(ErasureReport {
                cards: record.cards.len(),
                cancelled: progress.cancelled,
                intents: record.intents.len(),
                confirmations: record.confirmations.len(),
                sessions: record.sessions.len(),
            }),
            Err(why) => Err(ErasureError { why, progress }),
        }
    }

    /// Gives what was there.
    async fn erase_record(
        &self,
        person: DataSubject<'_>,
        opt_out: bool,
        progress: &mut ErasureProgress,
    ) -> Result<Record, ErasureCause> {
        let client = &person.client.id;
        let key = self.ledger.key(client, person.program, person.customer).await?;
        let mut first = None;
        for _ in 0..TRIES {
            let record = self
                .purges
                .record(client, &key)
                .await?
                .ok_or(ErasureCause::Nobody)?;
            if !is_quiet(&record) {
                return Err(ErasureCause::Unsettled);
            }
            let before = progress.cancelled;
            self.cancel_active(person, &record, opt_out, progress).await?;
            // A cancellation changes the record.
            if progress.cancelled == before {
                progress.has_begun = true;
                if self.purges.remove(&record, &Removal::Erasure).await? {
                    return Ok(first.unwrap_or(record));
                }
                first = first.or(Some(record));
            }
        }
        Err(ErasureCause::Busy)
    }

    /// Counts those that were cancelled.
    async fn cancel_active(
        &self,
        person: DataSubject<'_>,
        record: &Record,
        opt_out: bool,
        progress: &mut ErasureProgress,
    ) -> Result<(), ErasureCause> {
        let is_active =
            |state| state != CardState::PendingCancellation && !matches!(state, CardState::Cancelled { .. });
        let active = record.cards.iter().filter(|card| is_active(card.state)).count();
        if active == 0 {
            return Ok(());
        }
        if !opt_out {
            return Err(ErasureCause::ActiveCards(active));
        }
        let DataSubject { client, program, .. } = person;
        let customer = self
            .customers
            .customer(&client.id, program, person.customer)
            .await?;
        let retention_days = client.retention_days(program);
        let mut done = 0;
        for card in customer.offered(None) {
            let number = &card.bank_customer_number;
            match cancel_card(self.rewards, client.institution(), number, &card.ranac).await {
                Cancellation::Done => progress.cancelled += 1,
                Cancellation::Refused(code) => return Err(ErasureCause::Refused(code)),
                Cancellation::Unknown { .. } => return Err(ErasureCause::NoAnswer),
            }
            let now = self.clock.now();
            let place = (&client.id, program, &record.key);
            self.ledger.strike_off(place, card, retention_days, now).await?;
            done += 1;
        }
        if done < active {
            // One is held by an intent that came in between.
            return Err(ErasureCause::Busy);
        }
        Ok(())
    }
}

//! Erasure of a person's data: all records of the person in a program are deleted at once, at the person's request. While a
//! card is active, the erasure is refused, unless the caller opts the person out: then MRS cancels the cards first.
//!
//! Tests: `shared/enrollment/tests/flows/erase.rs` over the model of the stores, `tests/interop/test_personal_data.py`
//! with the operator's commands, `shared/platform/tests/storage/purging.rs` for the deletion.

use crate::client::Client;
use crate::clock::Clock;
use crate::identifiers::{CustomerId, ProgramId};
use crate::intent::CardState;
use crate::ports::{CustomerRecords, Customers, Purges, Record, Removal, Rewards, StoreError};
use crate::status::MrsCode;

use super::purge::is_settled_record;
use super::settle::{Cancellation, cancel_card};

/// Tries to delete a record, each of which may fail because the record changed.
const TRIES: usize = 5;

/// Ports of an erasure.
pub struct Erasure<'a> {
    /// Records to delete.
    pub purges: &'a dyn Purges,
    /// Customers' cards.
    pub customers: &'a dyn Customers,
    /// Key of the customer, and cards that MRS has cancelled.
    pub customer_records: &'a dyn CustomerRecords,
    /// MRS, to cancel active cards.
    pub rewards: &'a dyn Rewards,
    /// Clock.
    pub clock: &'a dyn Clock,
}

/// Person whose data is erased.
#[derive(Debug, Clone, Copy)]
pub struct DataSubject<'a> {
    /// Client of the customer.
    pub client: &'a Client,
    /// Program.
    pub program: &'a ProgramId,
    /// Customer id of the person.
    pub customer: &'a CustomerId,
}

/// Numbers of erased records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErasureReport {
    /// Cards, including those that had left the program before.
    pub cards: usize,
    /// Cards that MRS was asked to cancel first.
    pub cancelled: usize,
    /// Intents.
    pub intents: usize,
    /// Confirmations, including those that were never sent.
    pub confirmations: usize,
    /// Sessions.
    pub sessions: usize,
}

/// Error of an erasure that did nothing, or not all. The next run resumes it.
#[derive(Debug, thiserror::Error)]
#[error("{cause}")]
pub struct ErasureError {
    /// Reason.
    pub cause: ErasureCause,
    /// Progress until then.
    pub progress: ErasureProgress,
}

/// Progress of an erasure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ErasureProgress {
    /// Cards that MRS has cancelled.
    pub cancelled: usize,
    /// Whether records may have been deleted: they are too many for one transaction, or the store failed at it.
    pub has_begun: bool,
}

/// Reason for which not all was erased.
#[derive(Debug, thiserror::Error)]
pub enum ErasureCause {
    /// Nothing is stored of the person.
    #[error("nothing is stored about this customer")]
    Nobody,
    /// Cards are in the program, and the caller did not allow to cancel them.
    #[error("{0} of the customer's cards are in the program")]
    ActiveCards(usize),
    /// An intent has an open outcome, or needs cleanup.
    #[error("an enrollment, replacement or opt-out is still in progress")]
    DueIntent,
    /// MRS declined to cancel a card.
    #[error("MRS declined to cancel a card: {0}")]
    Refused(MrsCode),
    /// MRS gave no clear answer: it may have cancelled one more card.
    #[error("MRS gave no usable answer to the cancellation of a card")]
    NoAnswer,
    /// The records changed during each try.
    #[error("the customer's records keep changing")]
    Busy,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Erasure<'_> {
    /// Erases all records of a person. Active cards are cancelled at MRS first if `opt_out` is set. A run that was interrupted
    /// is repeated.
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
            Err(cause) => Err(ErasureError { cause, progress }),
        }
    }

    /// Erases the records, and gives them as they were.
    async fn erase_record(
        &self,
        person: DataSubject<'_>,
        opt_out: bool,
        progress: &mut ErasureProgress,
    ) -> Result<Record, ErasureCause> {
        let client = &person.client.id;
        let key = self
            .customer_records
            .key(client, person.program, person.customer)
            .await?;
        let mut first = None;
        for _ in 0..TRIES {
            let record = self
                .purges
                .record(client, &key)
                .await?
                .ok_or(ErasureCause::Nobody)?;
            if !is_settled_record(&record) {
                return Err(ErasureCause::DueIntent);
            }
            let before = progress.cancelled;
            self.cancel_active(person, &record, opt_out, progress).await?;
            // A cancellation changes the record, which is read again then.
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

    /// Cancels the active cards at MRS, and counts them.
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
            self.customer_records
                .mark_cancelled(place, card, retention_days, now)
                .await?;
            done += 1;
        }
        if done < active {
            // A card was locked by an intent in between.
            return Err(ErasureCause::Busy);
        }
        Ok(())
    }
}

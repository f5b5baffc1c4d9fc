//! One transaction of an outcome. What MRS did must be stored, even where the session, the counts or the old card are not
//! as they were left: those are given up, one after the other.

use aws_sdk_dynamodb::types::TransactWriteItem;
use enrollment::log::warn;
use enrollment::ports::StoreError;

use super::DynamoEnrollments;
use crate::tables::transaction::transact;

/// Positions in the transaction.
const INTENT: usize = 0;
const RECOUNT: usize = 1;

/// What goes into it.
pub(super) struct Parts {
    /// The intent: its condition says whether there is anything to store.
    pub(super) intent: TransactWriteItem,
    /// Ways to bring the customer's counts up to date, of which the first that applies is taken.
    pub(super) recounts: Vec<TransactWriteItem>,
    /// What is written in any case.
    pub(super) required: Vec<TransactWriteItem>,
    /// The card that goes, or stays.
    pub(super) old_card: Vec<TransactWriteItem>,
    /// The session.
    pub(super) session: Option<TransactWriteItem>,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored {
    /// It is stored.
    Now,
    /// The intent's condition does not hold.
    Before,
}

impl DynamoEnrollments {
    pub(super) async fn store(&self, operation: &'static str, parts: Parts) -> Result<Stored, StoreError> {
        let Parts {
            intent,
            recounts,
            required,
            mut old_card,
            mut session,
        } = parts;
        let mut recounts = recounts.into_iter();
        let mut recount = recounts.next();
        loop {
            let mut writes = vec![intent.clone()];
            writes.extend(recount.clone());
            writes.extend(required.iter().cloned());
            let first_of_old_card = writes.len();
            writes.extend(old_card.iter().cloned());
            let position_of_session = writes.len();
            writes.extend(session.clone());

            let transacted = transact(&self.dynamodb, &*self.randomness, operation, writes).await?;
            if transacted.refuses(INTENT) {
                return Ok(Stored::Before);
            }
            if !transacted.refuses_any() {
                return Ok(Stored::Now);
            }
            // Each is given up at most once, so this ends.
            let recount_refused = recount.is_some() && transacted.refuses(RECOUNT);
            let stands = |index: usize| !transacted.refuses(first_of_old_card + index);
            let old_card_gone = !(0..old_card.len()).all(stands);
            let session_gone = session.is_some() && transacted.refuses(position_of_session);
            if recount_refused {
                recount = recounts.next();
            }
            let nothing_to_give_up = recount_refused && recount.is_none();
            if nothing_to_give_up || !(recount_refused || old_card_gone || session_gone) {
                return Err(StoreError::Unavailable {
                    operation,
                    detail: "a condition did not hold that nothing can be done about".into(),
                });
            }
            if old_card_gone || session_gone {
                warn!(
                    session_gone,
                    old_card_gone, operation, "stored without what it belongs to"
                );
            }
            let mut index = 0..;
            old_card.retain(|_| index.next().is_none_or(stands));
            if session_gone {
                session = None;
            }
        }
    }
}

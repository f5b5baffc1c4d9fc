//! Transaction that stores an outcome. The outcome must be stored even where the session, the counts or the old card have
//! changed: their writes are given up one after the other.

use aws_sdk_dynamodb::types::TransactWriteItem;
use enrollment::log::warn;
use enrollment::ports::{Put, StoreError};

use super::DynamoEnrollments;
use crate::tables::transaction::transact;

/// Positions in the transaction.
const INTENT: usize = 0;
const COUNTS: usize = 1;

/// Writes of the transaction.
pub(super) struct Parts {
    /// The intent. Its condition fails where the outcome is stored already.
    pub(super) intent: TransactWriteItem,
    /// Alternative writes of the customer's counts: the first whose condition holds is used.
    pub(super) count_updates: Vec<TransactWriteItem>,
    /// Writes that are never given up.
    pub(super) required: Vec<TransactWriteItem>,
    /// The old card.
    pub(super) old_card: Vec<TransactWriteItem>,
    /// The session.
    pub(super) session: Option<TransactWriteItem>,
}

impl DynamoEnrollments {
    pub(super) async fn store(&self, operation: &'static str, parts: Parts) -> Result<Put, StoreError> {
        let Parts {
            intent,
            count_updates,
            required,
            mut old_card,
            mut session,
        } = parts;
        let mut count_updates = count_updates.into_iter();
        let mut count_update = count_updates.next();
        loop {
            let mut writes = vec![intent.clone()];
            writes.extend(count_update.clone());
            writes.extend(required.iter().cloned());
            let first_of_old_card = writes.len();
            writes.extend(old_card.iter().cloned());
            let position_of_session = writes.len();
            writes.extend(session.clone());

            let transacted = transact(&self.dynamodb, &*self.randomness, operation, writes).await?;
            if transacted.refuses(INTENT) {
                return Ok(Put::AlreadyExists);
            }
            if !transacted.refuses_any() {
                return Ok(Put::Created);
            }
            // Each is given up at most once, so this ends.
            let counts_refused = count_update.is_some() && transacted.refuses(COUNTS);
            let stands = |index: usize| !transacted.refuses(first_of_old_card + index);
            let old_card_gone = !(0..old_card.len()).all(stands);
            let session_gone = session.is_some() && transacted.refuses(position_of_session);
            if counts_refused {
                count_update = count_updates.next();
            }
            let nothing_to_give_up = counts_refused && count_update.is_none();
            if nothing_to_give_up || !(counts_refused || old_card_gone || session_gone) {
                return Err(StoreError::unavailable(operation, "a required condition failed"));
            }
            if old_card_gone || session_gone {
                warn!(
                    session_gone,
                    old_card_gone, operation, "record stored without its session or old card"
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

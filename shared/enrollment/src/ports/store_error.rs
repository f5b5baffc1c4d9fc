//! Error of every store.

use crate::log::{LogText, by_display};

/// Something outside did not do its work. The detail is for the log; its type can't hold what came from outside.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store did not answer, or refused.
    #[error("{operation} failed: {detail}")]
    Unavailable {
        /// What was tried.
        operation: &'static str,
        /// What came back.
        detail: LogText,
    },
    /// What is stored can't be read: another schema version, a failed authentication tag.
    #[error("{operation} found an unreadable record: {detail}")]
    Unreadable {
        /// What was tried.
        operation: &'static str,
        /// What is wrong with it.
        detail: LogText,
    },
}

by_display!(StoreError);

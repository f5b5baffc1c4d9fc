//! Error of every store.

use crate::log::{LogText, by_display};

/// Failure of a store, a queue or a secret's reader. The details are for the log; their type can't contain foreign text.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store did not answer, or refused the operation.
    #[error("{operation} failed: {detail}")]
    Unavailable {
        /// Operation that failed.
        operation: &'static str,
        /// Cause of the failure.
        detail: LogText,
    },
    /// The stored record can't be read: another schema version, a failed authentication tag.
    #[error("{operation} found an unreadable record: {detail}")]
    Unreadable {
        /// Operation that read the record.
        operation: &'static str,
        /// Defect of the record.
        detail: LogText,
    },
}

impl StoreError {
    /// Failure of an operation that gave no result.
    pub fn unavailable(operation: &'static str, detail: impl Into<LogText>) -> Self {
        Self::Unavailable {
            operation,
            detail: detail.into(),
        }
    }

    /// Failure of an operation that found a record which can't be read.
    pub fn unreadable(operation: &'static str, detail: impl Into<LogText>) -> Self {
        Self::Unreadable {
            operation,
            detail: detail.into(),
        }
    }
}

by_display!(StoreError);

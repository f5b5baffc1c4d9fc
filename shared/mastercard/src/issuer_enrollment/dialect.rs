//! Names of Mastercard's Issuer Enrollment API in its two dialects, and every assumption about it. A wrong name or value
//! is corrected here.
//!
//! The issuers' specification is not public. Paths and parameters are those of the sibling specification (Mastercard
//! Checkout Solutions) on the same base address.

use std::str::FromStr;

use thiserror::Error;

/// Dialect of an installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// "Issuer Enrollment", labeled as legacy since September 2026: `externalCardId`.
    Legacy,
    /// "Credential Directory APIs", its successor: `externalCredentialId`.
    Successor,
}

/// Text that names no dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the dialect must be legacy or successor")]
pub struct UnknownDialect;

/// Names of one dialect.
pub(super) struct Names {
    /// Path of the batch operations below the base address.
    pub(super) batches: &'static [&'static str],
    /// Path of the operations on one card below the base address.
    pub(super) cards: &'static [&'static str],
    /// Members with the issuer's id of a card, the dialect's own first. The other dialect's name is read where it is
    /// absent, since a mistaken setting would otherwise leave every card without a result.
    pub(super) card_id: &'static [&'static str],
    /// Members with Mastercard's id of a card.
    pub(super) digital_card_id: &'static [&'static str],
}

/// Assumption: the batch operations of both dialects are `POST /cards/batch` and `GET /cards/batch/{batchId}`.
const BATCHES: &[&str] = &["cards", "batch"];

/// Assumption: both dialects delete a card by `DELETE /cards/{srcDigitalCardId}`, as the sibling specification does.
const CARDS: &[&str] = &["cards"];

/// Assumption: the successor keeps the name `srcDigitalCardId`.
const DIGITAL_CARD_IDS: &[&str] = &["srcDigitalCardId"];

const LEGACY: Names = Names {
    batches: BATCHES,
    cards: CARDS,
    card_id: &["externalCardId", "externalCredentialId"],
    digital_card_id: DIGITAL_CARD_IDS,
};

const SUCCESSOR: Names = Names {
    batches: BATCHES,
    cards: CARDS,
    card_id: &["externalCredentialId", "externalCardId"],
    digital_card_id: DIGITAL_CARD_IDS,
};

/// Members of a request. The documentation writes `externalBatchId` and `externalBatchID`; the first is sent, both are
/// read.
pub(super) const EXTERNAL_BATCH_ID: &str = "externalBatchId";
pub(super) const SRC_CLIENT_ID: &str = "srcClientId";
pub(super) const SERVICE_ID: &str = "serviceId";
/// One compact JWE, as a string.
pub(super) const ENROLLMENT_DATA: &str = "enrollmentData";

/// Members of answers, in every spelling seen.
pub(super) const BATCH_IDS: &[&str] = &["batchId", "batchID"];
pub(super) const EXTERNAL_BATCH_IDS: &[&str] = &["externalBatchId", "externalBatchID"];
pub(super) const BATCH_STATUSES: &[&str] = &["batchStatus", "status"];
pub(super) const RECORD_STATUSES: &[&str] = &["status", "enrollmentStatus", "recordStatus"];
pub(super) const EXTERNAL_CONSUMER_IDS: &[&str] = &["externalConsumerId", "externalConsumerID"];
pub(super) const SRC_CONSUMER_IDS: &[&str] = &["srcConsumerId", "srcConsumerID"];

/// Statuses of a batch. Assumption: those of the sibling specification's batch of merchants (`DpaBatchStatus`). The plain
/// words are read too. A status that is not here does not end a batch.
pub(super) const IN_PROGRESS: &[&str] = &["IN_PROGRESS"];
pub(super) const COMPLETED: &[&str] = &["COMPLETED", "COMPLETE"];
pub(super) const COMPLETED_SUCCESSFULLY: &[&str] = &["COMPLETED_SUCCESSFULLY"];
pub(super) const COMPLETED_WITH_ERRORS: &[&str] = &["COMPLETED_WITH_ERRORS"];
pub(super) const FAILED: &[&str] = &["FAILED"];

/// Statuses of a record. Assumption: those of the sibling specification, and the plain words.
pub(super) const RECORD_SUCCESSES: &[&str] = &["SUCCESSFUL", "SUCCESS"];
pub(super) const RECORD_FAILURES: &[&str] = &["FAILED", "FAILURE"];

/// Statuses in the answer to a deletion, beside [`RECORD_SUCCESSES`]. Assumption: the plain word.
pub(super) const DELETIONS: &[&str] = &["DELETED"];

/// Assumption: a record without a status and without an error, with Mastercard's id of the card, is a success. The
/// documentation of the status request lists the ids as what it returns "if the enablement is successful".
pub(super) const DIGITAL_CARD_ID_STATES_SUCCESS: bool = true;

/// Query parameters of a deletion beside [`SRC_CLIENT_ID`] and [`SERVICE_ID`] (sibling specification, `deleteCard`).
pub(super) const SRC_CORRELATION_ID: &str = "srcCorrelationId";
pub(super) const REASON: &str = "reason";
pub(super) const REQUESTOR: &str = "requestor";
/// One of `SUSPECTED_FRAUD`, `ACCOUNT_CLOSED`, `OTHER`, `DEFAULT`. Why an issuer deletes a card is not known here.
pub(super) const DELETION_REASON: &str = "OTHER";
/// One of `CARDHOLDER`, `MERCHANT`, `ISSUER`, `WALLET`.
pub(super) const DELETION_REQUESTOR: &str = "ISSUER";

/// Header that keeps the calls of one flow on one site of Mastercard. The value of the first answer is sent with every
/// later call.
pub(super) const FLOW_ID_HEADER: &str = "x-src-cx-flow-id";

impl Dialect {
    /// Name of the dialect in configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Successor => "successor",
        }
    }

    pub(super) fn names(self) -> &'static Names {
        match self {
            Self::Legacy => &LEGACY,
            Self::Successor => &SUCCESSOR,
        }
    }
}

impl FromStr for Dialect {
    type Err = UnknownDialect;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Legacy, Self::Successor]
            .into_iter()
            .find(|dialect| dialect.name() == text)
            .ok_or(UnknownDialect)
    }
}

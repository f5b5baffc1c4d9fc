//! The ports of `enrollment` over `DynamoDB`.
//!
//! `docs/storage.md` has a section for each item: its keys, attributes, sealed values, index and end. Every item carries
//! `schema` (today 1); one with a higher number is refused, an unknown attribute is ignored. Times are milliseconds since
//! 1970, `ttl` seconds.

pub mod audit;
mod batch;
mod batches;
pub mod client_setups;
mod clients;
pub mod confirmations;
mod customers;
mod digital_cards;
mod due_index;
mod enrollments;
pub(crate) mod item;
mod limits;
mod pacing;
mod places;
mod sealing;
mod sessions;
mod submissions;
mod transaction;
mod update;

#[cfg(feature = "operator")]
pub use batches::BatchIncident;
pub use batches::{BatchTables, DynamoBatches};
pub use clients::DynamoClients;
pub use confirmations::DynamoConfirmations;
pub use digital_cards::DynamoDigitalCards;
#[cfg(feature = "operator")]
pub use enrollments::Incident;
pub use enrollments::{DynamoEnrollments, FaultNote};
pub use limits::DynamoLimits;
pub use pacing::DynamoPacing;
pub use sessions::DynamoSessions;
pub use submissions::{DynamoSubmissionRecords, SubmissionTables};

/// The physical names of the tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableNames {
    /// Clients' set-ups.
    pub clients: String,
    /// Sessions and used tokens.
    pub sessions: String,
    /// Intents, cards and customers.
    pub enrollments: String,
    /// Confirmations to partners.
    pub confirmations: String,
    /// Counters against card testing.
    pub limits: String,
    /// Wrapped data keys.
    pub keys: String,
    /// Batches of issuers.
    pub batches: String,
    /// Digital cards that batches enrolled.
    pub digital_cards: String,
}

impl TableNames {
    /// Names of all tables.
    pub fn all(&self) -> [&str; 8] {
        let Self {
            clients,
            sessions,
            enrollments,
            confirmations,
            limits,
            keys,
            batches,
            digital_cards,
        } = self;
        [
            clients,
            sessions,
            enrollments,
            confirmations,
            limits,
            keys,
            batches,
            digital_cards,
        ]
    }
}

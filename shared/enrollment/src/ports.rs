//! Ports: traits for everything the domain needs from outside. Each neighbor has a file of its own.
//!
//! Adapters live elsewhere: `platform` implements the ports over AWS and over MRS's SOAP interface, `tests/crash` wraps them
//! so that each call can fail.
//!
//! # How to add a port
//!
//! 1. Create `ports/<neighbor>.rs` with one trait per use, `Send + Sync`, with `#[async_trait]` where it does I/O. The trait's
//!    name is a plural noun (`Receivers`), its methods are verbs of the domain. Types that only the port needs (arguments,
//!    results) stand in the same file, before the trait.
//! 2. Take and return domain types. A type of an SDK, a URL of a queue or the name of a table stays in the adapter.
//! 3. State in each method's doc comment what is atomic, what a repeated call does, and which times matter. A time is an
//!    argument: adapters must not decide by a clock of their own what a flow decides.
//! 4. Return [`StoreError`] from stores. A neighbor whose failures a flow tells apart gets an error enum of its own, such as
//!    [`RewardsError`]. An expected result ("already stored", "lease lost") is a value of `Ok`, not an error.
//! 5. Re-export the types here. A flow then takes `&dyn Port` as a field: its fields are its list of dependencies.
//! 6. Implement the port in `platform` and build the adapter where the others are built, wrap it in `tests/crash/src/ports.rs`
//!    so that every call is a fault injection point, and test it in `shared/platform/tests/storage`.
//!
//! Ports depend on domain types; a domain type never depends on a port or on a flow.

mod batch_contents;
mod batches;
mod clients;
mod confirmations;
mod customer_records;
mod customers;
mod digital_cards;
mod due_intents;
mod encryption_keys;

mod intents;
mod issuer_enrollment;
mod leases;
mod limits;
mod listing;
mod pacing;
mod purges;
mod put;
mod receivers;
mod record;
mod rewards;
mod sessions;
mod store_error;
mod submission_records;
mod used_tokens;
mod wakeups;

pub use batch_contents::{BatchContents, ContentName};
pub use batches::{Acceptance, BatchRecords, Batches, DueBatch, EndedBatch, LeaseEnd};
pub use clients::{ClientIndex, Clients};
pub use confirmations::{Claim, ClaimWrite, Confirmations, DueConfirmation};
pub use customer_records::{CustomerRecords, Entry};
pub use customers::Customers;
pub use digital_cards::{DigitalCards, DueDeletion};
pub use due_intents::{DueIntent, DueIntents};
pub use encryption_keys::{EncryptionKey, EncryptionKeys};
pub use intents::{BeginError, Intents};
pub use issuer_enrollment::{
    Acknowledgment, BatchQuery, BatchSubmission, CardDeletion, IssuerEnrollment, IssuerEnrollmentError,
};
pub use leases::{Leases, Reschedule};

pub use limits::{CounterKey, Limits};
pub use listing::{Cursor, Page};
pub use pacing::{Pacing, Permit};
pub use purges::{Purges, Removal};
pub use put::Put;
pub use receivers::Receivers;
pub use record::{
    ConfirmationState, CustomerKey, Record, RecordedCard, RecordedConfirmation, RecordedIntent,
    RecordedSession,
};
pub use rewards::{EncryptedNumber, IntentRewards, NewCard, Person, Rewards, RewardsError};
pub use sessions::Sessions;
pub use store_error::StoreError;
pub use submission_records::{ContextQuery, SubmissionContext, SubmissionRecords};
pub use used_tokens::UsedTokens;
pub use wakeups::{Wakeups, Work};

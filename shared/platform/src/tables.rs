//! The ports of `enrollment` over `DynamoDB`.
//!
//! # Layout
//! Every item carries `schema` (N, today 1); one with a higher number is refused, an attribute that is not
//! known is not looked at. Times are milliseconds since 1970, `ttl` seconds. *Sealed* attributes are binary values of
//! the [vault](crate::vault).
//!
//! | table | key | attributes |
//! | --- | --- | --- |
//! | clients | `client#<id>` | `setup` (the client's JSON), `revision` |
//! | | `slug#<slug>` | `client` |
//! | sessions | `session#<hex>` | `client`, `program`, `action`, `language`, `last4`, `expires_at`, `failures`, `open_attempt`, `last_attempt`, `finished`, `ttl`; sealed `customer`, `confirmation_url` |
//! | | `token#<hex>` | `until`, `ttl` |
//! | enrolments | `intent#<hex>`, `intent` | `session`, `client`, `program`, `action`, `bin`, `last4`, `design_code`, `consents` (JSON), `fingerprint`, `incident`, `created_at`; with the outcome `status`, `code`, `outcome_last4`, `leftover`, `finished_at`, `ttl`; sealed `customer`, `bank_customer_number`, `confirmation_url`, `ranac` |
//! | | `customer#<client>#<program>#<blind index>`, `customer` | `active`, `pending`, `version` |
//! | | the same, `card#<intent hex>` | `client`, `program`, `bin`, `last4`, `design_code`, `state`, `enrolled_at`; sealed `customer`, `ranac`, `bank_customer_number` |
//! | confirmations | `confirmation#<id>` | `client`, `due_at`, `attempts`, `state`; sealed `url`, `body` |
//! | limits | `customer#<client>#<program>#<blind index>#<hour>` | `attempts`, `ttl` |
//! | | `client#<client>#<program>#<hour>` | `attempts`, `ttl` |
//! | keys | `key#<client>#<purpose>#<period>` | `wrapped`, `created_at` |
//!
//! # Times to live
//! Sessions: a day after they expire. Used tokens: an hour after they would no longer be accepted. Limits: a day after
//! their hour. Intents that failed: seven days after their outcome, so that a repeat is answered and support finds them;
//! none while MRS may still hold something for them. Open and successful intents, cards and customers have none.
//! `DynamoDB` may delete days late: what is past its `ttl` is treated as gone.

pub mod client_setups;
mod clients;
mod customers;
mod enrolments;
pub(crate) mod item;
mod limits;
mod sealing;
mod sessions;
mod transaction;

pub use clients::DynamoClients;
pub use enrolments::DynamoEnrolments;
pub use limits::DynamoLimits;
pub use sessions::DynamoSessions;

/// The physical names of the tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableNames {
    /// Clients' set-ups.
    pub clients: String,
    /// Sessions and used tokens.
    pub sessions: String,
    /// Intents, cards and customers.
    pub enrolments: String,
    /// What partners are to be told.
    pub confirmations: String,
    /// Counters against card testing.
    pub limits: String,
    /// Wrapped data keys.
    pub keys: String,
}

//! The ports of `enrollment` over `DynamoDB`.
//!
//! # Layout
//! Every item carries `schema` (N, today 1); one with a higher number is refused, an attribute that is not
//! known is not looked at. Times are milliseconds since 1970, `ttl` seconds. *Sealed* attributes are binary values of
//! the [vault](crate::vault). A *customer key* is `customer#<client>#<program>#<blind index>`.
//!
//! | table | key | attributes |
//! | --- | --- | --- |
//! | clients | `client#<id>` | `setup` (the client's JSON), `revision` |
//! | | `slug#<slug>` | `client` |
//! | | `clients` | `ids` (string set: the ids of all clients ever stored) |
//! | sessions | `session#<hex>` | `owner`, `client`, `program`, `action`, `language`, `last4`, `expires_at`, `failures`, `open_attempt`, `last_attempt`, `finished`, `ttl`; sealed `customer`, `confirmation_url` |
//! | | `token#<hex>` | `until`, `ttl` |
//! | enrollments | `intent#<hex>`, `intent` | `owner`, `session`, `client`, `program`, `action`, `bin`, `last4`, `design_code`, `consents` (JSON), `fingerprint`, `incident`, `created_at`, while it wants to be looked after `agenda`, `agenda_at`; of a replacement or opt-out `old_card`, `old_retention_days`; with the outcome `status`, `code`, `outcome_last4`, `leftover`, `finished_at`, `ttl`; sealed `customer`, `bank_customer_number`, `confirmation_url`, `ranac`, `old_ranac`, `old_number` |
//! | | customer key, `customer` | `active`, `pending`, `changing`, `version`, `consents` (list of JSON), while there is no active card `ttl` |
//! | | customer key, `card#<intent hex>` | `client`, `program`, `bin`, `last4`, `design_code`, `state` (`active`, `held`, `leaving`, `cancelled`), `enrolled_at`, of the intent that takes it out `held_by`; from its cancellation on `cancelled_at`, `agenda`, `agenda_at`, `ttl`; sealed `customer`, `ranac`, `bank_customer_number` |
//! | | `retention#<client>#<program>`, `retention` | `retention_days`, `dated_until`: by which X, and up to when, cancelled cards have their `ttl` |
//! | | `audit#<client>`, `<time>#<random>` | `line` (JSON) |
//! | confirmations | `confirmation#<id>` | `owner`, `card` (the intent that enrolled the card with which it goes), `client`, `state` (`due`, `parked`, `delivered`), `attempts`, `outcome_at`, `waiting_since` (since the outcome, or since an operator's replay), `ticket` (of the claim that wrote last), `last_failure`, `reason`, `delivered_at`, `ttl`, until it is delivered `agenda`, `agenda_at`; sealed `url`, `body` |
//! | | `destination#<client>#<host:port>` | `failures`, `closed_until`, `gone`, `version`, `ttl` |
//! | limits | `attempts#<customer key>` | `minute` (the latest that was counted in), `minutes` (map: attempts by minute since 1970), `seen`, `seen_before` (string sets: names of the attempts of the latest two minutes), `ttl` |
//! | | `attempts#client#<client>#<program>` | the same |
//! | keys | `key#<client>#<purpose>#<period>` | `wrapped`, `created_at` |
//!
//! # Indexes
//! Both hold only the items that carry their key, and lag by moments: the item itself decides.
//!
//! - `agenda` of `enrollments` and `confirmations` (partition `agenda`, sort `agenda_at`): what wants something done. Intents
//!   whose outcome is open or that MRS may hold something for (`unsettled#0` to `#3`, the time of the next look); cards that
//!   were cancelled (`cancelled#<client>#<program>#0` to `#3`, since when: X is added when it is asked); confirmations to send
//!   (`due#0` to `#3`, when) and parked ones (`parked#0`, since when).
//! - `owner` of `enrollments`, `confirmations` and `sessions`: what belongs to a customer, by the customer key. Cards and counts
//!   lie under that key themselves.
//!
//! # Times to live
//! Sessions: a day after they expire. Used tokens: an hour after they would no longer be accepted. Limits: two hours after
//! the latest attempt's minute. Intents that failed: seven days after their outcome, so that a repeat is answered and support finds them;
//! none while MRS may still hold something for them. Delivered confirmations: seven days, without
//! address and body; parked ones: thirty days. What is known of a receiver: thirty days after its last change. Cancelled cards,
//! the intents that enrolled them and took them out, and a customer whose last card that was: seven days after their purge is
//! due. A customer who never had a card: eight days after the last attempt. Open and successful intents, cards and customers
//! with a card have none. `DynamoDB` may delete days late: what is past its `ttl` is treated as gone.

pub mod audit;
mod batch;
pub mod client_setups;
mod clients;
pub mod confirmations;
mod customers;
mod due_index;
mod enrollments;
pub(crate) mod item;
mod limits;
mod sealing;
mod sessions;
mod submissions;
mod transaction;
mod update;

pub use clients::DynamoClients;
pub use confirmations::DynamoConfirmations;
#[cfg(feature = "operator")]
pub use enrollments::Incident;
pub use enrollments::{DynamoEnrollments, FaultNote};
pub use limits::DynamoLimits;
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
    /// What partners are to be told.
    pub confirmations: String,
    /// Counters against card testing.
    pub limits: String,
    /// Wrapped data keys.
    pub keys: String,
}

impl TableNames {
    /// All of them.
    pub fn all(&self) -> [&str; 6] {
        let Self {
            clients,
            sessions,
            enrollments,
            confirmations,
            limits,
            keys,
        } = self;
        [clients, sessions, enrollments, confirmations, limits, keys]
    }
}

//! A session: what an accepted token opened (behaviour §2).

use jiff::{SignedDuration, Timestamp};
use url::Url;

use crate::identifiers::{ActionCode, ClientId, CustomerId, IntentId, Last4, ProgramId, SessionId};
use crate::language::Language;

/// How long a session is alive.
pub const LIFETIME: SignedDuration = SignedDuration::from_mins(15);

/// How long after its time a session still tells how it ended.
pub const GRACE: SignedDuration = SignedDuration::from_mins(5);

/// How many failed submissions end a session.
pub const MAX_FAILURES: u32 = 5;

/// One session as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// SHA-256 of what the browser holds.
    pub id: SessionId,
    /// Whose customer it is.
    pub client: ClientId,
    /// In which program.
    pub program: ProgramId,
    /// What may be done with it.
    pub action: ActionCode,
    /// Who the customer is.
    pub customer: CustomerId,
    /// The language that the page was opened in.
    pub language: Language,
    /// Where confirmations go.
    pub confirmation_url: Option<Url>,
    /// The card that the token names.
    pub last4: Option<Last4>,
    /// When it ends by time.
    pub expires_at: Timestamp,
    /// Submissions that failed.
    pub failures: u32,
    /// The submission that is not settled yet. There is at most one.
    pub open_attempt: Option<IntentId>,
    /// The submission that was begun last.
    pub last_attempt: Option<IntentId>,
    /// Whether it has had its success.
    pub finished: bool,
}

impl Session {
    /// Whether a new submission may begin.
    pub fn is_usable(&self, now: Timestamp) -> bool {
        now < self.expires_at && !self.is_used_up()
    }

    /// Whether it has had its success, or its last failure.
    pub fn is_used_up(&self) -> bool {
        self.finished || self.failures >= MAX_FAILURES
    }

    /// How many submissions may still fail.
    pub fn attempts_left(&self) -> u32 {
        if self.finished {
            0
        } else {
            MAX_FAILURES.saturating_sub(self.failures)
        }
    }
}

/// A token that opened a session: kept, so that it opens no second one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsedToken {
    /// SHA-256 of the token as it came.
    pub digest: [u8; 32],
    /// Until when it would be accepted.
    pub until: Timestamp,
}

//! A session: what an accepted token opened (`docs/contract.md#sessions`).

use jiff::{SignedDuration, Timestamp};
use url::Url;

use crate::action::ActionCode;
use crate::identifiers::{ClientId, CustomerId, IntentId, Last4, ProgramId, SessionId};
use crate::language::Language;
use crate::time::later;

/// How long a session is alive.
pub const LIFETIME: SignedDuration = SignedDuration::from_mins(15);

/// How often a session may be extended.
pub const MAX_EXTENSIONS: u32 = 10;

/// How long after its opening a session ends, however often it is extended.
pub const MAX_LIFETIME: SignedDuration = SignedDuration::from_hours(3);

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
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it ends by time.
    pub expires_at: Timestamp,
    /// How often its end was put off.
    pub extensions: u32,
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

    /// Whether it tells nothing any more: neither what it may do nor how it ended.
    pub fn is_over(&self, now: Timestamp) -> bool {
        now >= later(self.expires_at, GRACE)
    }

    /// Whether it has had its success, or its last failure.
    pub fn is_used_up(&self) -> bool {
        self.finished || self.failures >= MAX_FAILURES
    }

    /// How often its end may still be put off (WCAG 2.2, 2.2.1 "Timing Adjustable").
    pub fn extensions_left(&self) -> u32 {
        if self.expires_at < later(self.opened_at, MAX_LIFETIME) {
            MAX_EXTENSIONS.saturating_sub(self.extensions)
        } else {
            0
        }
    }

    /// The session with its end put off to a lifetime from `now`, within its longest lifetime; `None` where it was put off
    /// as often as it may be. Limits and failures stay as they are.
    #[must_use]
    pub fn extended(&self, now: Timestamp) -> Option<Self> {
        let until = later(now, LIFETIME).min(later(self.opened_at, MAX_LIFETIME));
        (self.extensions_left() > 0).then(|| Self {
            expires_at: self.expires_at.max(until),
            extensions: self.extensions + 1,
            ..self.clone()
        })
    }

    /// The session after its open attempt has failed.
    #[must_use]
    pub fn after_failure(&self) -> Self {
        Self {
            failures: self.failures + 1,
            open_attempt: None,
            ..self.clone()
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn minutes(minutes: i64) -> SignedDuration {
        SignedDuration::from_mins(minutes)
    }

    #[test]
    fn an_extension_ends_a_lifetime_from_now() {
        let opened = testing::session();
        let now = opened.opened_at + minutes(13);
        let extended = opened.extended(now).unwrap();
        assert_eq!(extended.expires_at, now + LIFETIME);
        assert_eq!(extended.extensions_left(), MAX_EXTENSIONS - 1);
        assert_eq!(
            Session {
                expires_at: opened.expires_at,
                extensions: 0,
                ..extended
            },
            opened,
            "nothing else changes"
        );
    }

    #[test]
    fn the_eleventh_extension_is_refused() {
        let mut session = testing::session();
        let now = session.opened_at;
        for left in (0..MAX_EXTENSIONS).rev() {
            session = session.extended(now).unwrap();
            assert_eq!(session.extensions_left(), left);
        }
        assert_eq!(session.extended(now), None);
    }

    #[test]
    fn no_extension_reaches_beyond_three_hours() {
        let mut session = testing::session();
        session.expires_at = session.opened_at + minutes(176);
        let extended = session.extended(session.opened_at + minutes(170)).unwrap();
        assert_eq!(extended.expires_at, session.opened_at + MAX_LIFETIME);
        assert_eq!(extended.extensions_left(), 0);
        assert_eq!(extended.extended(session.opened_at + minutes(179)), None);
    }

    #[test]
    fn an_extension_never_brings_the_end_nearer() {
        let mut session = testing::session();
        session.expires_at = session.opened_at + minutes(40);
        let extended = session.extended(session.opened_at).unwrap();
        assert_eq!(extended.expires_at, session.expires_at);
    }
}

//! Session of a customer, opened by an accepted token (`docs/contract.md#sessions`).

use jiff::{SignedDuration, Timestamp};
use url::Url;

use crate::action::ActionCode;
use crate::identifiers::{ClientId, CustomerId, IntentId, Last4, ProgramId, SessionId};
use crate::language::Language;
use crate::time::later;

/// Lifetime of a session.
pub const LIFETIME: SignedDuration = SignedDuration::from_mins(15);

/// Number of times that a session may be extended.
pub const MAX_EXTENSIONS: u32 = 10;

/// Lifetime of a session with all its extensions.
pub const MAX_LIFETIME: SignedDuration = SignedDuration::from_hours(3);

/// Time after its end for which a session still shows its outcome.
pub const GRACE: SignedDuration = SignedDuration::from_mins(5);

/// Number of failed submissions that ends a session.
pub const MAX_FAILURES: u32 = 5;

/// Stored session.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// SHA-256 of the session token, which only the browser has.
    pub id: SessionId,
    /// Client of the customer.
    pub client: ClientId,
    /// Program of the token.
    pub program: ProgramId,
    /// Action that the session allows.
    pub action: ActionCode,
    /// Customer of the token.
    pub customer: CustomerId,
    /// Language in which the page was opened.
    pub language: Language,
    /// Address for confirmations.
    pub confirmation_url: Option<Url>,
    /// Address to which the page sends the customer back.
    pub return_url: Option<Url>,
    /// Last four digits of the card that the token names.
    pub last4: Option<Last4>,
    /// Time at which it was opened.
    pub opened_at: Timestamp,
    /// Time at which it expires.
    pub expires_at: Timestamp,
    /// Number of extensions.
    pub extensions: u32,
    /// Number of failed submissions.
    pub failures: u32,
    /// Submission with an open outcome. There is at most one.
    pub open_attempt: Option<IntentId>,
    /// Last submission.
    pub last_attempt: Option<IntentId>,
    /// Whether a submission has succeeded.
    pub finished: bool,
}

impl Session {
    /// Whether a new submission is accepted at `now`.
    pub fn is_usable(&self, now: Timestamp) -> bool {
        now < self.expires_at && !self.is_used_up()
    }

    /// Whether the grace period has ended at `now`: then the session shows nothing any more.
    pub fn is_over(&self, now: Timestamp) -> bool {
        now >= later(self.expires_at, GRACE)
    }

    /// Whether a submission has succeeded, or the last one has failed.
    pub fn is_used_up(&self) -> bool {
        self.finished || self.failures >= MAX_FAILURES
    }

    /// Number of extensions that are left (WCAG 2.2, 2.2.1 "Timing Adjustable").
    pub fn extensions_left(&self) -> u32 {
        if self.expires_at < later(self.opened_at, MAX_LIFETIME) {
            MAX_EXTENSIONS.saturating_sub(self.extensions)
        } else {
            0
        }
    }

    /// Session that ends one lifetime from `now`, within [`MAX_LIFETIME`]; `None` where no extension is left. Limits and failures
    /// stay as they are.
    #[must_use]
    pub fn extended(&self, now: Timestamp) -> Option<Self> {
        let until = later(now, LIFETIME).min(later(self.opened_at, MAX_LIFETIME));
        (self.extensions_left() > 0).then(|| Self {
            expires_at: self.expires_at.max(until),
            extensions: self.extensions + 1,
            ..self.clone()
        })
    }

    /// Session after its open attempt has failed.
    #[must_use]
    pub fn after_failure(&self) -> Self {
        Self {
            failures: self.failures + 1,
            open_attempt: None,
            ..self.clone()
        }
    }

    /// Number of submissions that may still fail.
    pub fn attempts_left(&self) -> u32 {
        if self.finished {
            0
        } else {
            MAX_FAILURES.saturating_sub(self.failures)
        }
    }
}

/// Token that opened a session. It is kept so that it opens no second one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsedToken {
    /// SHA-256 of the token as received.
    pub digest: [u8; 32],
    /// Time until which the token would be accepted.
    pub until: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identifiers::IdempotencyKey;
    use crate::testing;

    fn minutes(minutes: i64) -> SignedDuration {
        SignedDuration::from_mins(minutes)
    }

    #[test]
    fn extension_ends_a_lifetime_from_now() {
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
    fn eleventh_extension_is_refused() {
        let mut session = testing::session();
        let now = session.opened_at;
        for left in (0..MAX_EXTENSIONS).rev() {
            session = session.extended(now).unwrap();
            assert_eq!(session.extensions_left(), left);
        }
        assert_eq!(session.extended(now), None);
    }

    #[test]
    fn extension_stays_within_three_hours() {
        let mut session = testing::session();
        session.expires_at = session.opened_at + minutes(176);
        let extended = session.extended(session.opened_at + minutes(170)).unwrap();
        assert_eq!(extended.expires_at, session.opened_at + MAX_LIFETIME);
        assert_eq!(extended.extensions_left(), 0);
        assert_eq!(extended.extended(session.opened_at + minutes(179)), None);
    }

    #[test]
    fn failure_closes_the_attempt_and_counts() {
        let key = IdempotencyKey::parse("0123456789abcdef").unwrap();
        let opened = testing::session();
        let open_attempt = Some(IntentId::derive(opened.id, &key));
        let session = Session {
            open_attempt,
            ..opened
        };
        let failed = session.after_failure();
        assert_eq!(failed.open_attempt, None);
        assert_eq!(failed.attempts_left(), session.attempts_left() - 1);
    }

    #[test]
    fn extension_never_brings_the_end_nearer() {
        let mut session = testing::session();
        session.expires_at = session.opened_at + minutes(40);
        let extended = session.extended(session.opened_at).unwrap();
        assert_eq!(extended.expires_at, session.expires_at);
    }
}

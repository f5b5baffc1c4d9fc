//! Stages of an intent's life, and how it ends.

use jiff::{SignedDuration, Timestamp};

use crate::action::ActionCode;
use crate::identifiers::{Last4, Ranac};
use crate::status::{MrsCode, Status};
use crate::time::later;

/// Time limit for MRS's answer, after which the page reports an error.
pub const ANSWER_DEADLINE: SignedDuration = SignedDuration::from_secs(60);

/// Times at which MRS is queried again while the outcome is open, in seconds after the first call. After the last one
/// the sweep queries.
const QUERY_TIMES: [i64; 5] = [5, 10, 20, 40, 60];

/// Duration of the search for a card that MRS enrolled after its deadline.
const LATE_ENROLLMENT_SEARCH: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Stage of an intent. A check of the cardholder before the first call to MRS would be a separate stage before [`Stage::Open`],
/// whose times count from that call and not from the submission.
#[derive(Debug, Clone, PartialEq)]
pub enum Stage {
    /// MRS is called, and the outcome is open.
    Open {
        /// Time at which the intent was stored, right before the first call; deadline and queries count from it.
        since: Timestamp,
    },
    /// The outcome is known.
    Ended(Conclusion),
}

impl Stage {
    /// Deadline of MRS's answer, from which on the page reports an error; `None` where no answer is awaited.
    pub fn deadline(&self) -> Option<Timestamp> {
        match self {
            Self::Open { since } => Some(later(*since, ANSWER_DEADLINE)),
            Self::Ended(_) => None,
        }
    }

    /// Next time after `now` at which MRS is queried; `None` where the sweep takes over, or nothing is left to query.
    pub fn next_query(&self, now: Timestamp) -> Option<Timestamp> {
        let Self::Open { since } = self else {
            return None;
        };
        QUERY_TIMES
            .map(|seconds| later(*since, SignedDuration::from_secs(seconds)))
            .into_iter()
            .find(|at| *at > now)
    }
}

/// Conclusion of an intent: its one outcome, and the cleanup that it still needs at MRS.
#[derive(Debug, Clone, PartialEq)]
pub struct Conclusion {
    /// The outcome. It never changes.
    pub outcome: Outcome,
    /// The cleanup; `None` where there was none, or once it is done.
    pub cleanup: Option<Cleanup>,
}

/// Outcome of an intent, as it is reported to page and partner. An intent has one, ever.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Status for the partner.
    pub status: Status,
    /// MRS's code, where it gave an error.
    pub code: Option<MrsCode>,
    /// MRS's id of the card, where it enrolled one.
    pub ranac: Option<Ranac>,
    /// MRS's own last four digits, where it gave them.
    pub last4: Option<Last4>,
    /// Time at which the outcome was stored.
    pub at: Timestamp,
}

/// Cleanup at MRS that an intent needs after its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cleanup {
    /// Cancels a card that MRS enrolled, or may yet enroll, for an intent that failed without a clear answer. The card is
    /// looked up by the intent's bank customer number.
    LateEnrollment {
        /// Time from which on a look-up that finds nothing ends the search.
        search_until: Timestamp,
    },
    /// Cancels the card that was replaced, until MRS agrees. The card is known by its RANAC.
    ReplacedCard,
}

impl Cleanup {
    /// Kind of cleanup of an outcome that is known to need one: the stored flag says whether it does.
    pub fn kind_for(outcome: &Outcome) -> Self {
        if outcome.status.is_success() {
            Self::ReplacedCard
        } else {
            Self::LateEnrollment {
                search_until: later(outcome.at, LATE_ENROLLMENT_SEARCH),
            }
        }
    }

    /// Whether MRS certainly has a card to cancel. For a late enrollment it is unknown.
    pub fn is_certain(self) -> bool {
        self == Self::ReplacedCard
    }
}

impl Conclusion {
    /// MRS enrolled the card. A replaced card still has to be cancelled there.
    pub fn enrolled(action: ActionCode, ranac: Ranac, last4: Option<Last4>, at: Timestamp) -> Self {
        let outcome = Outcome {
            status: Status::success_of(action),
            code: None,
            ranac: Some(ranac),
            last4,
            at,
        };
        Self {
            cleanup: (action == ActionCode::Replace).then(|| Cleanup::kind_for(&outcome)),
            outcome,
        }
    }

    /// MRS cancelled the card.
    pub fn removed(at: Timestamp) -> Self {
        Self::without_cleanup(Status::SuccessRemoval, None, at)
    }

    /// MRS declined.
    pub fn declined(action: ActionCode, code: MrsCode, at: Timestamp) -> Self {
        Self::without_cleanup(Status::failure_of(action), Some(code), at)
    }

    /// MRS was never reached, so it enrolled nothing.
    pub fn unreachable(action: ActionCode, at: Timestamp) -> Self {
        Self::declined(action, MrsCode::SERVER_ERROR, at)
    }

    /// It is unknown whether MRS enrolled the card: the outcome is an error, and a card that appears later is cancelled.
    pub fn undetermined(action: ActionCode, at: Timestamp) -> Self {
        let failed = Self::unreachable(action, at);
        Self {
            cleanup: Some(Cleanup::kind_for(&failed.outcome)),
            ..failed
        }
    }

    /// Whether MRS may still have a card that must be cancelled there.
    pub fn has_cleanup(&self) -> bool {
        self.cleanup.is_some()
    }

    fn without_cleanup(status: Status, code: Option<MrsCode>, at: Timestamp) -> Self {
        Self {
            outcome: Outcome {
                status,
                code,
                ranac: None,
                last4: None,
                at,
            },
            cleanup: None,
        }
    }
}

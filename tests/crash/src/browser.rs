//! Model of the customer's browser, which acts by the answers that it gets.

use enrollment::flows::describe::{Choice, Description};
use enrollment::flows::submit::{SubmitError, SubmitResponse};
use enrollment::identifiers::IntentId;
use enrollment::time::later;
use jiff::{SignedDuration, Timestamp};

use crate::scenario;

/// Pause before the page repeats a call without an answer or an outcome.
const PAUSE: SignedDuration = SignedDuration::from_secs(20);
/// Number of calls after which the customer gives up.
const PATIENCE: u32 = 100;

/// Page in a browser.
pub(crate) struct Page {
    kind: scenario::Page,
    next: Option<(Timestamp, Act)>,
    submissions: u32,
    calls: u32,
}

/// Action of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Enters with an accepted token.
    Enter,
    /// Loads the description of its session.
    Open,
    /// Submits.
    Submit(Submission),
}

/// Submission of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Submission {
    /// Number, from which the idempotency key is derived.
    pub(crate) number: u32,
    /// Card to replace or opt out.
    pub(crate) old_card: Option<IntentId>,
}

impl Page {
    /// A page that enters at `at`.
    pub(crate) fn new(kind: scenario::Page, at: Timestamp) -> Self {
        Self {
            kind,
            next: Some((at, Act::Enter)),
            submissions: 0,
            calls: 0,
        }
    }

    /// Next action and its time; `None` once the page is closed.
    pub(crate) fn next(&self) -> Option<(Timestamp, Act)> {
        self.next
    }

    /// Notes that the session is stored.
    pub(crate) fn entered(&mut self, now: Timestamp) {
        self.next = Some((now, Act::Open));
    }

    /// Takes the description of its session; `None` where no answer came.
    pub(crate) fn opened(&mut self, answer: Option<&Result<Description, SubmitError>>, now: Timestamp) {
        let act = match answer {
            Some(Ok(Description::Form(form))) => Some(self.submission(&form.choice)),
            Some(Ok(Description::OptOut(choice))) => Some(self.submission(choice)),
            Some(Ok(Description::Attempt(SubmitResponse::Open)) | Err(SubmitError::Store(_))) | None => {
                Some(Act::Open)
            }
            Some(Ok(Description::Attempt(SubmitResponse::Ended { .. })) | Err(_)) => None,
        };
        self.act(act, now);
    }

    /// Takes the answer to a submission; `None` where none came.
    pub(crate) fn submitted(
        &mut self,
        submission: Submission,
        answer: Option<&Result<SubmitResponse, SubmitError>>,
        now: Timestamp,
    ) {
        let is_first = self.submissions == 1;
        let act = match answer {
            _ if self.kind == scenario::Page::Closes => None,
            Some(Ok(SubmitResponse::Ended { ending, .. })) => {
                let again =
                    self.kind == scenario::Page::TriesAgain && !ending.status.is_success() && is_first;
                match ending.code {
                    // The card is no longer offered: there may be others.
                    None => again.then_some(Act::Open),
                    Some(_) => again.then(|| self.submission_of(submission.old_card)),
                }
            }
            _ if self.kind == scenario::Page::Reloads => Some(Act::Open),
            Some(Ok(SubmitResponse::Open) | Err(SubmitError::Store(_) | SubmitError::AttemptOpen)) | None => {
                Some(Act::Submit(submission))
            }
            Some(Err(_)) => None,
        };
        self.act(act, now);
    }

    /// Submission for the first card of a choice.
    fn submission(&mut self, choice: &Choice) -> Act {
        self.submission_of(choice.cards.first().map(|card| card.id))
    }

    fn submission_of(&mut self, old_card: Option<IntentId>) -> Act {
        self.submissions += 1;
        Act::Submit(Submission {
            number: self.submissions,
            old_card,
        })
    }

    fn act(&mut self, act: Option<Act>, now: Timestamp) {
        self.calls += 1;
        self.next = act
            .filter(|_| self.calls < PATIENCE)
            .map(|act| (later(now, PAUSE), act));
    }
}

//! The customer's browser: what it does next, by what it was answered.

use enrollment::flows::describe::Description;
use enrollment::flows::submit::{NotSubmitted, Submitted};
use enrollment::time::later;
use jiff::{SignedDuration, Timestamp};

use crate::scenario;

/// How long the page waits before it repeats a call that has no end yet, or no answer.
const PAUSE: SignedDuration = SignedDuration::from_secs(20);
/// A customer gives up some day.
const PATIENCE: u32 = 100;

/// A browser, until it is closed.
pub(crate) struct Page {
    kind: scenario::Page,
    next: Option<(Timestamp, Act)>,
    submissions: u32,
    calls: u32,
}

/// What it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Loads itself.
    Open,
    /// Submits under the key of that number.
    Submit(u32),
}

impl Page {
    pub(crate) fn new(kind: scenario::Page, now: Timestamp) -> Self {
        Self {
            kind,
            next: Some((now, Act::Open)),
            submissions: 0,
            calls: 0,
        }
    }

    /// When it acts next; never again once it is closed.
    pub(crate) fn next(&self) -> Option<(Timestamp, Act)> {
        self.next
    }

    /// Takes the answer to its opening. `None`: there was none.
    pub(crate) fn opened(&mut self, answer: Option<&Result<Description, NotSubmitted>>, now: Timestamp) {
        let act = match answer {
            Some(Ok(Description::Form(_))) => {
                self.submissions += 1;
                Some(Act::Submit(self.submissions))
            }
            Some(Ok(Description::Attempt(Submitted::Open)) | Err(NotSubmitted::Store(_))) | None => {
                Some(Act::Open)
            }
            Some(Ok(Description::Attempt(Submitted::Ended { .. })) | Err(_)) => None,
        };
        self.act(act, now);
    }

    /// Takes the answer to its submission. `None`: there was none.
    pub(crate) fn submitted(&mut self, answer: Option<&Result<Submitted, NotSubmitted>>, now: Timestamp) {
        let act = match answer {
            _ if self.kind == scenario::Page::Closes => None,
            Some(Ok(Submitted::Ended { ending, .. })) => {
                let again = self.kind == scenario::Page::TriesAgain
                    && !ending.status.is_success()
                    && self.submissions == 1;
                self.submissions += u32::from(again);
                again.then_some(Act::Submit(self.submissions))
            }
            _ if self.kind == scenario::Page::Reloads => Some(Act::Open),
            Some(Ok(Submitted::Open) | Err(NotSubmitted::Store(_) | NotSubmitted::AttemptOpen)) | None => {
                Some(Act::Submit(self.submissions))
            }
            Some(Err(_)) => None,
        };
        self.act(act, now);
    }

    fn act(&mut self, act: Option<Act>, now: Timestamp) {
        self.calls += 1;
        self.next = act
            .filter(|_| self.calls < PATIENCE)
            .map(|act| (later(now, PAUSE), act));
    }
}

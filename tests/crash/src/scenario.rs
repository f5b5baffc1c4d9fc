//! Scenarios: pages, an MRS and a receiver with their behavior, and the expected end without faults.

mod enrollments;
mod opt_outs;
mod purges;
mod replacements;
mod two_tabs;

use enrollment::action::ActionCode;
use enrollment::delivery::Parked;
use enrollment::status::Status;
use jiff::SignedDuration;

use crate::receiver::{self, Answer};
use harness::mrs::{self, EnrollBehavior};

/// Behavior of the customer's browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    /// Opens, submits, and repeats the submission until it has an outcome.
    Patient,
    /// Opens, submits, and is closed before any answer.
    Closes,
    /// As [`Self::Patient`], but without an outcome it reloads the page, and submits under a new key where it gets the form.
    Reloads,
    /// As [`Self::Patient`]; after a failure it submits once more.
    TriesAgain,
}

/// Tab of a customer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tab {
    /// Action of its session.
    pub(crate) action: ActionCode,
    pub(crate) page: Page,
    /// Time from the start of the run to its token.
    pub(crate) comes: SignedDuration,
}

/// Kind of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Each card has a number of its own at MRS. The retention is 30 days.
    Usual,
    /// The customer id is the number at MRS.
    NumberOfCustomer,
    /// As [`Self::Usual`], with a retention of one day.
    KeptForADay,
}

/// Scenario of a customer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// Number of the customer's cards at the start.
    pub(crate) cards: usize,
    pub(crate) tabs: &'static [Tab],
    pub(crate) program: Kind,
    pub(crate) mrs: mrs::FaultProfile,
    pub(crate) receiver: receiver::FaultProfile,
    /// Whether the sessions have a `confirmationUrl`.
    pub(crate) is_confirmed: bool,
    /// Whether the run continues until the purge.
    pub(crate) is_purged: bool,
    /// Outcomes of a clean run, one for each intent.
    pub(crate) ends: &'static [Status],
    /// Reason for which confirmations are parked; `None` where they are delivered.
    pub(crate) parks: Option<Parked>,
    /// Trigger from whose first delivery on faults are injected. Earlier points are those of another scenario.
    pub(crate) disturbed_from: &'static str,
    /// Sampling of its runs with one fault: every nth, and all with another tab.
    pub(crate) one_in: usize,
}

/// Names of triggers.
pub(crate) const OPENING: &str = "page opens";
pub(crate) const SUBMISSION: &str = "page submits";
pub(crate) const SECOND_OPENING: &str = "second page opens";
pub(crate) const SECOND_SUBMISSION: &str = "second page submits";
pub(crate) const SETTLING: &str = "message to settle";
pub(crate) const CONFIRMING: &str = "message to confirm";
pub(crate) const SWEEP: &str = "sweep";
pub(crate) const PURGE: &str = "purge";
/// Messages of the queues that customers' scenarios have no use for.
pub(crate) const OF_ISSUERS: &str = "message about a batch";
/// Name of a tab that runs beside another trigger.
pub(crate) const ANOTHER_TAB: &str = "another tab";

const fn tab(action: ActionCode, page: Page) -> Tab {
    Tab {
        action,
        page,
        comes: SignedDuration::ZERO,
    }
}

/// Tab that is opened before the first one submits.
const fn soon_after(action: ActionCode) -> Tab {
    Tab {
        comes: SignedDuration::from_secs(5),
        ..tab(action, Page::Patient)
    }
}

/// Scenario without any fault of its own.
pub(crate) const PLAIN: Scenario = Scenario {
    name: "enrolls",
    cards: 0,
    tabs: &[tab(ActionCode::Enroll, Page::Patient)],
    program: Kind::Usual,
    mrs: mrs::FaultProfile::always(EnrollBehavior::Succeeds),
    receiver: receiver::FaultProfile::always(Answer::Takes),
    is_confirmed: true,
    is_purged: false,
    ends: &[Status::SuccessEnrollment],
    parks: None,
    disturbed_from: OPENING,
    one_in: 1,
};

/// All scenarios.
pub(crate) fn all() -> impl Iterator<Item = &'static Scenario> {
    [
        enrollments::ALL,
        replacements::ALL,
        opt_outs::ALL,
        two_tabs::ALL,
        purges::ALL,
    ]
    .into_iter()
    .flatten()
}

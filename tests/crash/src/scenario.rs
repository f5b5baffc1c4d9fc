//! What is run: a page, an MRS and a receiver that behave in some way, and how that ends where nothing is disturbed.

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

/// What the customer's browser does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    /// Opens, submits, and repeats the submission until it has its end.
    Patient,
    /// Opens, submits, and is closed before any answer.
    Closes,
    /// As the patient one, but where there is no end yet it loads itself anew, and submits under a new key where it is
    /// shown the form.
    Reloads,
    /// As the patient one; after a failure it submits once more.
    TriesAgain,
}

/// A browser in which a customer does something.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tab {
    /// What it was opened for.
    pub(crate) action: ActionCode,
    pub(crate) page: Page,
    /// How long after the start of the run.
    pub(crate) comes: SignedDuration,
}

/// What sets a program apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Each card has a number of its own at MRS. X is 30 days.
    Usual,
    /// The customer id is the number at MRS.
    NumberOfCustomer,
    /// As the usual one; X is a day.
    KeptForADay,
}

/// One scenario.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// How many cards the customer has before it begins.
    pub(crate) cards: usize,
    pub(crate) tabs: &'static [Tab],
    pub(crate) program: Kind,
    pub(crate) mrs: mrs::FaultProfile,
    pub(crate) receiver: receiver::FaultProfile,
    /// Whether the sessions have a `confirmationUrl`.
    pub(crate) is_confirmed: bool,
    /// Whether time goes on until the purge has deleted what is past its date.
    pub(crate) is_purged: bool,
    /// The outcomes of a clean run, one for each intent.
    pub(crate) ends: &'static [Status],
    /// How a confirmation ends that is not delivered.
    pub(crate) parks: Option<Parked>,
    /// The trigger whose first delivery is the first to be disturbed: what goes before is that of another scenario.
    pub(crate) disturbed_from: &'static str,
    /// Of its runs with one fault, one in so many is done, and all in which another tab comes meanwhile.
    pub(crate) one_in: usize,
}

/// Triggers.
pub(crate) const OPENING: &str = "page opens";
pub(crate) const SUBMISSION: &str = "page submits";
pub(crate) const SECOND_OPENING: &str = "second page opens";
pub(crate) const SECOND_SUBMISSION: &str = "second page submits";
pub(crate) const SETTLING: &str = "message to settle";
pub(crate) const CONFIRMING: &str = "message to confirm";
pub(crate) const SWEEP: &str = "sweep";
pub(crate) const PURGE: &str = "purge";
/// A tab that comes while something else runs.
pub(crate) const ANOTHER_TAB: &str = "another tab";

const fn tab(action: ActionCode, page: Page) -> Tab {
    Tab {
        action,
        page,
        comes: SignedDuration::ZERO,
    }
}

/// A tab that is opened before the first one submits.
const fn soon_after(action: ActionCode) -> Tab {
    Tab {
        comes: SignedDuration::from_secs(5),
        ..tab(action, Page::Patient)
    }
}

/// A page that waits, MRS and receiver that do what they are asked.
const PLAIN: Scenario = Scenario {
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

/// The scenario of that name.
pub(crate) fn named(name: &str) -> Option<&'static Scenario> {
    all().find(|scenario| scenario.name == name)
}

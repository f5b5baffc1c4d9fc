//! What is run: a page, an MRS and a receiver that behave in some way, and how that ends where nothing is disturbed.

use enrollment::delivery::Parked;
use enrollment::status::Status;
use jiff::SignedDuration;

use crate::mrs::{self, Enrolling};
use crate::receiver::{self, Answer};

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

/// What a customer is to MRS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Number {
    /// A number for each intent.
    PerCard,
    /// The customer id.
    OfCustomer,
}

/// One scenario.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) page: Page,
    pub(crate) number: Number,
    pub(crate) mrs: mrs::Script,
    pub(crate) receiver: receiver::Script,
    /// Whether the session has a `confirmationUrl`.
    pub(crate) is_confirmed: bool,
    /// The outcomes of a clean run, one for each intent.
    pub(crate) ends: &'static [Status],
    /// How a confirmation ends that is not delivered.
    pub(crate) parks: Option<Parked>,
    /// The trigger whose first delivery is the first to be disturbed: what goes before is that of another scenario.
    pub(crate) disturbed_from: &'static str,
}

/// Triggers.
pub(crate) const OPENING: &str = "page opens";
pub(crate) const SUBMISSION: &str = "page submits";
pub(crate) const SETTLING: &str = "message to settle";
pub(crate) const CONFIRMING: &str = "message to confirm";
pub(crate) const SWEEP: &str = "sweep";

const SUCCESS: &[Status] = &[Status::SuccessEnrollment];
const ERROR: &[Status] = &[Status::ErrorEnrollment];

/// A page that waits, MRS and receiver that do what they are asked.
const PLAIN: Scenario = Scenario {
    name: "enrols",
    page: Page::Patient,
    number: Number::PerCard,
    mrs: mrs::Script::always(Enrolling::Does),
    receiver: receiver::Script::always(Answer::Takes),
    is_confirmed: true,
    ends: SUCCESS,
    parks: None,
    disturbed_from: OPENING,
};

const fn enrolling(name: &'static str, enrolling: Enrolling, ends: &'static [Status]) -> Scenario {
    Scenario {
        name,
        mrs: mrs::Script::always(enrolling),
        ends,
        disturbed_from: SUBMISSION,
        ..PLAIN
    }
}

const fn receiving(name: &'static str, first: &'static [Answer], then: Answer) -> Scenario {
    Scenario {
        name,
        page: Page::Closes,
        receiver: receiver::Script { first, then },
        disturbed_from: CONFIRMING,
        ..PLAIN
    }
}

/// All scenarios.
pub(crate) const ALL: &[Scenario] = &[
    PLAIN,
    Scenario {
        name: "closed-browser",
        page: Page::Closes,
        ..PLAIN
    },
    Scenario {
        name: "reloaded-page",
        page: Page::Reloads,
        mrs: mrs::Script::always(Enrolling::DoesItSilently),
        ..PLAIN
    },
    Scenario {
        name: "unconfirmed",
        is_confirmed: false,
        disturbed_from: SUBMISSION,
        ..PLAIN
    },
    enrolling("declined", Enrolling::Declines(-45), ERROR),
    Scenario {
        name: "second-attempt",
        page: Page::TriesAgain,
        mrs: mrs::Script {
            first: Enrolling::Declines(-52),
            ..mrs::Script::always(Enrolling::Does)
        },
        ends: &[Status::ErrorEnrollment, Status::SuccessEnrollment],
        disturbed_from: SUBMISSION,
        ..PLAIN
    },
    enrolling("mrs-not-reached", Enrolling::NotReached, ERROR),
    enrolling("mrs-loses-it", Enrolling::LosesIt, ERROR),
    enrolling("mrs-does-it-silently", Enrolling::DoesItSilently, SUCCESS),
    Scenario {
        name: "mrs-does-it-silently-closed-browser",
        page: Page::Closes,
        mrs: mrs::Script {
            deaf_finds: 1,
            ..mrs::Script::always(Enrolling::DoesItSilently)
        },
        disturbed_from: SUBMISSION,
        ..PLAIN
    },
    enrolling("mrs-does-it-late", Enrolling::DoesItLate, ERROR),
    Scenario {
        name: "mrs-does-it-late-closed-browser",
        page: Page::Closes,
        mrs: mrs::Script {
            deaf_cancels: 1,
            ..mrs::Script::always(Enrolling::DoesItLate)
        },
        ends: ERROR,
        disturbed_from: SUBMISSION,
        ..PLAIN
    },
    enrolling(
        "server-error-with-card",
        Enrolling::DoesItWithServerError,
        SUCCESS,
    ),
    enrolling("server-error-without-card", Enrolling::ServerError, ERROR),
    Scenario {
        name: "number-of-customer",
        number: Number::OfCustomer,
        disturbed_from: SUBMISSION,
        ..PLAIN
    },
    Scenario {
        name: "number-of-customer-second-attempt",
        page: Page::TriesAgain,
        number: Number::OfCustomer,
        mrs: mrs::Script {
            first: Enrolling::DoesItLate,
            ..mrs::Script::always(Enrolling::Does)
        },
        ends: &[Status::ErrorEnrollment, Status::SuccessEnrollment],
        disturbed_from: SUBMISSION,
        ..PLAIN
    },
    receiving(
        "receiver-fails-twice",
        &[Answer::Says(500), Answer::Says(500)],
        Answer::Takes,
    ),
    receiving("receiver-hangs", &[Answer::TakesItAndHangs], Answer::Takes),
    receiving(
        "receiver-busy",
        &[Answer::Busy(SignedDuration::from_mins(20))],
        Answer::Takes,
    ),
    Scenario {
        parks: Some(Parked::Gone),
        ..receiving("receiver-gone", &[], Answer::Says(410))
    },
    Scenario {
        parks: Some(Parked::Exhausted),
        ..receiving("receiver-down", &[], Answer::Says(502))
    },
];

/// The scenario of that name.
pub(crate) fn named(name: &str) -> &'static Scenario {
    let scenario = ALL.iter().find(|scenario| scenario.name == name);
    scenario.unwrap_or_else(|| panic!("there is no scenario '{name}'"))
}

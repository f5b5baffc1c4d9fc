//! Customers who opt a card out.

use enrollment::action::ActionCode;
use enrollment::status::Status;
use jiff::SignedDuration;

use super::{Kind, OPENING, PLAIN, Page, SUBMISSION, Scenario, Tab, tab};
use crate::mrs::{self, Cancelling, Enrolling, Telling};

const SUCCESS: &[Status] = &[Status::SuccessRemoval];
const ERROR: &[Status] = &[Status::ErrorRemoval];
const OPTS_OUT: &[Tab] = &[tab(ActionCode::OptOut, Page::Patient)];

const fn opting_out(name: &'static str, cancels: &'static [Cancelling], ends: &'static [Status]) -> Scenario {
    Scenario {
        name,
        cards: 1,
        tabs: OPTS_OUT,
        mrs: mrs::Script {
            cancels,
            ..mrs::Script::always(Enrolling::Does)
        },
        ends,
        disturbed_from: SUBMISSION,
        one_in: 3,
        ..PLAIN
    }
}

const fn with_silence(name: &'static str, silent_for: SignedDuration) -> Scenario {
    Scenario {
        mrs: mrs::Script {
            silent_for,
            ..mrs::Script::always(Enrolling::Does)
        },
        one_in: 3,
        ..opting_out(name, &[], SUCCESS)
    }
}

/// All of them.
pub(super) const ALL: &[Scenario] = &[
    Scenario {
        disturbed_from: OPENING,
        one_in: 1,
        ..opting_out("opts-out", &[], SUCCESS)
    },
    Scenario {
        cards: 2,
        tabs: &[tab(ActionCode::OptOut, Page::Closes)],
        ..opting_out(
            "opts-one-of-two-out-closed-browser",
            &[Cancelling::LosesIt],
            SUCCESS,
        )
    },
    Scenario {
        tabs: &[tab(ActionCode::OptOut, Page::Reloads)],
        ..opting_out(
            "opts-out-reloaded-page",
            &[Cancelling::LosesIt, Cancelling::LosesIt],
            SUCCESS,
        )
    },
    Scenario {
        program: Kind::NumberOfCustomer,
        ..opting_out("opts-out-number-of-customer", &[], SUCCESS)
    },
    opting_out("opt-out-done-silently", &[Cancelling::DoesItSilently], SUCCESS),
    opting_out("opt-out-not-reached", &[Cancelling::NotReached; 3], SUCCESS),
    Scenario {
        mrs: mrs::Script {
            then_cancels: Cancelling::Declines(-5),
            ..mrs::Script::always(Enrolling::Does)
        },
        ..opting_out("opt-out-declined", &[], ERROR)
    },
    Scenario {
        tabs: &[tab(ActionCode::OptOut, Page::TriesAgain)],
        ..opting_out(
            "opt-out-second-attempt",
            &[Cancelling::Declines(-47)],
            &[Status::ErrorRemoval, Status::SuccessRemoval],
        )
    },
    // While the first cancellation is at work, MRS declines each other one.
    opting_out(
        "opt-out-declined-while-at-work",
        &[
            Cancelling::DoesItLate(SignedDuration::from_secs(50)),
            Cancelling::Declines(-10),
            Cancelling::Declines(-10),
            Cancelling::Declines(-10),
            Cancelling::Declines(-10),
        ],
        SUCCESS,
    ),
    // A first cancellation that is lost leaves the decline of the others unproved for two minutes.
    Scenario {
        mrs: mrs::Script {
            cancels: &[Cancelling::LosesIt],
            then_cancels: Cancelling::Declines(-10),
            ..mrs::Script::always(Enrolling::Does)
        },
        ..opting_out("opt-out-lost-then-declined", &[], ERROR)
    },
    Scenario {
        mrs: mrs::Script {
            then_cancels: Cancelling::Declines(-10),
            tells: &[Telling::Nonsense, Telling::NotFound, Telling::Nonsense],
            ..mrs::Script::always(Enrolling::Does)
        },
        ..opting_out("opt-out-declined-not-understood", &[], ERROR)
    },
    // The page is told so after a minute, and can see the success for some minutes more.
    with_silence("opt-out-mrs-silent-for-minutes", SignedDuration::from_mins(3)),
    with_silence("opt-out-mrs-silent-for-hours", SignedDuration::from_hours(5)),
];

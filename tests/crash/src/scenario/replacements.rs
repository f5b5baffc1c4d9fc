//! Scenarios of replacements.

use enrollment::action::ActionCode;
use enrollment::status::Status;

use super::{OPENING, PLAIN, Page, SETTLING, SUBMISSION, Scenario, Tab, tab};
use harness::mrs::{self, CancelBehavior, EnrollBehavior, LATE};

const SUCCESS: &[Status] = &[Status::SuccessReplacement];
const ERROR: &[Status] = &[Status::ErrorReplacement];
const REPLACES: &[Tab] = &[tab(ActionCode::Replace, Page::Patient)];

const fn replacing(name: &'static str, enrolling: EnrollBehavior, ends: &'static [Status]) -> Scenario {
    Scenario {
        name,
        cards: 1,
        tabs: REPLACES,
        mrs: mrs::FaultProfile::always(enrolling),
        ends,
        disturbed_from: SUBMISSION,
        // Except for the old card it is an enrollment.
        one_in: 4,
        ..PLAIN
    }
}

/// Replacement whose old card MRS does not cancel at once.
const fn keeping_old(name: &'static str, cancels: &'static [CancelBehavior]) -> Scenario {
    Scenario {
        mrs: mrs::FaultProfile {
            cancels,
            ..mrs::FaultProfile::always(EnrollBehavior::Succeeds)
        },
        // Earlier points are those of other replacements.
        disturbed_from: SETTLING,
        one_in: 1,
        ..replacing(name, EnrollBehavior::Succeeds, SUCCESS)
    }
}

/// All scenarios of this file.
pub(super) const ALL: &[Scenario] = &[
    Scenario {
        disturbed_from: OPENING,
        one_in: 1,
        ..replacing("replaces", EnrollBehavior::Succeeds, SUCCESS)
    },
    Scenario {
        cards: 2,
        tabs: &[tab(ActionCode::Replace, Page::Closes)],
        ..replacing(
            "replaces-one-of-two-closed-browser",
            EnrollBehavior::Succeeds,
            SUCCESS,
        )
    },
    Scenario {
        tabs: &[tab(ActionCode::Replace, Page::Reloads)],
        ..replacing("replaces-reloaded-page", EnrollBehavior::LosesAnswer, SUCCESS)
    },
    replacing("replacement-declined", EnrollBehavior::Declines(-45), ERROR),
    Scenario {
        tabs: &[tab(ActionCode::Replace, Page::TriesAgain)],
        mrs: mrs::FaultProfile {
            first: EnrollBehavior::Declines(-52),
            ..mrs::FaultProfile::always(EnrollBehavior::Succeeds)
        },
        ..replacing(
            "replacement-second-attempt",
            EnrollBehavior::Succeeds,
            &[Status::ErrorReplacement, Status::SuccessReplacement],
        )
    },
    replacing("replacement-mrs-not-reached", EnrollBehavior::Unreachable, ERROR),
    replacing("replacement-mrs-loses-it", EnrollBehavior::IsLost, ERROR),
    replacing("replacement-done-silently", EnrollBehavior::LosesAnswer, SUCCESS),
    replacing(
        "replacement-done-late",
        EnrollBehavior::CompletesLate(LATE),
        ERROR,
    ),
    replacing(
        "replacement-server-error-with-card",
        EnrollBehavior::SucceedsWithServerError,
        SUCCESS,
    ),
    replacing(
        "replacement-server-error-without-card",
        EnrollBehavior::ServerError,
        ERROR,
    ),
    keeping_old("old-card-cancelled-silently", &[CancelBehavior::LosesAnswer]),
    keeping_old(
        "old-card-cancelled-late",
        &[
            CancelBehavior::IsLost,
            CancelBehavior::Unreachable,
            CancelBehavior::IsLost,
            CancelBehavior::IsLost,
        ],
    ),
    keeping_old(
        "old-card-declined-for-a-while",
        &[CancelBehavior::Declines(-10); 4],
    ),
];

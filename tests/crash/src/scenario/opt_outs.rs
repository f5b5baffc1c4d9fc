//! Scenarios of opt-outs.

use enrollment::action::ActionCode;
use enrollment::status::Status;
use jiff::SignedDuration;

use super::{Kind, OPENING, PLAIN, Page, SUBMISSION, Scenario, Tab, tab};
use harness::mrs::{self, CancelBehavior, EnrollBehavior, LookUpAnswer};

const SUCCESS: &[Status] = &[Status::SuccessRemoval];
const ERROR: &[Status] = &[Status::ErrorRemoval];
const OPTS_OUT: &[Tab] = &[tab(ActionCode::OptOut, Page::Patient)];

const fn opting_out(
    name: &'static str,
    cancels: &'static [CancelBehavior],
    ends: &'static [Status],
) -> Scenario {
    Scenario {
        name,
        cards: 1,
        tabs: OPTS_OUT,
        mrs: mrs::FaultProfile {
            cancels,
            ..mrs::FaultProfile::always(EnrollBehavior::Succeeds)
        },
        ends,
        disturbed_from: SUBMISSION,
        one_in: 3,
        ..PLAIN
    }
}

const fn with_silence(name: &'static str, silent_for: SignedDuration) -> Scenario {
    Scenario {
        mrs: mrs::FaultProfile {
            silent_for,
            ..mrs::FaultProfile::always(EnrollBehavior::Succeeds)
        },
        one_in: 3,
        ..opting_out(name, &[], SUCCESS)
    }
}

/// All scenarios of this file.
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
            &[CancelBehavior::IsLost],
            SUCCESS,
        )
    },
    Scenario {
        tabs: &[tab(ActionCode::OptOut, Page::Reloads)],
        ..opting_out(
            "opts-out-reloaded-page",
            &[CancelBehavior::IsLost, CancelBehavior::IsLost],
            SUCCESS,
        )
    },
    Scenario {
        program: Kind::NumberOfCustomer,
        ..opting_out("opts-out-number-of-customer", &[], SUCCESS)
    },
    opting_out("opt-out-done-silently", &[CancelBehavior::LosesAnswer], SUCCESS),
    opting_out("opt-out-not-reached", &[CancelBehavior::Unreachable; 3], SUCCESS),
    Scenario {
        mrs: mrs::FaultProfile {
            then_cancels: CancelBehavior::Declines(-5),
            ..mrs::FaultProfile::always(EnrollBehavior::Succeeds)
        },
        ..opting_out("opt-out-declined", &[], ERROR)
    },
    Scenario {
        tabs: &[tab(ActionCode::OptOut, Page::TriesAgain)],
        ..opting_out(
            "opt-out-second-attempt",
            &[CancelBehavior::Declines(-47)],
            &[Status::ErrorRemoval, Status::SuccessRemoval],
        )
    },
    // During the first cancellation MRS declines others.
    opting_out(
        "opt-out-declined-while-at-work",
        &[
            CancelBehavior::CompletesLate(SignedDuration::from_secs(50)),
            CancelBehavior::Declines(-10),
            CancelBehavior::Declines(-10),
            CancelBehavior::Declines(-10),
            CancelBehavior::Declines(-10),
        ],
        SUCCESS,
    ),
    // For two minutes after a lost cancellation a decline proves nothing.
    Scenario {
        mrs: mrs::FaultProfile {
            cancels: &[CancelBehavior::IsLost],
            then_cancels: CancelBehavior::Declines(-10),
            ..mrs::FaultProfile::always(EnrollBehavior::Succeeds)
        },
        ..opting_out("opt-out-lost-then-declined", &[], ERROR)
    },
    Scenario {
        mrs: mrs::FaultProfile {
            then_cancels: CancelBehavior::Declines(-10),
            find_answers: &[
                LookUpAnswer::Unintelligible,
                LookUpAnswer::NotFound,
                LookUpAnswer::Unintelligible,
            ],
            ..mrs::FaultProfile::always(EnrollBehavior::Succeeds)
        },
        ..opting_out("opt-out-declined-not-understood", &[], ERROR)
    },
    // The page gets an error after a minute, and the success later.
    with_silence("opt-out-mrs-silent-for-minutes", SignedDuration::from_mins(3)),
    with_silence("opt-out-mrs-silent-for-hours", SignedDuration::from_hours(5)),
];

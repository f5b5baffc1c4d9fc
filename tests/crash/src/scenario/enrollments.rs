//! Scenarios of enrollments and of their confirmations.

use enrollment::action::ActionCode;
use enrollment::delivery::Parked;
use enrollment::status::Status;
use jiff::SignedDuration;

use super::{CONFIRMING, Kind, PLAIN, Page, SUBMISSION, Scenario, Tab, tab};
use crate::receiver::{self, Answer};
use harness::mrs::{self, CancelBehavior, EnrollBehavior, LATE, LookUpAnswer};

const SUCCESS: &[Status] = &[Status::SuccessEnrollment];
const ERROR: &[Status] = &[Status::ErrorEnrollment];
const ENROLLS_AND_CLOSES: &[Tab] = &[tab(ActionCode::Enroll, Page::Closes)];
const ENROLLS_AGAIN: &[Tab] = &[tab(ActionCode::Enroll, Page::TriesAgain)];

const fn enrolling(name: &'static str, enrolling: EnrollBehavior, ends: &'static [Status]) -> Scenario {
    Scenario {
        name,
        mrs: mrs::FaultProfile::always(enrolling),
        ends,
        disturbed_from: SUBMISSION,
        ..PLAIN
    }
}

const fn receiving(name: &'static str, first: &'static [Answer], then: Answer) -> Scenario {
    Scenario {
        name,
        tabs: ENROLLS_AND_CLOSES,
        receiver: receiver::FaultProfile { first, then },
        disturbed_from: CONFIRMING,
        ..PLAIN
    }
}

/// All scenarios of this file.
pub(super) const ALL: &[Scenario] = &[
    PLAIN,
    Scenario {
        name: "closed-browser",
        tabs: ENROLLS_AND_CLOSES,
        ..PLAIN
    },
    Scenario {
        name: "reloaded-page",
        tabs: &[tab(ActionCode::Enroll, Page::Reloads)],
        mrs: mrs::FaultProfile::always(EnrollBehavior::LosesAnswer),
        ..PLAIN
    },
    Scenario {
        name: "unconfirmed",
        is_confirmed: false,
        disturbed_from: SUBMISSION,
        ..PLAIN
    },
    enrolling("declined", EnrollBehavior::Declines(-45), ERROR),
    Scenario {
        name: "second-attempt",
        tabs: ENROLLS_AGAIN,
        mrs: mrs::FaultProfile {
            first: EnrollBehavior::Declines(-52),
            ..mrs::FaultProfile::always(EnrollBehavior::Succeeds)
        },
        ends: &[Status::ErrorEnrollment, Status::SuccessEnrollment],
        disturbed_from: SUBMISSION,
        ..PLAIN
    },
    enrolling("mrs-not-reached", EnrollBehavior::Unreachable, ERROR),
    enrolling("mrs-loses-it", EnrollBehavior::IsLost, ERROR),
    enrolling("mrs-does-it-silently", EnrollBehavior::LosesAnswer, SUCCESS),
    Scenario {
        name: "mrs-does-it-silently-closed-browser",
        tabs: ENROLLS_AND_CLOSES,
        mrs: mrs::FaultProfile {
            unanswered_finds: 1,
            ..mrs::FaultProfile::always(EnrollBehavior::LosesAnswer)
        },
        disturbed_from: SUBMISSION,
        ..PLAIN
    },
    Scenario {
        mrs: mrs::FaultProfile {
            find_answers: &[LookUpAnswer::Unintelligible, LookUpAnswer::Unintelligible],
            ..mrs::FaultProfile::always(EnrollBehavior::LosesAnswer)
        },
        ..enrolling(
            "mrs-does-it-silently-not-understood",
            EnrollBehavior::LosesAnswer,
            SUCCESS,
        )
    },
    Scenario {
        tabs: ENROLLS_AND_CLOSES,
        mrs: mrs::FaultProfile {
            // The late card is found and cancelled.
            find_answers: &[LookUpAnswer::Unintelligible; 8],
            ..mrs::FaultProfile::always(EnrollBehavior::LosesAnswer)
        },
        ..enrolling(
            "mrs-not-understood-for-minutes",
            EnrollBehavior::LosesAnswer,
            ERROR,
        )
    },
    enrolling("mrs-does-it-late", EnrollBehavior::CompletesLate(LATE), ERROR),
    Scenario {
        name: "mrs-does-it-late-closed-browser",
        tabs: ENROLLS_AND_CLOSES,
        mrs: mrs::FaultProfile {
            cancels: &[CancelBehavior::IsLost],
            ..mrs::FaultProfile::always(EnrollBehavior::CompletesLate(LATE))
        },
        ends: ERROR,
        disturbed_from: SUBMISSION,
        ..PLAIN
    },
    enrolling(
        "server-error-with-card",
        EnrollBehavior::SucceedsWithServerError,
        SUCCESS,
    ),
    enrolling("server-error-without-card", EnrollBehavior::ServerError, ERROR),
    Scenario {
        name: "number-of-customer",
        program: Kind::NumberOfCustomer,
        disturbed_from: SUBMISSION,
        ..PLAIN
    },
    Scenario {
        name: "number-of-customer-second-attempt",
        tabs: ENROLLS_AGAIN,
        program: Kind::NumberOfCustomer,
        mrs: mrs::FaultProfile {
            first: EnrollBehavior::CompletesLate(LATE),
            ..mrs::FaultProfile::always(EnrollBehavior::Succeeds)
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

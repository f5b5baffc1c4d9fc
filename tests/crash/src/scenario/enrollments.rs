//! Customers who enroll a card, and receivers of what came of it.

use enrollment::action::ActionCode;
use enrollment::delivery::Parked;
use enrollment::status::Status;
use jiff::SignedDuration;

use super::{CONFIRMING, Kind, PLAIN, Page, SUBMISSION, Scenario, Tab, tab};
use crate::mrs::{self, Cancelling, Enrolling, LATE, Telling};
use crate::receiver::{self, Answer};

const SUCCESS: &[Status] = &[Status::SuccessEnrollment];
const ERROR: &[Status] = &[Status::ErrorEnrollment];
const ENROLLS_AND_CLOSES: &[Tab] = &[tab(ActionCode::Enroll, Page::Closes)];
const ENROLLS_AGAIN: &[Tab] = &[tab(ActionCode::Enroll, Page::TriesAgain)];

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
        tabs: ENROLLS_AND_CLOSES,
        receiver: receiver::Script { first, then },
        disturbed_from: CONFIRMING,
        ..PLAIN
    }
}

/// All of them.
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
        tabs: ENROLLS_AGAIN,
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
        tabs: ENROLLS_AND_CLOSES,
        mrs: mrs::Script {
            deaf_finds: 1,
            ..mrs::Script::always(Enrolling::DoesItSilently)
        },
        disturbed_from: SUBMISSION,
        ..PLAIN
    },
    Scenario {
        mrs: mrs::Script {
            tells: &[Telling::Nonsense, Telling::Nonsense],
            ..mrs::Script::always(Enrolling::DoesItSilently)
        },
        ..enrolling(
            "mrs-does-it-silently-not-understood",
            Enrolling::DoesItSilently,
            SUCCESS,
        )
    },
    Scenario {
        tabs: ENROLLS_AND_CLOSES,
        mrs: mrs::Script {
            // It is looked for until it turns up, and cancelled.
            tells: &[Telling::Nonsense; 8],
            ..mrs::Script::always(Enrolling::DoesItSilently)
        },
        ..enrolling("mrs-not-understood-for-minutes", Enrolling::DoesItSilently, ERROR)
    },
    enrolling("mrs-does-it-late", Enrolling::DoesItLate(LATE), ERROR),
    Scenario {
        name: "mrs-does-it-late-closed-browser",
        tabs: ENROLLS_AND_CLOSES,
        mrs: mrs::Script {
            cancels: &[Cancelling::LosesIt],
            ..mrs::Script::always(Enrolling::DoesItLate(LATE))
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
        program: Kind::NumberOfCustomer,
        disturbed_from: SUBMISSION,
        ..PLAIN
    },
    Scenario {
        name: "number-of-customer-second-attempt",
        tabs: ENROLLS_AGAIN,
        program: Kind::NumberOfCustomer,
        mrs: mrs::Script {
            first: Enrolling::DoesItLate(LATE),
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

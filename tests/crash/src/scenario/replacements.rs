//! Customers who replace a card.

use enrollment::action::ActionCode;
use enrollment::status::Status;

use super::{OPENING, PLAIN, Page, SETTLING, SUBMISSION, Scenario, Tab, tab};
use crate::mrs::{self, Cancelling, Enrolling, LATE};

const SUCCESS: &[Status] = &[Status::SuccessReplacement];
const ERROR: &[Status] = &[Status::ErrorReplacement];
const REPLACES: &[Tab] = &[tab(ActionCode::Replace, Page::Patient)];

const fn replacing(name: &'static str, enrolling: Enrolling, ends: &'static [Status]) -> Scenario {
    Scenario {
        name,
        cards: 1,
        tabs: REPLACES,
        mrs: mrs::Script::always(enrolling),
        ends,
        disturbed_from: SUBMISSION,
        // But for the old card, it is an enrollment.
        one_in: 4,
        ..PLAIN
    }
}

/// A replacement, of which MRS does not cancel the old card at once.
const fn keeping_old(name: &'static str, cancels: &'static [Cancelling]) -> Scenario {
    Scenario {
        mrs: mrs::Script {
            cancels,
            ..mrs::Script::always(Enrolling::Does)
        },
        // What goes before is that of a replacement.
        disturbed_from: SETTLING,
        one_in: 1,
        ..replacing(name, Enrolling::Does, SUCCESS)
    }
}

/// All of them.
pub(super) const ALL: &[Scenario] = &[
    Scenario {
        disturbed_from: OPENING,
        one_in: 1,
        ..replacing("replaces", Enrolling::Does, SUCCESS)
    },
    Scenario {
        cards: 2,
        tabs: &[tab(ActionCode::Replace, Page::Closes)],
        ..replacing("replaces-one-of-two-closed-browser", Enrolling::Does, SUCCESS)
    },
    Scenario {
        tabs: &[tab(ActionCode::Replace, Page::Reloads)],
        ..replacing("replaces-reloaded-page", Enrolling::DoesItSilently, SUCCESS)
    },
    replacing("replacement-declined", Enrolling::Declines(-45), ERROR),
    Scenario {
        tabs: &[tab(ActionCode::Replace, Page::TriesAgain)],
        mrs: mrs::Script {
            first: Enrolling::Declines(-52),
            ..mrs::Script::always(Enrolling::Does)
        },
        ..replacing(
            "replacement-second-attempt",
            Enrolling::Does,
            &[Status::ErrorReplacement, Status::SuccessReplacement],
        )
    },
    replacing("replacement-mrs-not-reached", Enrolling::NotReached, ERROR),
    replacing("replacement-mrs-loses-it", Enrolling::LosesIt, ERROR),
    replacing("replacement-done-silently", Enrolling::DoesItSilently, SUCCESS),
    replacing("replacement-done-late", Enrolling::DoesItLate(LATE), ERROR),
    replacing(
        "replacement-server-error-with-card",
        Enrolling::DoesItWithServerError,
        SUCCESS,
    ),
    replacing(
        "replacement-server-error-without-card",
        Enrolling::ServerError,
        ERROR,
    ),
    keeping_old("old-card-cancelled-silently", &[Cancelling::DoesItSilently]),
    keeping_old(
        "old-card-cancelled-late",
        &[
            Cancelling::LosesIt,
            Cancelling::NotReached,
            Cancelling::LosesIt,
            Cancelling::LosesIt,
        ],
    ),
    keeping_old("old-card-declined-for-a-while", &[Cancelling::Declines(-10); 4]),
];

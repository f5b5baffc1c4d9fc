//! Scenarios of two tabs of one customer.

use enrollment::action::ActionCode;
use enrollment::status::Status;

use super::{PLAIN, Page, SUBMISSION, Scenario, Tab, soon_after, tab};
use harness::mrs::{self, CancelBehavior, EnrollBehavior};

/// Two tabs in which a customer with two cards chooses the same card.
const fn on_one_card(name: &'static str, tabs: &'static [Tab], ends: &'static [Status]) -> Scenario {
    Scenario {
        name,
        cards: 2,
        tabs,
        ends,
        disturbed_from: SUBMISSION,
        one_in: 3,
        ..PLAIN
    }
}

/// All scenarios of this file.
pub(super) const ALL: &[Scenario] = &[
    on_one_card(
        "two-tabs-opt-out",
        &[
            tab(ActionCode::OptOut, Page::Patient),
            soon_after(ActionCode::OptOut),
        ],
        &[Status::SuccessRemoval],
    ),
    on_one_card(
        "two-tabs-replace",
        &[
            tab(ActionCode::Replace, Page::Patient),
            soon_after(ActionCode::Replace),
        ],
        &[Status::SuccessReplacement],
    ),
    on_one_card(
        "replaces-and-opts-out",
        &[
            tab(ActionCode::Replace, Page::Patient),
            soon_after(ActionCode::OptOut),
        ],
        &[Status::SuccessReplacement],
    ),
    Scenario {
        mrs: mrs::FaultProfile {
            cancels: &[CancelBehavior::IsLost; 2],
            ..mrs::FaultProfile::always(EnrollBehavior::Succeeds)
        },
        ..on_one_card(
            "opts-out-slowly-and-replaces",
            &[
                tab(ActionCode::OptOut, Page::Patient),
                soon_after(ActionCode::Replace),
            ],
            &[Status::SuccessRemoval],
        )
    },
    Scenario {
        mrs: mrs::FaultProfile::always(EnrollBehavior::Declines(-45)),
        cards: 1,
        ..on_one_card(
            "opts-out-and-enrolls-in-vain",
            &[
                tab(ActionCode::OptOut, Page::Patient),
                soon_after(ActionCode::Enroll),
            ],
            &[Status::SuccessRemoval, Status::ErrorEnrollment],
        )
    },
];

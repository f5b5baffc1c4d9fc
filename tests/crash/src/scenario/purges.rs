//! Scenarios of purges.

use enrollment::action::ActionCode;
use enrollment::status::Status;
use jiff::SignedDuration;

use super::{Kind, PLAIN, PURGE, Page, SECOND_OPENING, Scenario, Tab, soon_after, tab};
use harness::mrs::{self, EnrollBehavior};

/// Seconds from the start of a run to the first purge after the retention.
const FIRST_PURGE: i64 = (30 * 24 + 1) * 60 * 60;

const REMOVED: &[Status] = &[Status::SuccessRemoval];
const OPTS_OUT: &[Tab] = &[tab(ActionCode::OptOut, Page::Patient)];
const REPLACES_THEN_OPTS_OUT: &[Tab] = &[
    tab(ActionCode::Replace, Page::Patient),
    Tab {
        comes: SignedDuration::from_mins(5),
        ..tab(ActionCode::OptOut, Page::Patient)
    },
];

const fn purging(name: &'static str, tabs: &'static [Tab], ends: &'static [Status]) -> Scenario {
    Scenario {
        name,
        cards: 1,
        tabs,
        is_purged: true,
        ends,
        disturbed_from: PURGE,
        one_in: 2,
        ..PLAIN
    }
}

/// All scenarios of this file.
pub(super) const ALL: &[Scenario] = &[
    Scenario {
        one_in: 1,
        ..purging("purged", OPTS_OUT, REMOVED)
    },
    Scenario {
        cards: 2,
        ..purging("purged-of-one-of-two", OPTS_OUT, REMOVED)
    },
    Scenario {
        one_in: 2,
        ..purging(
            "purged-of-a-replaced-card",
            &[tab(ActionCode::Replace, Page::Patient)],
            &[Status::SuccessReplacement],
        )
    },
    purging(
        "purged-before-a-newcomer",
        &[
            tab(ActionCode::OptOut, Page::Patient),
            Tab {
                comes: SignedDuration::from_secs(FIRST_PURGE + 1),
                ..tab(ActionCode::Enroll, Page::Patient)
            },
        ],
        &[Status::SuccessRemoval, Status::SuccessEnrollment],
    ),
    Scenario {
        disturbed_from: SECOND_OPENING,
        ..purging(
            "purged-after-a-newcomer",
            &[
                tab(ActionCode::OptOut, Page::Patient),
                Tab {
                    comes: SignedDuration::from_secs(FIRST_PURGE - 50),
                    ..tab(ActionCode::Enroll, Page::Patient)
                },
            ],
            &[Status::SuccessRemoval, Status::SuccessEnrollment],
        )
    },
    Scenario {
        program: Kind::KeptForADay,
        mrs: mrs::FaultProfile::always(EnrollBehavior::CompletesLate(SignedDuration::from_hours(50))),
        one_in: 12,
        ..purging(
            "purge-held-back-by-a-failed-enrollment",
            &[
                tab(ActionCode::OptOut, Page::Patient),
                soon_after(ActionCode::Enroll),
            ],
            &[Status::SuccessRemoval, Status::ErrorEnrollment],
        )
    },
    Scenario {
        program: Kind::KeptForADay,
        mrs: mrs::FaultProfile {
            keeps_oldest_for: SignedDuration::from_hours(50),
            ..mrs::FaultProfile::always(EnrollBehavior::Succeeds)
        },
        one_in: 12,
        ..purging(
            "purge-held-back-by-an-old-card",
            REPLACES_THEN_OPTS_OUT,
            &[Status::SuccessReplacement, Status::SuccessRemoval],
        )
    },
    // The new card expires before MRS cancels the old one.
    Scenario {
        program: Kind::KeptForADay,
        mrs: mrs::FaultProfile {
            keeps_oldest_for: SignedDuration::from_hours(10 * 24),
            ..mrs::FaultProfile::always(EnrollBehavior::Succeeds)
        },
        one_in: 16,
        ..purging(
            "old-card-outstays-the-new-one",
            REPLACES_THEN_OPTS_OUT,
            &[Status::SuccessReplacement, Status::SuccessRemoval],
        )
    },
];

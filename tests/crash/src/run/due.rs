//! Due work, by the tables.

use enrollment::time::later;
use jiff::{SignedDuration, Timestamp};

use crate::client;
use crate::fixture::Fixture;
use crate::invariants;
use crate::scenario::Scenario;

/// Times of due work.
#[derive(Default)]
pub(super) struct Due {
    /// Time of the next work of a sweep.
    pub(super) sweep: Option<Timestamp>,
    /// Time at which a card's retention ends.
    pub(super) purge: Option<Timestamp>,
    /// Whether an intent has no outcome yet.
    pub(super) is_open: bool,
}

impl Due {
    pub(super) async fn read(fixture: &Fixture<'_>, scenario: &Scenario) -> Self {
        let mut due = Self::default();
        let tables = &fixture.world.tables;
        let retention_days = client::retention_days(scenario.program);
        for table in [&tables.enrollments, &tables.confirmations] {
            for item in fixture.world.scan(table).await {
                let Some(agenda) = item.get("agenda").and_then(|agenda| agenda.as_s().ok()) else {
                    continue;
                };
                let at = invariants::time(&item, "agenda_at");
                if agenda.starts_with("cancelled#") {
                    if scenario.is_purged {
                        let past = later(at, SignedDuration::from_hours(24 * i64::from(retention_days)));
                        due.purge = Some(due.purge.map_or(past, |next| next.min(past)));
                    }
                } else if !agenda.starts_with("parked#") {
                    due.is_open |= agenda.starts_with("due_intent#") && !item.contains_key("status");
                    due.sweep = Some(due.sweep.map_or(at, |next| next.min(at)));
                }
            }
        }
        due
    }
}

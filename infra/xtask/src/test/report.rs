//! What was checked, how it ended, and how long it took.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::console::{Stopwatch, bold, green, heading, red};

pub(crate) struct Report {
    keep_going: bool,
    checks: Vec<Check>,
}

struct Check {
    name: &'static str,
    took: Duration,
    outcome: Outcome,
}

/// How a check ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    Skipped,
}

/// What a check may say that can't be done everywhere.
pub(crate) enum Done {
    Checked,
    /// And why: it is shown, and counted.
    Skipped(&'static str),
}

impl Report {
    pub(crate) fn new(keep_going: bool) -> Self {
        Self {
            keep_going,
            checks: Vec::new(),
        }
    }

    /// Runs a check under its heading. A failure ends the run, unless it is to go on.
    pub(crate) fn check(&mut self, name: &'static str, run: impl FnOnce() -> Result<()>) -> Result<()> {
        self.check_where_possible(name, || run().map(|()| Done::Checked))
    }

    /// As [`Report::check`], for a check that may find that it can't be done here.
    pub(crate) fn check_where_possible(
        &mut self,
        name: &'static str,
        run: impl FnOnce() -> Result<Done>,
    ) -> Result<()> {
        heading(name);
        let watch = Stopwatch::start();
        let outcome = match run() {
            Ok(Done::Checked) => Outcome::Passed,
            Ok(Done::Skipped(why)) => {
                println!("  {}: {why}", red("NOT CHECKED"));
                Outcome::Skipped
            }
            Err(error) => {
                println!("{}", red(&format!("{error:#}")));
                Outcome::Failed
            }
        };
        self.checks.push(Check {
            name,
            took: watch.elapsed(),
            outcome,
        });
        if outcome == Outcome::Failed && !self.keep_going {
            bail!("{name} failed");
        }
        Ok(())
    }

    pub(crate) fn show(&self) {
        heading("summary");
        for check in &self.checks {
            let mark = match check.outcome {
                Outcome::Passed => green("✓"),
                Outcome::Failed => red("✗"),
                Outcome::Skipped => red("-"),
            };
            println!("  {mark} {:<40} {:>5} s", check.name, check.took.as_secs());
        }
        println!("\n{}", bold(&self.count()));
    }

    pub(crate) fn verdict(&self) -> Result<()> {
        let failed = self.count_of(Outcome::Failed);
        if failed > 0 {
            bail!("{failed} of {} checks failed", self.checks.len());
        }
        Ok(())
    }

    fn count(&self) -> String {
        let [passed, failed, skipped] =
            [Outcome::Passed, Outcome::Failed, Outcome::Skipped].map(|o| self.count_of(o));
        format!("{passed} passed, {failed} failed, {skipped} skipped")
    }

    fn count_of(&self, outcome: Outcome) -> usize {
        self.checks
            .iter()
            .filter(|check| check.outcome == outcome)
            .count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failure_ends_the_run_unless_it_is_to_go_on() {
        let mut strict = Report::new(false);
        assert!(strict.check("good", || Ok(())).is_ok());
        assert!(strict.check("bad", || bail!("no")).is_err());

        let mut patient = Report::new(true);
        assert!(patient.check("bad", || bail!("no")).is_ok());
        assert!(patient.check("good", || Ok(())).is_ok());
        assert!(
            patient
                .check_where_possible("elsewhere", || Ok(Done::Skipped("no network")))
                .is_ok()
        );
        assert_eq!(patient.count(), "1 passed, 1 failed, 1 skipped");
        assert!(patient.verdict().is_err());
    }
}

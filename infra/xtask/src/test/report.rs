//! Results of a run: how each check ended, how long it took, and how long it may take.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Error, Result, bail};

use super::usage;
use crate::console::{Stopwatch, bold, green, heading, print, red};

/// Results so far.
pub(crate) struct Report {
    /// Names of all checks of the run, in the order of the summary.
    order: Vec<&'static str>,
    results: Vec<CheckResult>,
    watch: Stopwatch,
}

/// Result of a check.
pub(crate) struct CheckResult {
    pub(crate) name: &'static str,
    /// A longer time is marked but is no failure: the speed of a machine is no property of the code.
    pub(crate) budget: Duration,
    pub(crate) took: Duration,
    pub(crate) outcome: CheckOutcome,
    /// File that has its output, where another check ran beside it.
    pub(crate) log: Option<PathBuf>,
}

/// Outcome of a check.
pub(crate) enum CheckOutcome {
    Passed,
    /// With numbers for people.
    Noted(String),
    Failed(Error),
    /// With the reason.
    Skipped(&'static str),
    /// Ended by Ctrl-C, or as another check failed.
    CutOff,
    /// The run ended before it started.
    NotRun,
}

/// Result of a check that did not fail.
pub(crate) enum Success {
    Checked,
    /// With numbers for the summary.
    Noted(String),
    /// With the reason, which is shown.
    Skipped(&'static str),
}

impl Report {
    pub(crate) fn new(order: Vec<&'static str>) -> Self {
        Self {
            order,
            results: Vec::new(),
            watch: Stopwatch::start(),
        }
    }

    pub(crate) fn add(&mut self, result: CheckResult) {
        self.results.push(result);
    }

    /// Shows all that ended; `budget` is that of the whole run, where all of it was run.
    pub(crate) fn show(&mut self, budget: Option<Duration>) {
        heading("summary");
        self.results
            .sort_by_key(|result| self.order.iter().position(|name| *name == result.name));
        for result in &self.results {
            print(format_args!("{}\n", result.line()));
        }
        let total = line("all of it", self.watch.elapsed(), budget);
        print(format_args!("    {total}\n"));
        if let Some(time) = usage::processor_time() {
            print(format_args!(
                "    {:<40} {:>5} s\n",
                "processor time",
                time.as_secs()
            ));
        }
        print(format_args!("\n{}\n", bold(&self.count())));
    }

    /// The checks as a list in Markdown, with their numbers.
    pub(crate) fn list(&self) -> String {
        let items = self.results.iter().map(|result| {
            let outcome = match &result.outcome {
                CheckOutcome::Passed => "passed".to_owned(),
                CheckOutcome::Noted(numbers) => format!("passed: {numbers}"),
                CheckOutcome::Failed(_) => "**failed**".to_owned(),
                CheckOutcome::Skipped(why) => format!("not checked: {why}"),
                CheckOutcome::CutOff => "cut off".to_owned(),
                CheckOutcome::NotRun => "not run".to_owned(),
            };
            format!("- {} ({} s): {outcome}\n", result.name, result.took.as_secs())
        });
        items.collect()
    }

    pub(crate) fn verdict(&self) -> Result<()> {
        let failed = self.number_of(|outcome| matches!(outcome, CheckOutcome::Failed(_)));
        if failed > 0 {
            bail!("{failed} of {} checks failed", self.results.len());
        }
        if self.number_of(|outcome| matches!(outcome, CheckOutcome::CutOff | CheckOutcome::NotRun)) > 0 {
            bail!("interrupted");
        }
        Ok(())
    }

    pub(crate) fn count(&self) -> String {
        let passed =
            self.number_of(|outcome| matches!(outcome, CheckOutcome::Passed | CheckOutcome::Noted(_)));
        let failed = self.number_of(|outcome| matches!(outcome, CheckOutcome::Failed(_)));
        let skipped = self.number_of(|outcome| matches!(outcome, CheckOutcome::Skipped(_)));
        let mut count = format!("{passed} passed, {failed} failed, {skipped} skipped");
        let cut_off = self.number_of(|outcome| matches!(outcome, CheckOutcome::CutOff));
        let not_run = self.number_of(|outcome| matches!(outcome, CheckOutcome::NotRun));
        for (number, what) in [(cut_off, "cut off"), (not_run, "not run")] {
            if number > 0 {
                count = format!("{count}, {number} {what}");
            }
        }
        count
    }

    fn number_of(&self, is: fn(&CheckOutcome) -> bool) -> usize {
        self.results.iter().filter(|result| is(&result.outcome)).count()
    }
}

impl CheckResult {
    /// Prints the error, or the reason for which the check was skipped.
    pub(crate) fn show_problem(&self) {
        match &self.outcome {
            CheckOutcome::Failed(error) => print(format_args!("{}\n", red(&format!("{error:#}")))),
            CheckOutcome::Skipped(why) => print(format_args!("  {}: {why}\n", red("NOT CHECKED"))),
            CheckOutcome::Passed | CheckOutcome::Noted(_) | CheckOutcome::CutOff | CheckOutcome::NotRun => {}
        }
    }

    fn line(&self) -> String {
        let mark = match self.outcome {
            CheckOutcome::Passed | CheckOutcome::Noted(_) => green("✓"),
            CheckOutcome::Failed(_) => red("✗"),
            CheckOutcome::Skipped(_) | CheckOutcome::CutOff | CheckOutcome::NotRun => red("-"),
        };
        if matches!(self.outcome, CheckOutcome::NotRun) {
            return format!("  {mark} {:<40} not run", self.name);
        }
        let line = format!("  {mark} {}", line(self.name, self.took, Some(self.budget)));
        match (&self.outcome, &self.log) {
            (CheckOutcome::CutOff, _) => format!("{line}  cut off"),
            (CheckOutcome::Failed(_), Some(log)) => format!("{line}\n      {}", log.display()),
            _ => line,
        }
    }
}

/// Time taken beside the time allowed, and whether it is more.
fn line(name: &str, took: Duration, budget: Option<Duration>) -> String {
    let taken = format!("{name:<40} {:>5} s", took.as_secs());
    match budget {
        None => taken,
        Some(budget) if took > budget => {
            format!("{taken} of {:>4} s  {}", budget.as_secs(), red("over budget"))
        }
        Some(budget) => format!("{taken} of {:>4} s", budget.as_secs()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(took: u64, outcome: CheckOutcome) -> CheckResult {
        CheckResult {
            name: "clippy",
            budget: Duration::from_mins(1),
            took: Duration::from_secs(took),
            outcome,
            log: None,
        }
    }

    #[test]
    fn check_over_budget_is_marked_and_passes() {
        let slow = result(61, CheckOutcome::Passed);
        assert!(
            slow.line().ends_with("61 s of   60 s  over budget"),
            "{}",
            slow.line()
        );
        let fast = result(60, CheckOutcome::Passed);
        assert!(fast.line().ends_with("60 s of   60 s"), "{}", fast.line());
        let mut report = Report::new(vec!["clippy"]);
        report.add(slow);
        assert!(report.verdict().is_ok());
    }

    #[test]
    fn failure_names_the_log_of_its_output() {
        let failed = |log| CheckResult {
            log,
            ..result(1, CheckOutcome::Failed(Error::msg("no")))
        };
        let beside = failed(Some("/logs/test-clippy.log".into()));
        assert!(
            beside.line().ends_with("\n      /logs/test-clippy.log"),
            "{}",
            beside.line()
        );
        assert!(!failed(None).line().contains('\n'));
    }

    #[test]
    fn cut_off_run_has_not_passed() {
        for outcome in [CheckOutcome::CutOff, CheckOutcome::NotRun] {
            let mut report = Report::new(vec!["clippy"]);
            report.add(result(1, outcome));
            assert!(report.verdict().is_err());
        }
    }
}

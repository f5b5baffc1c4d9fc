//! The checks of `cargo xtask test`. One more is one more entry here.

use anyhow::Result;
use clap::ValueEnum;

use super::lanes::Lane;
use super::report::Success;
use super::{TestRun, boundaries, dependencies, language, roles, rust, suites, texts};
use crate::test::fuzz;

/// Choices of `--only`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Formatting, clippy, types in Python, language, licenses and advisories, who may depend on what, the template.
    Lint,
    /// The widget's page: types, tests, the committed bundle, its size. Examples for apps: types, compilers.
    Page,
    /// Unit and property tests.
    Unit,
    /// Readers of foreign bytes, for some seconds each.
    Fuzz,
    /// Storage rules, against the local AWS and AWS's own `DynamoDB` Local.
    Storage,
    /// Processes that die at every effect of the flows, and the recovery.
    Crash,
    /// The flow over HTTP against the deployed system.
    Flows,
    /// Costs of the functions, by counts: calls to AWS, bytes, instructions.
    Bench,
    /// The system and other people's libraries.
    Interop,
    /// The page in a real browser.
    Browser,
    /// Thousands of sessions on a bad day, through the deployed functions.
    Load,
    /// The functions' roles against the calls that the suites before it had them make.
    Roles,
    /// No card number in anything that the parts before it left behind.
    Canary,
}

/// One check, which has a line of its own in the summary.
pub(crate) struct Check {
    pub(crate) part: Part,
    pub(crate) name: &'static str,
    /// Seconds that it may take from nothing on two cores, with the other lane beside it.
    pub(crate) budget: u64,
    pub(crate) lane: Lane,
    pub(crate) needs: Needs,
    pub(crate) run: Run,
}

/// State that a check needs before it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    Nothing,
    /// The folder of the system under test, without the files of the last run.
    Folder,
    /// The whole system, up.
    System,
}

/// A check's function.
#[derive(Clone, Copy)]
pub(crate) enum Run {
    Always(fn(&TestRun<'_>) -> Result<()>),
    /// The same with numbers for the summary; it may be skipped.
    Noting(fn(&TestRun<'_>) -> Result<Success>),
}

/// Put before the first check that needs the system.
pub(crate) const LOCAL_SYSTEM: Check = Check {
    part: Part::Flows,
    name: "the local system",
    budget: 720,
    lane: Lane::System,
    needs: Needs::System,
    run: Run::Always(|_| Ok(())),
};

use Lane::{Last, Processor, System};
use Needs::{Folder, Nothing};
use Run::{Always, Noting};

/// All checks, each lane in the order in which it runs. The lane of the processor compiles the tests first, which the other
/// one needs when it has the suites in Python behind it.
#[rustfmt::skip]
pub(crate) const CHECKS: &[Check] = &[
    Check { part: Part::Lint, name: "formatting", budget: 20, lane: Processor, needs: Nothing, run: Always(rust::formatting) },
    Check { part: Part::Lint, name: "who depends on what", budget: 15, lane: Processor, needs: Nothing, run: Always(|run| boundaries::check(run.checkout)) },
    Check { part: Part::Lint, name: "language", budget: 3, lane: Processor, needs: Nothing, run: Always(language::check) },
    Check { part: Part::Lint, name: "the page's texts", budget: 2, lane: Processor, needs: Nothing, run: Always(texts::check) },
    Check { part: Part::Unit, name: "unit and property tests", budget: 540, lane: Processor, needs: Nothing, run: Always(rust::unit) },
    Check { part: Part::Unit, name: "documentation examples", budget: 90, lane: Processor, needs: Nothing, run: Always(rust::documentation) },
    Check { part: Part::Lint, name: "clippy", budget: 420, lane: Processor, needs: Nothing, run: Always(rust::clippy) },
    Check { part: Part::Lint, name: "style and types in Python", budget: 90, lane: Processor, needs: Nothing, run: Always(suites::python_lint) },
    Check { part: Part::Lint, name: "templates", budget: 60, lane: Processor, needs: Nothing, run: Always(suites::templates) },
    Check { part: Part::Page, name: "page", budget: 120, lane: Processor, needs: Nothing, run: Always(suites::page) },
    Check { part: Part::Page, name: "native examples", budget: 90, lane: Processor, needs: Nothing, run: Always(suites::native_examples) },
    Check { part: Part::Crash, name: "crash", budget: 480, lane: Processor, needs: Folder, run: Always(suites::crash) },
    Check { part: Part::Fuzz, name: "fuzzing", budget: 270, lane: Processor, needs: Nothing, run: Always(|run| fuzz::briefly(run.checkout, run.interrupt)) },
    Check { part: Part::Lint, name: "licenses and sources of dependencies", budget: 240, lane: Processor, needs: Nothing, run: Always(dependencies::policy) },
    Check { part: Part::Lint, name: "advisories", budget: 60, lane: Processor, needs: Nothing, run: Noting(dependencies::advisories) },
    Check { part: Part::Browser, name: "browser", budget: 330, lane: System, needs: Needs::System, run: Always(suites::browser) },
    Check { part: Part::Interop, name: "interop", budget: 240, lane: System, needs: Needs::System, run: Always(suites::interop) },
    Check { part: Part::Flows, name: "flows", budget: 240, lane: System, needs: Needs::System, run: Always(suites::flows) },
    Check { part: Part::Bench, name: "bench", budget: 60, lane: System, needs: Needs::System, run: Noting(suites::bench) },
    Check { part: Part::Load, name: "load", budget: 240, lane: System, needs: Needs::System, run: Always(suites::load) },
    Check { part: Part::Roles, name: "roles", budget: 5, lane: System, needs: Needs::System, run: Always(roles::check) },
    Check { part: Part::Storage, name: "storage", budget: 380, lane: System, needs: Folder, run: Always(suites::storage) },
    Check { part: Part::Storage, name: "a first deployment", budget: 60, lane: System, needs: Folder, run: Always(suites::first_deployment) },
    Check { part: Part::Lint, name: "functions alone", budget: 180, lane: System, needs: Nothing, run: Always(rust::functions_alone) },
    Check { part: Part::Lint, name: "features alone", budget: 45, lane: System, needs: Nothing, run: Always(rust::features_alone) },
    Check { part: Part::Canary, name: "no card number anywhere", budget: 200, lane: Last, needs: Needs::System, run: Always(suites::canary) },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_has_a_check() {
        for part in Part::value_variants() {
            assert!(CHECKS.iter().any(|check| check.part == *part), "{part:?}");
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = CHECKS.iter().map(|check| check.name).collect();
        names.push(LOCAL_SYSTEM.name);
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn budgets_of_the_lanes_fit_into_that_of_the_run() {
        let of = |lane| -> u64 {
            let checks = CHECKS.iter().filter(|check| check.lane == lane);
            checks.map(|check| check.budget).sum()
        };
        let longer = of(Processor).max(of(System) + LOCAL_SYSTEM.budget);
        assert!(longer + of(Last) <= super::super::BUDGET.as_secs());
    }
}

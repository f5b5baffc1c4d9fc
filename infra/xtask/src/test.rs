//! `cargo xtask test`: every check and test, each under a heading, with a system of its own.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use clap::Args;

use crate::checkout::Checkout;
use crate::console;
use crate::local::down;
use crate::local::ports::ANY;
use crate::local::system::{self, Up};
use crate::programs::interrupt::Interrupt;

mod arm64;
pub(crate) mod bench;
mod boundaries;
mod checks;
mod dependencies;
mod dynamodb_local;
pub(crate) mod fuzz;
mod gateway;
mod lanes;
pub(crate) mod language;
pub(crate) mod mutants;
mod report;
mod roles;
mod rust;
pub(crate) mod soak;
mod soap;
mod suites;
mod template;
mod texts;
mod usage;

use checks::{CHECKS, Check, LOCAL_SYSTEM, Needs, Part, Run};
use lanes::{Job, Lanes};
use report::{Report, Success};

/// Budget of a whole run from nothing, on two cores.
const BUDGET: Duration = Duration::from_mins(45);

#[derive(Args)]
pub(crate) struct Options {
    /// Run only this part; may be given several times.
    #[arg(long, value_enum)]
    only: Vec<Part>,
    /// Go on after a failure, to see them all.
    #[arg(long)]
    keep_going: bool,
}

/// A run of checks, with the system under test, whose local files are not those of `up`.
pub(crate) struct TestRun<'a> {
    checkout: &'a Checkout,
    /// Local files of the system under test.
    isolated: Checkout,
    interrupt: &'a Interrupt,
    /// Started systems; a part may need more than the one before.
    up: Mutex<Vec<Up>>,
}

pub(crate) fn run(checkout: &Checkout, interrupt: &Interrupt, options: &Options) -> Result<()> {
    let wanted = |check: &&Check| options.only.is_empty() || options.only.contains(&check.part);
    let checks: Vec<_> = CHECKS.iter().filter(wanted).collect();
    let mut report = run_checks(checkout, interrupt, &checks, options.keep_going)?;
    report.show(options.only.is_empty().then_some(BUDGET));
    report.verdict()
}

/// Runs the checks in their lanes, with a system of their own where one of them needs it, and ends that again.
fn run_checks(
    checkout: &Checkout,
    interrupt: &Interrupt,
    checks: &[&Check],
    keep_going: bool,
) -> Result<Report> {
    let run = TestRun {
        checkout,
        isolated: checkout.for_tests(),
        interrupt,
        up: Mutex::default(),
    };
    if checks.iter().any(|check| check.needs != Needs::Nothing) {
        // The traces of the last run stayed until now.
        down::down(&run.isolated, true)?;
    }
    let lanes = Lanes {
        keep_going,
        interrupt,
        log: &|name| checkout.log(&format!("test-{}", name.replace(' ', "-"))),
    };
    let report = lanes.run(jobs(&run, checks));
    if let Err(error) = run.end() {
        // What was found out is worth more than this.
        console::note(&format!("{error:#}"));
    }
    Ok(report)
}

/// The checks, and before the first one that needs the system that it is brought up.
fn jobs<'a>(run: &'a TestRun<'a>, checks: &[&'a Check]) -> Vec<Job<'a>> {
    let mut jobs = Vec::new();
    let mut brings_up = false;
    for check in checks {
        let needs_system = check.needs == Needs::System;
        if needs_system && !brings_up {
            brings_up = true;
            jobs.push(job(run, &LOCAL_SYSTEM, check));
        }
        jobs.push(job(run, check, check));
    }
    jobs
}

/// A check as a job, in the lane of the one that it is for.
fn job<'a>(run: &'a TestRun<'a>, check: &'a Check, of: &Check) -> Job<'a> {
    Job {
        name: check.name,
        budget: Duration::from_secs(check.budget),
        lane: of.lane,
        run: Box::new(|| {
            if check.needs == Needs::System {
                run.everything()?;
            }
            match check.run {
                Run::Always(function) => function(run).map(|()| Success::Checked),
                Run::Noting(function) => function(run),
            }
        }),
    }
}

impl TestRun<'_> {
    /// Brings the whole system up, unless it is.
    fn everything(&self) -> Result<()> {
        let mut up = self.up();
        if up.is_empty() || !Up::lives(&self.isolated) {
            up.push(system::everything(&self.isolated, &ANY, self.interrupt)?);
        }
        Ok(())
    }

    /// The local AWS, by itself where the rest is not up.
    fn local_aws(&self) -> Result<u16> {
        let mut up = self.up();
        if up.is_empty() {
            up.push(system::local_aws(&self.isolated, &ANY, self.interrupt)?);
        }
        Ok(up.last().map_or(0, |up| up.ports.aws))
    }

    fn end(&self) -> Result<()> {
        self.up().iter().rev().try_for_each(|up| up.end(&self.isolated))
    }

    fn up(&self) -> MutexGuard<'_, Vec<Up>> {
        self.up.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

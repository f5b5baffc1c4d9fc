//! `cargo xtask test`: every check and test, each under a heading, with a system of its own.

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::bring_up::{self, Up};
use crate::down;
use crate::fuzz;
use crate::interrupt::Interrupt;
use crate::place::Place;
use crate::ports::ANY;

mod boundaries;
mod dependencies;
mod dynamodb_local;
mod report;
mod rust;
mod soap;
mod suites;

use report::Report;

#[derive(Args)]
pub(crate) struct Options {
    /// Run only this part; may be given several times.
    #[arg(long, value_enum)]
    only: Vec<Part>,
    /// Go on after a failure, to see them all.
    #[arg(long)]
    keep_going: bool,
}

/// The parts, in the order in which they run.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Formatting, clippy, types in Python, licences and advisories, who may depend on what, the template.
    Lint,
    /// The widget's page: types, tests, the committed bundle, its size.
    Page,
    /// Unit and property tests.
    Unit,
    /// What reads foreign bytes, for ten seconds each.
    Fuzz,
    /// Storage rules, against the local AWS and AWS's own `DynamoDB` Local.
    Storage,
    /// Processes that die at every effect of the flows, and what becomes of it.
    Crash,
    /// The flow over HTTP against the deployed system.
    Flows,
    /// The system and other people's libraries.
    Interop,
    /// The page in a real browser.
    Browser,
    /// Thousands of sessions on a bad day, through the deployed functions.
    Load,
    /// No card number in anything that the parts before it left behind.
    Canary,
}

/// The system under test: its place is not that of `up`.
struct Bench<'a> {
    place: &'a Place,
    own: Place,
    interrupt: &'a Interrupt,
    /// All that was started; a part may need more than the one before.
    up: Vec<Up>,
}

pub(crate) fn run(place: &Place, interrupt: &Interrupt, options: &Options) -> Result<()> {
    let mut bench = Bench {
        place,
        own: place.for_tests(),
        interrupt,
        up: Vec::new(),
    };
    let mut report = Report::new(options.keep_going);
    let outcome = parts(&mut bench, &mut report, &options.only);
    let ended = bench.end();
    report.show();
    outcome?;
    ended?;
    report.verdict()
}

fn parts(bench: &mut Bench<'_>, report: &mut Report, only: &[Part]) -> Result<()> {
    let wanted = |part: &Part| only.is_empty() || only.contains(part);
    let (place, interrupt) = (bench.place, bench.interrupt);
    for part in Part::value_variants().iter().filter(|part| wanted(part)) {
        interrupt.check()?;
        match part {
            Part::Lint => {
                report.check("formatting", || rust::formatting(place, interrupt))?;
                report.check("clippy", || rust::clippy(place, interrupt))?;
                report.check("who depends on what", || boundaries::check(place))?;
                report.check("licences and sources of dependencies", || {
                    dependencies::policy(place, interrupt)
                })?;
                report.check_where_possible("advisories", || dependencies::advisories(place, interrupt))?;
                report.check("style and types in Python", || {
                    suites::python_lint(place, interrupt)
                })?;
                report.check("templates", || suites::templates(place, interrupt))?;
            }
            Part::Page => report.check("page", || suites::page(place, interrupt))?,
            Part::Unit => {
                report.check("unit and property tests", || rust::unit(place, interrupt))?;
                report.check("documentation examples", || rust::documentation(place, interrupt))?;
            }
            Part::Fuzz => report.check("fuzzing", || fuzz::briefly(place, interrupt))?,
            Part::Storage => report.check("storage", || suites::storage(bench))?,
            Part::Crash => report.check("crash", || suites::crash(bench))?,
            Part::Flows => {
                report.check("the local system", || bench.everything())?;
                report.check("flows", || suites::flows(bench))?;
            }
            Part::Interop => {
                report.check("the local system", || bench.everything())?;
                report.check("interop", || suites::interop(bench))?;
            }
            Part::Browser => {
                report.check("the local system", || bench.everything())?;
                report.check("browser", || suites::browser(bench))?;
            }
            Part::Load => {
                report.check("the local system", || bench.everything())?;
                report.check("load", || suites::load(bench))?;
            }
            Part::Canary => {
                report.check("the local system", || bench.everything())?;
                report.check("no card number anywhere", || suites::canary(bench))?;
            }
        }
    }
    Ok(())
}

impl Bench<'_> {
    /// Brings the whole system up, unless it is.
    fn everything(&mut self) -> Result<()> {
        if !self.up.is_empty() && Up::lives(&self.own) {
            return Ok(());
        }
        self.begin()?;
        self.up
            .push(bring_up::everything(&self.own, &ANY, self.interrupt)?);
        Ok(())
    }

    /// The local AWS, by itself where the rest is not up.
    fn local_aws(&mut self) -> Result<u16> {
        if self.up.is_empty() {
            self.begin()?;
            self.up
                .push(bring_up::local_aws(&self.own, &ANY, self.interrupt)?);
        }
        Ok(self.up.last().map_or(0, |up| up.ports.aws))
    }

    /// Begins with nothing, and leaves its traces behind until the next time.
    fn begin(&self) -> Result<()> {
        if self.up.is_empty() {
            down::down(&self.own, true)?;
        }
        Ok(())
    }

    fn end(&self) -> Result<()> {
        self.up.iter().rev().try_for_each(|up| up.end(&self.own))
    }
}

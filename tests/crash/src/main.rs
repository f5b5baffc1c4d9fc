#![doc = include_str!("../README.md")]
#![expect(
    clippy::expect_used,
    reason = "a harness of tests: what goes wrong in it is a failed test, and says so by its panic"
)]

mod any_scenario;
mod batch;
mod browser;
mod client;
mod fixture;
mod injection;
mod invariants;
mod observations;
mod points;
mod ports;
mod queues;
mod receiver;
mod report;
mod run;
mod scenario;
mod schedule;
mod workers;

use std::process::ExitCode;
use std::str::FromStr;

use any_scenario::{AnyScenario, Kind};
use batch::scenario::{ANOTHER_CALL, CALLING};
use harness::Seeded;
use injection::InjectionPoint;
use report::CheckedRun;
use scenario::{ANOTHER_TAB, PURGE, SECOND_SUBMISSION, SUBMISSION};
use schedule::{Fault, FaultSchedule, Mode};
use workers::Workers;

/// Default number of pairs.
const PAIRS: usize = 200;
const SEED: u64 = 20_270_314;

/// Settings from the environment.
struct Settings {
    seed: u64,
    /// Single schedule to run.
    only: Option<FaultSchedule>,
    pairs: usize,
    /// Kind of scenarios to run; both where it is `None`.
    kind: Option<Kind>,
    /// Whether similar scenarios are all disturbed at every point.
    every: bool,
}

fn main() -> ExitCode {
    let settings = match Settings::read() {
        Ok(settings) => settings,
        Err(sentence) => {
            eprintln!("{sentence}");
            return ExitCode::from(2);
        }
    };
    let mut failed = 0;
    for (engine, endpoint) in engine::engines() {
        let workers = Workers::new(&endpoint, settings.seed);
        match &settings.only {
            Some(only) => one(&workers, only.clone()),
            None => all(&workers, &engine, &settings),
        }
        failed += workers.failed();
    }
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        eprintln!("{failed} runs failed");
        ExitCode::FAILURE
    }
}

impl Settings {
    /// Reads the settings, or says which one is malformed.
    fn read() -> Result<Self, String> {
        let only = std::env::var("CRASH_ONLY").ok();
        let kind = std::env::var("CRASH_KIND").ok();
        let kind = kind.map(|kind| Kind::parse(&kind).ok_or("CRASH_KIND is customer or issuer"));
        let only = only.map(|only| FaultSchedule::parse(&only).map_err(|why| format!("CRASH_ONLY: {why}")));
        Ok(Self {
            seed: number("CRASH_SEED", SEED)?,
            only: only.transpose()?,
            pairs: number("CRASH_PAIRS", PAIRS)?,
            kind: kind.transpose()?,
            every: number("CRASH_EVERY", 0)? != 0,
        })
    }
}

/// Number in a variable, or else `usual`.
fn number<T: FromStr>(name: &str, usual: T) -> Result<T, String> {
    std::env::var(name).map_or(Ok(usual), |text| {
        text.parse()
            .map_err(|_| format!("{name} is a number, not '{text}'"))
    })
}

/// Runs one schedule, and prints its trace.
fn one(workers: &Workers, schedule: FaultSchedule) {
    for checked in workers.run(vec![schedule]) {
        println!("{}", checked.result.trace.join("\n"));
    }
}

/// Runs every scenario without faults, then with one fault at each point, then pairs of faults.
fn all(workers: &Workers, engine: &str, settings: &Settings) {
    let is_wanted = |scenario: &AnyScenario| settings.kind.is_none_or(|kind| scenario.kind() == kind);
    let clean = AnyScenario::all()
        .filter(is_wanted)
        .map(|scenario| FaultSchedule {
            scenario,
            faults: Vec::new(),
        });
    let clean = workers.run(clean.collect());
    let calls: Vec<_> = clean
        .iter()
        .flat_map(|checked| checked.result.points.clone())
        .collect();
    let points: usize = clean.iter().map(|checked| to_disturb(checked).len()).sum();
    println!("{engine}: {} scenarios, {points} points", clean.len());
    println!(
        "{} calls in the clean runs: {}",
        calls.len(),
        report::by_call(&calls)
    );
    let schedules = clean
        .iter()
        .flat_map(|clean| at_every_point(clean, settings.every));
    let single = workers.run(schedules.collect());
    println!("{} runs with one fault each", single.len());
    let pairs = workers.run(pairs(&single, settings));
    println!(
        "{} runs with two dead processes each, chosen by seed {}",
        pairs.len(),
        settings.seed
    );
}

fn to_disturb(clean: &CheckedRun) -> Vec<(usize, InjectionPoint)> {
    let from = clean.schedule.scenario.disturbed_from();
    points::to_disturb(&clean.result.points, from)
}

fn at_every_point(clean: &CheckedRun, every: bool) -> Vec<FaultSchedule> {
    let faults = to_disturb(clean).into_iter().flat_map(|(number, point)| {
        let of_tabs = matches!(point.actor, Some(ANOTHER_TAB | ANOTHER_CALL));
        modes(point).map(move |mode| {
            let fault = Fault { point: number, mode };
            (fault, of_tabs && mode.is_concurrent())
        })
    });
    let (between_tabs, others): (Vec<_>, Vec<_>) = faults.partition(|(_, between_tabs)| *between_tabs);
    let one_in = if every {
        1
    } else {
        clean.schedule.scenario.one_in()
    };
    let chosen = others.into_iter().step_by(one_in).chain(between_tabs);
    let schedule = |(fault, _)| FaultSchedule {
        scenario: clean.schedule.scenario,
        faults: vec![fault],
    };
    chosen.map(schedule).collect()
}

/// Fault modes of a call.
fn modes(point: InjectionPoint) -> impl Iterator<Item = Mode> {
    let is_wakeup = point.call.starts_with("wakeups.");
    let concurrent = match (point.actor, point.trigger) {
        (Some(ANOTHER_TAB), SUBMISSION | SECOND_SUBMISSION) => {
            vec![Mode::ConcurrentOvertakes, Mode::ConcurrentCrosses]
        }
        (Some(ANOTHER_TAB), PURGE) => vec![Mode::ConcurrentOvertakes, Mode::ConcurrentBegins],
        (Some(ANOTHER_CALL), CALLING) => vec![Mode::ConcurrentOvertakes, Mode::ConcurrentCrosses],
        (Some(_), _) => vec![Mode::ConcurrentOvertakes],
        (None, _) => Vec::new(),
    };
    Mode::OF_ANY
        .into_iter()
        .chain(is_wakeup.then_some(Mode::Lost))
        .chain(concurrent)
}

/// Pairs of faults: a process dies in the aftermath of another one.
fn pairs(single: &[CheckedRun], settings: &Settings) -> Vec<FaultSchedule> {
    let dies = |mode| matches!(mode, Mode::StopBefore | Mode::StopAfter);
    let first: Vec<_> = single
        .iter()
        .filter(|checked| checked.schedule.faults.iter().all(|fault| dies(fault.mode)))
        .filter(|checked| {
            checked
                .schedule
                .faults
                .iter()
                .all(|fault| fault.point < checked.result.points.len())
        })
        .collect();
    let chance = Seeded::new(settings.seed);
    let pair = |_| {
        let checked = first[chance.below(first.len())];
        let died_at = checked.schedule.faults[0].point;
        let point = died_at + 1 + chance.below(checked.result.points.len() - died_at);
        let mode = [Mode::StopBefore, Mode::StopAfter][chance.below(2)];
        let mut schedule = checked.schedule.clone();
        schedule.faults.push(Fault { point, mode });
        schedule
    };
    (0..settings.pairs).map(pair).collect()
}

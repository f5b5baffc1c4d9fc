#![doc = include_str!("../README.md")]
#![expect(
    clippy::expect_used,
    reason = "a harness of tests: what goes wrong in it is a failed test, and says so by its panic"
)]

mod client;
mod effects;
mod observed;
mod page;
mod plan;
mod points;
mod ports;
mod queues;
mod receiver;
mod report;
mod run;
mod scenario;
mod stage;
mod verdict;
mod workers;

use std::process::ExitCode;
use std::str::FromStr;

use effects::Point;
use harness::Seeded;
use plan::{Fault, Mode, Plan};
use report::Judged;
use scenario::{ANOTHER_TAB, PURGE, SECOND_SUBMISSION, SUBMISSION};
use workers::Workers;

/// Pairs of dead processes that are tried where nobody asks for another number.
const PAIRS: usize = 200;
const SEED: u64 = 20_270_314;

/// Choices by variables of the environment.
struct Asked {
    seed: u64,
    /// The one run to do.
    only: Option<Plan>,
    pairs: usize,
    /// Whether scenarios that are alike are all disturbed at every point.
    every: bool,
}

fn main() -> ExitCode {
    let asked = match Asked::read() {
        Ok(asked) => asked,
        Err(sentence) => {
            eprintln!("{sentence}");
            return ExitCode::from(2);
        }
    };
    let mut failed = 0;
    for (engine, endpoint) in engine::engines() {
        let workers = Workers::new(&endpoint, asked.seed);
        match &asked.only {
            Some(only) => one(&workers, only.clone()),
            None => all(&workers, &engine, &asked),
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

impl Asked {
    /// Otherwise what is wrong with the question.
    fn read() -> Result<Self, String> {
        let only = std::env::var("CRASH_ONLY").ok();
        let only = only.map(|only| Plan::parse(&only).map_err(|why| format!("CRASH_ONLY: {why}")));
        Ok(Self {
            seed: number("CRASH_SEED", SEED)?,
            only: only.transpose()?,
            pairs: number("CRASH_PAIRS", PAIRS)?,
            every: number("CRASH_EVERY", 0)? != 0,
        })
    }
}

/// The number that a variable has; `usual` where there is no such variable.
fn number<T: FromStr>(name: &str, usual: T) -> Result<T, String> {
    std::env::var(name).map_or(Ok(usual), |text| {
        text.parse()
            .map_err(|_| format!("{name} is a number, not '{text}'"))
    })
}

/// One run, with its trace.
fn one(workers: &Workers, plan: Plan) {
    for judged in workers.run(vec![plan]) {
        println!("{}", judged.ran.trace.join("\n"));
    }
}

/// Every scenario clean, then disturbed at each of its points in each way, then pairs.
fn all(workers: &Workers, engine: &str, asked: &Asked) {
    let clean = scenario::all().map(|scenario| Plan {
        scenario,
        faults: Vec::new(),
    });
    let clean = workers.run(clean.collect());
    let calls: Vec<_> = clean
        .iter()
        .flat_map(|judged| judged.ran.points.clone())
        .collect();
    let points: usize = clean.iter().map(|judged| to_disturb(judged).len()).sum();
    println!("{engine}: {} scenarios, {points} points", clean.len());
    println!(
        "{} calls in the clean runs: {}",
        calls.len(),
        report::by_call(&calls)
    );
    let plans = clean.iter().flat_map(|clean| at_every_point(clean, asked.every));
    let single = workers.run(plans.collect());
    println!("{} runs with one fault each", single.len());
    let pairs = workers.run(pairs(&single, asked));
    println!(
        "{} runs with two dead processes each, chosen by seed {}",
        pairs.len(),
        asked.seed
    );
}

fn to_disturb(clean: &Judged) -> Vec<(usize, Point)> {
    let from = clean.plan.scenario.disturbed_from;
    points::to_disturb(&clean.ran.points, from)
}

fn at_every_point(clean: &Judged, every: bool) -> Vec<Plan> {
    let faults = to_disturb(clean).into_iter().flat_map(|(number, point)| {
        let of_tabs = point.rival == Some(ANOTHER_TAB);
        modes(point).map(move |mode| {
            let fault = Fault { point: number, mode };
            (fault, of_tabs && mode.is_of_rival())
        })
    });
    let (between_tabs, others): (Vec<_>, Vec<_>) = faults.partition(|(_, between_tabs)| *between_tabs);
    let one_in = if every { 1 } else { clean.plan.scenario.one_in };
    let chosen = others.into_iter().step_by(one_in).chain(between_tabs);
    let plan = |(fault, _)| Plan {
        scenario: clean.plan.scenario,
        faults: vec![fault],
    };
    chosen.map(plan).collect()
}

/// In which ways a call is disturbed.
fn modes(point: Point) -> impl Iterator<Item = Mode> {
    let is_wakeup = point.call.starts_with("wakeups.");
    let of_rival = match (point.rival, point.trigger) {
        (Some(ANOTHER_TAB), SUBMISSION | SECOND_SUBMISSION) => {
            vec![Mode::RivalOvertakes, Mode::RivalCrosses]
        }
        (Some(ANOTHER_TAB), PURGE) => vec![Mode::RivalOvertakes, Mode::RivalBegins],
        (Some(_), _) => vec![Mode::RivalOvertakes],
        (None, _) => Vec::new(),
    };
    Mode::OF_ANY
        .into_iter()
        .chain(is_wakeup.then_some(Mode::Lost))
        .chain(of_rival)
}

/// A process that dies in what follows from a process that died.
fn pairs(single: &[Judged], asked: &Asked) -> Vec<Plan> {
    let dies = |mode| matches!(mode, Mode::StopBefore | Mode::StopAfter);
    let first: Vec<_> = single
        .iter()
        .filter(|judged| judged.plan.faults.iter().all(|fault| dies(fault.mode)))
        .filter(|judged| {
            judged
                .plan
                .faults
                .iter()
                .all(|fault| fault.point < judged.ran.points.len())
        })
        .collect();
    let chance = Seeded::new(asked.seed);
    let pair = |_| {
        let judged = first[chance.below(first.len())];
        let died_at = judged.plan.faults[0].point;
        let point = died_at + 1 + chance.below(judged.ran.points.len() - died_at);
        let mode = [Mode::StopBefore, Mode::StopAfter][chance.below(2)];
        let mut plan = judged.plan.clone();
        plan.faults.push(Fault { point, mode });
        plan
    };
    (0..asked.pairs).map(pair).collect()
}

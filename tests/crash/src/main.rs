#![doc = include_str!("../README.md")]
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a harness of tests: what goes wrong in it is a failed test, and says so by its panic"
)]

mod client;
mod effects;
mod mrs;
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
mod seeded;
mod stage;
mod verdict;
mod workers;

use std::process::ExitCode;

use plan::{Fault, Mode, Plan};
use report::Judged;
use seeded::Seeded;
use workers::Workers;

/// How many pairs of dead processes are tried.
const PAIRS: usize = 200;
const SEED: u64 = 20_270_314;

fn main() -> ExitCode {
    let seed = match std::env::var("CRASH_SEED") {
        Ok(text) => text.parse().expect("CRASH_SEED is a number"),
        Err(_) => SEED,
    };
    let mut failed = 0;
    for (engine, endpoint) in engine::engines() {
        let workers = Workers::new(&endpoint, seed);
        match std::env::var("CRASH_ONLY") {
            Ok(only) => one(&workers, &only),
            Err(_) => all(&workers, &engine, seed),
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

/// One run, with its trace.
fn one(workers: &Workers, only: &str) {
    let plan = Plan::parse(only).expect("CRASH_ONLY is scenario/point/mode, or +point/mode more");
    for judged in workers.run(vec![plan]) {
        println!("{}", judged.ran.trace.join("\n"));
    }
}

/// Every scenario clean, then disturbed at each of its points in each way, then pairs.
fn all(workers: &Workers, engine: &str, seed: u64) {
    let clean = scenario::ALL.iter().map(|scenario| Plan {
        scenario: scenario.name.to_owned(),
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
    let single = workers.run(clean.iter().flat_map(at_every_point).collect());
    println!("{} runs with one fault each", single.len());
    let pairs = workers.run(pairs(&single, seed));
    println!(
        "{} runs with two dead processes each, chosen by seed {seed}",
        pairs.len()
    );
}

fn to_disturb(clean: &Judged) -> Vec<(usize, &'static str)> {
    let from = scenario::named(&clean.plan.scenario).disturbed_from;
    points::to_disturb(&clean.ran.points, from)
}

fn at_every_point(clean: &Judged) -> Vec<Plan> {
    let mut plans = Vec::new();
    for (point, call) in to_disturb(clean) {
        let lost = call.starts_with("wakeups.").then_some(Mode::Lost);
        for mode in Mode::OF_ANY.into_iter().chain(lost) {
            plans.push(Plan {
                scenario: clean.plan.scenario.clone(),
                faults: vec![Fault { point, mode }],
            });
        }
    }
    plans
}

/// A process that dies in what follows from a process that died.
fn pairs(single: &[Judged], seed: u64) -> Vec<Plan> {
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
    let chance = Seeded::new(seed);
    let pair = |_| {
        let judged = first[chance.below(first.len())];
        let died_at = judged.plan.faults[0].point;
        let point = died_at + 1 + chance.below(judged.ran.points.len() - died_at);
        let mode = [Mode::StopBefore, Mode::StopAfter][chance.below(2)];
        let mut plan = judged.plan.clone();
        plan.faults.push(Fault { point, mode });
        plan
    };
    (0..PAIRS).map(pair).collect()
}

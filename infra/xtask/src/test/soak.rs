//! `cargo xtask soak`: the tests that take too long for every change. Prints a summary for a closing note.

use std::process::Command;
use std::thread;

use anyhow::{Context as _, Result, bail};
use aws_lc_rs::rand;
use clap::Args;

use super::checks::{Check, Needs, Part, Run};
use super::lanes::Lane::{Last, Processor, System};
use super::report::Success;
use super::rust::{self, CARD_FILES, LOAD};
use super::{TestRun, suites};
use crate::builds::native;
use crate::checkout::Checkout;
use crate::programs::command::capture;
use crate::programs::interrupt::Interrupt;
use crate::test::fuzz;

#[derive(Args)]
pub(crate) struct Options {
    /// Run only the check of this name; may be given several times.
    #[arg(long)]
    only: Vec<String>,
}

/// Seconds for each fuzz target.
const FUZZING: u32 = 600;
/// Pairs of dead processes, of which `cargo xtask test` tries 200.
const PAIRS: u32 = 5000;
/// Runs of the browser suite.
const BROWSER_RUNS: usize = 3;
/// Openings by embed.js over a network that fails, of which `cargo xtask test` tries 50.
const OPENINGS: u32 = 2000;
/// Kills of `enrollctl batch`, of which `cargo xtask test` tries 50.
const KILLS: u32 = 1000;
/// Lines of a card file, which has 60,000 in `cargo xtask test`.
const LINES: u32 = 10_000_000;
/// Sessions of the load test, which has 1,000 in `cargo xtask test`, and no confirmation that meets two faults.
const SESSIONS: u32 = 20_000;
/// Batches of 250 cards in the load test, which has 20 in `cargo xtask test`.
const BATCHES: u32 = 400;

/// All of it, each lane in its order. One more is one more entry here.
#[rustfmt::skip]
const SOAK: &[Check] = &[
    Check { part: Part::Fuzz, name: "fuzzing", budget: 4200, lane: Processor, needs: Needs::Nothing, run: Run::Noting(fuzzing) },
    Check { part: Part::Crash, name: "crash", budget: 5400, lane: Processor, needs: Needs::Folder, run: Run::Noting(crash) },
    Check { part: Part::Storage, name: "card files", budget: 5400, lane: Processor, needs: Needs::Nothing, run: Run::Noting(card_files) },
    Check { part: Part::Flows, name: "arm64", budget: 1200, lane: System, needs: Needs::System, run: Run::Noting(arm64) },
    Check { part: Part::Browser, name: "browser", budget: 1200, lane: System, needs: Needs::System, run: Run::Noting(browser) },
    Check { part: Part::Browser, name: "openings", budget: 7200, lane: System, needs: Needs::System, run: Run::Noting(openings) },
    Check { part: Part::Load, name: "load", budget: 3600, lane: System, needs: Needs::System, run: Run::Noting(load) },
    Check { part: Part::Canary, name: "no card number anywhere", budget: 600, lane: Last, needs: Needs::System, run: Run::Always(suites::canary) },
];

/// Runs all of it to the end, whatever fails, and prints the summary.
pub(crate) fn soak(checkout: &Checkout, interrupt: &Interrupt, options: &Options) -> Result<()> {
    if let Some(unknown) = options.only.iter().find(|name| !named(name)) {
        let names: Vec<_> = SOAK.iter().map(|check| check.name).collect();
        bail!("there is no '{unknown}'; there are {}", names.join(", "));
    }
    let wanted =
        |check: &&Check| options.only.is_empty() || options.only.iter().any(|name| name == check.name);
    let checks: Vec<_> = SOAK.iter().filter(wanted).collect();
    let mut report = super::run_checks(checkout, interrupt, &checks, true)?;
    report.show(None);
    let commit = capture(
        Command::new("git")
            .current_dir(checkout.root())
            .args(["describe", "--always", "--dirty"]),
    );
    let processors = thread::available_parallelism().map_or(1, usize::from);
    println!(
        "\nFor the closing note:\n\nSoak of {} on {processors} processors:\n{}",
        commit.unwrap_or_default().trim(),
        report.list()
    );
    report.verdict()
}

fn named(name: &str) -> bool {
    SOAK.iter().any(|check| check.name == name)
}

fn fuzzing(run: &TestRun<'_>) -> Result<Success> {
    let findings = fuzz::fuzz(run.checkout, run.interrupt, None, FUZZING)?;
    Ok(Success::Noted(format!(
        "{FUZZING} s each; {}",
        findings.join("; ")
    )))
}

/// Runs every case with one fault and many with two, with a new seed.
fn crash(run: &TestRun<'_>) -> Result<Success> {
    let seed = seed()?;
    let output = suites::crash_with(
        run,
        &[
            ("CRASH_SEED", seed.to_string()),
            ("CRASH_EVERY", "1".to_owned()),
            ("CRASH_PAIRS", PAIRS.to_string()),
        ],
    )?;
    let numbers = output
        .lines()
        .filter(|line| !line.contains("calls in the clean runs"));
    Ok(Success::Noted(numbers.collect::<Vec<_>>().join("; ")))
}

/// Runs the suite several times, to find rare failures.
fn browser(run: &TestRun<'_>) -> Result<Success> {
    for _ in 0..BROWSER_RUNS {
        suites::browser(run)?;
    }
    Ok(Success::Noted(format!("{BROWSER_RUNS} times")))
}

/// Openings by embed.js, with a new seed.
fn openings(run: &TestRun<'_>) -> Result<Success> {
    let seed = seed()?;
    suites::openings(run, OPENINGS, seed)?;
    Ok(Success::Noted(format!("{OPENINGS} with seed {seed}")))
}

/// Functions for the processor that AWS gets them for.
fn arm64(run: &TestRun<'_>) -> Result<Success> {
    crate::test::arm64::check(&run.isolated, run.local_aws()?, run.interrupt).map(Success::Noted)
}

/// Kills the tool, and gives it a long file; the optimized program. Needs nextest.
fn card_files(run: &TestRun<'_>) -> Result<Success> {
    let program = native::everything(run.checkout, run.interrupt)?.enrollctl;
    let environment = [
        ("ENROLLCTL_PROGRAM", program.to_string_lossy().into_owned()),
        ("ENROLLCTL_KILLS", KILLS.to_string()),
        ("ENROLLCTL_LINES", LINES.to_string()),
    ];
    rust::tests(run.checkout, &CARD_FILES, &environment, run.interrupt)?;
    Ok(Success::Noted(format!("{KILLS} kills, {LINES} lines")))
}

fn load(run: &TestRun<'_>) -> Result<Success> {
    let seed = seed()?;
    let mut environment = run.environment()?;
    environment.push(("LOAD_SESSIONS", SESSIONS.to_string()));
    environment.push(("LOAD_SEED", seed.to_string()));
    environment.push(("LOAD_REPEATED_FAULTS", "1".to_owned()));
    environment.push(("LOAD_BATCHES", BATCHES.to_string()));
    rust::tests(run.checkout, &LOAD, &environment, run.interrupt)?;
    Ok(Success::Noted(format!("{SESSIONS} sessions, seed {seed}")))
}

/// A new seed for each run; the summary names it.
fn seed() -> Result<u32> {
    let mut bytes = [0; 4];
    rand::fill(&mut bytes).ok().context("no random numbers")?;
    Ok(u32::from_le_bytes(bytes))
}

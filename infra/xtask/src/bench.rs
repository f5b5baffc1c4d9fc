//! `cargo xtask bench`: what the functions cost, against what `up` started.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::bring_up::Up;
use crate::command::run_kept;
use crate::compile;
use crate::interrupt::Interrupt;
use crate::place::Place;
use crate::prerequisites::program_or_package;
use crate::python::Tools;

/// Where sam's package has AWS's Runtime Interface Emulator, under its environment.
pub(crate) const EMULATOR: &str = "samcli/local/rapid/aws-lambda-rie-x86_64";

/// Builds, measures and prints; a bound that is exceeded is a failure.
pub(crate) fn bench(place: &Place, interrupt: &Interrupt, runs: usize) -> Result<()> {
    if !Up::lives(place) {
        bail!("the local system is not up: run `cargo xtask up --detach` first");
    }
    measure(place, interrupt, runs).map(drop)
}

/// Measures against the system at `place`, which is up. Gives the last line, which says it in short.
pub(crate) fn measure(place: &Place, interrupt: &Interrupt, runs: usize) -> Result<String> {
    let sam = Tools::Sam.install(place, interrupt)?;
    let emulator = sam.packages()?.join(EMULATOR);
    if !emulator.is_file() {
        bail!("sam's package has no emulator at {}", emulator.display());
    }
    let valgrind = program_or_package("valgrind", "valgrind", interrupt)?;
    let built = compile::everything(place, interrupt)?;
    let mut command = Command::new(&built.bench);
    command.current_dir(place.root()).arg("--emulator").arg(&emulator);
    command.arg("--valgrind").arg(valgrind);
    command.arg("--functions").arg(&built.functions);
    command.arg("--bare").arg(&built.bare_function);
    command.arg("--scratch").arg(place.state().join("bench"));
    command.args(["--runs", &runs.to_string()]);
    command
        .env("TEST_ENDPOINTS", place.endpoints())
        .env("TEST_LOCAL", place.local());
    let output = run_kept(&mut command, interrupt)?;
    let last = output.lines().last().context("the bench printed nothing")?;
    Ok(last.to_owned())
}

//! Licenses, sources and known faults of dependencies, by cargo-deny and deny.toml.

use std::process::Command;

use anyhow::Result;

use super::Bench;
use super::report::Done;

use crate::command::{run_quietly, run_shown};
use crate::interrupt::Interrupt;
use crate::place::Place;
use crate::prerequisites::cargo_tool;

const VERSION: &str = "0.20.2";

pub(crate) fn policy(bench: &Bench<'_>) -> Result<()> {
    let (place, interrupt) = (bench.place, bench.interrupt);
    run_shown(
        deny(place, interrupt)?.args(["check", "licenses", "bans", "sources"]),
        interrupt,
    )
}

/// The advisories come from a Git repository. Where that can't be reached, as on a machine that sees package
/// registries only, this says so and checks nothing.
pub(crate) fn advisories(bench: &Bench<'_>) -> Result<Done> {
    let (place, interrupt) = (bench.place, bench.interrupt);
    let fetch = run_quietly(
        deny(place, interrupt)?.args(["fetch", "db"]),
        &place.log("advisories"),
        interrupt,
        || {},
    );
    if fetch.is_err() {
        interrupt.check()?;
        return Ok(Done::Skipped(
            "the advisory database can't be fetched from here (.local/logs/advisories.log)",
        ));
    }
    run_shown(
        deny(place, interrupt)?.args(["check", "--disable-fetch", "advisories"]),
        interrupt,
    )?;
    Ok(Done::Checked)
}

fn deny(place: &Place, interrupt: &Interrupt) -> Result<Command> {
    let mut command = Command::new(cargo_tool("cargo-deny", VERSION, place, interrupt)?);
    // Git would ask for a user name where it can't reach the advisories.
    command.current_dir(place.root()).env("GIT_TERMINAL_PROMPT", "0");
    Ok(command)
}

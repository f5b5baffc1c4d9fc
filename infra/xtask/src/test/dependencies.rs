//! Licences, sources and known faults of dependencies, by cargo-deny and deny.toml.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use super::report::Done;

use crate::command::{run_logged, run_quietly, run_shown};
use crate::interrupt::Interrupt;
use crate::place::Place;
use crate::prerequisites::find;

const VERSION: &str = "0.20.2";

pub(crate) fn policy(place: &Place, interrupt: &Interrupt) -> Result<()> {
    run_shown(
        deny(place, interrupt)?.args(["check", "licenses", "bans", "sources"]),
        interrupt,
    )
}

/// The advisories come from a Git repository. Where that can't be reached, as on a machine that sees package
/// registries only, this says so and checks nothing.
pub(crate) fn advisories(place: &Place, interrupt: &Interrupt) -> Result<Done> {
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
    let mut command = Command::new(program(place, interrupt)?);
    // Git would ask for a user name where it can't reach the advisories.
    command.current_dir(place.root()).env("GIT_TERMINAL_PROMPT", "0");
    Ok(command)
}

/// The one on the PATH, or one built here: unoptimised, which is three times faster to build and fast enough to run.
fn program(place: &Place, interrupt: &Interrupt) -> Result<PathBuf> {
    if let Some(program) = find("cargo-deny") {
        return Ok(program);
    }
    let root = place.tools().join("tools");
    let program = root.join("bin/cargo-deny");
    if !program.is_file() {
        let mut cargo = Command::new("cargo");
        cargo
            .args([
                "install",
                "cargo-deny",
                "--version",
                VERSION,
                "--locked",
                "--debug",
                "--root",
            ])
            .arg(&root);
        // In the repository its config.toml would hold for cargo-deny too.
        cargo.current_dir("/").env("CARGO_TARGET_DIR", root.join("build"));
        run_logged(
            "building cargo-deny",
            &mut cargo,
            &place.log("install-cargo-deny"),
            interrupt,
        )?;
        std::fs::remove_dir_all(root.join("build")).ok();
    }
    if !program.is_file() {
        bail!("cargo install brought no cargo-deny");
    }
    Ok(program)
}

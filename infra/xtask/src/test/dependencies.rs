//! Licenses, sources and known faults of dependencies, by cargo-deny and deny.toml.

use std::process::Command;

use anyhow::Result;

use super::TestRun;
use super::report::Success;

use crate::checkout::Checkout;
use crate::programs::command::{run_quietly, run_shown};
use crate::programs::interrupt::Interrupt;
use crate::toolchain::prerequisites::cargo_tool;

const VERSION: &str = "0.20.2";

pub(crate) fn policy(run: &TestRun<'_>) -> Result<()> {
    let (checkout, interrupt) = (run.checkout, run.interrupt);
    run_shown(
        deny(checkout, interrupt)?.args(["check", "licenses", "bans", "sources"]),
        interrupt,
    )
}

/// The advisories come from a Git repository. Where that can't be reached, as on a machine that sees package
/// registries only, this says so and checks nothing.
pub(crate) fn advisories(run: &TestRun<'_>) -> Result<Success> {
    let (checkout, interrupt) = (run.checkout, run.interrupt);
    let fetch = run_quietly(
        deny(checkout, interrupt)?.args(["fetch", "db"]),
        &checkout.log("advisories"),
        interrupt,
        || {},
    );
    if fetch.is_err() {
        interrupt.check()?;
        return Ok(Success::Skipped(
            "the advisory database can't be fetched from here (.local/logs/advisories.log)",
        ));
    }
    run_shown(
        deny(checkout, interrupt)?.args(["check", "--disable-fetch", "advisories"]),
        interrupt,
    )?;
    Ok(Success::Checked)
}

fn deny(checkout: &Checkout, interrupt: &Interrupt) -> Result<Command> {
    let mut command = Command::new(cargo_tool("cargo-deny", VERSION, checkout, interrupt)?);
    // Git would ask for a user name where it can't reach the advisories.
    command
        .current_dir(checkout.root())
        .env("GIT_TERMINAL_PROMPT", "0");
    Ok(command)
}

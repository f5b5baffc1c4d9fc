//! What cargo checks and tests.

use std::process::Command;

use anyhow::{Result, bail};

use super::Bench;
use crate::command::{capture, run_shown};
use crate::interrupt::Interrupt;
use crate::place::Place;

/// A choice of tests, for nextest and for `cargo test`.
pub(crate) struct Selection {
    /// With nextest everything is always built the same way, `--workspace`, and chosen from: another choice of packages
    /// would compile what they share with other features once more.
    nextest: &'static str,
    cargo: &'static [&'static [&'static str]],
    /// Tests that need servers are marked `#[ignore]`, so that a bare `cargo test` passes; here they run.
    ignored: bool,
    /// Whether what a passing test prints is shown: rates and counts that somebody wants to read.
    shown: bool,
}

/// All that needs no server.
const UNIT: Selection = Selection {
    nextest: "not (package(flows) or (package(/^(platform|enrollctl|canary|load)$/) and kind(test)))",
    cargo: &[
        &[
            "--workspace",
            "--exclude",
            "flows",
            "--exclude",
            "platform",
            "--exclude",
            "enrollctl",
            "--exclude",
            "canary",
            "--exclude",
            "load",
        ],
        &["--package", "platform", "--lib"],
        &["--package", "enrollctl", "--bins"],
        &["--package", "canary", "--lib"],
        &["--package", "load", "--lib"],
    ],
    ignored: false,
    shown: false,
};
pub(crate) const STORAGE: Selection = Selection {
    nextest: "package(/^(platform|enrollctl)$/) and kind(test)",
    cargo: &[
        &["--package", "platform", "--test", "*"],
        &["--package", "enrollctl", "--test", "*"],
    ],
    ignored: true,
    shown: false,
};
pub(crate) const FLOWS: Selection = Selection {
    nextest: "package(flows)",
    cargo: &[&["--package", "flows"]],
    ignored: true,
    shown: false,
};

pub(crate) const LOAD: Selection = Selection {
    nextest: "package(load) and kind(test)",
    cargo: &[&["--package", "load", "--test", "*"]],
    ignored: true,
    shown: true,
};
pub(crate) const CANARY: Selection = Selection {
    nextest: "package(canary) and kind(test)",
    cargo: &[&["--package", "canary", "--test", "*"]],
    ignored: true,
    shown: false,
};

pub(crate) fn formatting(bench: &Bench<'_>) -> Result<()> {
    let (place, interrupt) = (bench.place, bench.interrupt);
    run_shown(cargo(place).args(["fmt", "--all", "--check"]), interrupt)?;
    // A workspace of its own.
    let fuzz = ["fmt", "--manifest-path", "tests/fuzz/Cargo.toml", "--check"];
    run_shown(cargo(place).args(fuzz), interrupt)
}

pub(crate) fn clippy(bench: &Bench<'_>) -> Result<()> {
    let (place, interrupt) = (bench.place, bench.interrupt);
    run_shown(
        cargo(place).args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
        interrupt,
    )?;
    // The fuzz targets are a workspace of their own.
    let mut apart = cargo(place);
    apart
        .args([
            "clippy",
            "--manifest-path",
            "tests/fuzz/Cargo.toml",
            "--all-targets",
        ])
        .arg("--target-dir")
        .arg(place.root().join("target"));
    run_shown(apart.args(["--", "-D", "warnings"]), interrupt)
}

pub(crate) fn unit(bench: &Bench<'_>) -> Result<()> {
    tests(bench.place, &UNIT, &[], bench.interrupt)
}

pub(crate) fn documentation(bench: &Bench<'_>) -> Result<()> {
    let mut tests = cargo(bench.place);
    run_shown(tests.args(["test", "--workspace", "--doc"]), bench.interrupt)
}

/// Runs a choice of tests. No test at all is a failure.
pub(crate) fn tests(
    place: &Place,
    selection: &Selection,
    variables: &[(&str, String)],
    interrupt: &Interrupt,
) -> Result<()> {
    let variables = || variables.iter().map(|(name, value)| (*name, value.as_str()));
    if capture(cargo(place).args(["nextest", "--version"])).is_ok() {
        let arguments = [
            "nextest",
            "run",
            "--workspace",
            "--no-tests",
            "fail",
            "--no-fail-fast",
            "-E",
        ];
        return run_shown(
            cargo(place)
                .args(arguments)
                .arg(selection.nextest)
                .args(["--run-ignored", if selection.ignored { "all" } else { "default" }])
                .args([
                    "--success-output",
                    if selection.shown { "final" } else { "never" },
                ])
                .envs(variables()),
            interrupt,
        );
    }
    for packages in selection.cargo {
        let list = capture(
            cargo(place)
                .arg("test")
                .args(*packages)
                .args(["--tests", "--", "--list"]),
        )?;
        if !list.lines().any(|line| line.ends_with(": test")) {
            bail!("`cargo test {}` has no test", packages.join(" "));
        }
        let mut command = cargo(place);
        command
            .arg("test")
            .args(*packages)
            .args(["--tests", "--no-fail-fast"])
            .arg("--")
            .args(selection.ignored.then_some("--include-ignored"))
            .args(selection.shown.then_some("--nocapture"))
            .envs(variables());
        run_shown(&mut command, interrupt)?;
    }
    Ok(())
}

fn cargo(place: &Place) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(place.root());
    cargo
}

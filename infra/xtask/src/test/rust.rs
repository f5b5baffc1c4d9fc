//! Checks and tests by cargo.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::TestRun;
use crate::builds::native;
use crate::checkout::Checkout;
use crate::programs::command::{capture, read, run_shown};
use crate::programs::interrupt::Interrupt;

/// A choice of tests. Everything is always built the same way, `--workspace`, and chosen from: another choice of packages
/// would compile what they share with other features once more.
pub(crate) struct Selection {
    /// In nextest's language.
    nextest: &'static str,
    /// The same for `cargo test`: of a package, and whether of its folder tests/.
    chosen: fn(&str, bool) -> bool,
    /// Tests that need servers are marked `#[ignore]`, so that a bare `cargo test` passes; here they run.
    ignored: bool,
    /// Whether the output of passing tests is shown: rates and counts for people.
    shown: bool,
}

/// All that needs no server.
const UNIT: Selection = Selection {
    nextest: "not (package(flows) or (package(/^(platform|enrollctl|canary|load)$/) and kind(test)))",
    chosen: |package, apart| {
        let needs_server = matches!(package, "platform" | "enrollctl" | "canary" | "load") && apart;
        package != "flows" && !needs_server
    },
    ignored: false,
    shown: false,
};
pub(crate) const STORAGE: Selection = Selection {
    nextest: "package(/^(platform|enrollctl)$/) and kind(test)",
    chosen: |package, apart| matches!(package, "platform" | "enrollctl") && apart,
    ignored: true,
    shown: false,
};
pub(crate) const FLOWS: Selection = Selection {
    nextest: "package(flows)",
    chosen: |package, _| package == "flows",
    ignored: true,
    shown: false,
};
pub(crate) const LOAD: Selection = Selection {
    nextest: "package(load) and kind(test)",
    chosen: |package, apart| package == "load" && apart,
    ignored: true,
    shown: true,
};
/// `enrollctl batch` killed and given long files, a part of the storage selection. By nextest only: `cargo test` would run the
/// tests beside them too.
pub(crate) const CARD_FILES: Selection = Selection {
    nextest: "package(enrollctl) and binary(batch) and test(/killed_runs|memory_does/)",
    chosen: |_, _| false,
    ignored: false,
    shown: true,
};
pub(crate) const CANARY: Selection = Selection {
    nextest: "package(canary) and kind(test)",
    chosen: |package, apart| package == "canary" && apart,
    ignored: true,
    shown: false,
};

pub(crate) fn formatting(run: &TestRun<'_>) -> Result<()> {
    let (checkout, interrupt) = (run.checkout, run.interrupt);
    run_shown(cargo(checkout).args(["fmt", "--all", "--check"]), interrupt)?;
    // A workspace of its own.
    let fuzz = ["fmt", "--manifest-path", "tests/fuzz/Cargo.toml", "--check"];
    run_shown(cargo(checkout).args(fuzz), interrupt)
}

pub(crate) fn clippy(run: &TestRun<'_>) -> Result<()> {
    let (checkout, interrupt) = (run.checkout, run.interrupt);
    run_shown(
        cargo(checkout).args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
        interrupt,
    )?;
    // The fuzz targets are a workspace of their own.
    let mut apart = cargo(checkout);
    apart
        .args([
            "clippy",
            "--manifest-path",
            "tests/fuzz/Cargo.toml",
            "--all-targets",
        ])
        .arg("--target-dir")
        .arg(checkout.root().join("target"));
    run_shown(apart.args(["--", "-D", "warnings"]), interrupt)
}

/// Compiles the functions with no package beside them, as the build for AWS does. In the workspace's own build the tools
/// turn on features for all, which hides what the functions lack.
pub(crate) fn functions_alone(run: &TestRun<'_>) -> Result<()> {
    let mut command = cargo(run.checkout);
    command.arg("check");
    for name in native::names(run.checkout)? {
        command.args(["--package", &name]);
    }
    run_shown(&mut command, run.interrupt)
}

/// Crate whose features are for others, who take one of them.
const LIBRARY: &str = "mastercard";

/// Compiles the library with each of its features alone, and with none.
pub(crate) fn features_alone(run: &TestRun<'_>) -> Result<()> {
    let manifest = run
        .checkout
        .root()
        .join("shared")
        .join(LIBRARY)
        .join("Cargo.toml");
    let text = fs::read_to_string(&manifest).with_context(|| manifest.display().to_string())?;
    let features = features(&text).with_context(|| manifest.display().to_string())?;
    for feature in [String::new()].into_iter().chain(features) {
        let mut command = cargo(run.checkout);
        command.args(["clippy", "--quiet", "--package", LIBRARY, "--no-default-features"]);
        command.args(["--features", &feature]);
        command.args(["--", "-D", "warnings"]);
        run_shown(&mut command, run.interrupt)
            .with_context(|| format!("{LIBRARY} with the feature '{feature}' alone"))?;
    }
    Ok(())
}

/// Names of the features in a manifest, without the default ones' list.
fn features(manifest: &str) -> Result<Vec<String>> {
    let manifest: toml::Table = manifest.parse()?;
    let features = manifest
        .get("features")
        .and_then(toml::Value::as_table)
        .context("no features")?;
    Ok(features
        .keys()
        .filter(|name| *name != "default")
        .cloned()
        .collect())
}

pub(crate) fn unit(run: &TestRun<'_>) -> Result<()> {
    tests(run.checkout, &UNIT, &[], run.interrupt)
}

pub(crate) fn documentation(run: &TestRun<'_>) -> Result<()> {
    let mut tests = cargo(run.checkout);
    run_shown(tests.args(["test", "--workspace", "--doc"]), run.interrupt)
}

/// Runs a choice of tests. No test at all is a failure.
pub(crate) fn tests(
    checkout: &Checkout,
    selection: &Selection,
    variables: &[(&str, String)],
    interrupt: &Interrupt,
) -> Result<()> {
    let variables = || variables.iter().map(|(name, value)| (*name, value.as_str()));
    if capture(cargo(checkout).args(["nextest", "--version"])).is_ok() {
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
            cargo(checkout)
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
    without_nextest(checkout, selection, &variables().collect::<Vec<_>>(), interrupt)
}

/// As nextest would: from one build of everything, each chosen program in the folder of its package.
fn without_nextest(
    checkout: &Checkout,
    selection: &Selection,
    variables: &[(&str, &str)],
    interrupt: &Interrupt,
) -> Result<()> {
    let build = [
        "test",
        "--workspace",
        "--tests",
        "--no-run",
        "--message-format=json-render-diagnostics",
    ];
    let messages = read(cargo(checkout).args(build), interrupt)?;
    let programs = messages.lines().filter_map(Program::read);
    let programs: Vec<_> = programs
        .filter(|program| (selection.chosen)(&program.package, program.apart))
        .collect();
    let mut tests = 0;
    let mut failed = Vec::new();
    for program in &programs {
        let list = capture(program.command().args(["--list", "--format", "terse"]))?;
        tests += list.lines().filter(|line| line.ends_with(": test")).count();
        let mut run = program.command();
        run.args(selection.ignored.then_some("--include-ignored"))
            .args(selection.shown.then_some("--nocapture"))
            .envs(variables.iter().copied());
        if run_shown(&mut run, interrupt).is_err() {
            interrupt.check()?;
            failed.push(program.path.display().to_string());
        }
    }
    if tests == 0 {
        bail!("the choice `{}` has no test", selection.nextest);
    }
    if !failed.is_empty() {
        bail!("tests failed in {}", failed.join(", "));
    }
    Ok(())
}

/// A program of tests.
#[derive(Debug, PartialEq, Eq)]
struct Program {
    package: String,
    /// Whether it is in the folder tests/ of its package.
    apart: bool,
    folder: PathBuf,
    path: PathBuf,
}

impl Program {
    /// From a line of cargo's JSON; none where it is about something else.
    fn read(line: &str) -> Option<Self> {
        let message: Value = serde_json::from_str(line).ok()?;
        if !message.pointer("/profile/test")?.as_bool()? {
            return None;
        }
        // `path+file:///w/tests/flows#0.1.0`, or `…#name@0.1.0` where the folder has another name.
        let (folder, version) = message.get("package_id")?.as_str()?.rsplit_once('#')?;
        let package = match version.split_once('@') {
            Some((name, _)) => name,
            None => folder.rsplit('/').next()?,
        };
        Some(Self {
            package: package.to_owned(),
            apart: message.pointer("/target/kind/0")?.as_str()? == "test",
            folder: PathBuf::from(message.get("manifest_path")?.as_str()?)
                .parent()?
                .to_owned(),
            path: message.get("executable")?.as_str()?.into(),
        })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command
            .current_dir(&self.folder)
            .env("CARGO_MANIFEST_DIR", &self.folder);
        command
    }
}

fn cargo(checkout: &Checkout) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(checkout.root());
    cargo
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_programs_are_read_from_the_messages_of_cargo() {
        let message = |id: &str, kind: &str, test: bool| {
            format!(
                r#"{{"reason":"compiler-artifact","package_id":"path+file:///w/tests/load#{id}","manifest_path":"/w/tests/load/Cargo.toml","target":{{"kind":["{kind}"],"name":"x"}},"profile":{{"test":{test}}},"executable":"/t/x-1"}}"#
            )
        };
        let program = |package: &str, apart| Program {
            package: package.to_owned(),
            apart,
            folder: "/w/tests/load".into(),
            path: "/t/x-1".into(),
        };
        assert_eq!(
            Program::read(&message("0.1.0", "test", true)),
            Some(program("load", true))
        );
        assert_eq!(
            Program::read(&message("books@0.1.0", "lib", true)),
            Some(program("books", false))
        );
        assert_eq!(Program::read(&message("0.1.0", "bin", false)), None);
        assert_eq!(Program::read("warning: unused"), None);
    }

    #[test]
    fn selections_are_disjoint() {
        let programs = [
            ("platform", false),
            ("platform", true),
            ("flows", true),
            ("load", false),
            ("load", true),
            ("canary", true),
        ];
        let chosen = |selection: &Selection| -> Vec<_> {
            let of = |(package, apart): &&(&str, bool)| (selection.chosen)(package, *apart);
            programs.iter().filter(of).copied().collect()
        };
        assert_eq!(chosen(&UNIT), [("platform", false), ("load", false)]);
        assert_eq!(chosen(&STORAGE), [("platform", true)]);
        assert_eq!(chosen(&FLOWS), [("flows", true)]);
        assert_eq!(chosen(&LOAD), [("load", true)]);
        assert_eq!(chosen(&CANARY), [("canary", true)]);
    }
}

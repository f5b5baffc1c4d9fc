//! `cargo xtask fuzz`: the readers of foreign bytes, under inputs that libFuzzer generates (tests/fuzz).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use anyhow::{Context as _, Result, bail};

use crate::checkout::Checkout;
use crate::console::note;
use crate::programs::command::{capture, run_quietly, run_shown};
use crate::programs::interrupt::Interrupt;
use crate::toolchain::prerequisites::{cargo_tool, cpp_compiler};

const CARGO_FUZZ: &str = "0.13.2";
/// Seconds that `cargo xtask test` gives each target: enough for the inputs that are kept, which come first.
const SHORT: u32 = 5;
/// The longest that one input may take, in seconds.
const SLOWEST: u32 = 10;

/// The built targets, and where their inputs lie.
struct Fuzzers<'a> {
    checkout: &'a Checkout,
    binaries: PathBuf,
}

/// Numbers that libFuzzer prints at its end.
#[derive(Debug, PartialEq, Eq)]
struct Findings {
    executions: u64,
    /// Edges of the program that were taken.
    coverage: u64,
}

/// Fuzzes one target, or each, as many at a time as there are processors. All come to their end: a failure of one does not
/// hide another's. Returns one line for each.
pub(crate) fn fuzz(
    checkout: &Checkout,
    interrupt: &Interrupt,
    target: Option<&str>,
    seconds: u32,
) -> Result<Vec<String>> {
    let all = targets(checkout)?;
    let chosen: Vec<&str> = all
        .iter()
        .map(String::as_str)
        .filter(|name| target.is_none_or(|target| target == *name))
        .collect();
    if chosen.is_empty() {
        bail!("there is no such target; there are {}", all.join(", "));
    }
    let fuzzers = Fuzzers::build(checkout, interrupt)?;
    let (findings, failures) = fuzzers.run_all(&chosen, seconds, interrupt);
    interrupt.check()?;
    if !failures.is_empty() {
        bail!("{}", failures.join("\n"));
    }
    Ok(findings)
}

/// Runs each target long enough to try the inputs that were once found.
pub(crate) fn briefly(checkout: &Checkout, interrupt: &Interrupt) -> Result<()> {
    fuzz(checkout, interrupt, None, SHORT).map(drop)
}

impl<'a> Fuzzers<'a> {
    /// Coverage needs flags that stable compilers have; a sanitizer would need nightly.
    fn build(checkout: &'a Checkout, interrupt: &Interrupt) -> Result<Self> {
        cpp_compiler(interrupt)?;
        let host = host()?;
        let target_dir = folder(checkout).join("target");
        let mut build = Command::new(cargo_tool("cargo-fuzz", CARGO_FUZZ, checkout, interrupt)?);
        build
            .current_dir(checkout.root())
            .args(["fuzz", "build", "--fuzz-dir", "tests/fuzz", "--sanitizer", "none"])
            .args(["--target", &host, "--codegen-units", "16", "--target-dir"])
            .arg(&target_dir);
        run_shown(&mut build, interrupt)?;
        Ok(Self {
            checkout,
            binaries: target_dir.join(host).join("release"),
        })
    }

    /// Returns the numbers of those that found nothing, shown as they come, and what the others found.
    fn run_all(&self, targets: &[&str], seconds: u32, interrupt: &Interrupt) -> (Vec<String>, Vec<String>) {
        let next = AtomicUsize::new(0);
        let (mut numbers, mut failures) = (Vec::new(), Vec::new());
        let (tell, told) = mpsc::channel();
        thread::scope(|scope| {
            for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
                let (next, tell) = (&next, tell.clone());
                scope.spawn(move || {
                    while let Some(target) = targets.get(next.fetch_add(1, Ordering::Relaxed)) {
                        // The receiver lives until all have ended.
                        tell.send((*target, self.run(target, seconds, interrupt))).ok();
                    }
                });
            }
            drop(tell);
            note(&format!("fuzzing {} for {seconds} s each", targets.join(", ")));
            for (target, outcome) in told {
                match outcome {
                    Ok(Findings { executions, coverage }) => {
                        let line = format!("{target}: {executions} executions, coverage {coverage}");
                        note(&line);
                        numbers.push(line);
                    }
                    Err(error) => failures.push(format!("{error:#}")),
                }
            }
        });
        (numbers, failures)
    }

    fn run(&self, target: &str, seconds: u32, interrupt: &Interrupt) -> Result<Findings> {
        interrupt.check()?;
        let (kept, artifacts) = (
            folder(self.checkout).join(target),
            folder(self.checkout).join("artifacts").join(target),
        );
        for folder in [&kept, &artifacts] {
            fs::create_dir_all(folder)?;
        }
        let (binary, log) = (
            self.binaries.join(target),
            self.checkout.log(&format!("fuzz-{target}")),
        );
        let outcome = run_quietly(
            Command::new(&binary)
                .current_dir(self.checkout.root())
                // The first is where new inputs go.
                .args([&kept, &self.sources().join("corpus").join(target)])
                .arg(format!(
                    "-dict={}",
                    self.sources()
                        .join("dictionaries")
                        .join(format!("{target}.dict"))
                        .display()
                ))
                .arg(format!("-artifact_prefix={}/", artifacts.display()))
                .arg(format!("-max_total_time={seconds}"))
                .arg(format!("-timeout={SLOWEST}"))
                .arg("-print_final_stats=1"),
            &log,
            interrupt,
            || {},
        );
        let written = fs::read_to_string(&log).unwrap_or_default();
        if let Err(error) = outcome {
            interrupt.check()?;
            return Err(error.context(failure(target, &binary, &written)));
        }
        findings(&written).with_context(|| format!("{} ends without its numbers", log.display()))
    }

    fn sources(&self) -> PathBuf {
        sources(self.checkout)
    }
}

/// A file in targets/ is a target.
fn targets(checkout: &Checkout) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(sources(checkout).join("targets"))? {
        if let Some(name) = entry?.path().file_stem() {
            names.push(name.to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn sources(checkout: &Checkout) -> PathBuf {
    checkout.root().join("tests/fuzz")
}

fn folder(checkout: &Checkout) -> PathBuf {
    checkout.local().join("fuzz")
}

fn host() -> Result<String> {
    let version = capture(Command::new("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not say what it runs on")?.to_owned())
}

fn failure(target: &str, binary: &Path, log: &str) -> String {
    let input = log
        .lines()
        .find_map(|line| line.split_once("Test unit written to "));
    match input {
        Some((_, input)) => format!(
            "{target} fails on {input}\nsee it again: {} {input}\n",
            binary.display()
        ),
        None => format!("{target} failed without an input"),
    }
}

fn findings(log: &str) -> Option<Findings> {
    let executions = log
        .lines()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))?;
    // `#4096	DONE   cov: 310 ft: 900 corp: …`, and lines like it before.
    let (_, coverage) = log.rsplit_once(" cov: ")?;
    Some(Findings {
        executions: executions.trim().parse().ok()?,
        coverage: coverage.split_whitespace().next()?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn findings_are_read_from_the_log() {
        let log = "#2\tINITED cov: 12 ft: 13 corp: 1/1b\n#500\tDONE   cov: 310 ft: 900 corp: 7/70b lim: 4 exec/s: 50\n\
            Done 500 runs in 10 second(s)\nstat::number_of_executed_units: 500\nstat::average_exec_per_sec:     50\n";
        assert_eq!(
            findings(log),
            Some(Findings {
                executions: 500,
                coverage: 310
            })
        );
        assert_eq!(findings("==1== ERROR"), None);
    }

    /// A program that says what libFuzzer would say.
    fn fuzzer(folder: &Path, name: &str, script: &str) {
        let file = folder.join(name);
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn failing_target_hides_no_other() {
        let root = std::env::temp_dir().join(format!("xtask-fuzz-{}", std::process::id()));
        fs::create_dir_all(&root).unwrap();
        let well = "echo '#9 DONE cov: 3 ft: 4'; echo 'stat::number_of_executed_units: 9'";
        fuzzer(&root, "token", "exit 1");
        fuzzer(&root, "claims", well);
        fuzzer(
            &root,
            "pictures",
            "echo 'Test unit written to /a/crash-1'; exit 77",
        );
        fuzzer(&root, "submission", well);
        let checkout = Checkout::at(&root);
        let fuzzers = Fuzzers {
            checkout: &checkout,
            binaries: root.clone(),
        };
        let targets = ["token", "claims", "pictures", "submission"];
        let (mut numbers, mut failures) = fuzzers.run_all(&targets, 1, &Interrupt::never());
        fs::remove_dir_all(&root).unwrap();
        numbers.sort();
        failures.sort();
        assert_eq!(
            numbers,
            [
                "claims: 9 executions, coverage 3",
                "submission: 9 executions, coverage 3"
            ]
        );
        assert_eq!(failures.len(), 2);
        assert!(
            failures[0].starts_with("pictures fails on /a/crash-1\n"),
            "{failures:?}"
        );
        assert!(
            failures[1].starts_with("token failed without an input"),
            "{failures:?}"
        );
    }

    #[test]
    fn failure_names_its_input_and_the_command_to_repeat_it() {
        let log = "==7== ERROR: libFuzzer: deadly signal\nartifact_prefix='/a/'; Test unit written to /a/crash-1\nBase64: eA==\n";
        let told = failure("token", Path::new("/b/token"), log);
        assert!(told.contains("token fails on /a/crash-1\n"), "{told}");
        assert!(told.contains("/b/token /a/crash-1\n"), "{told}");
        assert!(failure("token", Path::new("/b/token"), "").contains("without an input"));
    }
}

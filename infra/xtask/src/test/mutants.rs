//! `cargo xtask mutants`: changes the code in small ways and lists the changes that no test of its crate notices.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::checkout::Checkout;
use crate::console::note;
use crate::programs::command::run_shown;
use crate::programs::interrupt::Interrupt;
use crate::toolchain::prerequisites::cargo_tool;

const CARGO_MUTANTS: &str = "27.1.0";
/// Crates whose own tests are measured where none is named.
const CRATES: [&str; 3] = ["enrollment", "mastercard", "webhooks"];

/// Options of the command.
#[derive(Args)]
pub(crate) struct Options {
    /// A crate; repeat for more. Without one: enrollment, mastercard and webhooks.
    #[arg(long = "crate", value_name = "NAME")]
    crates: Vec<String>,
    /// Only files that match this pattern, such as 'shared/enrollment/src/flows/*'; repeat for more.
    #[arg(long, value_name = "GLOB")]
    file: Vec<String>,
    /// A sample: every nth mutant, from the kth on.
    #[arg(long, value_name = "K/N")]
    shard: Option<String>,
    /// Least share of caught mutants, in percent. Below it the command fails.
    #[arg(long, value_name = "PERCENT")]
    least: Option<u64>,
    /// Arguments for `cargo test`, such as `--lib`.
    #[arg(last = true)]
    test: Vec<String>,
}

/// Mutants by result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Score {
    caught: u64,
    missed: u64,
}

impl Score {
    /// Share of caught mutants in percent, rounded down; mutants that do not compile count for neither side.
    fn percent(self) -> u64 {
        let all = self.caught + self.missed;
        (100 * self.caught).checked_div(all).unwrap_or(100)
    }
}

/// Tests the mutants of each crate by the crate's own tests. Survivors are listed in `.local/mutants/<crate>`; mutants
/// that change no behavior are left out, with the reason, by `.cargo/mutants.toml`.
pub(crate) fn mutants(checkout: &Checkout, interrupt: &Interrupt, options: &Options) -> Result<()> {
    let program = cargo_tool("cargo-mutants", CARGO_MUTANTS, checkout, interrupt)?;
    let named = options.crates.iter().map(String::as_str);
    let crates: Vec<&str> = if options.crates.is_empty() {
        CRATES.to_vec()
    } else {
        named.collect()
    };
    let mut below = Vec::new();
    for name in crates {
        let score = measure(checkout, interrupt, &program, name, options)?;
        let percent = score.percent();
        note(&format!(
            "{name}: {} of {} mutants caught, {percent} %",
            score.caught,
            score.caught + score.missed
        ));
        if options.least.is_some_and(|least| percent < least) {
            below.push(format!("{name} catches {percent} % of its mutants"));
        }
    }
    if below.is_empty() {
        Ok(())
    } else {
        bail!("{}", below.join("; "))
    }
}

fn measure(
    checkout: &Checkout,
    interrupt: &Interrupt,
    program: &Path,
    name: &str,
    options: &Options,
) -> Result<Score> {
    let folder = checkout.local().join("mutants").join(name);
    let results = folder.join("mutants.out");
    fs::create_dir_all(&folder)?;
    // A run that ends early leaves the lists of the one before it.
    if results.exists() {
        fs::remove_dir_all(&results)?;
    }
    let mut command = Command::new(program);
    command
        .current_dir(checkout.root())
        .args(["mutants", "--package", name, "--no-shuffle"])
        .arg("--output")
        .arg(&folder);
    for file in &options.file {
        command.args(["--file", file]);
    }
    if let Some(shard) = &options.shard {
        command.args(["--shard", shard]);
    }
    command.arg("--").args(&options.test);
    let outcome = run_shown(&mut command, interrupt);
    interrupt.check()?;
    judge(read(&results), outcome)
}

/// Score of a run. It fails where a mutant survives, so the lists that it writes decide. A failed run that tested none says
/// nothing: the unchanged tree does not build or pass.
fn judge(score: Result<Score>, outcome: Result<()>) -> Result<Score> {
    match score {
        Ok(score) if score == Score::default() => outcome.map(|()| score),
        Ok(score) => Ok(score),
        Err(error) => outcome.and(Err(error)),
    }
}

/// Reads the lists of a finished run.
fn read(results: &Path) -> Result<Score> {
    let count = |list: &str| {
        let file: PathBuf = results.join(list);
        let text = fs::read_to_string(&file).with_context(|| format!("{} can't be read", file.display()))?;
        Ok::<u64, anyhow::Error>(text.lines().count() as u64)
    };
    Ok(Score {
        caught: count("caught.txt")? + count("timeout.txt")?,
        missed: count("missed.txt")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn score_is_read_from_the_lists() {
        let folder = std::env::temp_dir().join(format!("xtask-mutants-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        assert!(read(&folder).is_err(), "no lists");
        for (list, text) in [
            ("caught.txt", "a\nb\n"),
            ("timeout.txt", "c\n"),
            ("missed.txt", "d\n"),
        ] {
            fs::write(folder.join(list), text).unwrap();
        }
        let score = read(&folder).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!((score.caught, score.missed, score.percent()), (3, 1, 75));
    }

    #[test]
    fn failed_run_without_mutants_is_a_failure() {
        let failed = || Err(anyhow::anyhow!("the unchanged tree does not pass"));
        assert!(judge(Ok(Score::default()), failed()).is_err());
        assert!(judge(Err(anyhow::anyhow!("no lists")), failed()).is_err());
        let some = Score { caught: 1, missed: 1 };
        assert_eq!(judge(Ok(some), failed()).unwrap(), some);
    }

    #[test]
    fn no_mutants_are_no_failure() {
        assert_eq!(Score::default().percent(), 100);
    }
}

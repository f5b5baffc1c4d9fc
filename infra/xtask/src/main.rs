//! The commands of this repository: the whole system on one machine, and its tests.
//!
//! Begin with `cargo xtask up`. Its files are in `.local/`, which can be deleted at any time while
//! nothing runs.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

mod builds;
mod checkout;
mod console;
mod digest;
mod files;
mod local;
mod programs;
mod test;
mod toolchain;

use builds::bootstrap::Architecture;
use builds::{lambda, page};
use checkout::Checkout;
use local::{down, up, watch};
use programs::interrupt::Interrupt;
use test::{bench, fuzz, mutants};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Run and test card enrollment on this machine")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Start everything: a local AWS with this repository's functions, Mastercard's stand-in and a demo partner.
    Up {
        /// Return when all is ready; `cargo xtask down` ends it.
        #[arg(long)]
        detach: bool,
    },
    /// End the system that `up --detach` started. Data stays, unless it is wiped.
    Down {
        /// Also delete the local data: tables, keys, demo client, logs.
        #[arg(long)]
        wipe: bool,
    },
    /// Run the functions under `cargo lambda watch`, rebuilt at every change, in the system that `up` started.
    Watch,
    /// Build the functions for AWS, in target/lambda where `template.yaml` looks for them, and enrollctl for this machine.
    Build {
        /// For Graviton processors; without a choice, as samconfig.toml and template.yaml say.
        #[arg(long)]
        arm64: bool,
        /// For processors of Intel and AMD.
        #[arg(long = "x86-64", conflicts_with = "arm64")]
        x86_64: bool,
    },
    /// Check, test and build the widget's page (TypeScript checker, tests, bundle, size).
    Page,
    /// Measure the functions: start, first answer, size, calls to AWS. Needs the system that `up` started.
    Bench {
        /// Number of starts of each function.
        #[arg(long, default_value_t = 15)]
        runs: usize,
    },
    /// Look for inputs that break the readers of foreign bytes.
    Fuzz {
        /// A file of tests/fuzz/targets; without it, each in turn.
        target: Option<String>,
        /// Seconds for each target.
        #[arg(long, default_value_t = 60)]
        seconds: u32,
    },
    /// Change the code in small ways, and list the changes that no test of its crate notices. Takes hours: choose crates or files.
    Mutants(mutants::Options),
    /// Run every check and test, in a system of its own.
    Test(test::Options),
    /// List the findings of the lint for language: doc comments, names of tests, lines of Markdown, references.
    Language {
        /// Files or folders, from the root of the repository; without one, all of it.
        paths: Vec<String>,
    },
    /// Run the tests that take hours: long fuzzing, more crashes, many sessions. Prints a summary.
    Soak(test::soak::Options),
}

fn main() -> ExitCode {
    match run(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\n{}", console::red(&format!("{error:#}")));
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    let interrupt = Interrupt::listen()?;
    let checkout = Checkout::find()?;
    match task {
        Task::Up { detach } => up::up(&checkout, &interrupt, detach),
        Task::Down { wipe } => down::down(&checkout, wipe),
        Task::Watch => watch::watch(&checkout, &interrupt),
        Task::Build { arm64, x86_64 } => {
            let wish = match (arm64, x86_64) {
                (true, _) => Some(Architecture::Arm64),
                (_, true) => Some(Architecture::X86_64),
                _ => None,
            };
            lambda::build(&checkout, wish, &interrupt)
        }
        Task::Bench { runs } => bench::bench(&checkout, &interrupt, runs),
        Task::Fuzz { target, seconds } => {
            fuzz::fuzz(&checkout, &interrupt, target.as_deref(), seconds).map(drop)
        }
        Task::Mutants(options) => mutants::mutants(&checkout, &interrupt, &options),
        Task::Page => page::check_and_build(&checkout, &interrupt),
        Task::Language { paths } => test::language::show(&checkout, &paths),
        Task::Soak(options) => test::soak::soak(&checkout, &interrupt, &options),
        Task::Test(options) => test::run(&checkout, &interrupt, &options),
    }
}

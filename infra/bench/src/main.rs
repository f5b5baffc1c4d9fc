//! What the functions cost, side by side in one run: start and first answer of each beside a bare one, size, the page's
//! parts, and the calls to AWS of an enrolment, counted on the wire. Started by `cargo xtask bench`, which brings up the
//! local stack first.

mod counting;
mod emulator;
mod enrolment;
mod page;
mod start;

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Parser;

/// What `cargo xtask bench` tells.
#[derive(Parser)]
struct Arguments {
    /// The emulator, `aws-lambda-rie-x86_64`.
    #[arg(long)]
    emulator: PathBuf,
    /// The folder with a folder for each function.
    #[arg(long)]
    functions: PathBuf,
    /// The bare function's program.
    #[arg(long)]
    bare: PathBuf,
    /// For logs.
    #[arg(long)]
    scratch: PathBuf,
    /// How often each function is started.
    #[arg(long, default_value_t = 15)]
    runs: usize,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    std::fs::create_dir_all(&arguments.scratch)?;
    let aws = counting::Counting::before(&flows::stack::Stack::here().endpoints.aws)?;
    let mut exceeded = Vec::new();
    start::measure(&arguments, &aws, &mut exceeded)?;
    page::measure(&mut exceeded)?;
    enrolment::measure(&arguments, &aws, &mut exceeded)?;
    ensure!(exceeded.is_empty(), "bounds exceeded: {}", exceeded.join("; "));
    println!("\nAll bounds are kept.");
    Ok(())
}

#![doc = include_str!("../README.md")]

mod bounds;
mod caller;
mod card_file;
mod counting;
mod cpu_time;
mod delivery;
mod emulator;
mod events;
mod functions;
mod instructions;
mod interactions;
mod page;
mod payloads;
mod records;
mod runtime_api;
mod signing;
mod start;

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Parser;

/// Arguments that `cargo xtask bench` passes.
#[derive(Parser)]
struct Arguments {
    /// The emulator, `aws-lambda-rie-x86_64`.
    #[arg(long)]
    emulator: PathBuf,
    /// Program that counts instructions.
    #[arg(long)]
    valgrind: PathBuf,
    /// Python with Mastercard's packages.
    #[arg(long)]
    python: PathBuf,
    /// Node.js.
    #[arg(long)]
    node: PathBuf,
    /// The folder with a folder for each function.
    #[arg(long)]
    functions: PathBuf,
    /// The bare function's program.
    #[arg(long)]
    bare: PathBuf,
    /// OpenSSL's program.
    #[arg(long)]
    openssl: PathBuf,
    /// For logs.
    #[arg(long)]
    scratch: PathBuf,
    /// Number of starts of each function.
    #[arg(long, default_value_t = 15)]
    runs: usize,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    emulator::end_at_signals()?;
    std::fs::create_dir_all(&arguments.scratch)?;
    payloads::measure(&arguments)?;
    records::measure()?;
    delivery::measure()?;
    signing::measure(&arguments)?;
    card_file::measure(&arguments.scratch)?;
    let aws = counting::Counting::before(&flows::stack::Stack::here().endpoints.aws)?;
    let mut exceeded = bounds::Exceeded::default();
    start::measure(&arguments, &aws, &mut exceeded)?;
    instructions::measure(&arguments, &aws, &mut exceeded)?;
    page::measure(&mut exceeded)?;
    let in_short = interactions::measure(&arguments, &aws, &mut exceeded)?;
    if let Some(told) = exceeded.told() {
        bail!("bounds exceeded: {told}");
    }
    println!("\nAll bounds are kept. Calls of DynamoDB by a warm POST: {in_short}");
    Ok(())
}

//! `cargo xtask bench`: measures the functions, in the system that `up` started.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::builds::native;
use crate::checkout::Checkout;
use crate::local::system::Up;
use crate::programs::command::run_kept;
use crate::programs::interrupt::Interrupt;
use crate::toolchain::node::Node;
use crate::toolchain::prerequisites::program_or_package;
use crate::toolchain::python::Tools;

/// Path of AWS's Runtime Interface Emulator among the packages of sam.
pub(crate) const EMULATOR: &str = "samcli/local/rapid/aws-lambda-rie-x86_64";

/// Mastercard's packages of npm, with their lock file.
pub(crate) const OFFICIAL_PACKAGES: &str = "tests/interop/official";

/// Builds, measures and prints; a bound that is exceeded is a failure.
pub(crate) fn bench(checkout: &Checkout, interrupt: &Interrupt, runs: usize) -> Result<()> {
    if !Up::lives(checkout) {
        bail!("the local system is not up: run `cargo xtask up --detach` first");
    }
    measure(checkout, interrupt, runs).map(drop)
}

/// Measures in the system of `checkout`, which is up. Returns the last line, a summary.
pub(crate) fn measure(checkout: &Checkout, interrupt: &Interrupt, runs: usize) -> Result<String> {
    let sam = Tools::Sam.install(checkout, interrupt)?;
    let emulator = sam.packages()?.join(EMULATOR);
    if !emulator.is_file() {
        bail!("sam's package has no emulator at {}", emulator.display());
    }
    let valgrind = program_or_package("valgrind", "valgrind", interrupt)?;
    let openssl = program_or_package("openssl", "openssl", interrupt)?;
    let tests = Tools::Tests.install(checkout, interrupt)?;
    let node = Node::of(&tests)?;
    node.install_packages(checkout, &checkout.root().join(OFFICIAL_PACKAGES), interrupt)?;
    let built = native::everything(checkout, interrupt)?;
    let mut command = Command::new(&built.bench);
    command
        .current_dir(checkout.root())
        .arg("--emulator")
        .arg(&emulator);
    command.arg("--valgrind").arg(valgrind);
    command.arg("--openssl").arg(openssl);
    command.arg("--python").arg(tests.program("python"));
    command.arg("--node").arg(node.program());
    command.arg("--functions").arg(&built.functions);
    command.arg("--bare").arg(&built.bare_function);
    command.arg("--scratch").arg(checkout.state().join("bench"));
    command.args(["--runs", &runs.to_string()]);
    command
        .env("TEST_ENDPOINTS", checkout.endpoints())
        .env("TEST_LOCAL", checkout.local());
    let output = run_kept(&mut command, interrupt)?;
    let last = output.lines().last().context("the bench printed nothing")?;
    Ok(last.to_owned())
}

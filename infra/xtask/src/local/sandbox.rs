//! The sandbox: Mastercard's stand-in, the demo partner, and the reverse proxy in front of the API.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::checkout::Checkout;
use crate::digest::Digest;
use crate::files;
use crate::local::aws::is_ready;
use crate::local::demo_client;
use crate::local::ports::Ports;
use crate::programs::command::spawn_server;
use crate::programs::interrupt::Interrupt;
use crate::programs::server::{Record, Stubborn, wait_until};

const NAME: &str = "sandbox";
const STUBBORN: Stubborn = Stubborn::Kill {
    after: Duration::from_secs(5),
};

pub(crate) fn is_running(checkout: &Checkout) -> bool {
    Record::running(&checkout.state(), NAME).is_some()
}

/// Starts the sandbox where it does not run, or runs with another binary, other ports, keys or demo client. Returns whether it
/// was started.
pub(crate) fn ensure(
    checkout: &Checkout,
    program: &Path,
    ports: &Ports,
    interrupt: &Interrupt,
) -> Result<bool> {
    let arguments = arguments(checkout, ports);
    let mut digest = Digest::new()
        .file(program)?
        .folder(&checkout.pki())?
        .folder(&checkout.demo())?;
    for argument in &arguments {
        digest = digest.part(argument.as_bytes());
    }
    let digest = digest.hex();
    let addresses = [
        format!("http://127.0.0.1:{}/_front/health", ports.api),
        format!("http://127.0.0.1:{}/health", ports.partner),
        format!("http://127.0.0.1:{}/health", ports.admin),
    ];
    let ready = || addresses.iter().all(|address| is_ready(address));
    if let Some(record) = Record::running(&checkout.state(), NAME) {
        if record.was_started_with(&digest) && ready() {
            return Ok(false);
        }
        record.end(&checkout.state(), NAME, STUBBORN)?;
    }
    // A copy, so that a build can replace the original while this one runs.
    let copy = checkout.state().join(NAME);
    std::fs::remove_file(&copy).ok();
    std::fs::copy(program, &copy)?;
    let mut command = Command::new(copy);
    command
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("RUST_BACKTRACE", "1")
        .current_dir(checkout.state());
    let child = spawn_server(&mut command, &checkout.log(NAME))?;
    let record = Record::write(&checkout.state(), NAME, &child, &digest)?;
    wait_until(
        "starting the sandbox",
        ready,
        &record,
        &checkout.log(NAME),
        interrupt,
    )
    .inspect_err(|_| drop(end(checkout)))?;
    Ok(true)
}

/// Ends the sandbox. Returns whether it was running.
pub(crate) fn end(checkout: &Checkout) -> Result<bool> {
    let Some(record) = Record::running(&checkout.state(), NAME) else {
        return Ok(false);
    };
    record.end(&checkout.state(), NAME, STUBBORN)?;
    Ok(true)
}

/// Points the reverse proxy to the API.
pub(crate) fn point_api_to(checkout: &Checkout, upstream: &str) -> Result<()> {
    files::write(&checkout.api_upstream(), upstream.as_bytes())
}

fn arguments(checkout: &Checkout, ports: &Ports) -> Vec<String> {
    let path = |path: &Path| path.to_string_lossy().into_owned();
    let listen = |port: u16| format!("127.0.0.1:{port}");
    let pairs = [
        ("--pki", path(&checkout.pki())),
        ("--demo", path(&checkout.demo())),
        ("--api-listen", listen(ports.api)),
        ("--api-upstream", format!("@{}", path(&checkout.api_upstream()))),
        ("--partner-listen", listen(ports.partner)),
        ("--receiver-listen", listen(ports.receiver)),
        ("--mastercard-listen", listen(ports.mastercard)),
        ("--admin-listen", listen(ports.admin)),
        ("--public-base-url", format!("http://localhost:{}", ports.api)),
        ("--client", demo_client::CLIENT.to_owned()),
        ("--program", demo_client::PROGRAM.to_owned()),
        // It goes where the local AWS's data is, and with it.
        ("--state", path(&checkout.state().join("mrs.json"))),
    ];
    let recorder = [
        ("--recorder-listen", listen(ports.recorder)),
        ("--recorder-upstream", listen(ports.aws)),
        ("--recorder-file", path(&checkout.calls())),
    ];
    pairs
        .into_iter()
        .chain(recorder.into_iter().filter(|_| checkout.records()))
        .flat_map(|(name, value)| [name.to_owned(), value])
        .collect()
}

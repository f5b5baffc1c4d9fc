//! The sandbox: Mastercard's stand-in, the demo partner, and the reverse proxy in front of the API.

use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::command::{spawn_server, tail};
use crate::console::{Step, Stopwatch};
use crate::demo;
use crate::digest::Digest;
use crate::files;
use crate::interrupt::Interrupt;
use crate::local_aws::is_ready;
use crate::place::Place;
use crate::ports::Ports;
use crate::process::{Record, Stubborn};

const NAME: &str = "sandbox";
const STUBBORN: Stubborn = Stubborn::Kill {
    after: Duration::from_secs(5),
};
const READY_WITHIN: Duration = Duration::from_mins(1);

pub(crate) fn is_running(place: &Place) -> bool {
    Record::running(&place.state(), NAME).is_some()
}

/// Starts it where it does not run, or runs with another binary, other ports, keys or demo client. Gives whether it
/// started it.
pub(crate) fn ensure(place: &Place, program: &Path, ports: &Ports, interrupt: &Interrupt) -> Result<bool> {
    let arguments = arguments(place, ports);
    let mut digest = Digest::new()
        .file(program)?
        .folder(&place.pki())?
        .folder(&place.demo())?;
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
    if let Some(record) = Record::running(&place.state(), NAME) {
        if record.was_started_with(&digest) && ready() {
            return Ok(false);
        }
        record.end(&place.state(), NAME, STUBBORN)?;
    }
    // A copy, so that a build can replace the original while this one runs.
    let copy = place.state().join(NAME);
    std::fs::remove_file(&copy).ok();
    std::fs::copy(program, &copy)?;
    let mut command = Command::new(copy);
    command
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("RUST_BACKTRACE", "1")
        .current_dir(place.state());
    let child = spawn_server(&mut command, &place.log(NAME))?;
    let record = Record::write(&place.state(), NAME, &child, &digest)?;
    wait_until(
        "starting the sandbox",
        ready,
        &record,
        &place.log(NAME),
        interrupt,
    )
    .inspect_err(|_| drop(end(place)))?;
    Ok(true)
}

/// Ends it. Gives whether there was anything to end.
pub(crate) fn end(place: &Place) -> Result<bool> {
    let Some(record) = Record::running(&place.state(), NAME) else {
        return Ok(false);
    };
    record.end(&place.state(), NAME, STUBBORN)?;
    Ok(true)
}

/// Tells the reverse proxy where the API is now.
pub(crate) fn point_api_to(place: &Place, upstream: &str) -> Result<()> {
    files::write(&place.api_upstream(), upstream.as_bytes())
}

/// Waits for a server that was just started, and says what its log says when it ends instead.
pub(crate) fn wait_until(
    what: &str,
    ready: impl Fn() -> bool,
    record: &Record,
    log: &Path,
    interrupt: &Interrupt,
) -> Result<()> {
    let (mut step, watch) = (Step::start(what), Stopwatch::start());
    let problem = loop {
        if ready() {
            step.done();
            return Ok(());
        }
        if !record.lives() {
            break "it ended";
        }
        if watch.elapsed() > READY_WITHIN {
            break "it does not get ready";
        }
        interrupt.check()?;
        step.tick();
        thread::sleep(Duration::from_millis(50));
    };
    step.leave();
    bail!(
        "{what}: {problem}; the end of {}:\n{}",
        log.display(),
        tail(&std::fs::read_to_string(log)?)
    );
}

fn arguments(place: &Place, ports: &Ports) -> Vec<String> {
    let path = |path: &Path| path.to_string_lossy().into_owned();
    let listen = |port: u16| format!("127.0.0.1:{port}");
    let pairs = [
        ("--pki", path(&place.pki())),
        ("--demo", path(&place.demo())),
        ("--api-listen", listen(ports.api)),
        ("--api-upstream", format!("@{}", path(&place.api_upstream()))),
        ("--partner-listen", listen(ports.partner)),
        ("--receiver-listen", listen(ports.receiver)),
        ("--mastercard-listen", listen(ports.mastercard)),
        ("--admin-listen", listen(ports.admin)),
        ("--public-base-url", format!("http://localhost:{}", ports.api)),
        ("--client", demo::CLIENT.to_owned()),
        ("--program", demo::PROGRAM.to_owned()),
        // It goes where the local AWS's data is, and with it.
        ("--state", path(&place.state().join("mrs.json"))),
    ];
    let recorder = [
        ("--recorder-listen", listen(ports.recorder)),
        ("--recorder-upstream", listen(ports.aws)),
        ("--recorder-file", path(&place.calls())),
    ];
    pairs
        .into_iter()
        .chain(recorder.into_iter().filter(|_| place.records()))
        .flat_map(|(name, value)| [name.to_owned(), value])
        .collect()
}

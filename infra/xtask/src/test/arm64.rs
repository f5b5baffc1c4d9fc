//! Functions for arm64, started on a machine that may have another processor.
//!
//! A part of `cargo xtask soak`: everything is compiled for another processor first. Debian's qemu-user runs the program,
//! AWS's Runtime Interface Emulator hands it events, and the local AWS has what it reads. glibc is Debian's; that it needs
//! none newer than Amazon Linux 2023 has is [`crate::builds::bootstrap`]'s check.

use std::fs::{self, Permissions};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::Value;
use ureq::Agent;

use crate::builds::bootstrap::Architecture;
use crate::builds::lambda;
use crate::checkout::Checkout;
use crate::console::Stopwatch;
use crate::local::aws::{LocalAws, variables};
use crate::local::ports;
use crate::programs::command::{spawn_server, tail};
use crate::programs::interrupt::Interrupt;
use crate::test::bench::EMULATOR;
use crate::toolchain::prerequisites::{file_or_packages, program_or_package};
use crate::toolchain::python::Tools;

/// Folder with Debian's glibc for arm64.
const LIBRARIES: &str = "/usr/aarch64-linux-gnu";
/// Limit of a start and of an answer: qemu translates megabytes of instructions at first.
const LIMIT: Duration = Duration::from_mins(1);

/// Event for a function, and the answer that is expected.
struct Case {
    function: &'static str,
    /// From events/.
    event: &'static str,
    status: u16,
    /// Text that only the right answer has.
    part: &'static str,
}

/// Both read the demo client from the local AWS; the second one verifies a signature, too.
const CASES: [Case; 2] = [
    Case {
        function: "widget-page",
        event: include_str!("../../../../events/widget-page/page.json"),
        status: 200,
        part: "<!doctype html>",
    },
    Case {
        function: "widget-init",
        event: include_str!("../../../../events/widget-init/forged-token.json"),
        status: 302,
        part: "ACCESS_DENIED",
    },
];

/// Builds the functions for arm64 and has two of them answer an event. The system is up, its AWS at port `aws`.
pub(crate) fn check(checkout: &Checkout, aws: u16, interrupt: &Interrupt) -> Result<String> {
    let sam = Tools::Sam.install(checkout, interrupt)?;
    let emulator = sam.packages()?.join(EMULATOR);
    let qemu = qemu(interrupt)?;
    let bootstraps = lambda::functions(checkout, Architecture::Arm64, interrupt)?;
    let folder = checkout.state().join("arm64");
    fs::create_dir_all(&folder)?;
    let mut environment = LocalAws::at(aws).function_environment()?;
    environment.extend(variables(aws).map(|(name, value)| (name.to_owned(), value)));
    let mut notes = Vec::new();
    for case in &CASES {
        interrupt.check()?;
        let (_, bootstrap) = bootstraps
            .iter()
            .find(|(name, _)| name == case.function)
            .with_context(|| format!("there is no function {}", case.function))?;
        let start = Start {
            emulator: &emulator,
            program: &script(&folder, case.function, qemu.as_deref(), bootstrap)?,
            environment: &environment,
            log: &folder.join(format!("{}.log", case.function)),
        };
        let took = answers(case, &start).with_context(|| format!("{} for arm64", case.function))?;
        notes.push(format!(
            "{} answers {} after {took} ms",
            case.function, case.status
        ));
    }
    Ok(notes.join("; "))
}

/// Finds or installs the emulation of the processor; none where this machine has that processor.
fn qemu(interrupt: &Interrupt) -> Result<Option<PathBuf>> {
    if Architecture::here() == Architecture::Arm64 {
        return Ok(None);
    }
    let program = program_or_package("qemu-aarch64-static", "qemu-user-static", interrupt)?;
    let packages = ["libc6-arm64-cross", "libgcc-s1-arm64-cross"];
    file_or_packages(
        &format!("{LIBRARIES}/lib/ld-linux-aarch64.so.1"),
        &packages,
        interrupt,
    )?;
    Ok(Some(program))
}

/// Writes the program that the emulator of Lambda starts: it executes the function under qemu.
fn script(folder: &Path, function: &str, qemu: Option<&Path>, bootstrap: &Path) -> Result<PathBuf> {
    let Some(qemu) = qemu else {
        return Ok(bootstrap.to_owned());
    };
    let script = folder.join(function);
    let quoted = |path: &Path| format!("'{}'", path.display().to_string().replace('\'', r"'\''"));
    let text = format!(
        "#!/bin/sh\nexec {} -L {LIBRARIES} {}\n",
        quoted(qemu),
        quoted(bootstrap)
    );
    fs::write(&script, text).with_context(|| format!("can't write {}", script.display()))?;
    fs::set_permissions(&script, Permissions::from_mode(0o755))?;
    Ok(script)
}

/// All that a start of a function takes.
struct Start<'a> {
    emulator: &'a Path,
    program: &'a Path,
    environment: &'a [(String, String)],
    log: &'a Path,
}

/// Starts the function, hands it the event and looks at the answer; returns the milliseconds of both.
fn answers(case: &Case, start: &Start<'_>) -> Result<u128> {
    let (events, runtime) = (ports::free()?, ports::free()?);
    let watch = Stopwatch::start();
    fs::write(start.log, "")?;
    let mut command = Command::new(start.emulator);
    command
        .args(["--log-level", "info"])
        .args([
            "--runtime-interface-emulator-address",
            &format!("127.0.0.1:{events}"),
        ])
        .args(["--runtime-api-address", &format!("127.0.0.1:{runtime}")])
        .arg(start.program)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .envs(start.environment.iter().map(|(name, value)| (name, value)))
        .env("AWS_LAMBDA_FUNCTION_NAME", case.function)
        .env("AWS_LAMBDA_FUNCTION_TIMEOUT", LIMIT.as_secs().to_string())
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512");
    let _started = Started(spawn_server(&mut command, start.log)?);
    while TcpStream::connect(("127.0.0.1", events)).is_err() {
        ensure!(watch.elapsed() < LIMIT, "the emulator does not listen");
        thread::sleep(Duration::from_millis(20));
    }
    let url = format!("http://127.0.0.1:{events}/2015-03-31/functions/function/invocations");
    let agent: Agent = Agent::config_builder()
        .timeout_global(Some(LIMIT))
        .proxy(None)
        .build()
        .into();
    let answer = agent
        .post(&url)
        .send(case.event)
        .and_then(|mut answer| answer.body_mut().read_to_string());
    let Ok(answer) = answer else {
        bail!(
            "no answer; the end of its log:\n{}",
            tail(&fs::read_to_string(start.log)?)
        );
    };
    let status = serde_json::from_str::<Value>(&answer)
        .ok()
        .and_then(|answer| answer.get("statusCode")?.as_u64());
    ensure!(
        status == Some(case.status.into()) && answer.contains(case.part),
        "the answer is not {} with {}; the end of its log:\n{}",
        case.status,
        case.part,
        tail(&fs::read_to_string(start.log)?)
    );
    Ok(watch.elapsed().as_millis())
}

/// The emulator of Lambda, which does not end its function: its process group is killed when this is dropped.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        if let Ok(group) = i32::try_from(self.0.id()) {
            let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
        }
        let _ = self.0.wait();
    }
}

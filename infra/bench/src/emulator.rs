//! A function under AWS's Runtime Interface Emulator: the program that AWS runs, started as AWS starts it.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::Value;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::caller::Caller;

/// Groups of processes that run: an emulator and its function each.
static GROUPS: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

fn groups() -> MutexGuard<'static, BTreeSet<i32>> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends all emulators and this program at SIGINT, SIGTERM or SIGHUP: nothing is dropped then.
pub(crate) fn end_at_signals() -> Result<()> {
    let signaled = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&signaled))?;
    }
    thread::spawn(move || {
        while !signaled.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(50));
        }
        for group in groups().iter() {
            let _ = killpg(Pid::from_raw(*group), Signal::SIGKILL);
        }
        std::process::exit(130);
    });
    Ok(())
}

/// A started function. It ends when this is dropped, with everything that it started.
pub(crate) struct Emulated {
    child: Child,
    address: String,
    log: PathBuf,
}

impl Emulated {
    /// Starts `bootstrap` with nothing in its environment but `variables`.
    pub(crate) fn start(
        emulator: &Path,
        bootstrap: &Path,
        variables: &[(String, String)],
        log: &Path,
    ) -> Result<Self> {
        let (events, runtime) = (free_port()?, free_port()?);
        let output = File::create(log).with_context(|| format!("can't write {}", log.display()))?;
        let child = Command::new(emulator)
            .args(["--log-level", "info"])
            .args([
                "--runtime-interface-emulator-address",
                &format!("127.0.0.1:{events}"),
            ])
            .args(["--runtime-api-address", &format!("127.0.0.1:{runtime}")])
            .arg(bootstrap)
            .env_clear()
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .env("AWS_LAMBDA_FUNCTION_NAME", "bench")
            .env("AWS_LAMBDA_FUNCTION_TIMEOUT", "29")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .spawn()
            .with_context(|| format!("can't start {}", emulator.display()))?;
        groups().insert(i32::try_from(child.id())?);
        let address = format!("http://127.0.0.1:{events}/2015-03-31/functions/function/invocations");
        let emulated = Self {
            child,
            address,
            log: log.to_owned(),
        };
        wait_for(events)?;
        Ok(emulated)
    }

    /// Invokes the function; returns its answer and the time that it took.
    pub(crate) fn invoke(&self, event: &Value, caller: Caller) -> Result<(Value, Duration)> {
        let started = now();
        let answer: Value = ureq::post(&self.address)
            .send_json(event)?
            .body_mut()
            .read_json()?;
        let took = started.elapsed();
        caller
            .check(&answer)
            .with_context(|| format!("its log is {}", self.log.display()))?;
        Ok((answer, took))
    }

    /// The time from the process's start to its first request for an event, as the emulator measured it.
    pub(crate) fn init_time(&self) -> Result<Duration> {
        let log = self.log_text()?;
        let (_, after) = log
            .split_once("INIT REPORT(durationMs: ")
            .context("the emulator reports no init time")?;
        let milliseconds: f64 = after.split(')').next().unwrap_or_default().parse()?;
        Ok(Duration::from_secs_f64(milliseconds / 1000.0))
    }

    fn log_text(&self) -> Result<String> {
        Ok(fs::read_to_string(&self.log)?)
    }
}

impl Drop for Emulated {
    fn drop(&mut self) {
        // The emulator does not end its function: the group does.
        if let Ok(group) = i32::try_from(self.child.id()) {
            groups().remove(&group);
            let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
        }
        let _ = self.child.wait();
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn wait_for(port: u16) -> Result<()> {
    let started = now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        ensure!(
            started.elapsed() < Duration::from_secs(10),
            "the emulator does not listen"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "measuring time is what this program is for"
)]
fn now() -> Instant {
    Instant::now()
}

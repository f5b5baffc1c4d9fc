//! Servers that outlive this program: a record of each one's process, by which it is ended.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::console::{Step, Stopwatch};
use crate::files;
use crate::programs::command::tail;
use crate::programs::interrupt::Interrupt;

/// Time that a server has to get ready.
const READY_WITHIN: Duration = Duration::from_mins(1);

/// A server that was started, as written in `.local/state/<name>.pid.json`.
#[derive(Serialize, Deserialize)]
pub(crate) struct Record {
    pid: i32,
    /// Start of the process. A pid is reused one day, but not with the same start.
    started: String,
    /// Digest of program and arguments. Another digest means that the server has to be restarted.
    digest: String,
}

/// Treatment of a server that does not end at SIGTERM.
#[derive(Clone, Copy)]
pub(crate) enum Stubborn {
    Kill { after: Duration },
    Report { after: Duration },
}

impl Record {
    /// Records a server that was just started.
    pub(crate) fn write(state: &Path, name: &str, child: &Child, digest: &str) -> Result<Self> {
        let pid = i32::try_from(child.id())?;
        let started = start_of(pid).with_context(|| format!("{name} ended at once; see its log"))?;
        let record = Self {
            pid,
            started,
            digest: digest.to_owned(),
        };
        files::write(&file(state, name), &serde_json::to_vec_pretty(&record)?)?;
        Ok(record)
    }

    /// The server of this name, where it is still running.
    pub(crate) fn running(state: &Path, name: &str) -> Option<Self> {
        let record: Self = serde_json::from_slice(&fs::read(file(state, name)).ok()?).ok()?;
        record.lives().then_some(record)
    }

    pub(crate) fn lives(&self) -> bool {
        start_of(self.pid).is_some_and(|started| started == self.started)
    }

    pub(crate) fn was_started_with(&self, digest: &str) -> bool {
        self.digest == digest
    }

    /// Ends the server and its children, by SIGTERM first. Nothing else is ever signalled: each signal is sent only
    /// while the process is the very one that was recorded.
    pub(crate) fn end(&self, state: &Path, name: &str, stubborn: Stubborn) -> Result<()> {
        if !self.lives() {
            return Ok(());
        }
        let pid = Pid::from_raw(self.pid);
        kill(pid, Signal::SIGTERM).ok();
        let after = match stubborn {
            Stubborn::Kill { after } | Stubborn::Report { after } => after,
        };
        let watch = Stopwatch::start();
        while self.lives() && watch.elapsed() < after {
            thread::sleep(Duration::from_millis(50));
        }
        if self.lives() {
            match stubborn {
                Stubborn::Kill { .. } => drop(killpg(pid, Signal::SIGKILL)),
                Stubborn::Report { .. } => {
                    bail!(
                        "{name} (pid {}) does not end; SIGKILL would lose its data",
                        self.pid
                    )
                }
            }
        } else {
            // What it left behind in its process group: the number is not given away while anything in the group lives.
            killpg(pid, Signal::SIGTERM).ok();
        }
        fs::remove_file(file(state, name)).ok();
        Ok(())
    }
}

/// Waits until a server is ready that was just started. The error has the end of its log.
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
        tail(&fs::read_to_string(log)?)
    );
}

fn file(state: &Path, name: &str) -> PathBuf {
    state.join(format!("{name}.pid.json"))
}

/// Start of a process, in a form that is only compared; none where it has ended or is a zombie.
fn start_of(pid: i32) -> Option<String> {
    if Path::new("/proc/self/stat").exists() {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        return start_in(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
            .map(|ticks| format!("{} {ticks}", boot.trim()));
    }
    let output = Command::new("ps")
        .args(["-o", "lstart=", "-p", &pid.to_string()])
        .output()
        .ok()?;
    let started = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !started.is_empty()).then_some(started)
}

/// proc(5): `pid (name) state …`, the 22nd field being the start. The name may hold anything, also `)`.
fn start_in(stat: &str) -> Option<&str> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    let state = fields.next()?;
    (state != "Z" && state != "X").then(|| fields.nth(18)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "42 (a) b) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 98765 1 2 3";

    #[test]
    fn start_is_found_after_a_name_with_parentheses() {
        assert_eq!(start_in(STAT), Some("98765"));
        assert_eq!(start_in(&STAT.replace(") S", ") Z")), None);
    }

    #[test]
    fn reused_pid_is_not_the_server() {
        let state = std::env::temp_dir().join(format!("xtask-process-{}", std::process::id()));
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let record = Record::write(&state, "sleeper", &child, "digest").unwrap();
        assert!(Record::running(&state, "sleeper").is_some_and(|record| record.was_started_with("digest")));

        let other = Record {
            started: "another start".to_owned(),
            ..record
        };
        assert!(!other.lives());
        other
            .end(
                &state,
                "other",
                Stubborn::Kill {
                    after: Duration::ZERO,
                },
            )
            .unwrap();
        assert!(
            child.try_wait().unwrap().is_none(),
            "the process was not the recorded one"
        );

        let record = Record::running(&state, "sleeper").unwrap();
        record
            .end(
                &state,
                "sleeper",
                Stubborn::Kill {
                    after: Duration::from_secs(5),
                },
            )
            .unwrap();
        assert!(!child.wait().unwrap().success());
        assert!(Record::running(&state, "sleeper").is_none());
        fs::remove_dir_all(&state).unwrap();
    }
}

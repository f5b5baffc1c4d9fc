//! Running other programs to their end.

use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::console::Step;
use crate::interrupt::Interrupt;

const POLL: Duration = Duration::from_millis(50);
/// How much of a log is shown when its program fails.
const SHOWN_LINES: usize = 30;

/// Runs a program with its output in a log, under one line of progress. A failure shows the end of the log.
pub(crate) fn run_logged(what: &str, command: &mut Command, log: &Path, interrupt: &Interrupt) -> Result<()> {
    let mut step = Step::start(what);
    match run_quietly(command, log, interrupt, || step.tick()) {
        Ok(()) => {
            step.done();
            Ok(())
        }
        Err(error) => {
            step.leave();
            Err(error.context(format!("{what} failed")))
        }
    }
}

/// As [`run_logged`] without a line of its own, for work beside another step.
pub(crate) fn run_quietly(
    command: &mut Command,
    log: &Path,
    interrupt: &Interrupt,
    tick: impl FnMut(),
) -> Result<()> {
    fs::create_dir_all(log.parent().context("a log without a folder")?)?;
    let output = File::create(log).with_context(|| format!("can't write {}", log.display()))?;
    command
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output);
    let status = wait(&mut spawn(command)?, interrupt, tick)?;
    if !status.success() {
        bail!(
            "{status}; the end of {}:\n{}",
            log.display(),
            tail(&fs::read_to_string(log).unwrap_or_default())
        );
    }
    Ok(())
}

/// Runs a program that shows its own output.
pub(crate) fn run_shown(command: &mut Command, interrupt: &Interrupt) -> Result<()> {
    let status = wait(&mut spawn(command)?, interrupt, || {})?;
    if !status.success() {
        bail!("`{}` failed: {status}", shown(command));
    }
    Ok(())
}

/// Runs a short program and gives what it wrote to standard output.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .with_context(|| format!("can't run `{}`", shown(command)))?;
    if !output.status.success() {
        bail!(
            "`{}` failed: {}",
            shown(command),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Starts a server in a process group of its own, so that Ctrl-C on the terminal reaches this program only; its output
/// is added to a log.
pub(crate) fn spawn_server(command: &mut Command, log: &Path) -> Result<Child> {
    fs::create_dir_all(log.parent().context("a log without a folder")?)?;
    let output = File::options().create(true).append(true).open(log)?;
    command
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output);
    spawn(command)
}

/// The end of a text, for an error message.
pub(crate) fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines
        .get(lines.len().saturating_sub(SHOWN_LINES)..)
        .unwrap_or_default()
        .join("\n")
}

/// Waits for a program and asks it to end when this one is interrupted.
pub(crate) fn wait(child: &mut Child, interrupt: &Interrupt, mut tick: impl FnMut()) -> Result<ExitStatus> {
    let mut asked = false;
    loop {
        if let Some(status) = child.try_wait()? {
            interrupt.check()?;
            return Ok(status);
        }
        if interrupt.came() && !asked {
            asked = true;
            // It may have ended by itself meanwhile, or have had the Ctrl-C from the terminal.
            kill(Pid::from_raw(i32::try_from(child.id())?), Signal::SIGTERM).ok();
        }
        tick();
        thread::sleep(POLL);
    }
}

fn spawn(command: &mut Command) -> Result<Child> {
    command
        .spawn()
        .with_context(|| format!("can't run `{}`", shown(command)))
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_log_is_cut_at_the_front() {
        let log = (0..100)
            .map(|line| line.to_string())
            .collect::<Vec<_>>()
            .join("\n");
        assert!(tail(&log).starts_with("70\n"));
        assert!(tail(&log).ends_with("\n99"));
        assert_eq!(tail("short"), "short");
    }
}

//! Running other programs to their end.

use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::console::{self, Step, Stopwatch};
use crate::programs::interrupt::Interrupt;

const POLL: Duration = Duration::from_millis(50);
/// Signals by which a program is asked to end, and how long after the first. Test runners clean up at SIGINT.
const REQUESTS: [(Duration, Signal); 3] = [
    (Duration::ZERO, Signal::SIGINT),
    (Duration::from_secs(15), Signal::SIGTERM),
    (Duration::from_secs(30), Signal::SIGKILL),
];
/// Number of a log's lines that are shown when its program fails.
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
    console::redirect(command)?;
    command.stdin(Stdio::null());
    let status = wait(&mut spawn(command)?, interrupt, || {})?;
    succeeded(command, status)
}

/// As [`run_shown`]; returns what the program wrote to standard output, which is shown when it has ended.
pub(crate) fn run_kept(command: &mut Command, interrupt: &Interrupt) -> Result<String> {
    let (status, output) = output_of(command, interrupt)?;
    console::print(format_args!("{output}"));
    succeeded(command, status)?;
    Ok(output)
}

/// Runs a program that shows its errors, and returns what it wrote to standard output.
pub(crate) fn read(command: &mut Command, interrupt: &Interrupt) -> Result<String> {
    let (status, output) = output_of(command, interrupt)?;
    succeeded(command, status)?;
    Ok(output)
}

fn output_of(command: &mut Command, interrupt: &Interrupt) -> Result<(ExitStatus, String)> {
    console::redirect(command)?;
    let mut child = spawn(command.stdin(Stdio::null()).stdout(Stdio::piped()))?;
    let output = child.stdout.take().context("a program without standard output")?;
    // It would stop when its pipe is full.
    let reader = thread::spawn(move || std::io::read_to_string(output));
    let status = wait(&mut child, interrupt, || {})?;
    let Ok(output) = reader.join() else {
        bail!("reading the output of `{}` failed", shown(command))
    };
    Ok((status, output?))
}

fn succeeded(command: &Command, status: ExitStatus) -> Result<()> {
    if !status.success() {
        bail!("`{}` failed: {status}", shown(command));
    }
    Ok(())
}

/// Runs a short program and returns what it wrote to standard output.
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

/// Starts a server; its output is added to a log.
pub(crate) fn spawn_server(command: &mut Command, log: &Path) -> Result<Child> {
    fs::create_dir_all(log.parent().context("a log without a folder")?)?;
    let output = File::options().create(true).append(true).open(log)?;
    command
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output);
    spawn(command)
}

/// Keeps a program away from the developer's AWS configuration and home folder; `home` takes its place.
pub(crate) fn isolate<'a>(command: &'a mut Command, home: &Path) -> &'a mut Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    command
        .env_clear()
        .env("PATH", path)
        .env("HOME", home)
        .env("LANG", "C.UTF-8")
        .env("SAM_CLI_TELEMETRY", "0")
}

/// The end of a text, for an error message.
pub(crate) fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines
        .get(lines.len().saturating_sub(SHOWN_LINES)..)
        .unwrap_or_default()
        .join("\n")
}

/// Waits for a program of [`spawn`]. When this program is interrupted, the other one and its children are asked to end.
pub(crate) fn wait(child: &mut Child, interrupt: &Interrupt, mut tick: impl FnMut()) -> Result<ExitStatus> {
    let group = Pid::from_raw(i32::try_from(child.id())?);
    let mut requests = REQUESTS.into_iter().peekable();
    let mut since = None;
    loop {
        if let Some(status) = child.try_wait()? {
            interrupt.check()?;
            return Ok(status);
        }
        if interrupt.is_requested() {
            let waited = since.get_or_insert_with(Stopwatch::start).elapsed();
            if let Some((_, signal)) = requests.next_if(|(after, _)| waited >= *after) {
                // It may have ended by itself meanwhile.
                killpg(group, signal).ok();
            }
        }
        tick();
        thread::sleep(POLL);
    }
}

/// Starts a program in a process group of its own: Ctrl-C on the terminal reaches this program, which passes it on in
/// [`wait`], as it does when another part failed.
pub(crate) fn spawn(command: &mut Command) -> Result<Child> {
    command
        .process_group(0)
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
    fn cancellation_ends_the_program_and_its_children() {
        let interrupt = Interrupt::never();
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 600; true"]);
        let mut child = spawn(command.stdout(Stdio::piped())).unwrap();
        let mut output = child.stdout.take().unwrap();

        interrupt.cancel();
        let outcome = wait(&mut child, &interrupt, || {});
        assert!(outcome.unwrap_err().to_string().contains("another part failed"));
        // Closed when the last of them is gone.
        let mut written = String::new();
        std::io::Read::read_to_string(&mut output, &mut written).unwrap();
        assert_eq!(written, "");
    }

    #[test]
    fn long_log_is_cut_at_the_front() {
        let log = (0..100)
            .map(|line| line.to_string())
            .collect::<Vec<_>>()
            .join("\n");
        assert!(tail(&log).starts_with("70\n"));
        assert!(tail(&log).ends_with("\n99"));
        assert_eq!(tail("short"), "short");
    }
}

//! Output for people: one line a step, with the seconds that it has taken. A thread's output can go to a file instead, so
//! that the output of concurrent checks is shown one after the other.

use std::cell::RefCell;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

thread_local! {
    /// File that takes the output of this thread; none: standard output.
    static FILE: RefCell<Option<File>> = const { RefCell::new(None) };
}

/// Redirection of this thread's output, and of that of the programs it starts, to a file; ends with this value.
#[must_use]
pub(crate) struct Redirected;

impl Redirected {
    /// Replaces what was in the file.
    pub(crate) fn to(path: &Path) -> Result<Self> {
        fs::create_dir_all(path.parent().context("a log without a folder")?)?;
        // Appending, as several programs write to it.
        fs::write(path, "")?;
        let file = File::options().append(true).open(path)?;
        FILE.set(Some(file));
        Ok(Self)
    }
}

impl Drop for Redirected {
    fn drop(&mut self) {
        FILE.set(None);
    }
}

/// Gives a program the output of this thread.
pub(crate) fn redirect(command: &mut Command) -> Result<()> {
    let file = FILE.with_borrow(|file| file.as_ref().map(File::try_clone).transpose())?;
    if let Some(file) = file {
        command.stdout(Stdio::from(file.try_clone()?)).stderr(file);
        if io::stdout().is_terminal() {
            // It does not see that a terminal will show this in the end.
            command.env("CARGO_TERM_COLOR", "always");
        }
    }
    Ok(())
}

/// Writes to the output of this thread.
pub(crate) fn print(text: fmt::Arguments<'_>) {
    let redirected = FILE.with_borrow_mut(|file| {
        // What can't be written there is lost: nothing better could be done about it.
        file.as_mut().map(|file| file.write_fmt(text).ok()).is_some()
    });
    if !redirected {
        print!("{text}");
        flush();
    }
}

/// Goes back to the start of the line and clears it.
pub(crate) const START_OF_LINE: &str = "\r\x1b[2K";

/// A step under way. On a terminal its line shows the elapsed seconds; elsewhere it is printed when it ends.
pub(crate) struct Step {
    what: String,
    watch: Stopwatch,
    shown: u64,
}

impl Step {
    pub(crate) fn start(what: impl Into<String>) -> Self {
        let step = Self {
            what: what.into(),
            watch: Stopwatch::start(),
            shown: 0,
        };
        if live() {
            print(format_args!("  {}", step.what));
        }
        step
    }

    /// Call it now and then while waiting.
    pub(crate) fn tick(&mut self) {
        let seconds = self.watch.elapsed().as_secs();
        if live() && seconds > self.shown {
            self.shown = seconds;
            print(format_args!("{START_OF_LINE}  {} … {seconds} s", self.what));
        }
    }

    pub(crate) fn done(self) {
        self.done_with("");
    }

    /// Ends the step with a word about its outcome.
    pub(crate) fn done_with(self, outcome: &str) {
        let mut line = format!("{} {}", green("✓"), self.what);
        if !outcome.is_empty() {
            line.push_str(": ");
            line.push_str(outcome);
        }
        let seconds = self.watch.elapsed().as_secs();
        if seconds > 0 {
            line = format!("{line} ({seconds} s)");
        }
        let start = if live() { START_OF_LINE } else { "" };
        print(format_args!("{start}{line}\n"));
    }

    /// Ends the line as it is: an error follows, or output of a program.
    pub(crate) fn leave(&self) {
        if live() {
            print(format_args!("\n"));
        } else {
            note(&self.what);
        }
    }
}

/// Time that passed; the only clock of this program.
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "a tool for people: it measures how long its steps take"
    )]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// A line about something that is no step.
pub(crate) fn note(text: &str) {
    print(format_args!("  {text}\n"));
}

/// A heading, for the sections of a test run.
pub(crate) fn heading(text: &str) {
    print(format_args!("\n{}\n", bold(&format!("━━ {text}"))));
}

pub(crate) fn bold(text: &str) -> String {
    colored("1", text)
}

pub(crate) fn green(text: &str) -> String {
    colored("32", text)
}

pub(crate) fn red(text: &str) -> String {
    colored("31", text)
}

fn colored(code: &str, text: &str) -> String {
    if io::stdout().is_terminal() {
        format!("\x1b[{code}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

/// Whether a line can be written over.
pub(crate) fn live() -> bool {
    io::stdout().is_terminal() && FILE.with_borrow(Option::is_none)
}

/// Output of the programs that are started goes to the same terminal: keep the order.
fn flush() {
    // A closed pipe is noticed by the next println.
    io::stdout().flush().ok();
}

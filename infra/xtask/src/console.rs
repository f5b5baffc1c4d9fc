//! What a person sees while a task runs: one line a step, with the seconds that it has taken.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

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
            print!("  {}", step.what);
            flush();
        }
        step
    }

    /// Call it now and then while waiting.
    pub(crate) fn tick(&mut self) {
        let seconds = self.watch.elapsed().as_secs();
        if live() && seconds > self.shown {
            self.shown = seconds;
            print!("\r\x1b[2K  {} … {seconds} s", self.what);
            flush();
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
        println!("{}{line}", start_of_line());
        flush();
    }

    /// Leaves the line as it is and goes to the next: an error follows, or output of a program.
    pub(crate) fn leave(&self) {
        if live() {
            println!();
        } else {
            println!("  {}", self.what);
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
    println!("  {text}");
    flush();
}

/// A heading, for the sections of a test run.
pub(crate) fn heading(text: &str) {
    println!("\n{}", bold(&format!("━━ {text}")));
    flush();
}

pub(crate) fn bold(text: &str) -> String {
    coloured("1", text)
}

pub(crate) fn green(text: &str) -> String {
    coloured("32", text)
}

pub(crate) fn red(text: &str) -> String {
    coloured("31", text)
}

fn coloured(code: &str, text: &str) -> String {
    if live() {
        format!("\x1b[{code}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

fn start_of_line() -> &'static str {
    if live() { "\r\x1b[2K" } else { "" }
}

fn live() -> bool {
    io::stdout().is_terminal()
}

/// Output of the programs that are started goes to the same terminal: keep the order.
fn flush() {
    // A closed pipe is noticed by the next println.
    io::stdout().flush().ok();
}

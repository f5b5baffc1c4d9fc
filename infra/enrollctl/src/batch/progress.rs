//! Progress on standard error: a bar on a terminal, a line every ten seconds elsewhere.

use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::time::Duration;

use tokio::time::Instant;

const BAR_INTERVAL: Duration = Duration::from_millis(200);
const LINE_INTERVAL: Duration = Duration::from_secs(10);
const BAR_WIDTH: usize = 24;

/// Progress of one phase.
pub(crate) struct Progress {
    phase: &'static str,
    total: u64,
    /// Cards that were done before this process began.
    already: u64,
    begun: Instant,
    shown: Option<Instant>,
    is_terminal: bool,
}

impl Progress {
    /// Begins a phase of `total` cards, of which `already` are done.
    pub(crate) fn begin(phase: &'static str, total: u64, already: u64) -> Self {
        Self {
            phase,
            total,
            already,
            begun: Instant::now(),
            shown: None,
            is_terminal: std::io::stderr().is_terminal(),
        }
    }

    /// Shows the progress, unless it was shown a moment ago.
    pub(crate) fn show(&mut self, done: u64, note: &str) {
        let interval = if self.is_terminal {
            BAR_INTERVAL
        } else {
            LINE_INTERVAL
        };
        let now = Instant::now();
        let since = self.shown.unwrap_or(self.begun);
        if now.duration_since(since) >= interval {
            self.shown = Some(now);
            self.write(done, note, now);
        }
    }

    /// Shows the end of the phase.
    pub(crate) fn end(&mut self, done: u64, note: &str) {
        self.write(done, note, Instant::now());
        if self.is_terminal {
            eprintln!();
        }
    }

    fn write(&self, done: u64, note: &str, now: Instant) {
        let line = line(
            self.phase,
            done,
            self.total,
            done.saturating_sub(self.already),
            now.duration_since(self.begun),
            self.is_terminal,
        );
        let mut stderr = std::io::stderr().lock();
        // A closed standard error is no reason to end.
        let _ = if self.is_terminal {
            std::io::Write::write_fmt(&mut stderr, format_args!("\r\x1b[K{line}{note}"))
                .and_then(|()| std::io::Write::flush(&mut stderr))
        } else {
            std::io::Write::write_fmt(&mut stderr, format_args!("{line}{note}\n"))
        };
    }
}

/// `submitting [####----]  40 %  400 of 1,000 cards  200/s  0:03 left`
fn line(phase: &str, done: u64, total: u64, fresh: u64, elapsed: Duration, has_bar: bool) -> String {
    let mut line = phase.to_owned();
    let percent = (done * 100).checked_div(total);
    if let Some(percent) = percent {
        if has_bar {
            let filled = usize::try_from(percent).unwrap_or(100).min(100) * BAR_WIDTH / 100;
            let _ = write!(
                line,
                " [{}{}]",
                "#".repeat(filled),
                "-".repeat(BAR_WIDTH - filled)
            );
        }
        let _ = write!(
            line,
            " {percent:3} %  {} of {} cards",
            grouped(done),
            grouped(total)
        );
    } else {
        let _ = write!(line, " {} cards", grouped(done));
    }
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    if let Some(rate) = (fresh * 1000).checked_div(millis).filter(|rate| *rate > 0) {
        let _ = write!(line, "  {}/s", grouped(rate));
        if total > done {
            let _ = write!(line, "  {} left", clock((total - done) / rate));
        }
    }
    line
}

/// Seconds as `1:02:03` or `2:03`.
fn clock(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// A number with commas between thousands.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_has_rate_and_time_left() {
        let seconds = Duration::from_secs;
        let bar = line("submitting", 400, 1000, 400, seconds(2), true);
        assert_eq!(
            bar,
            "submitting [#########---------------]  40 %  400 of 1,000 cards  200/s  0:03 left"
        );
        let resumed = line("submitting", 900_000, 2_000_000, 100_000, seconds(100), false);
        assert_eq!(
            resumed,
            "submitting  45 %  900,000 of 2,000,000 cards  1,000/s  18:20 left"
        );
        assert_eq!(
            line("checking", 7, 0, 7, seconds(1), true),
            "checking 7 cards  7/s"
        );
        assert_eq!(
            line("waiting", 5, 5, 0, seconds(0), false),
            "waiting 100 %  5 of 5 cards"
        );
    }

    #[test]
    fn times_and_numbers_are_grouped() {
        assert_eq!([clock(7), clock(67), clock(3661)], ["0:07", "1:07", "1:01:01"]);
        assert_eq!(
            [grouped(0), grouped(999), grouped(1000), grouped(12_345_678)],
            ["0", "999", "1,000", "12,345,678"]
        );
    }
}

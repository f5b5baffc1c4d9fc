//! Concurrent checks: those that use the processor in one lane, those that wait for the system under test in another.

use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use anyhow::Result;

use super::report::{CheckOutcome, CheckResult, Report, Success};
use crate::console::{self, Redirected, START_OF_LINE, Stopwatch, heading, note};
use crate::programs::interrupt::Interrupt;

/// Interval at which the line about running checks is drawn anew.
const REDRAW: Duration = Duration::from_secs(1);
/// Niceness of the processor's lane: the tests of the other one measure time.
const NICENESS: i32 = 10;

/// Lane that a check runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Needs the processor all the time; at a lower priority where something runs beside it.
    Processor,
    /// Waits more than it works.
    System,
    /// Runs after both lanes have ended.
    Last,
}

/// Check to run.
pub(crate) struct Job<'a> {
    pub(crate) name: &'static str,
    pub(crate) budget: Duration,
    pub(crate) lane: Lane,
    pub(crate) run: Box<dyn FnOnce() -> Result<Success> + Send + 'a>,
}

/// Runner of jobs; each lane runs its own in the given order.
pub(crate) struct Lanes<'a> {
    /// Whether to go on after a failure.
    pub(crate) keep_going: bool,
    pub(crate) interrupt: &'a Interrupt,
    /// Log file of a job that runs beside another.
    pub(crate) log: &'a (dyn Fn(&str) -> PathBuf + Sync),
}

/// Event of a lane.
enum Event {
    Started(&'static str),
    Ended(CheckResult),
}

impl Lanes<'_> {
    pub(crate) fn run(&self, jobs: Vec<Job<'_>>) -> Report {
        let mut report = Report::new(jobs.iter().map(|job| job.name).collect());
        let (last, rest): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| job.lane == Lane::Last);
        let (processor, system): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|job| job.lane == Lane::Processor);
        if processor.is_empty() || system.is_empty() {
            self.in_turn(processor, &mut report);
            self.in_turn(system, &mut report);
        } else {
            self.side_by_side(processor, system, &mut report);
        }
        self.in_turn(last, &mut report);
        report
    }

    /// Runs jobs one after the other, and shows their output at once.
    fn in_turn(&self, jobs: Vec<Job<'_>>, report: &mut Report) {
        for job in jobs {
            if !self.interrupt.is_requested() {
                heading(job.name);
            }
            let result = self.run_job(job);
            result.show_problem();
            report.add(result);
        }
    }

    fn side_by_side(&self, processor: Vec<Job<'_>>, system: Vec<Job<'_>>, report: &mut Report) {
        let (sender, events) = mpsc::channel();
        let processor_sender = sender.clone();
        thread::scope(|scope| {
            scope.spawn(move || {
                // Without the niceness only the system lane gets slower.
                rustix::process::nice(NICENESS).ok();
                self.lane(processor, &processor_sender);
            });
            scope.spawn(move || self.lane(system, &sender));
            watch(&events, report);
        });
    }

    fn lane(&self, jobs: Vec<Job<'_>>, sender: &Sender<Event>) {
        for job in jobs {
            let log = (self.log)(job.name);
            if !self.interrupt.is_requested() {
                sender.send(Event::Started(job.name)).ok();
            }
            let redirected = Redirected::to(&log);
            let mut result = match redirected {
                Ok(_redirected) => self.run_job(job),
                Err(error) => self.run_job(Job {
                    run: Box::new(|| Err(error)),
                    ..job
                }),
            };
            // The receiver lives as long as there are lanes.
            result.log = Some(log);
            sender.send(Event::Ended(result)).ok();
        }
    }

    /// Runs a job, or skips it if the run was interrupted.
    fn run_job(&self, job: Job<'_>) -> CheckResult {
        let watch = Stopwatch::start();
        let outcome = if self.interrupt.is_requested() {
            CheckOutcome::NotRun
        } else {
            match (job.run)() {
                Ok(Success::Checked) => CheckOutcome::Passed,
                Ok(Success::Noted(numbers)) => CheckOutcome::Noted(numbers),
                Ok(Success::Skipped(why)) => CheckOutcome::Skipped(why),
                Err(_) if self.interrupt.is_requested() => CheckOutcome::CutOff,
                Err(error) => CheckOutcome::Failed(error),
            }
        };
        if matches!(outcome, CheckOutcome::Failed(_)) && !self.keep_going {
            self.interrupt.cancel();
        }
        CheckResult {
            name: job.name,
            budget: job.budget,
            took: watch.elapsed(),
            outcome,
            log: None,
        }
    }
}

/// Shows each job's output as a whole when it has ended, and the names of the running jobs meanwhile.
fn watch(events: &Receiver<Event>, report: &mut Report) {
    let mut running: Vec<(&'static str, Stopwatch)> = Vec::new();
    loop {
        match events.recv_timeout(REDRAW) {
            Ok(Event::Started(name)) => {
                if !console::live() {
                    note(&format!("{name} begins"));
                }
                running.push((name, Stopwatch::start()));
            }
            Ok(Event::Ended(result)) => {
                running.retain(|(name, _)| *name != result.name);
                if !matches!(result.outcome, CheckOutcome::NotRun) {
                    clear_line();
                    heading(&format!("{} ({} s)", result.name, result.took.as_secs()));
                    let output = result.log.as_ref().map(std::fs::read);
                    let output = output.and_then(Result::ok).unwrap_or_default();
                    console::print(format_args!("{}", String::from_utf8_lossy(&output)));
                    result.show_problem();
                }
                report.add(result);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        draw(&running);
    }
    clear_line();
}

fn draw(running: &[(&'static str, Stopwatch)]) {
    if !console::live() {
        return;
    }
    let running = running
        .iter()
        .map(|(name, watch)| format!("{name} … {} s", watch.elapsed().as_secs()));
    let running: Vec<_> = running.collect();
    console::print(format_args!("{START_OF_LINE}  {}", running.join("   ")));
}

fn clear_line() {
    if console::live() {
        console::print(format_args!("{START_OF_LINE}"));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::channel;

    use anyhow::{Context as _, bail};

    use super::*;

    fn job<'a>(name: &'static str, lane: Lane, run: impl FnOnce() -> Result<Success> + Send + 'a) -> Job<'a> {
        Job {
            name,
            budget: Duration::from_mins(1),
            lane,
            run: Box::new(run),
        }
    }

    /// Runs the jobs; returns the report and what was shown.
    fn run(name: &str, keep_going: bool, jobs: Vec<Job<'_>>) -> (Report, String) {
        let folder = std::env::temp_dir().join(format!("xtask-lanes-{name}-{}", std::process::id()));
        let shown = folder.join("shown");
        let redirected = Redirected::to(&shown).unwrap();
        let lanes = Lanes {
            keep_going,
            interrupt: &Interrupt::never(),
            log: &|name| folder.join(name),
        };
        let report = lanes.run(jobs);
        drop(redirected);
        let shown = std::fs::read_to_string(shown).unwrap();
        std::fs::remove_dir_all(folder).unwrap();
        (report, shown)
    }

    #[test]
    fn lanes_run_at_the_same_time_and_the_last_one_after_them() {
        let ((to_system, from_processor), (to_processor, from_system)) = (channel(), channel());
        let ends = Mutex::new(Vec::new());
        let order = &ends;
        let patience = Duration::from_secs(30);
        let (report, _) = run(
            "beside",
            false,
            vec![
                job("last", Lane::Last, || {
                    order.lock().unwrap().push("last");
                    Ok(Success::Checked)
                }),
                // Each ends only when the other has begun.
                job("processor", Lane::Processor, move || {
                    to_system.send(())?;
                    from_system.recv_timeout(patience)?;
                    order.lock().unwrap().push("lane");
                    Ok(Success::Checked)
                }),
                job("system", Lane::System, move || {
                    to_processor.send(())?;
                    from_processor.recv_timeout(patience)?;
                    order.lock().unwrap().push("lane");
                    Ok(Success::Checked)
                }),
            ],
        );
        assert_eq!(report.count(), "3 passed, 0 failed, 0 skipped");
        assert_eq!(*ends.lock().unwrap(), ["lane", "lane", "last"]);
    }

    #[test]
    fn a_failure_ends_the_other_lane_and_what_would_follow() {
        let interrupt = Interrupt::never();
        let folder = std::env::temp_dir().join(format!("xtask-lanes-failure-{}", std::process::id()));
        let lanes = Lanes {
            keep_going: false,
            interrupt: &interrupt,
            log: &|name| folder.join(name),
        };
        let (to_bad, from_long) = channel();
        let report = lanes.run(vec![
            job("bad", Lane::Processor, move || {
                from_long.recv().context("the other lane")?;
                bail!("no")
            }),
            job("next", Lane::Processor, || Ok(Success::Checked)),
            job("long", Lane::System, || {
                to_bad.send(())?;
                let mut sleep = std::process::Command::new("sleep");
                crate::programs::command::run_shown(sleep.arg("600"), &interrupt)?;
                Ok(Success::Checked)
            }),
            job("last", Lane::Last, || Ok(Success::Checked)),
        ]);
        std::fs::remove_dir_all(folder).unwrap();
        assert_eq!(
            report.count(),
            "0 passed, 1 failed, 0 skipped, 1 cut off, 2 not run"
        );
        assert!(report.verdict().is_err());
    }

    #[test]
    fn the_first_failure_ends_the_run_unless_it_is_to_go_on() {
        let jobs = || {
            vec![
                job("good", Lane::System, || Ok(Success::Checked)),
                job("bad", Lane::System, || bail!("no")),
                job("elsewhere", Lane::System, || Ok(Success::Skipped("no network"))),
                job("last", Lane::Last, || Ok(Success::Checked)),
            ]
        };
        let (strict, _) = run("strict", false, jobs());
        assert_eq!(strict.count(), "1 passed, 1 failed, 0 skipped, 2 not run");
        let (patient, _) = run("patient", true, jobs());
        assert_eq!(patient.count(), "2 passed, 1 failed, 1 skipped");
        assert!(patient.verdict().is_err());
    }

    #[test]
    fn the_output_of_each_is_shown_whole_under_its_heading() {
        let ((to_system, from_processor), (to_processor, from_system)) = (channel(), channel());
        let (_, shown) = run(
            "output",
            true,
            vec![
                job("one", Lane::Processor, move || {
                    note("first of one");
                    to_system.send(())?;
                    from_system.recv()?;
                    note("second of one");
                    Ok(Success::Checked)
                }),
                job("two", Lane::System, move || {
                    from_processor.recv()?;
                    crate::programs::command::run_shown(
                        std::process::Command::new("echo").arg("output of a program"),
                        &Interrupt::never(),
                    )?;
                    to_processor.send(())?;
                    bail!("why it failed")
                }),
            ],
        );
        assert!(
            shown.contains("━━ one (0 s)\n  first of one\n  second of one\n"),
            "{shown}"
        );
        assert!(
            shown.contains("━━ two (0 s)\noutput of a program\nwhy it failed\n"),
            "{shown}"
        );
    }
}

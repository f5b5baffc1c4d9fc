//! Injection points: every call through a port is numbered as it is reached, and the schedule says which fault it meets.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::TestClock;
use enrollment::clock::Clock as _;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

use crate::schedule::{Fault, Mode};

/// Injector of one run.
pub(crate) struct Injector {
    clock: Arc<TestClock>,
    start: Timestamp,
    state: Mutex<State>,
}

/// Injection point: one call through a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InjectionPoint {
    /// Name of the call.
    pub(crate) call: &'static str,
    /// Trigger whose delivery made the call.
    pub(crate) trigger: &'static str,
    /// Number of the delivery in its run.
    pub(crate) delivery: usize,
    /// Concurrent actor that could have run at this point.
    pub(crate) actor: Option<&'static str>,
}

#[derive(Default)]
struct State {
    points: Vec<InjectionPoint>,
    deliveries: usize,
    faults: Vec<Fault>,
    trace: Vec<String>,
}

impl Injector {
    /// Times of the trace count from `start`.
    pub(crate) fn new(clock: Arc<TestClock>, start: Timestamp, faults: &[Fault]) -> Arc<Self> {
        let state = State {
            faults: faults.to_vec(),
            ..State::default()
        };
        Arc::new(Self {
            start,
            clock,
            state: Mutex::new(state),
        })
    }

    /// Points in the order in which they were reached.
    pub(crate) fn points(&self) -> Vec<InjectionPoint> {
        self.state().points.clone()
    }

    /// Faults whose point was never reached.
    pub(crate) fn unmet(&self) -> Vec<Fault> {
        self.state().faults.clone()
    }

    /// Trace of the run, line by line.
    pub(crate) fn trace(&self) -> Vec<String> {
        self.state().trace.clone()
    }

    /// Adds a line to the trace.
    pub(crate) fn note(&self, what: &str) {
        let at = self.time();
        self.state().trace.push(format!("{at}        {what}"));
    }

    fn begin_delivery(&self) -> usize {
        let mut state = self.state();
        state.deliveries += 1;
        state.deliveries
    }

    fn reach(&self, execution: &Execution, call: &'static str) -> Option<Mode> {
        let at = self.time();
        let mut state = self.state();
        state.points.push(InjectionPoint {
            call,
            trigger: execution.trigger,
            delivery: execution.delivery,
            actor: execution.actor,
        });
        let point = state.points.len();
        let met = state.faults.iter().position(|fault| fault.point == point);
        let fault = met.map(|place| state.faults.remove(place));
        let what = fault.map_or_else(String::new, |fault| format!("   <- {fault}"));
        let second = if execution.role == Role::Redelivery {
            " (again)"
        } else {
            ""
        };
        let trigger = execution.trigger;
        state
            .trace
            .push(format!("{at} #{point:<4}  {trigger}{second}: {call}{what}"));
        fault.map(|fault| fault.mode)
    }

    fn time(&self) -> String {
        let passed = self.clock.now().duration_since(self.start);
        format!("{:>12.3} s", passed.as_secs_f64())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Execution of one delivery of a trigger: one process.
pub(crate) struct Execution {
    injector: Arc<Injector>,
    rendezvous: Arc<Rendezvous>,
    trigger: &'static str,
    actor: Option<&'static str>,
    delivery: usize,
    /// Role of the process.
    pub(crate) role: Role,
}

/// Role of a process in a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Role {
    /// First delivery of the trigger.
    Original,
    /// Second delivery of the same trigger.
    #[default]
    Redelivery,
    /// Another trigger that runs meanwhile: to its end, or its first step alone.
    ConcurrentActor { only_begins: bool },
}

/// Rendezvous of a delivery and the process that runs beside it.
#[derive(Default)]
struct Rendezvous {
    stopped: Notify,
    second_wanted: Notify,
    first_may_go_on: Notify,
    first_ended: Notify,
    /// Call at which the second process waits.
    crossing: Mutex<Option<&'static str>>,
    /// Role of the second process.
    second: Mutex<Role>,
}

/// Results of a delivery.
pub(crate) struct Delivered<T> {
    /// Result of the first process; `None` where it died.
    pub(crate) first: Option<T>,
    /// Result of the second process, where there was one.
    pub(crate) second: Option<T>,
}

impl Execution {
    /// Identity of the process in its run.
    pub(crate) fn process(&self) -> (usize, Role) {
        (self.delivery, self.role)
    }

    /// Makes one call through a port. A call that times out takes `limit` and returns `failed`.
    pub(crate) async fn effect<T>(
        &self,
        call: &'static str,
        limit: SignedDuration,
        work: impl Future<Output = T>,
        failed: impl FnOnce() -> T,
    ) -> T {
        let mode = self.injector.reach(self, call);
        if self.role != Role::Original && self.rendezvous.is_crossing(call) {
            self.rendezvous.first_may_go_on.notify_one();
            self.rendezvous.first_ended.notified().await;
        }
        match mode {
            None | Some(Mode::Lost) => work.await,
            Some(Mode::StopBefore) => self.die().await,
            Some(Mode::StopAfter) => {
                work.await;
                self.die().await
            }
            Some(Mode::TimeOut) => {
                work.await;
                self.injector.clock.advance(limit);
                failed()
            }
            Some(
                mode @ (Mode::Overtaken
                | Mode::Crossed
                | Mode::ConcurrentBegins
                | Mode::ConcurrentOvertakes
                | Mode::ConcurrentCrosses),
            ) => {
                if matches!(mode, Mode::Crossed | Mode::ConcurrentCrosses) {
                    self.rendezvous.cross_at(call);
                }
                self.rendezvous.want(match mode {
                    Mode::Overtaken | Mode::Crossed => Role::Redelivery,
                    mode => Role::ConcurrentActor {
                        only_begins: mode == Mode::ConcurrentBegins,
                    },
                });
                self.rendezvous.first_may_go_on.notified().await;
                work.await
            }
        }
    }

    /// As [`Self::effect`], for a call that may be lost.
    pub(crate) async fn losable_effect<T>(
        &self,
        call: &'static str,
        limit: SignedDuration,
        work: impl Future<Output = T>,
        failed: impl FnOnce() -> T,
        lost: T,
    ) -> T {
        let next = self.injector.state().points.len() + 1;
        let is_lost = Fault {
            point: next,
            mode: Mode::Lost,
        };
        if self.injector.state().faults.contains(&is_lost) {
            self.injector.reach(self, call);
            lost
        } else {
            self.effect(call, limit, work, failed).await
        }
    }

    /// Ends the process: its future is dropped.
    async fn die<T>(&self) -> T {
        self.rendezvous.stopped.notify_one();
        std::future::pending().await
    }
}

impl Rendezvous {
    fn want(&self, second: Role) {
        *self.second.lock().unwrap_or_else(PoisonError::into_inner) = second;
        self.second_wanted.notify_one();
    }

    fn wanted(&self) -> Role {
        *self.second.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cross_at(&self, call: &'static str) {
        *self.crossing.lock().unwrap_or_else(PoisonError::into_inner) = Some(call);
    }

    fn is_crossing(&self, call: &'static str) -> bool {
        let mut crossing = self.crossing.lock().unwrap_or_else(PoisonError::into_inner);
        crossing.take_if(|crossing| *crossing == call).is_some()
    }
}

/// Delivers a trigger: once, or where the schedule says so, twice or beside a concurrent actor.
pub(crate) async fn deliver<T>(
    injector: &Arc<Injector>,
    trigger: &'static str,
    actor: Option<&'static str>,
    run: impl AsyncFn(Execution) -> T,
) -> Delivered<T> {
    let rendezvous = Arc::new(Rendezvous::default());
    let delivery = injector.begin_delivery();
    let execution = |role| Execution {
        injector: Arc::clone(injector),
        rendezvous: Arc::clone(&rendezvous),
        trigger: actor
            .filter(|_| matches!(role, Role::ConcurrentActor { .. }))
            .unwrap_or(trigger),
        actor: actor.filter(|_| role == Role::Original),
        delivery,
        role,
    };
    let first = async {
        let ended = tokio::select! {
            biased;
            ended = run(execution(Role::Original)) => Some(ended),
            () = rendezvous.stopped.notified() => None,
        };
        rendezvous.first_ended.notify_one();
        ended
    };
    let second = async {
        tokio::select! {
            biased;
            () = rendezvous.second_wanted.notified() => {}
            () = rendezvous.first_ended.notified() => return None,
        }
        let ended = run(execution(rendezvous.wanted())).await;
        rendezvous.first_may_go_on.notify_one();
        Some(ended)
    };
    let (first, second) = tokio::join!(first, second);
    Delivered { first, second }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: SignedDuration = SignedDuration::from_secs(8);

    /// A flow of three calls, whose work is recorded.
    async fn run(faults: &[Fault]) -> (Option<u32>, Option<u32>, Vec<String>) {
        let injector = Injector::new(Arc::default(), Timestamp::UNIX_EPOCH, faults);
        let done = Mutex::new(Vec::new());
        let delivered = deliver(&injector, "flow", Some("actor"), async |execution: Execution| {
            let name = match execution.role {
                Role::Original => "first",
                Role::Redelivery => "again",
                Role::ConcurrentActor { .. } => "actor",
            };
            let mut failed = 0;
            for call in ["a", "b", "c"] {
                let work = async {
                    done.lock().unwrap().push(format!("{name} {call}"));
                    true
                };
                failed += u32::from(!execution.effect(call, LIMIT, work, || false).await);
            }
            failed
        })
        .await;
        (delivered.first, delivered.second, done.into_inner().unwrap())
    }

    fn at(point: usize, mode: Mode) -> [Fault; 1] {
        [Fault { point, mode }]
    }

    #[tokio::test]
    async fn a_dead_process_does_nothing_more() {
        assert_eq!(
            run(&at(2, Mode::StopBefore)).await,
            (None, None, vec!["first a".into()])
        );
        let (first, _, done) = run(&at(2, Mode::StopAfter)).await;
        assert_eq!((first, done.len()), (None, 2));
    }

    #[tokio::test]
    async fn a_call_that_times_out_did_its_work() {
        let (first, second, done) = run(&at(2, Mode::TimeOut)).await;
        assert_eq!((first, second, done.len()), (Some(1), None, 3));
    }

    #[tokio::test]
    async fn the_second_delivery_overtakes_the_first_or_crosses_its_way() {
        let (_, second, done) = run(&at(2, Mode::Overtaken)).await;
        assert_eq!(second, Some(0));
        assert_eq!(
            done,
            ["first a", "again a", "again b", "again c", "first b", "first c"]
        );
        let (_, second, done) = run(&at(2, Mode::Crossed)).await;
        assert_eq!(second, Some(0));
        assert_eq!(
            done,
            ["first a", "again a", "first b", "first c", "again b", "again c"]
        );
    }

    #[tokio::test]
    async fn what_comes_from_elsewhere_overtakes_it_or_crosses_its_way() {
        let (_, actor, done) = run(&at(2, Mode::ConcurrentOvertakes)).await;
        assert_eq!(actor, Some(0));
        assert_eq!(
            done,
            ["first a", "actor a", "actor b", "actor c", "first b", "first c"]
        );
        let (_, _, done) = run(&at(2, Mode::ConcurrentCrosses)).await;
        assert_eq!(
            done,
            ["first a", "actor a", "first b", "first c", "actor b", "actor c"]
        );
    }
}

//! The points: each call through a port is numbered as it is reached, and the plan says what becomes of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::TestClock;
use enrollment::clock::Clock as _;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

use crate::schedule::{Fault, Mode};

/// All effects of one run.
pub(crate) struct Injector {
    clock: Arc<TestClock>,
    start: Timestamp,
    state: Mutex<State>,
}

/// A point as it was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InjectionPoint {
    /// The call.
    pub(crate) call: &'static str,
    /// Whose call: one delivery of that trigger.
    pub(crate) trigger: &'static str,
    /// The number of the delivery in its run.
    pub(crate) delivery: usize,
    /// What could have come from elsewhere meanwhile.
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
    /// The trace's times count from `start`.
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

    /// The calls, in the order in which they were reached.
    pub(crate) fn points(&self) -> Vec<InjectionPoint> {
        self.state().points.clone()
    }

    /// The faults that no call ran into.
    pub(crate) fn unmet(&self) -> Vec<Fault> {
        self.state().faults.clone()
    }

    /// What happened, line by line.
    pub(crate) fn trace(&self) -> Vec<String> {
        self.state().trace.clone()
    }

    /// Adds a line of the driver's own.
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

/// The course of one delivery of a trigger: one process, as it were.
pub(crate) struct Execution {
    injector: Arc<Injector>,
    rendezvous: Arc<Rendezvous>,
    trigger: &'static str,
    actor: Option<&'static str>,
    delivery: usize,
    /// Whose course it is.
    pub(crate) role: Role,
}

/// Who runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Role {
    /// The delivery.
    Original,
    /// Its second coming.
    #[default]
    Redelivery,
    /// What comes from elsewhere: only its beginning, or up to its end.
    ConcurrentActor { only_begins: bool },
}

/// Where a delivery, who watches over it, and its second coming wait for each other.
#[derive(Default)]
struct Rendezvous {
    stopped: Notify,
    second_wanted: Notify,
    first_may_go_on: Notify,
    first_ended: Notify,
    /// The call that the second one waits at.
    crossing: Mutex<Option<&'static str>>,
    /// Who the second one is.
    second: Mutex<Role>,
}

/// What came of a delivery.
pub(crate) struct Delivered<T> {
    /// `None`: the process died.
    pub(crate) first: Option<T>,
    /// Where the trigger came twice, or something else came meanwhile.
    pub(crate) second: Option<T>,
}

impl Execution {
    /// Tells the process from all others of the run.
    pub(crate) fn process(&self) -> (usize, Role) {
        (self.delivery, self.role)
    }

    /// One call through a port. `limit` is how long it takes where it times out, `failed` what it then says.
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

    /// A call that may be lost on its way.
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

    /// Whoever runs this course drops it now.
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

/// Delivers a trigger: once, or where the plan says so at a point of its course, twice or with its rival.
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

    /// A flow of three calls; what it did is written down.
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

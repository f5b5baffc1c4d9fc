//! One run of an issuer: calls and messages are delivered and time advances until nothing is due.

use std::cell::RefCell;

use enrollment::clock::Clock as _;
use enrollment::ports::StoreError;
use enrollment::time::later;
use jiff::{SignedDuration, Timestamp};

use super::back_end::BackEnd;
use super::fixture::BatchFixture;
use super::invariants;
use super::scenario::{
    ANOTHER_CALL, Act, CALLING, CALLING_FOR_DELETION, DELETING, IssuerScenario, POLLING, SUBMITTING,
};
use crate::fixture::{SharedFixture, start};
use crate::injection::{Execution, Role, deliver};
use crate::queues::{Message, Named};
use crate::run::{RunResult, SWEEP_INTERVAL, first_at};
use crate::scenario::{CONFIRMING, SETTLING, SWEEP};
use crate::schedule::Fault;

/// Time limit of a run.
const BOUND: SignedDuration = SignedDuration::from_hours(9 * 24);
/// Most triggers of one run.
const MOST_STEPS: usize = 1000;
/// A back end runs beside a trigger where its next call is due by then.
const SOON: SignedDuration = SignedDuration::from_mins(5);

/// Runs a scenario with these faults, and checks its invariants.
pub(crate) async fn run(
    shared: &SharedFixture,
    scenario: &'static IssuerScenario,
    faults: &[Fault],
    seed: u64,
) -> RunResult {
    let fixture = BatchFixture::new(shared, scenario, faults, seed).await;
    let ended = Driver::new(&fixture).drive().await;
    let mut wrong = fixture.base.observations.seen().wrong;
    match ended {
        Ok(()) => wrong.extend(invariants::of(&fixture, faults).await),
        Err(endless) => wrong.push(endless),
    }
    let unmet = fixture.base.injector.unmet();
    wrong.extend(unmet.iter().map(|fault| format!("{fault} was never reached")));
    RunResult {
        points: fixture.base.injector.points(),
        wrong,
        trace: fixture.base.injector.trace(),
    }
}

enum Trigger {
    /// Call of a back end.
    Call(usize, Act),
    Message(Message),
    Sweep,
}

#[derive(Clone, Copy)]
enum Next {
    Call(usize, Act),
    Message,
    Sweep,
}

#[derive(Clone, Copy)]
enum ConcurrentActor {
    BackEnd(usize),
    Sweep,
}

impl ConcurrentActor {
    fn name(self) -> &'static str {
        match self {
            Self::BackEnd(_) => ANOTHER_CALL,
            Self::Sweep => SWEEP,
        }
    }
}

impl Trigger {
    fn name(&self) -> &'static str {
        match self {
            Self::Call(_, Act::Send(_) | Act::Read) => CALLING,
            Self::Call(_, Act::DeleteCard(_) | Act::DeleteConsumer(_)) => CALLING_FOR_DELETION,
            Self::Message(message) => match message.named {
                Named::Intent(_) => SETTLING,
                Named::Confirmation(_) => CONFIRMING,
                Named::BatchSubmission(_) => SUBMITTING,
                Named::BatchPoll(_) => POLLING,
                Named::Deletion(_) => DELETING,
            },
            Self::Sweep => SWEEP,
        }
    }
}

struct Driver<'a> {
    fixture: &'a BatchFixture<'a>,
    back_ends: Vec<RefCell<BackEnd>>,
    swept: Timestamp,
}

impl<'a> Driver<'a> {
    fn new(fixture: &'a BatchFixture<'a>) -> Self {
        let back_ends = fixture.scenario.back_ends.iter();
        Self {
            fixture,
            back_ends: back_ends.map(|steps| RefCell::new(BackEnd::new(steps))).collect(),
            swept: start(),
        }
    }

    async fn drive(mut self) -> Result<(), String> {
        for _ in 0..MOST_STEPS {
            let Some((at, next)) = self.next().await else {
                return Ok(());
            };
            if at > later(start(), BOUND) {
                return Err(format!("it has no end within {BOUND:#}"));
            }
            self.fixture.base.clock.advance_to(at);
            match next {
                Next::Call(back_end, act) => self.call(back_end, act).await,
                Next::Message => self.message().await,
                Next::Sweep => {
                    self.swept = self.fixture.base.clock.now();
                    // The next one follows a minute later, whatever the result.
                    self.deliver(&Trigger::Sweep).await;
                }
            }
        }
        Err(format!("it has no end after {MOST_STEPS} triggers"))
    }

    /// Next trigger. Sweeps that would find nothing are skipped.
    async fn next(&self) -> Option<(Timestamp, Next)> {
        let calls = (0..).zip(&self.back_ends).filter_map(|(number, back_end)| {
            let (at, act) = back_end.borrow().next()?;
            Some((at, Next::Call(number, act)))
        });
        let message = self.fixture.base.queues.next();
        let soonest = calls
            .chain(message.map(|at| (at, Next::Message)))
            .min_by_key(|(at, _)| *at);
        let first_sweep = later(self.swept, SWEEP_INTERVAL);
        if let Some((at, _)) = &soonest
            && *at < first_sweep
        {
            return soonest;
        }
        let now = self.fixture.base.clock.now();
        let sweep = self.fixture.due().await.map(|due| {
            let at = first_at(due.max(now), SWEEP_INTERVAL).max(first_sweep);
            (at, Next::Sweep)
        });
        soonest.into_iter().chain(sweep).min_by_key(|(at, _)| *at)
    }

    async fn call(&self, back_end: usize, act: Act) {
        let first = self.deliver(&Trigger::Call(back_end, act)).await;
        self.called(back_end, first.as_ref());
    }

    fn called(&self, back_end: usize, result: Option<&Result<(), StoreError>>) {
        let now = self.fixture.base.clock.now();
        let is_answered = matches!(result, Some(Ok(())));
        self.back_ends[back_end].borrow_mut().called(is_answered, now);
    }

    async fn message(&self) {
        let Some(message) = self.fixture.base.queues.take() else {
            return;
        };
        let first = self.deliver(&Trigger::Message(message.clone())).await;
        if !matches!(first, Some(Ok(()))) {
            self.fixture.base.queues.put_back(message);
        }
    }

    /// Delivers a trigger, and returns the result of the first process.
    async fn deliver(&self, trigger: &Trigger) -> Option<Result<(), StoreError>> {
        let actor = self.actor_during(trigger);
        let delivered = deliver(
            &self.fixture.base.injector,
            trigger.name(),
            actor.map(ConcurrentActor::name),
            async |execution: Execution| match (execution.role, actor) {
                (Role::ConcurrentActor { .. }, Some(actor)) => self.compete(actor, &execution).await,
                _ => self.run(trigger, &execution).await,
            },
        )
        .await;
        delivered.first
    }

    async fn run(&self, trigger: &Trigger, execution: &Execution) -> Result<(), StoreError> {
        let fixture = self.fixture;
        match trigger {
            Trigger::Call(_, act) => fixture.call(execution, *act).await,
            Trigger::Message(message) => match &message.named {
                Named::Intent(id) => fixture.base.settle(execution, *id).await,
                Named::Confirmation(id) => fixture.base.confirm(execution, id).await,
                Named::BatchSubmission(id) => fixture.submit(execution, *id).await,
                Named::BatchPoll(id) => fixture.poll(execution, *id).await,
                Named::Deletion(key) => fixture.settle_deletion(execution, key).await,
            },
            Trigger::Sweep => fixture.sweep(execution).await,
        }
    }

    /// Runs a concurrent actor: the next call of a back end, or a sweep.
    async fn compete(&self, actor: ConcurrentActor, execution: &Execution) -> Result<(), StoreError> {
        let back_end = match actor {
            ConcurrentActor::BackEnd(back_end) => back_end,
            ConcurrentActor::Sweep => return self.fixture.sweep(execution).await,
        };
        let next = self.back_ends[back_end].borrow().next();
        let Some((_, act)) = next else {
            return Ok(());
        };
        let result = self.fixture.call(execution, act).await;
        self.called(back_end, Some(&result));
        result
    }

    fn actor_during(&self, trigger: &Trigger) -> Option<ConcurrentActor> {
        let soon = later(self.fixture.base.clock.now(), SOON);
        let own = match trigger {
            Trigger::Call(number, _) => Some(*number),
            _ => None,
        };
        let is_due = |number: &usize| {
            let next = self.back_ends[*number].borrow().next();
            Some(*number) != own && next.is_some_and(|(at, _)| at <= soon)
        };
        let back_end = (0..self.back_ends.len())
            .find(is_due)
            .map(ConcurrentActor::BackEnd);
        match trigger {
            Trigger::Call(..) | Trigger::Sweep => back_end,
            Trigger::Message(_) => back_end.or(Some(ConcurrentActor::Sweep)),
        }
    }
}

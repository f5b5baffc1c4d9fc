//! One run: triggers are delivered and time advances until nothing is due.

mod due;
mod trigger;

use std::cell::RefCell;

use enrollment::clock::Clock as _;
use enrollment::flows::submit::SubmitError;
use enrollment::session;
use enrollment::time::later;
use jiff::{SignedDuration, Timestamp};

use crate::browser::{Act, Page};
use crate::fixture::{Fixture, SharedFixture, start};
use crate::injection::{Execution, InjectionPoint, Role, deliver};
use crate::invariants;
use crate::queues::Named;
use crate::scenario::Scenario;
use crate::schedule::Fault;

use due::Due;
use trigger::{ConcurrentActor, Next, Trigger, TriggerResult};

pub(crate) const SWEEP_INTERVAL: SignedDuration = SignedDuration::from_secs(60);
const PURGE_INTERVAL: SignedDuration = SignedDuration::from_hours(1);
/// Time limits of a run, without and with a purge: a late card is looked for for a week.
const BOUND: SignedDuration = SignedDuration::from_hours(9 * 24);
const BOUND_OF_PURGE: SignedDuration = SignedDuration::from_hours(60 * 24);
/// Most triggers of one run.
const MOST_STEPS: usize = 1000;
/// Number of equal sweeps after which the next one is a week later: so long a late card is looked for.
const SWEEPS_ALIKE: usize = 5;
const REST: SignedDuration = SignedDuration::from_hours(7 * 24 + 1);
/// Number of equal purges after which the next one is a day later.
const PURGES_ALIKE: usize = 2;
const REST_OF_PURGE: SignedDuration = SignedDuration::from_hours(24);

/// Result of a run.
pub(crate) struct RunResult {
    /// Injection points.
    pub(crate) points: Vec<InjectionPoint>,
    /// Violated invariants.
    pub(crate) wrong: Vec<String>,
    /// Trace.
    pub(crate) trace: Vec<String>,
}

/// Runs a scenario with these faults, and checks its invariants.
pub(crate) async fn run(
    shared: &SharedFixture,
    scenario: &Scenario,
    faults: &[Fault],
    seed: u64,
) -> RunResult {
    let fixture = Fixture::new(shared, scenario, faults, seed).await;
    let ended = Driver::new(&fixture, scenario).drive().await;
    let mut wrong = fixture.observations.seen().wrong;
    match ended {
        Ok(()) => wrong.extend(invariants::of(&fixture, scenario, faults).await),
        Err(endless) => wrong.push(endless),
    }
    // A run reaches the same points each time.
    wrong.extend(
        fixture
            .injector
            .unmet()
            .iter()
            .map(|fault| format!("{fault} was never reached")),
    );
    RunResult {
        points: fixture.injector.points(),
        wrong,
        trace: fixture.injector.trace(),
    }
}

struct Driver<'a> {
    fixture: &'a Fixture<'a>,
    scenario: &'a Scenario,
    tabs: Vec<Tab>,
    swept: Timestamp,
    sweeps: Repetition,
    /// Time of the last purge, or the end of the pause after equal ones.
    purged: Timestamp,
    purges: Repetition,
    /// Due work at the last trigger.
    due: Due,
}

/// Browser of a tab.
struct Tab {
    page: RefCell<Page>,
    has_looked: bool,
}

/// Calls of the last sweep or purge, and the number of equal ones before it.
#[derive(Default)]
struct Repetition {
    calls: Vec<&'static str>,
    count: usize,
}

impl Repetition {
    fn add(&mut self, calls: Vec<&'static str>) -> usize {
        if calls == self.calls {
            self.count += 1;
        } else {
            *self = Self { calls, count: 0 };
        }
        self.count
    }
}

impl<'a> Driver<'a> {
    fn new(fixture: &'a Fixture<'a>, scenario: &'a Scenario) -> Self {
        let tabs = scenario.tabs.iter().map(|tab| Tab {
            page: RefCell::new(Page::new(tab.page, later(start(), tab.comes))),
            has_looked: false,
        });
        Self {
            fixture,
            scenario,
            tabs: tabs.collect(),
            swept: start(),
            sweeps: Repetition::default(),
            purged: start(),
            purges: Repetition::default(),
            due: Due::default(),
        }
    }

    async fn drive(mut self) -> Result<(), String> {
        let bound = if self.scenario.is_purged {
            BOUND_OF_PURGE
        } else {
            BOUND
        };
        for _ in 0..MOST_STEPS {
            let Some((at, next)) = self.next().await else {
                return Ok(());
            };
            if at > later(start(), bound) {
                return Err(format!("it has no end within {bound:#}"));
            }
            self.fixture.clock.advance_to(at);
            if matches!(next, Next::Tab(..) | Next::Message) {
                (self.sweeps, self.purges) = (Repetition::default(), Repetition::default());
            }
            match next {
                Next::Tab(tab, act) => self.tab(tab, act).await,
                Next::Message => self.message().await,
                Next::Sweep => self.sweep().await,
                Next::Purge => self.purge().await,
            }
        }
        Err(format!("it has no end after {MOST_STEPS} triggers"))
    }

    /// Next trigger. Sweeps and purges that would find nothing are skipped.
    async fn next(&mut self) -> Option<(Timestamp, Next)> {
        let tabs = (0..).zip(&self.tabs).filter_map(|(number, tab)| {
            let (at, act) = tab.page.borrow().next()?;
            Some((at, Next::Tab(number, act)))
        });
        let message = self.fixture.queues.next().map(|at| (at, Next::Message));
        let soonest = tabs.chain(message).min_by_key(|(at, _)| *at);
        let now = self.fixture.clock.now();
        let first_sweep = later(self.swept, SWEEP_INTERVAL);
        if let Some((at, _)) = &soonest
            && *at < first_sweep
        {
            return soonest;
        }
        self.due = Due::read(self.fixture, self.scenario).await;
        self.look_at_the_end().await;
        let sweep = self
            .due
            .sweep
            .map(|due| (self.sweep_at(due.max(now)), Next::Sweep));
        let purge = self
            .due
            .purge
            .map(|due| (self.purge_at(due.max(now)), Next::Purge));
        soonest
            .into_iter()
            .chain(sweep)
            .chain(purge)
            .min_by_key(|(at, _)| *at)
    }

    /// Time of the first sweep at `due` or later.
    fn sweep_at(&self, due: Timestamp) -> Timestamp {
        first_at(due, SWEEP_INTERVAL).max(later(self.swept, SWEEP_INTERVAL))
    }

    fn purge_at(&self, due: Timestamp) -> Timestamp {
        first_at(due, PURGE_INTERVAL).max(later(self.purged, PURGE_INTERVAL))
    }

    async fn tab(&self, tab: usize, act: Act) {
        if act == Act::Enter {
            self.fixture.enter(tab).await;
            self.answer(tab, act, Some(&TriggerResult::Entered));
            return;
        }
        let (first, second) = self.deliver(&Trigger::Tab(tab, act)).await;
        if let Some(again) = &second {
            self.check(again);
        }
        self.answer(tab, act, first.as_ref());
    }

    /// Passes an answer to a page.
    fn answer(&self, tab: usize, act: Act, result: Option<&TriggerResult>) {
        let now = self.fixture.clock.now();
        let mut page = self.tabs[tab].page.borrow_mut();
        if let Some(result) = result {
            self.check(result);
        }
        match (act, result) {
            (Act::Enter, _) => page.entered(now),
            (Act::Open, Some(TriggerResult::Opened(answer))) => page.opened(Some(answer), now),
            (Act::Open, _) => page.opened(None, now),
            (Act::Submit(submission), Some(TriggerResult::SubmitResponse(answer))) => {
                page.submitted(submission, Some(answer), now);
            }
            (Act::Submit(submission), _) => page.submitted(submission, None, now),
        }
    }

    /// Checks that the page was not refused for a malformed submission.
    fn check(&self, result: &TriggerResult) {
        if let TriggerResult::SubmitResponse(Err(
            refused @ (SubmitError::WrongAction(_) | SubmitError::Invalid(_) | SubmitError::KeyReused),
        )) = result
        {
            self.fixture
                .observations
                .wrong(format!("the page got: {refused}"));
        }
    }

    async fn message(&self) {
        let Some(message) = self.fixture.queues.take() else {
            return;
        };
        let (first, _) = self.deliver(&Trigger::Message(message.clone())).await;
        if !matches!(first, Some(TriggerResult::Done(Ok(())))) {
            self.fixture.queues.put_back(message);
        }
    }

    async fn sweep(&mut self) {
        self.swept = self.fixture.clock.now();
        // The next one follows a minute later, whatever the result.
        let alike = self.sweeps.add(self.calls_of(&Trigger::Sweep).await);
        let rested = later(start(), REST);
        if alike == SWEEPS_ALIKE && self.swept < rested {
            self.fixture.injector.note("no sweep for a week");
            self.swept = rested;
        }
    }

    async fn purge(&mut self) {
        self.purged = self.fixture.clock.now();
        let alike = self.purges.add(self.calls_of(&Trigger::Purge).await);
        if alike >= PURGES_ALIKE {
            self.fixture.injector.note("no purge for a day");
            self.purged = later(self.purged, REST_OF_PURGE);
        }
    }

    async fn calls_of(&self, trigger: &Trigger) -> Vec<&'static str> {
        let before = self.fixture.injector.points().len();
        self.deliver(trigger).await;
        let points = self.fixture.injector.points();
        points[before..].iter().map(|point| point.call).collect()
    }

    /// Delivers a trigger, and returns the results of both processes.
    async fn deliver(&self, trigger: &Trigger) -> (Option<TriggerResult>, Option<TriggerResult>) {
        let actor = self.actor_during(trigger);
        let delivered = deliver(
            &self.fixture.injector,
            trigger.name(),
            actor.map(ConcurrentActor::name),
            async |execution: Execution| match (execution.role, actor) {
                (Role::ConcurrentActor { only_begins }, Some(actor)) => {
                    self.compete(actor, only_begins, &execution).await
                }
                _ => self.run(trigger, &execution).await,
            },
        )
        .await;
        (delivered.first, delivered.second)
    }

    async fn run(&self, trigger: &Trigger, execution: &Execution) -> TriggerResult {
        let fixture = self.fixture;
        match trigger {
            Trigger::Tab(tab, act) => self.act(*tab, *act, execution).await,
            Trigger::Message(message) => TriggerResult::Done(match &message.named {
                Named::Intent(id) => fixture.settle(execution, *id).await,
                Named::Confirmation(id) => fixture.confirm(execution, id).await,
                Named::BatchSubmission(_) | Named::BatchPoll(_) | Named::Deletion(_) => {
                    fixture
                        .observations
                        .wrong("a customer's run sent an issuer's message".to_owned());
                    Ok(())
                }
            }),
            Trigger::Sweep => TriggerResult::Done(fixture.sweep(execution).await),
            Trigger::Purge => TriggerResult::Done(fixture.purge(execution).await),
        }
    }

    async fn act(&self, tab: usize, act: Act, execution: &Execution) -> TriggerResult {
        match act {
            Act::Enter => {
                self.fixture.enter(tab).await;
                TriggerResult::Entered
            }
            Act::Open => TriggerResult::Opened(self.fixture.describe(execution, tab).await),
            Act::Submit(submission) => {
                TriggerResult::SubmitResponse(self.fixture.submit(execution, tab, submission).await)
            }
        }
    }

    /// Runs a concurrent actor: another tab up to the answer to its submission or for one step, a sweep, a purge.
    async fn compete(
        &self,
        actor: ConcurrentActor,
        only_begins: bool,
        execution: &Execution,
    ) -> TriggerResult {
        let tab = match actor {
            ConcurrentActor::Tab(tab) => tab,
            ConcurrentActor::Sweep => return TriggerResult::Done(self.fixture.sweep(execution).await),
            ConcurrentActor::Purge => return TriggerResult::Done(self.fixture.purge(execution).await),
        };
        loop {
            let next = self.tabs[tab].page.borrow().next();
            let Some((_, act)) = next else {
                return TriggerResult::Done(Ok(()));
            };
            let result = self.act(tab, act, execution).await;
            self.answer(tab, act, Some(&result));
            if only_begins || matches!(act, Act::Submit(_)) {
                return TriggerResult::Done(Ok(()));
            }
        }
    }

    /// Actor that is due within the hour.
    fn actor_during(&self, trigger: &Trigger) -> Option<ConcurrentActor> {
        let soon = later(self.fixture.clock.now(), PURGE_INTERVAL);
        let own = match trigger {
            Trigger::Tab(tab, _) => Some(*tab),
            _ => None,
        };
        let other = (0..self.tabs.len()).filter(|tab| Some(*tab) != own).find(|tab| {
            let next = self.tabs[*tab].page.borrow().next();
            next.is_some_and(|(at, _)| at <= soon)
        });
        let is_purge_due = self.due.purge.is_some_and(|due| due <= soon);
        match trigger {
            Trigger::Tab(..) => other
                .map(ConcurrentActor::Tab)
                .or_else(|| is_purge_due.then_some(ConcurrentActor::Purge)),
            Trigger::Purge => other
                .map(ConcurrentActor::Tab)
                .or_else(|| self.due.sweep.map(|_| ConcurrentActor::Sweep)),
            Trigger::Message(_) | Trigger::Sweep => is_purge_due.then_some(ConcurrentActor::Purge),
        }
    }

    /// Checks the page of a closed browser, opened again, once all intents have their outcome.
    async fn look_at_the_end(&mut self) {
        let fixture = self.fixture;
        if self.due.is_open {
            return;
        }
        for (number, tab) in self.tabs.iter_mut().enumerate() {
            let until = later(fixture.visits[number].session.expires_at, session::GRACE);
            if tab.has_looked || tab.page.borrow().next().is_some() || fixture.clock.now() >= until {
                continue;
            }
            tab.has_looked = true;
            fixture.injector.note("the page is looked at again");
            let shown = fixture.description(number).await;
            if let Some(wrong) = invariants::of_page(fixture, self.scenario, number, &shown).await {
                fixture.observations.wrong(wrong);
            }
        }
    }
}

/// End of the first whole interval since the start at `due` or later.
pub(crate) fn first_at(due: Timestamp, interval: SignedDuration) -> Timestamp {
    let since = due.duration_since(start()).as_millis();
    let interval = interval.as_millis();
    let number = (since + interval - 1) / interval;
    let passed = i64::try_from(number * interval).expect("some days");
    later(start(), SignedDuration::from_millis(passed))
}

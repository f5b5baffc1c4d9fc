//! One run: triggers come, processes die, time goes on, until nothing is left to do.

mod due;
mod trigger;

use std::cell::RefCell;

use enrollment::clock::Clock as _;
use enrollment::flows::submit::SubmitError;
use enrollment::session;
use enrollment::time::later;
use jiff::{SignedDuration, Timestamp};

use crate::effects::{Course, Point, Turn, deliver};
use crate::page::{Act, Page};
use crate::plan::Fault;
use crate::queues::Named;
use crate::scenario::Scenario;
use crate::stage::{Ground, Stage, start};
use crate::verdict;

use due::Due;
use trigger::{Came, Next, Rival, Trigger};

const SWEEP_INTERVAL: SignedDuration = SignedDuration::from_secs(60);
const PURGE_INTERVAL: SignedDuration = SignedDuration::from_hours(1);
/// Everything has its end within this: a late enrollment is searched for a week. Where there is a purge, it comes after that.
const BOUND: SignedDuration = SignedDuration::from_hours(9 * 24);
const BOUND_OF_PURGE: SignedDuration = SignedDuration::from_hours(60 * 24);
/// Triggers in one run.
const MOST_STEPS: usize = 1000;
/// After so many sweeps one after the other that did the very same, there is none for a week: so long a look for what is
/// not there goes on, and one look more of them shows nothing new.
const SWEEPS_ALIKE: usize = 5;
const REST: SignedDuration = SignedDuration::from_hours(7 * 24 + 1);
/// After so many purges that did the very same, the next is that of the next day.
const PURGES_ALIKE: usize = 2;
const REST_OF_PURGE: SignedDuration = SignedDuration::from_hours(24);

/// What a run showed.
pub(crate) struct Ran {
    /// Its points.
    pub(crate) points: Vec<Point>,
    /// What must not be.
    pub(crate) wrong: Vec<String>,
    /// What happened.
    pub(crate) trace: Vec<String>,
}

/// Runs a scenario with these faults, and judges how it ended.
pub(crate) async fn run(ground: &Ground, scenario: &Scenario, faults: &[Fault], seed: u64) -> Ran {
    let stage = Stage::new(ground, scenario, faults, seed).await;
    let ended = Driver::new(&stage, scenario).drive().await;
    let mut wrong = stage.observed.seen().wrong;
    match ended {
        Ok(()) => wrong.extend(verdict::of(&stage, scenario, faults).await),
        Err(endless) => wrong.push(endless),
    }
    // A run comes to the same points each time.
    wrong.extend(
        stage
            .effects
            .unmet()
            .iter()
            .map(|fault| format!("{fault} was never reached")),
    );
    Ran {
        points: stage.effects.points(),
        wrong,
        trace: stage.effects.trace(),
    }
}

struct Driver<'a> {
    stage: &'a Stage<'a>,
    scenario: &'a Scenario,
    tabs: Vec<Tab>,
    swept: Timestamp,
    sweeps: Alike,
    /// When the last purge was, and from when on there is one again.
    purged: Timestamp,
    purges: Alike,
    /// As it was when the last trigger came.
    due: Due,
}

/// A browser.
struct Tab {
    page: RefCell<Page>,
    has_looked: bool,
}

/// The calls of the last sweep or purge, and how many before it did the same.
#[derive(Default)]
struct Alike {
    calls: Vec<&'static str>,
    count: usize,
}

impl Alike {
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
    fn new(stage: &'a Stage<'a>, scenario: &'a Scenario) -> Self {
        let tabs = scenario.tabs.iter().map(|tab| Tab {
            page: RefCell::new(Page::new(tab.page, later(start(), tab.comes))),
            has_looked: false,
        });
        Self {
            stage,
            scenario,
            tabs: tabs.collect(),
            swept: start(),
            sweeps: Alike::default(),
            purged: start(),
            purges: Alike::default(),
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
            self.stage.clock.advance_to(at);
            if matches!(next, Next::Tab(..) | Next::Message) {
                (self.sweeps, self.purges) = (Alike::default(), Alike::default());
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

    /// Sweeps and purges that find nothing are left out: what is due next stands in the tables.
    async fn next(&mut self) -> Option<(Timestamp, Next)> {
        let tabs = (0..).zip(&self.tabs).filter_map(|(number, tab)| {
            let (at, act) = tab.page.borrow().next()?;
            Some((at, Next::Tab(number, act)))
        });
        let message = self.stage.queues.next().map(|at| (at, Next::Message));
        let soonest = tabs.chain(message).min_by_key(|(at, _)| *at);
        let now = self.stage.clock.now();
        let first_sweep = later(self.swept, SWEEP_INTERVAL);
        if let Some((at, _)) = &soonest
            && *at < first_sweep
        {
            return soonest;
        }
        self.due = Due::read(self.stage, self.scenario).await;
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

    /// The first sweep at `due` or after it.
    fn sweep_at(&self, due: Timestamp) -> Timestamp {
        first_at(due, SWEEP_INTERVAL).max(later(self.swept, SWEEP_INTERVAL))
    }

    fn purge_at(&self, due: Timestamp) -> Timestamp {
        first_at(due, PURGE_INTERVAL).max(later(self.purged, PURGE_INTERVAL))
    }

    async fn tab(&self, tab: usize, act: Act) {
        if act == Act::Enter {
            self.stage.enter(tab).await;
            self.answer(tab, act, Some(&Came::Entered));
            return;
        }
        let (first, second) = self.deliver(&Trigger::Tab(tab, act)).await;
        if let Some(again) = &second {
            self.check(again);
        }
        self.answer(tab, act, first.as_ref());
    }

    /// Gives a page its answer.
    fn answer(&self, tab: usize, act: Act, came: Option<&Came>) {
        let now = self.stage.clock.now();
        let mut page = self.tabs[tab].page.borrow_mut();
        if let Some(came) = came {
            self.check(came);
        }
        match (act, came) {
            (Act::Enter, _) => page.entered(now),
            (Act::Open, Some(Came::Opened(answer))) => page.opened(Some(answer), now),
            (Act::Open, _) => page.opened(None, now),
            (Act::Submit(submission), Some(Came::SubmitResponse(answer))) => {
                page.submitted(submission, Some(answer), now);
            }
            (Act::Submit(submission), _) => page.submitted(submission, None, now),
        }
    }

    /// The page submits nothing that may be refused.
    fn check(&self, came: &Came) {
        if let Came::SubmitResponse(Err(
            refused @ (SubmitError::WrongAction(_) | SubmitError::Invalid(_) | SubmitError::KeyReused),
        )) = came
        {
            self.stage.observed.wrong(format!("the page was told: {refused}"));
        }
    }

    async fn message(&self) {
        let Some(message) = self.stage.queues.take() else {
            return;
        };
        let (first, _) = self.deliver(&Trigger::Message(message.clone())).await;
        if !matches!(first, Some(Came::Done(Ok(())))) {
            self.stage.queues.put_back(message);
        }
    }

    async fn sweep(&mut self) {
        self.swept = self.stage.clock.now();
        // The next one comes in a minute, however this one ends.
        let alike = self.sweeps.add(self.calls_of(&Trigger::Sweep).await);
        let rested = later(start(), REST);
        if alike == SWEEPS_ALIKE && self.swept < rested {
            self.stage.effects.note("no sweep for a week");
            self.swept = rested;
        }
    }

    async fn purge(&mut self) {
        self.purged = self.stage.clock.now();
        let alike = self.purges.add(self.calls_of(&Trigger::Purge).await);
        if alike >= PURGES_ALIKE {
            self.stage.effects.note("no purge for a day");
            self.purged = later(self.purged, REST_OF_PURGE);
        }
    }

    async fn calls_of(&self, trigger: &Trigger) -> Vec<&'static str> {
        let before = self.stage.effects.points().len();
        self.deliver(trigger).await;
        let points = self.stage.effects.points();
        points[before..].iter().map(|point| point.call).collect()
    }

    /// Delivers a trigger. Gives what came of it, and of its second coming.
    async fn deliver(&self, trigger: &Trigger) -> (Option<Came>, Option<Came>) {
        let rival = self.rival_of(trigger);
        let delivered = deliver(
            &self.stage.effects,
            trigger.name(),
            rival.map(Rival::name),
            async |course: Course| match (course.turn, rival) {
                (Turn::Rival { only_begins }, Some(rival)) => self.compete(rival, only_begins, &course).await,
                _ => self.run(trigger, &course).await,
            },
        )
        .await;
        (delivered.first, delivered.second)
    }

    async fn run(&self, trigger: &Trigger, course: &Course) -> Came {
        let stage = self.stage;
        match trigger {
            Trigger::Tab(tab, act) => self.act(*tab, *act, course).await,
            Trigger::Message(message) => Came::Done(match &message.named {
                Named::Intent(id) => stage.settle(course, *id).await,
                Named::Confirmation(id) => stage.confirm(course, id).await,
            }),
            Trigger::Sweep => Came::Done(stage.sweep(course).await),
            Trigger::Purge => Came::Done(stage.purge(course).await),
        }
    }

    async fn act(&self, tab: usize, act: Act, course: &Course) -> Came {
        match act {
            Act::Enter => {
                self.stage.enter(tab).await;
                Came::Entered
            }
            Act::Open => Came::Opened(self.stage.describe(course, tab).await),
            Act::Submit(submission) => Came::SubmitResponse(self.stage.submit(course, tab, submission).await),
        }
    }

    /// What another tab does, up to the answer to its submission, or only the next step of it; or what else would come.
    async fn compete(&self, rival: Rival, only_begins: bool, course: &Course) -> Came {
        let tab = match rival {
            Rival::Tab(tab) => tab,
            Rival::Sweep => return Came::Done(self.stage.sweep(course).await),
            Rival::Purge => return Came::Done(self.stage.purge(course).await),
        };
        loop {
            let next = self.tabs[tab].page.borrow().next();
            let Some((_, act)) = next else {
                return Came::Done(Ok(()));
            };
            let came = self.act(tab, act, course).await;
            self.answer(tab, act, Some(&came));
            if only_begins || matches!(act, Act::Submit(_)) {
                return Came::Done(Ok(()));
            }
        }
    }

    /// What would come within the hour.
    fn rival_of(&self, trigger: &Trigger) -> Option<Rival> {
        let soon = later(self.stage.clock.now(), PURGE_INTERVAL);
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
                .map(Rival::Tab)
                .or_else(|| is_purge_due.then_some(Rival::Purge)),
            Trigger::Purge => other
                .map(Rival::Tab)
                .or_else(|| self.due.sweep.map(|_| Rival::Sweep)),
            Trigger::Message(_) | Trigger::Sweep => is_purge_due.then_some(Rival::Purge),
        }
    }

    /// Once a browser is closed and all is decided, its page that is opened again shows what was decided.
    async fn look_at_the_end(&mut self) {
        let stage = self.stage;
        if self.due.is_open {
            return;
        }
        for (number, tab) in self.tabs.iter_mut().enumerate() {
            let until = later(stage.visits[number].session.expires_at, session::GRACE);
            if tab.has_looked || tab.page.borrow().next().is_some() || stage.clock.now() >= until {
                continue;
            }
            tab.has_looked = true;
            stage.effects.note("the page is looked at again");
            let shown = stage.description(number).await;
            if let Some(wrong) = verdict::of_page(stage, self.scenario, number, &shown).await {
                stage.observed.wrong(wrong);
            }
        }
    }
}

/// The first whole interval since the start that ends at `due` or after it.
fn first_at(due: Timestamp, interval: SignedDuration) -> Timestamp {
    let since = due.duration_since(start()).as_millis();
    let interval = interval.as_millis();
    let number = (since + interval - 1) / interval;
    let passed = i64::try_from(number * interval).expect("some days");
    later(start(), SignedDuration::from_millis(passed))
}

//! One run: triggers come, processes die, time goes on, until nothing is left to do.

use enrollment::flows::submit::{NotSubmitted, Submitted};
use enrollment::ports::Clock as _;
use enrollment::session;
use enrollment::time::later;
use jiff::{SignedDuration, Timestamp};

use crate::client;
use crate::effects::{Course, Point, deliver};
use crate::page::{Act, Page};
use crate::plan::Fault;
use crate::queues::Named;
use crate::scenario::{CONFIRMING, OPENING, SETTLING, SUBMISSION, SWEEP, Scenario};
use crate::stage::{Ground, Stage, start};
use crate::verdict;

const SWEEP_INTERVAL: SignedDuration = SignedDuration::from_secs(60);
/// Everything has its end within this: a leftover is looked for for a week.
const BOUND: SignedDuration = SignedDuration::from_hours(9 * 24);
/// Triggers in one run.
const MOST_STEPS: usize = 3000;
/// After so many sweeps one after the other that did the very same, there is none for a week: so long a look for what is
/// not there goes on, and one look more of them shows nothing new.
const SWEEPS_ALIKE: usize = 5;
const REST: SignedDuration = SignedDuration::from_hours(7 * 24 + 1);

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
    page: Page,
    swept: Timestamp,
    /// The calls of the last sweep, and how many before it did the same.
    sweeps: (Vec<&'static str>, usize),
    has_looked: bool,
}

/// What comes next.
enum Next {
    Page(Act),
    Message,
    Sweep,
}

impl<'a> Driver<'a> {
    fn new(stage: &'a Stage<'a>, scenario: &Scenario) -> Self {
        Self {
            stage,
            page: Page::new(scenario.page, start()),
            swept: start(),
            sweeps: (Vec::new(), 0),
            has_looked: false,
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
            self.stage.clock.advance_to(at);
            if !matches!(next, Next::Sweep) {
                self.sweeps = (Vec::new(), 0);
            }
            match next {
                Next::Page(Act::Open) => self.open().await,
                Next::Page(Act::Submit(number)) => self.submit(number).await,
                Next::Message => self.message().await,
                Next::Sweep => self.sweep().await,
            }
        }
        Err(format!("it has no end after {MOST_STEPS} triggers"))
    }

    /// Sweeps that find nothing are left out: what is due next stands in the tables.
    async fn next(&mut self) -> Option<(Timestamp, Next)> {
        let page = self.page.next().map(|(at, act)| (at, Next::Page(act)));
        let message = self.stage.queues.next().map(|at| (at, Next::Message));
        let soonest = page.into_iter().chain(message).min_by_key(|(at, _)| *at);
        let now = self.stage.clock.now();
        let first_sweep = later(self.swept, SWEEP_INTERVAL);
        if let Some((at, _)) = &soonest
            && *at < first_sweep
        {
            return soonest;
        }
        let due = self.due().await;
        self.look_at_the_end(due.is_open).await;
        let sweep = due.next.map(|due| (self.sweep_at(due.max(now)), Next::Sweep));
        soonest.into_iter().chain(sweep).min_by_key(|(at, _)| *at)
    }

    /// The first sweep at `due` or after it.
    fn sweep_at(&self, due: Timestamp) -> Timestamp {
        let since = due.duration_since(start()).as_millis();
        let interval = SWEEP_INTERVAL.as_millis();
        let number = i64::try_from((since + interval - 1) / interval).expect("some days of minutes");
        later(start(), SignedDuration::from_mins(number)).max(later(self.swept, SWEEP_INTERVAL))
    }

    async fn open(&mut self) {
        let delivered = deliver(&self.stage.effects, OPENING, async |course: Course| {
            self.stage.describe(&course).await
        })
        .await;
        let now = self.stage.clock.now();
        self.page.opened(delivered.first.as_ref(), now);
    }

    async fn submit(&mut self, number: u32) {
        let key = client::key(number);
        let delivered = deliver(&self.stage.effects, SUBMISSION, async |course: Course| {
            self.stage.submit(&course, &key).await
        })
        .await;
        for answer in delivered.first.iter().chain(&delivered.second) {
            self.check(answer);
        }
        let now = self.stage.clock.now();
        self.page.submitted(delivered.first.as_ref(), now);
    }

    /// The page submits nothing that may be refused.
    fn check(&self, answer: &Result<Submitted, NotSubmitted>) {
        if let Err(
            refused @ (NotSubmitted::WrongAction | NotSubmitted::Invalid(_) | NotSubmitted::KeyReused),
        ) = answer
        {
            self.stage.observed.wrong(format!("the page was told: {refused}"));
        }
    }

    async fn message(&mut self) {
        let Some(message) = self.stage.queues.take() else {
            return;
        };
        let (stage, effects) = (self.stage, &self.stage.effects);
        let delivered = match &message.named {
            Named::Intent(id) => {
                deliver(effects, SETTLING, async |course: Course| {
                    stage.settle(&course, *id).await
                })
                .await
            }
            Named::Confirmation(id) => {
                deliver(effects, CONFIRMING, async |course: Course| {
                    stage.confirm(&course, id).await
                })
                .await
            }
        };
        if !matches!(delivered.first, Some(Ok(()))) {
            self.stage.queues.put_back(message);
        }
    }

    async fn sweep(&mut self) {
        self.swept = self.stage.clock.now();
        // The next one comes in a minute, however this one ends.
        let stage = self.stage;
        let before = stage.effects.points().len();
        deliver(&stage.effects, SWEEP, async |course: Course| {
            stage.sweep(&course).await
        })
        .await;
        let points = stage.effects.points();
        let calls: Vec<_> = points[before..].iter().map(|point| point.call).collect();
        if calls == self.sweeps.0 {
            self.sweeps.1 += 1;
        } else {
            self.sweeps = (calls, 0);
        }
        let rested = later(start(), REST);
        if self.sweeps.1 == SWEEPS_ALIKE && self.swept < rested {
            stage.effects.note("no sweep for a week");
            self.swept = rested;
        }
    }

    /// Once the browser is closed and all is decided, the page that is opened again shows what was decided.
    async fn look_at_the_end(&mut self, is_open: bool) {
        let stage = self.stage;
        let until = later(stage.session.expires_at, session::GRACE);
        if self.has_looked || is_open || self.page.next().is_some() || stage.clock.now() >= until {
            return;
        }
        self.has_looked = true;
        stage.effects.note("the page is looked at again");
        if let Some(wrong) = verdict::of_page(stage, &stage.description().await).await {
            stage.observed.wrong(wrong);
        }
    }

    async fn due(&self) -> Due {
        let mut due = Due::default();
        let tables = &self.stage.world.tables;
        for table in [&tables.enrolments, &tables.confirmations] {
            for item in self.stage.world.scan(table).await {
                let Some(agenda) = item.get("agenda").and_then(|agenda| agenda.as_s().ok()) else {
                    continue;
                };
                if agenda.starts_with("parked#") {
                    continue;
                }
                due.is_open |= agenda.starts_with("unsettled#") && !item.contains_key("status");
                let at = verdict::time(&item, "agenda_at");
                due.next = Some(due.next.map_or(at, |next| next.min(at)));
            }
        }
        due
    }
}

#[derive(Default)]
struct Due {
    next: Option<Timestamp>,
    /// Whether an intent has no outcome yet.
    is_open: bool,
}

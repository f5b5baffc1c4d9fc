//! An MRS in memory: accounts by bank customer number, with the rules that matter here.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use engine::TestClock;
use enrollment::clock::Clock as _;
use enrollment::identifiers::{BankCustomerNumber, Last4, Ranac};
use enrollment::look_up::{self, AccountStatus, LookUp};
use enrollment::ports::{NewCard, Rewards, RewardsError};
use enrollment::status::MrsCode;
use enrollment::time::later;
use jiff::{SignedDuration, Timestamp};

use crate::client;
use crate::scenario::Kind;

/// The last four digits that it tells; the page claims others.
const LAST4: &str = "9999";
const QUICK: SignedDuration = SignedDuration::from_millis(300);
const NO_ANSWER: SignedDuration = SignedDuration::from_secs(8);
/// Late: long after the outcome is an error.
pub(crate) const LATE: SignedDuration = SignedDuration::from_secs(90);

/// What it does with an enrollment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Enrolling {
    /// It does it.
    Does,
    /// It says no.
    Declines(i32),
    /// It does nothing and gives no answer.
    LosesIt,
    /// It does it and gives no answer.
    DoesItSilently,
    /// It gives no answer, and does it so much later.
    DoesItLate(SignedDuration),
    /// It says -1001 and did it.
    DoesItWithServerError,
    /// It says -1001 and did nothing.
    ServerError,
    /// It can't be reached.
    NotReached,
}

/// What it does with the cancellation of a card that it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cancelling {
    /// It does it.
    Does,
    /// It says no.
    Declines(i32),
    /// It does nothing and gives no answer.
    LosesIt,
    /// It does it and gives no answer.
    DoesItSilently,
    /// It gives no answer, and does it so much later.
    DoesItLate(SignedDuration),
    /// It can't be reached.
    NotReached,
}

/// What it says to a look-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Telling {
    /// Something that nobody understands.
    Nonsense,
    /// -5, as of an institution that it does not know.
    NotFound,
}

/// What it does, call by call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Script {
    /// With the first enrollment.
    pub(crate) first: Enrolling,
    /// With those after it.
    pub(crate) then: Enrolling,
    /// How many of the first look-ups get no answer.
    pub(crate) deaf_finds: usize,
    /// What it says to the first look-ups after those.
    pub(crate) tells: &'static [Telling],
    /// With the first cancellations, one each.
    pub(crate) cancels: &'static [Cancelling],
    /// With the cancellations after them.
    pub(crate) then_cancels: Cancelling,
    /// For how long it does not let the card go that it has held longest.
    pub(crate) keeps_oldest_for: SignedDuration,
    /// For how long it neither hears of cancellations nor tells what it holds.
    pub(crate) silent_for: SignedDuration,
}

impl Script {
    /// Every enrollment the same; it always hears.
    pub(crate) const fn always(enrolling: Enrolling) -> Self {
        Self {
            first: enrolling,
            then: enrolling,
            deaf_finds: 0,
            tells: &[],
            cancels: &[],
            then_cancels: Cancelling::Does,
            keeps_oldest_for: SignedDuration::ZERO,
            silent_for: SignedDuration::ZERO,
        }
    }
}

/// One account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    /// The bank customer number.
    pub(crate) number: String,
    /// Its own id of it.
    pub(crate) ranac: String,
    /// Whether it was not cancelled.
    pub(crate) is_active: bool,
    card: String,
}

impl Account {
    fn told(&self) -> look_up::Account {
        // Under a customer's id only the digits tell the cards: there it has those that the page gives.
        let is_customers = self.number == client::customer().expose();
        let last4 = if is_customers { client::LAST4 } else { LAST4 };
        let program = if is_customers {
            Kind::NumberOfCustomer
        } else {
            Kind::Usual
        };
        look_up::Account {
            ranac: Some(Ranac::parse(&self.ranac).expect("one of its own")),
            status: if self.is_active {
                AccountStatus::Active
            } else {
                AccountStatus::Cancelled
            },
            program: Some(client::program(program).as_str().to_owned()),
            last4: Some(Last4::parse(last4).expect("four digits")),
        }
    }
}

pub(crate) struct Mrs {
    clock: Arc<TestClock>,
    state: Mutex<State>,
}

enum Work {
    Enrolls { number: String, card: String },
    Cancels { ranac: String },
}

struct State {
    script: Script,
    since: Timestamp,
    accounts: Vec<Account>,
    /// Work that is done some time.
    late: Vec<(Timestamp, Work)>,
    /// How often each number was to be enrolled.
    asked: BTreeMap<String, usize>,
    enrollments: usize,
    finds: usize,
    cancels: usize,
}

impl Mrs {
    /// It does all that it is asked.
    pub(crate) fn new(clock: Arc<TestClock>) -> Self {
        let state = State {
            script: Script::always(Enrolling::Does),
            since: clock.now(),
            accounts: Vec::new(),
            late: Vec::new(),
            asked: BTreeMap::new(),
            enrollments: 0,
            finds: 0,
            cancels: 0,
        };
        Self {
            clock,
            state: Mutex::new(state),
        }
    }

    /// From now on it does as the script says; it keeps what it holds.
    pub(crate) fn follow(&self, script: Script) {
        let now = self.clock.now();
        let mut state = self.state();
        (state.enrollments, state.finds, state.cancels) = (0, 0, 0);
        (state.script, state.since) = (script, now);
    }

    /// All accounts, with all that it will still do by itself.
    pub(crate) fn accounts(&self) -> Vec<Account> {
        let mut state = self.state();
        while !state.late.is_empty() {
            state.do_late(0);
        }
        state.accounts.clone()
    }

    /// The number of the card of that RANAC.
    pub(crate) fn number_of(&self, ranac: &Ranac) -> Option<String> {
        let state = self.state();
        let account = state
            .accounts
            .iter()
            .find(|account| account.ranac == ranac.expose());
        account.map(|account| account.number.clone())
    }

    /// How often it was asked to enroll each number.
    pub(crate) fn asked(&self) -> BTreeMap<String, usize> {
        self.state().asked.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        while let Some(place) = state.late.iter().position(|(at, _)| *at <= now) {
            state.do_late(place);
        }
        state
    }
}

impl State {
    fn do_late(&mut self, place: usize) {
        match self.late.remove(place).1 {
            // What is declined late nobody hears of.
            Work::Enrolls { number, card } => drop(self.open(&number, &card)),
            Work::Cancels { ranac } => {
                for account in &mut self.accounts {
                    account.is_active &= account.ranac != ranac;
                }
            }
        }
    }

    fn is_silent(&self, now: Timestamp) -> bool {
        now < later(self.since, self.script.silent_for)
    }

    fn open(&mut self, number: &str, card: &str) -> Result<Ranac, RewardsError> {
        let active = || self.accounts.iter().filter(|account| account.is_active);
        if active().any(|account| account.card == card) {
            return Err(RewardsError::Declined(MrsCode(-45)));
        }
        if active().any(|account| account.number == number) {
            return Err(RewardsError::Declined(MrsCode::NUMBER_ENROLLED));
        }
        let ranac = format!("0364378261{:010}", self.accounts.len() + 1);
        self.accounts.push(Account {
            number: number.to_owned(),
            ranac: ranac.clone(),
            is_active: true,
            card: card.to_owned(),
        });
        Ok(Ranac::parse(&ranac).expect("twenty digits"))
    }
}

#[async_trait]
impl Rewards for Mrs {
    async fn enroll(&self, card: NewCard<'_>) -> Result<Ranac, RewardsError> {
        let (number, data) = (card.bank_customer_number.expose(), &card.number.data);
        let no_answer = || {
            self.clock.advance(NO_ANSWER);
            Err(RewardsError::Unknown("no answer within 8 s".into()))
        };
        self.clock.advance(QUICK);
        let mut state = self.state();
        *state.asked.entry(number.to_owned()).or_default() += 1;
        state.enrollments += 1;
        let enrolling = if state.enrollments == 1 {
            state.script.first
        } else {
            state.script.then
        };
        match enrolling {
            Enrolling::Does => state.open(number, data),
            Enrolling::Declines(code) => Err(RewardsError::Declined(MrsCode(code))),
            Enrolling::LosesIt => no_answer(),
            Enrolling::DoesItSilently => state.open(number, data).and_then(|_| no_answer()),
            Enrolling::DoesItLate(after) => {
                let at = later(self.clock.now(), after);
                let (number, card) = (number.to_owned(), data.clone());
                state.late.push((at, Work::Enrolls { number, card }));
                no_answer()
            }
            Enrolling::DoesItWithServerError => {
                let server_error = Err(RewardsError::Declined(MrsCode::SERVER_ERROR));
                state.open(number, data).and(server_error)
            }
            Enrolling::ServerError => Err(RewardsError::Declined(MrsCode::SERVER_ERROR)),
            Enrolling::NotReached => Err(RewardsError::NotSent("no route".into())),
        }
    }

    async fn find(&self, _institution: &str, number: &BankCustomerNumber) -> LookUp {
        self.clock.advance(QUICK);
        let mut state = self.state();
        state.finds += 1;
        if state.finds <= state.script.deaf_finds || state.is_silent(self.clock.now()) {
            self.clock.advance(NO_ANSWER);
            return LookUp::Unknown("no answer within 8 s".into());
        }
        match state.script.tells.get(state.finds - state.script.deaf_finds - 1) {
            Some(Telling::Nonsense) => return LookUp::Unknown("no list of accounts".into()),
            Some(Telling::NotFound) => return LookUp::NotFound,
            None => {}
        }
        let under_number = state
            .accounts
            .iter()
            .filter(|account| account.number == number.expose());
        LookUp::Listed(under_number.map(Account::told).collect())
    }

    async fn cancel(&self, _institution: &str, ranac: &Ranac) -> Result<(), RewardsError> {
        self.clock.advance(QUICK);
        let now = self.clock.now();
        let mut state = self.state();
        let scripted = match state.script.cancels.get(state.cancels) {
            _ if state.is_silent(now) => Cancelling::LosesIt,
            Some(first) => *first,
            None => state.script.then_cancels,
        };
        state.cancels += 1;
        let keeps_oldest = now < later(state.since, state.script.keeps_oldest_for);
        let held = state
            .accounts
            .iter()
            .position(|account| account.ranac == ranac.expose());
        let no_answer = || {
            self.clock.advance(NO_ANSWER);
            Err(RewardsError::Unknown("no answer within 8 s".into()))
        };
        // Who can't be reached says nothing about the card.
        match scripted {
            Cancelling::LosesIt => return no_answer(),
            Cancelling::NotReached => return Err(RewardsError::NotSent("no route".into())),
            Cancelling::DoesItLate(after) => {
                let ranac = ranac.expose().to_owned();
                state.late.push((later(now, after), Work::Cancels { ranac }));
                return no_answer();
            }
            _ => {}
        }
        let Some(place) = held else {
            return Err(RewardsError::Declined(MrsCode(-5)));
        };
        if !state.accounts[place].is_active || keeps_oldest && place == 0 {
            return Err(RewardsError::Declined(MrsCode(-10)));
        }
        if let Cancelling::Declines(code) = scripted {
            return Err(RewardsError::Declined(MrsCode(code)));
        }
        state.accounts[place].is_active = false;
        if scripted == Cancelling::DoesItSilently {
            return no_answer();
        }
        Ok(())
    }
}

//! A model of MRS: accounts by bank customer number, with the rules that settlement meets, and a fault profile.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use enrollment::clock::Clock as _;
use enrollment::identifiers::{BankCustomerNumber, Last4, ProgramId, Ranac};
use enrollment::look_up::{self, AccountStatus, LookUp};
use enrollment::ports::{NewCard, Rewards, RewardsError};
use enrollment::status::MrsCode;
use enrollment::time::later;
use jiff::{SignedDuration, Timestamp};

use crate::clock::TestClock;

/// The last four digits that it lists; the page claims others.
const LAST4: &str = "9999";
/// Duration of an answered call.
const QUICK: SignedDuration = SignedDuration::from_millis(300);
/// Time limit of a call.
const NO_ANSWER: SignedDuration = SignedDuration::from_secs(8);
/// A delay that ends long after the outcome is an error.
pub const LATE: SignedDuration = SignedDuration::from_secs(90);

/// Behavior for an enrollment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnrollBehavior {
    /// Done.
    Succeeds,
    /// Declined with a code.
    Declines(i32),
    /// Not done, and not answered.
    IsLost,
    /// Done, and not answered.
    LosesAnswer,
    /// Not answered, and done after this time.
    CompletesLate(SignedDuration),
    /// Done, and answered with -1001.
    SucceedsWithServerError,
    /// Not done, and answered with -1001.
    ServerError,
    /// Never reached.
    Unreachable,
}

/// Behavior for the cancellation of an active card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelBehavior {
    /// Done.
    Succeeds,
    /// Declined with a code.
    Declines(i32),
    /// Not done, and not answered.
    IsLost,
    /// Done, and not answered.
    LosesAnswer,
    /// Not answered, and done after this time.
    CompletesLate(SignedDuration),
    /// Never reached.
    Unreachable,
}

/// Answer to a look-up, instead of the list of accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookUpAnswer {
    /// One that is not understood.
    Unintelligible,
    /// -5, as of an institution that it does not know.
    NotFound,
}

/// Faults of MRS, call by call.
#[derive(Debug, Clone, Copy)]
pub struct FaultProfile {
    /// For the first enrollment.
    pub first: EnrollBehavior,
    /// For later enrollments.
    pub then: EnrollBehavior,
    /// Number of first look-ups that get no answer.
    pub unanswered_finds: usize,
    /// Answers to the first look-ups after those.
    pub find_answers: &'static [LookUpAnswer],
    /// For the first cancellations, one each.
    pub cancels: &'static [CancelBehavior],
    /// For later cancellations.
    pub then_cancels: CancelBehavior,
    /// Time for which it declines to cancel its oldest card.
    pub keeps_oldest_for: SignedDuration,
    /// Time for which it answers neither cancellations nor look-ups.
    pub silent_for: SignedDuration,
}

impl FaultProfile {
    /// The same behavior for every enrollment, and no other fault.
    pub const fn always(enrolling: EnrollBehavior) -> Self {
        Self {
            first: enrolling,
            then: enrolling,
            unanswered_finds: 0,
            find_answers: &[],
            cancels: &[],
            then_cancels: CancelBehavior::Succeeds,
            keeps_oldest_for: SignedDuration::ZERO,
            silent_for: SignedDuration::ZERO,
        }
    }
}

/// One account of MRS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The bank customer number.
    pub number: String,
    /// MRS's id of the card.
    pub ranac: String,
    /// Whether it was not cancelled.
    pub is_active: bool,
    /// The program.
    pub program: String,
    /// MRS's own last four digits.
    pub last4: Last4,
    card: String,
}

impl Account {
    fn listed(&self) -> look_up::Account {
        look_up::Account {
            ranac: Some(Ranac::parse(&self.ranac).expect("a RANAC of the model")),
            status: if self.is_active {
                AccountStatus::Active
            } else {
                AccountStatus::Cancelled
            },
            program: Some(self.program.clone()),
            last4: Some(self.last4),
        }
    }
}

/// MRS in memory.
pub struct Mrs {
    clock: Arc<TestClock>,
    state: Mutex<State>,
}

/// Work that is done after its answer is due.
enum Work {
    Enrolls(Enrollment),
    Cancels { ranac: String },
}

/// A card that is to be enrolled.
struct Enrollment {
    number: String,
    program: String,
    card: String,
}

struct State {
    profile: FaultProfile,
    since: Timestamp,
    accounts: Vec<Account>,
    /// Work to do at that time.
    late: Vec<(Timestamp, Work)>,
    /// Last four digits by number, where they are not [`LAST4`].
    last4: BTreeMap<String, Last4>,
    /// Number of requests to enroll, by bank customer number.
    asked: BTreeMap<String, usize>,
    enrollments: usize,
    finds: usize,
    cancels: usize,
}

impl Mrs {
    /// An MRS without accounts and without faults.
    pub fn new(clock: Arc<TestClock>) -> Self {
        let state = State {
            profile: FaultProfile::always(EnrollBehavior::Succeeds),
            since: clock.now(),
            accounts: Vec::new(),
            late: Vec::new(),
            last4: BTreeMap::new(),
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

    /// Follows a fault profile from now on. Its accounts stay.
    pub fn follow(&self, profile: FaultProfile) {
        let now = self.clock.now();
        let mut state = self.state();
        (state.enrollments, state.finds, state.cancels) = (0, 0, 0);
        (state.profile, state.since) = (profile, now);
    }

    /// All accounts, after all late work.
    pub fn accounts(&self) -> Vec<Account> {
        let mut state = self.state();
        while !state.late.is_empty() {
            state.do_late(0);
        }
        state.accounts.clone()
    }

    /// The bank customer number of a card.
    pub fn number_of(&self, ranac: &Ranac) -> Option<String> {
        let state = self.state();
        let account = state
            .accounts
            .iter()
            .find(|account| account.ranac == ranac.expose());
        account.map(|account| account.number.clone())
    }

    /// Number of requests to enroll, by bank customer number.
    pub fn asked(&self) -> BTreeMap<String, usize> {
        self.state().asked.clone()
    }

    /// Lists these last four digits for cards that are enrolled under a number from now on.
    pub fn lists_last4(&self, number: &str, last4: Last4) {
        self.state().last4.insert(number.to_owned(), last4);
    }

    /// Adds an active card that no intent enrolled.
    pub fn add_account(&self, number: &BankCustomerNumber, program: &ProgramId) -> Ranac {
        let mut state = self.state();
        let enrollment = Enrollment {
            number: number.expose().to_owned(),
            program: program.as_str().to_owned(),
            card: format!("card {}", state.accounts.len()),
        };
        state.open(&enrollment).expect("a number without an active card")
    }

    /// Sets whether a card is active.
    pub fn set_active(&self, ranac: &Ranac, is_active: bool) {
        let mut state = self.state();
        let account = state
            .accounts
            .iter_mut()
            .find(|account| account.ranac == ranac.expose());
        account.expect("an account of that RANAC").is_active = is_active;
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

/// [`LAST4`], parsed.
fn last4() -> Last4 {
    Last4::parse(LAST4).expect("four digits")
}

impl State {
    fn do_late(&mut self, place: usize) {
        match self.late.remove(place).1 {
            // A late decline reaches nobody.
            Work::Enrolls(enrollment) => drop(self.open(&enrollment)),
            Work::Cancels { ranac } => {
                for account in &mut self.accounts {
                    account.is_active &= account.ranac != ranac;
                }
            }
        }
    }

    fn is_silent(&self, now: Timestamp) -> bool {
        now < later(self.since, self.profile.silent_for)
    }

    fn open(&mut self, enrollment: &Enrollment) -> Result<Ranac, RewardsError> {
        let Enrollment {
            number,
            program,
            card,
        } = enrollment;
        let active = || self.accounts.iter().filter(|account| account.is_active);
        if active().any(|account| account.card == *card) {
            return Err(RewardsError::Declined(MrsCode(-45)));
        }
        if active().any(|account| account.number == *number) {
            return Err(RewardsError::Declined(MrsCode::NUMBER_ENROLLED));
        }
        let ranac = format!("0364378261{:010}", self.accounts.len() + 1);
        self.accounts.push(Account {
            number: number.clone(),
            ranac: ranac.clone(),
            is_active: true,
            program: program.clone(),
            last4: self.last4.get(number).copied().unwrap_or(last4()),
            card: card.clone(),
        });
        Ok(Ranac::parse(&ranac).expect("twenty digits"))
    }
}

#[async_trait]
impl Rewards for Mrs {
    async fn enroll(&self, card: NewCard<'_>) -> Result<Ranac, RewardsError> {
        let enrollment = Enrollment {
            number: card.bank_customer_number.expose().to_owned(),
            program: card.program.id.as_str().to_owned(),
            card: card.number.data.clone(),
        };
        let no_answer = || {
            self.clock.advance(NO_ANSWER);
            Err(RewardsError::Unknown("no answer within 8 s".into()))
        };
        self.clock.advance(QUICK);
        let mut state = self.state();
        *state.asked.entry(enrollment.number.clone()).or_default() += 1;
        state.enrollments += 1;
        let behavior = if state.enrollments == 1 {
            state.profile.first
        } else {
            state.profile.then
        };
        match behavior {
            EnrollBehavior::Succeeds => state.open(&enrollment),
            EnrollBehavior::Declines(code) => Err(RewardsError::Declined(MrsCode(code))),
            EnrollBehavior::IsLost => no_answer(),
            EnrollBehavior::LosesAnswer => state.open(&enrollment).and_then(|_| no_answer()),
            EnrollBehavior::CompletesLate(after) => {
                let at = later(self.clock.now(), after);
                state.late.push((at, Work::Enrolls(enrollment)));
                no_answer()
            }
            EnrollBehavior::SucceedsWithServerError => {
                let server_error = Err(RewardsError::Declined(MrsCode::SERVER_ERROR));
                state.open(&enrollment).and(server_error)
            }
            EnrollBehavior::ServerError => Err(RewardsError::Declined(MrsCode::SERVER_ERROR)),
            EnrollBehavior::Unreachable => Err(RewardsError::NotSent("no route".into())),
        }
    }

    async fn find(&self, _institution: &str, number: &BankCustomerNumber) -> LookUp {
        self.clock.advance(QUICK);
        let mut state = self.state();
        state.finds += 1;
        if state.finds <= state.profile.unanswered_finds || state.is_silent(self.clock.now()) {
            self.clock.advance(NO_ANSWER);
            return LookUp::Unknown("no answer within 8 s".into());
        }
        match state
            .profile
            .find_answers
            .get(state.finds - state.profile.unanswered_finds - 1)
        {
            Some(LookUpAnswer::Unintelligible) => return LookUp::Unknown("no list of accounts".into()),
            Some(LookUpAnswer::NotFound) => return LookUp::NotFound,
            None => {}
        }
        let under_number = state
            .accounts
            .iter()
            .filter(|account| account.number == number.expose());
        LookUp::Listed(under_number.map(Account::listed).collect())
    }

    async fn cancel(&self, _institution: &str, ranac: &Ranac) -> Result<(), RewardsError> {
        self.clock.advance(QUICK);
        let now = self.clock.now();
        let mut state = self.state();
        let behavior = match state.profile.cancels.get(state.cancels) {
            _ if state.is_silent(now) => CancelBehavior::IsLost,
            Some(first) => *first,
            None => state.profile.then_cancels,
        };
        state.cancels += 1;
        let keeps_oldest = now < later(state.since, state.profile.keeps_oldest_for);
        let known = state
            .accounts
            .iter()
            .position(|account| account.ranac == ranac.expose());
        let no_answer = || {
            self.clock.advance(NO_ANSWER);
            Err(RewardsError::Unknown("no answer within 8 s".into()))
        };
        // Without an answer nothing is said about the card.
        match behavior {
            CancelBehavior::IsLost => return no_answer(),
            CancelBehavior::Unreachable => return Err(RewardsError::NotSent("no route".into())),
            CancelBehavior::CompletesLate(after) => {
                let ranac = ranac.expose().to_owned();
                state.late.push((later(now, after), Work::Cancels { ranac }));
                return no_answer();
            }
            _ => {}
        }
        let Some(place) = known else {
            return Err(RewardsError::Declined(MrsCode(-5)));
        };
        if !state.accounts[place].is_active || keeps_oldest && place == 0 {
            return Err(RewardsError::Declined(MrsCode(-10)));
        }
        if let CancelBehavior::Declines(code) = behavior {
            return Err(RewardsError::Declined(MrsCode(code)));
        }
        state.accounts[place].is_active = false;
        if behavior == CancelBehavior::LosesAnswer {
            return no_answer();
        }
        Ok(())
    }
}

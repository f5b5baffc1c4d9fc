//! An MRS that a test scripts call by call.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use enrollment::identifiers::{BankCustomerNumber, Last4, Ranac};
use enrollment::look_up::{Account, AccountStatus, LookUp};
use enrollment::ports::{NewCard, Rewards, RewardsError};
use enrollment::status::MrsCode;
use jiff::SignedDuration;
use tokio::sync::Notify;

use crate::clock::TestClock;

/// RANACs of the cards, in the order of their enrollment.
pub const RANACS: [&str; 2] = ["03643782610476418733", "03643782610476418741"];
/// The first of [`RANACS`].
pub const RANAC: &str = RANACS[0];
/// The last four digits that MRS lists; the page claims others.
pub const LAST4: &str = "9999";

/// A call that it received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// An enrollment.
    Enroll,
    /// A look-up.
    Find,
    /// A cancellation.
    Cancel,
}

/// Answer to an enrollment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnrollmentAnswer {
    /// The card is enrolled.
    Enrolled,
    /// A code.
    Declined(i32),
    /// The call never left.
    NotSent,
    /// None within the 8 s of a call.
    NoAnswer,
}

/// The script, and what it was asked.
pub struct ScriptedMrs {
    clock: Arc<TestClock>,
    state: Mutex<State>,
    /// An enrollment that [`Self::blocks`] waits for this.
    pub unblock: Notify,
    /// Notified when an enrollment has done its work.
    pub working: Notify,
}

struct State {
    answer: EnrollmentAnswer,
    /// Whether the last number that was to be enrolled has an active card.
    has_card: bool,
    is_blocking: bool,
    unanswered: Vec<Call>,
    /// Whether the last enrollment was answered as a success.
    has_enrolled: bool,
    /// Code of the answer to a cancellation, which is not done.
    declines: Option<i32>,
    /// The last number that was to be enrolled.
    number: Option<String>,
    /// The number of the card before that one, and whether the card is active.
    first: Option<(String, bool)>,
    /// Accounts that it lists beside its own card.
    others: Vec<Account>,
    /// Answers to the next look-ups.
    look_ups: VecDeque<LookUp>,
    /// RANACs of the cancellations.
    cancelled: Vec<String>,
    calls: Vec<Call>,
}

/// An active account of the fixture's program.
pub fn active(ranac: &str, last4: &str) -> Account {
    Account {
        ranac: Some(Ranac::parse(ranac).unwrap()),
        status: AccountStatus::Active,
        program: Some("10765".into()),
        last4: Some(Last4::parse(last4).unwrap()),
    }
}

impl ScriptedMrs {
    /// Enrolls and cancels whatever it is asked to.
    pub fn new(clock: Arc<TestClock>) -> Self {
        let state = State {
            answer: EnrollmentAnswer::Enrolled,
            has_card: false,
            is_blocking: false,
            unanswered: Vec::new(),
            has_enrolled: false,
            declines: None,
            number: None,
            first: None,
            others: Vec::new(),
            look_ups: VecDeque::new(),
            cancelled: Vec::new(),
            calls: Vec::new(),
        };
        Self {
            clock,
            state: Mutex::new(state),
            unblock: Notify::new(),
            working: Notify::new(),
        }
    }

    /// Sets the answer to enrollments. Whether there is a card then, [`Self::has_card`] says.
    pub fn answers_enrollment(&self, answer: EnrollmentAnswer) {
        self.state().answer = answer;
    }

    /// Sets whether the last number that was to be enrolled has an active card.
    pub fn has_card(&self, has_card: bool) {
        self.state().has_card = has_card;
    }

    /// Leaves calls of this operation without an answer from now on.
    pub fn ignores(&self, call: Call) {
        self.state().unanswered.push(call);
    }

    /// Lists these accounts beside its own card.
    pub fn also_lists(&self, others: Vec<Account>) {
        self.state().others = others;
    }

    /// Answers the next look-ups with these.
    pub fn answers_look_ups(&self, answers: impl IntoIterator<Item = LookUp>) {
        self.state().look_ups = answers.into_iter().collect();
    }

    /// RANACs of all cancellations that it was asked for.
    pub fn cancelled(&self) -> Vec<String> {
        self.state().cancelled.clone()
    }

    /// Declines cancellations with this code from now on.
    pub fn declines_cancellation(&self, code: i32) {
        self.state().declines = Some(code);
    }

    /// Answers and executes every call from now on.
    pub fn recovers(&self) {
        let mut state = self.state();
        state.unanswered.clear();
        state.declines = None;
    }

    /// Enrollments wait for `unblock` from now on.
    pub fn blocks(&self) {
        self.state().is_blocking = true;
    }

    /// Enrollments are answered at once again.
    pub fn unblocks(&self) {
        self.state().is_blocking = false;
    }

    /// Whether the card that was enrolled last is active.
    pub fn is_card_active(&self) -> bool {
        self.state().has_card
    }

    /// Whether the card before that one is active.
    pub fn is_first_card_active(&self) -> bool {
        let state = self.state();
        state.first.as_ref().is_some_and(|(_, is_active)| *is_active)
    }

    /// Calls since they were last taken.
    pub fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.state().calls)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Makes the card that was enrolled last the first of two.
    fn make_room(&mut self) {
        if self.has_card
            && let Some(number) = self.number.take()
        {
            assert_eq!(self.first, None, "no third card is scripted");
            self.first = Some((number, true));
            self.has_card = false;
        }
    }

    /// RANAC of the last card.
    fn ranac(&self) -> &'static str {
        RANACS[usize::from(self.first.is_some())]
    }
}

#[async_trait]
impl Rewards for ScriptedMrs {
    async fn enroll(&self, card: NewCard<'_>) -> Result<Ranac, RewardsError> {
        let (answer, is_blocking, ranac) = {
            let mut state = self.state();
            state.calls.push(Call::Enroll);
            if state.has_enrolled {
                state.make_room();
            }
            state.has_enrolled = state.answer == EnrollmentAnswer::Enrolled;
            state.number = Some(card.bank_customer_number.expose().to_owned());
            if state.answer == EnrollmentAnswer::Enrolled {
                state.has_card = true;
            }
            (state.answer, state.is_blocking, state.ranac())
        };
        self.working.notify_one();
        if is_blocking {
            self.unblock.notified().await;
        }
        match answer {
            EnrollmentAnswer::Enrolled => Ok(Ranac::parse(ranac).unwrap()),
            EnrollmentAnswer::Declined(code) => Err(RewardsError::Declined(MrsCode(code))),
            EnrollmentAnswer::NotSent => Err(RewardsError::NotSent("no route".into())),
            EnrollmentAnswer::NoAnswer => {
                self.clock.advance(SignedDuration::from_secs(8));
                Err(RewardsError::Unknown("no answer within 8 s".into()))
            }
        }
    }

    async fn find(&self, _institution: &str, number: &BankCustomerNumber) -> LookUp {
        let mut state = self.state();
        state.calls.push(Call::Find);
        if state.unanswered.contains(&Call::Find) {
            return LookUp::Unknown("down".into());
        }
        if let Some(answer) = state.look_ups.pop_front() {
            return answer;
        }
        let list = |ranac: &str, is_active: bool| {
            let mut accounts = state.others.clone();
            accounts.extend(is_active.then(|| active(ranac, LAST4)));
            LookUp::Listed(accounts)
        };
        if let Some((first, is_active)) = &state.first
            && first == number.expose()
        {
            return list(RANAC, *is_active);
        }
        let enrolled_under = state.number.as_deref().unwrap_or(number.expose());
        assert_eq!(
            enrolled_under,
            number.expose(),
            "look-ups name the number of the enrollment"
        );
        list(state.ranac(), state.has_card)
    }

    async fn cancel(&self, _institution: &str, ranac: &Ranac) -> Result<(), RewardsError> {
        let mut state = self.state();
        state.calls.push(Call::Cancel);
        state.cancelled.push(ranac.expose().to_owned());
        if state.unanswered.contains(&Call::Cancel) {
            return Err(RewardsError::Unknown("down".into()));
        }
        if let Some(code) = state.declines {
            return Err(RewardsError::Declined(MrsCode(code)));
        }
        if ranac.expose() == state.ranac() {
            state.has_card = false;
        } else {
            let first = state.first.as_mut().expect("a card that it has enrolled");
            first.1 = false;
        }
        Ok(())
    }
}

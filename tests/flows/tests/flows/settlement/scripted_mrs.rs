//! An MRS that does what the test says.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use engine::TestClock;
use enrollment::identifiers::{BankCustomerNumber, Last4, Ranac};
use enrollment::look_up::{Account, AccountStatus, LookUp};
use enrollment::ports::{NewCard, Rewards, RewardsError};
use enrollment::status::MrsCode;
use jiff::SignedDuration;
use tokio::sync::Notify;

/// The RANACs of the cards here, in the order in which they were enrolled.
pub(super) const RANACS: [&str; 2] = ["03643782610476418733", "03643782610476418741"];
/// That of the first.
pub(super) const RANAC: &str = RANACS[0];
/// The last four digits that MRS tells; the page claims others.
pub(super) const LAST4: &str = "9999";

/// What was asked of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Enroll,
    Find,
    Cancel,
}

/// How `enroll` ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Enrolled,
    Declined(i32),
    NotSent,
    /// After the 8 s that a call has.
    NoAnswer,
}

pub(super) struct ScriptedMrs {
    clock: Arc<TestClock>,
    state: Mutex<State>,
    /// `enroll` waits for it where it was told to.
    pub(super) go_on: Notify,
    /// `enroll` was called and has done what it does.
    pub(super) at_work: Notify,
}

struct State {
    ending: Ending,
    /// Whether there is an active card after all, for the last number that it was asked to enroll.
    holds: bool,
    waits: bool,
    deaf_to: Vec<Call>,
    /// Whether the last enrollment was told as a success.
    has_enrolled: bool,
    /// What it says to a cancellation instead of doing it.
    declines: Option<i32>,
    /// The number of the last intent that it was asked to enroll.
    number: Option<String>,
    /// The number of the card that it enrolled before that, and whether it still holds it.
    first: Option<(String, bool)>,
    /// What it lists beside its own card.
    others: Vec<Account>,
    /// What it says to the next look-ups instead.
    says: VecDeque<LookUp>,
    /// The RANACs that it was to cancel.
    cancelled: Vec<String>,
    calls: Vec<Call>,
}

/// An active card of the tests' program.
pub(super) fn active(ranac: &str, last4: &str) -> Account {
    Account {
        ranac: Some(Ranac::parse(ranac).unwrap()),
        status: AccountStatus::Active,
        program: Some("10765".into()),
        last4: Some(Last4::parse(last4).unwrap()),
    }
}

impl ScriptedMrs {
    pub(super) fn new(clock: Arc<TestClock>) -> Self {
        let state = State {
            ending: Ending::Enrolled,
            holds: false,
            waits: false,
            deaf_to: Vec::new(),
            has_enrolled: false,
            declines: None,
            number: None,
            first: None,
            others: Vec::new(),
            says: VecDeque::new(),
            cancelled: Vec::new(),
            calls: Vec::new(),
        };
        Self {
            clock,
            state: Mutex::new(state),
            go_on: Notify::new(),
            at_work: Notify::new(),
        }
    }

    /// How the next `enroll` ends. What it then holds is [`Self::holds`]'s to say.
    pub(super) fn ends(&self, ending: Ending) {
        self.state.lock().unwrap().ending = ending;
    }

    /// Whether it has an active card.
    pub(super) fn holds(&self, holds: bool) {
        self.state.lock().unwrap().holds = holds;
    }

    /// Calls of this operation get no answer from now on.
    pub(super) fn is_deaf_to(&self, call: Call) {
        self.state.lock().unwrap().deaf_to.push(call);
    }

    /// It lists these accounts too.
    pub(super) fn also_lists(&self, others: Vec<Account>) {
        self.state.lock().unwrap().others = others;
    }

    /// It says these to the next look-ups.
    pub(super) fn says(&self, answers: impl IntoIterator<Item = LookUp>) {
        self.state.lock().unwrap().says = answers.into_iter().collect();
    }

    /// The RANACs that it was to cancel.
    pub(super) fn cancelled(&self) -> Vec<String> {
        self.state.lock().unwrap().cancelled.clone()
    }

    /// It answers cancellations with this code from now on.
    pub(super) fn declines(&self, code: i32) {
        self.state.lock().unwrap().declines = Some(code);
    }

    /// It hears every call from now on, and does it.
    pub(super) fn hears_again(&self) {
        let mut state = self.state.lock().unwrap();
        state.deaf_to.clear();
        state.declines = None;
    }

    /// `enroll` waits for `go_on`.
    pub(super) fn waits(&self) {
        self.state.lock().unwrap().waits = true;
    }

    /// Whether it has an active card now.
    pub(super) fn still_holds(&self) -> bool {
        self.state.lock().unwrap().holds
    }

    /// Whether it has the card active that it enrolled before the last one.
    pub(super) fn still_holds_first(&self) -> bool {
        let state = self.state.lock().unwrap();
        state.first.as_ref().is_some_and(|(_, holds)| *holds)
    }

    /// What was asked since the last look.
    pub(super) fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.state.lock().unwrap().calls)
    }
}

impl State {
    /// The card that it enrolled last becomes the first of two.
    fn make_room(&mut self) {
        if self.holds
            && let Some(number) = self.number.take()
        {
            assert_eq!(self.first, None, "there are no three cards here");
            self.first = Some((number, true));
            self.holds = false;
        }
    }

    /// The RANAC of the last one.
    fn ranac(&self) -> &'static str {
        RANACS[usize::from(self.first.is_some())]
    }
}

#[async_trait]
impl Rewards for ScriptedMrs {
    async fn enroll(&self, card: NewCard<'_>) -> Result<Ranac, RewardsError> {
        let (ending, waits, ranac) = {
            let mut state = self.state.lock().unwrap();
            state.calls.push(Call::Enroll);
            if state.has_enrolled {
                state.make_room();
            }
            state.has_enrolled = state.ending == Ending::Enrolled;
            state.number = Some(card.bank_customer_number.expose().to_owned());
            if state.ending == Ending::Enrolled {
                state.holds = true;
            }
            (state.ending, state.waits, state.ranac())
        };
        self.at_work.notify_one();
        if waits {
            self.go_on.notified().await;
        }
        match ending {
            Ending::Enrolled => Ok(Ranac::parse(ranac).unwrap()),
            Ending::Declined(code) => Err(RewardsError::Declined(MrsCode(code))),
            Ending::NotSent => Err(RewardsError::NotSent("no route".into())),
            Ending::NoAnswer => {
                self.clock.advance(SignedDuration::from_secs(8));
                Err(RewardsError::Unknown("no answer within 8 s".into()))
            }
        }
    }

    async fn find(&self, _institution: &str, number: &BankCustomerNumber) -> LookUp {
        let mut state = self.state.lock().unwrap();
        state.calls.push(Call::Find);
        if state.deaf_to.contains(&Call::Find) {
            return LookUp::Unknown("down".into());
        }
        if let Some(said) = state.says.pop_front() {
            return said;
        }
        let list = |ranac: &str, holds: bool| {
            let mut accounts = state.others.clone();
            accounts.extend(holds.then(|| active(ranac, LAST4)));
            LookUp::Listed(accounts)
        };
        if let Some((first, holds)) = &state.first
            && first == number.expose()
        {
            return list(RANAC, *holds);
        }
        let enrolled_under = state.number.as_deref().unwrap_or(number.expose());
        assert_eq!(
            enrolled_under,
            number.expose(),
            "asked for the number that it was enrolled under"
        );
        list(state.ranac(), state.holds)
    }

    async fn cancel(&self, _institution: &str, ranac: &Ranac) -> Result<(), RewardsError> {
        let mut state = self.state.lock().unwrap();
        state.calls.push(Call::Cancel);
        state.cancelled.push(ranac.expose().to_owned());
        if state.deaf_to.contains(&Call::Cancel) {
            return Err(RewardsError::Unknown("down".into()));
        }
        if let Some(code) = state.declines {
            return Err(RewardsError::Declined(MrsCode(code)));
        }
        if ranac.expose() == state.ranac() {
            state.holds = false;
        } else {
            let first = state.first.as_mut().expect("a card that it has enrolled");
            first.1 = false;
        }
        Ok(())
    }
}

//! An MRS that does what the test says.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use enrollment::identifiers::{BankCustomerNumber, Last4, Ranac};
use enrollment::ports::{HeldCard, NewCard, Rewards, RewardsError};
use enrollment::status::MrsCode;
use jiff::SignedDuration;
use tokio::sync::Notify;

use super::bank::OwnedClock;

/// The RANAC of each card here.
pub(super) const RANAC: &str = "03643782610476418733";
/// The last four digits that MRS tells; the page claims others.
pub(super) const LAST4: &str = "9999";

/// What was asked of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Enrol,
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
    clock: Arc<OwnedClock>,
    state: Mutex<State>,
    /// `enroll` waits for it where it was told to.
    pub(super) go_on: Notify,
    /// `enroll` was called and has done what it does.
    pub(super) at_work: Notify,
}

struct State {
    ending: Ending,
    /// Whether there is an active card after all.
    holds: bool,
    waits: bool,
    deaf_to: Vec<Call>,
    /// The number of the one intent that it was asked to enrol.
    number: Option<String>,
    calls: Vec<Call>,
}

impl ScriptedMrs {
    pub(super) fn new(clock: Arc<OwnedClock>) -> Self {
        let state = State {
            ending: Ending::Enrolled,
            holds: false,
            waits: false,
            deaf_to: Vec::new(),
            number: None,
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

    /// It hears every call from now on.
    pub(super) fn hears_again(&self) {
        self.state.lock().unwrap().deaf_to.clear();
    }

    /// `enroll` waits for `go_on`.
    pub(super) fn waits(&self) {
        self.state.lock().unwrap().waits = true;
    }

    /// Whether it has an active card now.
    pub(super) fn still_holds(&self) -> bool {
        self.state.lock().unwrap().holds
    }

    /// What was asked since the last look.
    pub(super) fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.state.lock().unwrap().calls)
    }
}

#[async_trait]
impl Rewards for ScriptedMrs {
    async fn enrol(&self, card: NewCard<'_>) -> Result<Ranac, RewardsError> {
        let (ending, waits) = {
            let mut state = self.state.lock().unwrap();
            state.calls.push(Call::Enrol);
            state.number = Some(card.bank_customer_number.expose().to_owned());
            if state.ending == Ending::Enrolled {
                state.holds = true;
            }
            (state.ending, state.waits)
        };
        self.at_work.notify_one();
        if waits {
            self.go_on.notified().await;
        }
        match ending {
            Ending::Enrolled => Ok(Ranac::parse(RANAC).unwrap()),
            Ending::Declined(code) => Err(RewardsError::Declined(MrsCode(code))),
            Ending::NotSent => Err(RewardsError::NotSent("no route".into())),
            Ending::NoAnswer => {
                self.clock.pass(SignedDuration::from_secs(8));
                Err(RewardsError::Unknown("no answer within 8 s".into()))
            }
        }
    }

    async fn find(
        &self,
        _institution: &str,
        number: &BankCustomerNumber,
    ) -> Result<Vec<HeldCard>, RewardsError> {
        let mut state = self.state.lock().unwrap();
        state.calls.push(Call::Find);
        let enrolled_under = state.number.as_deref().unwrap_or(number.expose());
        assert_eq!(
            enrolled_under,
            number.expose(),
            "asked for the number that it was enrolled under"
        );
        if state.deaf_to.contains(&Call::Find) {
            return Err(RewardsError::Unknown("down".into()));
        }
        let card = HeldCard {
            ranac: Ranac::parse(RANAC).unwrap(),
            last4: Some(Last4::parse(LAST4).unwrap()),
        };
        Ok(if state.holds { vec![card] } else { Vec::new() })
    }

    async fn cancel(&self, _institution: &str, ranac: &Ranac) -> Result<(), RewardsError> {
        let mut state = self.state.lock().unwrap();
        state.calls.push(Call::Cancel);
        assert_eq!(ranac.expose(), RANAC);
        if state.deaf_to.contains(&Call::Cancel) {
            return Err(RewardsError::Unknown("down".into()));
        }
        state.holds = false;
        Ok(())
    }
}

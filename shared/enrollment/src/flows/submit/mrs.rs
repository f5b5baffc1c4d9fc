//! Calls to MRS for a new intent. The first call is made once, whatever happens to its answer.

use super::super::settle::{FirstAnswer, Lease, is_recorded};
use super::super::submission::NewCardForm;
use super::Submit;
use crate::client::{BankCustomerNumberKind, Client, Program};
use crate::identifiers::Ranac;
use crate::intent::{Conclusion, Intent};
use crate::log::warn;
use crate::look_up::{Account, AccountStatus, LookUp};
use crate::ports::{IntentRewards, NewCard, RewardsError, StoreError};
use crate::status::MrsCode;

impl Submit<'_> {
    /// Enrolls a card at MRS. The outcome is still open afterwards where MRS gave no clear answer.
    pub(super) async fn enroll(
        &self,
        mut intent: Intent,
        client: &Client,
        program: &Program,
        form: &NewCardForm,
    ) -> Result<Intent, StoreError> {
        if program.bank_customer_number == BankCustomerNumberKind::CustomerId {
            match self.present_under_number(&intent, client).await? {
                Ok(ranacs) => {
                    self.leases.record_present(&intent, &ranacs).await?;
                    intent.inquiry.present_before = Some(ranacs);
                }
                Err(conclusion) => return self.decision().finish(intent, conclusion).await,
            }
        }
        let card = NewCard {
            institution: client.institution(),
            program,
            bank_customer_number: &intent.bank_customer_number,
            number: &form.number,
            person: &form.person,
        };
        let rewards = IntentRewards::new(self.rewards, &intent);
        let answer = rewards.get().enroll(card).await;
        let (action, now) = (intent.action, self.clock.now());
        match answer {
            Ok(ranac) => {
                self.conclude(intent, Conclusion::enrolled(action, ranac, None, now))
                    .await
            }
            Err(RewardsError::Declined(MrsCode::SERVER_ERROR)) => {
                self.query(intent, FirstAnswer::ServerError).await
            }
            Err(RewardsError::Declined(code)) => {
                self.conclude(intent, Conclusion::declined(action, code, now))
                    .await
            }
            Err(error @ RewardsError::NotSent(_)) => {
                warn!(error, incident = intent.incident, "enrollment not sent");
                self.conclude(intent, Conclusion::unreachable(action, now)).await
            }
            Err(error @ RewardsError::Unknown(_)) => {
                let incident = &intent.incident;
                warn!(error, incident, "enrollment unanswered, querying MRS");
                self.query(intent, FirstAnswer::Missing).await
            }
        }
    }

    /// Asks MRS to cancel the card of an opt-out. From here on the opt-out is never given up.
    pub(super) async fn opt_out(&self, intent: Intent) -> Result<Intent, StoreError> {
        let lease = Lease::of_begin(&intent);
        let settlement = self.settlement();
        let run = settlement.query(intent, FirstAnswer::Missing, lease).await?;
        settlement.release(run, lease).await
    }

    async fn conclude(&self, intent: Intent, conclusion: Conclusion) -> Result<Intent, StoreError> {
        let intent = self.decision().finish(intent, conclusion).await?;
        self.settlement().start_cleanup(&intent).await;
        Ok(intent)
    }

    /// Queries MRS for the result of an enrollment. Where it stays open, another process continues, since the browser may be
    /// closed by now.
    async fn query(&self, intent: Intent, first_answer: FirstAnswer) -> Result<Intent, StoreError> {
        let lease = Lease::of_begin(&intent);
        let settlement = self.settlement();
        let mut run = settlement.query(intent, first_answer, lease).await?;
        settlement.start_cleanup(&run.intent).await;
        if !run.intent.is_open() {
            return Ok(run.intent);
        }
        run.has_call_in_flight = true;
        settlement.release(run, lease).await
    }

    /// Looks up a number that is the customer's, before a card is enrolled under it. MRS refuses the number while a card of
    /// it is active; the same is decided here before the enrollment, or else a missing answer would be settled by the card of
    /// another intent. Gives the RANACs that MRS lists, which are not the new card's, or the conclusion where nothing may be
    /// enrolled.
    async fn present_under_number(
        &self,
        intent: &Intent,
        client: &Client,
    ) -> Result<Result<Vec<Ranac>, Conclusion>, StoreError> {
        let number = &intent.bank_customer_number;
        let rewards = IntentRewards::new(self.rewards, intent);
        let look_up = rewards.get().find(client.institution(), number).await;
        let is_recorded = match look_up {
            LookUp::NotFound => {
                let (program, customer) = (&intent.program, &intent.customer);
                let customer = self.customers.customer(&intent.client, program, customer).await?;
                is_recorded(&customer, number)
            }
            LookUp::Listed(_) | LookUp::Unknown(_) => false,
        };
        let (action, now) = (intent.action, self.clock.now());
        let is_unclear = |account: &Account| account.status == AccountStatus::Unknown || account.is_unnamed();
        let accounts = match look_up.accounts(is_recorded) {
            Some(accounts) if !accounts.iter().any(is_unclear) => accounts,
            _ => {
                let incident = &intent.incident;
                warn!(incident, "look-up inconclusive, enrollment not sent");
                return Ok(Err(Conclusion::unreachable(action, now)));
            }
        };
        let is_of_program = |account: &Account| {
            let program = account.program.as_deref();
            program.is_none_or(|program| program == intent.program.as_str())
        };
        let is_active = |account: &Account| account.status == AccountStatus::Active;
        if accounts
            .iter()
            .any(|account| is_active(account) && is_of_program(account))
        {
            return Ok(Err(Conclusion::declined(action, MrsCode::NUMBER_ENROLLED, now)));
        }
        Ok(Ok(accounts
            .iter()
            .filter_map(|account| account.ranac.clone())
            .collect()))
    }
}

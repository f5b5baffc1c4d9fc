//! What the page has to show when it opens: the form, the cards to choose from, or how the session already ended
//! (`docs/contract.md#page-calls`).

use std::sync::Arc;

use jiff::Timestamp;

use super::decide::Decision;
use super::submit::{self, SubmitError, SubmitResponse};
use crate::action::ActionCode;
use crate::client::{Client, Program};
use crate::clock::Clock;
use crate::identifiers::{IncidentId, SessionToken};
use crate::intent::Card;
use crate::ports::{Clients, Customers, EncryptionKey, EncryptionKeys, Intents, Sessions, Wakeups};
use crate::reason::Reason;
use crate::session::Session;
use crate::status::Status;

/// What describing needs.
pub struct Describe<'a> {
    /// What the sessions must have been opened for.
    pub action: ActionCode,
    /// Set-ups.
    pub clients: &'a dyn Clients,
    /// Sessions.
    pub sessions: &'a dyn Sessions,
    /// Intents.
    pub intents: &'a dyn Intents,
    /// Customers' cards.
    pub customers: &'a dyn Customers,
    /// For the confirmation of an outcome that the deadline gives here. MRS is not asked.
    pub wakeups: &'a dyn Wakeups,
    /// The key that the page encrypts under.
    pub keys: &'a dyn EncryptionKeys,
    /// The time.
    pub clock: &'a dyn Clock,
}

/// What the page shows.
#[derive(Debug)]
pub enum Description {
    /// What a card is enrolled with, or replaced.
    Form(Box<Form>),
    /// The cards that may be opted out.
    OptOut(Choice),
    /// A submission that was begun before the page was loaded anew, or why there is nothing to submit.
    Attempt(SubmitResponse),
}

/// What the form is made from.
#[derive(Debug)]
pub struct Form {
    /// Fields and documents.
    pub client: Arc<Client>,
    /// Ranges.
    pub program: Program,
    /// The key that the page encrypts under.
    pub key: EncryptionKey,
    /// What there is to choose from; no cards for an enrollment.
    pub choice: Choice,
}

/// The cards to choose from, and how long.
#[derive(Debug)]
pub struct Choice {
    /// The customer's; where the token names `last4`, those that end in it.
    pub cards: Vec<Card>,
    /// How many submissions may be tried.
    pub attempts_left: u32,
    /// When the session ends.
    pub expires_at: Timestamp,
    /// How often that may be put off.
    pub extensions_left: u32,
}

impl Describe<'_> {
    /// Describes a session. `incident` is the new one of this request.
    ///
    /// # Errors
    /// Those of a submission that apply.
    pub async fn describe(
        &self,
        token: &SessionToken,
        incident: IncidentId,
    ) -> Result<Description, SubmitError> {
        let session = submit::session_for(self.action, self.sessions, token).await?;
        // An outcome is shown again to whoever reloads at the end, not to whoever finds the page open the next day.
        let now = self.clock.now();
        if session.is_over(now) {
            return Err(SubmitError::SessionEnded);
        }
        if session.open_attempt.is_some() || !session.is_usable(now) {
            return self.last_attempt(&session).await.map(Description::Attempt);
        }
        let client = submit::active_client(self.clients, &session).await?;
        let program = client
            .program(&session.program)
            .cloned()
            .ok_or(SubmitError::SessionEnded)?;
        let choice = Choice {
            cards: self.cards(&session).await?,
            attempts_left: session.attempts_left(),
            expires_at: session.expires_at,
            extensions_left: session.extensions_left(),
        };
        if let Some(reason) = self.refusal(&session, &program, &choice).await? {
            let status = Status::failure_of(self.action);
            let refused = SubmitResponse::refused(&session, status, incident, 0, reason);
            return Ok(Description::Attempt(refused));
        }
        if self.action == ActionCode::OptOut {
            return Ok(Description::OptOut(choice));
        }
        Ok(Description::Form(Box::new(Form {
            client,
            program,
            key: self.keys.current().await?,
            choice,
        })))
    }

    /// What a submission would be refused for whatever it held: the customer is told before anything is typed.
    async fn refusal(
        &self,
        session: &Session,
        program: &Program,
        choice: &Choice,
    ) -> Result<Option<Reason>, SubmitError> {
        if self.action != ActionCode::Enroll {
            return Ok(choice.cards.is_empty().then_some(Reason::NoCard));
        }
        let count = self
            .customers
            .card_count(&session.client, &session.program, &session.customer)
            .await?;
        // An enrollment that is open elsewhere may fail yet.
        let is_full = count.active >= u32::from(program.max_cards);
        Ok(is_full.then_some(Reason::CardLimit))
    }

    async fn cards(&self, session: &Session) -> Result<Vec<Card>, SubmitError> {
        if self.action == ActionCode::Enroll {
            return Ok(Vec::new());
        }
        let customer = self
            .customers
            .customer(&session.client, &session.program, &session.customer)
            .await?;
        Ok(customer.offered(session.last4).cloned().collect())
    }

    async fn last_attempt(&self, session: &Session) -> Result<SubmitResponse, SubmitError> {
        let id = session
            .open_attempt
            .or(session.last_attempt)
            .ok_or(SubmitError::SessionEnded)?;
        // An intent that is gone takes its session with it.
        let intent = self.intents.intent(id).await?.ok_or(SubmitError::SessionEnded)?;
        let decision = Decision {
            intents: self.intents,
            wakeups: self.wakeups,
            clock: self.clock,
        };
        let intent = decision.decide(intent).await?;
        Ok(SubmitResponse::of(&intent, self.sessions, self.clock).await?)
    }
}

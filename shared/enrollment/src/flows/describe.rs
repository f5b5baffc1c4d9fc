//! Description of a session for the page: the form, the cards to choose from, or the outcome of the session
//! (`docs/contract.md#page-calls`).
//!
//! Tests: `shared/enrollment/tests/flows/describe.rs` over the model of the stores,
//! `tests/flows/tests/flows/{page,replacements,opt_outs}.rs` over HTTP.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use url::Url;

use super::decide::Decision;
use super::submit::{self, SubmitError, SubmitResponse};
use crate::action::ActionCode;
use crate::client::{Client, Design, Program};
use crate::clock::Clock;
use crate::identifiers::{IncidentId, SessionToken};
use crate::intent::Card;
use crate::ports::{Clients, Customers, EncryptionKey, EncryptionKeys, Intents, Sessions, Wakeups};
use crate::reason::Reason;
use crate::session::Session;
use crate::status::Status;

/// Ports of a description.
pub struct Describe<'a> {
    /// Action for which the sessions must have been opened.
    pub action: ActionCode,
    /// Set-ups of the clients.
    pub clients: &'a dyn Clients,
    /// Sessions.
    pub sessions: &'a dyn Sessions,
    /// Intents.
    pub intents: &'a dyn Intents,
    /// Customers' cards.
    pub customers: &'a dyn Customers,
    /// Wake-ups for the confirmation of an outcome that is decided here. MRS is not asked.
    pub wakeups: &'a dyn Wakeups,
    /// Key with which the page encrypts card numbers.
    pub keys: &'a dyn EncryptionKeys,
    /// Clock.
    pub clock: &'a dyn Clock,
}

/// Answer to a request for a description.
#[derive(Debug)]
pub struct Described {
    /// Description, or the reason for which there is none.
    pub result: Result<Description, SubmitError>,
    /// Address to which the page sends the customer back, also from a session that has expired; `None` once its grace period has
    /// ended, and where the client is suspended.
    pub return_url: Option<Url>,
}

/// Description of a session.
#[derive(Debug)]
pub enum Description {
    /// Form of an enrollment or a replacement.
    Form(Box<Form>),
    /// Cards that may be opted out.
    OptOut(Choice),
    /// Answer to the last submission, where the page was reloaded, or the reason for which nothing can be submitted.
    Attempt(SubmitResponse),
}

/// Content of the form.
#[derive(Debug)]
pub struct Form {
    /// Client, for its fields and documents.
    pub client: Arc<Client>,
    /// Program, for its BIN ranges.
    pub program: Program,
    /// Key with which the page encrypts card numbers.
    pub key: EncryptionKey,
    /// Cards to choose from; none for an enrollment.
    pub choice: Choice,
}

/// Cards to choose from, and the limits of the session.
#[derive(Debug)]
pub struct Choice {
    /// Cards of the customer. Where the token names `last4`, only those that end in it.
    pub cards: Vec<Card>,
    /// Looks of the cards, by design code.
    pub designs: BTreeMap<String, Design>,
    /// Number of submissions that may be tried.
    pub attempts_left: u32,
    /// Time at which the session ends.
    pub expires_at: Timestamp,
    /// Number of extensions that are left.
    pub extensions_left: u32,
}

impl From<SubmitError> for Described {
    fn from(error: SubmitError) -> Self {
        Self {
            result: Err(error),
            return_url: None,
        }
    }
}

impl Describe<'_> {
    /// Describes a session. `incident` is the new incident id of this call. The errors are those of a submission, as far as they
    /// apply.
    pub async fn describe(&self, token: &SessionToken, incident: IncidentId) -> Described {
        let session = match submit::session_for(self.action, self.sessions, token).await {
            Ok(session) => session,
            Err(error) => return Described::from(error),
        };
        // A reload shows the outcome again, but not to someone who finds the page open the next day.
        let now = self.clock.now();
        if session.is_over(now) {
            return Described::from(SubmitError::SessionEnded);
        }
        match self.description(&session, incident, now).await {
            result @ (Ok(_) | Err(SubmitError::SessionEnded)) => Described {
                result,
                return_url: session.return_url,
            },
            Err(error) => Described::from(error),
        }
    }

    async fn description(
        &self,
        session: &Session,
        incident: IncidentId,
        now: Timestamp,
    ) -> Result<Description, SubmitError> {
        if session.open_attempt.is_some() || !session.is_usable(now) {
            return self.last_attempt(session).await.map(Description::Attempt);
        }
        let client = submit::active_client(self.clients, session).await?;
        let program = client
            .program(&session.program)
            .cloned()
            .ok_or(SubmitError::SessionEnded)?;
        let choice = Choice {
            cards: self.cards(session).await?,
            designs: program.designs.clone(),
            attempts_left: session.attempts_left(),
            expires_at: session.expires_at,
            extensions_left: session.extensions_left(),
        };
        if let Some(reason) = self.refusal(session, &program, &choice).await? {
            let status = Status::failure_of(self.action);
            let refused = SubmitResponse::refused(session, status, incident, 0, reason);
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

    /// Reason for which every submission would be refused. The customer learns it before typing anything.
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
        // An enrollment with an open outcome may still fail.
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
        // A session whose intent was deleted has ended.
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

//! Enrolling a card: the page's submission to its one outcome (behaviour §4).

use std::sync::Arc;

use tracing::{info, warn};

use super::settle::{Answered, NEXT_LOOK, Settling};
use super::submission::{self, Fault, Submission};
use crate::client::{BankCustomerNumberKind, Client, ClientStatus, Program};
use crate::ending::Ending;
use crate::identifiers::{
    ActionCode, BankCustomerNumber, IdempotencyKey, IncidentId, IntentId, SessionToken,
};
use crate::intent::{Intent, Outcome};
use crate::ports::{
    Begun, Clients, Clock, Counted, Enrolments, Limits, NewCard, Randomness, Rewards, RewardsError, Sessions,
    StoreError, Wakeups,
};
use crate::session::Session;
use crate::status::{MrsCode, Status};

/// How often a submission is begun anew because the customer changed in between.
const BEGIN_TRIES: usize = 5;

/// What a submission needs.
pub struct Submitting<'a> {
    /// Set-ups.
    pub clients: &'a dyn Clients,
    /// Sessions.
    pub sessions: &'a dyn Sessions,
    /// Counters against card testing.
    pub limits: &'a dyn Limits,
    /// Intents and cards.
    pub enrolments: &'a dyn Enrolments,
    /// MRS.
    pub rewards: &'a dyn Rewards,
    /// For what goes on after the answer.
    pub wakeups: &'a dyn Wakeups,
    /// The time.
    pub clock: &'a dyn Clock,
    /// For bank customer numbers.
    pub randomness: &'a dyn Randomness,
}

/// The answer to a submission.
#[derive(Debug, PartialEq)]
pub enum Submitted {
    /// It has its outcome.
    Ended {
        /// What the page shows and emits.
        ending: Ending,
        /// What the customer is shown if it failed. A repeat is told the first one.
        incident: IncidentId,
        /// How many more submissions may be tried.
        attempts_left: u32,
    },
    /// Its outcome is open: repeat the call.
    Open,
}

/// Why a submission is not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotSubmitted {
    /// The session is unknown, expired or used up.
    #[error("session is unknown, expired or used up")]
    SessionEnded,
    /// The session was opened for something else.
    #[error("session is for another action")]
    WrongAction,
    /// The submission breaks rules; nothing was done.
    #[error("submission has {} faults", .0.len())]
    Invalid(Vec<Fault>),
    /// Another submission of the session is open.
    #[error("another attempt of the session is open")]
    AttemptOpen,
    /// The key came before with another submission.
    #[error("idempotency key was used for another submission")]
    KeyReused,
    /// A fault of ours.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Submitting<'_> {
    /// Enrols the card of `body` in the session. The same `key` gives the first answer again. `incident` is the new
    /// one of this request.
    ///
    /// # Errors
    /// [`NotSubmitted`]; then nothing was done and MRS was not asked.
    pub async fn submit(
        &self,
        token: &SessionToken,
        key: &IdempotencyKey,
        body: &[u8],
        incident: IncidentId,
    ) -> Result<Submitted, NotSubmitted> {
        let session = enrolment_session(self.sessions, token).await?;
        let id = IntentId::derive(session.id, key);
        if let Some(intent) = self.enrolments.intent(id).await? {
            return self.repeat(intent, body).await;
        }
        if !session.is_usable(self.clock.now()) {
            return Err(NotSubmitted::SessionEnded);
        }
        let client = active_client(self.clients, &session).await?;
        let program = client
            .program(&session.program)
            .ok_or(NotSubmitted::SessionEnded)?;
        let submission = submission::read(body, &client, program, &session.language, self.clock.now())
            .map_err(NotSubmitted::Invalid)?;
        if let Some(status) = self.limit_reached(&session, program).await? {
            return self
                .refuse_unless_begun(id, body, &session, status, incident)
                .await;
        }
        let intent = self.intent(id, &session, program, &submission, body, incident);
        match self.begin(&intent, program).await? {
            Begin::Begun => self.enrol(intent, &client, program, &submission).await,
            Begin::CardLimit => {
                let status = Status::ErrorEnrollment;
                self.refuse_unless_begun(id, body, &session, status, intent.incident)
                    .await
            }
            Begin::Before => match self.enrolments.intent(id).await? {
                Some(stored) => self.repeat(stored, body).await,
                None => Err(NotSubmitted::AttemptOpen),
            },
            Begin::Busy => Err(NotSubmitted::AttemptOpen),
        }
    }

    /// A key that came before: its outcome, settled first where it is open.
    async fn repeat(&self, intent: Intent, body: &[u8]) -> Result<Submitted, NotSubmitted> {
        if intent.fingerprint != submission::fingerprint(body) {
            return Err(NotSubmitted::KeyReused);
        }
        let intent = self.settling().settle(intent, Answered::Never).await?;
        self.answer(&intent).await
    }

    /// Refusals before MRS is asked are told by the event alone (behaviour §5), and end no attempt. The limit may have been
    /// reached by this very submission, sent twice: then its first answer is the one.
    async fn refuse_unless_begun(
        &self,
        id: IntentId,
        body: &[u8],
        session: &Session,
        status: Status,
        incident: IncidentId,
    ) -> Result<Submitted, NotSubmitted> {
        if let Some(stored) = self.enrolments.intent(id).await? {
            return self.repeat(stored, body).await;
        }
        let ending = Ending {
            customer: Some(session.customer.clone()),
            ..Ending::bare(status)
        };
        Ok(Submitted::Ended {
            ending,
            incident,
            attempts_left: 0,
        })
    }

    async fn limit_reached(
        &self,
        session: &Session,
        program: &Program,
    ) -> Result<Option<Status>, StoreError> {
        let counted = Counted {
            client: &session.client,
            program: &program.id,
            customer: &session.customer,
        };
        let now = self.clock.now();
        // Looked at before it is counted: what is refused does not use up the client's limit for everybody else.
        let reached = self.limits.attempts(counted, now).await?.reach_limit_of(program)
            || self.limits.count(counted, now).await?.reach_limit_of(program);
        if !reached {
            return Ok(None);
        }
        warn!(
            client = session.client.as_str(),
            program = program.id.as_str(),
            "limit of attempts reached"
        );
        Ok(Some(Status::AccessDenied))
    }

    fn intent(
        &self,
        id: IntentId,
        session: &Session,
        program: &Program,
        submission: &Submission,
        body: &[u8],
        incident: IncidentId,
    ) -> Intent {
        let named = match program.bank_customer_number {
            BankCustomerNumberKind::PerCard => None,
            // The token was refused where the id does not fit.
            BankCustomerNumberKind::CustomerId => BankCustomerNumber::parse(session.customer.expose()).ok(),
        };
        Intent {
            id,
            session: session.id,
            client: session.client.clone(),
            program: program.id.clone(),
            action: session.action,
            customer: session.customer.clone(),
            bank_customer_number: named.unwrap_or_else(|| BankCustomerNumber::random(self.randomness)),
            bin: submission.bin,
            last4: submission.last4,
            design_code: submission.design_code.clone(),
            consents: submission.consents.clone(),
            confirmation_url: session.confirmation_url.clone(),
            fingerprint: submission::fingerprint(body),
            incident,
            created_at: self.clock.now(),
            outcome: None,
        }
    }

    /// Stores the intent. The card limit holds against two tabs: the count is part of the transaction.
    async fn begin(&self, intent: &Intent, program: &Program) -> Result<Begin, StoreError> {
        for _ in 0..BEGIN_TRIES {
            let count = self
                .enrolments
                .card_count(&intent.client, &intent.program, &intent.customer)
                .await?;
            if count.active + count.pending >= u32::from(program.max_cards) {
                info!(
                    client = intent.client.as_str(),
                    program = program.id.as_str(),
                    "card limit reached"
                );
                return Ok(Begin::CardLimit);
            }
            match self.enrolments.begin(intent, count).await? {
                Begun::Now => return Ok(Begin::Begun),
                Begun::Before => return Ok(Begin::Before),
                Begun::SessionBusy => return Ok(Begin::Busy),
                Begun::CustomerChanged => {}
            }
        }
        Ok(Begin::Busy)
    }

    async fn enrol(
        &self,
        intent: Intent,
        client: &Arc<Client>,
        program: &Program,
        submission: &Submission,
    ) -> Result<Submitted, NotSubmitted> {
        let card = NewCard {
            institution: &client.name,
            program,
            bank_customer_number: &intent.bank_customer_number,
            number: &submission.number,
            person: &submission.person,
        };
        if program.bank_customer_number == BankCustomerNumberKind::CustomerId
            && let Some(outcome) = self.refusal_of_number(&intent, client).await
        {
            let intent = self.settling().finish(intent, outcome).await?;
            return self.answer(&intent).await;
        }
        let answer = self.rewards.enrol(card).await;
        let now = self.clock.now();
        let settling = self.settling();
        let intent = match answer {
            Ok(ranac) => {
                settling
                    .finish(intent, Outcome::enrolled(ranac, None, now))
                    .await?
            }
            Err(RewardsError::Declined(MrsCode::SERVER_ERROR)) => {
                settling.settle(intent, Answered::WithServerError).await?
            }
            Err(RewardsError::Declined(code)) => {
                settling.finish(intent, Outcome::declined(code, now)).await?
            }
            Err(error @ RewardsError::NotSent(_)) => {
                warn!(error = %error, incident = intent.incident.as_str(), "enrolment was not sent");
                settling.finish(intent, Outcome::unreachable(now)).await?
            }
            Err(error @ RewardsError::Unknown(_)) => {
                warn!(error = %error, incident = intent.incident.as_str(), "enrolment has no answer, asking MRS");
                settling.settle(intent, Answered::Never).await?
            }
        };
        if intent.outcome.is_none() {
            // The browser may be closed by now.
            settling.wake(intent.id, NEXT_LOOK).await;
        }
        self.answer(&intent).await
    }

    /// A customer id is the number of every card that the customer ever had. MRS refuses it while one is active, and so do
    /// we, before it is asked: otherwise an answer that never came would be settled by a card of another intent.
    async fn refusal_of_number(&self, intent: &Intent, client: &Client) -> Option<Outcome> {
        match self
            .rewards
            .find(&client.name, &intent.bank_customer_number)
            .await
        {
            Ok(cards) if !cards.is_empty() => {
                Some(Outcome::declined(MrsCode::NUMBER_ENROLLED, self.clock.now()))
            }
            Ok(_) => None,
            Err(error) => {
                warn!(error = %error, incident = intent.incident.as_str(), "MRS can't be asked about the number");
                Some(Outcome::unreachable(self.clock.now()))
            }
        }
    }

    async fn answer(&self, intent: &Intent) -> Result<Submitted, NotSubmitted> {
        let Some(ending) = intent.ending() else {
            return Ok(Submitted::Open);
        };
        let attempts_left = match self.sessions.find(intent.session).await? {
            Some(session) if session.is_usable(self.clock.now()) => session.attempts_left(),
            _ => 0,
        };
        Ok(Submitted::Ended {
            ending,
            incident: intent.incident.clone(),
            attempts_left,
        })
    }

    fn settling(&self) -> Settling<'_> {
        Settling {
            enrolments: self.enrolments,
            rewards: self.rewards,
            clients: self.clients,
            wakeups: self.wakeups,
            clock: self.clock,
        }
    }
}

/// The session behind a token, which must have been opened to enrol; expired ones included.
pub(super) async fn enrolment_session(
    sessions: &dyn Sessions,
    token: &SessionToken,
) -> Result<Session, NotSubmitted> {
    let session = sessions
        .find(token.id())
        .await?
        .ok_or(NotSubmitted::SessionEnded)?;
    if session.action == ActionCode::Enrol {
        Ok(session)
    } else {
        Err(NotSubmitted::WrongAction)
    }
}

/// The session's client. One that was suspended meanwhile begins nothing new.
pub(super) async fn active_client(
    clients: &dyn Clients,
    session: &Session,
) -> Result<Arc<Client>, NotSubmitted> {
    let client = clients.by_id(&session.client).await?;
    client
        .filter(|client| client.status == ClientStatus::Active)
        .ok_or(NotSubmitted::SessionEnded)
}

enum Begin {
    Begun,
    Before,
    Busy,
    CardLimit,
}

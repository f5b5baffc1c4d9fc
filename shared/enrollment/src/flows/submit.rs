//! Enrolling, replacing, opting out: the page's submission to its one outcome (`docs/contract.md#one-outcome`).

use std::sync::Arc;

use jiff::Timestamp;

use super::decide::Decision;
use super::settle::{Answer, Answered, Settlement, Taken, is_recorded};
use super::submission::{self, Asked, Fault, Parsed, Submission};
use crate::action::ActionCode;
use crate::client::{BankCustomerNumberKind, Client, ClientStatus, Program};
use crate::clock::Clock;
use crate::ending::Ending;
use crate::identifiers::{BankCustomerNumber, IdempotencyKey, IncidentId, IntentId, Ranac, SessionToken};
use crate::intent::{Card, CardCount, CardState, Inquiry, Intent, OldCard, Outcome};
use crate::limits::Counters;
use crate::log::{by_display, info, warn};
use crate::look_up::{Account, AccountStatus, LookUp};
use crate::ports::{
    Begun, Circumstances, Clients, Counted, Customers, IntentRewards, Intents, Leases, Limits, NewCard,
    Rewards, RewardsError, Sessions, StoreError, SubmissionRecords, Wakeups, Wanted,
};
use crate::randomness::Randomness;
use crate::reason::Reason;
use crate::session::{MAX_FAILURES, Session};
use crate::status::{MrsCode, Status};

/// How often a submission is begun anew because the customer changed in between.
const BEGIN_TRIES: usize = 5;

/// What a submission needs.
pub struct Submit<'a> {
    /// What the sessions must have been opened for.
    pub action: ActionCode,
    /// Set-ups.
    pub clients: &'a dyn Clients,
    /// Sessions.
    pub sessions: &'a dyn Sessions,
    /// Batched reads of a submission.
    pub records: &'a dyn SubmissionRecords,
    /// Counters against card testing.
    pub limits: &'a dyn Limits,
    /// Intents.
    pub intents: &'a dyn Intents,
    /// Leases on intents.
    pub leases: &'a dyn Leases,
    /// Customers' cards.
    pub customers: &'a dyn Customers,
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
pub enum SubmitResponse {
    /// It has its outcome.
    Ended {
        /// What the page shows and emits.
        ending: Ending,
        /// What the customer is shown if it failed. A repeat is told the first one.
        incident: IncidentId,
        /// How many more submissions may be tried.
        attempts_left: u32,
        /// Why, where the customer is told more than the event says.
        reason: Option<Reason>,
    },
    /// Its outcome is open: repeat the call.
    Open,
}

/// Why a submission is not taken.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The session is unknown, expired or used up.
    #[error("session is unknown, expired or used up")]
    SessionEnded,
    /// The session's client was suspended.
    #[error("client is suspended")]
    Suspended,
    /// The session was opened for something else.
    #[error("session is for another action")]
    WrongAction(ActionCode),
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

by_display!(SubmitError);

impl SubmitResponse {
    /// What the page is told of an intent, whose session is read as it stands after it.
    pub(super) async fn of(
        intent: &Intent,
        sessions: &dyn Sessions,
        clock: &dyn Clock,
    ) -> Result<Self, StoreError> {
        let session = if may_try_again(intent) {
            sessions.find(intent.session).await?
        } else {
            None
        };
        Ok(Self::told(intent, session.as_ref(), clock.now()))
    }

    /// The same, with the session as it stands after the intent; none is needed where no other try is offered.
    fn told(intent: &Intent, session: Option<&Session>, now: Timestamp) -> Self {
        let Some(ending) = intent.told(now) else {
            return Self::Open;
        };
        let (attempts_left, reason) = match session.filter(|_| may_try_again(intent)) {
            Some(session) if session.is_usable(now) => (session.attempts_left(), None),
            Some(session) if session.failures >= MAX_FAILURES => (0, Some(Reason::LastTry)),
            _ => (0, None),
        };
        Self::Ended {
            ending,
            incident: intent.incident.clone(),
            attempts_left,
            reason,
        }
    }

    /// A refusal that is told by the event alone.
    pub(super) fn refused(
        session: &Session,
        status: Status,
        incident: IncidentId,
        attempts_left: u32,
        reason: Reason,
    ) -> Self {
        Self::Ended {
            ending: Ending {
                customer: Some(session.customer.clone()),
                ..Ending::bare(status)
            },
            incident,
            attempts_left,
            reason: Some(reason),
        }
    }
}

impl Submit<'_> {
    /// Does what `body` asks for in the session. The same `key` gives the first answer again. `incident` is the new
    /// one of this request.
    ///
    /// # Errors
    /// [`SubmitError`]; then nothing was done and MRS was not asked.
    pub async fn submit(
        &self,
        token: &SessionToken,
        key: &IdempotencyKey,
        body: &[u8],
        incident: IncidentId,
    ) -> Result<SubmitResponse, SubmitError> {
        let id = IntentId::derive(token.id(), key);
        let records = self.records.session_and_intent(token.id(), id).await?;
        let (session, intent) = records.ok_or(SubmitError::SessionEnded)?;
        opened_for(self.action, &session)?;
        let now = self.clock.now();
        if session.is_over(now) {
            return Err(SubmitError::SessionEnded);
        }
        if let Some(intent) = intent {
            return self.repeat(intent, body).await;
        }
        if !session.is_usable(now) {
            // Session and intent were not read in one instant: this very submission, sent twice, may have used it up.
            return match self.intents.intent(id).await? {
                Some(stored) => self.repeat(stored, body).await,
                None => Err(SubmitError::SessionEnded),
            };
        }
        let parsed = Parsed::of(body, self.action);
        let known = self.circumstances(&session, &parsed).await?;
        let client = active(known.client)?;
        let program = client
            .program(&session.program)
            .ok_or(SubmitError::SessionEnded)?;
        let asked = parsed
            .and_then(|parsed| parsed.check(self.action, &client, program, &session.language, now))
            .map_err(SubmitError::Invalid)?;
        let refuse = |refusal| self.refuse_unless_begun(id, body, &session, refusal, incident.clone());

        let old_card = match asked.old_card {
            None => None,
            Some(chosen) => match offered(&session, chosen, known.card)? {
                card if card.state == CardState::Active => Some(card),
                _ => return refuse(BeforeMrs::CardTaken).await,
            },
        };
        // An opt-out tries no number.
        if asked.card.is_some()
            && self
                .limit_reached(&session, program, &known.counters, (id, now))
                .await?
        {
            return refuse(BeforeMrs::LimitOfAttempts).await;
        }
        let incident_of_attempt = (incident.clone(), now);
        let Some(intent) = self.intent(id, &session, program, &asked, old_card, body, incident_of_attempt)
        else {
            return Err(SubmitError::Invalid(vec![submission::not_the_customers()]));
        };
        match self.begin(&intent, program, known.count, &session).await? {
            Begin::Begun(session) => {
                let intent = match &asked.card {
                    Some(card) => self.enroll(intent, &client, program, card).await?,
                    None => self.opt_out(intent).await?,
                };
                self.answer_to_first(&intent, &session).await
            }
            Begin::CardLimit => refuse(BeforeMrs::CardLimit).await,
            Begin::CardTaken => refuse(BeforeMrs::CardTaken).await,
            Begin::Before => match self.intents.intent(id).await? {
                Some(stored) => self.repeat(stored, body).await,
                None => Err(SubmitError::AttemptOpen),
            },
            Begin::Busy => Err(SubmitError::AttemptOpen),
        }
    }

    /// Reads the circumstances of a new submission. The card that it names is believed for this read only.
    async fn circumstances(
        &self,
        session: &Session,
        parsed: &Result<Parsed, Vec<Fault>>,
    ) -> Result<Circumstances, StoreError> {
        let is_opt_out = self.action == ActionCode::OptOut;
        let named = parsed.as_ref().ok().and_then(Parsed::named_card);
        let wanted = Wanted {
            // An opt-out tries no number.
            counters: !is_opt_out,
            card: named.filter(|_| self.action != ActionCode::Enroll),
        };
        self.records.circumstances(session, wanted).await
    }

    /// A key that came before: its outcome as it is stored. MRS is not asked: that is its asker's.
    async fn repeat(&self, intent: Intent, body: &[u8]) -> Result<SubmitResponse, SubmitError> {
        if intent.fingerprint != submission::fingerprint(body) {
            return Err(SubmitError::KeyReused);
        }
        let intent = self.decision().decide(intent).await?;
        self.answer(&intent).await
    }

    /// Refusals before MRS is asked are told by the event alone (`docs/contract.md#confirmations`), and end no attempt.
    /// What refuses it may be this very submission, sent twice: then its first answer is the one.
    async fn refuse_unless_begun(
        &self,
        id: IntentId,
        body: &[u8],
        session: &Session,
        refusal: BeforeMrs,
        incident: IncidentId,
    ) -> Result<SubmitResponse, SubmitError> {
        if let Some(stored) = self.intents.intent(id).await? {
            return self.repeat(stored, body).await;
        }
        let failure = Status::failure_of(self.action);
        let (status, attempts_left, reason) = match refusal {
            BeforeMrs::LimitOfAttempts => (Status::AccessDenied, 0, Reason::Limit),
            BeforeMrs::CardLimit => (failure, 0, Reason::CardLimit),
            // There may be another card to choose.
            BeforeMrs::CardTaken => (failure, session.attempts_left(), Reason::CardGone),
        };
        Ok(SubmitResponse::refused(
            session,
            status,
            incident,
            attempts_left,
            reason,
        ))
    }

    async fn limit_reached(
        &self,
        session: &Session,
        program: &Program,
        known: &Counters,
        (attempt, now): (IntentId, Timestamp),
    ) -> Result<bool, StoreError> {
        let counted = Counted {
            client: &session.client,
            program: &program.id,
            customer: &session.customer,
        };
        // Looked at before it is counted: what is refused does not use up the client's limit for everybody else.
        let reached = known.attempts(now).reach_limit_of(program)
            || self
                .limits
                .count(counted, known, attempt, now)
                .await?
                .reach_limit_of(program);
        if reached {
            warn!(
                client = session.client,
                program = program.id,
                "limit of attempts reached"
            );
        }
        Ok(reached)
    }

    /// `None` where there is neither a card to enroll nor one that goes.
    #[expect(
        clippy::too_many_arguments,
        reason = "an intent is made of all of them, and made nowhere else"
    )]
    fn intent(
        &self,
        id: IntentId,
        session: &Session,
        program: &Program,
        asked: &Asked,
        old_card: Option<Card>,
        body: &[u8],
        (incident, now): (IncidentId, Timestamp),
    ) -> Option<Intent> {
        let (bank_customer_number, bin, last4, design_code) = match (&asked.card, &old_card) {
            (Some(new), _) => {
                let number = self.number(session, program);
                (number, new.bin, new.last4, new.design_code.clone())
            }
            (None, Some(old)) => {
                let number = old.bank_customer_number.clone();
                (number, old.bin, old.last4, old.design_code.clone())
            }
            (None, None) => return None,
        };
        let consents = asked.card.as_ref().map(|new| new.consents.clone());
        Some(Intent {
            id,
            session: session.id,
            client: session.client.clone(),
            program: program.id.clone(),
            action: session.action,
            customer: session.customer.clone(),
            bank_customer_number,
            bin,
            last4,
            design_code,
            old_card: old_card.map(|card| OldCard {
                id: card.id,
                ranac: card.ranac,
                bank_customer_number: card.bank_customer_number,
                retention_days: program.retention_days,
            }),
            consents: consents.unwrap_or_default(),
            confirmation_url: session.confirmation_url.clone(),
            fingerprint: submission::fingerprint(body),
            incident,
            // The instant at which the session was found alive.
            created_at: now,
            inquiry: Inquiry::default(),
            outcome: None,
        })
    }

    /// What MRS shall know a new card by.
    fn number(&self, session: &Session, program: &Program) -> BankCustomerNumber {
        let named = match program.bank_customer_number {
            BankCustomerNumberKind::PerCard => None,
            // The token was refused where the id does not fit.
            BankCustomerNumberKind::CustomerId => BankCustomerNumber::parse(session.customer.expose()).ok(),
        };
        named.unwrap_or_else(|| BankCustomerNumber::random(self.randomness))
    }

    /// Stores the intent. The card limit holds against two tabs: the count is part of the transaction, and so are the
    /// session's failures, which the answer tells. Both are read again only where they have changed since.
    async fn begin(
        &self,
        intent: &Intent,
        program: &Program,
        mut count: CardCount,
        session: &Session,
    ) -> Result<Begin, StoreError> {
        let mut session = session.clone();
        let customers_count = || {
            self.customers
                .card_count(&intent.client, &intent.program, &intent.customer)
        };
        let is_full = |count: &CardCount| {
            intent.action == ActionCode::Enroll
                && count.active + count.pending >= u32::from(program.max_cards)
        };
        for _ in 0..BEGIN_TRIES {
            if is_full(&count) {
                // A refusal is bound by no condition, so it is decided by what stands now.
                count = customers_count().await?;
            }
            if is_full(&count) {
                info!(client = intent.client, program = program.id, "card limit reached");
                return Ok(Begin::CardLimit);
            }
            match self.intents.begin(intent, count, session.failures).await? {
                Begun::Now => return Ok(Begin::Begun(Box::new(session))),
                Begun::Before => return Ok(Begin::Before),
                Begun::CardTaken => return Ok(Begin::CardTaken),
                Begun::SessionBusy => {
                    let failures = session.failures;
                    match self.sessions.find(intent.session).await? {
                        Some(changed)
                            if changed.failures != failures
                                && changed.open_attempt.is_none()
                                && changed.is_usable(intent.created_at) =>
                        {
                            session = changed;
                        }
                        _ => return Ok(Begin::Busy),
                    }
                }
                Begun::CustomerChanged => {
                    count = customers_count().await?;
                }
            }
        }
        Ok(Begin::Busy)
    }

    async fn enroll(
        &self,
        mut intent: Intent,
        client: &Arc<Client>,
        program: &Program,
        submission: &Submission,
    ) -> Result<Intent, StoreError> {
        if program.bank_customer_number == BankCustomerNumberKind::CustomerId {
            match self.present_under_number(&intent, client).await? {
                Ok(ranacs) => {
                    self.leases.note_present(&intent, &ranacs).await?;
                    intent.inquiry.present_before = Some(ranacs);
                }
                Err(outcome) => return self.decision().finish(intent, outcome).await,
            }
        }
        let card = NewCard {
            institution: client.institution(),
            program,
            bank_customer_number: &intent.bank_customer_number,
            number: &submission.number,
            person: &submission.person,
        };
        let rewards = IntentRewards::new(self.rewards, &intent);
        let answer = rewards.get().enroll(card).await;
        let now = self.clock.now();
        let action = intent.action;
        match answer {
            Ok(ranac) => {
                self.end(intent, Outcome::enrolled(action, ranac, None, now))
                    .await
            }
            Err(RewardsError::Declined(MrsCode::SERVER_ERROR)) => {
                self.ask(intent, Answered::WithServerError).await
            }
            Err(RewardsError::Declined(code)) => self.end(intent, Outcome::declined(action, code, now)).await,
            Err(error @ RewardsError::NotSent(_)) => {
                warn!(error, incident = intent.incident, "enrollment was not sent");
                self.end(intent, Outcome::unreachable(action, now)).await
            }
            Err(error @ RewardsError::Unknown(_)) => {
                warn!(
                    error,
                    incident = intent.incident,
                    "enrollment has no answer, asking MRS"
                );
                self.ask(intent, Answered::Never).await
            }
        }
    }

    /// Has MRS cancel the card. From here on it only rolls forward.
    async fn opt_out(&self, intent: Intent) -> Result<Intent, StoreError> {
        let taken = Taken::by_beginning(&intent);
        let answer = self.settlement().settle(intent, Answered::Never, taken).await?;
        self.settlement().give_back(answer, taken).await
    }

    async fn end(&self, intent: Intent, outcome: Outcome) -> Result<Intent, StoreError> {
        let intent = self.decision().finish(intent, outcome).await?;
        self.settlement().hand_over(&intent).await;
        Ok(intent)
    }

    /// Asks MRS what became of an enrollment. What is not known then goes on elsewhere: the browser may be closed by now.
    async fn ask(&self, intent: Intent, answered: Answered) -> Result<Intent, StoreError> {
        let taken = Taken::by_beginning(&intent);
        let answer = self.settlement().settle(intent, answered, taken).await?;
        self.settlement().hand_over(&answer.intent).await;
        if answer.intent.outcome.is_some() {
            return Ok(answer.intent);
        }
        let answer = Answer {
            is_at_work: true,
            ..answer
        };
        self.settlement().give_back(answer, taken).await
    }

    /// A customer id is the number of every card that the customer ever had. MRS refuses it while one is active, and so do
    /// we, before it is asked: otherwise an answer that never came would be settled by a card of another intent. Gives the
    /// RANACs of what MRS lists, which are not the new card's; else the outcome.
    async fn present_under_number(
        &self,
        intent: &Intent,
        client: &Client,
    ) -> Result<Result<Vec<Ranac>, Outcome>, StoreError> {
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
        let is_of_program = |account: &Account| {
            let program = account.program.as_deref();
            program.is_none_or(|program| program == intent.program.as_str())
        };
        Ok(match look_up.accounts(is_recorded) {
            Some(accounts) if !accounts.iter().any(is_unclear) => {
                let is_active = |account: &Account| account.status == AccountStatus::Active;
                if accounts
                    .iter()
                    .any(|account| is_active(account) && is_of_program(account))
                {
                    Err(Outcome::declined(action, MrsCode::NUMBER_ENROLLED, now))
                } else {
                    Ok(accounts
                        .iter()
                        .filter_map(|account| account.ranac.clone())
                        .collect())
                }
            }
            _ => {
                let incident = &intent.incident;
                warn!(
                    incident,
                    "MRS's answer about the number proves nothing, nothing is enrolled"
                );
                Err(Outcome::unreachable(action, now))
            }
        })
    }

    async fn answer(&self, intent: &Intent) -> Result<SubmitResponse, SubmitError> {
        Ok(SubmitResponse::of(intent, self.sessions, self.clock).await?)
    }

    /// The answer to whoever began the intent in `session`. While its attempt is open, nobody changes a session but for its
    /// end: where that has come, it is read, since the customer may have put it off.
    async fn answer_to_first(
        &self,
        intent: &Intent,
        session: &Session,
    ) -> Result<SubmitResponse, SubmitError> {
        let now = self.clock.now();
        if now < session.expires_at {
            Ok(SubmitResponse::told(intent, Some(&session.after_failure()), now))
        } else {
            self.answer(intent).await
        }
    }

    fn decision(&self) -> Decision<'_> {
        Decision {
            intents: self.intents,
            wakeups: self.wakeups,
            clock: self.clock,
        }
    }

    fn settlement(&self) -> Settlement<'_> {
        Settlement {
            intents: self.intents,
            leases: self.leases,
            customers: self.customers,
            rewards: self.rewards,
            clients: self.clients,
            wakeups: self.wakeups,
            clock: self.clock,
        }
    }
}

/// Whether the intent's customer may be offered another try: it has failed.
fn may_try_again(intent: &Intent) -> bool {
    let outcome = intent.outcome.as_ref();
    outcome.is_some_and(|outcome| !outcome.status.is_success())
}

/// The card that the customer chose, whatever its state. Another customer's is as unknown as none, and so is one that the
/// token did not offer.
fn offered(session: &Session, chosen: IntentId, card: Option<Card>) -> Result<Card, SubmitError> {
    card.filter(|card| card.id == chosen && session.last4.is_none_or(|last4| card.last4 == last4))
        .ok_or_else(|| SubmitError::Invalid(vec![submission::not_the_customers()]))
}

/// The session behind a token, which must have been opened for `action`; expired ones included.
pub(super) async fn session_for(
    action: ActionCode,
    sessions: &dyn Sessions,
    token: &SessionToken,
) -> Result<Session, SubmitError> {
    let session = sessions
        .find(token.id())
        .await?
        .ok_or(SubmitError::SessionEnded)?;
    opened_for(action, &session)?;
    Ok(session)
}

fn opened_for(action: ActionCode, session: &Session) -> Result<(), SubmitError> {
    if session.action == action {
        Ok(())
    } else {
        Err(SubmitError::WrongAction(session.action))
    }
}

/// The session's client. One that was suspended meanwhile begins nothing new.
pub(super) async fn active_client(
    clients: &dyn Clients,
    session: &Session,
) -> Result<Arc<Client>, SubmitError> {
    active(clients.by_id(&session.client).await?)
}

fn active(client: Option<Arc<Client>>) -> Result<Arc<Client>, SubmitError> {
    let client = client.ok_or(SubmitError::SessionEnded)?;
    match client.status {
        ClientStatus::Active => Ok(client),
        ClientStatus::Suspended => Err(SubmitError::Suspended),
    }
}

/// What came of storing an intent.
enum Begin {
    /// The session as it was then.
    Begun(Box<Session>),
    Before,
    Busy,
    CardLimit,
    CardTaken,
}

/// Why MRS is not even asked.
#[derive(Clone, Copy)]
enum BeforeMrs {
    LimitOfAttempts,
    CardLimit,
    CardTaken,
}

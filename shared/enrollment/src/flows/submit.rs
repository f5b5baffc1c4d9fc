//! Submission of the page to its one outcome: an enrollment, a replacement or an opt-out
//! (`docs/contract.md#one-outcome`).
//!
//! The intent is stored before MRS is asked, so that a lost answer, a crash or a repeat never sends a second enrollment.
//!
//! Tests: `shared/enrollment/tests/flows/submit.rs` over the model of the stores,
//! `tests/flows/tests/flows/{enrollments,replacements,opt_outs,refusals,limits}.rs` over HTTP,
//! `tests/harness/src/settlement` for the order of calls, `tests/crash` for every interleaving and crash,
//! `shared/platform/tests/storage/{calls,visits}.rs` for the calls of the store.

mod mrs;
mod response;

use std::sync::Arc;

use jiff::Timestamp;

use super::decide::Decision;
use super::settle::Settlement;
use super::submission::{self, FieldError, Rules, Submission, UncheckedSubmission};
use crate::action::ActionCode;
use crate::client::{BankCustomerNumberKind, Client, ClientStatus, Program};
use crate::clock::Clock;
use crate::identifiers::{BankCustomerNumber, IdempotencyKey, IncidentId, IntentId, SessionToken};
use crate::intent::{Card, CardCount, CardState, Inquiry, Intent, OldCard, Stage};
use crate::limits::Counters;
use crate::log::{info, warn};
use crate::ports::{
    BeginError, Clients, ContextQuery, CounterKey, Customers, Intents, Leases, Limits, Put, Rewards,
    Sessions, StoreError, SubmissionContext, SubmissionRecords, Wakeups,
};
use crate::randomness::Randomness;
use crate::reason::Reason;
use crate::session::Session;
use crate::status::Status;

pub use response::{SubmitError, SubmitResponse};

/// Tries to store an intent, each of which may fail because the customer's record changed.
const BEGIN_TRIES: usize = 5;

/// Ports of a submission.
pub struct Submit<'a> {
    /// Action for which the sessions must have been opened.
    pub action: ActionCode,
    /// Set-ups of the clients.
    pub clients: &'a dyn Clients,
    /// Sessions.
    pub sessions: &'a dyn Sessions,
    /// Batched reads.
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
    /// Wake-ups for confirmations and for runs after the answer.
    pub wakeups: &'a dyn Wakeups,
    /// Clock.
    pub clock: &'a dyn Clock,
    /// Generator of bank customer numbers.
    pub randomness: &'a dyn Randomness,
}

/// One call of the page.
struct Attempt<'a> {
    /// Id of its intent, whether or not there is one.
    id: IntentId,
    body: &'a [u8],
    /// Incident id of this call.
    incident: IncidentId,
    /// Time at which the session was found alive.
    now: Timestamp,
}

impl Submit<'_> {
    /// Processes a submission of the session. A repeat under the same `key` gets the first answer again. `incident` is the new
    /// incident id of this call.
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
        check_action(self.action, &session)?;
        let now = self.clock.now();
        if session.is_over(now) {
            return Err(SubmitError::SessionEnded);
        }
        let attempt = Attempt {
            id,
            body,
            incident,
            now,
        };
        if let Some(intent) = intent {
            return self.repeat(intent, body).await;
        }
        if !session.is_usable(now) {
            // Session and intent were not read in one instant: this very submission, sent twice, may have used it up.
            return self.repeat_stored(&attempt, SubmitError::SessionEnded).await;
        }
        self.submit_new(&attempt, &session).await
    }

    /// Processes a submission that has no intent yet.
    async fn submit_new(
        &self,
        attempt: &Attempt<'_>,
        session: &Session,
    ) -> Result<SubmitResponse, SubmitError> {
        let unchecked = UncheckedSubmission::parse(self.action, attempt.body);
        let known = self.context(session, unchecked.as_ref().ok()).await?;
        let client = check_active(known.client)?;
        let program = client
            .program(&session.program)
            .ok_or(SubmitError::SessionEnded)?;
        let rules = Rules {
            client: &client,
            program,
            language: &session.language,
            now: attempt.now,
        };
        let submission = unchecked
            .and_then(|unchecked| unchecked.check(rules))
            .map_err(SubmitError::Invalid)?
            .find_old_card(|id| offered_card(session, id, known.card))?;
        if submission
            .old_card()
            .is_some_and(|card| card.state != CardState::Active)
        {
            return self.refuse(attempt, session, BeforeMrs::CardTaken).await;
        }
        // An opt-out tries no card number.
        if submission.new_card().is_some()
            && self
                .has_reached_limit(attempt, session, program, &known.counters)
                .await?
        {
            return self.refuse(attempt, session, BeforeMrs::AttemptLimit).await;
        }
        let intent = self.new_intent(attempt, session, program, &submission);
        match self.begin(&intent, program, known.count, session).await? {
            Begin::Created(session) => {
                let intent = match submission.new_card() {
                    Some(form) => self.enroll(intent, &client, program, form).await?,
                    None => self.opt_out(intent).await?,
                };
                self.first_response(&intent, &session).await
            }
            Begin::CardLimit => self.refuse(attempt, session, BeforeMrs::CardLimit).await,
            Begin::CardTaken => self.refuse(attempt, session, BeforeMrs::CardTaken).await,
            Begin::AlreadyExists => self.repeat_stored(attempt, SubmitError::AttemptOpen).await,
            Begin::SessionBusy => Err(SubmitError::AttemptOpen),
        }
    }

    /// Reads the records that decide about a new submission. The old card that the body names is trusted for this read only.
    async fn context(
        &self,
        session: &Session,
        submission: Option<&UncheckedSubmission>,
    ) -> Result<SubmissionContext, StoreError> {
        let wanted = ContextQuery {
            // An opt-out tries no card number.
            counters: self.action != ActionCode::OptOut,
            card: submission.and_then(UncheckedSubmission::old_card),
        };
        self.records.context(session, wanted).await
    }

    /// Answers a repeat from the stored intent. MRS is not asked, since that needs the lease.
    async fn repeat(&self, intent: Intent, body: &[u8]) -> Result<SubmitResponse, SubmitError> {
        if intent.fingerprint != submission::fingerprint(body) {
            return Err(SubmitError::KeyReused);
        }
        let intent = self.decision().decide(intent).await?;
        self.response(&intent).await
    }

    /// Answers from the intent where it has been stored by now, and gives `otherwise` where it has not.
    async fn repeat_stored(
        &self,
        attempt: &Attempt<'_>,
        otherwise: SubmitError,
    ) -> Result<SubmitResponse, SubmitError> {
        match self.intents.intent(attempt.id).await? {
            Some(stored) => self.repeat(stored, attempt.body).await,
            None => Err(otherwise),
        }
    }

    /// Refuses a submission before MRS is asked. A refusal is reported by the event alone
    /// (`docs/contract.md#confirmations`) and ends no attempt. This very submission, sent twice, may be the cause: then
    /// the answer is that of its intent.
    async fn refuse(
        &self,
        attempt: &Attempt<'_>,
        session: &Session,
        refusal: BeforeMrs,
    ) -> Result<SubmitResponse, SubmitError> {
        if let Some(stored) = self.intents.intent(attempt.id).await? {
            return self.repeat(stored, attempt.body).await;
        }
        let failure = Status::failure_of(self.action);
        let (status, attempts_left, reason) = match refusal {
            BeforeMrs::AttemptLimit => (Status::AccessDenied, 0, Reason::Limit),
            BeforeMrs::CardLimit => (failure, 0, Reason::CardLimit),
            // The customer may have another card to choose.
            BeforeMrs::CardTaken => (failure, session.attempts_left(), Reason::CardGone),
        };
        Ok(SubmitResponse::refused(
            session,
            status,
            attempt.incident.clone(),
            attempts_left,
            reason,
        ))
    }

    /// Counts the attempt, unless a limit is reached already: a refused attempt does not use up the client's limit for the
    /// other customers.
    async fn has_reached_limit(
        &self,
        attempt: &Attempt<'_>,
        session: &Session,
        program: &Program,
        known: &Counters,
    ) -> Result<bool, StoreError> {
        let counted = CounterKey {
            client: &session.client,
            program: &program.id,
            customer: &session.customer,
        };
        let is_reached = known.attempts(attempt.now).reach_limit_of(program)
            || self
                .limits
                .count(counted, known, attempt.id, attempt.now)
                .await?
                .reach_limit_of(program);
        if is_reached {
            warn!(
                client = session.client,
                program = program.id,
                "attempt limit reached"
            );
        }
        Ok(is_reached)
    }

    fn new_intent(
        &self,
        attempt: &Attempt<'_>,
        session: &Session,
        program: &Program,
        submission: &Submission<Card>,
    ) -> Intent {
        let (bank_customer_number, bin, last4, design_code, consents) = match submission {
            Submission::Enroll(form) | Submission::Replace { new_card: form, .. } => (
                self.bank_customer_number(session, program),
                form.bin,
                form.last4,
                form.design_code.clone(),
                form.consents.clone(),
            ),
            Submission::OptOut { old_card } => (
                old_card.bank_customer_number.clone(),
                old_card.bin,
                old_card.last4,
                old_card.design_code.clone(),
                Vec::new(),
            ),
        };
        Intent {
            id: attempt.id,
            session: session.id,
            client: session.client.clone(),
            program: program.id.clone(),
            action: session.action,
            customer: session.customer.clone(),
            bank_customer_number,
            bin,
            last4,
            design_code,
            old_card: submission.old_card().map(|card| OldCard {
                id: card.id,
                ranac: card.ranac.clone(),
                bank_customer_number: card.bank_customer_number.clone(),
                retention_days: program.retention_days,
            }),
            consents,
            confirmation_url: session.confirmation_url.clone(),
            fingerprint: submission::fingerprint(attempt.body),
            incident: attempt.incident.clone(),
            created_at: attempt.now,
            inquiry: Inquiry::default(),
            stage: Stage::Open { since: attempt.now },
        }
    }

    /// Number under which MRS shall know a new card.
    fn bank_customer_number(&self, session: &Session, program: &Program) -> BankCustomerNumber {
        let named = match program.bank_customer_number {
            BankCustomerNumberKind::PerCard => None,
            // A customer id that is no bank customer number was refused with its token.
            BankCustomerNumberKind::CustomerId => BankCustomerNumber::parse(session.customer.expose()).ok(),
        };
        named.unwrap_or_else(|| BankCustomerNumber::random(self.randomness))
    }

    /// Stores the intent. The transaction is conditional on the customer's counts, which keeps the card limit against two
    /// tabs, and on the session's failures, which the answer reports. Both are read again only where they have changed.
    async fn begin(
        &self,
        intent: &Intent,
        program: &Program,
        mut count: CardCount,
        session: &Session,
    ) -> Result<Begin, StoreError> {
        let mut session = session.clone();
        let read_count = || {
            self.customers
                .card_count(&intent.client, &intent.program, &intent.customer)
        };
        let is_full = |count: &CardCount| {
            intent.action == ActionCode::Enroll
                && count.active + count.pending >= u32::from(program.max_cards)
        };
        for _ in 0..BEGIN_TRIES {
            if is_full(&count) {
                // No condition guards a refusal, so it needs the current counts.
                count = read_count().await?;
            }
            if is_full(&count) {
                info!(client = intent.client, program = program.id, "card limit reached");
                return Ok(Begin::CardLimit);
            }
            match self.intents.begin(intent, count, session.failures).await? {
                Ok(Put::Created) => return Ok(Begin::Created(Box::new(session))),
                Ok(Put::AlreadyExists) => return Ok(Begin::AlreadyExists),
                Err(BeginError::CardTaken) => return Ok(Begin::CardTaken),
                Err(BeginError::SessionBusy) => {
                    let failures = session.failures;
                    match self.sessions.find(intent.session).await? {
                        Some(changed)
                            if changed.failures != failures
                                && changed.open_attempt.is_none()
                                && changed.is_usable(intent.created_at) =>
                        {
                            session = changed;
                        }
                        _ => return Ok(Begin::SessionBusy),
                    }
                }
                Err(BeginError::CustomerChanged) => count = read_count().await?,
            }
        }
        Ok(Begin::SessionBusy)
    }

    async fn response(&self, intent: &Intent) -> Result<SubmitResponse, SubmitError> {
        Ok(SubmitResponse::of(intent, self.sessions, self.clock).await?)
    }

    /// Answer to the call that stored the intent in `session`. While the attempt is open, only the session's end may change:
    /// the session is read again where that has come, since the customer may have extended it.
    async fn first_response(
        &self,
        intent: &Intent,
        session: &Session,
    ) -> Result<SubmitResponse, SubmitError> {
        let now = self.clock.now();
        if now < session.expires_at {
            let session = session.after_failure();
            Ok(SubmitResponse::of_session(intent, Some(&session), now))
        } else {
            self.response(intent).await
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

/// Card that the customer chose, whatever its state. Another customer's card is as unknown as none, and so is one that the
/// token did not offer.
fn offered_card(session: &Session, chosen: IntentId, card: Option<Card>) -> Result<Card, SubmitError> {
    card.filter(|card| card.id == chosen && session.last4.is_none_or(|last4| card.last4 == last4))
        .ok_or_else(|| SubmitError::Invalid(vec![FieldError::unknown_old_card()]))
}

/// Session of a token, which must have been opened for `action`. Expired sessions are included.
pub(super) async fn session_for(
    action: ActionCode,
    sessions: &dyn Sessions,
    token: &SessionToken,
) -> Result<Session, SubmitError> {
    let session = sessions
        .find(token.id())
        .await?
        .ok_or(SubmitError::SessionEnded)?;
    check_action(action, &session)?;
    Ok(session)
}

fn check_action(action: ActionCode, session: &Session) -> Result<(), SubmitError> {
    if session.action == action {
        Ok(())
    } else {
        Err(SubmitError::WrongAction(session.action))
    }
}

/// Client of the session, which must not be suspended.
pub(super) async fn active_client(
    clients: &dyn Clients,
    session: &Session,
) -> Result<Arc<Client>, SubmitError> {
    check_active(clients.by_id(&session.client).await?)
}

fn check_active(client: Option<Arc<Client>>) -> Result<Arc<Client>, SubmitError> {
    let client = client.ok_or(SubmitError::SessionEnded)?;
    match client.status {
        ClientStatus::Active => Ok(client),
        ClientStatus::Suspended => Err(SubmitError::Suspended),
    }
}

/// Result of storing an intent.
enum Begin {
    /// The intent is stored. The session is given as it stood then.
    Created(Box<Session>),
    /// The intent was stored by an earlier call.
    AlreadyExists,
    /// The session has another open attempt, or can't begin one.
    SessionBusy,
    /// The customer has as many cards as the program allows.
    CardLimit,
    /// The old card is not active any more.
    CardTaken,
}

/// Reason for which MRS is not asked.
#[derive(Clone, Copy)]
enum BeforeMrs {
    AttemptLimit,
    CardLimit,
    CardTaken,
}

//! What the page has to show when it opens: the form, or how the session already ended (behaviour §4).

use std::sync::Arc;

use jiff::Timestamp;

use super::settle::{Answered, Settling};
use super::submit::{self, NotSubmitted, Submitted};
use crate::client::{Client, Program};
use crate::identifiers::SessionToken;
use crate::ports::{Clients, Clock, EncryptionKey, EncryptionKeys, Enrolments, Rewards, Sessions, Wakeups};
use crate::session::{self, Session};
use crate::time::later;

/// What describing needs.
pub struct Describing<'a> {
    /// Set-ups.
    pub clients: &'a dyn Clients,
    /// Sessions.
    pub sessions: &'a dyn Sessions,
    /// Intents, for a session that has begun one.
    pub enrolments: &'a dyn Enrolments,
    /// MRS, for an intent that is open.
    pub rewards: &'a dyn Rewards,
    /// For the confirmation of an outcome that is found here.
    pub wakeups: &'a dyn Wakeups,
    /// The key that the page encrypts under.
    pub keys: &'a dyn EncryptionKeys,
    /// The time.
    pub clock: &'a dyn Clock,
}

/// What the page shows.
#[derive(Debug)]
pub enum Description {
    /// The form.
    Form(Box<Form>),
    /// A submission that was begun before the page was loaded anew.
    Attempt(Submitted),
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
    /// How many submissions may be tried.
    pub attempts_left: u32,
    /// When the session ends.
    pub expires_at: Timestamp,
}

impl Describing<'_> {
    /// Describes an enrolment session.
    ///
    /// # Errors
    /// Those of a submission that apply.
    pub async fn describe(&self, token: &SessionToken) -> Result<Description, NotSubmitted> {
        let session = submit::enrolment_session(self.sessions, token).await?;
        // An outcome is shown again to whoever reloads at the end, not to whoever finds the page open the next day.
        let over = self.clock.now() >= later(session.expires_at, session::GRACE);
        if session.open_attempt.is_some() || session.is_used_up() && !over {
            return self.last_attempt(&session).await.map(Description::Attempt);
        }
        if !session.is_usable(self.clock.now()) {
            return Err(NotSubmitted::SessionEnded);
        }
        let client = submit::active_client(self.clients, &session).await?;
        let program = client
            .program(&session.program)
            .cloned()
            .ok_or(NotSubmitted::SessionEnded)?;
        Ok(Description::Form(Box::new(Form {
            client,
            program,
            key: self.keys.current().await?,
            attempts_left: session.attempts_left(),
            expires_at: session.expires_at,
        })))
    }

    async fn last_attempt(&self, session: &Session) -> Result<Submitted, NotSubmitted> {
        let id = session
            .open_attempt
            .or(session.last_attempt)
            .ok_or(NotSubmitted::SessionEnded)?;
        // An intent that is gone takes its session with it.
        let intent = self
            .enrolments
            .intent(id)
            .await?
            .ok_or(NotSubmitted::SessionEnded)?;
        let settling = Settling {
            enrolments: self.enrolments,
            rewards: self.rewards,
            clients: self.clients,
            wakeups: self.wakeups,
            clock: self.clock,
        };
        let was_open = intent.outcome.is_none();
        let intent = settling.settle(intent, Answered::Never).await?;
        let Some(ending) = intent.ending() else {
            return Ok(Submitted::Open);
        };
        let failed_now = u32::from(was_open && !ending.status.is_success());
        let attempts_left = if ending.status.is_success() {
            0
        } else {
            session.attempts_left().saturating_sub(failed_now)
        };
        Ok(Submitted::Ended {
            ending,
            incident: intent.incident,
            attempts_left,
        })
    }
}

//! Sessions and used tokens, and the reads of a submission.

use async_trait::async_trait;
use enrollment::identifiers::{IntentId, SessionId};
use enrollment::intent::Intent;
use enrollment::limits::Counters;
use enrollment::ports::{
    ContextQuery, CounterKey, Put, Sessions, StoreError, SubmissionContext, SubmissionRecords,
};
use enrollment::session::{MAX_FAILURES, Session, UsedToken};
use enrollment::time::later;
use jiff::{SignedDuration, Timestamp};

use super::{Model, State, StoredSession, customer_key, is_expired, ttl, unavailable};

/// An expired session is kept this long.
const KEPT_AFTER_EXPIRY: SignedDuration = SignedDuration::from_hours(24);

impl State {
    fn session(&self, id: SessionId, now: Timestamp) -> Option<Session> {
        let stored = self.sessions.get(&id)?;
        (!is_expired(Some(stored.ttl), now)).then(|| stored.session.clone())
    }
}

#[async_trait]
impl Sessions for Model {
    async fn open(&self, session: &Session, token: &UsedToken) -> Result<Put, StoreError> {
        let mut state = self.state();
        if state.used_tokens.contains(&token.digest) {
            return Ok(Put::AlreadyExists);
        }
        if state.sessions.contains_key(&session.id) {
            return Err(unavailable("opening a session", "its id exists already"));
        }
        state.used_tokens.insert(token.digest);
        let stored = StoredSession {
            session: session.clone(),
            ttl: ttl(later(session.expires_at, KEPT_AFTER_EXPIRY)),
        };
        state.sessions.insert(session.id, stored);
        Ok(Put::Created)
    }

    async fn find(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        Ok(self.state().session(id, self.now()))
    }

    async fn extend(&self, extended: &Session, now: Timestamp) -> Result<bool, StoreError> {
        let mut state = self.state();
        let Some(stored) = state.sessions.get_mut(&extended.id) else {
            return Ok(false);
        };
        let session = &mut stored.session;
        let may_extend = session.expires_at > now
            && !session.finished
            && session.failures < MAX_FAILURES
            && session.extensions == extended.extensions.saturating_sub(1);
        if may_extend {
            session.expires_at = extended.expires_at;
            session.extensions = extended.extensions;
            stored.ttl = ttl(later(extended.expires_at, KEPT_AFTER_EXPIRY));
        }
        Ok(may_extend)
    }
}

#[async_trait]
impl SubmissionRecords for Model {
    async fn session_and_intent(
        &self,
        session: SessionId,
        intent: IntentId,
    ) -> Result<Option<(Session, Option<Intent>)>, StoreError> {
        let (state, now) = (self.state(), self.now());
        let found = state.session(session, now);
        Ok(found.map(|session| (session, state.intent(intent, now))))
    }

    async fn context(
        &self,
        session: &Session,
        wanted: ContextQuery,
    ) -> Result<SubmissionContext, StoreError> {
        let (state, now) = (self.state(), self.now());
        let Session {
            client,
            program,
            customer,
            ..
        } = session;
        let counted = CounterKey {
            client,
            program,
            customer,
        };
        let key = customer_key(client, program, customer);
        let counters = if wanted.counters {
            state.read_counters(counted)
        } else {
            Counters::default()
        };
        Ok(SubmissionContext {
            client: state.clients.get(client).cloned(),
            counters,
            count: state.count(&key),
            card: wanted.card.and_then(|card| state.card(&key, card, now)),
        })
    }
}

//! The port `SubmissionRecords` over `DynamoDB`: what a submission reads of several tables, by one call each time.

use std::sync::Arc;

use async_trait::async_trait;
use enrollment::clock::Clock;
use enrollment::identifiers::{IntentId, SessionId};
use enrollment::intent::Intent;
use enrollment::limits::Counters;
use enrollment::ports::{ContextQuery, CounterKey, StoreError, SubmissionContext, SubmissionRecords};
use enrollment::session::Session;

use super::{DynamoClients, DynamoEnrollments, DynamoLimits, DynamoSessions, customers, enrollments, limits};
use crate::vault::Vault;

/// The tables of a submission, each read as its own adapter reads it.
pub struct DynamoSubmissionRecords {
    clients: Arc<DynamoClients>,
    sessions: DynamoSessions,
    enrollments: DynamoEnrollments,
    limits: DynamoLimits,
    vault: Arc<Vault>,
    clock: Arc<dyn Clock>,
}

/// Adapters of the tables that a submission reads. A client that is read here is cached in `clients`.
pub struct SubmissionTables {
    /// The table `clients`.
    pub clients: Arc<DynamoClients>,
    /// The table `sessions`.
    pub sessions: DynamoSessions,
    /// The table `enrollments`.
    pub enrollments: DynamoEnrollments,
    /// The table `limits`.
    pub limits: DynamoLimits,
}

impl DynamoSubmissionRecords {
    /// Batched reads of these tables.
    pub fn new(tables: SubmissionTables, vault: Arc<Vault>, clock: Arc<dyn Clock>) -> Self {
        let SubmissionTables {
            clients,
            sessions,
            enrollments,
            limits,
        } = tables;
        Self {
            clients,
            sessions,
            enrollments,
            limits,
            vault,
            clock,
        }
    }
}

#[async_trait]
impl SubmissionRecords for DynamoSubmissionRecords {
    async fn session_and_intent(
        &self,
        session: SessionId,
        intent: IntentId,
    ) -> Result<Option<(Session, Option<Intent>)>, StoreError> {
        let keys = [self.sessions.key(session), self.enrollments.intent_key(intent)];
        let batch = self.enrollments.batch("reading a session and its intent");
        let [found, stored] = batch.read(keys).await?;
        let Some(found) = found else { return Ok(None) };
        let Some(session) = self.sessions.session_of(session, &found).await? else {
            return Ok(None);
        };
        let intent = match stored {
            Some(fields) => self.enrollments.intent_of(intent, &fields).await?,
            None => None,
        };
        Ok(Some((session, intent)))
    }

    async fn context(
        &self,
        session: &Session,
        wanted: ContextQuery,
    ) -> Result<SubmissionContext, StoreError> {
        const OPERATION: &str = "reading a submission context";
        let Session {
            client,
            program,
            customer,
            ..
        } = session;
        let owner = customers::primary_key(&self.vault, OPERATION, client, program, customer).await?;
        // Records that are always read come first.
        let mut keys = vec![self.enrollments.count_key(&owner)];
        if wanted.counters {
            let counted = CounterKey {
                client,
                program,
                customer,
            };
            keys.extend(self.limits.keys(OPERATION, counted).await?);
        }
        keys.extend(wanted.card.map(|card| self.enrollments.card_key(&owner, card)));
        let at = self.clock.now();
        let remembered = match self.clients.remembered_or_key(client) {
            Ok(remembered) => Some(remembered),
            Err(key) => {
                keys.push(key);
                None
            }
        };
        let mut found = self
            .enrollments
            .batch(OPERATION)
            .read_all(&keys)
            .await?
            .into_iter();
        let count = enrollments::count_of(found.next().flatten().as_ref())?;
        let counters = if wanted.counters {
            let (customer, client) = (found.next().flatten(), found.next().flatten());
            limits::counters(customer.as_ref(), client.as_ref())?
        } else {
            Counters::default()
        };
        let card = match wanted.card.and_then(|_| found.next().flatten()) {
            Some(fields) => self.enrollments.card_of(client, &owner, &fields).await?,
            None => None,
        };
        let client = match remembered {
            Some(remembered) => remembered,
            None => self
                .clients
                .take_up(client, found.next().flatten().as_ref(), at)?,
        };
        Ok(SubmissionContext {
            client,
            counters,
            count,
            card,
        })
    }
}

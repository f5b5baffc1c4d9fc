//! Ports of the batches and of the enrolled cards.

use async_trait::async_trait;
use enrollment::batch::{
    Batch, BatchAnswer, BatchId, BatchWork, EncryptedEnrollmentData, ExternalCardId, ExternalConsumerId,
};
use enrollment::digital_card::{DigitalCard, DigitalCardKey};
use enrollment::identifiers::ClientId;
use enrollment::ports::{
    Acceptance, Acknowledgment, BatchContents, BatchQuery, BatchSubmission, Batches, CardDeletion,
    ContentName, Cursor, DigitalCards, DueBatch, DueDeletion, IssuerEnrollment, IssuerEnrollmentError,
    LeaseEnd, Pacing, Page, Permit, Put, StoreError, UsedTokens,
};
use enrollment::session::UsedToken;
use jiff::{SignedDuration, Timestamp};

use super::{Injecting, Observing};
use crate::batch::mastercard::Mastercard;

/// Time limit of a call to the Issuer Enrollment API.
const ISSUER_LIMIT: SignedDuration = SignedDuration::from_secs(10);

#[async_trait]
impl<P: Batches> Batches for Observing<'_, P> {
    async fn accept(&self, batch: &Batch) -> Result<Acceptance, StoreError> {
        let work = self.injecting.inner.accept(batch);
        self.injecting.stored("batches.accept", work).await
    }

    async fn batch(&self, id: BatchId) -> Result<Option<Batch>, StoreError> {
        let work = self.injecting.inner.batch(id);
        self.injecting.stored("batches.batch", work).await
    }

    async fn due(&self, until: Timestamp, limit: usize) -> Result<Vec<DueBatch>, StoreError> {
        let work = self.injecting.inner.due(until, limit);
        self.injecting.stored("batches.due", work).await
    }

    async fn acquire(
        &self,
        id: BatchId,
        work: BatchWork,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Batch>, StoreError> {
        let work = self.injecting.inner.acquire(id, work, now, until);
        self.injecting.stored("batches.acquire", work).await
    }

    async fn update(&self, batch: &Batch, lease: Timestamp, end: LeaseEnd) -> Result<bool, StoreError> {
        let work = self.injecting.inner.update(batch, lease, end);
        self.injecting.stored("batches.update", work).await
    }

    async fn finish(&self, batch: &Batch, lease: Timestamp) -> Result<bool, StoreError> {
        let written = async {
            let is_ended = self.injecting.inner.finish(batch, lease).await?;
            if is_ended {
                self.observations.batch_ended(batch);
            }
            Ok(is_ended)
        };
        self.injecting.stored("batches.finish", written).await
    }

    async fn content_discarded(&self, id: BatchId) -> Result<(), StoreError> {
        let work = self.injecting.inner.content_discarded(id);
        self.injecting.stored("batches.content_discarded", work).await
    }

    async fn postpone(&self, id: BatchId, at: Timestamp) -> Result<(), StoreError> {
        let work = self.injecting.inner.postpone(id, at);
        self.injecting.stored("batches.postpone", work).await
    }
}

#[async_trait]
impl<P: BatchContents> BatchContents for Injecting<'_, P> {
    async fn put(&self, name: ContentName<'_>, data: &EncryptedEnrollmentData) -> Result<(), StoreError> {
        self.stored("contents.put", self.inner.put(name, data)).await
    }

    async fn get(&self, name: ContentName<'_>) -> Result<Option<EncryptedEnrollmentData>, StoreError> {
        self.stored("contents.get", self.inner.get(name)).await
    }

    async fn delete(&self, name: ContentName<'_>) -> Result<(), StoreError> {
        self.stored("contents.delete", self.inner.delete(name)).await
    }
}

#[async_trait]
impl<P: Pacing> Pacing for Injecting<'_, P> {
    async fn take(&self, now: Timestamp) -> Result<Permit, StoreError> {
        self.stored("pacing.take", self.inner.take(now)).await
    }

    async fn pause(&self, until: Timestamp) -> Result<(), StoreError> {
        self.stored("pacing.pause", self.inner.pause(until)).await
    }
}

#[async_trait]
impl<P: UsedTokens> UsedTokens for Injecting<'_, P> {
    async fn use_once(&self, token: &UsedToken) -> Result<Put, StoreError> {
        self.stored("used_tokens.use_once", self.inner.use_once(token))
            .await
    }
}

#[async_trait]
impl<P: DigitalCards> DigitalCards for Injecting<'_, P> {
    async fn record(&self, cards: &[DigitalCard]) -> Result<(), StoreError> {
        self.stored("digital_cards.record", self.inner.record(cards))
            .await
    }

    async fn card(
        &self,
        client: &ClientId,
        card: &ExternalCardId,
    ) -> Result<Option<DigitalCard>, StoreError> {
        self.stored("digital_cards.card", self.inner.card(client, card))
            .await
    }

    async fn cards_of(
        &self,
        client: &ClientId,
        consumer: &ExternalConsumerId,
    ) -> Result<Vec<DigitalCard>, StoreError> {
        self.stored("digital_cards.cards_of", self.inner.cards_of(client, consumer))
            .await
    }

    async fn request_deletion(
        &self,
        client: &ClientId,
        card: &ExternalCardId,
        at: Timestamp,
    ) -> Result<Option<(DigitalCardKey, DigitalCard)>, StoreError> {
        let work = self.inner.request_deletion(client, card, at);
        self.stored("digital_cards.request_deletion", work).await
    }

    async fn due_deletions(&self, until: Timestamp, limit: usize) -> Result<Vec<DueDeletion>, StoreError> {
        let work = self.inner.due_deletions(until, limit);
        self.stored("digital_cards.due_deletions", work).await
    }

    async fn acquire(
        &self,
        key: &DigitalCardKey,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<DigitalCard>, StoreError> {
        let work = self.inner.acquire(key, now, until);
        self.stored("digital_cards.acquire", work).await
    }

    async fn update(
        &self,
        card: &DigitalCard,
        lease: Timestamp,
        next: Timestamp,
    ) -> Result<bool, StoreError> {
        let work = self.inner.update(card, lease, next);
        self.stored("digital_cards.update", work).await
    }

    async fn deleted(
        &self,
        client: &ClientId,
        until: Timestamp,
        from: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<DigitalCardKey>, StoreError> {
        let work = self.inner.deleted(client, until, from, limit);
        self.stored("digital_cards.deleted", work).await
    }

    async fn remove(&self, key: &DigitalCardKey, until: Timestamp) -> Result<bool, StoreError> {
        self.stored("digital_cards.remove", self.inner.remove(key, until))
            .await
    }

    async fn erase(&self, client: &ClientId, card: &ExternalCardId) -> Result<bool, StoreError> {
        self.stored("digital_cards.erase", self.inner.erase(client, card))
            .await
    }
}

/// Records which process asks Mastercard about a batch or a card.
#[async_trait]
impl IssuerEnrollment for Observing<'_, Mastercard> {
    async fn submit(&self, batch: BatchSubmission<'_>) -> Result<Acknowledgment, IssuerEnrollmentError> {
        self.asks_issuer(batch.external_id.as_str());
        let work = self.injecting.inner.submit(batch);
        self.asked("issuer_enrollment.submit", work).await
    }

    async fn status(&self, query: BatchQuery<'_>) -> Result<BatchAnswer, IssuerEnrollmentError> {
        self.asks_issuer(query.submission.batch.expose());
        let work = self.injecting.inner.status(query);
        self.asked("issuer_enrollment.status", work).await
    }

    async fn delete_card(&self, card: CardDeletion<'_>) -> Result<(), IssuerEnrollmentError> {
        self.asks_issuer(card.card.expose());
        let work = self.injecting.inner.delete_card(card);
        self.asked("issuer_enrollment.delete_card", work).await
    }
}

impl Observing<'_, Mastercard> {
    fn asks_issuer(&self, id: &str) {
        self.observations.asks(id, self.injecting.execution.process());
    }

    async fn asked<T>(
        &self,
        call: &'static str,
        work: impl Future<Output = Result<T, IssuerEnrollmentError>>,
    ) -> Result<T, IssuerEnrollmentError> {
        let failed = || Err(IssuerEnrollmentError::unanswered("no answer in time"));
        self.injecting
            .execution
            .effect(call, ISSUER_LIMIT, work, failed)
            .await
    }
}

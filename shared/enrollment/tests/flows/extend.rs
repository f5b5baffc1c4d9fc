use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use enrollment::action::ActionCode;
use enrollment::client::ClientStatus;
use enrollment::clock::Clock as _;
use enrollment::flows::extend::ExtendError;
use enrollment::flows::submit::SubmitError;
use enrollment::identifiers::SessionId;
use enrollment::ports::{Put, Sessions, StoreError};
use enrollment::session::{LIFETIME, MAX_EXTENSIONS, Session, UsedToken};
use harness::Fixture;
use jiff::{SignedDuration, Timestamp};

#[tokio::test]
async fn end_is_a_lifetime_from_now() {
    let (fixture, _) = Fixture::on_model(|_| {});
    let session = fixture.session().await;
    fixture.clock.advance(SignedDuration::from_mins(10));
    let extension = fixture.extend(&session).await.unwrap();
    assert_eq!(extension.expires_at, fixture.clock.now() + LIFETIME);
    assert_eq!(extension.extensions_left, MAX_EXTENSIONS - 1);
    let stored = fixture.stored_session(&session).await;
    assert_eq!((stored.expires_at, stored.extensions), (extension.expires_at, 1));
    assert_eq!(stored.failures, 0);
}

#[tokio::test]
async fn eleventh_extension_is_refused() {
    let (fixture, _) = Fixture::on_model(|_| {});
    let session = fixture.session().await;
    for left in (0..MAX_EXTENSIONS).rev() {
        assert_eq!(fixture.extend(&session).await.unwrap().extensions_left, left);
    }
    let refused = fixture.extend(&session).await;
    assert!(matches!(refused, Err(ExtendError::Exhausted)), "{refused:?}");
}

#[tokio::test]
async fn session_that_takes_no_submission_is_not_extended() {
    let (fixture, model) = Fixture::on_model(|_| {});
    let other = fixture.session_for(ActionCode::OptOut).await;
    let refused = fixture.extend(&other).await;
    assert!(
        matches!(refused, Err(ExtendError::Session(SubmitError::WrongAction(_)))),
        "{refused:?}"
    );

    let finished = fixture.session().await;
    fixture.submit(&finished, "a").await.unwrap();
    let expired = fixture.session().await;
    let suspended = fixture.session().await;
    let mut client = fixture.client().await;
    client.status = ClientStatus::Suspended;
    model.set_up(client);
    let refused = fixture.extend(&suspended).await;
    assert!(
        matches!(refused, Err(ExtendError::Session(SubmitError::Suspended))),
        "{refused:?}"
    );
    fixture.clock.advance(LIFETIME);
    for session in [finished, expired] {
        let before = fixture.stored_session(&session).await;
        let refused = fixture.extend(&session).await;
        assert!(
            matches!(refused, Err(ExtendError::Session(SubmitError::SessionEnded))),
            "{refused:?}"
        );
        assert_eq!(fixture.stored_session(&session).await, before);
    }
}

/// Sessions that another tab extends before each of the first writes.
struct Contested<'a> {
    fixture: &'a Fixture,
    refusals: usize,
    calls: AtomicUsize,
}

#[async_trait]
impl Sessions for Contested<'_> {
    async fn open(&self, session: &Session, token: &UsedToken) -> Result<Put, StoreError> {
        self.fixture.stores.sessions.open(session, token).await
    }

    async fn find(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.fixture.stores.sessions.find(id).await
    }

    async fn extend(&self, extended: &Session, now: Timestamp) -> Result<bool, StoreError> {
        if self.calls.fetch_add(1, Ordering::Relaxed) < self.refusals {
            return Ok(false);
        }
        self.fixture.stores.sessions.extend(extended, now).await
    }
}

#[tokio::test]
async fn contested_extension_is_tried_five_times() {
    for (refusals, is_extended) in [(1, true), (4, true), (5, false)] {
        let (fixture, _) = Fixture::on_model(|_| {});
        let session = fixture.session().await;
        let contested = Contested {
            fixture: &fixture,
            refusals,
            calls: AtomicUsize::new(0),
        };
        let extended = fixture.extend_over(&contested, &session).await;
        assert_eq!(extended.is_ok(), is_extended, "{refusals}");
        if let Err(error) = extended {
            assert!(
                matches!(error, ExtendError::Session(SubmitError::Store(_))),
                "{error:?}"
            );
        }
    }
}

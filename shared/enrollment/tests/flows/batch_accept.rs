use enrollment::batch::{Batch, BatchStage, FaultKind, MAX_BODY};
use enrollment::client::ClientStatus;
use enrollment::clock::Clock as _;
use enrollment::flows::batch::accept::{AcceptBatch, AcceptError};
use enrollment::flows::call::{Authentication, CallError};
use enrollment::identifiers::IncidentId;
use enrollment::status::Status;
use harness::BatchFixture;
use jiff::{SignedDuration, Timestamp};

use crate::batch_calls::{OTHER_PRIVATE_KEY, Request, body, fixture, fixture_with, sign};

async fn accept(fixture: &BatchFixture, request: &Request) -> Result<Batch, AcceptError> {
    accept_token(fixture, request, &request.token()).await
}

async fn accept_token(fixture: &BatchFixture, request: &Request, token: &str) -> Result<Batch, AcceptError> {
    let incident = IncidentId::random(&fixture.randomness);
    fixture.accept_flow().accept(request.call(token), incident).await
}

fn refusal(accepted: Result<Batch, AcceptError>) -> Status {
    match accepted {
        Err(AcceptError::Token(error)) => error.status(),
        other => panic!("{other:?}"),
    }
}

async fn read(fixture: &BatchFixture, id: &str, action: &str) -> Result<Option<Batch>, CallError> {
    let path = format!("/company/enroll_batch/{id}");
    let request = Request::new(fixture, action, "GET", &path, b"");
    fixture.read_flow().read(request.call(&request.token()), id).await
}

#[tokio::test]
async fn batch_is_stored_with_its_data_and_woken() {
    let (fixture, _) = fixture();
    let request = Request::post(&fixture, &body("1"));
    let batch = accept(&fixture, &request).await.unwrap();
    assert_eq!(fixture.stored(batch.id).await, batch);
    assert_eq!(batch.stage, BatchStage::Accepted);
    assert_eq!(
        (batch.accepted_at, &batch.issuer),
        (fixture.clock.now(), &fixture.issuer)
    );
    assert_eq!(batch.manifest.card_count(), 3);
    let data = fixture.stores.contents.get(batch.content_name()).await.unwrap();
    assert_eq!(data.unwrap().expose(), body("1")["encryptedEnrollmentData"]);
    assert_eq!(
        fixture.wakeups.take_submissions(),
        [(batch.id, SignedDuration::ZERO)]
    );
    let due = fixture.stores.batches.due(fixture.clock.now(), 10).await.unwrap();
    assert_eq!(due.len(), 1);
}

#[tokio::test]
async fn lost_wake_up_leaves_the_batch_due() {
    let (fixture, _) = fixture();
    fixture.wakeups.fail();
    let batch = accept(&fixture, &Request::post(&fixture, &body("1")))
        .await
        .unwrap();
    assert_eq!(fixture.due_in(batch.id).await, Some(SignedDuration::ZERO));
}

#[tokio::test]
async fn same_body_gives_the_same_answer() {
    let (fixture, model) = fixture();
    let request = Request::post(&fixture, &body("1"));
    let token = request.token();
    let first = accept_token(&fixture, &request, &token).await.unwrap();
    fixture.clock.advance(SignedDuration::from_mins(5));
    assert_eq!(
        accept_token(&fixture, &request, &token).await.unwrap(),
        first,
        "the same token"
    );
    let fresh = Request::post(&fixture, &body("1"));
    assert_eq!(accept(&fixture, &fresh).await.unwrap(), first, "another token");
    assert_eq!(model.content_count(), 1);
    assert_eq!(
        fixture
            .stores
            .batches
            .due(Timestamp::MAX, 10)
            .await
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn other_body_under_the_same_id_is_a_conflict() {
    let (fixture, model) = fixture();
    let first = accept(&fixture, &Request::post(&fixture, &body("1")))
        .await
        .unwrap();
    let mut other = body("1");
    other["manifest"]["profiles"][0]["cards"][0]["externalCardId"] = "z".into();
    let refused = accept(&fixture, &Request::post(&fixture, &other)).await;
    assert!(matches!(refused, Err(AcceptError::Conflict)), "{refused:?}");
    assert_eq!(fixture.stored(first.id).await, first);
    assert_eq!(model.content_count(), 1);
    let data = fixture.stores.contents.get(first.content_name()).await.unwrap();
    assert!(data.is_some(), "the first one's data stays");
}

#[tokio::test]
async fn two_bodies_at_once_leave_one_batch() {
    let (fixture, model) = fixture();
    let first = Request::post(&fixture, &body("1"));
    let mut other = body("1");
    other["confirmationUrl"] = serde_json::Value::Null;
    let second = Request::post(&fixture, &other);
    // The second one is stored while the first one stores its data.
    let racing = racing::Contents {
        fixture: &fixture,
        second: &second,
    };
    let flow = AcceptBatch {
        contents: &racing,
        ..fixture.accept_flow()
    };
    let incident = IncidentId::random(&fixture.randomness);
    let refused = flow.accept(first.call(&first.token()), incident).await;
    assert!(matches!(refused, Err(AcceptError::Conflict)), "{refused:?}");
    assert_eq!(model.content_count(), 1, "the refused one's data is deleted");
    let due = fixture.stores.batches.due(Timestamp::MAX, 10).await.unwrap();
    let stored = fixture.stored(due[0].id).await;
    let data = fixture.stores.contents.get(stored.content_name()).await.unwrap();
    assert!(data.is_some() && stored.confirmation_url.is_none());
}

#[tokio::test]
async fn faults_keep_nothing() {
    let (fixture, model) = fixture();
    let mut broken = body("1");
    broken["manifest"]["profiles"][0]["cards"] = serde_json::json!([]);
    broken["externalBatchId"] = "5234000000000106".into();
    let refused = accept(&fixture, &Request::post(&fixture, &broken)).await;
    let Err(AcceptError::Faults(faults)) = refused else {
        panic!("{refused:?}");
    };
    let faults: Vec<_> = faults
        .iter()
        .map(|fault| (fault.pointer.as_str(), fault.kind))
        .collect();
    assert_eq!(
        faults,
        [
            ("/externalBatchId", FaultKind::CardNumber),
            ("/manifest/profiles/0/cards", FaultKind::Empty)
        ]
    );
    assert_eq!(model.content_count(), 0);
    assert_eq!(fixture.stores.batches.due(Timestamp::MAX, 10).await.unwrap(), []);
    assert_eq!(fixture.wakeups.take_submissions(), []);
}

#[tokio::test]
async fn body_beyond_512_kilobytes_is_refused_first() {
    let (fixture, _) = fixture();
    let exact = vec![b' '; MAX_BODY];
    let request = Request::new(&fixture, "B", "POST", "/company/enroll_batch", &exact);
    let refused = accept(&fixture, &request).await;
    assert!(matches!(refused, Err(AcceptError::Faults(_))), "{refused:?}");
    let long = vec![b' '; MAX_BODY + 1];
    let request = Request::new(&fixture, "B", "POST", "/company/enroll_batch", &long);
    let refused = accept_token(&fixture, &request, "no token").await;
    assert!(matches!(refused, Err(AcceptError::TooLarge)), "{refused:?}");
}

#[tokio::test]
async fn refused_token_accepts_nothing() {
    let (fixture, model) = fixture();
    let request = Request::post(&fixture, &body("1"));
    let forged = sign(&request.claims, OTHER_PRIVATE_KEY);
    let expired = request.token();
    assert_eq!(
        refusal(accept_token(&fixture, &request, &forged).await),
        Status::AccessDenied
    );
    assert_eq!(
        refusal(accept_token(&fixture, &request, "x").await),
        Status::InvalidParameters
    );
    let mut other = Request::post(&fixture, &body("1"));
    other.body = body("2").to_string().into_bytes();
    assert_eq!(
        refusal(accept(&fixture, &other).await),
        Status::InvalidParameters,
        "another body"
    );
    fixture
        .clock
        .advance(SignedDuration::from_mins(11) + SignedDuration::from_millis(1));
    let late = accept_token(&fixture, &request, &expired).await;
    assert_eq!(refusal(late), Status::TokenExpired);
    let without = enrollment::flows::call::ApiCall {
        token: None,
        ..request.call(&expired)
    };
    let incident = IncidentId::random(&fixture.randomness);
    let refused = fixture.accept_flow().accept(without, incident).await;
    assert_eq!(refusal(refused), Status::InvalidParameters);
    assert_eq!(model.content_count(), 0);
}

#[tokio::test]
async fn only_an_active_issuer_is_served() {
    for change in [
        |client: &mut enrollment::client::Client| client.issuer = None,
        |client: &mut enrollment::client::Client| client.status = ClientStatus::Suspended,
    ] {
        let (fixture, _) = fixture_with(change);
        let request = Request::post(&fixture, &body("1"));
        assert_eq!(refusal(accept(&fixture, &request).await), Status::AccessDenied);
    }
    let (fixture, _) = fixture();
    let flow = AcceptBatch {
        authentication: Authentication {
            serves_issuers: false,
            ..fixture.authentication()
        },
        ..fixture.accept_flow()
    };
    let request = Request::post(&fixture, &body("1"));
    let incident = IncidentId::random(&fixture.randomness);
    let refused = flow.accept(request.call(&request.token()), incident).await;
    assert_eq!(refusal(refused), Status::AccessDenied, "no Issuer Enrollment API");
}

#[tokio::test]
async fn owner_alone_reads_a_batch() {
    let (fixture, model) = fixture();
    let batch = accept(&fixture, &Request::post(&fixture, &body("1")))
        .await
        .unwrap();
    let id = batch.id.to_hex();
    assert_eq!(read(&fixture, &id, "B").await.unwrap(), Some(batch.clone()));
    assert_eq!(read(&fixture, &"0".repeat(32), "B").await.unwrap(), None);
    assert_eq!(read(&fixture, "x", "B").await.unwrap(), None);
    assert!(read(&fixture, &id, "D").await.is_err());

    let mut other = enrollment::client::Client::clone(
        &fixture
            .stores
            .clients
            .by_id(&fixture.client)
            .await
            .unwrap()
            .unwrap(),
    );
    other.id = enrollment::identifiers::ClientId::parse("other").unwrap();
    model.set_up(other);
    let path = format!("/company/enroll_batch/{id}");
    let mut request = Request::new(&fixture, "B", "GET", &path, b"");
    request.claims["iss"] = "other".into();
    let found = fixture
        .read_flow()
        .read(request.call(&request.token()), &id)
        .await;
    assert_eq!(found.unwrap(), None);
}

#[tokio::test]
async fn batch_past_its_retention_is_invisible() {
    let (fixture, _) = fixture();
    let id = fixture.submitted("1", &[("p1", &["a"])]).await;
    let answer = harness::scripted_issuer_enrollment::completed(vec![]);
    fixture.mastercard.answers_status(Ok(answer));
    fixture.poll(id).await;
    let day = SignedDuration::from_hours(24);
    fixture.clock.advance(day * 30 - SignedDuration::from_secs(1));
    assert!(read(&fixture, &id.to_hex(), "B").await.unwrap().is_some());
    fixture.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(read(&fixture, &id.to_hex(), "B").await.unwrap(), None);
}

#[tokio::test]
async fn batch_past_its_retention_answers_no_repeat() {
    let (fixture, model) = fixture();
    let first = accept(&fixture, &Request::post(&fixture, &body("1")))
        .await
        .unwrap();
    fixture.submit(first.id).await;
    let answer = harness::scripted_issuer_enrollment::completed(vec![]);
    fixture.mastercard.answers_status(Ok(answer));
    fixture.clock.advance(first.issuer.poll_interval());
    fixture.poll(first.id).await;
    fixture.wakeups.take_submissions();
    let ended_at = fixture.stored(first.id).await.result().unwrap().at;
    let retention = SignedDuration::from_hours(24 * 30);
    fixture
        .clock
        .advance_to(ended_at + retention - SignedDuration::from_secs(1));
    let kept = accept(&fixture, &Request::post(&fixture, &body("1"))).await;
    assert_eq!(kept.unwrap().id, first.id);
    fixture.clock.advance(SignedDuration::from_secs(1));
    let mut other = body("1");
    other["confirmationUrl"] = serde_json::Value::Null;
    for body in [body("1"), other] {
        let expired = accept(&fixture, &Request::post(&fixture, &body)).await;
        assert!(matches!(expired, Err(AcceptError::Expired)), "{expired:?}");
    }
    assert_eq!(fixture.wakeups.take_submissions(), []);

    fixture.stores.batches.content_discarded(first.id).await.unwrap();
    assert_eq!(fixture.purge_flow().run().await.unwrap().batches, 1);
    let again = accept(&fixture, &Request::post(&fixture, &body("1")))
        .await
        .unwrap();
    assert_eq!((again.stage, model.content_count()), (BatchStage::Accepted, 1));
}

mod racing {
    use async_trait::async_trait;
    use enrollment::batch::EncryptedEnrollmentData;
    use enrollment::ports::{BatchContents, ContentName, StoreError};
    use harness::BatchFixture;

    use super::{Request, accept};

    /// Accepts another request after each stored JWE.
    pub(super) struct Contents<'a> {
        pub(super) fixture: &'a BatchFixture,
        pub(super) second: &'a Request,
    }

    #[async_trait]
    impl BatchContents for Contents<'_> {
        async fn put(&self, name: ContentName<'_>, data: &EncryptedEnrollmentData) -> Result<(), StoreError> {
            self.fixture.stores.contents.put(name, data).await?;
            accept(self.fixture, self.second).await.unwrap();
            Ok(())
        }

        async fn get(&self, name: ContentName<'_>) -> Result<Option<EncryptedEnrollmentData>, StoreError> {
            self.fixture.stores.contents.get(name).await
        }

        async fn delete(&self, name: ContentName<'_>) -> Result<(), StoreError> {
            self.fixture.stores.contents.delete(name).await
        }
    }
}

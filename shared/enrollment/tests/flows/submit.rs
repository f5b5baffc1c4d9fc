use std::sync::Arc;

use async_trait::async_trait;
use enrollment::action::ActionCode;
use enrollment::client::{BankCustomerNumberKind, ClientStatus, Program};
use enrollment::clock::Clock as _;
use enrollment::flows::submit::{SubmitError, SubmitResponse};
use enrollment::identifiers::{
    BankCustomerNumber, CustomerId, IntentId, Last4, ProgramId, SessionId, SessionToken,
};
use enrollment::intent::{CardState, Intent};
use enrollment::ports::{ContextQuery, StoreError, SubmissionContext, SubmissionRecords};
use enrollment::reason::Reason;
use enrollment::session::{LIFETIME, Session};
use enrollment::status::Status;
use harness::fixtures::{enrollment, idempotency_key};
use harness::scripted_mrs::{Call, EnrollmentAnswer, LAST4, RANAC};
use harness::{Fixture, Model};
use jiff::SignedDuration;
use serde_json::json;

use crate::ended;

fn usual() -> (Fixture, Arc<Model>) {
    Fixture::on_model(|_| {})
}

fn with_program(change: impl Fn(&mut Program)) -> (Fixture, Arc<Model>) {
    Fixture::on_model(|client| change(&mut client.programs[0]))
}

/// The fault of a submission that is refused for one.
fn fault(submitted: Result<SubmitResponse, SubmitError>) -> (&'static str, &'static str) {
    match submitted {
        Err(SubmitError::Invalid(faults)) if faults.len() == 1 => (faults[0].pointer, faults[0].detail),
        other => panic!("one fault was expected: {other:?}"),
    }
}

#[tokio::test]
async fn enrollment_stores_the_card_and_ends_the_session() {
    let (fixture, _) = usual();
    let session = fixture.session().await;
    let response = fixture.submit(&session, "a").await.unwrap();
    let (ending, left, reason) = ended(&response);
    assert_eq!((ending.status, ending.code), (Status::SuccessEnrollment, None));
    assert_eq!((left, reason), (0, None));
    assert_eq!(ending.ranac.as_ref().unwrap().expose(), RANAC);
    assert_eq!(ending.customer.as_ref(), Some(&fixture.customer));
    assert_eq!(fixture.mrs.take_calls(), [Call::Enroll]);
    let customer = fixture.customer().await;
    let card = &customer.cards[0];
    assert_eq!((card.state, card.last4.as_str()), (CardState::Active, "0123"));
    assert_eq!(card.bin.as_str(), "523400");
    assert_eq!(fixture.cards().await, (1, 0));
    assert!(fixture.stored_session(&session).await.finished);
    let again = fixture.submit(&session, "b").await;
    assert!(matches!(again, Err(SubmitError::SessionEnded)), "{again:?}");
}

#[tokio::test]
async fn body_that_breaks_rules_asks_nothing_of_mrs() {
    let (fixture, _) = usual();
    let session = fixture.session().await;
    let refused = fixture
        .submit_body(ActionCode::Enroll, &session, "a", &json!({}))
        .await;
    assert!(matches!(refused, Err(SubmitError::Invalid(_))), "{refused:?}");
    let mut foreign = enrollment();
    foreign["bin"] = "411111".into();
    let refused = fixture
        .submit_body(ActionCode::Enroll, &session, "a", &foreign)
        .await;
    assert_eq!(fault(refused), ("/bin", "does not belong to the program"));
    assert_eq!(fixture.mrs.take_calls(), []);
    assert_eq!(fixture.stored_session(&session).await.last_attempt, None);
}

#[tokio::test]
async fn session_of_another_action_is_refused() {
    let (fixture, _) = usual();
    let session = fixture.session_for(ActionCode::OptOut).await;
    let refused = fixture.submit(&session, "a").await;
    assert!(
        matches!(refused, Err(SubmitError::WrongAction(ActionCode::OptOut))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn unknown_and_expired_sessions_are_refused() {
    let (fixture, _) = usual();
    let unknown = SessionToken::random(&fixture.randomness);
    let expired = fixture.session().await;
    fixture.clock.advance(LIFETIME);
    for session in [unknown, expired] {
        let refused = fixture.submit(&session, "a").await;
        assert!(matches!(refused, Err(SubmitError::SessionEnded)), "{refused:?}");
    }
    assert_eq!(fixture.mrs.take_calls(), []);
}

#[tokio::test]
async fn session_is_usable_until_its_last_millisecond() {
    let (fixture, _) = usual();
    let session = fixture.session().await;
    fixture.clock.advance(LIFETIME - SignedDuration::from_millis(1));
    let response = fixture.submit(&session, "a").await.unwrap();
    assert_eq!(ended(&response).0.status, Status::SuccessEnrollment);
}

#[tokio::test]
async fn suspended_client_begins_nothing() {
    let (fixture, model) = usual();
    let session = fixture.session().await;
    let mut client = fixture.client().await;
    client.status = ClientStatus::Suspended;
    model.set_up(client);
    let refused = fixture.submit(&session, "a").await;
    assert!(matches!(refused, Err(SubmitError::Suspended)), "{refused:?}");
    assert_eq!(fixture.mrs.take_calls(), []);
}

#[tokio::test]
async fn program_that_is_gone_ends_the_session() {
    let (fixture, _) = usual();
    let session = fixture
        .open_session(|session| session.program = ProgramId::parse("99999").unwrap())
        .await;
    let refused = fixture.submit(&session, "a").await;
    assert!(matches!(refused, Err(SubmitError::SessionEnded)), "{refused:?}");
}

#[tokio::test]
async fn key_with_another_body_is_refused() {
    let (fixture, _) = usual();
    let session = fixture.session().await;
    fixture.mrs.answers_enrollment(EnrollmentAnswer::Declined(-52));
    fixture.submit(&session, "a").await.unwrap();
    let mut body = enrollment();
    body["last4"] = "4321".into();
    let reused = fixture
        .submit_body(ActionCode::Enroll, &session, "a", &body)
        .await;
    assert!(matches!(reused, Err(SubmitError::KeyReused)), "{reused:?}");
    assert_eq!(fixture.mrs.take_calls(), [Call::Enroll]);
}

#[tokio::test]
async fn repeat_gets_the_first_answer_with_its_incident() {
    let (fixture, _) = usual();
    let session = fixture.session().await;
    fixture.mrs.answers_enrollment(EnrollmentAnswer::Declined(-52));
    let first = fixture.submit(&session, "a").await.unwrap();
    assert_eq!(ended(&first).1, 4);
    let second = fixture.submit(&session, "a").await.unwrap();
    assert_eq!(first, second);
    assert_eq!(fixture.mrs.take_calls(), [Call::Enroll]);
    assert_eq!(fixture.stored_session(&session).await.failures, 1);
}

#[tokio::test]
async fn fifth_failure_ends_the_session() {
    let (fixture, _) = usual();
    let session = fixture.session().await;
    fixture.mrs.answers_enrollment(EnrollmentAnswer::Declined(-45));
    for (key, left) in [("a", 4), ("b", 3), ("c", 2), ("d", 1)] {
        let response = fixture.submit(&session, key).await.unwrap();
        assert_eq!((ended(&response).1, ended(&response).2), (left, None), "{key}");
    }
    let last = fixture.submit(&session, "e").await.unwrap();
    assert_eq!((ended(&last).1, ended(&last).2), (0, Some(Reason::LastTry)));
    assert_eq!(fixture.submit(&session, "e").await.unwrap(), last);
    let refused = fixture.submit(&session, "f").await;
    assert!(matches!(refused, Err(SubmitError::SessionEnded)), "{refused:?}");
}

#[tokio::test]
async fn reached_card_limit_is_refused_without_mrs() {
    let (fixture, _) = with_program(|program| program.max_cards = 1);
    fixture.card().await;
    let session = fixture.session().await;
    let response = fixture.submit(&session, "a").await.unwrap();
    let (ending, left, reason) = ended(&response);
    assert_eq!((ending.status, ending.code), (Status::ErrorEnrollment, None));
    assert_eq!((left, reason), (0, Some(Reason::CardLimit)));
    assert_eq!(fixture.mrs.take_calls(), []);
    assert_eq!(fixture.cards().await, (1, 0));
    assert_eq!(fixture.stored_session(&session).await.failures, 0);
}

#[tokio::test]
async fn card_limit_applies_to_enrollments_only() {
    let (fixture, _) = with_program(|program| program.max_cards = 1);
    let old = fixture.card().await;
    let session = fixture.session_for(ActionCode::Replace).await;
    let response = fixture.replace(&session, "a", old).await.unwrap();
    assert_eq!(ended(&response).0.status, Status::SuccessReplacement);
}

#[tokio::test]
async fn attempts_of_a_customer_are_limited_for_an_hour() {
    let (fixture, _) = with_program(|program| program.attempts_per_customer_per_hour = 1);
    fixture.mrs.answers_enrollment(EnrollmentAnswer::Declined(-52));
    let session = fixture.session().await;
    fixture.submit(&session, "a").await.unwrap();
    assert_eq!(fixture.mrs.take_calls(), [Call::Enroll]);
    let refused = fixture.submit(&session, "b").await.unwrap();
    let (ending, left, reason) = ended(&refused);
    assert_eq!((ending.status, ending.code), (Status::AccessDenied, None));
    assert_eq!((left, reason), (0, Some(Reason::Limit)));
    assert_eq!(fixture.mrs.take_calls(), []);
    let other = fixture
        .open_session(|session| session.customer = CustomerId::parse("customer-2").unwrap())
        .await;
    let of_other = fixture.submit(&other, "a").await.unwrap();
    assert_eq!(ended(&of_other).0.status, Status::ErrorEnrollment);
    fixture.clock.advance(SignedDuration::from_mins(61));
    let later = fixture.session().await;
    let allowed = fixture.submit(&later, "a").await.unwrap();
    assert_eq!(ended(&allowed).0.status, Status::ErrorEnrollment);
    assert_eq!(fixture.mrs.take_calls(), [Call::Enroll, Call::Enroll]);
}

#[tokio::test]
async fn attempts_of_a_client_are_limited_over_customers() {
    let (fixture, _) = with_program(|program| program.attempts_per_client_per_hour = 2);
    fixture.mrs.answers_enrollment(EnrollmentAnswer::Declined(-52));
    for (customer, status) in [
        ("one", Status::ErrorEnrollment),
        ("two", Status::ErrorEnrollment),
        ("three", Status::AccessDenied),
    ] {
        let session = fixture
            .open_session(|session| session.customer = CustomerId::parse(customer).unwrap())
            .await;
        let response = fixture.submit(&session, "a").await.unwrap();
        assert_eq!(ended(&response).0.status, status, "{customer}");
    }
    assert_eq!(fixture.mrs.take_calls(), [Call::Enroll, Call::Enroll]);
}

#[tokio::test]
async fn opt_out_counts_as_no_attempt_and_needs_none() {
    let (fixture, _) = with_program(|program| program.attempts_per_customer_per_hour = 1);
    let old = fixture.card().await;
    let session = fixture.session_for(ActionCode::OptOut).await;
    let response = fixture.opt_out(&session, "a", old).await.unwrap();
    assert_eq!(ended(&response).0.status, Status::SuccessRemoval);
}

#[tokio::test]
async fn cards_of_others_are_not_offered() {
    let (fixture, _) = usual();
    let old = fixture.card().await;
    let none = ("/oldCard", "is none of the cards to choose from");
    let stranger = fixture
        .open_session(|session| {
            session.action = ActionCode::OptOut;
            session.customer = CustomerId::parse("customer-2").unwrap();
        })
        .await;
    assert_eq!(fault(fixture.opt_out(&stranger, "a", old).await), none);
    let session = fixture.session_for(ActionCode::OptOut).await;
    let unknown = IntentId::derive(session.id(), &idempotency_key("unknown"));
    assert_eq!(fault(fixture.opt_out(&session, "a", unknown).await), none);
    let of_other_digits = fixture
        .open_session(|session| {
            session.action = ActionCode::OptOut;
            session.last4 = Last4::parse("7777").ok();
        })
        .await;
    assert_eq!(fault(fixture.opt_out(&of_other_digits, "a", old).await), none);
    assert_eq!(fixture.state_of(old).await, CardState::Active);
    assert_eq!(fixture.mrs.take_calls(), []);
}

#[tokio::test]
async fn token_digits_offer_their_card() {
    let (fixture, _) = usual();
    let old = fixture.card().await;
    let session = fixture
        .open_session(|session| {
            session.action = ActionCode::OptOut;
            session.last4 = Last4::parse("0123").ok();
        })
        .await;
    let response = fixture.opt_out(&session, "a", old).await.unwrap();
    let (ending, ..) = ended(&response);
    assert_eq!(ending.status, Status::SuccessRemoval);
    assert_eq!(ending.ranac.as_ref().unwrap().expose(), RANAC);
}

#[tokio::test]
async fn card_that_is_gone_leaves_the_attempts() {
    let (fixture, _) = usual();
    let old = fixture.card().await;
    let first = fixture.session_for(ActionCode::OptOut).await;
    fixture.opt_out(&first, "a", old).await.unwrap();
    fixture.mrs.take_calls();
    let second = fixture.session_for(ActionCode::Replace).await;
    let response = fixture.replace(&second, "a", old).await.unwrap();
    let (ending, left, reason) = ended(&response);
    assert_eq!((ending.status, ending.code), (Status::ErrorReplacement, None));
    assert_eq!((left, reason), (5, Some(Reason::CardGone)));
    assert_eq!(fixture.mrs.take_calls(), []);
}

#[tokio::test]
async fn replacement_stores_the_new_card_and_wakes_for_the_old_one() {
    let (fixture, _) = usual();
    let old = fixture.card().await;
    let session = fixture.session_for(ActionCode::Replace).await;
    fixture.wakeups.take_intents();
    let response = fixture.replace(&session, "a", old).await.unwrap();
    assert_eq!(ended(&response).0.status, Status::SuccessReplacement);
    assert_eq!(fixture.mrs.take_calls(), [Call::Enroll]);
    let id = IntentId::derive(session.id(), &idempotency_key("a"));
    assert_eq!(fixture.wakeups.take_intents(), [(id, SignedDuration::ZERO)]);
    assert_eq!(fixture.state_of(old).await, CardState::PendingCancellation);
    assert_eq!(fixture.state_of(id).await, CardState::Active);
}

#[tokio::test]
async fn number_is_random_or_the_customer_id_as_the_program_says() {
    let (per_card, _) = usual();
    let session = per_card.session().await;
    per_card.submit(&session, "a").await.unwrap();
    let intent = per_card.intent(&session, "a").await;
    assert!(!intent.is_known_by_customer());

    let by_customer = |program: &mut Program| {
        program.bank_customer_number = BankCustomerNumberKind::CustomerId;
    };
    let (per_customer, _) = with_program(by_customer);
    let session = per_customer.session().await;
    per_customer.submit(&session, "a").await.unwrap();
    let intent = per_customer.intent(&session, "a").await;
    let number = BankCustomerNumber::parse(per_customer.customer.expose()).unwrap();
    assert_eq!(intent.bank_customer_number, number);
    assert_eq!(per_customer.mrs.take_calls(), [Call::Find, Call::Enroll]);
}

#[tokio::test]
async fn confirmation_is_due_and_its_sender_woken() {
    let (fixture, _) = usual();
    let session = fixture.session().await;
    fixture.submit(&session, "a").await.unwrap();
    let woken = fixture.wakeups.take_confirmations();
    assert_eq!(woken.len(), 1);
    assert_eq!(woken[0].1, SignedDuration::ZERO);
    let now = fixture.clock.now();
    let due = fixture.stores.confirmations.due(now, 10).await.unwrap();
    assert_eq!(due.len(), 1);
    assert_eq!(due[0].id, woken[0].0);

    let silent = fixture
        .open_session(|session| session.confirmation_url = None)
        .await;
    fixture.submit(&silent, "a").await.unwrap();
    assert_eq!(fixture.wakeups.take_confirmations(), []);
}

#[tokio::test]
async fn failed_wake_ups_change_no_answer() {
    let (fixture, _) = usual();
    fixture.wakeups.fail();
    let session = fixture.session().await;
    let response = fixture.submit(&session, "a").await.unwrap();
    assert_eq!(ended(&response).0.status, Status::SuccessEnrollment);
}

#[tokio::test]
async fn answer_after_the_end_of_the_session_offers_no_further_try() {
    let (fixture, _) = usual();
    let session = fixture.session().await;
    fixture.mrs.answers_enrollment(EnrollmentAnswer::Declined(-52));
    fixture.submit(&session, "a").await.unwrap();
    fixture.clock.advance(LIFETIME);
    let response = fixture.submit(&session, "a").await.unwrap();
    assert_eq!((ended(&response).1, ended(&response).2), (0, None));
}

/// Records that another session of the customer changes right after they were read, the first few times.
struct ChangedMeanwhile<'a> {
    fixture: &'a Fixture,
    sessions: tokio::sync::Mutex<Vec<SessionToken>>,
}

#[async_trait]
impl SubmissionRecords for ChangedMeanwhile<'_> {
    async fn session_and_intent(
        &self,
        session: SessionId,
        intent: IntentId,
    ) -> Result<Option<(Session, Option<Intent>)>, StoreError> {
        self.fixture
            .stores
            .records
            .session_and_intent(session, intent)
            .await
    }

    async fn context(
        &self,
        session: &Session,
        wanted: ContextQuery,
    ) -> Result<SubmissionContext, StoreError> {
        let read = self.fixture.stores.records.context(session, wanted).await;
        if let Some(other) = self.sessions.lock().await.pop() {
            self.fixture.submit(&other, "other").await.unwrap();
        }
        read
    }
}

#[tokio::test]
async fn customer_that_changed_meanwhile_is_read_again() {
    for (max_cards, reason) in [(2, None), (1, Some(Reason::CardLimit))] {
        let (fixture, _) = with_program(|program| program.max_cards = max_cards);
        let (first, other) = (fixture.session().await, fixture.session().await);
        let records = ChangedMeanwhile {
            fixture: &fixture,
            sessions: tokio::sync::Mutex::new(vec![other]),
        };
        let response = fixture
            .submit_over(&records, &first, "a", &enrollment())
            .await
            .unwrap();
        assert_eq!(ended(&response).2, reason, "{max_cards}");
        assert_eq!(fixture.cards().await, (u32::from(max_cards), 0));
    }
}

#[tokio::test]
async fn digits_of_mrs_win_over_those_of_the_page() {
    let (fixture, _) = usual();
    let session = fixture.session().await;
    fixture.mrs.answers_enrollment(EnrollmentAnswer::Declined(-1001));
    fixture.mrs.has_card(true);
    let response = fixture.submit(&session, "a").await.unwrap();
    assert_eq!(ended(&response).0.status, Status::SuccessEnrollment);
    let customer = fixture.customer().await;
    assert_eq!(customer.cards[0].last4.as_str(), LAST4);
}

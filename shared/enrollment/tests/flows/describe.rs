use enrollment::action::ActionCode;
use enrollment::client::ClientStatus;
use enrollment::clock::Clock as _;
use enrollment::flows::describe::{Choice, Description};
use enrollment::flows::submit::SubmitError;
use enrollment::identifiers::{Last4, SessionToken};
use enrollment::reason::Reason;
use enrollment::session::{GRACE, LIFETIME, MAX_EXTENSIONS};
use enrollment::status::Status;
use harness::Fixture;
use harness::scripted_mrs::{Call, EnrollmentAnswer};
use url::Url;

use crate::ended;

fn choice(description: Description) -> Choice {
    match description {
        Description::Form(form) => form.choice,
        Description::OptOut(choice) => choice,
        Description::Attempt(response) => panic!("there is something to choose: {response:?}"),
    }
}

/// Status, attempts left and reason of a session that has nothing to submit.
fn refusal(description: &Description) -> (Status, u32, Option<Reason>) {
    match description {
        Description::Attempt(response) => {
            let (ending, left, reason) = ended(response);
            (ending.status, left, reason)
        }
        other => panic!("there is nothing to submit: {other:?}"),
    }
}

#[tokio::test]
async fn form_shows_program_key_and_time() {
    let (fixture, _) = Fixture::on_model(|_| {});
    let session = fixture.session().await;
    let Description::Form(form) = fixture.describe(&session).await.unwrap() else {
        panic!("an enrollment has a form")
    };
    assert_eq!(form.program.id, fixture.program);
    assert_eq!(form.client.id, fixture.client);
    assert_eq!(form.key.reference, "119009");
    assert!(form.choice.cards.is_empty());
    assert_eq!(form.choice.attempts_left, 5);
    assert_eq!(form.choice.extensions_left, MAX_EXTENSIONS);
    assert_eq!(form.choice.expires_at, fixture.clock.now() + LIFETIME);
    assert_eq!(fixture.mrs.take_calls(), []);
}

#[tokio::test]
async fn failures_are_taken_from_the_attempts() {
    let (fixture, _) = Fixture::on_model(|_| {});
    let session = fixture.session().await;
    fixture.mrs.answers_enrollment(EnrollmentAnswer::Declined(-52));
    fixture.submit(&session, "a").await.unwrap();
    assert_eq!(choice(fixture.describe(&session).await.unwrap()).attempts_left, 4);
}

#[tokio::test]
async fn active_cards_are_offered_for_replacement_and_opt_out() {
    let (fixture, _) = Fixture::on_model(|_| {});
    let card = fixture.card().await;
    for action in [ActionCode::Replace, ActionCode::OptOut] {
        let session = fixture.session_for(action).await;
        let described = fixture.describe_for(action, &session).await.unwrap();
        assert_eq!(
            matches!(described, Description::Form(_)),
            action == ActionCode::Replace
        );
        let offered: Vec<_> = choice(described).cards.iter().map(|card| card.id).collect();
        assert_eq!(offered, [card], "{action:?}");
    }
}

#[tokio::test]
async fn token_digits_narrow_the_choice() {
    let (fixture, _) = Fixture::on_model(|_| {});
    fixture.card().await;
    for (last4, is_offered) in [("0123", true), ("7777", false)] {
        let session = fixture
            .open_session(|session| {
                session.action = ActionCode::OptOut;
                session.last4 = Last4::parse(last4).ok();
            })
            .await;
        let described = fixture.describe_for(ActionCode::OptOut, &session).await.unwrap();
        assert_eq!(matches!(described, Description::OptOut(_)), is_offered, "{last4}");
    }
}

#[tokio::test]
async fn missing_card_shows_no_form() {
    let (fixture, _) = Fixture::on_model(|_| {});
    for (action, status) in [
        (ActionCode::Replace, Status::ErrorReplacement),
        (ActionCode::OptOut, Status::ErrorRemoval),
    ] {
        let session = fixture.session_for(action).await;
        let described = fixture.describe_for(action, &session).await.unwrap();
        assert_eq!(refusal(&described), (status, 0, Some(Reason::NoCard)));
    }
}

#[tokio::test]
async fn reached_card_limit_shows_no_form() {
    let (fixture, _) = Fixture::on_model(|client| client.programs[0].max_cards = 1);
    let session = fixture.session().await;
    assert!(matches!(
        fixture.describe(&session).await.unwrap(),
        Description::Form(_)
    ));
    fixture.card().await;
    let described = fixture.describe(&session).await.unwrap();
    assert_eq!(
        refusal(&described),
        (Status::ErrorEnrollment, 0, Some(Reason::CardLimit))
    );
}

#[tokio::test]
async fn open_enrollment_elsewhere_leaves_the_form() {
    let (fixture, _) = Fixture::on_model(|client| client.programs[0].max_cards = 1);
    let (open, other) = (fixture.session().await, fixture.session().await);
    fixture.mrs.answers_enrollment(EnrollmentAnswer::NoAnswer);
    fixture.submit(&open, "a").await.unwrap();
    assert_eq!(fixture.mrs.take_calls(), [Call::Enroll, Call::Find]);
    assert!(matches!(
        fixture.describe(&other).await.unwrap(),
        Description::Form(_)
    ));
}

#[tokio::test]
async fn sessions_that_take_no_submission_are_refused() {
    let (fixture, model) = Fixture::on_model(|_| {});
    let unknown = SessionToken::random(&fixture.randomness);
    let described = fixture.describe(&unknown).await;
    assert!(
        matches!(described, Err(SubmitError::SessionEnded)),
        "{described:?}"
    );

    let other = fixture.session_for(ActionCode::Replace).await;
    let described = fixture.describe(&other).await;
    assert!(
        matches!(described, Err(SubmitError::WrongAction(ActionCode::Replace))),
        "{described:?}"
    );

    let session = fixture.session().await;
    let mut client = fixture.client().await;
    client.status = ClientStatus::Suspended;
    model.set_up(client);
    let described = fixture.describe(&session).await;
    assert!(matches!(described, Err(SubmitError::Suspended)), "{described:?}");

    fixture.clock.advance(LIFETIME);
    let described = fixture.describe(&session).await;
    assert!(
        matches!(described, Err(SubmitError::SessionEnded)),
        "{described:?}"
    );
}

#[tokio::test]
async fn way_back_lasts_as_long_as_the_grace_period() {
    let (fixture, model) = Fixture::on_model(|_| {});
    let url: Url = "com.bank.app:back".parse().unwrap();
    let open = async || {
        fixture
            .open_session(|session| session.return_url = Some(url.clone()))
            .await
    };
    let (session, used) = (open().await, open().await);
    let way_back =
        async |session: &SessionToken| fixture.described(ActionCode::Enroll, session).await.return_url;
    assert_eq!(way_back(&session).await, Some(url.clone()));
    assert_eq!(way_back(&fixture.session().await).await, None);
    let wrong = fixture.described(ActionCode::OptOut, &session).await;
    assert_eq!(wrong.return_url, None);

    fixture.submit(&used, "a").await.unwrap();
    let ended = fixture.described(ActionCode::Enroll, &used).await;
    assert!(matches!(ended.result, Ok(Description::Attempt(_))), "{ended:?}");
    assert_eq!(ended.return_url, Some(url.clone()));

    fixture.clock.advance(LIFETIME);
    let expired = fixture.described(ActionCode::Enroll, &session).await;
    assert!(
        matches!(expired.result, Err(SubmitError::SessionEnded)),
        "{expired:?}"
    );
    assert_eq!(expired.return_url, Some(url.clone()));
    fixture.clock.advance(GRACE);
    assert_eq!(way_back(&session).await, None);

    let session = open().await;
    let mut client = fixture.client().await;
    client.status = ClientStatus::Suspended;
    model.set_up(client);
    assert_eq!(way_back(&session).await, None);
}

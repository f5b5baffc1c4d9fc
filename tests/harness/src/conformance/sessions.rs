//! Sessions and used tokens.

#![expect(missing_docs, reason = "the name of a case says what it shows")]

use enrollment::clock::Clock as _;
use enrollment::language::Language;
use enrollment::ports::Put;
use enrollment::session::{LIFETIME, Session, UsedToken};

use super::steps::HOUR;
use crate::fixture::Fixture;
use crate::fixtures;
use crate::stores::Backend;

fn used(number: u8, session: &Session) -> UsedToken {
    UsedToken {
        digest: [number; 32],
        until: session.opened_at + LIFETIME,
    }
}

pub async fn token_opens_one_session(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let sessions = &fixture.stores.sessions;
    let first = fixtures::session_at(fixture.clock.now());
    assert_eq!(
        sessions.open(&first, &used(1, &first)).await.unwrap(),
        Put::Created
    );
    let second = Session {
        id: enrollment::identifiers::SessionToken::random(&fixture.randomness).id(),
        ..first.clone()
    };
    assert_eq!(
        sessions.open(&second, &used(1, &first)).await.unwrap(),
        Put::AlreadyExists
    );
    assert_eq!(sessions.find(second.id).await.unwrap(), None, "both or neither");
    fixture.clock.advance(HOUR * 2);
    let late = sessions.open(&second, &used(1, &first)).await.unwrap();
    assert_eq!(late, Put::AlreadyExists, "whatever the time");
}

pub async fn session_is_read_as_it_was_stored(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let sessions = &fixture.stores.sessions;
    let stored = Session {
        confirmation_url: Some("https://bank.example/c?x=1".parse().unwrap()),
        return_url: Some("com.bank.app:back?x=1".parse().unwrap()),
        last4: enrollment::identifiers::Last4::parse("0123").ok(),
        action: enrollment::action::ActionCode::Replace,
        ..fixtures::session_at(fixture.clock.now())
    };
    sessions.open(&stored, &used(1, &stored)).await.unwrap();
    assert_eq!(sessions.find(stored.id).await.unwrap(), Some(stored.clone()));
    fixture.clock.advance(LIFETIME + HOUR);
    assert_eq!(
        sessions.find(stored.id).await.unwrap(),
        Some(stored.clone()),
        "expired"
    );
    fixture.clock.advance(HOUR * 24);
    assert_eq!(sessions.find(stored.id).await.unwrap(), None, "a day later");
}

pub async fn extension_moves_end_and_count_alone(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let sessions = &fixture.stores.sessions;
    let token = fixture.session().await;
    let before = fixture.stored_session(&token).await;
    fixture.clock.advance(LIFETIME / 2);
    let now = fixture.clock.now();
    let extended = before.extended(now).unwrap();
    let changed = Session {
        language: Language::parse("de").unwrap(),
        failures: 3,
        finished: true,
        ..extended.clone()
    };
    assert!(sessions.extend(&changed, now).await.unwrap());
    let moved = Session {
        expires_at: extended.expires_at,
        extensions: extended.extensions,
        ..before.clone()
    };
    assert_ne!(moved, before);
    assert_eq!(sessions.find(before.id).await.unwrap(), Some(moved));
    assert!(
        !sessions.extend(&extended, now).await.unwrap(),
        "another call was first"
    );
}

pub async fn session_past_its_end_is_not_extended(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let token = fixture.session().await;
    let before = fixture.stored_session(&token).await;
    let extended = before.extended(fixture.clock.now()).unwrap();
    fixture.clock.advance_to(before.expires_at);
    let now = fixture.clock.now();
    assert!(!fixture.stores.sessions.extend(&extended, now).await.unwrap());
    assert_eq!(fixture.stored_session(&token).await, before);
}

pub async fn used_up_session_is_not_extended(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let token = fixture.session().await;
    fixture.submit(&token, "a").await.unwrap();
    let finished = fixture.stored_session(&token).await;
    assert!(finished.finished);
    let now = fixture.clock.now();
    let extended = finished.extended(now).unwrap();
    assert!(!fixture.stores.sessions.extend(&extended, now).await.unwrap());
}

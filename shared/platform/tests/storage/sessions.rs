use std::sync::Arc;

use enrollment::clock::Clock as _;
use enrollment::ports::{Put, Sessions as _, UsedTokens as _};
use enrollment::session::{MAX_FAILURES, Session};
use jiff::SignedDuration;

use crate::samples::{session, used_token};
use engine::on_every_engine;

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn session_reads_back_until_a_day_after_its_end() {
    on_every_engine(|world| async move {
        let now = world.clock.now();
        let sessions = world.sessions(&world.vault());
        let stored = session(now);
        assert_eq!(sessions.find(stored.id).await.unwrap(), None);
        assert_eq!(
            sessions.open(&stored, &used_token(now)).await.unwrap(),
            Put::Created
        );
        assert_eq!(sessions.find(stored.id).await.unwrap().as_ref(), Some(&stored));
        // Another process, with nothing in memory.
        assert_eq!(
            world
                .sessions(&world.vault())
                .find(stored.id)
                .await
                .unwrap()
                .as_ref(),
            Some(&stored)
        );
        let item = world.item(&world.tables.sessions, "session#").await;
        let ttl: i64 = item["ttl"].as_n().unwrap().parse().unwrap();
        assert_eq!(
            ttl,
            (stored.expires_at + SignedDuration::from_hours(24)).as_second()
        );
        world.clock.advance(SignedDuration::from_hours(24));
        assert!(
            sessions.find(stored.id).await.unwrap().is_some(),
            "expired, and the caller looks at the time"
        );
        world.clock.advance(SignedDuration::from_mins(15));
        assert_eq!(sessions.find(stored.id).await.unwrap(), None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn a_token_opens_one_session_under_twenty_concurrent_tries() {
    on_every_engine(|world| async move {
        let now = world.clock.now();
        let token = used_token(now);
        let sessions = Arc::new(world.sessions(&world.vault()));
        let tries: Vec<_> = (0..20)
            .map(|_| {
                let (sessions, stored) = (Arc::clone(&sessions), session(now));
                tokio::spawn(async move { (stored.id, sessions.open(&stored, &token).await.unwrap()) })
            })
            .collect();
        let mut opened = Vec::new();
        for tried in tries {
            let (id, result) = tried.await.unwrap();
            let stored = sessions.find(id).await.unwrap().is_some();
            assert_eq!(stored, result == Put::Created, "both or neither");
            opened.push(result);
        }
        assert_eq!(opened.iter().filter(|result| **result == Put::Created).count(), 1);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn a_used_token_opens_no_second_session_however_late() {
    on_every_engine(|world| async move {
        let sessions = world.sessions(&world.vault());
        let now = world.clock.now();
        let token = used_token(now);
        assert_eq!(sessions.open(&session(now), &token).await.unwrap(), Put::Created);
        // A request that was verified just before `until` may write after it: at `until`, a moment and an hour later.
        let waits = [
            SignedDuration::from_mins(11) - SignedDuration::from_secs(1),
            SignedDuration::from_secs(1),
            SignedDuration::from_millis(1),
            SignedDuration::from_secs(1),
            SignedDuration::from_hours(1),
        ];
        for wait in waits {
            world.clock.advance(wait);
            let opened = sessions.open(&session(now), &token).await.unwrap();
            assert_eq!(opened, Put::AlreadyExists, "at {}", world.clock.now());
        }
        let item = world.item(&world.tables.sessions, "token#").await;
        let ttl: i64 = item["ttl"].as_n().unwrap().parse().unwrap();
        assert_eq!(ttl, (token.until + SignedDuration::from_hours(1)).as_second());
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn an_extension_moves_the_end_and_nothing_else() {
    on_every_engine(|world| async move {
        let now = world.clock.now();
        let sessions = world.sessions(&world.vault());
        let stored = session(now);
        sessions.open(&stored, &used_token(now)).await.unwrap();
        world.clock.advance(SignedDuration::from_mins(14));
        let now = world.clock.now();
        let extended = stored.extended(now).unwrap();
        assert!(sessions.extend(&extended, now).await.unwrap());
        assert_eq!(sessions.find(stored.id).await.unwrap(), Some(extended.clone()));
        let item = world.item(&world.tables.sessions, "session#").await;
        assert_eq!(
            item["ttl"].as_n().unwrap().parse(),
            Ok((extended.expires_at + SignedDuration::from_hours(24)).as_second())
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn of_extensions_at_once_each_count_is_stored_once() {
    on_every_engine(|world| async move {
        let now = world.clock.now();
        let sessions = Arc::new(world.sessions(&world.vault()));
        let stored = session(now);
        sessions.open(&stored, &used_token(now)).await.unwrap();
        let tries: Vec<_> = (0..10)
            .map(|_| {
                let (sessions, extended) = (Arc::clone(&sessions), stored.extended(now).unwrap());
                tokio::spawn(async move { sessions.extend(&extended, now).await.unwrap() })
            })
            .collect();
        let mut extended = 0;
        for tried in tries {
            extended += u32::from(tried.await.unwrap());
        }
        assert_eq!(extended, 1);
        assert_eq!(sessions.find(stored.id).await.unwrap().unwrap().extensions, 1);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn a_session_that_is_over_is_not_extended() {
    on_every_engine(|world| async move {
        let now = world.clock.now();
        let sessions = world.sessions(&world.vault());
        let [late, failed, finished] = [(); 3].map(|()| session(now));
        let failed = Session {
            failures: MAX_FAILURES,
            ..failed
        };
        let finished = Session {
            finished: true,
            ..finished
        };
        for stored in [&late, &failed, &finished] {
            sessions.open(stored, &used_token(now)).await.unwrap();
        }
        for (stored, at) in [(&late, late.expires_at), (&failed, now), (&finished, now)] {
            let extended = stored.extended(at).unwrap();
            assert!(!sessions.extend(&extended, at).await.unwrap());
            assert_eq!(sessions.find(stored.id).await.unwrap().as_ref(), Some(stored));
        }
        let unknown = session(now).extended(now).unwrap();
        assert!(
            !sessions.extend(&unknown, now).await.unwrap(),
            "nothing is stored"
        );
        assert_eq!(sessions.find(unknown.id).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn a_session_of_the_last_release_can_be_extended() {
    on_every_engine(|world| async move {
        let now = world.clock.now();
        let sessions = world.sessions(&world.vault());
        let stored = session(now);
        sessions.open(&stored, &used_token(now)).await.unwrap();
        let mut item = world.item(&world.tables.sessions, "session#").await;
        for later_attribute in ["opened_at", "extensions"] {
            item.remove(later_attribute).unwrap();
        }
        world.put(&world.tables.sessions, item).await;
        assert_eq!(sessions.find(stored.id).await.unwrap().as_ref(), Some(&stored));
        let extended = stored.extended(now).unwrap();
        assert!(sessions.extend(&extended, now).await.unwrap());
        assert!(!sessions.extend(&extended, now).await.unwrap());
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn lost_answer_to_a_used_token_is_no_second_use() {
    on_every_engine(|world| async move {
        let token = used_token(world.clock.now());
        let (losing, lost) = world.losing_answers_of("PutItem");
        let sessions = losing.sessions(&losing.vault());
        assert_eq!(sessions.use_once(&token).await.unwrap(), Put::Created);
        assert!(lost.count() > 0);
        let others = world.sessions(&world.vault());
        assert_eq!(others.use_once(&token).await.unwrap(), Put::AlreadyExists);
    })
    .await;
}

use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use enrollment::action::ActionCode;
use enrollment::clock::Clock as _;
use enrollment::identifiers::{Last4, Ranac};
use enrollment::intent::{CardCount, Conclusion, Intent};
use enrollment::ports::{BeginError, Customers as _, Intents as _, Put, Sessions as _, StoreError};
use enrollment::session::{MAX_FAILURES, Session};
use enrollment::status::MrsCode;
use jiff::SignedDuration;
use platform::tables::{DynamoEnrollments, DynamoSessions};

use crate::samples::{RANAC, client_id, customer_id, intent, program_id, session, used_token};
use engine::{World, on_every_engine};

/// A world with one open session.
struct Scene {
    world: Arc<World>,
    enrollments: Arc<DynamoEnrollments>,
    sessions: DynamoSessions,
    session: Session,
}

impl Scene {
    async fn new(world: Arc<World>) -> Self {
        let vault = world.vault();
        let (enrollments, sessions) = (Arc::new(world.enrollments(&vault)), world.sessions(&vault));
        let mut scene = Self {
            session: session(world.clock.now()),
            world,
            enrollments,
            sessions,
        };
        scene.session = scene.another_session().await;
        scene
    }

    async fn another_session(&self) -> Session {
        let now = self.world.clock.now();
        let opened = session(now);
        self.sessions.open(&opened, &used_token(now)).await.unwrap();
        opened
    }

    fn intent(&self, attempt: u32) -> Intent {
        intent(&self.session, attempt, self.world.clock.now())
    }

    async fn begun(&self, attempt: u32) -> Intent {
        let begun = self.intent(attempt);
        assert_eq!(
            self.enrollments
                .begin(&begun, self.count().await, self.stored_session().await.failures)
                .await
                .unwrap(),
            Ok(Put::Created)
        );
        begun
    }

    async fn finish(&self, mut intent: Intent, outcome: Conclusion) -> (Intent, Put) {
        intent.conclude(outcome);
        let finished = self.enrollments.finish(&intent).await.unwrap();
        (intent, finished)
    }

    async fn count(&self) -> CardCount {
        self.enrollments
            .card_count(&client_id(), &program_id(), &customer_id())
            .await
            .unwrap()
    }

    async fn stored_session(&self) -> Session {
        self.sessions.find(self.session.id).await.unwrap().unwrap()
    }

    async fn confirmations(&self) -> usize {
        self.world.scan(&self.world.tables.confirmations).await.len()
    }

    async fn ttl_of(&self, intent: &Intent) -> Option<i64> {
        let item = self
            .world
            .item(
                &self.world.tables.enrollments,
                &format!("intent#{}", intent.id.to_hex()),
            )
            .await;
        item.get("ttl").map(|ttl| ttl.as_n().unwrap().parse().unwrap())
    }

    fn success(&self) -> Conclusion {
        let last4 = Last4::parse("9876").unwrap();
        Conclusion::enrolled(
            ActionCode::Enroll,
            Ranac::parse(RANAC).unwrap(),
            Some(last4),
            self.world.clock.now(),
        )
    }

    fn declined(&self) -> Conclusion {
        Conclusion::declined(ActionCode::Enroll, MrsCode(-45), self.world.clock.now())
    }
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn an_intent_reads_back_open_declined_and_successful() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        let first = scene.begun(1).await;
        // Whoever begins it asks MRS: should that process die, its call is one of unknown outcome.
        let mut at_work = first.clone();
        at_work.inquiry.unanswered_at = Some(first.created_at);
        assert_eq!(scene.enrollments.intent(first.id).await.unwrap(), Some(at_work));
        let (first, _) = scene.finish(first, scene.declined()).await;
        assert_eq!(
            scene.enrollments.intent(first.id).await.unwrap().as_ref(),
            Some(&first)
        );
        let (second, _) = scene.finish(scene.begun(2).await, scene.success()).await;
        assert_eq!(
            scene.enrollments.intent(second.id).await.unwrap().as_ref(),
            Some(&second)
        );
        assert_eq!(scene.enrollments.intent(scene.intent(3).id).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn a_repeated_beginning_changes_nothing() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        let intent = scene.begun(1).await;
        let (session, count) = (scene.stored_session().await, scene.count().await);
        assert_eq!(session.open_attempt, Some(intent.id));
        assert_eq!(session.last_attempt, Some(intent.id));
        assert_eq!((count.active, count.pending), (0, 1));
        assert_eq!(
            scene.enrollments.begin(&intent, count, 0).await.unwrap(),
            Ok(Put::AlreadyExists)
        );
        assert_eq!(
            scene
                .enrollments
                .begin(&intent, CardCount::default(), 0)
                .await
                .unwrap(),
            Ok(Put::AlreadyExists)
        );
        assert_eq!(
            (scene.stored_session().await, scene.count().await),
            (session, count)
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn of_two_attempts_of_one_session_at_once_one_begins() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        let (first, second) = (scene.intent(1), scene.intent(2));
        let begin = |intent: &Intent| {
            let (enrollments, intent) = (Arc::clone(&scene.enrollments), intent.clone());
            tokio::spawn(async move { enrollments.begin(&intent, CardCount::default(), 0).await.unwrap() })
        };
        // Twice the same one among them: a double click.
        let tries = [begin(&first), begin(&second), begin(&first)];
        let mut results = Vec::new();
        for tried in tries {
            results.push(tried.await.unwrap());
        }
        let now = results.iter().filter(|begun| **begun == Ok(Put::Created)).count();
        assert_eq!(now, 1, "{results:?}");
        let open = scene.stored_session().await.open_attempt.unwrap();
        let [a, b, c] = results[..] else { panic!() };
        if open == first.id {
            assert_eq!(b, Err(BeginError::SessionBusy));
            assert!([a, c].contains(&Ok(Put::AlreadyExists)), "{results:?}");
        } else {
            assert_eq!(
                (a, b, c),
                (
                    Err(BeginError::SessionBusy),
                    Ok(Put::Created),
                    Err(BeginError::SessionBusy)
                )
            );
        }
        assert_eq!(scene.count().await.pending, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn two_tabs_cannot_use_the_same_count() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        for round in 0..2 {
            let (one, other) = (scene.another_session().await, scene.another_session().await);
            let count = scene.count().await;
            let begin = |session: &Session| {
                let (enrollments, intent) = (
                    Arc::clone(&scene.enrollments),
                    intent(session, round, scene.world.clock.now()),
                );
                tokio::spawn(async move { enrollments.begin(&intent, count, 0).await.unwrap() })
            };
            let (first, second) = (begin(&one), begin(&other));
            let mut results = [first.await.unwrap(), second.await.unwrap()];
            results.sort_by_key(|begun| *begun != Ok(Put::Created));
            assert_eq!(results, [Ok(Put::Created), Err(BeginError::CustomerChanged)]);
            assert_eq!(scene.count().await.pending, round + 1);
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn a_session_begins_nothing_once_it_has_expired_or_is_unknown() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        let unknown = intent(&session(scene.world.clock.now()), 1, scene.world.clock.now());
        assert_eq!(
            scene
                .enrollments
                .begin(&unknown, CardCount::default(), 0)
                .await
                .unwrap(),
            Err(BeginError::SessionBusy)
        );
        scene.world.clock.advance(SignedDuration::from_mins(15));
        let late = scene.intent(1);
        assert_eq!(
            scene
                .enrollments
                .begin(&late, CardCount::default(), 0)
                .await
                .unwrap(),
            Err(BeginError::SessionBusy)
        );
        assert_eq!(scene.enrollments.intent(late.id).await.unwrap(), None);
        assert_eq!(scene.count().await, CardCount::default());
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn failures_are_counted_and_the_fifth_uses_the_session_up() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        for attempt in 1..=MAX_FAILURES {
            let (_, finished) = scene.finish(scene.begun(attempt).await, scene.declined()).await;
            assert_eq!(finished, Put::Created);
            let session = scene.stored_session().await;
            assert_eq!(
                (session.failures, session.open_attempt, session.finished),
                (attempt, None, false)
            );
            let count = scene.count().await;
            assert_eq!((count.active, count.pending), (0, 0));
        }
        let sixth = scene.intent(6);
        assert_eq!(
            scene
                .enrollments
                .begin(&sixth, scene.count().await, MAX_FAILURES)
                .await
                .unwrap(),
            Err(BeginError::SessionBusy)
        );
        assert_eq!(scene.confirmations().await, 5);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn a_success_stores_the_card_counts_it_and_ends_the_session() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        let (intent, _) = scene.finish(scene.begun(1).await, scene.success()).await;
        let session = scene.stored_session().await;
        assert!(session.finished && session.open_attempt.is_none() && session.failures == 0);
        let count = scene.count().await;
        assert_eq!((count.active, count.pending), (1, 0));
        let items = scene.world.scan(&scene.world.tables.enrollments).await;
        let cards: Vec<_> = items
            .iter()
            .filter(|item| item["sk"].as_s().unwrap().starts_with("card#"))
            .collect();
        assert_eq!(cards.len(), 1);
        assert_eq!(
            cards[0]["last4"],
            AttributeValue::S("9876".into()),
            "MRS's own last four digits"
        );
        assert_eq!(cards[0]["state"], AttributeValue::S("active".into()));
        assert!(!cards[0].contains_key("ttl"));
        let another = scene.intent(2);
        assert_eq!(
            scene.enrollments.begin(&another, count, 0).await.unwrap(),
            Err(BeginError::SessionBusy)
        );
        let confirmation = scene
            .world
            .item(&scene.world.tables.confirmations, "confirmation#msg_")
            .await;
        assert_eq!(confirmation["state"], AttributeValue::S("due".into()));
        assert_eq!(confirmation["attempts"], AttributeValue::N("0".into()));
        let due = intent.outcome().cloned().unwrap().at.as_millisecond().to_string();
        assert_eq!(confirmation["agenda_at"], AttributeValue::N(due), "due at once");
        assert!(confirmation["agenda"].as_s().unwrap().starts_with("due#"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn of_many_outcomes_at_once_one_stands_and_is_confirmed_once() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        let intent = scene.begun(1).await;
        let tries: Vec<_> = (0..8)
            .map(|number| {
                let (enrollments, mut intent) = (Arc::clone(&scene.enrollments), intent.clone());
                let outcome = if number % 2 == 0 {
                    scene.success()
                } else {
                    scene.declined()
                };
                intent.conclude(outcome);
                tokio::spawn(async move { (enrollments.finish(&intent).await.unwrap(), intent) })
            })
            .collect();
        let mut winners = Vec::new();
        for tried in tries {
            let (finished, intent) = tried.await.unwrap();
            winners.extend((finished == Put::Created).then_some(intent));
        }
        let [winner] = &winners[..] else {
            panic!("{} outcomes", winners.len())
        };
        assert_eq!(
            scene.enrollments.intent(intent.id).await.unwrap().as_ref(),
            Some(winner)
        );
        assert_eq!(scene.confirmations().await, 1);
        let succeeded = winner.outcome().unwrap().status.is_success();
        let (session, count) = (scene.stored_session().await, scene.count().await);
        assert_eq!(
            (session.finished, session.failures),
            (succeeded, u32::from(!succeeded))
        );
        assert_eq!((count.active, count.pending), (u32::from(succeeded), 0));
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn outcome_is_stored_without_session_and_counts() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        let intent = scene.begun(1).await;
        let tables = &scene.world.tables;
        for (table, start) in [(&tables.sessions, "session#"), (&tables.enrollments, "customer#")] {
            let item = scene.world.item(table, start).await;
            scene.world.delete(table, &item).await;
        }
        let (intent, finished) = scene.finish(intent, scene.success()).await;
        assert_eq!(finished, Put::Created);
        assert_eq!(scene.enrollments.intent(intent.id).await.unwrap(), Some(intent));
        assert_eq!(
            scene.sessions.find(scene.session.id).await.unwrap(),
            None,
            "no half a session is made"
        );
        assert_eq!((scene.count().await.active, scene.count().await.pending), (1, 0));
        assert_eq!(scene.confirmations().await, 1);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn there_is_no_outcome_without_an_intent() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        let mut never_begun = scene.intent(1);
        assert!(matches!(
            scene.enrollments.finish(&never_begun).await,
            Err(StoreError::Unavailable { .. })
        ));
        never_begun.conclude(scene.success());
        assert!(matches!(
            scene.enrollments.finish(&never_begun).await,
            Err(StoreError::Unavailable { .. })
        ));
        assert_eq!(scene.confirmations().await, 0);
        assert_eq!(scene.count().await, CardCount::default());
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn failed_intent_expires_after_a_week_without_cleanup() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        let week = SignedDuration::from_hours(7 * 24);
        let (declined, _) = scene.finish(scene.begun(1).await, scene.declined()).await;
        let ends = (scene.world.clock.now() + week).as_second();
        assert_eq!(scene.ttl_of(&declined).await, Some(ends));

        let unsettled = Conclusion::undetermined(ActionCode::Enroll, scene.world.clock.now());
        let (unsettled, _) = scene.finish(scene.begun(2).await, unsettled).await;
        assert_eq!(scene.ttl_of(&unsettled).await, None);
        assert!(
            scene
                .enrollments
                .intent(unsettled.id)
                .await
                .unwrap()
                .unwrap()
                .conclusion()
                .unwrap()
                .has_cleanup()
        );
        scene.world.clock.advance(SignedDuration::from_hours(1));
        scene
            .enrollments
            .complete_cleanup(&unsettled, scene.world.clock.now())
            .await
            .unwrap();
        assert!(
            !scene
                .enrollments
                .intent(unsettled.id)
                .await
                .unwrap()
                .unwrap()
                .conclusion()
                .unwrap()
                .has_cleanup()
        );
        let ends = (scene.world.clock.now() + week).as_second();
        scene.world.clock.advance(SignedDuration::from_hours(1));
        scene
            .enrollments
            .complete_cleanup(&unsettled, scene.world.clock.now())
            .await
            .unwrap();
        assert_eq!(
            scene.ttl_of(&unsettled).await,
            Some(ends),
            "a repeat does not put off the end"
        );

        scene.world.clock.advance(week);
        assert_eq!(scene.enrollments.intent(declined.id).await.unwrap(), None);
        assert_eq!(scene.enrollments.intent(unsettled.id).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn open_and_successful_intents_have_no_end() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        let intent = scene.begun(1).await;
        assert_eq!(scene.ttl_of(&intent).await, None);
        let (intent, _) = scene.finish(intent, scene.success()).await;
        assert_eq!(scene.ttl_of(&intent).await, None);
    })
    .await;
}

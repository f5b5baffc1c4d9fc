use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use engine::{Item, World, on_every_engine};
use enrollment::action::ActionCode;
use enrollment::clock::Clock as _;
use enrollment::confirmation::ConfirmationId;
use enrollment::delivery::Parked;
use enrollment::identifiers::Ranac;
use enrollment::intent::{Conclusion, Intent};
use enrollment::ports::{
    Claim, ClaimWrite, Confirmations as _, Customers as _, Intents as _, Sessions as _, StoreError,
};
use enrollment::time::later;
use jiff::{SignedDuration, Timestamp};
use platform::SystemRandomness;
use platform::tables::DynamoConfirmations;
use platform::tables::audit::{AuditLine, AuditTrail, Permit, Trail};
use platform::tables::confirmations::admin::{ConfirmationAdmin, State};
use platform::vault::{DataKey, GeneratedKey, KeyName, KeyWrapper, VaultError};

use crate::samples::{RANAC, client_id, intent, session, used_token};

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const LEASE: SignedDuration = SignedDuration::from_secs(60);
const MILLISECOND: SignedDuration = SignedDuration::from_millis(1);

/// A world with one confirmation, which is due.
pub(crate) struct Scene {
    pub(crate) world: Arc<World>,
    pub(crate) confirmations: Arc<DynamoConfirmations>,
    pub(crate) admin: ConfirmationAdmin,
    pub(crate) intent: Intent,
    pub(crate) id: ConfirmationId,
}

impl Scene {
    pub(crate) async fn new(world: Arc<World>) -> Self {
        let vault = world.vault();
        let intent = enrolled(&world).await;
        Self {
            confirmations: Arc::new(world.confirmations(&vault)),
            admin: world.admin(&vault),
            id: intent.confirmation().unwrap().id,
            intent,
            world,
        }
    }

    /// An operator who has said why.
    pub(crate) async fn permit(&self) -> Permit {
        permit(&self.world).await
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    pub(crate) async fn claim(&self) -> Option<Claim> {
        let now = self.now();
        self.confirmations
            .claim(&self.id, now, later(now, LEASE))
            .await
            .unwrap()
    }

    pub(crate) async fn due(&self) -> usize {
        self.confirmations.due(self.now(), 100).await.unwrap().len()
    }

    pub(crate) async fn item(&self) -> Item {
        let table = &self.world.tables.confirmations;
        self.world.item(table, "confirmation#").await
    }

    pub(crate) async fn ttl(&self) -> Option<i64> {
        let item = self.item().await;
        item.get("ttl").map(|ttl| ttl.as_n().unwrap().parse().unwrap())
    }
}

/// Leave to do what an operator must say the reason of.
pub(crate) async fn permit(world: &World) -> Permit {
    let line = AuditLine {
        at: world.clock.now(),
        action: "a test".to_owned(),
        by: "arn:aws:iam::000000000000:user/test".to_owned(),
        reference: "request 7".to_owned(),
        program: None,
        records: String::new(),
    };
    let trail = AuditTrail::new(world.dynamodb.clone(), &world.tables.enrollments);
    trail
        .admit(Trail::Client(&client_id()), &line, &SystemRandomness)
        .await
        .unwrap()
}

/// An enrollment with its outcome, stored a second ago.
async fn enrolled(world: &World) -> Intent {
    let vault = world.vault();
    let (sessions, enrollments) = (world.sessions(&vault), world.enrollments(&vault));
    let now = world.clock.now();
    let session = session(now);
    sessions.open(&session, &used_token(now)).await.unwrap();
    let mut intent = intent(&session, 1, now);
    let count = enrollments
        .card_count(&intent.client, &intent.program, &intent.customer)
        .await
        .unwrap();
    enrollments.begin(&intent, count, 0).await.unwrap().unwrap();
    intent.conclude(Conclusion::enrolled(
        ActionCode::Enroll,
        Ranac::parse(RANAC).unwrap(),
        None,
        now,
    ));
    enrollments.finish(&intent).await.unwrap();
    world.clock.advance(SECOND);
    intent
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn confirmation_is_due_at_once_and_reads_back() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        let stored_at = scene.intent.outcome().unwrap().at;
        let due = scene.confirmations.due(stored_at, 10).await.unwrap();
        let [due] = &due[..] else { panic!("{due:?}") };
        assert_eq!(
            (&due.id, &due.client, due.since),
            (&scene.id, &client_id(), stored_at)
        );
        assert_eq!(
            scene
                .confirmations
                .due(stored_at - MILLISECOND, 10)
                .await
                .unwrap(),
            []
        );
        let claim = scene.claim().await.unwrap();
        assert_eq!(claim.confirmation, scene.intent.confirmation().unwrap());
        assert_eq!((claim.attempt, claim.waiting_since), (1, stored_at));
        assert_eq!(claim.until, scene.now() + LEASE);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn only_what_is_there_and_due_can_be_claimed() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        let unknown = ConfirmationId::parse(&format!("msg_{}", "0".repeat(32))).unwrap();
        let now = scene.now();
        let nothing = scene.confirmations.claim(&unknown, now, now + LEASE).await;
        assert_eq!(nothing.unwrap(), None);
        assert_eq!(
            scene.world.scan(&scene.world.tables.confirmations).await.len(),
            1,
            "no half a confirmation is made"
        );
        let claim = scene.claim().await.unwrap();
        scene
            .confirmations
            .retry(&claim, now + SECOND * 5, "http_502")
            .await
            .unwrap();
        scene.world.clock.advance(SECOND * 5 - MILLISECOND);
        assert_eq!((scene.claim().await, scene.due().await), (None, 0));
        scene.world.clock.advance(MILLISECOND);
        assert_eq!(scene.due().await, 1);
        assert_eq!(scene.claim().await.unwrap().attempt, 2);
        assert_eq!(
            scene.item().await["last_failure"],
            AttributeValue::S("http_502".into())
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn of_many_claims_at_once_one_has_it() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        let now = scene.now();
        let tries: Vec<_> = (1..=10_i32)
            .map(|number| {
                let (confirmations, id) = (Arc::clone(&scene.confirmations), scene.id.clone());
                let until = now + LEASE + MILLISECOND * number;
                tokio::spawn(async move { confirmations.claim(&id, now, until).await.unwrap() })
            })
            .collect();
        let mut claims = Vec::new();
        for tried in tries {
            claims.extend(tried.await.unwrap());
        }
        let [claim] = &claims[..] else {
            panic!("{} claims", claims.len())
        };
        assert_eq!(claim.attempt, 1);
        scene.world.clock.advance(LEASE - MILLISECOND);
        assert_eq!((scene.claim().await, scene.due().await), (None, 0));
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn whoever_dies_with_a_claim_gives_it_free_with_its_time() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        let dead = scene.claim().await.unwrap();
        scene.world.clock.advance(LEASE);
        let due = scene.confirmations.due(scene.now(), 10).await.unwrap();
        assert_eq!(due[0].since, dead.until);
        assert_eq!(
            scene.claim().await.unwrap().attempt,
            2,
            "the attempt that died counts"
        );
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn what_a_late_claimant_tells_changes_nothing() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        let late = scene.claim().await.unwrap();
        scene.world.clock.advance(LEASE);
        let current = scene.claim().await.unwrap();
        let (before, now) = (scene.item().await, scene.now());
        let confirmations = &scene.confirmations;
        let noted = [
            confirmations.delivered(&late, now).await.unwrap(),
            confirmations.retry(&late, now + SECOND, "timeout").await.unwrap(),
            confirmations.wait(&late, now + SECOND).await.unwrap(),
            confirmations
                .park(&late, Parked::Gone, Some("http_410"), now)
                .await
                .unwrap(),
        ];
        assert_eq!(noted, [ClaimWrite::ClaimLost; 4], "and is told so");
        assert_eq!(scene.item().await, before);

        confirmations.delivered(&current, now).await.unwrap();
        let delivered = scene.item().await;
        confirmations
            .retry(&current, now + SECOND, "timeout")
            .await
            .unwrap();
        confirmations
            .park(&current, Parked::Gone, None, now)
            .await
            .unwrap();
        assert_eq!(scene.item().await, delivered, "nor does one that is done with");
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn a_claim_whose_answer_was_lost_is_one_attempt() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        let (losing, lost) = scene.world.losing_answers_of("UpdateItem");
        let confirmations = losing.confirmations(&losing.vault());
        let claim = async || {
            let now = scene.now();
            confirmations
                .claim(&scene.id, now, later(now, LEASE))
                .await
                .unwrap()
        };
        let first = claim().await.expect("it is ours, though the SDK asked twice");
        assert_eq!((first.attempt, lost.count()), (1, 1));
        assert_eq!(claim().await, None, "nor does it let anybody else in");
        // What is noted of it, too, is sent twice.
        let noted = confirmations.retry(&first, scene.now(), "timeout").await.unwrap();
        assert_eq!((noted, lost.count()), (ClaimWrite::Stored, 2));
        let second = claim().await.unwrap();
        assert_eq!(second.attempt, 2);
        let noted = confirmations.wait(&second, scene.now()).await.unwrap();
        assert_eq!(noted, ClaimWrite::Stored);
        let third = claim().await.unwrap();
        assert_eq!(third.attempt, 2, "a wait is no attempt, and is counted back once");
        let noted = confirmations.delivered(&third, scene.now()).await.unwrap();
        assert_eq!((noted, lost.count()), (ClaimWrite::Stored, 6));
        assert_eq!(scene.item().await["state"], AttributeValue::S("delivered".into()));
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn claims_of_the_same_time_are_distinct() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        let (now, until) = (scene.now(), scene.now() + LEASE);
        let first = scene
            .confirmations
            .claim(&scene.id, now, until)
            .await
            .unwrap()
            .unwrap();
        // The next one's time ends in the very same millisecond.
        scene.confirmations.retry(&first, now, "timeout").await.unwrap();
        let second = scene
            .confirmations
            .claim(&scene.id, now, until)
            .await
            .unwrap()
            .unwrap();
        assert_eq!((first.attempt, second.attempt), (1, 2));
        let noted = scene.confirmations.delivered(&first, now).await.unwrap();
        assert_eq!(noted, ClaimWrite::ClaimLost);
        assert_eq!(scene.item().await["state"], AttributeValue::S("due".into()));
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn an_attempt_that_was_not_made_does_not_count() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        for _ in 0..3 {
            let claim = scene.claim().await.unwrap();
            assert_eq!(claim.attempt, 1);
            let due = scene.now() + SECOND * 30;
            scene.confirmations.wait(&claim, due).await.unwrap();
            assert_eq!(scene.claim().await, None);
            scene.world.clock.advance(SECOND * 30);
        }
        assert!(!scene.item().await.contains_key("last_failure"));
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn what_was_delivered_is_forgotten_and_not_due_any_more() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        let claim = scene.claim().await.unwrap();
        let before = scene.item().await;
        assert!(before.contains_key("url") && before.contains_key("body"));
        assert!(!before.contains_key("ttl"), "it is kept until it is delivered");
        scene.confirmations.delivered(&claim, scene.now()).await.unwrap();
        let item = scene.item().await;
        for gone in ["url", "body", "agenda", "agenda_at"] {
            assert!(!item.contains_key(gone), "{gone}");
        }
        assert_eq!(item["state"], AttributeValue::S("delivered".into()));
        let week = SignedDuration::from_hours(7 * 24);
        assert_eq!(scene.ttl().await, Some((scene.now() + week).as_second()));
        scene.world.clock.advance(SignedDuration::from_hours(1));
        assert_eq!((scene.claim().await, scene.due().await), (None, 0));
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn what_is_parked_is_listed_as_such_and_not_tried() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        let claim = scene.claim().await.unwrap();
        let at = scene.now();
        scene
            .confirmations
            .park(&claim, Parked::Gone, Some("http_410"), at)
            .await
            .unwrap();
        scene.world.clock.advance(LEASE * 2);
        assert_eq!((scene.claim().await, scene.due().await), (None, 0));
        let month = SignedDuration::from_hours(30 * 24);
        assert_eq!(scene.ttl().await, Some((at + month).as_second()));
        let parked = scene.admin.list(true, None, 10).await.unwrap();
        let [parked] = &parked[..] else {
            panic!("{parked:?}")
        };
        let reason = Parked::Gone;
        assert_eq!(parked.state, State::Parked { at, reason });
        assert_eq!(parked.last_failure.as_deref(), Some("http_410"));
        assert_eq!((&parked.id, parked.attempts), (&scene.id, 1));
        assert_eq!(scene.admin.list(false, None, 10).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn what_is_due_is_listed_over_all_shards_the_oldest_first() {
    on_every_engine(|world| async move {
        let mut stored = Vec::new();
        for _ in 0..12 {
            stored.push(enrolled(&world).await.confirmation().unwrap().id);
        }
        let confirmations = world.confirmations(&world.vault());
        let listed = async |limit| -> Vec<_> {
            let due = confirmations.due(world.clock.now(), limit).await.unwrap();
            due.into_iter().map(|due| due.id).collect()
        };
        assert_eq!(listed(100).await, stored);
        assert_eq!(listed(5).await, stored[..5]);
        let shards: std::collections::BTreeSet<_> = world
            .scan(&world.tables.confirmations)
            .await
            .iter()
            .map(|item| item["agenda"].as_s().unwrap().clone())
            .collect();
        assert!(shards.len() > 1, "{shards:?}");
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn while_kms_is_away_no_attempt_counts() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        let away = scene.world.confirmations(&scene.world.vault_over(Arc::new(Away)));
        for _ in 0..12 {
            let now = scene.now();
            let claim = away.claim(&scene.id, now, later(now, LEASE)).await;
            assert!(matches!(claim, Err(StoreError::Unavailable { .. })), "{claim:?}");
            assert_eq!(scene.claim().await, None, "not before the claim would have ended");
            scene.world.clock.advance(LEASE);
        }
        assert_eq!(scene.claim().await.unwrap().attempt, 1);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn unreadable_confirmation_is_parked() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        let mut damaged = scene.item().await;
        damaged.insert("body".into(), damaged["url"].clone());
        scene.world.put(&scene.world.tables.confirmations, damaged).await;
        let now = scene.now();
        let claim = scene.confirmations.claim(&scene.id, now, later(now, LEASE)).await;
        assert!(matches!(claim, Err(StoreError::Unreadable { .. })), "{claim:?}");
        assert_eq!(scene.due().await, 0);
        let parked = scene.admin.list(true, None, 10).await.unwrap();
        let [parked] = &parked[..] else {
            panic!("{parked:?}");
        };
        assert_eq!((parked.id.clone(), parked.attempts), (scene.id.clone(), 0));
        let reason = Parked::Unreadable;
        assert_eq!(parked.state, State::Parked { at: now, reason });
    })
    .await;
}

/// KMS as it is when nobody answers.
struct Away;

#[async_trait]
impl KeyWrapper for Away {
    async fn generate(&self, _name: &KeyName) -> Result<GeneratedKey, VaultError> {
        Err(away())
    }

    async fn unwrap(&self, _name: &KeyName, _wrapped: &[u8]) -> Result<DataKey, VaultError> {
        Err(away())
    }
}

fn away() -> VaultError {
    VaultError::Unavailable {
        operation: "unwrapping a key",
        detail: "nobody answers".into(),
    }
}

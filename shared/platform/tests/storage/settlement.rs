use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use engine::{Item, TestClock, World, on_every_engine};
use enrollment::action::ActionCode;
use enrollment::clock::Clock as _;
use enrollment::confirmation::ConfirmationId;
use enrollment::flows::settle::Settlement;
use enrollment::flows::sweep::Sweep;
use enrollment::identifiers::{BankCustomerNumber, ClientId, CustomerId, IntentId, Ranac};
use enrollment::intent::{CardState, Conclusion, Customer, Intent};
use enrollment::look_up::LookUp;
use enrollment::ports::{
    Customers as _, DueIntent, DueIntents as _, Intents as _, NewCard, Rewards, RewardsError, Sessions as _,
    StoreError, Wakeups, Work,
};
use enrollment::status::MrsCode;
use jiff::{SignedDuration, Timestamp};
use platform::tables::DynamoEnrollments;

use crate::samples::{client_id, customer_id, intent, program_id, session, used_token};

const SECOND: SignedDuration = SignedDuration::from_secs(1);

struct Scene {
    world: Arc<World>,
    enrollments: DynamoEnrollments,
}

impl Scene {
    fn new(world: Arc<World>) -> Self {
        Self {
            enrollments: world.enrollments(&world.vault()),
            world,
        }
    }

    fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    /// An intent of a session of its own; a second passes.
    async fn begun(&self) -> Intent {
        let vault = self.world.vault();
        let opened = session(self.now());
        let sessions = self.world.sessions(&vault);
        sessions.open(&opened, &used_token(self.now())).await.unwrap();
        let intent = intent(&opened, 1, self.now());
        let count = self
            .enrollments
            .card_count(&client_id(), &program_id(), &customer_id())
            .await
            .unwrap();
        self.enrollments.begin(&intent, count, 0).await.unwrap().unwrap();
        self.world.clock.advance(SECOND);
        intent
    }

    async fn finish(&self, mut intent: Intent, outcome: Conclusion) {
        intent.conclude(outcome);
        self.enrollments.finish(&intent).await.unwrap();
    }

    async fn enrolled(&self, ranac: &str) {
        let outcome =
            Conclusion::enrolled(ActionCode::Enroll, Ranac::parse(ranac).unwrap(), None, self.now());
        self.finish(self.begun().await, outcome).await;
    }

    async fn due_intents(&self, limit: usize) -> Vec<IntentId> {
        let unsettled = self.enrollments.due_intents(self.now(), limit).await.unwrap();
        unsettled.into_iter().map(|unsettled| unsettled.id).collect()
    }

    async fn customer(&self) -> Customer {
        self.enrollments
            .customer(&client_id(), &program_id(), &customer_id())
            .await
            .unwrap()
    }
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn an_open_intent_may_be_looked_after_at_once() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world);
        let intent = scene.begun().await;
        let created_at = intent.created_at;
        let expected = DueIntent {
            id: intent.id,
            created_at,
            due_at: created_at,
            is_open: true,
        };
        let unsettled = scene.enrollments.due_intents(scene.now(), 10).await.unwrap();
        assert_eq!(unsettled, [expected]);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn what_has_waited_longest_comes_first_over_all_shards() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world);
        let mut begun = Vec::new();
        for _ in 0..12 {
            begun.push(scene.begun().await.id);
        }
        assert_eq!(scene.due_intents(100).await, begun);
        assert_eq!(scene.due_intents(5).await, begun[..5]);
        let intents = scene.world.scan(&scene.world.tables.enrollments).await;
        let shards: std::collections::BTreeSet<_> = intents
            .iter()
            .filter_map(|item| item.get("agenda"))
            .map(|shard| shard.as_s().unwrap().clone())
            .collect();
        assert!(shards.len() > 1, "{shards:?}");

        // Put off, the first becomes the last.
        let later = scene.now() + SECOND;
        scene.enrollments.reschedule(begun[0], later).await.unwrap();
        assert_eq!(scene.due_intents(100).await, begun[1..]);
        scene.world.clock.advance(SECOND);
        begun.rotate_left(1);
        assert_eq!(scene.due_intents(100).await, begun);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn ended_intent_is_due_only_for_a_cleanup() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world);
        scene.enrolled("03643782610476418733").await;
        let declined = Conclusion::declined(ActionCode::Enroll, MrsCode(-45), scene.now());
        scene.finish(scene.begun().await, declined).await;
        let failed = scene.begun().await;
        scene
            .finish(
                failed.clone(),
                Conclusion::undetermined(ActionCode::Enroll, scene.now()),
            )
            .await;
        assert_eq!(scene.due_intents(10).await, [failed.id]);

        scene
            .enrollments
            .complete_cleanup(&failed, scene.now())
            .await
            .unwrap();
        assert_eq!(scene.due_intents(10).await, []);
        let week = SignedDuration::from_hours(7 * 24);
        let table = &scene.world.tables.enrollments;
        let name = format!("intent#{}", failed.id.to_hex());
        let item = scene.world.item(table, &name).await;
        assert!(!item.contains_key("agenda") && !item.contains_key("agenda_at"));
        let ttl = (scene.now() + week).as_second().to_string();
        assert_eq!(item["ttl"], AttributeValue::N(ttl), "it may go now");
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn a_look_is_not_put_off_where_none_is_needed() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world);
        let intent = scene.begun().await;
        let declined = Conclusion::declined(ActionCode::Enroll, MrsCode(-45), scene.now());
        scene.finish(intent.clone(), declined).await;
        let table = &scene.world.tables.enrollments;
        let name = format!("intent#{}", intent.id.to_hex());
        let before = scene.world.item(table, &name).await;
        scene
            .enrollments
            .reschedule(intent.id, scene.now())
            .await
            .unwrap();
        assert_eq!(scene.world.item(table, &name).await, before);

        let session = session(scene.now());
        let unknown = crate::samples::intent(&session, 1, scene.now()).id;
        scene.enrollments.reschedule(unknown, scene.now()).await.unwrap();
        assert_eq!(scene.enrollments.intent(unknown).await.unwrap(), None);
        assert_eq!(scene.due_intents(10).await, [], "no half an intent is made");
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn a_customer_has_cards_and_open_intents() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world);
        assert_eq!(scene.customer().await, Customer::default());
        scene.enrolled("03643782610476418733").await;
        scene.enrolled("13643782610476418733").await;
        let open = scene.begun().await;
        let customer = scene.customer().await;
        let ranacs: Vec<_> = customer.cards.iter().map(|card| card.ranac.expose()).collect();
        assert_eq!(ranacs, ["03643782610476418733", "13643782610476418733"]);
        assert!(customer.cards.iter().all(|card| card.state == CardState::Active));
        assert_eq!((customer.count.active, customer.count.pending), (2, 1));
        scene
            .finish(open, Conclusion::undetermined(ActionCode::Enroll, scene.now()))
            .await;
        let customer = scene.customer().await;
        assert_eq!((customer.count.pending, customer.cards.len()), (0, 2));

        let other = CustomerId::parse("somebody-else").unwrap();
        let others = scene
            .enrollments
            .customer(&client_id(), &program_id(), &other)
            .await
            .unwrap();
        assert_eq!(others, Customer::default());
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn unreadable_entries_use_up_nothing_of_the_limit() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world);
        let begun = scene.begun().await.id;
        // As a newer release leaves them behind when it is taken back.
        let of_a_newer_release = (0..1100).map(|number| {
            HashMap::from([
                ("pk".to_owned(), text(&format!("intent#{number:064x}"))),
                ("sk".to_owned(), text("intent")),
                ("schema".to_owned(), digits(99)),
                ("agenda".to_owned(), text(&format!("due_intent#{}", number % 4))),
                ("agenda_at".to_owned(), digits(1)),
            ])
        });
        store(&scene.world, &scene.world.tables.enrollments, of_a_newer_release).await;
        assert_eq!(scene.due_intents(200).await, [begun]);
    })
    .await;
}

/// A queue to which each call takes a second.
struct Slow<'a> {
    clock: &'a TestClock,
    woken: Mutex<Vec<(ConfirmationId, ClientId)>>,
}

#[async_trait]
impl Wakeups for Slow<'_> {
    async fn wake(&self, work: Work<'_>, _: SignedDuration) -> Result<(), StoreError> {
        match work {
            Work::Intent(_) | Work::BatchSubmissions(_) | Work::BatchPolls(_) | Work::Deletions(_) => Ok(()),
            Work::Confirmations(confirmations) => {
                self.clock.advance(SECOND);
                self.woken.lock().unwrap().extend_from_slice(confirmations);
                Ok(())
            }
        }
    }
}

/// MRS as it is when nobody answers.
struct Away;

#[async_trait]
impl Rewards for Away {
    async fn enroll(&self, _: NewCard<'_>) -> Result<Ranac, RewardsError> {
        Err(RewardsError::NotSent("away".into()))
    }

    async fn find(&self, _: &str, _: &BankCustomerNumber) -> LookUp {
        LookUp::Unknown("away".into())
    }

    async fn cancel(&self, _: &str, _: &Ranac) -> Result<(), RewardsError> {
        Err(RewardsError::NotSent("away".into()))
    }
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn a_backlog_of_one_client_delays_nobody_else() {
    on_every_engine(|world| async move {
        let scene = Scene::new(Arc::clone(&world));
        let open = scene.begun().await;
        world.clock.advance(SECOND * 61);
        let due = |client: &'static str, count: usize, at: Timestamp| {
            (0..count).map(move |number| due_confirmation(client, number, at))
        };
        let (now, table) = (world.clock.now(), &world.tables.confirmations);
        store(&world, table, due("busy", 1500, now - SECOND * 60)).await;
        store(&world, table, due("other", 2, now)).await;

        let slow = Slow {
            clock: &world.clock,
            woken: Mutex::default(),
        };
        let (clients, confirmations) = (world.clients(), world.confirmations(&world.vault()));
        let sweeping = Sweep {
            settlement: Settlement {
                intents: &scene.enrollments,
                leases: &scene.enrollments,
                customers: &scene.enrollments,
                rewards: &Away,
                clients: &clients,
                wakeups: &slow,
                clock: &*world.clock,
            },
            due_intents: &scene.enrollments,
            confirmations: &confirmations,
        };
        let woken = sweeping.wake_deliveries().await.unwrap();
        assert_eq!(woken.oldest_due, SECOND * 60);
        assert_eq!(woken.woken, 800, "a hundred a second, and no more after eight");
        let first: Vec<String> = slow.woken.lock().unwrap()[..4]
            .iter()
            .map(|(_, client)| client.to_string())
            .collect();
        assert_eq!(first, ["busy", "other", "busy", "other"]);

        sweeping.resume_intents().await.unwrap();
        let settled = scene.enrollments.intent(open.id).await.unwrap().unwrap();
        assert!(settled.outcome().is_some(), "however long the wake-ups took");
    })
    .await;
}

fn due_confirmation(client: &str, number: usize, at: Timestamp) -> Item {
    let of_client = client.len();
    HashMap::from([
        (
            "pk".to_owned(),
            text(&format!("confirmation#msg_{of_client:08x}{number:024x}")),
        ),
        ("schema".to_owned(), digits(1)),
        ("client".to_owned(), text(client)),
        ("state".to_owned(), text("due")),
        ("attempts".to_owned(), digits(1)),
        ("waiting_since".to_owned(), digits(at.as_millisecond())),
        ("agenda".to_owned(), text(&format!("due#{}", number % 4))),
        ("agenda_at".to_owned(), digits(at.as_millisecond())),
    ])
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn digits(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// Writes items past the product.
async fn store(world: &World, table: &str, items: impl Iterator<Item = Item>) {
    let puts: Vec<WriteRequest> = items
        .map(|item| PutRequest::builder().set_item(Some(item)).build().unwrap())
        .map(|put| WriteRequest::builder().put_request(put).build())
        .collect();
    // As many as one call takes.
    for puts in puts.chunks(25) {
        let write = world.dynamodb.batch_write_item();
        let written = write.request_items(table, puts.to_vec()).send().await.unwrap();
        assert!(written.unprocessed_items.unwrap_or_default().is_empty());
    }
}

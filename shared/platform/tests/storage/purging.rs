//! Purge of expired records.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use engine::{Item, World, on_engine_of_aws, on_every_engine};
use enrollment::action::ActionCode;
use enrollment::client::{Client, Program, RetiredProgram};
use enrollment::clock::Clock;
use enrollment::confirmation::ConfirmationId;
use enrollment::delivery::Parked;
use enrollment::flows::purge::{Purge, PurgeReport};
use enrollment::identifiers::{ClientId, Ranac, Slug};
use enrollment::intent::{Card, Conclusion};
use enrollment::limits::Counters;
use enrollment::ports::{
    ClientIndex, Clients, Confirmations as _, CounterKey, CustomerKey, Intents as _, Limits as _,
    Purges as _, Put, Record, Removal, StoreError,
};
use enrollment::status::Status;
use enrollment::time::later;
use futures_util::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use platform::tables::audit::{AuditTrail, Trail};
use platform::tables::client_setups::ClientSetups;
use platform::tables::confirmations::admin::Decided;
use platform::{SystemClock, SystemRandomness};

use crate::confirmations::permit;
use crate::leaving::Scene;
use crate::samples::{CUSTOMER, RANAC, attempt, client, client_id, customer_id, program_id};

const OTHER_RANAC: &str = "13643782610476418733";
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A client whose one program has some X.
struct Retention(Mutex<Client>);

impl Retention {
    fn days(days: u16) -> Self {
        let mut client = client("demo", "demo", "Demo");
        client.programs = vec![program(days)];
        Self(Mutex::new(client))
    }

    fn change(&self, days: u16) {
        self.0.lock().unwrap().programs[0].retention_days = days;
    }

    fn retire(&self) {
        let mut client = self.0.lock().unwrap();
        let program = client.programs.remove(0);
        client.retired_programs.push(RetiredProgram {
            id: program.id,
            retention_days: program.retention_days,
        });
    }

    async fn purge(&self, scene: &Scene) -> PurgeReport {
        let purging = Purge {
            client_index: self,
            clients: self,
            purges: &scene.enrollments,
            clock: &*scene.world.clock,
        };
        purging.run().await.unwrap()
    }

    /// Each process dies one call later than the one before, so in the end between any two transactions. Gives what the
    /// first did that came to what is due.
    async fn purge_by_dying_processes(&self, scene: &Scene) -> PurgeReport {
        for calls in 1..200 {
            let dying = Scene::without_card(Arc::new(scene.world.dying_after(calls)));
            let purged = self.purge(&dying).await;
            if purged.customers + purged.cards > 0 {
                return purged;
            }
            let expected = PurgeReport {
                is_cut_short: true,
                ..PurgeReport::default()
            };
            assert_eq!(purged, expected, "after {calls} calls");
        }
        panic!("what is due is not found any more");
    }
}

#[async_trait]
impl ClientIndex for Retention {
    async fn clients(&self) -> Result<Vec<ClientId>, StoreError> {
        Ok(vec![client_id()])
    }
}

#[async_trait]
impl Clients for Retention {
    async fn by_id(&self, _: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
        Ok(Some(Arc::new(self.0.lock().unwrap().clone())))
    }

    async fn by_slug(&self, _: &Slug) -> Result<Option<Arc<Client>>, StoreError> {
        Ok(None)
    }
}

fn program(retention_days: u16) -> Program {
    serde_json::from_value(serde_json::json!({
        "id": "10765", "member_ica": 1234, "bank_product_code": "MRSDEMO", "bin_ranges": [],
        "bank_customer_number": "per_card", "retention_days": retention_days, "replacement": true, "opt_out": true,
        "max_cards": 5, "attempts_per_customer_per_hour": 20, "attempts_per_client_per_hour": 1000
    }))
    .unwrap()
}

impl Scene {
    /// All that is stored, but for what names nobody: used tokens, the client's counter, the purge's own marker.
    async fn stored(&self) -> Vec<Item> {
        let tables = &self.world.tables;
        let mut stored = Vec::new();
        for table in [
            &tables.sessions,
            &tables.enrollments,
            &tables.confirmations,
            &tables.limits,
        ] {
            stored.extend(self.world.scan(table).await);
        }
        let names_nobody = |item: &Item| {
            let pk = item["pk"].as_s().unwrap();
            ["token#", "attempts#client#", "retention#", "audit#"]
                .iter()
                .any(|start| pk.starts_with(start))
        };
        stored.retain(|item| !names_nobody(item));
        stored
    }

    async fn count_an_attempt(&self) {
        let limits = self.world.limits(&self.world.vault());
        let counted = CounterKey {
            client: &client_id(),
            program: &program_id(),
            customer: &customer_id(),
        };
        let now = self.world.clock.now();
        limits
            .count(counted, &Counters::default(), attempt(0), now)
            .await
            .unwrap();
    }

    async fn key(&self) -> CustomerKey {
        CustomerKey(self.item("customer").await["pk"].as_s().unwrap().clone())
    }

    /// Reads the record of the customer.
    async fn record(&self) -> Record {
        let record = self.enrollments.record(&client_id(), &self.key().await).await;
        record.unwrap().unwrap()
    }

    /// The customer's last card is cancelled, and long enough ago.
    async fn past(world: Arc<World>) -> (Self, Card) {
        let scene = Self::new(world).await;
        let card = scene.card().await;
        scene.opt_out(&card).await;
        scene.world.clock.advance(DAY * 30);
        (scene, card)
    }
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn with_the_last_card_goes_every_byte_of_the_customer() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        scene.count_an_attempt().await;
        scene.decline(ActionCode::Enroll, None).await;
        let card = scene.card().await;
        scene.opt_out(&card).await;
        let key = scene.key().await;
        assert!(scene.stored().await.len() >= 10, "there is something to lose");

        let retention = Retention::days(30);
        scene
            .world
            .clock
            .advance(DAY * 30 - SignedDuration::from_millis(1));
        assert_eq!(retention.purge(&scene).await, PurgeReport::default());
        scene.world.clock.advance(SignedDuration::from_millis(1));
        let expected = PurgeReport {
            customers: 1,
            // Nobody sends anything in these tests: a failure, an enrollment, a removal.
            undelivered: 3,
            ..PurgeReport::default()
        };
        assert_eq!(retention.purge(&scene).await, expected);
        assert_eq!(scene.stored().await, Vec::<Item>::new());
        // In whatever is left: not the customer's index either.
        let index = key.0.rsplit('#').next().unwrap().to_owned();
        for table in scene.world.tables.all() {
            let left = format!("{:?}", scene.world.scan(table).await);
            for byte_of in [CUSTOMER, RANAC, index.as_str()] {
                assert!(!left.contains(byte_of), "{byte_of} is left in {table}");
            }
        }
        assert_eq!(retention.purge(&scene).await, PurgeReport::default());
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn a_card_goes_with_what_tells_of_it_and_the_others_stay() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        let card = scene.card().await;
        let (replacement, _) = scene.begin(ActionCode::Replace, Some(&card)).await;
        let outcome = Conclusion::enrolled(
            ActionCode::Replace,
            Ranac::parse(OTHER_RANAC).unwrap(),
            None,
            scene.world.clock.now(),
        );
        let replacement = scene.finish(replacement, outcome).await;
        scene
            .enrollments
            .complete_cleanup(&replacement, scene.world.clock.now())
            .await
            .unwrap();
        let gone = [
            format!("card#{}", card.id.to_hex()),
            format!("intent#{}", card.id.to_hex()),
            format!(
                "confirmation#{}",
                ConfirmationId::derive(card.id, Status::SuccessEnrollment)
            ),
        ];
        let before = scene.stored().await.len();

        scene.world.clock.advance(DAY * 30);
        let expected = PurgeReport {
            cards: 1,
            undelivered: 1,
            ..PurgeReport::default()
        };
        assert_eq!(Retention::days(30).purge(&scene).await, expected);
        let after = scene.stored().await;
        assert_eq!(after.len(), before - gone.len());
        let names: Vec<&String> = after
            .iter()
            .flat_map(|item| ["pk", "sk"].into_iter().filter_map(|name| item.get(name)))
            .map(|name| name.as_s().unwrap())
            .collect();
        assert!(gone.iter().all(|gone| !names.contains(&gone)), "{names:?}");
        let customer = scene.customer().await;
        assert_eq!(customer.cards.len(), 1);
        assert_eq!((customer.count.active, customer.count.changing), (1, 0));
        // What comes later is still counted right.
        let last = scene.card().await;
        scene.opt_out(&last).await;
        scene.world.clock.advance(DAY * 30);
        assert_eq!(Retention::days(30).purge(&scene).await.customers, 1);
        assert_eq!(scene.stored().await, Vec::<Item>::new());
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn a_changed_x_counts_for_cards_that_were_cancelled_before() {
    on_every_engine(|world| async move {
        let (scene, _) = Scene::past(world).await;
        let retention = Retention::days(60);
        assert_eq!(retention.purge(&scene).await, PurgeReport::default());
        let cancelled_at = later(scene.world.clock.now(), -(DAY * 30));
        let dated = || async {
            let mut dates = Vec::new();
            for item in scene.world.scan(&scene.world.tables.enrollments).await {
                let ttl = item
                    .get("ttl")
                    .map(|ttl| ttl.as_n().unwrap().parse::<i64>().unwrap());
                if !item["pk"].as_s().unwrap().starts_with("retention#") {
                    dates.push(ttl);
                }
            }
            dates
        };
        let expected = Some((cancelled_at + DAY * 67).as_second());
        assert_eq!(dated().await, [expected; 4], "card, both intents, customer");

        // A customer's own date is only ever put off: the cards' are what counts.
        retention.change(31);
        assert_eq!(retention.purge(&scene).await, PurgeReport::default());
        let sooner = Some((cancelled_at + DAY * 38).as_second());
        let mut all = dated().await;
        all.sort_unstable();
        assert_eq!(all, [sooner, sooner, sooner, expected]);

        retention.change(30);
        assert_eq!(retention.purge(&scene).await.customers, 1);
        assert_eq!(scene.stored().await, Vec::<Item>::new());
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn cards_of_a_program_that_was_given_up_go_by_its_last_x() {
    on_every_engine(|world| async move {
        let (scene, _) = Scene::past(world).await;
        let retention = Retention::days(30);
        retention.retire();
        assert_eq!(retention.purge(&scene).await.customers, 1);
        assert_eq!(scene.stored().await, Vec::<Item>::new());
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn what_is_unsettled_or_under_way_holds_the_customer_back() {
    on_every_engine(|world| async move {
        let (scene, _) = Scene::past(world).await;
        let retention = Retention::days(30);
        let held = PurgeReport {
            deferred: 1,
            ..PurgeReport::default()
        };
        let before = scene.stored().await.len();

        // A session is open, then an intent of it, then MRS may hold something for it.
        let (intent, _) = scene.begin(ActionCode::Enroll, None).await;
        assert_eq!(retention.purge(&scene).await, held);
        scene.world.clock.advance(SignedDuration::from_mins(20));
        assert_eq!(retention.purge(&scene).await, held, "the intent is open");
        let unsettled = Conclusion::undetermined(ActionCode::Enroll, scene.world.clock.now());
        let intent = scene.finish(intent, unsettled).await;
        assert_eq!(retention.purge(&scene).await, held, "MRS may hold something");
        assert!(scene.stored().await.len() > before);
        scene
            .enrollments
            .complete_cleanup(&intent, scene.world.clock.now())
            .await
            .unwrap();
        assert_eq!(
            retention.purge(&scene).await,
            held,
            "its failure is still to be told"
        );
        scene.world.clock.advance(SignedDuration::from_hours(96));
        assert_eq!(retention.purge(&scene).await.customers, 1);
        assert_eq!(scene.stored().await, Vec::<Item>::new());
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn a_due_confirmation_holds_its_record_back_for_96_hours() {
    on_every_engine(|world| async move {
        let (scene, _) = Scene::past(world).await;
        let retention = Retention::days(30);
        // The customer tries again today, and it fails.
        let failed = scene.decline(ActionCode::Enroll, None).await;
        let told_at = failed.outcome().unwrap().at;
        scene.world.clock.advance(SignedDuration::from_mins(20));
        let held = PurgeReport {
            deferred: 1,
            ..PurgeReport::default()
        };
        assert_eq!(retention.purge(&scene).await, held);
        // Nor does one who has read the record before it was due get it away.
        let record = scene.record().await;
        let removed = scene.enrollments.remove(&record, &Removal::Everything).await;
        assert!(!removed.unwrap());

        let ends = later(told_at, SignedDuration::from_hours(96));
        let left = ends.duration_since(scene.world.clock.now());
        scene.world.clock.advance(left - SignedDuration::from_millis(1));
        assert_eq!(retention.purge(&scene).await, held);
        scene.world.clock.advance(SignedDuration::from_millis(1));
        let purged = retention.purge(&scene).await;
        assert_eq!((purged.customers, purged.undelivered), (1, 3));
        assert_eq!(scene.stored().await, Vec::<Item>::new());
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn the_parked_goes_with_its_record_and_is_named() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        let confirmations = scene.world.confirmations(&scene.world.vault());
        let card = scene.card().await;
        let told = ConfirmationId::derive(card.id, Status::SuccessEnrollment);
        let parked = ConfirmationId::derive(scene.opt_out(&card).await.id, Status::SuccessRemoval);
        let now = scene.world.clock.now();
        let claim = async |id| {
            let until = later(now, SignedDuration::from_mins(1));
            confirmations.claim(id, now, until).await.unwrap().unwrap()
        };
        confirmations.delivered(&claim(&told).await, now).await.unwrap();
        let claim = claim(&parked).await;
        confirmations
            .park(&claim, Parked::Gone, Some("http_410"), now)
            .await
            .unwrap();

        scene.world.clock.advance(DAY * 30);
        let purged = Retention::days(30).purge(&scene).await;
        assert_eq!((purged.customers, purged.undelivered), (1, 1));
        assert_eq!(scene.stored().await, Vec::<Item>::new());
        let trail = AuditTrail::new(scene.world.dynamodb.clone(), &scene.world.tables.enrollments);
        let lines = trail.lines(Trail::Client(&client_id())).await.unwrap();
        let [line] = &lines[..] else { panic!("{lines:?}") };
        assert_eq!(
            (line.action.as_str(), line.by.as_str()),
            ("purge undelivered", "purge")
        );
        assert_eq!(line.program, Some(program_id()));
        assert_eq!(line.records, format!("undelivered confirmations: {parked}"));
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn what_the_index_does_not_name_yet_goes_too() {
    on_every_engine(|world| async move {
        let (scene, _) = Scene::past(world).await;
        // An item without the key of the index is not in it, as one that was written a moment ago.
        let tables = &scene.world.tables;
        for (table, kind) in [
            (&tables.enrollments, "intent#"),
            (&tables.confirmations, "confirmation#"),
        ] {
            for mut item in scene.world.scan(table).await {
                if item["pk"].as_s().unwrap().starts_with(kind) {
                    item.remove("owner").unwrap();
                    scene.world.put(table, item).await;
                }
            }
        }
        let record = scene.record().await;
        assert_eq!((record.intents.len(), record.confirmations.len()), (2, 2));
        assert_eq!(Retention::days(30).purge(&scene).await.customers, 1);
        let mut stored = scene.stored().await;
        stored.retain(|item| !item["pk"].as_s().unwrap().starts_with("session#"));
        assert_eq!(stored, Vec::<Item>::new());
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn an_erasure_waits_for_no_confirmation() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        let card = scene.card().await;
        scene.opt_out(&card).await;
        let record = scene.record().await;
        let erased = scene.enrollments.remove(&record, &Removal::Erasure).await;
        assert!(erased.unwrap(), "though two confirmations are due now");
        assert_eq!(scene.stored().await, Vec::<Item>::new());
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn nothing_is_replayed_of_a_record_past_its_date() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        let mut set_up = client("demo", "demo", "Demo");
        set_up.programs = vec![program(30)];
        let setups = ClientSetups {
            dynamodb: scene.world.dynamodb.clone(),
            table: scene.world.tables.clients.clone(),
            randomness: &SystemRandomness,
            clock: &*scene.world.clock,
        };
        setups.store(&set_up, None).await.unwrap();
        let card = scene.card().await;
        let removal = scene.opt_out(&card).await;
        let id = ConfirmationId::derive(removal.id, Status::SuccessRemoval);
        let admin = scene.world.admin(&scene.world.vault());
        let permit = permit(&scene.world).await;

        let moment = SignedDuration::from_millis(1);
        scene.world.clock.advance(DAY * 30 - moment);
        assert_eq!(admin.replay(&permit, &id).await.unwrap(), Decided::Done);
        assert!(admin.reveal(&permit, &id).await.unwrap().is_some());
        scene.world.clock.advance(moment);
        assert_eq!(admin.replay(&permit, &id).await.unwrap(), Decided::Expired);
        assert_eq!(admin.reveal(&permit, &id).await.unwrap(), None);
        // The replay of a moment ago holds nothing back: 96 hours count from the outcome.
        let purged = Retention::days(30).purge(&scene).await;
        assert_eq!((purged.customers, purged.undelivered), (1, 2));
        assert_eq!(admin.replay(&permit, &id).await.unwrap(), Decided::TooLate);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn an_enrollment_at_the_same_moment_wins() {
    on_every_engine(|world| async move {
        let (scene, _) = Scene::past(world).await;
        let record = scene.record().await;
        // The purge has read what there is. Now the customer enrolls a card.
        scene.enroll(OTHER_RANAC).await;
        let removed = scene.enrollments.remove(&record, &Removal::Everything).await;
        assert!(!removed.unwrap());
        let customer = scene.customer().await;
        assert_eq!(customer.count.active, 1);
        assert_eq!(customer.cards.len(), 2);

        scene.world.clock.advance(DAY);
        assert_eq!(Retention::days(30).purge(&scene).await.cards, 1);
        let customer = scene.customer().await;
        assert_eq!(customer.cards.len(), 1);
        assert_eq!(customer.cards[0].ranac.expose(), OTHER_RANAC);
        assert_eq!(customer.count.active, 1);

        // The other way round: the purge was first.
        let last = scene.card().await;
        scene.opt_out(&last).await;
        scene.world.clock.advance(DAY * 30);
        let count = scene.customer().await.count;
        let session = scene.session(ActionCode::Enroll).await;
        let intent = crate::samples::intent(&session, 1, scene.world.clock.now());
        let record = scene.record().await;
        assert!(
            scene
                .enrollments
                .remove(&record, &Removal::Everything)
                .await
                .unwrap()
        );
        let begun = scene.enrollments.begin(&intent, count, 0).await.unwrap();
        assert_ne!(begun, Ok(Put::Created), "the count is stale");
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn customer_larger_than_a_transaction_is_deleted() {
    on_every_engine(|world| async move {
        let scene = Scene::without_card(world);
        for number in 0..30 {
            scene.enroll(&format!("036437826104764187{number:02}")).await;
        }
        for card in scene.customer().await.cards {
            scene.opt_out(&card).await;
        }
        assert!(scene.stored().await.len() > 200);
        scene.world.clock.advance(DAY * 30);
        let purged = Retention::days(30).purge_by_dying_processes(&scene).await;
        assert_eq!((purged.customers, purged.cards), (1, 0));
        assert_eq!(scene.stored().await, Vec::<Item>::new());
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn card_with_attempts_beyond_a_transaction_is_deleted() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        scene.enroll(OTHER_RANAC).await;
        let card = scene.card().await;
        for _ in 0..55 {
            scene.decline(ActionCode::Replace, Some(&card)).await;
        }
        scene.opt_out(&card).await;
        let old = scene.record().await;
        let stays = scene.customer().await.cards.remove(1);
        scene.decline(ActionCode::Replace, Some(&stays)).await;
        let stored = scene.stored().await.len();
        let removal = Removal::Cards(vec![card.id]);
        assert!(
            !scene.enrollments.remove(&old, &removal).await.unwrap(),
            "the customer has changed"
        );
        assert_eq!(scene.stored().await.len(), stored);

        scene.world.clock.advance(DAY * 30);
        let purged = Retention::days(30).purge_by_dying_processes(&scene).await;
        assert_eq!((purged.customers, purged.cards), (0, 1));
        // The card that stays with its customer, its two intents and their confirmations; sessions have their own time.
        let names_a_session = |item: &Item| item["pk"].as_s().unwrap().starts_with("session#");
        let mut stored = scene.stored().await;
        stored.retain(|item| !names_a_session(item));
        assert_eq!(stored.len(), 6, "{stored:?}");
        assert_eq!(scene.customer().await.cards.len(), 1);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn a_confirmation_that_outlives_its_intent_goes_with_its_card() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        scene.enroll(OTHER_RANAC).await;
        let card = scene.card().await;
        let failed = scene.decline(ActionCode::OptOut, Some(&card)).await;
        scene.opt_out(&card).await;
        // As its time to live does in the end, while an operator has the parked confirmation before him.
        let table = &scene.world.tables.enrollments;
        let intent = format!("intent#{}", failed.id.to_hex());
        let intent = scene.world.item(table, &intent).await;
        scene.world.delete(table, &intent).await;
        let named = ConfirmationId::derive(failed.id, Status::ErrorRemoval).to_string();
        assert!(format!("{:?}", scene.stored().await).contains(&named));

        scene.world.clock.advance(DAY * 30);
        assert_eq!(Retention::days(30).purge(&scene).await.cards, 1);
        assert!(!format!("{:?}", scene.stored().await).contains(&named));
    })
    .await;
}

/// Time that passes, twenty times as fast as on the wall.
struct Fast {
    start: Timestamp,
    started: Timestamp,
}

impl Clock for Fast {
    fn now(&self) -> Timestamp {
        later(self.start, SystemClock.now().duration_since(self.started) * 20)
    }
}

const CUSTOMERS: usize = 2500;
/// As many as one call takes.
const AT_ONCE: usize = 25;
/// Each enrolled by one intent, taken out by another, of which a confirmation tells.
const CARDS: usize = 9;

/// One customer: forty items, none of which the purge has to unseal.
fn items_of(customer: usize, cancelled_at: Timestamp) -> Vec<(&'static str, Item)> {
    let key = format!("customer#demo#10765#{customer:064x}");
    let owner = text(&key);
    let counts = ["active", "pending", "changing"].map(|name| (name, digits(0)));
    let counts = [
        counts.as_slice(),
        &[("sk", text("customer")), ("version", digits(4))],
    ]
    .concat();
    let mut items = vec![
        ("enrollments", item(&key, &counts)),
        (
            "limits",
            item(&format!("attempts#{key}"), &[("minute", digits(0))]),
        ),
    ];
    for session in 0..2 {
        let further = [("owner", owner.clone()), ("expires_at", digits(0))];
        items.push((
            "sessions",
            item(&format!("session#{session:x}{customer:063x}"), &further),
        ));
    }
    for number in 0..CARDS {
        let [enrolled, removed] = ['e', 'f'].map(|kind| format!("{kind}{number:x}{customer:062x}"));
        let at = digits(cancelled_at.as_millisecond());
        let card = [
            ("sk", text(&format!("card#{enrolled}"))),
            ("state", text("cancelled")),
            ("cancelled_at", at.clone()),
            ("agenda", text(&format!("cancelled#demo#10765#{}", number % 4))),
            ("agenda_at", at),
            ("locked_by", text(&removed)),
        ];
        items.push(("enrollments", item(&key, &card)));
        for (id, status) in [(enrolled, "SUCCESS_ENROLLMENT"), (removed, "SUCCESS_REMOVAL")] {
            let intent = [
                ("sk", text("intent")),
                ("status", text(status)),
                ("owner", owner.clone()),
            ];
            items.push(("enrollments", item(&format!("intent#{id}"), &intent)));
        }
        let confirmation = format!("confirmation#msg_{number:x}{customer:031x}");
        let further = [("owner", owner.clone()), ("state", text("delivered"))];
        items.push(("confirmations", item(&confirmation, &further)));
    }
    items
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn digits(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn item(pk: &str, further: &[(&str, AttributeValue)]) -> Item {
    let mut item = HashMap::from([("pk".to_owned(), text(pk)), ("schema".to_owned(), digits(1))]);
    let further = further.iter().cloned();
    item.extend(further.map(|(name, value)| (name.to_owned(), value)));
    item
}

async fn store(world: &World, items: Vec<(&'static str, Item)>) {
    let mut requests: HashMap<String, Vec<WriteRequest>> = HashMap::new();
    for (table, item) in items {
        let table = match table {
            "enrollments" => &world.tables.enrollments,
            "confirmations" => &world.tables.confirmations,
            "sessions" => &world.tables.sessions,
            _ => &world.tables.limits,
        };
        let put = PutRequest::builder().set_item(Some(item)).build().unwrap();
        let request = WriteRequest::builder().put_request(put).build();
        requests.entry(table.clone()).or_default().push(request);
    }
    let written = world
        .dynamodb
        .batch_write_item()
        .set_request_items(Some(requests))
        .send()
        .await
        .unwrap();
    assert!(written.unprocessed_items.unwrap_or_default().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn hundred_thousand_records_after_a_killed_run() {
    on_engine_of_aws(|world| async move {
        let now = world.clock.now();
        let cancelled_at = later(now, -(DAY * 31));
        let items: Vec<_> = (0..CUSTOMERS)
            .flat_map(|customer| items_of(customer, cancelled_at))
            .collect();
        stream::iter(items.chunks(AT_ONCE))
            .for_each_concurrent(16, |items| store(&world, items.to_vec()))
            .await;
        drop(items);
        let count = async || {
            let mut items = 0;
            for table in world.tables.all() {
                let described = world
                    .dynamodb
                    .describe_table()
                    .table_name(table)
                    .send()
                    .await
                    .unwrap();
                items += described.table.unwrap().item_count.unwrap_or_default();
            }
            items
        };
        assert_eq!(count().await, 100_000);

        let retention = Retention::days(30);
        let enrollments = world.enrollments(&world.vault());
        let clock = Fast {
            start: now,
            started: SystemClock.now(),
        };
        let purging = Purge {
            client_index: &retention,
            clients: &retention,
            purges: &enrollments,
            clock: &clock,
        };
        // Dropped in the middle of its work, as a process that dies.
        let some_are_gone = async {
            while count().await == 100_000 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            purged = purging.run() => panic!("there was more to do than that: {purged:?}"),
            () = some_are_gone => {}
        }
        assert!(count().await > 1, "some are left");

        let mut runs = 0;
        loop {
            runs += 1;
            let purged = purging.run().await.unwrap();
            // What the killed run had sent may still have been under way.
            if !purged.is_cut_short && purged.deferred == 0 {
                break;
            }
            assert!(purged.customers > 0, "each run gets on");
        }
        // Only the marker is left, and there was more than one run: none goes on for longer than its time.
        assert_eq!(count().await, 1);
        assert!((2..1000).contains(&runs), "{runs} runs");
    })
    .await;
}

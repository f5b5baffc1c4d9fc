//! Cards that are replaced or opted out.

use std::sync::Arc;

use engine::{Item, World, on_every_engine};
use enrollment::action::ActionCode;
use enrollment::clock::Clock as _;
use enrollment::identifiers::{IntentId, Ranac};
use enrollment::intent::{Card, CardState, Conclusion, Customer, Intent, OldCard};
use enrollment::ports::{BeginError, Customers as _, DueIntents as _, Intents as _, Put, Sessions as _};
use enrollment::session::Session;
use enrollment::status::MrsCode;
use jiff::{SignedDuration, Timestamp};
use platform::tables::DynamoEnrollments;

use crate::samples::{RANAC, client_id, customer_id, intent, program_id, session, used_token};

const NEW_RANAC: &str = "13643782610476418733";
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A customer with one card.
pub(crate) struct Scene {
    pub(crate) world: Arc<World>,
    pub(crate) enrollments: DynamoEnrollments,
}

impl Scene {
    pub(crate) async fn new(world: Arc<World>) -> Self {
        let scene = Self::without_card(world);
        scene.enroll(RANAC).await;
        scene
    }

    pub(crate) fn without_card(world: Arc<World>) -> Self {
        Self {
            enrollments: world.enrollments(&world.vault()),
            world,
        }
    }

    pub(crate) async fn enroll(&self, ranac: &str) -> Intent {
        let outcome = Conclusion::enrolled(
            ActionCode::Enroll,
            Ranac::parse(ranac).unwrap(),
            None,
            self.world.clock.now(),
        );
        let (intent, begun) = self.begin(ActionCode::Enroll, None).await;
        assert_eq!(begun, Ok(Put::Created));
        self.finish(intent, outcome).await
    }

    pub(crate) async fn session(&self, action: ActionCode) -> Session {
        let now = self.world.clock.now();
        let session = Session {
            action,
            ..session(now)
        };
        let sessions = self.world.sessions(&self.world.vault());
        sessions.open(&session, &used_token(now)).await.unwrap();
        session
    }

    /// In a session of its own.
    pub(crate) async fn begin(
        &self,
        action: ActionCode,
        card: Option<&Card>,
    ) -> (Intent, Result<Put, BeginError>) {
        let session = self.session(action).await;
        let mut intent = intent(&session, 1, self.world.clock.now());
        intent.old_card = card.map(old);
        if let (ActionCode::OptOut, Some(card)) = (action, card) {
            intent.bank_customer_number = card.bank_customer_number.clone();
            intent.consents.clear();
        }
        let count = self.customer().await.count;
        let begun = self.enrollments.begin(&intent, count, 0).await.unwrap();
        (intent, begun)
    }

    pub(crate) async fn finish(&self, mut intent: Intent, outcome: Conclusion) -> Intent {
        intent.conclude(outcome);
        assert_eq!(self.enrollments.finish(&intent).await.unwrap(), Put::Created);
        intent
    }

    /// An attempt that MRS declines.
    pub(crate) async fn decline(&self, action: ActionCode, card: Option<&Card>) -> Intent {
        let (intent, begun) = self.begin(action, card).await;
        assert_eq!(begun, Ok(Put::Created));
        let declined = Conclusion::declined(action, MrsCode(-10), self.world.clock.now());
        self.finish(intent, declined).await
    }

    /// Takes a card out of the program.
    pub(crate) async fn opt_out(&self, card: &Card) -> Intent {
        let (intent, begun) = self.begin(ActionCode::OptOut, Some(card)).await;
        assert_eq!(begun, Ok(Put::Created));
        self.finish(intent, Conclusion::removed(self.world.clock.now()))
            .await
    }

    pub(crate) async fn customer(&self) -> Customer {
        self.enrollments
            .customer(&client_id(), &program_id(), &customer_id())
            .await
            .unwrap()
    }

    pub(crate) async fn card(&self) -> Card {
        self.customer().await.cards.remove(0)
    }

    pub(crate) async fn item(&self, sort_key: &str) -> Item {
        let items = self.world.scan(&self.world.tables.enrollments).await;
        items
            .into_iter()
            .find(|item| item["sk"].as_s().unwrap() == sort_key)
            .unwrap()
    }

    async fn card_item(&self, id: IntentId) -> Item {
        self.item(&format!("card#{}", id.to_hex())).await
    }
}

pub(crate) fn old(card: &Card) -> OldCard {
    OldCard {
        id: card.id,
        ranac: card.ranac.clone(),
        bank_customer_number: card.bank_customer_number.clone(),
        retention_days: 30,
    }
}

fn ttl(item: &Item) -> i64 {
    item["ttl"].as_n().unwrap().parse().unwrap()
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn a_card_that_is_to_go_is_held_and_no_other_intent_takes_it() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        let card = scene.card().await;
        let (first, begun) = scene.begin(ActionCode::Replace, Some(&card)).await;
        assert_eq!(begun, Ok(Put::Created));
        // Whoever begins it asks MRS.
        let mut at_work = first.clone();
        at_work.inquiry.unanswered_at = Some(first.created_at);
        assert_eq!(scene.enrollments.intent(first.id).await.unwrap(), Some(at_work));
        let customer = scene.customer().await;
        assert_eq!(customer.cards[0].state, CardState::Locked);
        let count = customer.count;
        assert_eq!((count.active, count.pending, count.changing), (1, 0, 1));
        for action in [ActionCode::Replace, ActionCode::OptOut] {
            let (refused, begun) = scene.begin(action, Some(&card)).await;
            assert_eq!(begun, Err(BeginError::CardTaken));
            assert_eq!(scene.enrollments.intent(refused.id).await.unwrap(), None);
        }
        assert_eq!(scene.customer().await, customer, "nothing half is left");
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn a_card_that_stays_is_given_back_and_the_intent_forgets_it() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        let card = scene.card().await;
        for action in [ActionCode::Replace, ActionCode::OptOut] {
            let intent = scene.decline(action, Some(&card)).await;
            let customer = scene.customer().await;
            assert_eq!(customer.cards, std::slice::from_ref(&card), "as it was");
            let count = customer.count;
            assert_eq!((count.active, count.pending, count.changing), (1, 0, 0));
            assert_eq!(count.kept_until, None);
            let stored = scene.enrollments.intent(intent.id).await.unwrap().unwrap();
            // An opt-out tells which card it was about.
            assert_eq!(stored.old_card.is_some(), action == ActionCode::OptOut);
        }
        let item = scene.card_item(card.id).await;
        assert!(!item.contains_key("locked_by") && !item.contains_key("agenda"));
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn opted_out_card_waits_for_the_purge() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        scene.world.clock.advance(DAY);
        let second = scene.enroll(NEW_RANAC).await;
        let (card, other) = (scene.card().await, second.id);
        scene.world.clock.advance(DAY);
        let at = scene.world.clock.now();
        let opt_out = scene.opt_out(&card).await;

        let customer = scene.customer().await;
        assert_eq!(customer.cards[0].state, CardState::Cancelled { at });
        assert_eq!(customer.count.active, 1);
        assert_eq!(customer.count.kept_until, None, "there is another card");
        assert_eq!(
            customer.offered(None).map(|card| card.id).collect::<Vec<_>>(),
            [other]
        );
        let item = scene.card_item(card.id).await;
        let ends = (at + DAY * 37).as_second();
        assert_eq!(ttl(&item), ends, "X and a week");
        assert!(
            item["agenda"]
                .as_s()
                .unwrap()
                .starts_with("cancelled#demo#10765#")
        );
        assert_eq!(item["agenda_at"], item["cancelled_at"]);
        for intent in [opt_out.id, card.id] {
            let table = &scene.world.tables.enrollments;
            let item = scene
                .world
                .item(table, &format!("intent#{}", intent.to_hex()))
                .await;
            assert_eq!(ttl(&item), ends, "it goes with the card");
        }

        let last = customer.offered(None).next().unwrap().clone();
        scene.world.clock.advance(DAY);
        scene.opt_out(&last).await;
        let count = scene.customer().await.count;
        assert_eq!((count.active, count.changing), (0, 0));
        let kept_until = count.kept_until.map(Timestamp::as_second);
        assert_eq!(kept_until, Some((at + DAY * 38).as_second()));

        scene.enroll("23643782610476418733").await;
        assert_eq!(scene.customer().await.count.kept_until, None, "a customer again");
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn a_replaced_card_leaves_until_mrs_agrees() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        let card = scene.card().await;
        scene.world.clock.advance(DAY);
        let (intent, _) = scene.begin(ActionCode::Replace, Some(&card)).await;
        let now = scene.world.clock.now();
        let ranac = Ranac::parse(NEW_RANAC).unwrap();
        let outcome = Conclusion::enrolled(ActionCode::Replace, ranac.clone(), None, now);
        let intent = scene.finish(intent, outcome).await;

        let customer = scene.customer().await;
        let states: Vec<_> = customer.cards.iter().map(|card| card.state).collect();
        assert_eq!(states, [CardState::PendingCancellation, CardState::Active]);
        assert_eq!((customer.count.active, customer.count.changing), (1, 1));
        let unsettled = scene.enrollments.due_intents(now, 10).await.unwrap();
        assert_eq!(unsettled.len(), 1, "the old card is still to be cancelled");

        scene.world.clock.advance(DAY);
        let at = scene.world.clock.now();
        for _ in 0..2 {
            scene.enrollments.complete_cleanup(&intent, at).await.unwrap();
            let customer = scene.customer().await;
            assert_eq!(customer.cards[0].state, CardState::Cancelled { at });
            assert_eq!((customer.count.active, customer.count.changing), (1, 0));
            assert_eq!(customer.count.kept_until, None);
        }
        assert_eq!(scene.enrollments.due_intents(at, 10).await.unwrap(), []);
        let stored = scene.enrollments.intent(intent.id).await.unwrap().unwrap();
        assert_eq!(stored.old_card, None, "nothing of the old card is left in it");
        assert_eq!(stored.outcome().cloned().unwrap().ranac, Some(ranac));
        assert_eq!(ttl(&scene.card_item(card.id).await), (at + DAY * 37).as_second());
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn what_mrs_did_is_stored_even_where_the_old_card_is_gone() {
    on_every_engine(|world| async move {
        let scene = Scene::new(world).await;
        let card = scene.card().await;
        let (intent, _) = scene.begin(ActionCode::OptOut, Some(&card)).await;
        let item = scene.card_item(card.id).await;
        scene.world.delete(&scene.world.tables.enrollments, &item).await;
        scene
            .finish(intent, Conclusion::removed(scene.world.clock.now()))
            .await;
        let customer = scene.customer().await;
        assert_eq!(customer.cards, []);
        assert_eq!((customer.count.active, customer.count.changing), (0, 0));
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn customer_keeps_consents_and_expires_without_a_card() {
    on_every_engine(|world| async move {
        let scene = Scene::without_card(world);
        scene.decline(ActionCode::Enroll, None).await;
        let item = scene.item("customer").await;
        assert!(!item.contains_key("consents"), "nothing came about");
        let first = scene.customer().await.count.kept_until;
        let week = (scene.world.clock.now() + DAY * 8).as_second();
        assert_eq!(first.map(Timestamp::as_second), Some(week));

        scene.world.clock.advance(DAY * 3);
        scene.enroll(RANAC).await;
        scene.enroll(NEW_RANAC).await;
        let item = scene.item("customer").await;
        assert!(!item.contains_key("ttl"));
        let consents = item["consents"].as_l().unwrap();
        assert_eq!(consents.len(), 2);
        let consent: serde_json::Value = serde_json::from_str(consents[0].as_s().unwrap()).unwrap();
        assert_eq!(consent["document"], "terms");
        assert_eq!(consent["version"], "2026-01");
        assert_eq!(consent["language"], "en_US");
        assert!(consent["at"].is_string());
    })
    .await;
}

//! Fault texts of Mastercard, sealed on intents.

use aws_sdk_dynamodb::types::AttributeValue;
use engine::{Item, on_every_engine};
use enrollment::action::ActionCode;
use enrollment::clock::Clock as _;
use enrollment::intent::Intent;
use jiff::SignedDuration;
use platform::tables::FaultNote;

use crate::confirmations::permit;
use crate::leaving::Scene;
use crate::samples::client_id;

const WORDS: &str = "cvc-pattern-valid: Value 'Erika Mustermann' is not facet-valid";
const CORRELATION: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";

impl Scene {
    /// An attempt that MRS declined, with words.
    async fn noted(&self, text: &str) -> Intent {
        let intent = self.decline(ActionCode::Enroll, None).await;
        self.note(&intent, text).await;
        intent
    }

    async fn note(&self, intent: &Intent, text: &str) {
        let note = FaultNote {
            at: self.world.clock.now(),
            operation: "enroll".to_owned(),
            outcome: "fault".to_owned(),
            correlation: Some(CORRELATION.to_owned()),
            text: text.to_owned(),
        };
        self.enrollments
            .note_fault(&intent.client, intent.id, &note)
            .await
            .unwrap();
    }

    /// The words that are kept; an error where what is kept can't be opened.
    async fn words(&self, intent: &Intent) -> Result<Option<String>, String> {
        let permit = permit(&self.world).await;
        let note = self
            .enrollments
            .reveal_fault(&permit, &client_id(), intent.id)
            .await
            .map_err(|error| error.to_string())?;
        Ok(note.map(|note| note.text.clone()))
    }

    async fn intent_item(&self, intent: &Intent) -> Item {
        let start = format!("intent#{}", intent.id.to_hex());
        self.world.item(&self.world.tables.enrollments, &start).await
    }
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn mastercard_words_are_sealed_and_the_last_ones_kept() {
    on_every_engine(|world| async move {
        let scene = Scene::without_card(world);
        let silent = scene.decline(ActionCode::Enroll, None).await;
        assert_eq!(scene.words(&silent).await, Ok(None));

        let intent = scene.noted("what was written before").await;
        scene.note(&intent, WORDS).await;
        assert_eq!(scene.words(&intent).await, Ok(Some(WORDS.to_owned())));
        let item = scene.intent_item(&intent).await;
        let AttributeValue::B(sealed) = &item["last_fault"] else {
            panic!("it is not sealed");
        };
        for clear in [WORDS, "Erika", CORRELATION, "enroll"] {
            let stands = sealed
                .as_ref()
                .windows(clear.len())
                .any(|bytes| bytes == clear.as_bytes());
            assert!(!stands, "{clear}");
        }
        let incident = scene.enrollments.incident(&intent.incident).await.unwrap();
        assert!(incident.is_some_and(|found| found.has_fault && found.intent.id == intent.id));
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn words_do_not_open_beside_another_intent() {
    on_every_engine(|world| async move {
        let scene = Scene::without_card(world);
        let (first, second) = (scene.noted(WORDS).await, scene.noted(WORDS).await);
        let mut item = scene.intent_item(&second).await;
        let of_first = scene.intent_item(&first).await["last_fault"].clone();
        item.insert("last_fault".to_owned(), of_first);
        scene.world.put(&scene.world.tables.enrollments, item).await;
        assert!(scene.words(&second).await.is_err());
        assert_eq!(scene.words(&first).await, Ok(Some(WORDS.to_owned())));
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn words_go_with_the_record_and_bring_nothing_back() {
    on_every_engine(|world| async move {
        let scene = Scene::without_card(world);
        let intent = scene.noted(WORDS).await;
        let item = scene.intent_item(&intent).await;
        let table = &scene.world.tables.enrollments;
        scene.world.delete(table, &item).await;
        scene.world.clock.advance(SignedDuration::from_secs(1));
        scene.note(&intent, WORDS).await;
        assert_eq!(scene.words(&intent).await, Ok(None));
        let left = scene.world.scan(table).await;
        assert!(left.iter().all(|item| !item.contains_key("last_fault")));
    })
    .await;
}

//! Readers of many lists ask for them side by side: its calls are counted by rounds, so that no time is measured.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use engine::{Item, World, on_every_engine};
use enrollment::clock::Clock;
use enrollment::flows::purge::{Purge, PurgeReport};
use enrollment::ports::{Confirmations as _, DueIntents as _, Purges as _};
use enrollment::time::later;
use jiff::{SignedDuration, Timestamp};
use platform::SystemRandomness;
use platform::tables::client_setups::ClientSetups;

use crate::samples::{client, client_id, program_id};

/// As many as a purge lists at once.
const CLIENTS: usize = 8;
/// The register, the clients, what is past its date; then markers, what is to be dated, markers again.
const ROUNDS_OF_AN_EMPTY_PURGE: usize = 6;
/// Cancelled cards, more than a page of the test takes of any shard.
const CARDS: usize = 41;

/// Clients with a program each, of which nothing is past its date.
async fn store_clients(world: &World) {
    let setups = ClientSetups {
        dynamodb: world.dynamodb.clone(),
        table: world.tables.clients.clone(),
        randomness: &SystemRandomness,
        clock: &*world.clock,
    };
    for number in 0..CLIENTS {
        let name = format!("client-{number}");
        let mut client = client(&name, &name, "Client");
        client.programs = vec![
            serde_json::from_value(serde_json::json!({
                "id": "10765", "member_ica": 1, "bank_product_code": "P", "bin_ranges": [],
                "bank_customer_number": "per_card", "retention_days": 30, "replacement": false, "opt_out": true,
                "max_cards": 1, "attempts_per_customer_per_hour": 1, "attempts_per_client_per_hour": 1
            }))
            .unwrap(),
        ];
        setups.store(&client, None).await.unwrap();
    }
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn an_empty_purge_of_eight_clients_is_six_rounds() {
    on_every_engine(|world| async move {
        store_clients(&world).await;
        let (counting, rounds) = world.counting_rounds();
        let clients = counting.clients();
        let purging = Purge {
            client_index: &clients,
            clients: &clients,
            purges: &counting.enrollments(&counting.vault()),
            clock: &*counting.clock,
        };
        assert_eq!(purging.run().await.unwrap(), PurgeReport::default());
        assert_eq!(rounds.take(), ROUNDS_OF_AN_EMPTY_PURGE);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn a_list_of_due_work_is_one_round() {
    on_every_engine(|world| async move {
        let (counting, rounds) = world.counting_rounds();
        let vault = counting.vault();
        let now = counting.clock.now();
        let enrollments = counting.enrollments(&vault);
        assert_eq!(enrollments.due_intents(now, 10).await.unwrap(), []);
        assert_eq!(rounds.take(), 1, "intents");
        assert_eq!(counting.confirmations(&vault).due(now, 10).await.unwrap(), []);
        assert_eq!(rounds.take(), 1, "confirmations, by the sweep");
        let admin = counting.admin(&vault);
        assert!(admin.list(false, None, 10).await.unwrap().is_empty());
        assert_eq!(rounds.take(), 1, "confirmations, by an operator");
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn pages_over_all_shards_name_each_card_once() {
    on_every_engine(|world| async move {
        let now = world.clock.now();
        let mut stored = BTreeSet::new();
        for number in 0..CARDS {
            let item = cancelled_card(number, now);
            assert!(stored.insert(item["pk"].as_s().unwrap().clone()));
            world.put(&world.tables.enrollments, item).await;
        }
        let enrollments = world.enrollments(&world.vault());
        let mut listed = Vec::new();
        let mut from = None;
        loop {
            let page = enrollments
                .expired(&client_id(), &program_id(), now, from.as_ref(), 10)
                .await
                .unwrap();
            assert!(page.entries.len() <= 12, "about ten: {}", page.entries.len());
            listed.extend(page.entries.into_iter().map(|key| key.0));
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        assert_eq!(listed.len(), CARDS);
        assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), stored);
    })
    .await;
}

/// The key and what the index wants, of a card in one of the four shards: most of them in the first.
fn cancelled_card(number: usize, now: Timestamp) -> Item {
    let shard = if number.is_multiple_of(2) { 0 } else { number % 4 };
    let at = later(now, -SignedDuration::from_secs(i64::try_from(number).unwrap()));
    let text = |value: String| AttributeValue::S(value);
    HashMap::from([
        ("pk".to_owned(), text(format!("customer#demo#10765#{number:04}"))),
        ("sk".to_owned(), text(format!("card#{number:064}"))),
        ("schema".to_owned(), AttributeValue::N("1".into())),
        ("agenda".to_owned(), text(format!("cancelled#demo#10765#{shard}"))),
        (
            "agenda_at".to_owned(),
            AttributeValue::N(at.as_millisecond().to_string()),
        ),
    ])
}

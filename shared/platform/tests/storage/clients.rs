use std::collections::BTreeSet;
use std::sync::Arc;

use enrollment::client::Client;
use enrollment::identifiers::{ClientId, Slug};
use enrollment::ports::{ClientIndex as _, Clients as _};
use jiff::SignedDuration;
use platform::SystemRandomness;
use platform::tables::client_setups::{ClientSetups, SetupWrite};

use crate::samples::client;
use engine::{TestClock, World, on_every_engine};

fn setups(world: &World) -> ClientSetups<'_> {
    let clock: &TestClock = &world.clock;
    ClientSetups {
        dynamodb: world.dynamodb.clone(),
        table: world.tables.clients.clone(),
        randomness: &SystemRandomness,
        clock,
    }
}

async fn apply(world: &World, client: &Client) -> SetupWrite {
    let setups = setups(world);
    let before = setups.find(&client.id).await.unwrap();
    setups.store(client, before.as_ref()).await.unwrap()
}

fn id(text: &str) -> ClientId {
    ClientId::parse(text).unwrap()
}

async fn registered(world: &World) -> BTreeSet<String> {
    let ids = world.clients().clients().await.unwrap();
    ids.iter().map(ToString::to_string).collect()
}

/// A client whose programs have these ids and days of retention.
fn with_programs(programs: &[(&str, u16)]) -> Client {
    let mut client = client("a", "a", "A");
    let program = |(id, days): &(&str, u16)| {
        serde_json::from_value(serde_json::json!({
            "id": id, "member_ica": 1, "bank_product_code": "P", "bin_ranges": [],
            "bank_customer_number": "per_card", "retention_days": days, "replacement": false, "opt_out": true,
            "max_cards": 1, "attempts_per_customer_per_hour": 1, "attempts_per_client_per_hour": 1
        }))
        .unwrap()
    };
    client.programs = programs.iter().map(program).collect();
    client
}

async fn retentions(world: &World) -> Vec<(String, u16)> {
    let stored = world.clients().by_id(&id("a")).await.unwrap().unwrap();
    stored
        .retentions()
        .map(|(program, days)| (program.to_string(), days))
        .collect()
}

fn slug(text: &str) -> Slug {
    Slug::parse(text).unwrap()
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn a_client_is_found_by_id_and_slug_and_remembered_for_a_minute() {
    on_every_engine(|world| async move {
        let clients = world.clients();
        let id = ClientId::parse("demo").unwrap();
        assert_eq!(clients.by_id(&id).await.unwrap(), None);
        assert_eq!(clients.by_slug(&slug("demo")).await.unwrap(), None);
        let first = client("demo", "demo", "Demo Bank");
        assert_eq!(apply(&world, &first).await, SetupWrite::Stored);
        assert_eq!(
            clients.by_id(&id).await.unwrap(),
            None,
            "that there is none is remembered for a moment"
        );
        world.clock.advance(SignedDuration::from_secs(5));
        assert_eq!(clients.by_id(&id).await.unwrap().as_deref(), Some(&first));
        assert_eq!(
            clients.by_slug(&slug("demo")).await.unwrap().as_deref(),
            Some(&first)
        );

        let second = client("demo", "demo", "Demo Bank & Sons");
        assert_eq!(apply(&world, &second).await, SetupWrite::Stored);
        world.clock.advance(SignedDuration::from_secs(54));
        assert_eq!(clients.by_id(&id).await.unwrap().as_deref(), Some(&first));
        world.clock.advance(SignedDuration::from_secs(6));
        assert_eq!(clients.by_id(&id).await.unwrap().as_deref(), Some(&second));
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn a_slug_has_one_client_and_a_given_up_one_is_free() {
    on_every_engine(|world| async move {
        assert_eq!(
            apply(&world, &client("a", "first", "A")).await,
            SetupWrite::Stored
        );
        assert_eq!(
            apply(&world, &client("b", "first", "B")).await,
            SetupWrite::SlugTaken
        );
        assert_eq!(
            setups(&world).find(&ClientId::parse("b").unwrap()).await.unwrap(),
            None,
            "all or nothing"
        );
        let clients = world.clients();
        assert!(clients.by_slug(&slug("first")).await.unwrap().is_some());

        assert_eq!(
            apply(&world, &client("a", "second", "A")).await,
            SetupWrite::Stored
        );
        assert_eq!(
            apply(&world, &client("b", "first", "B")).await,
            SetupWrite::Stored
        );
        let name = async |clients: &platform::tables::DynamoClients, text: &str| {
            clients
                .by_slug(&slug(text))
                .await
                .unwrap()
                .map(|client| client.name.clone())
        };
        let fresh = world.clients();
        assert_eq!(name(&fresh, "second").await.as_deref(), Some("A"));
        assert_eq!(name(&fresh, "first").await.as_deref(), Some("B"));
        world.clock.advance(SignedDuration::from_secs(60));
        assert_eq!(name(&clients, "first").await.as_deref(), Some("B"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn of_two_operators_one_is_told_that_the_other_was_first() {
    on_every_engine(|world| async move {
        apply(&world, &client("a", "a", "A")).await;
        let before = setups(&world)
            .find(&ClientId::parse("a").unwrap())
            .await
            .unwrap()
            .unwrap();
        let store = |name: &'static str| {
            let (world, before) = (Arc::clone(&world), before.clone());
            tokio::spawn(async move {
                setups(&world)
                    .store(&client("a", "a", name), Some(&before))
                    .await
                    .unwrap()
            })
        };
        let (one, other) = (store("One"), store("Other"));
        let mut results = [one.await.unwrap(), other.await.unwrap()];
        results.sort_by_key(|stored| *stored != SetupWrite::Stored);
        assert_eq!(results, [SetupWrite::Stored, SetupWrite::ChangedMeanwhile]);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn every_client_that_was_ever_stored_is_in_the_register() {
    on_every_engine(|world| async move {
        assert_eq!(registered(&world).await, BTreeSet::new());
        for (name, slug) in [("a", "a"), ("b", "b"), ("a", "a")] {
            assert_eq!(apply(&world, &client(name, slug, name)).await, SetupWrite::Stored);
        }
        assert_eq!(registered(&world).await, BTreeSet::from(["a".into(), "b".into()]));
        assert_eq!(apply(&world, &client("c", "b", "C")).await, SetupWrite::SlugTaken);
        assert!(!registered(&world).await.contains("c"), "all or nothing");
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn a_client_from_before_the_register_is_entered_later() {
    on_every_engine(|world| async move {
        apply(&world, &client("a", "a", "A")).await;
        let register = world.item(&world.tables.clients, "clients").await;
        world.delete(&world.tables.clients, &register).await;
        assert_eq!(registered(&world).await, BTreeSet::new());
        for _ in 0..2 {
            setups(&world).register(&id("a")).await.unwrap();
            assert_eq!(registered(&world).await, BTreeSet::from(["a".into()]));
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn a_program_that_a_set_up_no_longer_names_keeps_its_x() {
    on_every_engine(|world| async move {
        let pair = |id: &str, days| (id.to_owned(), days);
        apply(&world, &with_programs(&[("1", 30), ("2", 7)])).await;
        assert_eq!(retentions(&world).await, [pair("1", 30), pair("2", 7)]);
        apply(&world, &with_programs(&[("1", 30)])).await;
        assert_eq!(retentions(&world).await, [pair("1", 30), pair("2", 7)]);
        // What a caller says of retired programs does not count.
        let mut back = with_programs(&[("2", 9)]);
        back.retire_programs_of(&with_programs(&[("3", 1)]));
        apply(&world, &back).await;
        assert_eq!(retentions(&world).await, [pair("2", 9), pair("1", 30)]);
    })
    .await;
}

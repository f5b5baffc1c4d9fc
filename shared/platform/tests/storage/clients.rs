use std::sync::Arc;

use enrollment::client::Client;
use enrollment::identifiers::{ClientId, Slug};
use enrollment::ports::Clients as _;
use jiff::SignedDuration;
use platform::SystemRandomness;
use platform::tables::client_setups::{ClientSetups, Stored};

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

async fn apply(world: &World, client: &Client) -> Stored {
    let setups = setups(world);
    let before = setups.find(&client.id).await.unwrap();
    setups.store(client, before.as_ref()).await.unwrap()
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
        assert_eq!(apply(&world, &first).await, Stored::Now);
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
        assert_eq!(apply(&world, &second).await, Stored::Now);
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
        assert_eq!(apply(&world, &client("a", "first", "A")).await, Stored::Now);
        assert_eq!(apply(&world, &client("b", "first", "B")).await, Stored::SlugTaken);
        assert_eq!(
            setups(&world).find(&ClientId::parse("b").unwrap()).await.unwrap(),
            None,
            "all or nothing"
        );
        let clients = world.clients();
        assert!(clients.by_slug(&slug("first")).await.unwrap().is_some());

        assert_eq!(apply(&world, &client("a", "second", "A")).await, Stored::Now);
        assert_eq!(apply(&world, &client("b", "first", "B")).await, Stored::Now);
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
        results.sort_by_key(|stored| *stored != Stored::Now);
        assert_eq!(results, [Stored::Now, Stored::ChangedMeanwhile]);
    })
    .await;
}

use std::sync::Arc;

use engine::on_every_engine;
use enrollment::clock::Clock as _;
use enrollment::delivery::Destination;
use enrollment::identifiers::ClientId;
use enrollment::ports::Confirmations as _;
use jiff::SignedDuration;

use crate::samples::client_id;

const RECEIVER: &str = "api.bank.example:443";

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn state_reads_back_for_one_client_only() {
    on_every_engine(|world| async move {
        let confirmations = world.confirmations(&world.vault());
        let client = client_id();
        let unknown = confirmations.destination(&client, RECEIVER).await.unwrap();
        assert_eq!(unknown, Destination::default());
        let held = Destination {
            failures: 5,
            closed_until: Some(world.clock.now() + SignedDuration::from_secs(30)),
            gone: false,
            version: 0,
        };
        let stored = confirmations.update_destination(&client, RECEIVER, &held).await;
        assert!(stored.unwrap());
        let read = confirmations.destination(&client, RECEIVER).await.unwrap();
        assert_eq!(
            read,
            Destination {
                version: 1,
                ..held.clone()
            }
        );
        let up = Destination {
            failures: 0,
            closed_until: None,
            gone: true,
            version: 1,
        };
        assert!(
            confirmations
                .update_destination(&client, RECEIVER, &up)
                .await
                .unwrap()
        );
        let read = confirmations.destination(&client, RECEIVER).await.unwrap();
        assert_eq!(read, Destination { version: 2, ..up });

        let other = ClientId::parse("other").unwrap();
        for (client, receiver) in [(&other, RECEIVER), (&client, "api.bank.example:8443")] {
            let state = confirmations.destination(client, receiver).await.unwrap();
            assert_eq!(state, Destination::default(), "{client} {receiver}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn of_many_who_write_over_the_same_state_one_does() {
    on_every_engine(|world| async move {
        let confirmations = Arc::new(world.confirmations(&world.vault()));
        for round in 0..2_u32 {
            let before = confirmations.destination(&client_id(), RECEIVER).await.unwrap();
            assert_eq!(before.version, u64::from(round));
            let tries: Vec<_> = (1..=6_u32)
                .map(|failures| {
                    let confirmations = Arc::clone(&confirmations);
                    let state = Destination {
                        failures: round * 10 + failures,
                        ..before.clone()
                    };
                    tokio::spawn(async move {
                        let won = confirmations
                            .update_destination(&client_id(), RECEIVER, &state)
                            .await
                            .unwrap();
                        won.then_some(state.failures)
                    })
                })
                .collect();
            let mut winners = Vec::new();
            for tried in tries {
                winners.extend(tried.await.unwrap());
            }
            let [winner] = winners[..] else {
                panic!("{winners:?}")
            };
            let after = confirmations.destination(&client_id(), RECEIVER).await.unwrap();
            assert_eq!(after.failures, winner);
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn state_is_forgotten_after_a_month() {
    on_every_engine(|world| async move {
        let confirmations = world.confirmations(&world.vault());
        let gone = Destination {
            failures: 7,
            gone: true,
            ..Destination::default()
        };
        let client = client_id();
        let update = async |state: &Destination| {
            confirmations
                .update_destination(&client, RECEIVER, state)
                .await
                .unwrap()
        };
        assert!(update(&gone).await);
        world.clock.advance(SignedDuration::from_hours(30 * 24 - 1));
        assert!(confirmations.destination(&client, RECEIVER).await.unwrap().gone);
        world.clock.advance(SignedDuration::from_hours(1));
        let fresh = confirmations.destination(&client, RECEIVER).await.unwrap();
        assert_eq!((fresh.failures, fresh.gone), (0, false));
        assert!(
            update(&fresh).await,
            "the engine may not have deleted the old one"
        );
        let read = confirmations.destination(&client, RECEIVER).await.unwrap();
        assert_eq!(read.version, fresh.version + 1);
    })
    .await;
}

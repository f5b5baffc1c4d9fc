use std::sync::Arc;

use enrollment::identifiers::CustomerId;
use enrollment::ports::{Attempts, Clock as _, Counted, Limits as _};
use jiff::SignedDuration;

use crate::samples::{client_id, customer_id, program_id};
use engine::on_every_engine;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn attempts_are_counted_for_customer_and_client_hour_by_hour() {
    on_every_engine(|world| async move {
        let limits = Arc::new(world.limits(&world.vault()));
        let (client, program, customer) = (client_id(), program_id(), customer_id());
        let other_customer = CustomerId::parse("somebody-else").unwrap();
        let counted = Counted {
            client: &client,
            program: &program,
            customer: &customer,
        };
        let other = Counted {
            customer: &other_customer,
            ..counted
        };
        let now = world.clock.now();
        assert_eq!(limits.attempts(counted, now).await.unwrap(), Attempts::default());
        assert_eq!(
            limits.count(counted, now).await.unwrap(),
            Attempts {
                customer: 0,
                client: 0
            }
        );
        assert_eq!(
            limits.count(counted, now).await.unwrap(),
            Attempts {
                customer: 1,
                client: 1
            }
        );
        assert_eq!(
            limits.count(other, now).await.unwrap(),
            Attempts {
                customer: 0,
                client: 2
            }
        );
        assert_eq!(
            limits.attempts(counted, now).await.unwrap(),
            Attempts {
                customer: 2,
                client: 3
            }
        );
        let next_hour = now + SignedDuration::from_hours(1);
        assert_eq!(
            limits.attempts(counted, next_hour).await.unwrap(),
            Attempts::default()
        );
        for item in world.scan(&world.tables.limits).await {
            let ttl: i64 = item["ttl"].as_n().unwrap().parse().unwrap();
            assert_eq!(ttl, (now + SignedDuration::from_hours(25)).as_second());
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn concurrent_attempts_are_each_counted_once() {
    on_every_engine(|world| async move {
        let limits = Arc::new(world.limits(&world.vault()));
        let now = world.clock.now();
        let tries: Vec<_> = (0..20)
            .map(|_| {
                let limits = Arc::clone(&limits);
                tokio::spawn(async move {
                    let (client, program, customer) = (client_id(), program_id(), customer_id());
                    let counted = Counted {
                        client: &client,
                        program: &program,
                        customer: &customer,
                    };
                    limits.count(counted, now).await.unwrap().customer
                })
            })
            .collect();
        let mut before = Vec::new();
        for tried in tries {
            before.push(tried.await.unwrap());
        }
        before.sort_unstable();
        assert_eq!(before, (0..20).collect::<Vec<_>>());
    })
    .await;
}

use std::sync::Arc;

use enrollment::clock::Clock as _;
use enrollment::identifiers::{CustomerId, IntentId};
use enrollment::limits::{Attempts, Counters};
use enrollment::ports::{CounterKey, Limits as _};
use jiff::{SignedDuration, Timestamp};
use platform::tables::DynamoLimits;

use crate::samples::{attempt, client_id, customer_id, program_id};
use engine::{Item, World, on_every_engine};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const SECOND: SignedDuration = SignedDuration::from_secs(1);

async fn count(limits: &DynamoLimits, customer: &CustomerId, attempt: IntentId, now: Timestamp) -> Attempts {
    let (client, program) = (client_id(), program_id());
    let counted = CounterKey {
        client: &client,
        program: &program,
        customer,
    };
    let known = limits.counters(counted).await.unwrap();
    limits.count(counted, &known, attempt, now).await.unwrap()
}

/// As [`count`], of a caller that read the counters before anything was counted.
async fn count_unread(
    limits: &DynamoLimits,
    customer: &CustomerId,
    attempt: IntentId,
    now: Timestamp,
) -> Attempts {
    let (client, program) = (client_id(), program_id());
    let counted = CounterKey {
        client: &client,
        program: &program,
        customer,
    };
    let known = Counters::default();
    limits.count(counted, &known, attempt, now).await.unwrap()
}

async fn attempts(limits: &DynamoLimits, now: Timestamp) -> Attempts {
    let (client, program, customer) = (client_id(), program_id(), customer_id());
    let counted = CounterKey {
        client: &client,
        program: &program,
        customer: &customer,
    };
    limits.counters(counted).await.unwrap().attempts(now)
}

fn both(count: u32) -> Attempts {
    Attempts {
        customer: count,
        client: count,
    }
}

fn minutes(item: &Item) -> usize {
    item["minutes"].as_m().unwrap().len()
}

async fn counters(world: &World) -> Vec<Item> {
    let items = world.scan(&world.tables.limits).await;
    assert_eq!(items.len(), 2, "one of the customer, one of the client");
    items
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn attempts_are_counted_for_customer_and_client() {
    on_every_engine(|world| async move {
        let limits = world.limits(&world.vault());
        let (customer, other) = (customer_id(), CustomerId::parse("somebody-else").unwrap());
        let now = world.clock.now();
        assert_eq!(attempts(&limits, now).await, both(0));
        assert_eq!(count(&limits, &customer, attempt(1), now).await, both(0));
        assert_eq!(count(&limits, &customer, attempt(2), now).await, both(1));
        let of_other = count(&limits, &other, attempt(3), now).await;
        assert_eq!((of_other.customer, of_other.client), (0, 2));
        let all = attempts(&limits, now).await;
        assert_eq!((all.customer, all.client), (2, 3));
        for item in world.scan(&world.tables.limits).await {
            let ttl: i64 = item["ttl"].as_n().unwrap().parse().unwrap();
            assert_eq!(ttl, (now + SignedDuration::from_hours(2)).as_second());
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn the_window_slides_over_the_hour_of_the_clock() {
    on_every_engine(|world| async move {
        let limits = world.limits(&world.vault());
        let customer = customer_id();
        let hour: Timestamp = "2026-11-30T11:00:00Z".parse().unwrap();
        // As many as a limit allows in the last second of one hour, and as many in the first of the next.
        for number in 0..5 {
            count(&limits, &customer, attempt(number), hour - SECOND).await;
        }
        for number in 5..10 {
            let before = count(&limits, &customer, attempt(number), hour).await;
            assert_eq!(before, both(u32::try_from(number).unwrap()));
        }
        // CounterKey in the minute from 10:59 and from 11:00: each for sixty to sixty-one minutes.
        for (at, expected) in [
            (hour + MINUTE * 59, 10),
            (hour + MINUTE * 60 - SECOND, 10),
            (hour + MINUTE * 60, 5),
            (hour + MINUTE * 61 - SECOND, 5),
            (hour + MINUTE * 61, 0),
        ] {
            assert_eq!(attempts(&limits, at).await, both(expected), "at {at}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn a_counter_forgets_what_counts_no_more() {
    on_every_engine(|world| async move {
        let limits = world.limits(&world.vault());
        let (customer, start) = (customer_id(), world.clock.now());
        for number in 0..70 {
            let at = start + MINUTE * i32::try_from(number).unwrap();
            let expected = u32::try_from(number).unwrap().min(60);
            assert_eq!(
                count(&limits, &customer, attempt(number), at).await,
                both(expected)
            );
        }
        for item in counters(&world).await {
            assert_eq!(minutes(&item), 61);
        }
        let tomorrow = start + SignedDuration::from_hours(24);
        assert_eq!(count(&limits, &customer, attempt(70), tomorrow).await, both(0));
        for item in counters(&world).await {
            assert_eq!(minutes(&item), 1);
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
            .map(|number| {
                let limits = Arc::clone(&limits);
                tokio::spawn(async move {
                    count_unread(&limits, &customer_id(), attempt(number), now)
                        .await
                        .customer
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

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn an_attempt_whose_answer_was_lost_counts_once() {
    on_every_engine(|world| async move {
        let customer = customer_id();
        let start = world.clock.now();
        // The first of all, one more of its minute, the first of the next minute.
        for (number, at) in [(0, start), (1, start), (2, start + MINUTE)] {
            // The SDK sends the update of each counter once more.
            let (losing, lost) = world.losing_answers_of("UpdateItem");
            let limits = losing.limits(&world.vault());
            let before = count(&limits, &customer, attempt(number), at).await;
            assert_eq!(before, both(u32::try_from(number).unwrap()));
            assert_eq!(lost.count(), 2, "the customer's and the client's");
            // And so does a caller that knows of no answer at all.
            let limits = world.limits(&world.vault());
            let again = count(&limits, &customer, attempt(number), at + SECOND).await;
            assert_eq!(again, before);
            let again = count_unread(&limits, &customer, attempt(number), at + SECOND).await;
            assert_eq!(again, before);
        }
        let limits = world.limits(&world.vault());
        assert_eq!(attempts(&limits, start + MINUTE).await, both(3));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn a_stale_read_of_the_counters_counts_the_same() {
    on_every_engine(|world| async move {
        let limits = world.limits(&world.vault());
        let (customer, start) = (customer_id(), world.clock.now());
        assert_eq!(count(&limits, &customer, attempt(0), start).await, both(0));
        // A counter that is there by now, in this minute, and in one that has passed since.
        assert_eq!(count_unread(&limits, &customer, attempt(1), start).await, both(1));
        let later = start + MINUTE;
        assert_eq!(count_unread(&limits, &customer, attempt(2), later).await, both(2));
        assert_eq!(attempts(&limits, later).await, both(3));
        for item in counters(&world).await {
            assert_eq!(minutes(&item), 2);
        }
    })
    .await;
}

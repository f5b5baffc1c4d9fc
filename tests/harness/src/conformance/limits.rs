//! Counters of attempts.

#![expect(missing_docs, reason = "the name of a case says what it shows")]

use enrollment::clock::Clock as _;
use enrollment::identifiers::{CustomerId, IntentId, SessionToken};
use enrollment::limits::{Attempts, Counters};
use enrollment::ports::CounterKey;
use jiff::SignedDuration;

use crate::fixture::Fixture;
use crate::fixtures::idempotency_key;
use crate::stores::Backend;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

fn attempt(fixture: &Fixture) -> IntentId {
    let session = SessionToken::random(&fixture.randomness).id();
    IntentId::derive(session, &idempotency_key("attempt"))
}

async fn add(fixture: &Fixture, customer: &CustomerId, attempt: IntentId, known: &Counters) -> Attempts {
    let counted = CounterKey {
        client: &fixture.client,
        program: &fixture.program,
        customer,
    };
    let now = fixture.clock.now();
    fixture
        .stores
        .limits
        .count(counted, known, attempt, now)
        .await
        .unwrap()
}

async fn counters(fixture: &Fixture, customer: &CustomerId) -> Counters {
    let counted = CounterKey {
        client: &fixture.client,
        program: &fixture.program,
        customer,
    };
    fixture.stores.limits.counters(counted).await.unwrap()
}

fn attempts(customer: u32, client: u32) -> Attempts {
    Attempts { customer, client }
}

pub async fn attempt_is_counted_for_customer_and_client(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let (one, two) = (fixture.customer.clone(), CustomerId::parse("customer-2").unwrap());
    assert_eq!(counters(&fixture, &one).await, Counters::default());
    let none = Counters::default();
    assert_eq!(
        add(&fixture, &one, attempt(&fixture), &none).await,
        attempts(0, 0)
    );
    assert_eq!(
        add(&fixture, &one, attempt(&fixture), &none).await,
        attempts(1, 1)
    );
    assert_eq!(
        add(&fixture, &two, attempt(&fixture), &none).await,
        attempts(0, 2)
    );
    let now = fixture.clock.now();
    assert_eq!(counters(&fixture, &one).await.attempts(now), attempts(2, 3));
    assert_eq!(counters(&fixture, &two).await.attempts(now), attempts(1, 3));
}

pub async fn repeated_attempt_counts_once(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let customer = fixture.customer.clone();
    let repeated = attempt(&fixture);
    let none = Counters::default();
    for _ in 0..2 {
        assert_eq!(add(&fixture, &customer, repeated, &none).await, attempts(0, 0));
    }
    fixture.clock.advance(MINUTE);
    assert_eq!(
        add(&fixture, &customer, attempt(&fixture), &none).await,
        attempts(1, 1)
    );
    let known = counters(&fixture, &customer).await;
    assert_eq!(known.attempts(fixture.clock.now()), attempts(2, 2));
    assert_eq!(add(&fixture, &customer, repeated, &known).await.customer, 1);
    let repeated = counters(&fixture, &customer).await;
    assert_eq!(repeated.attempts(fixture.clock.now()), attempts(2, 2));
}

pub async fn attempts_leave_the_window_after_an_hour(backend: &dyn Backend) {
    let fixture = Fixture::new(backend).await;
    let customer = fixture.customer.clone();
    let mut known = Counters::default();
    for expected in [0, 1, 2] {
        assert_eq!(
            add(&fixture, &customer, attempt(&fixture), &known).await.customer,
            expected
        );
        known = counters(&fixture, &customer).await;
        fixture.clock.advance(MINUTE * 25);
    }
    // The first attempt was 75 minutes ago, the second 50.
    assert_eq!(known.attempts(fixture.clock.now()), attempts(2, 2));
    assert_eq!(
        add(&fixture, &customer, attempt(&fixture), &known).await,
        attempts(2, 2)
    );
}

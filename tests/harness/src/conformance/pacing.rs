//! Token bucket of the calls to Mastercard.

#![expect(missing_docs, reason = "the name of a case says what it shows")]

use enrollment::clock::Clock as _;
use enrollment::ports::Permit;
use jiff::{SignedDuration, Timestamp};

use super::steps::{HOUR, SECOND};
use crate::batch_fixture::BatchFixture;
use crate::batch_stores::BatchBackend;

async fn take(fixture: &BatchFixture) -> Option<Timestamp> {
    match fixture.stores.pacing.take(fixture.clock.now()).await.unwrap() {
        Permit::Granted => None,
        Permit::NotBefore(at) => Some(at),
    }
}

pub async fn tokens_of_an_instant_are_the_rate(backend: &dyn BatchBackend) {
    let fixture = BatchFixture::with(backend, 3, |_| {}).await;
    let mut granted = 0;
    while take(&fixture).await.is_none() {
        granted += 1;
        assert!(granted <= 3);
    }
    assert!(granted >= 1);
}

pub async fn refusal_names_the_time_of_the_next_token(backend: &dyn BatchBackend) {
    let fixture = BatchFixture::with(backend, 2, |_| {}).await;
    while take(&fixture).await.is_none() {}
    let now = fixture.clock.now();
    let at = take(&fixture).await.expect("no token is left");
    assert!(at > now && at <= now + SECOND, "{at} after {now}");
    fixture.clock.advance_to(at - SignedDuration::from_millis(2));
    assert!(take(&fixture).await.is_some());
    fixture.clock.advance_to(at);
    assert_eq!(take(&fixture).await, None);
}

pub async fn rate_is_kept_over_time(backend: &dyn BatchBackend) {
    let fixture = BatchFixture::with(backend, 2, |_| {}).await;
    let mut granted = 0;
    for _ in 0..50 {
        granted += u32::from(take(&fixture).await.is_none());
        fixture.clock.advance(SignedDuration::from_millis(200));
    }
    // Ten seconds, and what the bucket held at their beginning.
    assert!((18..=22).contains(&granted), "{granted}");
}

pub async fn bucket_of_a_quiet_day_is_no_fuller(backend: &dyn BatchBackend) {
    let fixture = BatchFixture::with(backend, 2, |_| {}).await;
    while take(&fixture).await.is_none() {}
    fixture.clock.advance(HOUR * 24);
    let mut granted = 0;
    while take(&fixture).await.is_none() {
        granted += 1;
    }
    assert!((1..=2).contains(&granted), "{granted}");
}

pub async fn pause_stops_every_call(backend: &dyn BatchBackend) {
    let fixture = BatchFixture::with(backend, 2, |_| {}).await;
    let until = fixture.clock.now() + SECOND * 30;
    let pacing = &fixture.stores.pacing;
    pacing.pause(until).await.unwrap();
    pacing.pause(until - SECOND * 10).await.unwrap();
    assert_eq!(take(&fixture).await, Some(until));
    fixture.clock.advance_to(until);
    assert_eq!(take(&fixture).await, None);
}

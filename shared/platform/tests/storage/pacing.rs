//! Rate of calls that several processes share.

use std::sync::Arc;

use engine::on_every_engine;
use enrollment::clock::Clock as _;
use enrollment::ports::{Pacing as _, Permit};
use jiff::{SignedDuration, Timestamp};
use platform::SystemClock;
use platform::settings::IssuerRate;

const RATE: usize = 7;

fn rate() -> IssuerRate {
    IssuerRate::new(u16::try_from(RATE).unwrap()).unwrap()
}

/// As many processes as there are numbers, each with a connection and a state of its own, take tokens for two seconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn many_processes_never_exceed_the_rate() {
    on_every_engine(|world| async move {
        let now = || SystemClock.now();
        let began = now();
        let processes = (0..12).map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move {
                let pacing = world.pacing(rate());
                let mut granted = Vec::new();
                while now() < began + SignedDuration::from_millis(2500) {
                    let at = now();
                    match pacing.take(at).await.unwrap() {
                        Permit::Granted => granted.push(at),
                        Permit::NotBefore(next) => {
                            let wait = next.duration_since(now()).max(SignedDuration::ZERO);
                            tokio::time::sleep(wait.unsigned_abs()).await;
                        }
                    }
                }
                granted
            })
        });
        let mut granted: Vec<Timestamp> = Vec::new();
        for process in processes.collect::<Vec<_>>() {
            granted.extend(process.await.unwrap());
        }
        let item = world.item(&world.tables.limits, "pacing#").await;
        let mut taken: Vec<i64> = item["taken"]
            .as_l()
            .unwrap()
            .iter()
            .map(|at| at.as_n().unwrap().parse().unwrap())
            .collect();
        assert!(taken.len() <= RATE, "{taken:?}");
        taken.sort_unstable();
        granted.sort_unstable();
        // Two and a half seconds have at most three fillings of the bucket, and at least two were taken.
        assert!(
            (2 * RATE..=3 * RATE).contains(&granted.len()),
            "{} in 2.5 s",
            granted.len()
        );
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn pause_holds_for_all_and_never_shortens() {
    on_every_engine(|world| async move {
        let (one, other) = (world.pacing(rate()), world.pacing(rate()));
        let now = world.clock.now();
        let second = SignedDuration::from_secs(1);
        assert_eq!(one.take(now).await.unwrap(), Permit::Granted);
        one.pause(now + second * 30).await.unwrap();
        other.pause(now + second * 5).await.unwrap();
        let until = Permit::NotBefore(now + second * 30);
        assert_eq!(other.take(now + second * 29).await.unwrap(), until);
        assert_eq!(other.take(now + second * 30).await.unwrap(), Permit::Granted);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn lost_answer_costs_a_token_at_most() {
    on_every_engine(|world| async move {
        let (world, lost) = world.losing_answers_of("UpdateItem");
        let pacing = world.pacing(rate());
        let now = world.clock.now();
        let mut granted = 0;
        while pacing.take(now).await.unwrap() == Permit::Granted {
            granted += 1;
        }
        assert!(lost.count() > 0);
        assert!(granted <= RATE, "{granted}");
    })
    .await;
}

//! A thousand customers on a bad day. `cargo xtask test --only load` starts the stack and runs this alone.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that can't go on must end"
)]

mod books;
mod customers;
mod weather;

use std::collections::BTreeSet;

use flows::time::Stopwatch;
use jiff::SignedDuration;
use load::aws_proxy::{AwsProxy, Faults};
use load::functions::{Alone, Led};
use load::transactions::sharing;

use books::Books;
use customers::{Crowd, Told};
use weather::Weather;

/// Sessions, unless `LOAD_SESSIONS` says otherwise.
const SESSIONS: usize = 1000;
/// Of which so many come first, without faults.
const CALM_SESSIONS: usize = 128;
/// Customers of one client at once in the beginning.
const SIDE_BY_SIDE: usize = 32;
/// Customers at once after that: more only wait for the two cores of a small machine.
const AT_ONCE: usize = 8;
/// Of a million calls: 5 in a hundred go wrong.
const FIVE_PERCENT: u32 = 50_000;
/// Until everything has come to rest: where faults repeat, a confirmation is due again after five minutes.
const PATIENCE: SignedDuration = SignedDuration::from_mins(15);

#[test]
#[ignore = "needs the local stack: cargo xtask test --only load"]
fn nothing_is_lost_and_nothing_is_doubled() {
    let sessions = std::env::var("LOAD_SESSIONS").map_or(SESSIONS, |count| count.parse().expect("a number"));
    let seed = std::env::var("LOAD_SEED").map_or_else(
        |_| flows::time::now_in_milliseconds().unsigned_abs(),
        |seed| seed.parse().expect("a number"),
    );
    let may_repeat = std::env::var_os("LOAD_REPEATED_FAULTS").is_some();
    assert!(sessions > CALM_SESSIONS, "too few sessions");
    println!("{sessions} sessions; LOAD_SEED={seed}");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let faults = Faults {
        seed,
        refused: FIVE_PERCENT / 2,
        unanswered: FIVE_PERCENT / 2,
        doubled: FIVE_PERCENT,
    };
    let aws = &flows::stack::Stack::here().endpoints.aws;
    let proxy = runtime.block_on(AwsProxy::start(aws, faults)).unwrap();
    let alone = Alone::wait();
    let crowd = Crowd::new(seed);
    let _led = Led::through(&proxy.url(), &alone);
    let watch = Stopwatch::start();
    let mut told = side_by_side(&crowd, &proxy);
    let weather = Weather::over(sessions - CALM_SESSIONS, seed, may_repeat);
    told.extend(crowd.go(CALM_SESSIONS..sessions, AT_ONCE, Some(&weather)));
    rate("sessions ended at the page", told.len(), watch.passed());
    let books = Books::at_rest(&crowd, told.len(), PATIENCE);
    rate(
        "sessions told to the partner",
        books.confirmations.len(),
        watch.passed(),
    );
    println!("made to go wrong: {:?}; {}", proxy.injected(), weather.told());
    books.check(&told);
    assert_eq!(sharing(&proxy.transactions()), BTreeSet::new());
    println!("{}", customers::summary(&told));
}

/// Customers of one client at once, on a good day: none of them has a transaction canceled by another one's, and there is no item
/// over which that could happen. The local AWS knows no conflicts, so the items that the transactions name are what shows it.
fn side_by_side(crowd: &Crowd, proxy: &AwsProxy) -> Vec<Told> {
    proxy.set_calm(true);
    let watch = Stopwatch::start();
    let told = crowd.go(0..CALM_SESSIONS, SIDE_BY_SIDE, None);
    rate("sessions ended side by side", told.len(), watch.passed());
    proxy.set_calm(false);
    let transactions = proxy.transactions();
    let canceled: Vec<_> = transactions
        .iter()
        .filter(|one| !one.canceled.is_empty())
        .collect();
    println!("{} transactions, {} canceled", transactions.len(), canceled.len());
    // An intent and an outcome each.
    assert!(transactions.len() >= 2 * CALM_SESSIONS, "they were seen");
    assert!(!canceled.iter().any(|one| one.met_another()), "{canceled:?}");
    assert_eq!(sharing(&transactions), BTreeSet::new());
    told
}

fn rate(what: &str, count: usize, passed: SignedDuration) {
    let seconds = passed.as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "thousands")]
    let rate = count as f64 / seconds;
    println!("{count} {what} in {seconds:.0} s: {rate:.1} a second");
}

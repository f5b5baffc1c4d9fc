//! Two thousand customers on a bad day. `cargo xtask test --only load` starts the stack and runs this alone.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that can't go on must end"
)]

mod books;
mod customers;
mod weather;

use flows::time::Stopwatch;
use jiff::SignedDuration;
use load::aws_proxy::{AwsProxy, Faults};
use load::functions::{Alone, Led};

use books::Books;
use customers::Crowd;
use weather::Weather;

/// Sessions, unless `LOAD_SESSIONS` says otherwise.
const SESSIONS: usize = 2000;
/// Customers at once: more only wait for the two cores of a small machine.
const AT_ONCE: usize = 8;
/// Of a million calls: 5 in a hundred go wrong.
const FIVE_PERCENT: u32 = 50_000;
/// Until everything has come to rest: a confirmation whose first two attempts fail is due again after five minutes.
const PATIENCE: SignedDuration = SignedDuration::from_mins(15);

#[test]
#[ignore = "needs the local stack: cargo xtask test --only load"]
fn nothing_is_lost_and_nothing_is_doubled() {
    let sessions = std::env::var("LOAD_SESSIONS").map_or(SESSIONS, |count| count.parse().expect("a number"));
    let seed = std::env::var("LOAD_SEED").map_or_else(
        |_| flows::time::now_in_milliseconds().unsigned_abs(),
        |seed| seed.parse().expect("a number"),
    );
    println!("{sessions} sessions, {AT_ONCE} at once; LOAD_SEED={seed}");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let faults = Faults {
        seed,
        refused: FIVE_PERCENT / 2,
        unanswered: FIVE_PERCENT / 2,
        doubled: FIVE_PERCENT,
    };
    let proxy = runtime
        .block_on(AwsProxy::start(
            &flows::stack::Stack::here().endpoints.aws,
            faults,
        ))
        .unwrap();
    let alone = Alone::wait();
    let crowd = Crowd::new(seed);
    let watch = Stopwatch::start();
    let told = {
        let _led = Led::through(&proxy.url(), &alone);
        let weather = Weather::over(sessions, seed);
        let told = crowd.go(sessions, AT_ONCE, &weather);
        rate("sessions ended at the page", told.len(), watch.passed());
        let books = Books::at_rest(&crowd, told.len(), PATIENCE);
        rate(
            "sessions told to the partner",
            books.confirmations.len(),
            watch.passed(),
        );
        println!("made to go wrong: {:?}; {}", proxy.injected(), weather.told());
        books.check(&told);
        told
    };
    println!("{}", customers::summary(&told));
}

fn rate(what: &str, count: usize, passed: SignedDuration) {
    let seconds = passed.as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "thousands")]
    let rate = count as f64 / seconds;
    println!("{count} {what} in {seconds:.0} s: {rate:.1} a second");
}

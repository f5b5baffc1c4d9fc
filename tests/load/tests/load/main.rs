//! A thousand customers under injected faults. `cargo xtask test --only load` starts the stack and runs this alone.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that can't go on must end"
)]

mod batches;
mod customers;
mod fault_profile;
mod records;

use std::collections::BTreeSet;

use flows::time::Stopwatch;
use jiff::SignedDuration;
use load::aws_proxy::{AwsProxy, Faults};
use load::functions::{Redirected, SettingsLock};
use load::transactions::sharing;

use batches::{Batches, largest_function};
use customers::{Customers, PageResult};
use fault_profile::FaultProfile;
use records::Records;

/// Sessions, unless `LOAD_SESSIONS` says otherwise.
const SESSIONS: usize = 1000;
/// Number of them that come first, without faults.
const FAULT_FREE_SESSIONS: usize = 128;
/// Customers of one client at once during the sessions without faults.
const CONCURRENT: usize = 32;
/// Customers at once after that: more only wait for the two cores of a small machine.
const AT_ONCE: usize = 8;
/// Of a million calls: 5 in a hundred go wrong.
const FIVE_PERCENT: u32 = 50_000;
/// Limit until all outcomes are settled: where faults repeat, a confirmation is due again after five minutes.
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
    assert!(sessions > FAULT_FREE_SESSIONS, "too few sessions");
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
    let lock = SettingsLock::wait();
    let customers = Customers::new(seed);
    let _redirected = Redirected::to(&proxy.url(), &lock);
    let watch = Stopwatch::start();
    let mut results = concurrent_sessions(&customers, &proxy);
    let profile = FaultProfile::new(sessions - FAULT_FREE_SESSIONS, seed, may_repeat);
    results.extend(customers.run(FAULT_FREE_SESSIONS..sessions, AT_ONCE, Some(&profile)));
    rate("sessions ended at the page", results.len(), watch.passed());
    let records = Records::when_settled(&customers, results.len(), PATIENCE);
    rate(
        "sessions confirmed to the partner",
        records.confirmations.len(),
        watch.passed(),
    );
    println!("injected faults: {:?}; {}", proxy.injected(), profile.summary());
    records.check(&results);
    assert_eq!(sharing(&proxy.transactions()), BTreeSet::new());
    println!("{}", customers::summary(&results));
}

/// Batches of 250 cards, unless `LOAD_BATCHES` says otherwise.
const BATCHES: usize = 20;
/// Numbers of cards after which rate and memory are printed.
const CARDS_AT: [usize; 3] = [1000, 10_000, 100_000];
/// Cards of a step whose cost is compared with that of others.
const COMPARABLE: usize = 4000;

#[test]
#[ignore = "needs the local stack: cargo xtask test --only load"]
fn every_card_of_every_batch_is_accounted_for() {
    let count = std::env::var("LOAD_BATCHES").map_or(BATCHES, |count| count.parse().expect("a number"));
    let seed = flows::time::now_in_milliseconds().unsigned_abs();
    println!("{count} batches; seed {seed}");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let faults = Faults {
        seed,
        refused: FIVE_PERCENT / 2,
        unanswered: FIVE_PERCENT / 2,
        doubled: FIVE_PERCENT,
    };
    let aws = &flows::stack::Stack::here().endpoints.aws;
    let proxy = runtime.block_on(AwsProxy::start(aws, faults)).unwrap();
    let lock = SettingsLock::wait();
    let batches = Batches::new();
    let _redirected = Redirected::to(&proxy.url(), &lock);
    let mut costs = Vec::new();
    let mut done = 0;
    let mut passed = SignedDuration::ZERO;
    // Each step is a part of the whole: its own rate shows whether the later cards cost more.
    let steps = CARDS_AT
        .iter()
        .map(|cards| cards / 250)
        .filter(|step| *step < count);
    for step in steps.chain([count]) {
        let calls = proxy.calls();
        let took = batches.run(done, step);
        passed += took;
        let cards = (step - done) * 250;
        rate("cards enrolled", cards, took);
        let cost = calls_each(proxy.calls() - calls, cards);
        let memory = largest_function().expect("a function for batches is running");
        println!(
            "  after {} cards: {cost:.2} calls of DynamoDB a card, the largest function has {memory} MB",
            step * 250
        );
        // The time is that of an emulator; a step of a thousand cards is too short to compare.
        if cards >= COMPARABLE {
            costs.push(cost);
        }
        done = step;
    }
    assert!(
        is_flat(&costs),
        "a card costs more, or less, than before: {costs:?}"
    );
    rate("cards of batches accounted for", done * 250, passed);
    batches.check_all(count);
    println!("injected faults: {:?}", proxy.injected());
}

/// Customers of one client at once, without faults. No transaction is canceled by another one, and no item belongs to two of
/// them. The local AWS has no conflicts, so the items that the transactions name have to show it.
fn concurrent_sessions(customers: &Customers, proxy: &AwsProxy) -> Vec<PageResult> {
    proxy.set_paused(true);
    let watch = Stopwatch::start();
    let results = customers.run(0..FAULT_FREE_SESSIONS, CONCURRENT, None);
    rate("sessions ended concurrently", results.len(), watch.passed());
    proxy.set_paused(false);
    let transactions = proxy.transactions();
    let canceled: Vec<_> = transactions
        .iter()
        .filter(|one| !one.canceled.is_empty())
        .collect();
    println!("{} transactions, {} canceled", transactions.len(), canceled.len());
    // An intent and an outcome each.
    assert!(transactions.len() >= 2 * FAULT_FREE_SESSIONS, "they were seen");
    assert!(!canceled.iter().any(|one| one.met_another()), "{canceled:?}");
    assert_eq!(sharing(&transactions), BTreeSet::new());
    results
}

#[expect(clippy::cast_precision_loss, reason = "at most millions")]
fn calls_each(calls: usize, cards: usize) -> f64 {
    calls as f64 / cards as f64
}

/// Whether the largest cost is at most a tenth above the smallest.
fn is_flat(costs: &[f64]) -> bool {
    let largest = costs.iter().copied().fold(0.0, f64::max);
    costs.iter().all(|cost| largest <= cost * 1.1)
}

#[test]
fn cost_is_flat_within_a_tenth() {
    assert!(is_flat(&[]) && is_flat(&[1.2]) && is_flat(&[1.2, 1.3, 1.25]));
    assert!(!is_flat(&[1.2, 1.4]) && !is_flat(&[1.4, 1.2]));
}

fn rate(what: &str, count: usize, passed: SignedDuration) {
    let seconds = passed.as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "thousands")]
    let rate = count as f64 / seconds;
    println!("{count} {what} in {seconds:.0} s: {rate:.1} a second");
}

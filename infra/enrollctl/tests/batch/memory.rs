//! Memory of a run, whatever the length of its file.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};

use crate::issuer::{HEADER, Issuer, row};
use crate::service::{Behavior, Service};

/// Lines in `cargo xtask test`; `ENROLLCTL_LINES` is another number, for `cargo xtask soak`.
const LINES: u32 = 60_000;
/// Limit of the resident memory, in KiB.
const LIMIT: i64 = 64 * 1024;

#[test]
fn memory_does_not_grow_with_the_file() {
    let lines = std::env::var("ENROLLCTL_LINES").map_or(LINES, |number| number.parse().unwrap());
    let service = Service::start(Behavior {
        forgets: true,
        ..Behavior::default()
    });
    let issuer = Issuer::new(&service);
    write(&issuer.path("cards.csv"), lines);
    // The last window option counts: the default one, of 20,000 cards.
    let mut submit = issuer.submit(&["--unique-ids"]);
    submit.args(["--window", "20000"]).stderr(Stdio::inherit());
    let mut process = submit.spawn().unwrap();
    let code = process.wait().unwrap().code();
    // The service forgets what it was sent, so every card is unknown.
    assert_eq!(code, Some(3));
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let time = |time: nix::sys::time::TimeVal| {
        Duration::from_secs(time.tv_sec().unsigned_abs())
            + Duration::from_micros(time.tv_usec().unsigned_abs())
    };
    println!(
        "{lines} lines: {} KiB at most, {:?} of CPU time",
        usage.max_rss(),
        time(usage.user_time()) + time(usage.system_time())
    );
    assert_eq!(service.received().cards, u64::from(lines));
    let results = BufReader::new(File::open(issuer.path("cards.results.csv")).unwrap());
    for (line, number) in results.lines().skip(1).zip(2u32..) {
        assert!(line.unwrap().starts_with(&format!("{number},")), "line {number}");
    }
    assert!(usage.max_rss() <= LIMIT, "{} KiB", usage.max_rss());
}

fn write(path: &Path, lines: u32) {
    let mut file = BufWriter::new(File::create(path).unwrap());
    writeln!(file, "{HEADER}").unwrap();
    for serial in 0..lines {
        let row = row(&format!("consumer-{serial}"), &format!("card-{serial}"), serial);
        writeln!(file, "{row}").unwrap();
    }
    file.flush().unwrap();
}

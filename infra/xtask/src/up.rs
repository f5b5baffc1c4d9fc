//! `cargo xtask up`.

use std::thread;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::bring_up::{self, Up};
use crate::console::{Stopwatch, bold, note};
use crate::demo;
use crate::interrupt::Interrupt;
use crate::place::Place;
use crate::ports::{Ports, USUAL};

pub(crate) fn up(place: &Place, interrupt: &Interrupt, detach: bool) -> Result<()> {
    let watch = Stopwatch::start();
    let up = bring_up::everything(place, &USUAL, interrupt)?;
    show(&up.ports, watch.elapsed());
    if detach {
        note("`cargo xtask down` ends it; data stays.");
        return Ok(());
    }
    if up.started_anything() {
        note("Ctrl-C ends it; data stays.");
    } else {
        note("It was running already; Ctrl-C leaves it so, `cargo xtask down` ends it.");
    }
    while !interrupt.came() && Up::lives(place) {
        thread::sleep(Duration::from_millis(200));
    }
    let died = !interrupt.came();
    println!();
    note("ending …");
    up.end(place)?;
    if died {
        bail!("a server ended by itself, or by `cargo xtask down`; see .local/logs");
    }
    Ok(())
}

fn show(ports: &Ports, took: Duration) {
    let row = |what: &str, address: String| println!("    {what:<22} {address}");
    println!("\n  {} ({} s)\n", bold("Card enrollment is up"), took.as_secs());
    println!(
        "    {:<22} {}",
        "Open this first",
        bold(&format!("http://localhost:{}/", ports.partner))
    );
    row("Widget and API", format!("http://localhost:{}", ports.api));
    row(
        "Mastercard stand-in",
        format!(
            "https://localhost:{} (client certificate: .local/pki)",
            ports.mastercard
        ),
    );
    row(
        "its faults on demand",
        format!("http://localhost:{}", ports.admin),
    );
    row("Local AWS", format!("http://127.0.0.1:{}", ports.aws));
    row("Test card", demo::TEST_CARD.to_owned());
    row(
        "For your own tools",
        ".local/endpoints.json, .local/demo/, .local/logs/".to_owned(),
    );
    println!();
}

//! `cargo xtask up`.

use std::thread;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::checkout::Checkout;
use crate::console::{Stopwatch, bold, note};
use crate::local::demo_client;
use crate::local::ports::{Ports, USUAL};
use crate::local::system::{self, Up};
use crate::programs::interrupt::Interrupt;

pub(crate) fn up(checkout: &Checkout, interrupt: &Interrupt, detach: bool) -> Result<()> {
    let watch = Stopwatch::start();
    let up = system::everything(checkout, &USUAL, interrupt)?;
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
    while !interrupt.is_requested() && Up::lives(checkout) {
        thread::sleep(Duration::from_millis(200));
    }
    let died = !interrupt.is_requested();
    println!();
    note("ending …");
    up.end(checkout)?;
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
    row("Test card", demo_client::TEST_CARD.to_owned());
    row(
        "For your own tools",
        ".local/endpoints.json, .local/demo/, .local/logs/".to_owned(),
    );
    println!();
}

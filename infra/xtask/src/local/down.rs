//! `cargo xtask down`.

use std::fs;

use anyhow::{Context as _, Result};

use crate::checkout::Checkout;
use crate::console::{Step, note};
use crate::local::{ministack, sandbox};

/// Ends the servers. Data stays unless it is to be wiped; the Python tools stay in any case.
pub(crate) fn down(checkout: &Checkout, wipe: bool) -> Result<()> {
    let step = Step::start("ending the sandbox and the local AWS");
    let sandbox = sandbox::end(checkout)?;
    let ministack = ministack::end(checkout)?;
    step.done_with(if sandbox || ministack {
        ""
    } else {
        "nothing was running"
    });
    if wipe {
        self::wipe(checkout)?;
        note("local data is gone: tables, keys, demo client, logs");
    }
    Ok(())
}

/// Deletes all local files but the tools.
pub(crate) fn wipe(checkout: &Checkout) -> Result<()> {
    for folder in ["state", "pki", "demo", "logs"] {
        let folder = checkout.local().join(folder);
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("can't delete {}", folder.display()))?;
        }
    }
    fs::remove_file(checkout.endpoints()).ok();
    Ok(())
}

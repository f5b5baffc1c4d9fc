//! Ctrl-C, and the other polite ways of asking a process to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, bail};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// Request to end: by a signal, or by a part of this program that failed beside others.
#[derive(Clone)]
pub(crate) struct Interrupt {
    /// Becomes true at the first SIGINT, SIGTERM or SIGHUP, and stays so.
    signaled: Arc<AtomicBool>,
    cancelled: Arc<AtomicBool>,
}

impl Interrupt {
    pub(crate) fn listen() -> Result<Self> {
        let signaled = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&signaled))?;
        }
        Ok(Self {
            signaled,
            cancelled: Arc::default(),
        })
    }

    /// Ends, as a signal would, whatever runs in the other threads that have this value.
    pub(crate) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether the run is to end: a signal came, or another part failed.
    pub(crate) fn is_requested(&self) -> bool {
        self.was_signaled() || self.cancelled.load(Ordering::Relaxed)
    }

    pub(crate) fn was_signaled(&self) -> bool {
        self.signaled.load(Ordering::Relaxed)
    }

    /// Called between steps, so that Ctrl-C ends a start at the next safe point.
    pub(crate) fn check(&self) -> Result<()> {
        if self.was_signaled() {
            bail!("interrupted");
        }
        if self.is_requested() {
            bail!("ended, as another part failed");
        }
        Ok(())
    }

    /// Interrupt that no signal requests.
    #[cfg(test)]
    pub(crate) fn never() -> Self {
        Self {
            signaled: Arc::default(),
            cancelled: Arc::default(),
        }
    }
}

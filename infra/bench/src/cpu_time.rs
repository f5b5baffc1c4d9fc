//! CPU time of one call, on one core: user and system time of this thread, over enough calls to be told apart from noise.

use std::time::Duration;

use anyhow::{Result, ensure};
use nix::sys::resource::{UsageWho, getrusage};

/// Shortest time that is measured.
const SHORTEST: Duration = Duration::from_millis(200);

/// Number of measurements, of which the least counts: what else the machine does only adds.
const ROUNDS: usize = 5;

/// Returns the CPU time of one call.
pub(crate) fn of(mut call: impl FnMut() -> Result<()>) -> Result<Duration> {
    // Once unmeasured, so that what is made at the first use is there.
    call()?;
    let mut least = Duration::MAX;
    for _ in 0..ROUNDS {
        let (mut calls, start) = (0_u32, used()?);
        let took = loop {
            for _ in 0..16 {
                call()?;
            }
            calls += 16;
            let took = used()?.saturating_sub(start);
            if took >= SHORTEST {
                break took;
            }
            ensure!(calls < u32::MAX - 16, "a call takes no time");
        };
        least = least.min(took / calls);
    }
    Ok(least)
}

fn used() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_THREAD)?;
    let time = |time: nix::sys::time::TimeVal| -> Result<Duration> {
        let (seconds, microseconds) = (u64::try_from(time.tv_sec())?, u64::try_from(time.tv_usec())?);
        Ok(Duration::from_secs(seconds) + Duration::from_micros(microseconds))
    };
    Ok(time(usage.user_time())? + time(usage.system_time())?)
}

//! Processor time of a run.

use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};

/// Processor time of all programs that this one started, and that those waited for. Call it when nothing runs any more.
pub(crate) fn processor_time() -> Option<Duration> {
    // Servers that were ended: their time counts when somebody asks how they ended.
    while waitpid(None, Some(WaitPidFlag::WNOHANG)).is_ok_and(|status| status != WaitStatus::StillAlive) {}
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).ok()?;
    Some(duration(usage.user_time())? + duration(usage.system_time())?)
}

fn duration(time: TimeVal) -> Option<Duration> {
    let seconds = u64::try_from(time.tv_sec()).ok()?;
    Some(Duration::from_secs(seconds) + Duration::from_micros(u64::try_from(time.tv_usec()).ok()?))
}

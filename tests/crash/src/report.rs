//! Output.

use std::collections::BTreeMap;

use crate::injection::InjectionPoint;
use crate::run::RunResult;
use crate::schedule::FaultSchedule;

/// Schedule and its result.
pub(crate) struct CheckedRun {
    pub(crate) schedule: FaultSchedule,
    pub(crate) result: RunResult,
}

/// Number of failures that are printed with their traces.
const TRACED: usize = 5;

/// Text about a failed run, with the command that repeats it. `before` is the number of earlier failures.
pub(crate) fn failure(checked: &CheckedRun, seed: u64, before: usize) -> String {
    let mut lines = vec![format!("FAILED {}", checked.schedule)];
    for fault in &checked.schedule.faults {
        let point = checked.result.points.get(fault.point - 1);
        let point = point.map(|point| format!("{}: {}", point.trigger, point.call));
        lines.push(format!(
            "  point {} is {}",
            fault.point,
            point.as_deref().unwrap_or("never reached")
        ));
    }
    lines.extend(
        checked
            .result
            .wrong
            .iter()
            .map(|wrong| format!("  wrong: {wrong}")),
    );
    lines.push(format!(
        "  again: CRASH_SEED={seed} CRASH_ONLY='{}' cargo xtask test --only crash",
        checked.schedule
    ));
    if before < TRACED {
        lines.extend(checked.result.trace.iter().map(|line| format!("  {line}")));
    }
    lines.join("\n")
}

/// Number of points by call.
pub(crate) fn by_call(points: &[InjectionPoint]) -> String {
    let mut counts = BTreeMap::<&str, usize>::new();
    for point in points {
        *counts.entry(point.call).or_default() += 1;
    }
    let counts = counts.iter().map(|(call, count)| format!("{call} {count}"));
    counts.collect::<Vec<_>>().join(", ")
}

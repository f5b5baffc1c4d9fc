//! What is printed.

use std::collections::BTreeMap;

use crate::effects::Point;
use crate::plan::Plan;
use crate::run::Ran;

/// One run and what it showed.
pub(crate) struct Judged {
    pub(crate) plan: Plan,
    pub(crate) ran: Ran,
}

/// How many failures are printed with their traces.
const TRACED: usize = 5;

/// Says what is wrong with a run and how to see it again. `before` is how many failed before it.
pub(crate) fn failure(judged: &Judged, seed: u64, before: usize) -> String {
    let mut lines = vec![format!("FAILED {}", judged.plan)];
    for fault in &judged.plan.faults {
        let point = judged.ran.points.get(fault.point - 1);
        let point = point.map(|point| format!("{}: {}", point.trigger, point.call));
        lines.push(format!(
            "  point {} is {}",
            fault.point,
            point.as_deref().unwrap_or("never reached")
        ));
    }
    lines.extend(judged.ran.wrong.iter().map(|wrong| format!("  wrong: {wrong}")));
    lines.push(format!(
        "  again: CRASH_SEED={seed} CRASH_ONLY='{}' cargo xtask test --only crash",
        judged.plan
    ));
    if before < TRACED {
        lines.extend(judged.ran.trace.iter().map(|line| format!("  {line}")));
    }
    lines.join("\n")
}

/// How often each call was a point.
pub(crate) fn by_call(points: &[Point]) -> String {
    let mut counts = BTreeMap::<&str, usize>::new();
    for point in points {
        *counts.entry(point.call).or_default() += 1;
    }
    let counts = counts.iter().map(|(call, count)| format!("{call} {count}"));
    counts.collect::<Vec<_>>().join(", ")
}

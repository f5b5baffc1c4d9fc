//! Comparison of a client's stored cards with Mastercard's.

use std::process::ExitCode;

use anyhow::Result;
use enrollment::flows::reconcile::{
    Difference, FEW, FEW_IN, Kind, Reconciliation, ReconciliationReport, ReconciliationResult, Repair,
    RepairPolicy,
};
use enrollment::identifiers::{ClientId, Last4};
use platform::operator::Stack;
use platform::tables::audit::Permit;

use crate::arguments::ReconcileArguments;
use crate::client;
use crate::gate::Gate;

/// Exit code for differences, as in diff(1).
const DIFFERENT: u8 = 1;
/// Exit code for an incomplete comparison.
const INCOMPLETE: u8 = 2;
/// Exit code where too much differs to repair anything.
const REFUSED: u8 = 3;

/// Permits for actions beside comparing.
#[derive(Default)]
struct Permits {
    repair: Option<Permit>,
    reveal: Option<Permit>,
}

impl Permits {
    /// Writes a line of the audit trail for each requested action, before anything is compared.
    async fn obtain(stack: &Stack, id: &ClientId, asked: &ReconcileArguments) -> Result<Self> {
        let Some(reason) = asked.reason() else {
            return Ok(Self::default());
        };
        let gate = Gate::open(stack, &reason).await?;
        let mut permits = Self::default();
        if asked.repair {
            let accepted = asked.accept_differences;
            let records = accepted
                .map(|count| format!("accepted differences {count}"))
                .unwrap_or_default();
            permits.repair = Some(gate.pass_for(id, "repair differences", &records).await?);
        }
        if asked.reveal {
            permits.reveal = Some(gate.pass_for(id, "reveal differences", "").await?);
        }
        Ok(permits)
    }

    fn repair(&self, accepted: Option<usize>) -> RepairPolicy {
        if self.repair.is_some() {
            RepairPolicy::UpTo {
                accepted: accepted.unwrap_or_default(),
            }
        } else {
            RepairPolicy::ReportOnly
        }
    }
}

pub(crate) async fn run(stack: &Stack, asked: &ReconcileArguments) -> Result<ExitCode> {
    let id = ClientId::parse(&asked.client)?;
    let stored = client::find(stack, &id).await?;
    let permits = Permits::obtain(stack, &id, asked).await?;
    let repair = permits.repair(asked.accept_differences);
    let (enrollments, rewards) = (
        stack.adapters.enrollments(),
        stack.adapters.rewards(stack.adapters.mastercard()),
    );
    let reconciliation = Reconciliation {
        customer_records: &enrollments,
        intents: &enrollments,
        customers: &enrollments,
        rewards: &rewards,
        clock: &platform::SystemClock,
    };
    let report = |difference: &Difference| println!("{}", line(difference, permits.reveal.as_ref()));
    let ended = reconciliation.reconcile(&stored.client, repair, report).await?;
    let (sum, is_refused) = match ended {
        ReconciliationResult::Done(sum) => (sum, false),
        ReconciliationResult::Refused(sum) => (sum, true),
    };
    println!("{}", summary(&sum));
    if is_refused {
        eprintln!("{}", refusal(&sum));
        return Ok(ExitCode::from(REFUSED));
    }
    Ok(if sum.failed + sum.unknown > 0 {
        ExitCode::from(INCOMPLETE)
    } else if sum.left > 0 {
        ExitCode::from(DIFFERENT)
    } else {
        ExitCode::SUCCESS
    })
}

fn refusal(sum: &ReconciliationReport) -> String {
    let why = if sum.agreed == 0 {
        "no card agrees".to_owned()
    } else {
        format!("more than {FEW} cards, and more than one in {FEW_IN}, differ")
    };
    format!(
        "enrollctl: {why}: nothing was repaired. Check that the client's institution name is the one that Mastercard knows, and that \
         this is the right Mastercard environment. If the list above is right, repeat with --accept-differences {}",
        sum.differing
    )
}

/// Formats a difference; Mastercard's id of the card is shown only with a permit.
fn line(difference: &Difference, permit: Option<&Permit>) -> String {
    let last4 = difference.kind.last4();
    let digits = last4.as_ref().map_or("????", Last4::as_str);
    let what = match &difference.kind {
        Kind::Missing(_) => "active here, not enrolled at Mastercard".to_owned(),
        Kind::StillActive(_) => "cancelled here, active at Mastercard".to_owned(),
        Kind::Stray(_) => "enrolled at Mastercard, unknown here".to_owned(),
        Kind::Last4(_, theirs) => format!("ends in {} at Mastercard", theirs.as_str()),
        Kind::Unknown(_) => "active here, state at Mastercard unknown".to_owned(),
    };
    let repaired = match difference.repair {
        Repair::NotRequested => "",
        Repair::Repaired => "; repaired",
        Repair::Failed => "; repair failed",
    };
    let ranac = if permit.is_some() {
        format!("  RANAC {}", difference.kind.ranac().expose())
    } else {
        String::new()
    };
    format!(
        "{:<12} program {}  card ….{digits}  {what}{repaired}{ranac}",
        difference.kind.as_str(),
        difference.program
    )
}

fn summary(sum: &ReconciliationReport) -> String {
    let customers = |count| counted(count, "customer", "customers");
    let records = |count| counted(count, "record", "records");
    format!(
        "{}: {}, {}, {} remaining; {} being settled, {} with unknown state at Mastercard, {} not compared",
        customers(sum.customers),
        counted(sum.agreed, "card agrees", "cards agree"),
        counted(sum.differing, "difference", "differences"),
        sum.left,
        customers(sum.unsettled),
        records(sum.unknown),
        records(sum.failed)
    )
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summary_counts_one_in_the_singular() {
        let ones = ReconciliationReport {
            customers: 1,
            agreed: 1,
            unsettled: 1,
            differing: 1,
            left: 1,
            unknown: 1,
            failed: 1,
        };
        assert_eq!(
            summary(&ones),
            "1 customer: 1 card agrees, 1 difference, 1 remaining; 1 customer being settled, 1 record with unknown state at \
             Mastercard, 1 record not compared"
        );
    }

    #[test]
    fn summary_counts_the_rest_in_the_plural() {
        let sum = ReconciliationReport {
            customers: 9,
            agreed: 5,
            unsettled: 2,
            differing: 3,
            left: 0,
            unknown: 4,
            failed: 0,
        };
        assert_eq!(
            summary(&sum),
            "9 customers: 5 cards agree, 3 differences, 0 remaining; 2 customers being settled, 4 records with unknown state at \
             Mastercard, 0 records not compared"
        );
    }
}

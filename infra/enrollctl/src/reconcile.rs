//! Whether Mastercard and the tables agree about a client's cards.

use std::process::ExitCode;

use anyhow::Result;
use enrollment::flows::reconcile::{Difference, Kind, Mended, Reconciled, Reconciling};
use enrollment::identifiers::{ClientId, Last4};
use platform::operator::Stack;
use platform::tables::audit::Permit;

use crate::arguments::Revealing;
use crate::client;
use crate::gate::Gate;

/// As diff(1) has it.
const DIFFERENT: u8 = 1;
const NOT_TOLD: u8 = 2;

pub(crate) async fn run(stack: &Stack, id: &str, mend: bool, revealing: &Revealing) -> Result<ExitCode> {
    let id = ClientId::parse(id)?;
    let stored = client::find(stack, &id).await?;
    let permit = match revealing.reason() {
        Some(reason) => {
            let gate = Gate::open(stack, &reason).await?;
            Some(gate.pass_for(&id, "reveal differences", "").await?)
        }
        None => None,
    };
    let (enrolments, rewards) = (stack.enrolments(), stack.rewards());
    let reconciling = Reconciling {
        ledger: &enrolments,
        enrolments: &enrolments,
        rewards: &rewards,
        clock: &platform::SystemClock,
    };
    let mut left = 0;
    let mut found = 0;
    let tell = |difference: &Difference| {
        found += 1;
        left += usize::from(difference.mended != Mended::Yes);
        println!("{}", line(difference, permit.as_ref()));
    };
    let sum = reconciling.reconcile(&stored.client, mend, tell).await?;
    println!("{}", summary(&sum, found, left));
    Ok(if sum.failed > 0 {
        ExitCode::from(NOT_TOLD)
    } else if left > 0 {
        ExitCode::from(DIFFERENT)
    } else {
        ExitCode::SUCCESS
    })
}

/// Mastercard's name of the card is told only with a permit.
fn line(difference: &Difference, permit: Option<&Permit>) -> String {
    let last4 = difference.kind.last4();
    let digits = last4.as_ref().map_or("????", Last4::as_str);
    let what = match &difference.kind {
        Kind::Missing(_) => "is active here, Mastercard does not hold it".to_owned(),
        Kind::StillActive(_) => "is cancelled here, Mastercard holds it as active".to_owned(),
        Kind::Stray(_) => "is held by Mastercard and not known here".to_owned(),
        Kind::Last4(_, theirs) => format!("ends in {} by Mastercard", theirs.as_str()),
    };
    let mended = match difference.mended {
        Mended::Told => "",
        Mended::Yes => "; mended",
        Mended::No => "; could not be mended",
    };
    let ranac = if permit.is_some() {
        format!("  RANAC {}", difference.kind.ranac().expose())
    } else {
        String::new()
    };
    format!(
        "{:<12} program {}  card ….{digits}  {what}{mended}{ranac}",
        difference.kind.as_str(),
        difference.program
    )
}

fn summary(sum: &Reconciled, found: usize, left: usize) -> String {
    format!(
        "{} customers: {} cards agree, {found} differences, {left} of them left; {} customers are left to settlement, {} records \
         could not be compared",
        sum.customers, sum.agreed, sum.unsettled, sum.failed
    )
}

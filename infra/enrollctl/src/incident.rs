//! Incidents by the id that a customer or a partner was shown, with Mastercard's message.

use anyhow::{Context as _, Result};
use enrollment::identifiers::IncidentId;
use platform::operator::Stack;
use platform::tables::{BatchIncident, FaultNote};

use crate::arguments::RevealArguments;
use crate::gate::Gate;

/// Prints the incident; with a permit, Mastercard's message too.
pub(crate) async fn run(stack: &Stack, id: &str, revealing: &RevealArguments) -> Result<()> {
    let id = IncidentId::parse(id)?;
    let enrollments = stack.adapters.enrollments();
    let found = enrollments.incident(&id).await?;
    if found.is_none()
        && let Some(found) = stack.adapters.batches().incident(&id).await?
    {
        return of_batch(stack, &id, &found, revealing).await;
    }
    let found = found.with_context(|| {
        format!("incident '{id}' belongs to no stored interaction with Mastercard; search for it in the log")
    })?;
    let intent = &found.intent;
    let outcome = intent.outcome();
    println!("incident  {id}");
    println!("client    {}  program {}", intent.client, intent.program);
    println!(
        "action    {}  at {:.0}",
        intent.action.as_str(),
        intent.created_at
    );
    match outcome.map(|outcome| (outcome.status, outcome.code)) {
        Some((status, Some(code))) => println!(
            "outcome   {status}  MRS {code} ({})",
            code.meaning().unwrap_or("a code that is not documented")
        ),
        Some((status, None)) => println!("outcome   {status}"),
        None => println!("outcome   open"),
    }
    let Some(reason) = revealing.reason() else {
        let message = if found.has_fault {
            "kept: see --reveal"
        } else {
            "none"
        };
        println!("message   {message}");
        return Ok(());
    };
    let gate = Gate::open(stack, &reason).await?;
    let permit = gate
        .pass_for(&intent.client, "reveal incident", id.as_str())
        .await?;
    print_note(
        enrollments
            .reveal_fault(&permit, &intent.client, intent.id)
            .await?
            .as_ref(),
    );
    Ok(())
}

/// Prints the incident of a batch; with a permit, Mastercard's message too.
async fn of_batch(
    stack: &Stack,
    id: &IncidentId,
    found: &BatchIncident,
    revealing: &RevealArguments,
) -> Result<()> {
    let batch = &found.batch;
    println!("incident  {id}");
    println!(
        "client    {}  batch {}  {} cards",
        batch.client,
        batch.id,
        batch.manifest.card_count()
    );
    println!("accepted  {:.0}", batch.accepted_at);
    match batch.result() {
        Some(result) => println!("outcome   {}  at {:.0}", result.status, result.at),
        None => println!("outcome   open, {}", batch.stage.as_str()),
    }
    let Some(reason) = revealing.reason() else {
        let message = if found.has_fault {
            "kept: see --reveal"
        } else {
            "none"
        };
        println!("message   {message}");
        return Ok(());
    };
    let gate = Gate::open(stack, &reason).await?;
    let permit = gate
        .pass_for(&batch.client, "reveal incident", id.as_str())
        .await?;
    let note = stack.adapters.batches().reveal_fault(&permit, batch).await?;
    print_note(note.as_ref());
    Ok(())
}

fn print_note(note: Option<&FaultNote>) {
    match note {
        Some(note) => {
            println!(
                "call      {}  {}  at {:.0}",
                note.operation, note.outcome, note.at
            );
            println!(
                "id        {}",
                note.correlation.as_deref().unwrap_or("none given")
            );
            println!("message   {}", note.text.escape_debug());
        }
        None => println!("message   none"),
    }
}

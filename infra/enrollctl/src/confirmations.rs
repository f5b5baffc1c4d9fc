use anyhow::{Context as _, Result, bail};
use enrollment::confirmation::ConfirmationId;
use enrollment::identifiers::ClientId;
use enrollment::ports::{Wakeups as _, Work};
use jiff::SignedDuration;
use platform::operator::Stack;
use platform::tables::confirmations::admin::{ConfirmationAdmin, Decided, Listed, State};

use crate::arguments::{AuditReference, ConfirmationSelection, ConfirmationsCommand, RevealArguments};
use crate::confirmation_keys;
use crate::gate::Gate;
use crate::terminal;

pub(crate) async fn run(stack: &Stack, command: ConfirmationsCommand) -> Result<()> {
    match command {
        ConfirmationsCommand::List { client, due, limit } => list(stack, client.as_deref(), due, limit).await,
        ConfirmationsCommand::Show { id, revealing } => show(stack, &id, &revealing).await,
        ConfirmationsCommand::Replay { chosen, reason } => replay(stack, &chosen, &reason).await,
        ConfirmationsCommand::Drop { chosen, yes, reason } => {
            drop_confirmation(stack, &chosen, yes, &reason).await
        }
        ConfirmationsCommand::Keys(command) => confirmation_keys::run(stack, command).await,
        ConfirmationsCommand::Trust {
            client,
            authorities,
            reason,
            ..
        } => confirmation_keys::trust(stack, &client, authorities.as_deref(), &reason).await,
    }
}

async fn list(stack: &Stack, client: Option<&str>, due: bool, limit: usize) -> Result<()> {
    let client = client.map(ClientId::parse).transpose()?;
    // One more than is shown, to know whether there are more.
    let mut listed = stack
        .adapters
        .confirmation_admin()
        .list(!due, client.as_ref(), limit.saturating_add(1))
        .await?;
    let more = listed.len() > limit;
    listed.truncate(limit);
    for entry in &listed {
        println!("{}", line(entry));
    }
    match (listed.len(), due) {
        (0, true) => println!("no confirmation is due"),
        (0, false) => println!("no confirmation is parked"),
        _ if more => println!("… and more; raise --limit"),
        _ => {}
    }
    Ok(())
}

async fn show(stack: &Stack, id: &str, revealing: &RevealArguments) -> Result<()> {
    let id = ConfirmationId::parse(id)?;
    let admin = stack.adapters.confirmation_admin();
    let Some(entry) = admin.find(&id).await? else {
        bail!(
            "confirmation '{id}' does not exist; delivered ones are deleted after a week, parked ones after a month"
        );
    };
    println!("{}", line(&entry));
    let Some(reason) = revealing.reason() else {
        return Ok(());
    };
    let gate = Gate::open(stack, &reason).await?;
    let permit = gate
        .pass_for(&entry.client, "reveal confirmation", id.as_str())
        .await?;
    match admin.reveal(&permit, &id).await? {
        Some(confirmation) => println!("{}\n{}", confirmation.url, confirmation.body),
        None => println!("address and body are deleted: it was delivered, or its record has expired"),
    }
    Ok(())
}

async fn replay(stack: &Stack, chosen: &ConfirmationSelection, reason: &AuditReference) -> Result<()> {
    let admin = stack.adapters.confirmation_admin();
    let chosen = choose(&admin, chosen).await?;
    let gate = Gate::open(stack, reason).await?;
    let mut replayed = Vec::new();
    for (id, client) in chosen {
        let permit = gate.pass_for(&client, "replay confirmation", id.as_str()).await?;
        match admin.replay(&permit, &id).await? {
            Decided::Done => replayed.push((id, client)),
            Decided::TooLate => println!("{id}: already delivered or deleted"),
            Decided::Expired => println!("{id}: its record has expired, so it can't be sent"),
        }
    }
    // They are due and the next sweep finds them; the wake-up only makes it sooner.
    if let Err(error) = stack
        .adapters
        .wakeups()
        .wake(Work::Confirmations(&replayed), SignedDuration::ZERO)
        .await
    {
        println!("could not wake delivery ({error}); it starts within a minute");
    }
    println!("{} due now", counted(replayed.len()));
    Ok(())
}

async fn drop_confirmation(
    stack: &Stack,
    chosen: &ConfirmationSelection,
    yes: bool,
    reason: &AuditReference,
) -> Result<()> {
    let admin = stack.adapters.confirmation_admin();
    let chosen = choose(&admin, chosen).await?;
    let question = format!(
        "Drop {}? The partner will never receive them.",
        counted(chosen.len())
    );
    if !yes && !terminal::confirm(&question)? {
        bail!("nothing was dropped");
    }
    let gate = Gate::open(stack, reason).await?;
    let mut dropped = 0;
    for (id, client) in chosen {
        let permit = gate.pass_for(&client, "drop confirmation", id.as_str()).await?;
        match admin.drop_confirmation(&permit, &id).await? {
            Decided::Done => dropped += 1,
            Decided::TooLate | Decided::Expired => println!("{id}: already delivered or deleted"),
        }
    }
    println!("{} dropped", counted(dropped));
    Ok(())
}

/// Returns the named confirmations, or all parked ones of a client.
async fn choose(
    admin: &ConfirmationAdmin,
    chosen: &ConfirmationSelection,
) -> Result<Vec<(ConfirmationId, ClientId)>> {
    if let Some(client) = &chosen.all_parked_of {
        let client = ClientId::parse(client)?;
        let parked = admin.list(true, Some(&client), usize::MAX).await?;
        return Ok(parked.into_iter().map(|entry| (entry.id, entry.client)).collect());
    }
    let mut found = Vec::new();
    for id in &chosen.ids {
        let id = ConfirmationId::parse(id)?;
        let entry = admin.find(&id).await?;
        let entry = entry.with_context(|| format!("confirmation '{id}' does not exist; nothing was done"))?;
        found.push((entry.id, entry.client));
    }
    Ok(found)
}

fn line(entry: &Listed) -> String {
    let Listed {
        id, client, attempts, ..
    } = entry;
    let state = match entry.state {
        State::Due { at } => format!("due {at:.0}"),
        State::Parked { at, reason } => format!("parked {at:.0} {}", reason.as_str()),
        State::Delivered { at } => format!("delivered {at:.0}"),
    };
    let failure = entry
        .last_failure
        .as_ref()
        .map(|failure| format!(", last {failure}"))
        .unwrap_or_default();
    let times = if *attempts == 1 { "attempt" } else { "attempts" };
    format!("{id}  {client}  {state}  {attempts} {times}{failure}")
}

fn counted(count: usize) -> String {
    format!(
        "{count} {}",
        if count == 1 {
            "confirmation"
        } else {
            "confirmations"
        }
    )
}

#[cfg(test)]
mod tests {
    use enrollment::delivery::Parked;
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn line_shows_everything_unsealed() {
        let id = "msg_0123456789abcdef0123456789abcdef";
        let entry = Listed {
            id: ConfirmationId::parse(id).unwrap(),
            client: ClientId::parse("demo").unwrap(),
            state: State::Parked {
                at: Timestamp::UNIX_EPOCH,
                reason: Parked::Exhausted,
            },
            attempts: 10,
            waiting_since: Timestamp::UNIX_EPOCH,
            last_failure: Some("http_502".into()),
        };
        assert_eq!(
            line(&entry),
            format!("{id}  demo  parked 1970-01-01T00:00:00Z exhausted  10 attempts, last http_502")
        );
    }
}

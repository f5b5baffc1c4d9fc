use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use enrollment::client::file::{self, ClientSetup};
use enrollment::client::{Client, ClientStatus};
use enrollment::clock::Clock as _;
use enrollment::identifiers::ClientId;
use platform::SystemClock;
use platform::operator::{SecretCreation, Stack};
use platform::secrets::{ConfirmationSecrets, confirmation_name};
use platform::tables::audit::Permit;
use platform::tables::client_setups::{SetupWrite, StoredClient};
use secrecy::SecretString;

use crate::arguments::AuditReference;
use crate::confirmation_keys;
use crate::difference::{consequences, readable, unified};
use crate::gate::Gate;
use crate::summary::{summary, word};
use crate::{files, terminal};

/// Number of tries when concurrent changes collide.
const TRIES: u32 = 3;

/// A client file and the stored client.
struct Comparison {
    /// Set-up as it would be stored, with the programs retired that the file no longer names.
    setup: ClientSetup,
    before: Option<StoredClient>,
}

impl Comparison {
    async fn of(stack: &Stack, file: &Path) -> Result<Self> {
        let mut setup = read(file)?;
        let before = stack.client(&setup.client.id).await?;
        if stack.settings.deletion_protection == Some(false) {
            eprintln!(
                "warning: the tables of this stack are not protected from deletion; deploy it with DeletionProtection=true"
            );
        }
        if let Some(days) = stack.settings.recovery_days {
            check_recovery_window(&setup.client, days)?;
        }
        if let Some(before) = &before {
            setup.client.retire_programs_of(&before.client);
        }
        Ok(Self { setup, before })
    }

    fn has_differences(&self) -> bool {
        self.before
            .as_ref()
            .is_none_or(|before| before.client != self.setup.client)
    }

    /// Prints the consequences of the change, then the changed lines. Retired programs are left out: no file has them.
    fn print(&self) -> Result<()> {
        let written = |client: &Client| {
            readable(&Client {
                retired_programs: Vec::new(),
                retired_issuer_retention_days: None,
                ..client.clone()
            })
        };
        let before = self.before.as_ref().map(|before| &before.client);
        for consequence in before
            .iter()
            .flat_map(|before| consequences(before, &self.setup.client))
        {
            println!("{consequence}");
        }
        let before = before.map(written).transpose()?;
        let after = written(&self.setup.client)?;
        print!("{}", unified(before.as_deref(), &after, terminal::has_colors()));
        Ok(())
    }
}

/// Applies a client file: pictures first, so that no set-up ever names one that isn't there, then the set-up.
pub(crate) async fn apply(stack: &Stack, file: &Path, yes: bool, reason: &AuditReference) -> Result<()> {
    let comparison = Comparison::of(stack, file).await?;
    let Comparison { setup, before } = &comparison;
    let client = &setup.client;
    if !comparison.has_differences() {
        // Completes an interrupted run, restores a lost picture or secret, and adds the client to the index if it is missing.
        store_pictures(stack, setup).await?;
        stack.register_client(&client.id).await?;
        let permit = Gate::open(stack, reason)
            .await?
            .pass_for(&client.id, "apply client", "nothing to change")
            .await?;
        ensure_secret(stack, &permit, &client.id).await?;
        println!("client '{}': nothing to change", client.id);
        return Ok(());
    }
    comparison.print()?;
    let question = format!(
        "{} client '{}'?",
        if before.is_some() { "Change" } else { "Create" },
        client.id
    );
    if !yes && !terminal::confirm(&question)? {
        bail!("nothing was changed");
    }
    let kind = if before.is_some() { "changed" } else { "created" };
    let permit = Gate::open(stack, reason)
        .await?
        .pass_for(&client.id, "apply client", kind)
        .await?;
    store_pictures(stack, setup).await?;
    match stack.store_client(&permit, client, before.as_ref()).await? {
        SetupWrite::Stored => {}
        SetupWrite::SlugTaken => bail!(
            "the slug '{}' is taken by another client; nothing was changed",
            client.slug
        ),
        SetupWrite::ChangedMeanwhile => {
            bail!("the client was changed concurrently; nothing was changed, try again")
        }
    }
    ensure_secret(stack, &permit, &client.id).await?;
    println!("client '{}': {kind}", client.id);
    println!("page: {}/widget/{}/", stack.public_base_url, client.slug);
    Ok(())
}

/// Shows what applying a client file would change. Returns whether there are changes.
pub(crate) async fn diff(stack: &Stack, file: &Path) -> Result<bool> {
    let comparison = Comparison::of(stack, file).await?;
    let has_differences = comparison.has_differences();
    if has_differences {
        comparison.print()?;
    }
    Ok(has_differences)
}

/// Prints a client as it is stored.
pub(crate) async fn show(stack: &Stack, id: &str, json: bool) -> Result<()> {
    let client = find(stack, &ClientId::parse(id)?).await?.client;
    if json {
        print!("{}", readable(&client)?);
    } else {
        let base_url = stack.public_base_url.as_str();
        print!("{}", summary(&client, base_url, SystemClock.now()));
    }
    Ok(())
}

/// Suspends a client or lifts the suspension, whatever its file says.
pub(crate) async fn suspend(stack: &Stack, id: &str, lift: bool, reason: &AuditReference) -> Result<()> {
    let id = ClientId::parse(id)?;
    let wanted = if lift {
        ClientStatus::Active
    } else {
        ClientStatus::Suspended
    };
    let gate = Gate::open(stack, reason).await?;
    for _ in 0..TRIES {
        let before = find(stack, &id).await?;
        if before.client.status == wanted {
            println!("client '{id}' is already {}", word(wanted));
            return Ok(());
        }
        let mut client = before.client.clone();
        client.status = wanted;
        let action = if lift { "lift suspension" } else { "suspend client" };
        let permit = gate.pass_for(&id, action, "").await?;
        if stack.store_client(&permit, &client, Some(&before)).await? == SetupWrite::Stored {
            println!(
                "client '{id}': {word}; takes effect within a minute\n\
                 set status = \"{word}\" in its file too, or the next apply reverts it",
                word = word(wanted)
            );
            return Ok(());
        }
    }
    bail!("the client keeps being changed concurrently; nothing was changed, try again")
}

/// Returns the stored client.
pub(crate) async fn find(stack: &Stack, id: &ClientId) -> Result<StoredClient> {
    let found = stack.client(id).await?;
    found.with_context(|| format!("client '{id}' does not exist"))
}

pub(crate) fn read(file: &Path) -> Result<ClientSetup> {
    let toml = files::text(file)?;
    let folder = file.parent().unwrap_or(Path::new("."));
    let setup = file::read(&toml, &|name| fs::read(folder.join(name))).map_err(|faults| {
        for fault in &faults {
            eprintln!("{fault}");
        }
        let count = faults.len();
        anyhow::anyhow!(
            "{} has {count} {}; nothing was changed",
            file.display(),
            if count == 1 { "fault" } else { "faults" }
        )
    })?;
    for warning in &setup.warnings {
        eprintln!("warning: {warning}");
    }
    Ok(setup)
}

/// Refuses retention days shorter than the reach of point-in-time recovery: a restored table would bring deleted records
/// back (`docs/contract.md#purge`).
fn check_recovery_window(client: &Client, recovery_days: u16) -> Result<()> {
    if let Some(issuer) = &client.issuer
        && issuer.retention_days < recovery_days
    {
        bail!(
            "issuer: retention_days is {}, but tables of this stack can be restored to {recovery_days} days ago (parameter \
             PointInTimeRecoveryDays), which would bring deleted records back; nothing was changed",
            issuer.retention_days
        );
    }
    match client
        .programs
        .iter()
        .find(|program| program.retention_days < recovery_days)
    {
        Some(program) => bail!(
            "program {}: retention_days is {}, but tables of this stack can be restored to {recovery_days} days ago (parameter \
             PointInTimeRecoveryDays), which would bring deleted records back; nothing was changed",
            program.id,
            program.retention_days
        ),
        None => Ok(()),
    }
}

async fn store_pictures(stack: &Stack, setup: &ClientSetup) -> Result<()> {
    let pictures = stack.adapters.pictures();
    for (hash, png) in &setup.pictures {
        if pictures.find(hash).await?.is_none() {
            pictures.store(hash, png.clone()).await?;
            println!("picture {hash} stored");
        }
    }
    Ok(())
}

/// Creates the client's confirmation secret if there is none, and prints its name. The secret itself is never printed.
async fn ensure_secret(stack: &Stack, permit: &Permit, client: &ClientId) -> Result<()> {
    let secrets = ConfirmationSecrets {
        secrets: vec![confirmation_keys::new_secret()],
        signing_keys: Vec::new(),
        certificate_authorities: None,
    };
    let name = confirmation_name(client);
    if stack
        .create_secret(
            permit,
            &name,
            &SecretString::from(serde_json::to_string(&secrets)?),
        )
        .await?
        == SecretCreation::Created
    {
        println!(
            "confirmations to this client are signed with the secret '{}' in Secrets Manager",
            stack.secret_name(&name)
        );
    }
    Ok(())
}

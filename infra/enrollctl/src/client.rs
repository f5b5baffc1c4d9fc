use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use enrollment::client::file::{self, ClientSetup};
use enrollment::identifiers::ClientId;
use platform::operator::{Created, Stack};
use platform::secrets::{ConfirmationSecrets, confirmation_name};
use platform::tables::client_setups::Stored;
use secrecy::SecretString;

use crate::confirmation_keys;
use crate::difference::{readable, unified};
use crate::terminal;

/// Applies a client file: pictures first, so that no set-up ever names one that isn't there, then the set-up.
pub(crate) async fn apply(stack: &Stack, file: &Path, yes: bool) -> Result<()> {
    let setup = read(file)?;
    let client = &setup.client;
    let setups = stack.client_setups();
    let before = setups.find(&client.id).await?;
    if before.as_ref().is_some_and(|before| before.client == *client) {
        // A run that was cut off, or a picture or secret that was lost, is made good here.
        store_pictures(stack, &setup).await?;
        say_secret(stack, &client.id).await?;
        println!("client '{}': nothing to change", client.id);
        return Ok(());
    }
    let text_before = before
        .as_ref()
        .map(|before| readable(&before.client))
        .transpose()?;
    print!(
        "{}",
        unified(
            text_before.as_deref(),
            &readable(client)?,
            terminal::has_colours()
        )
    );
    let question = format!(
        "{} client '{}'?",
        if before.is_some() { "Change" } else { "Create" },
        client.id
    );
    if !yes && !terminal::confirm(&question)? {
        bail!("nothing was changed");
    }
    store_pictures(stack, &setup).await?;
    match setups.store(client, before.as_ref()).await? {
        Stored::Now => {}
        Stored::SlugTaken => bail!(
            "the slug '{}' belongs to another client; nothing was changed",
            client.slug
        ),
        Stored::ChangedMeanwhile => {
            bail!("somebody else has just changed this client; nothing was changed, try again")
        }
    }
    say_secret(stack, &client.id).await?;
    println!(
        "client '{}': {}",
        client.id,
        if before.is_some() { "changed" } else { "created" }
    );
    println!("page: {}/widget/{}/", stack.settings.public_base_url, client.slug);
    Ok(())
}

/// Prints a client as it is stored.
pub(crate) async fn show(stack: &Stack, id: &str) -> Result<()> {
    let id = ClientId::parse(id)?;
    match stack.client_setups().find(&id).await? {
        Some(stored) => print!("{}", readable(&stored.client)?),
        None => bail!("there is no client '{id}'"),
    }
    Ok(())
}

fn read(file: &Path) -> Result<ClientSetup> {
    let toml = fs::read_to_string(file).with_context(|| format!("can't read {}", file.display()))?;
    let folder = file.parent().unwrap_or(Path::new("."));
    file::read(&toml, &|name| fs::read(folder.join(name))).map_err(|faults| {
        for fault in &faults {
            eprintln!("{fault}");
        }
        let count = faults.len();
        anyhow::anyhow!(
            "{} has {count} {}; nothing was changed",
            file.display(),
            if count == 1 { "fault" } else { "faults" }
        )
    })
}

async fn store_pictures(stack: &Stack, setup: &ClientSetup) -> Result<()> {
    let pictures = stack.pictures();
    for (hash, png) in &setup.pictures {
        if pictures.find(hash).await?.is_none() {
            pictures.store(hash, png.clone()).await?;
            println!("picture {hash} stored");
        }
    }
    Ok(())
}

/// Makes the client's confirmation secret where there is none, and says where it lies. It is never printed.
async fn say_secret(stack: &Stack, client: &ClientId) -> Result<()> {
    let secrets = ConfirmationSecrets {
        secrets: vec![confirmation_keys::new_secret()],
        signing_keys: Vec::new(),
        certificate_authorities: None,
    };
    let name = confirmation_name(client);
    if stack
        .create_secret(&name, &SecretString::from(serde_json::to_string(&secrets)?))
        .await?
        == Created::Now
    {
        println!(
            "confirmations to this client are signed with the secret in Secrets Manager at '{}'",
            stack.secret_name(&name)
        );
    }
    Ok(())
}

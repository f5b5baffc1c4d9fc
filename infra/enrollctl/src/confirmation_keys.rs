use std::path::Path;

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use enrollment::identifiers::ClientId;
use enrollment::randomness::Randomness as _;
use platform::SystemRandomness;
use platform::operator::Stack;
use platform::operator::secret_version::SecretReplacement;
use platform::secrets::{ConfirmationSecrets, confirmation_name};
use platform::tables::audit::Permit;
use secrecy::SecretString;
use webhooks::sender::Trust;
use webhooks::signing::verifying_key;

use crate::arguments::{AuditReference, KeysCommand};
use crate::files;
use crate::gate::Gate;

/// Maximum number of keys: the current one and the one that it replaces.
const MOST: usize = 2;
/// Number of tries when concurrent changes collide.
const TRIES: usize = 5;

pub(crate) async fn run(stack: &Stack, command: KeysCommand) -> Result<()> {
    match command {
        KeysCommand::Show { client } => show(stack, &ClientId::parse(&client)?).await,
        KeysCommand::Rotate {
            client,
            asymmetric,
            reason,
        } => rotate(stack, &ClientId::parse(&client)?, asymmetric, &reason).await,
        KeysCommand::Retire {
            client,
            asymmetric,
            reason,
        } => retire(stack, &ClientId::parse(&client)?, asymmetric, &reason).await,
    }
}

/// Trusts a client's receivers under the authorities of a file too, or under the public ones only.
pub(crate) async fn trust(
    stack: &Stack,
    client: &str,
    authorities: Option<&Path>,
    reason: &AuditReference,
) -> Result<()> {
    let client = ClientId::parse(client)?;
    let pem = match authorities {
        Some(file) => {
            let pem = files::sections(file)?;
            Trust::mozilla_and_pem(&pem)
                .with_context(|| format!("{}: nothing was changed", file.display()))?;
            Some(pem)
        }
        None => None,
    };
    let records = if authorities.is_some() {
        "public authorities and a file's"
    } else {
        "public authorities only"
    };
    let line = Line {
        reason,
        action: "trust receivers",
        records,
    };
    change(stack, &client, line, |secrets| {
        secrets.certificate_authorities.clone_from(&pem);
        Ok(())
    })
    .await?;
    println!(
        "within five minutes, receivers of client '{client}' are trusted under {}",
        match authorities {
            Some(file) => format!("the public authorities and those of {}", file.display()),
            None => "the public authorities only".to_owned(),
        }
    );
    Ok(())
}

/// Generates a `whsec_` secret of 256 bits.
pub(crate) fn new_secret() -> SecretString {
    random("whsec_")
}

async fn show(stack: &Stack, client: &ClientId) -> Result<()> {
    let (secrets, _) = stack
        .adapters
        .uncached_secrets()
        .confirmation_secrets(client)
        .await?;
    println!(
        "v1 (HMAC-SHA256): {}, in Secrets Manager at '{}'",
        match secrets.secrets.len() {
            1 => "one secret".to_owned(),
            count => format!("{count} secrets, the first is the current one"),
        },
        stack.secret_name(&confirmation_name(client))
    );
    for key in &secrets.signing_keys {
        println!("v1a (ed25519): {}", verifying_key(key)?);
    }
    Ok(())
}

async fn rotate(stack: &Stack, client: &ClientId, asymmetric: bool, reason: &AuditReference) -> Result<()> {
    let line = Line {
        reason,
        action: "rotate keys",
        records: kind(asymmetric),
    };
    change(stack, client, line, |secrets| {
        let (keys, new) = if asymmetric {
            (&mut secrets.signing_keys, random("whsk_"))
        } else {
            (&mut secrets.secrets, new_secret())
        };
        if keys.len() >= MOST {
            bail!(
                "a rotation is in progress; end it with 'confirmations keys retire --client {client}'; nothing was changed"
            );
        }
        keys.insert(0, new);
        Ok(())
    })
    .await?;
    show(stack, client).await?;
    println!("within five minutes, every confirmation is signed with each of them");
    Ok(())
}

async fn retire(stack: &Stack, client: &ClientId, asymmetric: bool, reason: &AuditReference) -> Result<()> {
    let line = Line {
        reason,
        action: "retire keys",
        records: kind(asymmetric),
    };
    change(stack, client, line, |secrets| {
        let keys = if asymmetric {
            &mut secrets.signing_keys
        } else {
            &mut secrets.secrets
        };
        if keys.len() < MOST {
            bail!("client '{client}' has no rotation in progress: there is no older key to retire");
        }
        keys.truncate(1);
        Ok(())
    })
    .await?;
    show(stack, client).await
}

fn kind(asymmetric: bool) -> &'static str {
    if asymmetric { "v1a" } else { "v1" }
}

/// Line of the audit trail for a change.
#[derive(Clone, Copy)]
struct Line<'a> {
    reason: &'a AuditReference,
    action: &'static str,
    records: &'a str,
}

/// Reads, changes and writes a client's secrets; again from the start if they were changed concurrently, so that the change is
/// based on the current ones.
async fn change(
    stack: &Stack,
    client: &ClientId,
    line: Line<'_>,
    change: impl Fn(&mut ConfirmationSecrets) -> Result<()>,
) -> Result<()> {
    // One line for all tries, and none for a change that is refused.
    let mut permit: Option<Permit> = None;
    for _ in 0..TRIES {
        let (mut secrets, version) = stack
            .adapters
            .uncached_secrets()
            .confirmation_secrets(client)
            .await?;
        change(&mut secrets)?;
        let permit = if let Some(permit) = &permit {
            permit
        } else {
            let gate = Gate::open(stack, line.reason).await?;
            permit.insert(gate.pass_for(client, line.action, line.records).await?)
        };
        let text = SecretString::from(serde_json::to_string(&secrets)?);
        let name = confirmation_name(client);
        if stack.replace_secret(permit, &name, &text, &version).await? == SecretReplacement::Replaced {
            return Ok(());
        }
    }
    bail!("the secrets of client '{client}' are being changed concurrently; nothing was changed, try again")
}

fn random(prefix: &str) -> SecretString {
    let mut bytes = [0_u8; 32];
    SystemRandomness.fill(&mut bytes);
    format!("{prefix}{}", STANDARD.encode(bytes)).into()
}

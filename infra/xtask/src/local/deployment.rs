//! Deploying template.yaml to the local AWS, as it is deployed to AWS: by `sam deploy`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::builds::bootstrap::Architecture;
use crate::checkout::{Checkout, STACK};
use crate::digest::Digest;
use crate::files;
use crate::local::aws::{LocalAws, variables};
use crate::local::demo_client;
use crate::local::keys;
use crate::local::ports::Ports;
use crate::programs::command::{isolate, run_logged};
use crate::programs::interrupt::Interrupt;
use crate::toolchain::python::Environment;

/// Secret with the digest of the last deployment. It is lost together with the local AWS's state.
const DEPLOYED: &str = "xtask/deployed";
/// Path in the repository.
pub(crate) const TEMPLATE: &str = "template.yaml";

/// Settings of the deployed stack: names of tables, key, bucket, API.
pub(crate) struct Settings(Value);

impl Settings {
    pub(crate) fn text(&self, name: &str) -> Result<&str> {
        self.0
            .get(name)
            .and_then(Value::as_str)
            .with_context(|| format!("the stack's settings lack {name}"))
    }

    /// Address at which the local AWS serves the REST API.
    pub(crate) fn api_upstream(&self, aws: &LocalAws) -> Result<String> {
        let (id, stage) = (self.text("API_ID")?, self.text("API_STAGE")?);
        Ok(format!("{}/_aws/execute-api/{id}/{stage}", aws.url()))
    }
}

/// Deploys where template, binaries or parameters have changed since the last time.
pub(crate) fn ensure(
    checkout: &Checkout,
    sam: &Environment,
    aws: &LocalAws,
    ports: &Ports,
    bootstraps: &[PathBuf],
    interrupt: &Interrupt,
) -> Result<Settings> {
    let parameters = parameters(checkout, ports)?;
    let mut digest = Digest::new();
    for template in sources(checkout)? {
        digest = digest.file(&template)?;
    }
    for bootstrap in bootstraps {
        digest = digest
            .part(bootstrap.as_os_str().as_encoded_bytes())
            .file(bootstrap)?;
    }
    for parameter in &parameters {
        digest = digest.part(parameter.as_bytes());
    }
    let digest = digest.hex();
    if aws.secret(DEPLOYED)?.as_deref() == Some(&digest)
        && let Some(settings) = settings(aws)?
    {
        return Ok(settings);
    }
    let mut command = Command::new(sam.program("sam"));
    command
        .current_dir(checkout.root())
        // The operator's samconfig.toml says nothing here.
        .args([
            "deploy",
            "--config-env",
            "local",
            "--stack-name",
            STACK,
            "--template-file",
        ])
        .arg(templates(checkout)?);
    command.args([
        "--resolve-s3",
        "--no-confirm-changeset",
        "--no-fail-on-empty-changeset",
        "--no-progressbar",
    ]);
    command.args([
        "--capabilities",
        "CAPABILITY_IAM",
        "CAPABILITY_AUTO_EXPAND",
        "--parameter-overrides",
    ]);
    command.args(parameters);
    isolate(&mut command, &checkout.home()).envs(variables(ports.aws));
    run_logged(
        "deploying template.yaml",
        &mut command,
        &checkout.log("deploy"),
        interrupt,
    )?;
    aws.put_secret(DEPLOYED, &digest)?;
    settings(aws)?.context("the stack was deployed but has no settings secret")
}

/// `template.yaml`, the templates that it includes, and that of an account's own resources.
pub(crate) fn sources(checkout: &Checkout) -> Result<Vec<PathBuf>> {
    let folder = checkout.root().join("infra");
    let mut sources = vec![checkout.root().join(TEMPLATE)];
    for entry in fs::read_dir(&folder).with_context(|| format!("can't read {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            sources.push(path);
        }
    }
    sources.sort();
    Ok(sources)
}

/// Copies the templates to the functions of this machine, as they lie beside those of AWS, and returns the copy of
/// template.yaml: sam looks from there for what it names.
fn templates(checkout: &Checkout) -> Result<PathBuf> {
    let (from, to) = (checkout.root(), checkout.deployment());
    for source in sources(checkout)? {
        let content = fs::read(&source).with_context(|| format!("can't read {}", source.display()))?;
        files::write(&to.join(source.strip_prefix(from)?), &content)?;
    }
    Ok(to.join(TEMPLATE))
}

/// The settings of the stack that is deployed.
pub(crate) fn deployed(aws: &LocalAws) -> Result<Settings> {
    settings(aws)?.context("no stack is deployed")
}

fn settings(aws: &LocalAws) -> Result<Option<Settings>> {
    let name = format!("card-enrollment/{STACK}/settings");
    let Some(text) = aws.secret(&name)? else {
        return Ok(None);
    };
    Ok(Some(Settings(
        serde_json::from_str(&text).with_context(|| format!("{name} is not JSON"))?,
    )))
}

fn parameters(checkout: &Checkout, ports: &Ports) -> Result<Vec<String>> {
    Ok(vec![
        format!("PublicBaseUrl=http://localhost:{}", ports.api),
        format!("MrsBaseUrl=https://localhost:{}/MRS", ports.mastercard),
        format!("CardKeyFingerprints={}", keys::card_key_fingerprint(checkout)?),
        format!(
            "IssuerBaseUrl=https://localhost:{}/src/api/digital/payments",
            ports.mastercard
        ),
        "IssuerDialect=legacy".to_owned(),
        // Tests come faster than issuers.
        "IssuerRatePerSecond=100".to_owned(),
        format!("IssuerKeyIds={}", demo_client::BATCH_KEY_ID),
        "LogLevel=debug".to_owned(),
        // Tests come faster than customers.
        "Traffic=large".to_owned(),
        // The account's own key, by which `enrollctl` and the tests call the local AWS.
        "OperatorArn=arn:aws:iam::000000000000:root".to_owned(),
        // The demo partner's receiver, and the tests' own.
        "DangerousPrivateConfirmationHosts=localhost".to_owned(),
        format!("Architecture={}", Architecture::here()),
    ])
}

//! The local AWS: ministack, which takes template.yaml and runs the functions' own binaries.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::checkout::Checkout;
use crate::digest::Digest;
use crate::local::aws::{REGION, is_ready};
use crate::local::ports::Ports;
use crate::programs::command::spawn_server;
use crate::programs::interrupt::Interrupt;
use crate::programs::server::{Record, Stubborn, wait_until};
use crate::toolchain::python::Environment;

const NAME: &str = "ministack";
/// Program that starts it, run by its Python.
const START: &str = "infra/local/local_aws.py";
/// It writes its state on SIGTERM and loses it on SIGKILL: it is never killed.
const STUBBORN: Stubborn = Stubborn::Report {
    after: Duration::from_mins(1),
};

pub(crate) fn is_running(checkout: &Checkout) -> bool {
    Record::running(&checkout.state(), NAME).is_some()
}

/// Starts ministack where it does not run, or runs with other settings or certificates. Returns whether it was started.
pub(crate) fn ensure(
    checkout: &Checkout,
    tools: &Environment,
    ports: &Ports,
    interrupt: &Interrupt,
) -> Result<bool> {
    let port = ports.aws;
    let program = tools.program("python");
    let start = checkout.root().join(START);
    let variables = variables(checkout, ports);
    let mut digest = Digest::new()
        .part(program.as_os_str().as_encoded_bytes())
        .file(&start)?;
    for (name, value) in &variables {
        digest = digest.part(name.as_bytes()).part(value.as_bytes());
    }
    // The functions that it keeps warm remember certificates: with new ones they start afresh too.
    let digest = digest.folder(&checkout.pki())?.hex();
    let health = format!("http://127.0.0.1:{port}/_ministack/health");
    if let Some(record) = Record::running(&checkout.state(), NAME) {
        if record.was_started_with(&digest) && is_ready(&health) {
            return Ok(false);
        }
        record.end(&checkout.state(), NAME, STUBBORN)?;
    }
    for folder in ["ministack", "s3", "tmp", "home"] {
        fs::create_dir_all(checkout.state().join(folder))?;
    }
    let mut command = Command::new(program);
    command.arg(start);
    // The functions inherit its environment: it gets a clean one.
    command.env_clear().envs(variables).current_dir(checkout.state());
    let child = spawn_server(&mut command, &checkout.log(NAME))?;
    let record = Record::write(&checkout.state(), NAME, &child, &digest)?;
    wait_until(
        "starting the local AWS",
        || is_ready(&health),
        &record,
        &checkout.log(NAME),
        interrupt,
    )
    .inspect_err(|_| drop(end(checkout)))?;
    Ok(true)
}

/// Ends ministack, which writes its state. Returns whether it was running.
pub(crate) fn end(checkout: &Checkout) -> Result<bool> {
    let Some(record) = Record::running(&checkout.state(), NAME) else {
        return Ok(false);
    };
    record
        .end(&checkout.state(), NAME, STUBBORN)
        .context("see .local/logs/ministack.log")?;
    Ok(true)
}

fn variables(checkout: &Checkout, ports: &Ports) -> Vec<(&'static str, String)> {
    let inside = |folder: &str| checkout.state().join(folder).to_string_lossy().into_owned();
    vec![
        ("PATH", "/usr/local/bin:/usr/bin:/bin".to_owned()),
        ("LANG", "C.UTF-8".to_owned()),
        ("HOME", inside("home")),
        ("TMPDIR", inside("tmp")),
        // Otherwise all interfaces.
        ("BIND_HOST", "127.0.0.1".to_owned()),
        ("GATEWAY_PORT", ports.aws.to_string()),
        // Without it the functions' SDKs would call real AWS.
        (
            "AWS_ENDPOINT_URL",
            format!("http://127.0.0.1:{}", checkout.functions_aws(ports)),
        ),
        ("AWS_ACCESS_KEY_ID", "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ("MINISTACK_REGION", REGION.to_owned()),
        // Every function acts as its role, and is refused what the role does not allow.
        ("AUTH", "true".to_owned()),
        ("PERSIST_STATE", "1".to_owned()),
        ("STATE_DIR", inside("ministack")),
        ("S3_PERSIST", "1".to_owned()),
        ("S3_DATA_DIR", inside("s3")),
        // These two would listen on all interfaces.
        ("IOT_MTLS_ENABLED", "0".to_owned()),
        ("SFTP_ENABLED", "0".to_owned()),
    ]
}

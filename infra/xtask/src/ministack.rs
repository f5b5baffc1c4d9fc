//! The local AWS: ministack, which takes template.yaml and runs the functions' own binaries.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::command::spawn_server;
use crate::digest::Digest;
use crate::interrupt::Interrupt;
use crate::local_aws::{REGION, is_ready};
use crate::place::Place;
use crate::ports::Ports;
use crate::process::{Record, Stubborn};
use crate::python::Environment;
use crate::sandbox::wait_until;

const NAME: &str = "ministack";
/// It writes its state on SIGTERM and loses it on SIGKILL: it is never killed.
const STUBBORN: Stubborn = Stubborn::Report {
    after: Duration::from_mins(1),
};

pub(crate) fn is_running(place: &Place) -> bool {
    Record::running(&place.state(), NAME).is_some()
}

/// Starts it where it does not run, or runs with other settings or certificates. Gives whether it started it.
pub(crate) fn ensure(
    place: &Place,
    tools: &Environment,
    ports: &Ports,
    interrupt: &Interrupt,
) -> Result<bool> {
    let port = ports.aws;
    let program = tools.program("ministack");
    let variables = variables(place, ports);
    let mut digest = Digest::new().part(program.as_os_str().as_encoded_bytes());
    for (name, value) in &variables {
        digest = digest.part(name.as_bytes()).part(value.as_bytes());
    }
    // The functions that it keeps warm remember certificates: with new ones they start afresh too.
    let digest = digest.folder(&place.pki())?.hex();
    let health = format!("http://127.0.0.1:{port}/_ministack/health");
    if let Some(record) = Record::running(&place.state(), NAME) {
        if record.was_started_with(&digest) && is_ready(&health) {
            return Ok(false);
        }
        record.end(&place.state(), NAME, STUBBORN)?;
    }
    for folder in ["ministack", "s3", "tmp", "home"] {
        fs::create_dir_all(place.state().join(folder))?;
    }
    let mut command = Command::new(program);
    // The functions inherit its environment: it gets a clean one.
    command.env_clear().envs(variables).current_dir(place.state());
    let child = spawn_server(&mut command, &place.log(NAME))?;
    let record = Record::write(&place.state(), NAME, &child, &digest)?;
    wait_until(
        "starting the local AWS",
        || is_ready(&health),
        &record,
        &place.log(NAME),
        interrupt,
    )
    .inspect_err(|_| drop(end(place)))?;
    Ok(true)
}

/// Ends it, which writes its state. Gives whether there was anything to end.
pub(crate) fn end(place: &Place) -> Result<bool> {
    let Some(record) = Record::running(&place.state(), NAME) else {
        return Ok(false);
    };
    record
        .end(&place.state(), NAME, STUBBORN)
        .context("see .local/logs/ministack.log")?;
    Ok(true)
}

fn variables(place: &Place, ports: &Ports) -> Vec<(&'static str, String)> {
    let inside = |folder: &str| place.state().join(folder).to_string_lossy().into_owned();
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
            format!("http://127.0.0.1:{}", place.functions_aws(ports)),
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

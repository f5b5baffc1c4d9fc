//! Paths of the checkout and of its local files.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::local::ports::Ports;

/// Name of the local stack.
pub(crate) const STACK: &str = "local";

/// The checkout, with one set of local files: those of `up`, or those of `test`.
#[derive(Clone)]
pub(crate) struct Checkout {
    root: PathBuf,
    local: PathBuf,
    /// Whether the functions' calls to AWS are recorded.
    records: bool,
}

impl Checkout {
    /// Finds the checkout; its local files are those of `cargo xtask up`, in `.local`.
    pub(crate) fn find() -> Result<Self> {
        // Set by `cargo run`; the repository may have moved since xtask was compiled.
        let manifest = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        let root = manifest
            .ancestors()
            .nth(2)
            .context("xtask does not lie in infra/xtask of the repository")?;
        Ok(Self {
            root: root.to_owned(),
            local: root.join(".local"),
            records: false,
        })
    }

    /// Checkout in a folder that a test made.
    #[cfg(test)]
    pub(crate) fn at(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            local: root.join(".local"),
            records: false,
        }
    }

    /// The same checkout with the local files of `cargo xtask test`: a running `up` is not disturbed.
    pub(crate) fn for_tests(&self) -> Self {
        Self {
            root: self.root.clone(),
            local: self.local.join("test"),
            records: true,
        }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn local(&self) -> &Path {
        &self.local
    }

    /// Folder of the installed tools, which `up` and `test` share.
    pub(crate) fn tools(&self) -> PathBuf {
        self.root.join(".local")
    }

    /// Folder of the local AWS's copies, laid out as in the repository: templates, and functions that were built for this
    /// machine. Those in target/lambda are for AWS.
    pub(crate) fn deployment(&self) -> PathBuf {
        self.root.join("target/local")
    }

    pub(crate) fn pki(&self) -> PathBuf {
        self.local.join("pki")
    }

    pub(crate) fn demo(&self) -> PathBuf {
        self.local.join("demo")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.local.join("state")
    }

    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.local.join("logs").join(format!("{name}.log"))
    }

    pub(crate) fn endpoints(&self) -> PathBuf {
        self.local.join("endpoints.json")
    }

    /// File with the address behind the reverse proxy. The sandbox reads it at each call.
    pub(crate) fn api_upstream(&self) -> PathBuf {
        self.state().join("api-upstream")
    }

    /// The port at which the functions find AWS: the recorder's where calls are recorded.
    pub(crate) fn functions_aws(&self, ports: &Ports) -> u16 {
        if self.records { ports.recorder } else { ports.aws }
    }

    /// Whether the sandbox records calls.
    pub(crate) fn records(&self) -> bool {
        self.records
    }

    /// File in which the sandbox records the functions' calls to AWS.
    pub(crate) fn calls(&self) -> PathBuf {
        self.state().join("calls.jsonl")
    }

    /// Home directory of the tools that write into one.
    pub(crate) fn home(&self) -> PathBuf {
        self.state().join("home")
    }
}

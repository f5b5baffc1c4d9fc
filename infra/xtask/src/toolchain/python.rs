//! Python tools in virtual environments of their own, from pinned files in which every package has its hash.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::checkout::Checkout;
use crate::digest::Digest;
use crate::files;
use crate::programs::command::{run_logged, run_quietly};
use crate::programs::interrupt::Interrupt;
use crate::toolchain::prerequisites;

/// A set of tools. Several, because ministack and sam want different boto3, and not everybody needs all of them.
#[derive(Clone, Copy)]
pub(crate) enum Tools {
    /// The local AWS.
    Ministack,
    /// Deploys and checks template.yaml.
    Sam,
    /// Compiles and serves functions while they are worked on.
    CargoLambda,
    /// pytest, a browser driver, Node.js.
    Tests,
}

/// An installed virtual environment.
pub(crate) struct Environment(PathBuf);

impl Tools {
    fn name(self) -> &'static str {
        match self {
            Self::Ministack => "ministack",
            Self::Sam => "sam",
            Self::CargoLambda => "cargo-lambda",
            Self::Tests => "tests",
        }
    }

    fn requirements(self, checkout: &Checkout) -> PathBuf {
        match self {
            Self::Tests => checkout.root().join("tests/requirements.txt"),
            _ => checkout
                .root()
                .join(format!("infra/local/{}-requirements.txt", self.name())),
        }
    }

    /// Installs the tools where they are not, or not as pinned.
    pub(crate) fn install(self, checkout: &Checkout, interrupt: &Interrupt) -> Result<Environment> {
        self.install_by(checkout, |command, log| {
            run_logged(
                &format!("installing {} (Python packages, pinned by hash)", self.name()),
                command,
                log,
                interrupt,
            )
        })
    }

    /// As [`Tools::install`] without output, for work beside another step.
    pub(crate) fn install_quietly(self, checkout: &Checkout, interrupt: &Interrupt) -> Result<Environment> {
        self.install_by(checkout, |command, log| {
            run_quietly(command, log, interrupt, || {})
        })
    }

    /// Whether the tools are missing, or differ from the pinned ones.
    pub(crate) fn missing(self, checkout: &Checkout) -> bool {
        !self
            .digest(checkout)
            .is_ok_and(|digest| self.is_installed(checkout, &digest))
    }

    fn install_by(
        self,
        checkout: &Checkout,
        run: impl FnOnce(&mut Command, &Path) -> Result<()>,
    ) -> Result<Environment> {
        let folder = self.folder(checkout);
        let digest = self.digest(checkout)?;
        let _alone = files::lock(&folder.with_extension("lock"))?;
        if !self.is_installed(checkout, &digest) {
            if folder.exists() {
                fs::remove_dir_all(&folder).with_context(|| format!("can't replace {}", folder.display()))?;
            }
            let requirements = self.requirements(checkout);
            // --no-deps: the files list everything, and pip's resolver refuses pinned packages that have extras.
            let script = "set -eu; \"$1\" -m venv \"$2\"; \
                \"$2/bin/python\" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r \"$3\"";
            let mut command = Command::new("sh");
            command
                .args(["-c", script, "sh"])
                .arg(prerequisites::python()?)
                .arg(&folder)
                .arg(requirements);
            run(&mut command, &checkout.log(&format!("install-{}", self.name())))?;
            files::write(&folder.join("installed"), digest.as_bytes())?;
        }
        Ok(Environment(folder))
    }

    fn folder(self, checkout: &Checkout) -> PathBuf {
        checkout.tools().join("venv").join(self.name())
    }

    fn is_installed(self, checkout: &Checkout, digest: &str) -> bool {
        let folder = self.folder(checkout);
        // A Python that was removed or replaced leaves a dangling link.
        folder.join("bin/python").exists()
            && fs::read_to_string(folder.join("installed")).is_ok_and(|installed| installed == digest)
    }

    /// A virtual environment knows its own path: one that was moved along with the repository has to be made anew.
    fn digest(self, checkout: &Checkout) -> Result<String> {
        let folder = self.folder(checkout);
        Ok(Digest::new()
            .file(&self.requirements(checkout))?
            .part(folder.as_os_str().as_encoded_bytes())
            .hex())
    }
}

impl Environment {
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.0.join("bin").join(name)
    }

    pub(crate) fn bin(&self) -> PathBuf {
        self.0.join("bin")
    }

    /// The folder of the packages, whose path names Python's version.
    pub(crate) fn packages(&self) -> Result<PathBuf> {
        let mut versions = fs::read_dir(self.0.join("lib"))?;
        let version = versions.next().context("an environment without packages")??;
        Ok(version.path().join("site-packages"))
    }
}

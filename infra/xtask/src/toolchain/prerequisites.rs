//! Programs that the machine must have, and how they are installed.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result, bail};

use crate::checkout::Checkout;
use crate::console;
use crate::files;
use crate::programs::command::{capture, run_logged};
use crate::programs::interrupt::Interrupt;

static APT: Mutex<()> = Mutex::new(());
/// The oldest Python that the pinned packages run on.
const OLDEST_PYTHON: (u32, u32) = (3, 10);
const PYTHONS: [&str; 6] = [
    "python3",
    "python3.14",
    "python3.13",
    "python3.12",
    "python3.11",
    "python3.10",
];

/// Checks for Python and a C compiler; the error names the missing one. Cargo runs this program, so it is there.
pub(crate) fn check() -> Result<()> {
    python()?;
    if !["cc", "gcc", "clang"].iter().any(|compiler| runs(compiler)) && env::var_os("CC").is_none() {
        bail!(
            "a C compiler is missing, which aws-lc needs: `apt install gcc` (macOS: `xcode-select --install`)"
        );
    }
    Ok(())
}

/// A Python that is new enough and can make virtual environments.
pub(crate) fn python() -> Result<PathBuf> {
    let (major, minor) = OLDEST_PYTHON;
    let new_enough = format!("import sys; sys.exit(sys.version_info < ({major}, {minor}))");
    let found = PYTHONS
        .iter()
        .find(|python| succeeds(python, &["-c", &new_enough]));
    let Some(python) = found else {
        bail!(
            "Python {major}.{minor} or newer is missing: `apt install python3 python3-venv` (macOS: `brew install python`)"
        );
    };
    if !succeeds(python, &["-c", "import venv, ensurepip"]) {
        bail!("{python} can't make virtual environments: `apt install python3-venv`");
    }
    Ok(
        capture(Command::new(python).args(["-c", "import sys; print(sys.executable)"]))?
            .trim()
            .into(),
    )
}

/// Finds a program, or, as root on Debian (CI), installs the package that has it; elsewhere one sentence says how.
pub(crate) fn program_or_package(program: &str, package: &str, interrupt: &Interrupt) -> Result<PathBuf> {
    if let Some(path) = find(program) {
        return Ok(path);
    }
    install(program, &[package], interrupt)?;
    find(program).with_context(|| format!("{package} brought no {program}"))
}

/// Looks for a file that a package is known by, or installs the packages as [`program_or_package`] does.
pub(crate) fn file_or_packages(file: &str, packages: &[&str], interrupt: &Interrupt) -> Result<()> {
    if Path::new(file).exists() {
        return Ok(());
    }
    install(file, packages, interrupt)?;
    if !Path::new(file).exists() {
        bail!("{} brought no {file}", packages.join(" "));
    }
    Ok(())
}

fn install(missing: &str, packages: &[&str], interrupt: &Interrupt) -> Result<()> {
    let named = packages.join(" ");
    if !PathBuf::from("/etc/debian_version").exists() || !nix::unistd::geteuid().is_root() {
        bail!("{missing} is missing: install it (`apt install {named}`) and run this again");
    }
    // Not two at once: each locks the package lists and fails where they are locked.
    let _alone = APT.lock().unwrap_or_else(PoisonError::into_inner);
    console::note(&format!("installing {named}: {missing} is missing"));
    let mut wanted = vec!["install", "-qq", "-y", "--no-install-recommends"];
    wanted.extend_from_slice(packages);
    for arguments in [&["update", "-qq"][..], &wanted] {
        let mut apt = Command::new("apt-get");
        apt.args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdout(Stdio::null());
        crate::programs::command::run_shown(&mut apt, interrupt)?;
    }
    Ok(())
}

/// Finds or installs the compiler of libFuzzer, which is written in C++.
pub(crate) fn cpp_compiler(interrupt: &Interrupt) -> Result<()> {
    if env::var_os("CXX").is_none() {
        program_or_package("c++", "g++", interrupt)?;
    }
    Ok(())
}

/// A program of a crate: the one on the PATH, or one built here, unoptimized, which is three times faster to build and
/// fast enough to run.
pub(crate) fn cargo_tool(
    name: &str,
    version: &str,
    checkout: &Checkout,
    interrupt: &Interrupt,
) -> Result<PathBuf> {
    if let Some(program) = find(name) {
        return Ok(program);
    }
    let root = checkout.tools().join("tools");
    let program = root.join("bin").join(name);
    let build = root.join(format!("build-{name}"));
    let _alone = files::lock(&root.join(format!("{name}.lock")))?;
    if !program.is_file() {
        let mut cargo = Command::new("cargo");
        cargo
            .args([
                "install",
                name,
                "--version",
                version,
                "--locked",
                "--debug",
                "--root",
            ])
            .arg(&root);
        // In the repository its config.toml would hold for the tool too.
        cargo.current_dir("/").env("CARGO_TARGET_DIR", &build);
        run_logged(
            &format!("building {name}"),
            &mut cargo,
            &checkout.log(&format!("install-{name}")),
            interrupt,
        )?;
        std::fs::remove_dir_all(build).ok();
    }
    if !program.is_file() {
        bail!("cargo install brought no {name}");
    }
    Ok(program)
}

/// The first file of this name on the PATH.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

fn runs(program: &str) -> bool {
    succeeds(program, &["--version"])
}

fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

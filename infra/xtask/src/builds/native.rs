//! Building for this machine: everything in one run of cargo, so that what the parts share is compiled once.
//!
//! [`crate::builds::lambda`] builds the functions for AWS. The two lie apart, so that neither is deployed for the other.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::builds::bootstrap::{self, Destination};
use crate::checkout::Checkout;
use crate::console;
use crate::programs::command::{spawn, wait};
use crate::programs::interrupt::Interrupt;

/// Programs that are built beside the functions, always all of them: another choice of packages would compile shared
/// dependencies again with other features.
const TOOLS: [&str; 5] = ["bench", "crash", "enrollctl", "mrs-call", "sandbox"];

/// The finished programs.
pub(crate) struct Built {
    pub(crate) sandbox: PathBuf,
    pub(crate) enrollctl: PathBuf,
    pub(crate) bench: PathBuf,
    pub(crate) bare_function: PathBuf,
    pub(crate) crash: PathBuf,
    pub(crate) mrs_call: PathBuf,
    /// The folder with a folder for each function.
    pub(crate) functions: PathBuf,
    /// The functions' `bootstrap` files, by name.
    pub(crate) bootstraps: Vec<PathBuf>,
}

/// Builds the functions, the sandbox and enrollctl, and puts each function where the copy of template.yaml for the local
/// AWS looks for it.
pub(crate) fn everything(checkout: &Checkout, interrupt: &Interrupt) -> Result<Built> {
    let functions = names(checkout)?;
    let programs = cargo_build(checkout, &functions, None, interrupt)?;
    let folder = checkout.deployment().join("target/lambda");
    let tool = |name: &str| {
        programs
            .get(name)
            .cloned()
            .with_context(|| format!("cargo built no {name}"))
    };
    Ok(Built {
        sandbox: tool("sandbox")?,
        enrollctl: tool("enrollctl")?,
        bench: tool("bench")?,
        bare_function: tool("bare-function")?,
        crash: tool("crash")?,
        mrs_call: tool("mrs-call")?,
        bootstraps: put_in_place(&folder, &functions, &programs)?,
        functions: folder,
    })
}

/// Builds the operator's tool alone, as [`everything`] builds it: what the two share is compiled once.
pub(crate) fn operator_tool(checkout: &Checkout, interrupt: &Interrupt) -> Result<PathBuf> {
    cargo_build(checkout, &names(checkout)?, Some("enrollctl"), interrupt)?
        .remove("enrollctl")
        .context("cargo built no enrollctl")
}

/// A folder with a manifest under functions/ is a function.
pub(crate) fn names(checkout: &Checkout) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(checkout.root().join("functions"))? {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Runs cargo, which shows its own progress, and returns the programs by name: all of them, or one.
fn cargo_build(
    checkout: &Checkout,
    functions: &[String],
    one: Option<&str>,
    interrupt: &Interrupt,
) -> Result<BTreeMap<String, PathBuf>> {
    // All are named where one is wanted, too: the choice of packages decides with which features dependencies are built.
    let packages: Vec<&str> = functions.iter().map(String::as_str).chain(TOOLS).collect();
    let what = one.map_or_else(|| packages.join(", "), str::to_owned);
    let step = console::Step::start(format!("building {what}"));
    step.leave();
    let mut cargo = Command::new("cargo");
    cargo.current_dir(checkout.root()).args([
        "build",
        "--release",
        "--message-format=json-render-diagnostics",
    ]);
    for package in packages {
        cargo.args(["--package", package]);
    }
    if let Some(program) = one {
        cargo.args(["--bin", program]);
    }
    console::redirect(&mut cargo)?;
    let mut child = spawn(cargo.stdin(Stdio::null()).stdout(Stdio::piped()))?;
    let messages = child.stdout.take().context("cargo without standard output")?;
    // Cargo would stop when its pipe is full.
    let reader = thread::spawn(move || std::io::read_to_string(messages));
    let status = wait(&mut child, interrupt, || {})?;
    let Ok(messages) = reader.join() else {
        bail!("reading cargo's messages failed")
    };
    if !status.success() {
        bail!("the build failed");
    }
    step.done();
    Ok(messages?.lines().filter_map(program).collect())
}

/// Name and path of a finished program, from a line of cargo's JSON.
fn program(line: &str) -> Option<(String, PathBuf)> {
    let message: Value = serde_json::from_str(line).ok()?;
    let executable = message.get("executable")?.as_str()?;
    let name = message.get("target")?.get("name")?.as_str()?;
    Some((name.to_owned(), executable.into()))
}

fn put_in_place(
    folder: &Path,
    functions: &[String],
    programs: &BTreeMap<String, PathBuf>,
) -> Result<Vec<PathBuf>> {
    let put = |name: &String| {
        let from = programs
            .get(name)
            .with_context(|| format!("cargo built no {name}"))?;
        let bootstrap = folder.join(name).join("bootstrap");
        copy_where_different(from, &bootstrap)?;
        bootstrap::check(&bootstrap, Destination::ThisMachine)?;
        Ok(bootstrap)
    };
    functions.iter().map(put).collect()
}

/// Copies a program over another one, which may be running.
pub(crate) fn copy_where_different(from: &Path, to: &Path) -> Result<()> {
    let content = fs::read(from)?;
    if fs::read(to).is_ok_and(|present| present == content) {
        return Ok(());
    }
    fs::create_dir_all(to.parent().context("a file without a folder")?)?;
    // Not over the old file: it may be running, and a running program can't be written to. In one step: both lanes of the
    // tests may do so at once.
    let mut new = to.as_os_str().to_owned();
    new.push(format!(".{:?}", std::thread::current().id()));
    fs::copy(from, &new).with_context(|| format!("can't write {}", to.display()))?;
    fs::rename(&new, to).with_context(|| format!("can't write {}", to.display()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_read_from_the_messages_of_cargo() {
        let line =
            r#"{"reason":"compiler-artifact","target":{"name":"enroll"},"executable":"/t/release/enroll"}"#;
        assert_eq!(
            program(line),
            Some(("enroll".to_owned(), "/t/release/enroll".into()))
        );
        assert_eq!(
            program(r#"{"reason":"compiler-artifact","target":{"name":"x"},"executable":null}"#),
            None
        );
        assert_eq!(program("not JSON"), None);
    }
}

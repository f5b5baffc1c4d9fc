//! `cargo xtask watch`: the functions under cargo-lambda, compiled again at every change, behind the address of `up`.

use std::env;
use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::builds::native;
use crate::checkout::Checkout;
use crate::console::note;
use crate::local::aws::{LocalAws, variables};
use crate::local::ports::{self, Ports};
use crate::local::sandbox;
use crate::local::system::Up;
use crate::programs::command::run_shown;
use crate::programs::interrupt::Interrupt;
use crate::toolchain::python::Tools;

/// Default port of `cargo lambda invoke`.
const INVOKE_PORT: u16 = 9000;

/// Serves the API from the sources until Ctrl-C, then from the deployed functions again.
pub(crate) fn watch(checkout: &Checkout, interrupt: &Interrupt) -> Result<()> {
    if !Up::lives(checkout) {
        bail!("the local system is not up: run `cargo xtask up --detach` first");
    }
    let ports: Ports = serde_json::from_slice(&fs::read(checkout.state().join("ports.json"))?)?;
    let tools = Tools::CargoLambda.install(checkout, interrupt)?;
    let deployed =
        fs::read_to_string(checkout.api_upstream()).context("the address of the API is not known")?;
    let port = ports::free_or_another(INVOKE_PORT)?;

    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([tools.bin()].into_iter().chain(env::split_paths(&path)))?;
    let mut command = Command::new(tools.program("cargo-lambda"));
    command
        .current_dir(checkout.root())
        .args(["lambda", "watch", "--invoke-address", "127.0.0.1"]);
    command
        .args(["--invoke-port", &port.to_string()])
        .env("PATH", path);
    // What template.yaml gives the deployed functions: tables, key, secrets.
    command
        .envs(LocalAws::at(ports.aws).function_environment()?)
        .envs(variables(ports.aws));

    // cargo-lambda compiles a function at its first request, with the same choice of cargo's as here. The first time
    // that takes minutes, and no browser waits so long.
    let mut build = Command::new("cargo");
    build.current_dir(checkout.root()).arg("build");
    for function in native::names(checkout)? {
        build.args(["--bin", &function]);
    }
    run_shown(&mut build, interrupt)?;

    sandbox::point_api_to(checkout, &format!("http://127.0.0.1:{port}"))?;
    note(&format!(
        "http://localhost:{} now answers from the sources",
        ports.api
    ));
    let outcome = run_shown(&mut command, interrupt);
    sandbox::point_api_to(checkout, &deployed)?;
    note("the deployed functions answer again");
    if interrupt.is_requested() { Ok(()) } else { outcome }
}

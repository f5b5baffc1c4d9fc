//! `cargo xtask watch`: the functions under cargo-lambda, compiled again at every change, behind the address of `up`.

use std::env;
use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::bring_up::Up;
use crate::command::run_shown;
use crate::compile;
use crate::console::note;
use crate::interrupt::Interrupt;
use crate::local_aws::{LocalAws, variables};
use crate::place::Place;
use crate::ports::{self, Ports};
use crate::python::Tools;
use crate::sandbox;

/// Where `cargo lambda invoke` looks if it is not told.
const INVOKE_PORT: u16 = 9000;

/// Serves the API from the sources until Ctrl-C, then from the deployed functions again.
pub(crate) fn watch(place: &Place, interrupt: &Interrupt) -> Result<()> {
    if !Up::lives(place) {
        bail!("the local system is not up: run `cargo xtask up --detach` first");
    }
    let ports: Ports = serde_json::from_slice(&fs::read(place.state().join("ports.json"))?)?;
    let tools = Tools::CargoLambda.install(place, interrupt)?;
    let deployed = fs::read_to_string(place.api_upstream()).context("the address of the API is not known")?;
    let port = ports::free_or_another(INVOKE_PORT)?;

    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([tools.bin()].into_iter().chain(env::split_paths(&path)))?;
    let mut command = Command::new(tools.program("cargo-lambda"));
    command
        .current_dir(place.root())
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
    build.current_dir(place.root()).arg("build");
    for function in compile::names(place)? {
        build.args(["--bin", &function]);
    }
    run_shown(&mut build, interrupt)?;

    sandbox::point_api_to(place, &format!("http://127.0.0.1:{port}"))?;
    note(&format!(
        "http://localhost:{} now answers from the sources",
        ports.api
    ));
    let outcome = run_shown(&mut command, interrupt);
    sandbox::point_api_to(place, &deployed)?;
    note("the deployed functions answer again");
    if interrupt.came() { Ok(()) } else { outcome }
}

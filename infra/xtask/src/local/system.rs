//! The whole system, as `up` and the tests start it.

use std::fs::{self, File, TryLockError};
use std::path::PathBuf;
use std::thread;

use anyhow::{Context as _, Result, bail};

use crate::builds::native::{self, Built};
use crate::checkout::Checkout;
use crate::local::aws::LocalAws;
use crate::local::ports::{Ports, Running};
use crate::local::{demo_client, deployment, keys, ministack, provisioning, sandbox};
use crate::programs::interrupt::Interrupt;
use crate::toolchain::prerequisites;
use crate::toolchain::python::{Environment, Tools};
use crate::{console, files};

/// A running system, with the servers that this run started.
pub(crate) struct Up {
    pub(crate) ports: Ports,
    /// The operator's tool, where it was built.
    pub(crate) enrollctl: Option<PathBuf>,
    /// The MRS client of the tests, where it was built.
    pub(crate) mrs_call: Option<PathBuf>,
    started: Started,
}

#[derive(Default)]
struct Started {
    ministack: bool,
    sandbox: bool,
}

/// Starts the servers that do not run yet. On failure, the servers that this run started are ended again.
pub(crate) fn everything(checkout: &Checkout, wanted: &Ports, interrupt: &Interrupt) -> Result<Up> {
    prerequisites::check()?;
    let _lock = lock(checkout)?;
    let ports = choose_ports(checkout, wanted)?;
    let (ministack, sam, built) = tools_and_programs(checkout, interrupt)?;
    let mut started = Started::default();
    match servers(
        checkout,
        &ports,
        &ministack,
        &sam,
        &built,
        &mut started,
        interrupt,
    ) {
        Ok(()) => Ok(Up {
            ports,
            enrollctl: Some(built.enrollctl),
            mrs_call: Some(built.mrs_call),
            started,
        }),
        Err(error) => {
            end(checkout, &started).ok();
            Err(error)
        }
    }
}

/// Brings up the local AWS alone, empty of our stack, for tests of storage.
pub(crate) fn local_aws(checkout: &Checkout, wanted: &Ports, interrupt: &Interrupt) -> Result<Up> {
    prerequisites::check()?;
    let _lock = lock(checkout)?;
    let ports = choose_ports(checkout, wanted)?;
    let tools = Tools::Ministack.install(checkout, interrupt)?;
    keys::ensure(checkout)?;
    let ministack = ministack::ensure(checkout, &tools, &ports, interrupt)?;
    Ok(Up {
        ports,
        enrollctl: None,
        mrs_call: None,
        started: Started {
            ministack,
            sandbox: false,
        },
    })
}

impl Up {
    /// Whether both servers are still there.
    pub(crate) fn lives(checkout: &Checkout) -> bool {
        ministack::is_running(checkout) && sandbox::is_running(checkout)
    }

    /// Ends the servers that this run started, and no others.
    pub(crate) fn end(&self, checkout: &Checkout) -> Result<()> {
        end(checkout, &self.started)
    }

    pub(crate) fn started_anything(&self) -> bool {
        self.started.ministack || self.started.sandbox
    }
}

fn servers(
    checkout: &Checkout,
    ports: &Ports,
    ministack: &Environment,
    sam: &Environment,
    built: &Built,
    started: &mut Started,
    interrupt: &Interrupt,
) -> Result<()> {
    keys::ensure(checkout)?;
    let confirmation_secret = demo_client::write(checkout, ports)?;
    // Before the functions, which call AWS through it while their calls are recorded.
    started.sandbox = sandbox::ensure(checkout, &built.sandbox, ports, interrupt)?;
    started.ministack = ministack::ensure(checkout, ministack, ports, interrupt)?;
    let aws = LocalAws::at(ports.aws);
    let settings = deployment::ensure(checkout, sam, &aws, ports, &built.bootstraps, interrupt)?;
    provisioning::ensure(checkout, &aws, &settings, &confirmation_secret)?;
    provisioning::apply_demo_client(checkout, &built.enrollctl, ports, interrupt)?;
    sandbox::point_api_to(checkout, &settings.api_upstream(&aws)?)?;
    files::write(
        &checkout.endpoints(),
        &serde_json::to_vec_pretty(&ports.endpoints())?,
    )
}

fn end(checkout: &Checkout, started: &Started) -> Result<()> {
    if started.sandbox {
        sandbox::end(checkout)?;
    }
    if started.ministack {
        ministack::end(checkout)?;
    }
    Ok(())
}

/// The Python tools are installed while cargo compiles: the one waits for the network, the other for the processor.
fn tools_and_programs(
    checkout: &Checkout,
    interrupt: &Interrupt,
) -> Result<(Environment, Environment, Built)> {
    let tools = [Tools::Ministack, Tools::Sam];
    if tools.iter().any(|tools| tools.missing(checkout)) {
        console::note("installing the local AWS and sam beside the build (Python packages, pinned by hash)");
    }
    thread::scope(|scope| {
        let installing = scope.spawn(|| {
            let ministack = Tools::Ministack.install_quietly(checkout, interrupt)?;
            anyhow::Ok((ministack, Tools::Sam.install_quietly(checkout, interrupt)?))
        });
        let built = native::everything(checkout, interrupt);
        let Ok(installed) = installing.join() else {
            bail!("installing the Python tools failed")
        };
        let (ministack, sam) = installed.context("installing the Python tools failed")?;
        Ok((ministack, sam, built?))
    })
}

fn choose_ports(checkout: &Checkout, wanted: &Ports) -> Result<Ports> {
    let running = Running {
        sandbox: sandbox::is_running(checkout),
        ministack: ministack::is_running(checkout),
    };
    let ports = Ports::choose(&checkout.state().join("ports.json"), wanted, running)?;
    for (name, usual, port) in ports.moved_from(wanted) {
        console::note(&format!("port {usual} was taken: {name} is at {port}"));
    }
    Ok(ports)
}

/// Lock against a second run at the same time, released when the process ends.
fn lock(checkout: &Checkout) -> Result<File> {
    fs::create_dir_all(checkout.state())?;
    fs::create_dir_all(checkout.home())?;
    let file = File::create(checkout.state().join("lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!("another `cargo xtask` is starting or stopping this system just now")
        }
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

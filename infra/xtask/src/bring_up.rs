//! The whole system at one place: what `up` and the tests start.

use std::fs::{self, File, TryLockError};
use std::path::PathBuf;
use std::thread;

use anyhow::{Context as _, Result, bail};

use crate::compile::{self, Built};
use crate::interrupt::Interrupt;
use crate::local_aws::LocalAws;
use crate::place::Place;
use crate::ports::{Ports, Running};
use crate::python::{Environment, Tools};
use crate::{console, demo, deploy, files, keys, ministack, prerequisites, sandbox, secrets};

/// A system that is up, and which of its servers this run started.
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

/// Brings everything up, or what is missing of it. When it fails, what this run started is ended again.
pub(crate) fn everything(place: &Place, wanted: &Ports, interrupt: &Interrupt) -> Result<Up> {
    prerequisites::check()?;
    let _lock = lock(place)?;
    let ports = choose_ports(place, wanted)?;
    let (ministack, sam, built) = tools_and_programs(place, interrupt)?;
    let mut started = Started::default();
    match servers(place, &ports, &ministack, &sam, &built, &mut started, interrupt) {
        Ok(()) => Ok(Up {
            ports,
            enrollctl: Some(built.enrollctl),
            mrs_call: Some(built.mrs_call),
            started,
        }),
        Err(error) => {
            end(place, &started).ok();
            Err(error)
        }
    }
}

/// Brings up the local AWS alone, empty of our stack, for tests of storage.
pub(crate) fn local_aws(place: &Place, wanted: &Ports, interrupt: &Interrupt) -> Result<Up> {
    prerequisites::check()?;
    let _lock = lock(place)?;
    let ports = choose_ports(place, wanted)?;
    let tools = Tools::Ministack.install(place, interrupt)?;
    keys::ensure(place)?;
    let ministack = ministack::ensure(place, &tools, &ports, interrupt)?;
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
    pub(crate) fn lives(place: &Place) -> bool {
        ministack::is_running(place) && sandbox::is_running(place)
    }

    /// Ends what this run started, and nothing else.
    pub(crate) fn end(&self, place: &Place) -> Result<()> {
        end(place, &self.started)
    }

    pub(crate) fn started_anything(&self) -> bool {
        self.started.ministack || self.started.sandbox
    }
}

fn servers(
    place: &Place,
    ports: &Ports,
    ministack: &Environment,
    sam: &Environment,
    built: &Built,
    started: &mut Started,
    interrupt: &Interrupt,
) -> Result<()> {
    keys::ensure(place)?;
    let confirmation_secret = demo::write(place, ports)?;
    // Before the functions, which call AWS through it while their calls are recorded.
    started.sandbox = sandbox::ensure(place, &built.sandbox, ports, interrupt)?;
    started.ministack = ministack::ensure(place, ministack, ports, interrupt)?;
    let aws = LocalAws::at(ports.aws);
    let settings = deploy::ensure(place, sam, &aws, ports, &built.bootstraps, interrupt)?;
    secrets::ensure(place, &aws, &settings, &confirmation_secret)?;
    secrets::apply_demo_client(place, &built.enrollctl, ports, interrupt)?;
    sandbox::point_api_to(place, &settings.api_upstream(&aws)?)?;
    files::write(
        &place.endpoints(),
        &serde_json::to_vec_pretty(&ports.endpoints())?,
    )
}

fn end(place: &Place, started: &Started) -> Result<()> {
    if started.sandbox {
        sandbox::end(place)?;
    }
    if started.ministack {
        ministack::end(place)?;
    }
    Ok(())
}

/// The Python tools are installed while cargo compiles: the one waits for the network, the other for the processor.
fn tools_and_programs(place: &Place, interrupt: &Interrupt) -> Result<(Environment, Environment, Built)> {
    let tools = [Tools::Ministack, Tools::Sam];
    if tools.iter().any(|tools| tools.missing(place)) {
        console::note("installing the local AWS and sam beside the build (Python packages, pinned by hash)");
    }
    thread::scope(|scope| {
        let installing = scope.spawn(|| {
            let ministack = Tools::Ministack.install_quietly(place, interrupt)?;
            anyhow::Ok((ministack, Tools::Sam.install_quietly(place, interrupt)?))
        });
        let built = compile::everything(place, interrupt);
        let Ok(installed) = installing.join() else {
            bail!("installing the Python tools failed")
        };
        let (ministack, sam) = installed.context("installing the Python tools failed")?;
        Ok((ministack, sam, built?))
    })
}

fn choose_ports(place: &Place, wanted: &Ports) -> Result<Ports> {
    let running = Running {
        sandbox: sandbox::is_running(place),
        ministack: ministack::is_running(place),
    };
    let ports = Ports::choose(&place.state().join("ports.json"), wanted, running)?;
    for (name, usual, port) in ports.moved_from(wanted) {
        console::note(&format!("port {usual} was taken: {name} is at {port}"));
    }
    Ok(ports)
}

/// Two runs at once would start everything twice. The lock goes with the process that holds it.
fn lock(place: &Place) -> Result<File> {
    fs::create_dir_all(place.state())?;
    fs::create_dir_all(place.home())?;
    let file = File::create(place.state().join("lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!("another `cargo xtask` is starting or stopping this system just now")
        }
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

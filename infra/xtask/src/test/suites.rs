//! Checks and tests beside cargo's own: the template, the page, and what runs against servers.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::Bench;
use super::dynamodb_local::DynamoDbLocal;
use super::gateway;
use super::report::Done;
use super::rust::{self, CANARY, FLOWS, LOAD, STORAGE};
use super::soap;
use crate::bench;
use crate::command::{run_kept, run_shown};
use crate::compile;
use crate::deploy::isolate;
use crate::interrupt::Interrupt;
use crate::local_aws::{REGION, variables};
use crate::node::Node;
use crate::page;
use crate::prerequisites::{find, program_or_package};
use crate::python::Tools;
use crate::template::{self, Template};

/// The template, what it nests, and what an account needs once.
const TEMPLATES: [&str; 3] = ["template.yaml", "infra/alarms.yaml", "infra/account.yaml"];

/// `sam validate --lint`, which is cfn-lint; then cfn-lint and the checks of the gateway on what SAM's transform makes
/// of the template.
pub(crate) fn templates(bench: &Bench<'_>) -> Result<()> {
    let (place, interrupt) = (bench.place, bench.interrupt);
    let sam = Tools::Sam.install(place, interrupt)?;
    std::fs::create_dir_all(place.home())?;
    TEMPLATES.iter().try_for_each(|template| {
        let mut command = Command::new(sam.program("sam"));
        command
            .current_dir(place.root())
            .args(["validate", "--lint", "--template-file", template]);
        run_shown(
            isolate(&mut command, place).env("AWS_DEFAULT_REGION", REGION),
            interrupt,
        )
    })?;
    let (template, transformed) = Template::transform(place, interrupt)?;
    template::lint(place, &transformed, interrupt)?;
    gateway::check(place, &template)
}

/// Style and types of the suites in Python.
pub(crate) fn python_lint(bench: &Bench<'_>) -> Result<()> {
    let (place, interrupt) = (bench.place, bench.interrupt);
    let tests = Tools::Tests.install(place, interrupt)?;
    let checks: [(&str, &[&str]); 3] = [
        ("ruff", &["check", "--no-cache"]),
        ("ruff", &["format", "--check", "--no-cache"]),
        ("mypy", &["--cache-dir=/dev/null"]),
    ];
    checks.iter().try_for_each(|(program, arguments)| {
        let mut command = Command::new(tests.program(program));
        command
            .current_dir(place.root().join("tests"))
            .args(*arguments)
            .arg(".");
        run_shown(&mut command, interrupt)
    })
}

/// The committed bundle has to be what the sources give.
pub(crate) fn page(bench: &Bench<'_>) -> Result<()> {
    let (place, interrupt) = (bench.place, bench.interrupt);
    let node = page::ready(place, interrupt)?;
    page::scripts(place, &node, &["check", "test", "build:check", "size"], interrupt)
}

pub(crate) fn storage(bench: &Bench<'_>) -> Result<()> {
    let node = Node::install(bench.place, bench.interrupt)?;
    let aws = bench.local_aws()?;
    let reference = DynamoDbLocal::start(&bench.own, &node, bench.interrupt)?;
    let endpoints = format!(
        "ministack=http://127.0.0.1:{aws},dynamodb-local=http://127.0.0.1:{}",
        reference.port
    );
    let mut environment = variables(aws).to_vec();
    environment.push(("TEST_DYNAMODB_ENDPOINTS", endpoints));
    environment.push(("TEST_AWS_ENDPOINT", format!("http://127.0.0.1:{aws}")));
    rust::tests(bench.place, &STORAGE, &environment, bench.interrupt)
}

/// Remains of an operator's first deployment that fails, and questions of one that does not.
pub(crate) fn first_deployment(bench: &Bench<'_>) -> Result<()> {
    let aws = bench.local_aws()?;
    let (_, transformed) = Template::transform(&bench.own, bench.interrupt)?;
    let ministack = Tools::Ministack.install(bench.place, bench.interrupt)?;
    let sam = Tools::Sam.install(bench.place, bench.interrupt)?;
    let mut command = Command::new(ministack.program("python"));
    command
        .current_dir(bench.place.root())
        .arg("infra/local/first_deployment.py")
        .arg(transformed)
        .arg(sam.program("sam"));
    isolate(&mut command, bench.place).envs(variables(aws));
    run_shown(&mut command, bench.interrupt)
}

/// Dead processes at every effect, on AWS's own engine: of the local AWS it needs nothing. Thousands of runs: the optimized
/// program takes a third of the time.
pub(crate) fn crash(bench: &Bench<'_>) -> Result<()> {
    crash_with(bench, &[]).map(drop)
}

/// As [`crash`], with variables of its README; gives what it printed.
pub(crate) fn crash_with(bench: &Bench<'_>, variables: &[(&str, String)]) -> Result<String> {
    let node = Node::install(bench.place, bench.interrupt)?;
    let program = compile::everything(bench.place, bench.interrupt)?.crash;
    let engine = DynamoDbLocal::start(&bench.own, &node, bench.interrupt)?;
    let endpoint = format!("dynamodb-local=http://127.0.0.1:{}", engine.port);
    let mut command = Command::new(program);
    command
        .current_dir(bench.place.root())
        .env("TEST_DYNAMODB_ENDPOINTS", endpoint)
        .envs(variables.iter().map(|(name, value)| (*name, value.as_str())));
    run_kept(&mut command, bench.interrupt)
}

pub(crate) fn flows(bench: &Bench<'_>) -> Result<()> {
    rust::tests(bench.place, &FLOWS, &bench.environment()?, bench.interrupt)
}

/// Once: what is judged are counts, which are the same each time.
pub(crate) fn bench(bench: &Bench<'_>) -> Result<Done> {
    bench::measure(&bench.own, bench.interrupt, 1).map(Done::Noted)
}

pub(crate) fn load(bench: &Bench<'_>) -> Result<()> {
    rust::tests(bench.place, &LOAD, &bench.environment()?, bench.interrupt)
}

pub(crate) fn canary(bench: &Bench<'_>) -> Result<()> {
    rust::tests(bench.place, &CANARY, &bench.environment()?, bench.interrupt)
}

pub(crate) fn interop(bench: &Bench<'_>) -> Result<()> {
    let node = Node::install(bench.place, bench.interrupt)?;
    soap::ready(bench.place, &node, bench.interrupt)?;
    // It writes key files; the JDK, which does so too, came with the SOAP stacks.
    program_or_package("openssl", "openssl", bench.interrupt)?;
    python(bench, "interop", &[], &[CHROMIUM])
}

/// Two at a time: a page waits more than it works.
pub(crate) fn browser(bench: &Bench<'_>) -> Result<()> {
    let processes = ["--numprocesses=2", "--dist=worksteal"];
    python(bench, "browser", &processes, &[CHROMIUM, FIREFOX])
}

/// A browser that the suites drive.
#[derive(Clone, Copy)]
struct Browser {
    /// Variable by which the suites learn its path.
    variable: &'static str,
    /// Debian's package, which has a program of the same name.
    package: &'static str,
    /// Names of the program elsewhere.
    others: &'static [&'static str],
}

const CHROMIUM: Browser = Browser {
    variable: "TEST_CHROMIUM",
    package: "chromium",
    others: &["chromium-browser", "google-chrome"],
};
const FIREFOX: Browser = Browser {
    variable: "TEST_FIREFOX",
    package: "firefox-esr",
    others: &["firefox"],
};

impl Browser {
    /// The one named by the variable, or on the PATH, or installed now.
    fn path(self, interrupt: &Interrupt) -> Result<PathBuf> {
        if let Some(named) = std::env::var_os(self.variable) {
            return Ok(named.into());
        }
        let names = std::iter::once(&self.package).chain(self.others);
        match names.copied().find_map(find) {
            Some(program) => Ok(program),
            None => program_or_package(self.package, self.package, interrupt),
        }
    }
}

/// A suite in tests/ that pytest runs; it fails by itself where it finds no test. Both suites open the page.
fn python(bench: &Bench<'_>, suite: &str, processes: &[&str], browsers: &[Browser]) -> Result<()> {
    let folder = bench.place.root().join("tests").join(suite);
    if !folder.is_dir() {
        bail!("tests/{suite} is missing");
    }
    let browsers = browsers
        .iter()
        .map(|browser| Ok((browser.variable, browser.path(bench.interrupt)?)))
        .collect::<Result<Vec<_>>>()?;
    // axe-core comes with the page's own packages.
    page::ready(bench.place, bench.interrupt)?;
    let tests = Tools::Tests.install(bench.place, bench.interrupt)?;
    let mut command = Command::new(tests.program("python"));
    command
        .current_dir(bench.place.root())
        .args(["-m", "pytest", "-ra", "-p", "no:cacheprovider"])
        .args(processes)
        .arg(folder);
    command
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .envs(bench.environment()?);
    command.env("TEST_NODE", Node::of(&tests)?.program());
    command.envs(browsers);
    run_shown(&mut command, bench.interrupt)
}

impl Bench<'_> {
    /// Where a suite finds the system.
    pub(crate) fn environment(&self) -> Result<Vec<(&'static str, String)>> {
        let up = self.up();
        let up = up.last().context("the local system is not up")?;
        let mut environment = variables(up.ports.aws).to_vec();
        if let Some(enrollctl) = &up.enrollctl {
            environment.push(("TEST_ENROLLCTL", enrollctl.to_string_lossy().into_owned()));
        }
        if let Some(mrs_call) = &up.mrs_call {
            environment.push(("TEST_MRS_CALL", mrs_call.to_string_lossy().into_owned()));
        }
        environment.push((
            "TEST_ENDPOINTS",
            self.own.endpoints().to_string_lossy().into_owned(),
        ));
        environment.push(("TEST_LOCAL", self.own.local().to_string_lossy().into_owned()));
        Ok(environment)
    }
}

//! Checks and tests beside cargo's own: the template, the page, and the suites that need servers.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::TestRun;
use super::dynamodb_local::DynamoDbLocal;
use super::gateway;
use super::report::Success;
use super::rust::{self, CANARY, FLOWS, LOAD, STORAGE};
use super::soap;
use crate::builds::native;
use crate::builds::page;
use crate::local::aws::{REGION, variables};
use crate::local::deployment;
use crate::programs::command::{isolate, run_kept, run_shown};
use crate::programs::interrupt::Interrupt;
use crate::test::bench;
use crate::test::template;
use crate::toolchain::node::Node;
use crate::toolchain::prerequisites::{find, program_or_package};
use crate::toolchain::python::Tools;

/// `sam validate --lint`, which is cfn-lint; then cfn-lint and the checks of the gateway on what SAM's transform makes
/// of the templates.
pub(crate) fn templates(run: &TestRun<'_>) -> Result<()> {
    let (checkout, interrupt) = (run.checkout, run.interrupt);
    let sam = Tools::Sam.install(checkout, interrupt)?;
    std::fs::create_dir_all(checkout.home())?;
    for template in deployment::sources(checkout)? {
        let mut command = Command::new(sam.program("sam"));
        command
            .current_dir(checkout.root())
            .args(["validate", "--lint", "--template-file"])
            .arg(template);
        run_shown(
            isolate(&mut command, &checkout.home()).env("AWS_DEFAULT_REGION", REGION),
            interrupt,
        )?;
    }
    let transformed = template::transform(checkout, interrupt)?;
    for file in &transformed.files {
        template::lint(checkout, file, interrupt)?;
    }
    gateway::check(checkout, &transformed.whole)
}

/// Style and types of the suites in Python.
pub(crate) fn python_lint(run: &TestRun<'_>) -> Result<()> {
    let (checkout, interrupt) = (run.checkout, run.interrupt);
    let tests = Tools::Tests.install(checkout, interrupt)?;
    let checks: [(&str, &[&str]); 3] = [
        ("ruff", &["check", "--no-cache"]),
        ("ruff", &["format", "--check", "--no-cache"]),
        ("mypy", &["--cache-dir=/dev/null"]),
    ];
    checks.iter().try_for_each(|(program, arguments)| {
        let mut command = Command::new(tests.program(program));
        command
            .current_dir(checkout.root().join("tests"))
            .args(*arguments)
            .arg(".");
        run_shown(&mut command, interrupt)
    })
}

/// Checks, tests and bundles the page; the committed bundle has to match its sources.
pub(crate) fn page(run: &TestRun<'_>) -> Result<()> {
    let (checkout, interrupt) = (run.checkout, run.interrupt);
    let node = page::ready(checkout, interrupt)?;
    page::scripts(
        checkout,
        &node,
        &["check", "test", "build:check", "size"],
        interrupt,
    )
}

/// `docs/examples`, by React Native's own types and Kotlin's own compiler.
pub(crate) fn native_examples(run: &TestRun<'_>) -> Result<()> {
    let node = Node::install(run.checkout, run.interrupt)?;
    let folder = run.checkout.root().join("tests/native");
    node.install_packages(run.checkout, &folder, run.interrupt)?;
    program_or_package("javac", "openjdk-17-jdk-headless", run.interrupt)?;
    node.run(&folder, "check", run.interrupt)
}

pub(crate) fn storage(run: &TestRun<'_>) -> Result<()> {
    let node = Node::install(run.checkout, run.interrupt)?;
    let aws = run.local_aws()?;
    let reference = DynamoDbLocal::start(&run.isolated, &node, run.interrupt)?;
    let endpoints = format!(
        "ministack=http://127.0.0.1:{aws},dynamodb-local=http://127.0.0.1:{}",
        reference.port
    );
    let mut environment = variables(aws).to_vec();
    environment.push(("TEST_DYNAMODB_ENDPOINTS", endpoints));
    environment.push(("TEST_AWS_ENDPOINT", format!("http://127.0.0.1:{aws}")));
    rust::tests(run.checkout, &STORAGE, &environment, run.interrupt)
}

/// An operator's first deployment: the remains of a failed one, and the questions that `sam` asks in a good one.
pub(crate) fn first_deployment(run: &TestRun<'_>) -> Result<()> {
    let aws = run.local_aws()?;
    let transformed = template::transform(&run.isolated, run.interrupt)?;
    let ministack = Tools::Ministack.install(run.checkout, run.interrupt)?;
    let sam = Tools::Sam.install(run.checkout, run.interrupt)?;
    let mut command = Command::new(ministack.program("python"));
    command
        .current_dir(run.checkout.root())
        .arg("infra/local/first_deployment.py")
        .arg(transformed.all)
        .arg(sam.program("sam"));
    isolate(&mut command, &run.checkout.home()).envs(variables(aws));
    run_shown(&mut command, run.interrupt)
}

/// Processes that die at every effect, on AWS's own engine and without the local AWS. In thousands of runs the optimized
/// program takes a third of the time.
pub(crate) fn crash(run: &TestRun<'_>) -> Result<()> {
    crash_with(run, &[]).map(drop)
}

/// As [`crash`], with variables of its README; returns what it printed.
pub(crate) fn crash_with(run: &TestRun<'_>, variables: &[(&str, String)]) -> Result<String> {
    let node = Node::install(run.checkout, run.interrupt)?;
    let program = native::everything(run.checkout, run.interrupt)?.crash;
    let engine = DynamoDbLocal::start(&run.isolated, &node, run.interrupt)?;
    let endpoint = format!("dynamodb-local=http://127.0.0.1:{}", engine.port);
    let mut command = Command::new(program);
    command
        .current_dir(run.checkout.root())
        .env("TEST_DYNAMODB_ENDPOINTS", endpoint)
        .envs(variables.iter().map(|(name, value)| (*name, value.as_str())));
    run_kept(&mut command, run.interrupt)
}

pub(crate) fn flows(run: &TestRun<'_>) -> Result<()> {
    rust::tests(run.checkout, &FLOWS, &run.environment()?, run.interrupt)
}

/// Runs the bench once: only counts are judged, which are the same each time.
pub(crate) fn bench(run: &TestRun<'_>) -> Result<Success> {
    bench::measure(&run.isolated, run.interrupt, 1).map(Success::Noted)
}

pub(crate) fn load(run: &TestRun<'_>) -> Result<()> {
    rust::tests(run.checkout, &LOAD, &run.environment()?, run.interrupt)
}

pub(crate) fn canary(run: &TestRun<'_>) -> Result<()> {
    rust::tests(run.checkout, &CANARY, &run.environment()?, run.interrupt)
}

pub(crate) fn interop(run: &TestRun<'_>) -> Result<()> {
    let node = Node::install(run.checkout, run.interrupt)?;
    soap::ready(run.checkout, &node, run.interrupt)?;
    let official = run.checkout.root().join(bench::OFFICIAL_PACKAGES);
    node.install_packages(run.checkout, &official, run.interrupt)?;
    // It writes key files; the JDK, which does so too, came with the SOAP stacks.
    program_or_package("openssl", "openssl", run.interrupt)?;
    python(run, "interop", &[], &[CHROMIUM])
}

/// Two at a time: a page waits more than it works.
pub(crate) fn browser(run: &TestRun<'_>) -> Result<()> {
    let processes = ["--numprocesses=2", "--dist=worksteal"];
    // The driver's package depends on the engine and its browser; without a display that browser hangs.
    program_or_package("WebKitWebDriver", "webkit2gtk-driver", run.interrupt)?;
    program_or_package("Xvfb", "xvfb", run.interrupt)?;
    python(run, "browser", &processes, &[CHROMIUM, FIREFOX])
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
/// Runs openings by embed.js under failures, with this seed.
pub(crate) fn openings(run: &TestRun<'_>, count: u32, seed: u32) -> Result<()> {
    let variables = [
        ("EMBED_OPENINGS", count.to_string()),
        ("EMBED_SEED", seed.to_string()),
    ];
    let file = "browser/test_embed_failures.py";
    python_with(run, file, &[], &[CHROMIUM], &variables)
}

fn python(run: &TestRun<'_>, suite: &str, processes: &[&str], browsers: &[Browser]) -> Result<()> {
    python_with(run, suite, processes, browsers, &[])
}

/// Runs a suite, or a file of one.
fn python_with(
    run: &TestRun<'_>,
    suite: &str,
    processes: &[&str],
    browsers: &[Browser],
    variables: &[(&str, String)],
) -> Result<()> {
    let folder = run.checkout.root().join("tests").join(suite);
    if !folder.exists() {
        bail!("tests/{suite} is missing");
    }
    let browsers = browsers
        .iter()
        .map(|browser| Ok((browser.variable, browser.path(run.interrupt)?)))
        .collect::<Result<Vec<_>>>()?;
    // axe-core comes with the page's own packages.
    page::ready(run.checkout, run.interrupt)?;
    let tests = Tools::Tests.install(run.checkout, run.interrupt)?;
    let mut command = Command::new(tests.program("python"));
    command
        .current_dir(run.checkout.root())
        .args(["-m", "pytest", "-ra", "-p", "no:cacheprovider"])
        .args(processes)
        .arg(folder);
    command
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .envs(run.environment()?);
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    command.env("TEST_NODE", Node::of(&tests)?.program());
    command.envs(browsers);
    run_shown(&mut command, run.interrupt)
}

impl TestRun<'_> {
    /// Variables by which a suite finds the system.
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
            self.isolated.endpoints().to_string_lossy().into_owned(),
        ));
        environment.push(("TEST_LOCAL", self.isolated.local().to_string_lossy().into_owned()));
        Ok(environment)
    }
}

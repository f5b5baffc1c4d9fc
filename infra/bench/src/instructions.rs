//! Instructions of a function's start, counted by valgrind: a number that stays the same on a busy machine, where times do not.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::Arguments;
use crate::bounds::{self, Exceeded};
use crate::caller::Caller;
use crate::counting::Counting;
use crate::functions::{self, Function};
use crate::interactions;
use crate::runtime_api::RuntimeApi;

/// Until a function asks for its first event, or has answered it: valgrind takes fifty times as long as the processor.
const PATIENCE: Duration = Duration::from_mins(1);

/// Starts every function and has it answer its first event; once more up to its first request for an event only, where each
/// function is started more than once anyway. What a schedule starts is counted only up to there: its first answer depends on
/// how much is stored.
pub(crate) fn measure(arguments: &Arguments, aws: &Counting, exceeded: &mut Exceeded) -> Result<()> {
    let variables = interactions::variables(aws);
    println!("\nInstructions of a start, in thousands, counted by valgrind");
    println!("{:<16}{:<16}{:>10}{:>10}", "", "up to", "", "x bare");
    let (mut bare_init, mut bare_first) = (None, None);
    for function in functions::all(arguments)? {
        let is_bare = bare_first.is_none();
        let answers = function.caller != Caller::Schedule;
        if answers {
            let count = count(arguments, &function, &variables, true)?;
            let of_bare = ratio(count, *bare_first.get_or_insert(count));
            show(&function, "first answer", count, of_bare);
            exceeded.judge_ratio(&what(&function, "first answer"), of_bare, bounds::FIRST_ANSWER);
        }
        if is_bare || !answers || arguments.runs > 1 {
            let count = count(arguments, &function, &variables, false)?;
            let of_bare = ratio(count, *bare_init.get_or_insert(count));
            show(&function, "init", count, of_bare);
            exceeded.judge_ratio(&what(&function, "init"), of_bare, bounds::INIT);
        }
    }
    Ok(())
}

fn show(function: &Function, up_to: &str, count: u64, of_bare: f64) {
    println!(
        "{:<16}{up_to:<16}{:>10}{of_bare:>10.1}",
        function.name,
        count / 1000
    );
}

fn what(function: &Function, up_to: &str) -> String {
    format!("instructions of {} up to its {up_to}, x bare", function.name)
}

/// Instructions from the process's start to its first request for an event or, where it `answers`, to its second.
fn count(
    arguments: &Arguments,
    function: &Function,
    variables: &[(String, String)],
    answers: bool,
) -> Result<u64> {
    let api = RuntimeApi::start(answers.then_some(&function.event))?;
    let log = |kind: &str| arguments.scratch.join(format!("{}.{kind}", function.name));
    let counted = log("valgrind");
    let output = fs::File::create(log("counted.log"))?;
    let mut child = Command::new(&arguments.valgrind)
        .args([
            "--tool=cachegrind",
            "--cache-sim=no",
            "--cachegrind-out-file=/dev/null",
        ])
        .arg(format!("--log-file={}", counted.display()))
        .arg(&function.bootstrap)
        .env_clear()
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .env("AWS_LAMBDA_RUNTIME_API", &api.address)
        .env("AWS_LAMBDA_FUNCTION_NAME", "bench")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .spawn()
        .with_context(|| format!("can't start {}", arguments.valgrind.display()))?;
    let idle = api.idle(PATIENCE).with_context(|| function.name.clone());
    end(&mut child)?;
    if let Some(answer) = idle? {
        function.caller.check(&answer)?;
    }
    references(&counted)
}

/// Valgrind writes its count when the program ends by a signal too.
fn end(child: &mut Child) -> Result<()> {
    let _ = kill(Pid::from_raw(i32::try_from(child.id())?), Signal::SIGTERM);
    child.wait()?;
    Ok(())
}

/// `==123== I   refs:      614,870`
fn references(log: &Path) -> Result<u64> {
    let text = fs::read_to_string(log).with_context(|| log.display().to_string())?;
    let Some((_, count)) = text.lines().find_map(|line| line.split_once(" refs:")) else {
        bail!("valgrind counted nothing: {text}");
    };
    let digits: String = count.chars().filter(char::is_ascii_digit).collect();
    digits.parse().context("valgrind's count is no number")
}

#[expect(clippy::cast_precision_loss, reason = "two digits of it are printed")]
fn ratio(count: u64, of: u64) -> f64 {
    count as f64 / of as f64
}

//! How long a function takes to start and to give its first answer, beside a bare one in the same run; and its size.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde_json::Value;

use crate::Arguments;
use crate::counting::Counting;
use crate::emulator::Emulated;
use crate::enrolment::{self, event};

/// A function's init may take this much of the bare one's.
const BOUND: f64 = 2.5;

/// Measures all functions in turn, run by run, so that the machine's moods meet all of them.
pub(crate) fn measure(arguments: &Arguments, aws: &Counting, exceeded: &mut Vec<String>) -> Result<()> {
    let variables = enrolment::variables(aws);
    let functions = functions(arguments)?;
    let mut measured: Vec<(Vec<f64>, Vec<f64>)> = vec![Default::default(); functions.len()];
    for _ in 0..arguments.runs {
        for (function, (init, first)) in functions.iter().zip(&mut measured) {
            let log = arguments.scratch.join(format!("{}.log", function.name));
            let emulated = Emulated::start(&arguments.emulator, &function.bootstrap, &variables, &log)?;
            let (_, took) = emulated
                .invoke(&function.event)
                .with_context(|| function.name.clone())?;
            init.push(milliseconds(emulated.init_time()?));
            first.push(milliseconds(took));
        }
    }
    println!(
        "Start, under AWS's Runtime Interface Emulator ({} runs)",
        arguments.runs
    );
    println!(
        "{:<16}{:>10}{:>10}{:>14}{:>18}{:>14}",
        "", "least ms", "x bare", "init ms", "first answer ms", "zipped KB"
    );
    // Of the least disturbed starts: the machine may have other work.
    let bare = least(&measured[0].0);
    for (function, (init, first)) in functions.iter().zip(&measured) {
        let ratio = least(init) / bare;
        println!(
            "{:<16}{:>10.1}{ratio:>10.2}{:>14.1}{:>18.1}{:>14.0}",
            function.name,
            least(init),
            median(init),
            median(first),
            zipped(&function.bootstrap)? / 1024.0
        );
        if ratio > BOUND {
            exceeded.push(format!(
                "init of {} is {ratio:.2} times the bare one's, the bound is {BOUND}",
                function.name
            ));
        }
    }
    Ok(())
}

struct Function {
    name: String,
    bootstrap: PathBuf,
    event: Value,
}

fn functions(arguments: &Arguments) -> Result<Vec<Function>> {
    let page = event("GET", "/widget/demo/", &[], "");
    let mut functions = vec![Function {
        name: "bare".into(),
        bootstrap: arguments.bare.clone(),
        event: page.clone(),
    }];
    let mut names: Vec<String> = std::fs::read_dir(&arguments.functions)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_>>()?;
    names.sort();
    for name in names {
        let bootstrap = arguments.functions.join(&name).join("bootstrap");
        let event = match name.as_str() {
            "widget-page" => page.clone(),
            "widget-init" => enrolment::initialize(),
            function @ ("enroll" | "replace" | "cancel") => {
                enrolment::describe(function, &enrolment::UNKNOWN_SESSION)
            }
            "purge" => serde_json::from_str(include_str!("../../../events/purge/schedule.json"))?,
            "settle" => serde_json::from_str(include_str!("../../../events/settle/queue.json"))?,
            "confirm" => {
                serde_json::from_str(include_str!("../../../events/confirm/unknown-confirmation.json"))?
            }
            other => bail!("there is no first event for the function '{other}'"),
        };
        functions.push(Function {
            name,
            bootstrap,
            event,
        });
    }
    Ok(functions)
}

/// As a zip stores it: deflate, without the few bytes of the archive around it.
fn zipped(file: &Path) -> Result<f64> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&std::fs::read(file).with_context(|| file.display().to_string())?)?;
    #[expect(clippy::cast_precision_loss, reason = "megabytes, printed as kilobytes")]
    Ok(encoder.finish()?.len() as f64)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

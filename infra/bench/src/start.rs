//! Time that a function takes to start and to give its first answer, beside a bare one in the same run; and its size.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use flate2::Compression;
use flate2::write::DeflateEncoder;

use crate::Arguments;
use crate::bounds::{self, Exceeded};
use crate::counting::Counting;
use crate::emulator::Emulated;
use crate::functions;
use crate::interactions;

/// Measures all functions in turn, run by run, so that the machine's moods meet all of them.
pub(crate) fn measure(arguments: &Arguments, aws: &Counting, exceeded: &mut Exceeded) -> Result<()> {
    let variables = interactions::variables(aws);
    let functions = functions::all(arguments)?;
    let mut measured: Vec<(Vec<f64>, Vec<f64>)> = vec![Default::default(); functions.len()];
    for _ in 0..arguments.runs {
        for (function, (init, first)) in functions.iter().zip(&mut measured) {
            let log = arguments.scratch.join(format!("{}.log", function.name));
            let emulated = Emulated::start(&arguments.emulator, &function.bootstrap, &variables, &log)?;
            let (_, took) = emulated
                .invoke(&function.event, function.caller)
                .with_context(|| function.name.clone())?;
            init.push(milliseconds(emulated.init_time()?));
            first.push(milliseconds(took));
        }
    }
    println!(
        "\nStart, under AWS's Runtime Interface Emulator ({} runs); times are not judged",
        arguments.runs
    );
    println!(
        "{:<16}{:>10}{:>10}{:>14}{:>18}{:>14}",
        "", "least ms", "x bare", "init ms", "first answer ms", "zipped KB"
    );
    // Of the least disturbed starts: the machine may have other work.
    let bare = least(&measured[0].0);
    for (function, (init, first)) in functions.iter().zip(&measured) {
        let size = zipped(&function.bootstrap)?;
        println!(
            "{:<16}{:>10.1}{:>10.2}{:>14.1}{:>18.1}{:>14}",
            function.name,
            least(init),
            least(init) / bare,
            median(init),
            median(first),
            size / 1024
        );
        exceeded.judge(&format!("bytes of {}, zipped", function.name), size, bounds::ZIP);
    }
    Ok(())
}

/// As a zip stores it: deflate, without the few bytes of the archive around it.
fn zipped(file: &Path) -> Result<usize> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&std::fs::read(file).with_context(|| file.display().to_string())?)?;
    Ok(encoder.finish()?.len())
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

//! Batches of an issuer's cards, from a CSV on the issuer's own machine.
//!
//! A file is checked as a whole, then read once more: window after window is cut into batches, encrypted for Mastercard and written to
//! a journal before anything of it is sent. What is on disk is ciphertext and ids. After an interruption the same command resumes.

mod arguments;
mod exchange;
mod folder;
mod journal;
mod key;
mod prepare;
mod progress;
mod service;

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail, ensure};
use card_file::{CheckOptions, CheckedFile, Window, create_private_file};
use enrollment::randomness::Randomness as _;
use mastercard::keys::PublicKey;
use platform::SystemRandomness;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::mpsc;

pub(crate) use arguments::{BatchCommand, RunArguments, SubmitArguments};

use crate::files;
use exchange::{End, Exchange, Extent, Tally};
use folder::{
    Folder, Run, Settings, Totals, WindowFiles, copy_rows, create_folder, sorted_rows, totals_at_end,
    totals_of,
};
use journal::{BatchState, Journal};
use prepare::{BatchEncryption, Source};
use progress::{Progress, grouped};
use service::Service;

/// Version of state folders and of the rules by which batches are cut. A run is finished by the version that began it.
const VERSION: u32 = 1;

/// Cards failed or are unknown.
const SOME_FAILED: u8 = 3;
/// Not every card has a result.
const NOT_FINISHED: u8 = 4;

const RESULT_HEADER: &str = "line,externalConsumerId,externalCardId,status,reason,retry,retryAfter,sibling";

/// Runs a command of `batch`.
pub(crate) async fn run(command: BatchCommand) -> Result<ExitCode> {
    let code = match command {
        BatchCommand::Submit(arguments) => submit(&arguments).await?,
        BatchCommand::Status { run } => status(&run).await?,
        BatchCommand::Results { run, output, wait } => results(&run, &output, wait).await?,
    };
    Ok(code.into())
}

async fn submit(arguments: &SubmitArguments) -> Result<u8> {
    let (Some(state), false) = (&arguments.state, arguments.check) else {
        return check_only(arguments);
    };
    let folder = Folder::lock(state)?;
    let begun = folder.run()?;
    let settings = settings(arguments, begun.as_ref()).await?;
    let service = service(
        &settings,
        arguments.key.as_deref(),
        arguments.token_key_id.clone(),
    )?;
    let mut window = Window::new();
    let Some(checked) = check(arguments, folder.path(), &mut window)? else {
        return Ok(1);
    };
    let run = begin(&folder, begun, settings, &checked)?;
    let extent = if arguments.no_wait {
        Extent::Submit
    } else {
        Extent::SubmitAndWait
    };
    let mut exchange = Exchange::resume(service, &folder, &run, extent, usize::from(arguments.parallel))?;

    let (sender, receiver) = mpsc::channel(1);
    let mut encryption = BatchEncryption::new(&run.settings, &run.file_digest)?;
    let source = Source {
        file: arguments.file.clone(),
        layout: run.settings.layout(),
        windows: checked.windows,
    };
    let path = folder.path().to_owned();
    let preparation =
        std::thread::spawn(move || prepare::prepare(&source, &path, &mut encryption, window, &sender));
    let phase = if arguments.no_wait {
        "submitting"
    } else {
        "enrolling"
    };
    let mut progress = Progress::begin(phase, run.cards, exchange.shown());
    let end = exchange.run(receiver, &mut progress).await;
    progress.end(exchange.shown(), "");
    // The receiver is gone: the thread ends with the window that it has in hand.
    drop(preparation);
    let code = concluded(&end?, exchange.tally, &run);
    if !arguments.no_wait {
        let output = arguments
            .results
            .clone()
            .unwrap_or_else(|| results_beside(&arguments.file));
        write_results(&folder, &run, &output)?;
    }
    Ok(code)
}

/// Reports the end of an exchange, and returns the exit code.
fn concluded(end: &End, tally: Tally, run: &Run) -> u8 {
    if let End::GaveUp(problem) = end {
        eprintln!("enrollctl: the service could not be used for a quarter of an hour; last: {problem}");
    }
    eprintln!("{}", summary(tally, run));
    match tally.results {
        results if results.sum() < run.cards => {
            eprintln!("not finished: repeat the same command, or use 'batch results --wait'");
            NOT_FINISHED
        }
        results if results.accepted < run.cards => SOME_FAILED,
        _ => 0,
    }
}

fn summary(tally: Tally, run: &Run) -> String {
    let Totals {
        accepted,
        failed,
        unknown,
    } = tally.results;
    format!(
        "{} cards: {} submitted; results: {} accepted, {} failed, {} unknown, {} to come",
        grouped(run.cards),
        grouped(tally.submitted),
        grouped(accepted),
        grouped(failed),
        grouped(unknown),
        grouped(run.cards.saturating_sub(tally.results.sum()))
    )
}

fn check_only(arguments: &SubmitArguments) -> Result<u8> {
    let mut name = [0; 16];
    SystemRandomness.fill(&mut name);
    let scratch = std::env::temp_dir().join(format!("enrollctl-check-{}", hex::encode(name)));
    create_folder(&scratch, false).with_context(|| scratch.display().to_string())?;
    let checked = check(arguments, &scratch, &mut Window::new());
    fs::remove_dir_all(&scratch).with_context(|| scratch.display().to_string())?;
    Ok(match checked? {
        Some(_) => 0,
        None => 1,
    })
}

/// Settings of the run: those that it was begun with, which the options must not contradict, or those of the options.
async fn settings(arguments: &SubmitArguments, begun: Option<&Run>) -> Result<Settings> {
    let (encryption_key, key_id) = match begun {
        // Mastercard's list may have another key by now, and its address may not answer.
        Some(run) => begun_key(arguments, &run.settings)?,
        None => key::find(arguments)
            .await?
            .map(|named| (named.key.to_pem(), named.id))
            .context("Mastercard's key is missing: add --key-list or --encryption-key")?,
    };
    let given = Settings {
        url: required(arguments.url.as_deref())?
            .trim_end_matches('/')
            .to_owned(),
        client: required(arguments.client.as_deref())?.to_owned(),
        label: arguments.run.clone(),
        encryption_key,
        key_id,
        content_encryption: arguments.content_encryption.clone(),
        card_id_name: arguments.card_id_name.clone(),
        range_digits: usize::from(arguments.range_digits),
        window_cards: usize::from(arguments.window),
        confirmation_url: arguments.confirmation_url.clone(),
    };
    if let Some(option) = begun.and_then(|run| run.settings.difference(&given)) {
        bail!("the run was begun with another {option}: use that one, or another --state");
    }
    Ok(given)
}

/// Key that a run was begun with, and its name. Options that name another key are refused.
fn begun_key(arguments: &SubmitArguments, settings: &Settings) -> Result<(String, String)> {
    if let Some(fingerprint) = &arguments.fingerprint {
        PublicKey::from_pem(&settings.encryption_key)?
            .verify_fingerprint(fingerprint)
            .context("the run was begun with another key: use its --fingerprint, or another --state")?;
    }
    let key_id = arguments.kid.as_ref().unwrap_or(&settings.key_id);
    Ok((settings.encryption_key.clone(), key_id.clone()))
}

/// Clap demands these options, except with `--check`.
fn required(option: Option<&str>) -> Result<&str> {
    option.context("an option is missing")
}

fn service(settings: &Settings, key: Option<&Path>, key_id: Option<String>) -> Result<Service> {
    let file = key.context("the option --key is missing")?;
    let pem = SecretString::from(files::sections(file)?);
    Service::new(
        &settings.url,
        &settings.client,
        pem.expose_secret().as_bytes(),
        key_id,
    )
    .with_context(|| file.display().to_string())
}

/// Begins a run, or checks that the file is still the one that it was begun with.
fn begin(folder: &Folder, begun: Option<Run>, settings: Settings, checked: &CheckedFile) -> Result<Run> {
    let file_digest = hex::encode(checked.digest.0);
    if let Some(run) = begun {
        ensure!(
            run.file_digest == file_digest,
            "the card file is not the one that this run was begun with: restore it, or use another --state"
        );
        return Ok(run);
    }
    let run = Run {
        version: VERSION,
        file_digest,
        cards: checked.cards,
        profiles: checked.profiles,
        windows: u32::try_from(checked.windows.len())?,
        settings,
    };
    folder.begin(&run)?;
    Ok(run)
}

/// Checks the card file; `None` where it has faults, which are reported.
fn check(arguments: &SubmitArguments, scratch: &Path, window: &mut Window) -> Result<Option<CheckedFile>> {
    let shown = arguments.file.display();
    let options = CheckOptions {
        layout: arguments.layout(),
        has_unique_card_ids: arguments.unique_ids,
        scratch: scratch.to_owned(),
        listed_faults: arguments.faults,
    };
    let mut progress = Progress::begin("checking", 0, 0);
    let checked = card_file::check(&arguments.file, &options, window, |cards| {
        progress.show(cards, "");
    })
    .with_context(|| shown.to_string())?;
    let faults = match checked {
        Ok(checked) => {
            progress.end(checked.cards, "");
            ensure!(checked.cards > 0, "{shown} has no cards");
            eprintln!(
                "{shown}: {} cards of {} consumers, no faults",
                grouped(checked.cards),
                grouped(checked.profiles)
            );
            return Ok(Some(checked));
        }
        Err(faults) => faults,
    };
    for fault in faults.listed() {
        eprintln!("{shown}: {fault}");
    }
    let count = faults.count();
    let unlisted = count - faults.listed().len() as u64;
    if unlisted > 0 {
        eprintln!("{shown}: … and {} more", grouped(unlisted));
    }
    let noun = if count == 1 { "fault" } else { "faults" };
    eprintln!("enrollctl: {} {noun}; nothing was submitted", grouped(count));
    Ok(None)
}

async fn status(arguments: &RunArguments) -> Result<u8> {
    let run = match &arguments.key {
        Some(key) => ask(arguments, key, Extent::AskOnce).await?,
        None => existing(&Folder::read(&arguments.state))?,
    };
    let tally = tally(&Folder::read(&arguments.state), &run)?;
    println!("{}", summary(tally, &run));
    Ok(code_of(tally.results, &run))
}

async fn results(arguments: &RunArguments, output: &Path, wait: bool) -> Result<u8> {
    let run = match &arguments.key {
        Some(key) => {
            let extent = if wait { Extent::Wait } else { Extent::AskOnce };
            ask(arguments, key, extent).await?
        }
        None => existing(&Folder::read(&arguments.state))?,
    };
    let folder = Folder::read(&arguments.state);
    write_results(&folder, &run, output)?;
    let tally = tally(&folder, &run)?;
    eprintln!("{}", summary(tally, &run));
    Ok(code_of(tally.results, &run))
}

fn code_of(results: Totals, run: &Run) -> u8 {
    match results {
        results if results.sum() < run.cards => NOT_FINISHED,
        results if results.accepted < run.cards => SOME_FAILED,
        _ => 0,
    }
}

/// Asks the service for the results of accepted batches.
async fn ask(arguments: &RunArguments, key: &Path, extent: Extent) -> Result<Run> {
    existing(&Folder::read(&arguments.state))?;
    let folder = Folder::lock(&arguments.state)?;
    let run = existing(&folder)?;
    let service = service(&run.settings, Some(key), arguments.token_key_id.clone())?;
    let mut exchange = Exchange::resume(service, &folder, &run, extent, 4)?;
    // Nothing is prepared.
    let (_, receiver) = mpsc::channel(1);
    let mut progress = Progress::begin("waiting", exchange.tally.submitted, exchange.shown());
    let end = exchange.run(receiver, &mut progress).await?;
    if extent == Extent::Wait {
        progress.end(exchange.shown(), "");
    }
    if let Some(problem) = exchange.problem(&end) {
        eprintln!("enrollctl: not every batch could be asked for; last: {problem}");
    }
    Ok(run)
}

fn existing(folder: &Folder) -> Result<Run> {
    let run = folder.run()?;
    run.with_context(|| format!("{} is not the state folder of a run", folder.path().display()))
}

/// Counts cards by the files of the folder.
fn tally(folder: &Folder, run: &Run) -> Result<Tally> {
    let mut tally = Tally::default();
    for window in 0..run.windows {
        match folder.window(window)? {
            WindowFiles::Absent => {}
            WindowFiles::Finished(results) => {
                let totals = totals_at_end(&results)?;
                tally.submitted += totals.sum();
                tally.results.add(totals);
            }
            WindowFiles::Open(path) => {
                let journal = Journal::open(&path)?;
                let sent = journal
                    .batches
                    .iter()
                    .filter(|batch| batch.state != BatchState::Prepared);
                tally.submitted += sent.map(|batch| u64::from(batch.place.cards)).sum::<u64>();
                tally.results.add(totals_of(&sorted_rows(&journal)?));
            }
        }
    }
    Ok(tally)
}

/// Writes the results that are known, in the order of the card file.
fn write_results(folder: &Folder, run: &Run, output: &Path) -> Result<()> {
    let shown = || output.display().to_string();
    if output == Path::new("-") {
        return copy_results(folder, run, &mut io::stdout().lock()).with_context(shown);
    }
    let temporary = output.with_extension("part");
    // It names the issuer's consumers and cards.
    let mut file = BufWriter::new(create_private_file(&temporary).with_context(shown)?);
    copy_results(folder, run, &mut file).with_context(shown)?;
    file.into_inner()
        .map_err(io::IntoInnerError::into_error)
        .and_then(|file| file.sync_all())
        .and_then(|()| fs::rename(&temporary, output))
        .with_context(shown)?;
    eprintln!("results: {}", output.display());
    Ok(())
}

fn copy_results(folder: &Folder, run: &Run, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{RESULT_HEADER}")?;
    for window in 0..run.windows {
        match folder.window(window)? {
            WindowFiles::Absent => {}
            WindowFiles::Finished(results) => copy_rows(&results, out)?,
            WindowFiles::Open(path) => {
                for row in sorted_rows(&Journal::open(&path)?)? {
                    writeln!(out, "{row}")?;
                }
            }
        }
    }
    out.flush()
}

/// `cards.csv` has its results in `cards.results.csv`.
fn results_beside(file: &Path) -> PathBuf {
    file.with_extension("results.csv")
}

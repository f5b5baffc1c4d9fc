//! The functions that were built, each with an event that it can answer on an empty system.

use std::path::PathBuf;

use anyhow::{Result, bail};
use serde_json::Value;

use crate::Arguments;
use crate::caller::Caller;
use crate::events;

/// A program to start.
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) bootstrap: PathBuf,
    /// Its first event.
    pub(crate) event: Value,
    /// Caller of the function.
    pub(crate) caller: Caller,
}

/// The bare function, then all others by name.
pub(crate) fn all(arguments: &Arguments) -> Result<Vec<Function>> {
    let page = events::page();
    let mut functions = vec![Function {
        name: "bare".into(),
        bootstrap: arguments.bare.clone(),
        event: page.clone(),
        caller: Caller::Gateway,
    }];
    let mut names: Vec<String> = std::fs::read_dir(&arguments.functions)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_>>()?;
    names.sort();
    for name in names {
        let (event, caller) = match name.as_str() {
            "widget-page" => (page.clone(), Caller::Gateway),
            "widget-init" => (events::opening(), Caller::Gateway),
            function @ ("enroll" | "replace" | "cancel") => {
                (events::unknown_session(function), Caller::Gateway)
            }
            "purge" => (
                serde_json::from_str(include_str!("../../../events/purge/schedule.json"))?,
                Caller::Schedule,
            ),
            "settle" => (
                serde_json::from_str(include_str!("../../../events/settle/queue.json"))?,
                Caller::Queue,
            ),
            "confirm" => (
                serde_json::from_str(include_str!("../../../events/confirm/unknown-confirmation.json"))?,
                Caller::Queue,
            ),
            "batch-intake" => (
                serde_json::from_str(include_str!(
                    "../../../events/batch-intake/read-batch-without-token.json"
                ))?,
                Caller::Gateway,
            ),
            "batch-submit" => (
                serde_json::from_str(include_str!("../../../events/batch-submit/unknown-batch.json"))?,
                Caller::Queue,
            ),
            "batch-poll" => (
                serde_json::from_str(include_str!("../../../events/batch-poll/schedule.json"))?,
                Caller::Schedule,
            ),
            other => bail!("there is no first event for the function '{other}'"),
        };
        functions.push(Function {
            bootstrap: arguments.functions.join(&name).join("bootstrap"),
            name,
            event,
            caller,
        });
    }
    Ok(functions)
}

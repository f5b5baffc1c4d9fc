//! The functions that were built, each with an event that it can answer on an empty system.

use std::path::PathBuf;

use anyhow::{Result, bail, ensure};
use serde_json::Value;

use crate::Arguments;
use crate::interactions::{self, event};

/// A program to start.
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) bootstrap: PathBuf,
    /// Its first event.
    pub(crate) event: Value,
    /// Caller of the function.
    pub(crate) caller: Caller,
}

/// Caller that is answered: the shape of the answer depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    /// API Gateway: a status.
    Gateway,
    /// SQS: the messages that have to come again.
    Queue,
    /// A schedule, which reads no answer.
    Schedule,
}

impl Caller {
    /// Refuses an answer that reports a failure, or is of another shape.
    pub(crate) fn check(self, answer: &Value) -> Result<()> {
        let is_good = match self {
            Self::Gateway => answer["statusCode"].as_u64().is_some_and(|status| status < 500),
            Self::Queue => answer["batchItemFailures"].as_array().is_some_and(Vec::is_empty),
            Self::Schedule => answer.is_null(),
        };
        ensure!(is_good, "the function failed, as {self:?} sees it");
        Ok(())
    }
}

/// The bare function, then all others by name.
pub(crate) fn all(arguments: &Arguments) -> Result<Vec<Function>> {
    let page = event("GET", "/widget/demo/", &[], "");
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
            "widget-init" => (interactions::opening(), Caller::Gateway),
            function @ ("enroll" | "replace" | "cancel") => {
                (interactions::of_unknown_session(function), Caller::Gateway)
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_empty_answer_is_good_for_a_schedule_alone() {
        assert!(Caller::Schedule.check(&Value::Null).is_ok());
        assert!(Caller::Gateway.check(&Value::Null).is_err());
        assert!(Caller::Queue.check(&Value::Null).is_err());
    }

    #[test]
    fn a_reported_failure_is_one_whoever_asked() {
        let error = json!({"errorType": "Unhandled", "errorMessage": "no"});
        for caller in [Caller::Gateway, Caller::Queue, Caller::Schedule] {
            assert!(caller.check(&error).is_err(), "{caller:?}");
        }
        assert!(Caller::Gateway.check(&json!({"statusCode": 503})).is_err());
        assert!(Caller::Gateway.check(&json!({"statusCode": 302})).is_ok());
        let again = json!({"batchItemFailures": [{"itemIdentifier": "1"}]});
        assert!(Caller::Queue.check(&again).is_err());
        assert!(Caller::Queue.check(&json!({"batchItemFailures": []})).is_ok());
    }
}

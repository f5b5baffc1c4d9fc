//! Callers of a function, and the answers that each of them takes for a success.

use anyhow::{Result, ensure};
use serde_json::Value;

/// Caller that is answered: the shape of the answer depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    /// API Gateway: a status.
    Gateway,
    /// SQS: the messages that are returned to the queue.
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

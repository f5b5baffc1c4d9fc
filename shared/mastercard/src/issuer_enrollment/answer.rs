//! Parsers of the API's answers, as [`IssuerEnrollmentClient`](super::IssuerEnrollmentClient) uses them. What an answer does
//! not say is unknown, never a success.

use serde_json::{Map, Value};

use super::{
    BatchReport, DeletedCard, Dialect, IssuerEnrollmentError, SubmittedBatch, dialect,
    error::{self, malformed},
    problem, report,
};
use crate::{failure::Unknown, http::Answer, json};

/// Parses the answer to a submission. It is a success only with Mastercard's id of the batch.
pub fn submitted(answer: &Answer, external_batch_id: &str) -> Result<SubmittedBatch, IssuerEnrollmentError> {
    let document = success(answer)?;
    let object = unwrap(&document, dialect::BATCH_IDS)?;
    if let Some(id) = json::member(object, dialect::EXTERNAL_BATCH_IDS)
        && json::id(id).as_deref() != Some(external_batch_id)
    {
        return Err(malformed("an answer about another batch"));
    }
    match json::member(object, dialect::BATCH_IDS).and_then(json::id) {
        Some(batch_id) => Ok(SubmittedBatch { batch_id }),
        None if problem::of_document(&document).is_some() => Err(error::read(answer, Some(&document))),
        None => Err(malformed("no usable batchId")),
    }
}

/// Parses the answer to a status request.
pub fn reported(
    answer: &Answer,
    dialect: Dialect,
    batch_id: &str,
) -> Result<BatchReport, IssuerEnrollmentError> {
    let document = success(answer)?;
    let object = unwrap(&document, dialect::BATCH_STATUSES)?;
    if let Some(id) = json::member(object, dialect::BATCH_IDS)
        && json::id(id).as_deref() != Some(batch_id)
    {
        return Err(malformed("an answer about another batch"));
    }
    match report::read(object, dialect.names()) {
        Ok(report) => Ok(report),
        Err(_) if problem::of_document(&document).is_some() => Err(error::read(answer, Some(&document))),
        Err(fault) => Err(malformed(fault)),
    }
}

/// Parses the answer to a deletion: 200 or 204, empty or with an object that has no error and no status other than one of
/// success. 202 says that the card is still there. A card that the service does not have is deleted.
pub fn deleted(answer: &Answer) -> Result<DeletedCard, IssuerEnrollmentError> {
    let document = document(answer)?;
    match (answer.status, &document) {
        (200 | 204, None) => Ok(DeletedCard::Deleted),
        (200 | 204, Some(body @ Value::Object(_)))
            if problem::of_document(body).is_none() && !states_no_deletion(body)? =>
        {
            Ok(DeletedCard::Deleted)
        }
        (200..=299, _) => Err(error::read(answer, document.as_ref())),
        _ => match error::read(answer, document.as_ref()) {
            IssuerEnrollmentError::Refused(refusal) if refusal.says_not_found() => Ok(DeletedCard::NotFound),
            error => Err(error),
        },
    }
}

/// Whether the body of a deletion has a status that is no known word of success or deletion, such as `IN_PROGRESS`.
fn states_no_deletion(body: &Value) -> Result<bool, IssuerEnrollmentError> {
    let object = unwrap(body, dialect::RECORD_STATUSES)?;
    let mut statuses = dialect::RECORD_STATUSES
        .iter()
        .filter_map(|name| object.get(*name)?.as_str())
        .map(report::word);
    Ok(statuses.any(|status| {
        let status = status.as_str();
        !dialect::RECORD_SUCCESSES.contains(&status) && !dialect::DELETIONS.contains(&status)
    }))
}

/// Returns the document of an answer with a status of success.
fn success(answer: &Answer) -> Result<Value, IssuerEnrollmentError> {
    let document = document(answer)?;
    if !(200..300).contains(&answer.status) || answer.status == 206 {
        return Err(error::read(answer, document.as_ref()));
    }
    document.ok_or(malformed("an empty body"))
}

/// Returns the document, if there is one that can be read. Without a success its faults do not count.
fn document(answer: &Answer) -> Result<Option<Value>, IssuerEnrollmentError> {
    match json::document(answer) {
        Ok(document) => Ok(document),
        Err(fault) if (200..300).contains(&answer.status) => Err(IssuerEnrollmentError::Unknown {
            reason: Unknown::Malformed(fault),
            retry_after: None,
        }),
        Err(_) => Ok(None),
    }
}

/// Returns the object that has one of the members: the document, the only item of a list, or the only object in it.
fn unwrap<'a>(document: &'a Value, names: &[&str]) -> Result<&'a Map<String, Value>, IssuerEnrollmentError> {
    let document = match document {
        Value::Array(items) if items.len() == 1 => &items[0],
        other => other,
    };
    let object = document.as_object().ok_or_else(|| malformed("not an object"))?;
    if json::member(object, names).is_some() {
        return Ok(object);
    }
    let mut inner = object.values().filter_map(Value::as_object);
    match (inner.next(), inner.next()) {
        (Some(only), None) if json::member(only, names).is_some() => Ok(only),
        _ => Ok(object),
    }
}

#[cfg(test)]
mod tests;

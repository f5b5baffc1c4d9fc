//! Rules of the API: submitting a batch, asking for its status, deleting a card.

use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use super::batches::{Batch, Batches, Company, Deletion, Outcome, Record, digital_card_id, flow_id, uuid};
use super::content::{Card, Consumer, Content, ContentFault};
use super::encryption::JweError;
use super::test_cards::{CardEffect, effect_of};
use super::{ISSUERS, Issuer, IssuerEnrollment, Mode, RANGES};
use crate::card_number::CardNumber;
use crate::faults::{ServiceError, detailed, plain};

/// Refusal of a request: an error of the service, with details where they are more than one.
pub(super) struct Refused {
    pub(super) error: ServiceError,
    pub(super) details: Vec<ContentFault>,
}

/// Request to submit a batch.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Submission {
    #[serde(alias = "externalBatchID")]
    pub(super) external_batch_id: String,
    src_client_id: String,
    service_id: String,
    enrollment_data: String,
}

/// Query of a deletion.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeletionQuery {
    src_client_id: Option<String>,
    service_id: Option<String>,
    src_correlation_id: Option<String>,
    reason: Option<String>,
    requestor: Option<String>,
}

impl From<ServiceError> for Refused {
    fn from(error: ServiceError) -> Self {
        Self {
            error,
            details: Vec::new(),
        }
    }
}

impl IssuerEnrollment {
    /// Accepts a batch and returns its ids: (`batchId`, flow id).
    pub(super) fn submit(&self, submission: &Submission) -> Result<(String, String), Refused> {
        let issuer = issuer(Some(&submission.src_client_id), Some(&submission.service_id))?;
        let id_length = submission.external_batch_id.chars().count();
        if !(1..=64).contains(&id_length) {
            return Err(of("externalBatchId", "INVALID_FORMAT"));
        }
        let mut digest = [0; 32];
        digest.copy_from_slice(&Sha256::digest(submission.enrollment_data.as_bytes()));
        if let Some(known) = self
            .batches()
            .by_external_id(issuer.src_client_id, &submission.external_batch_id)
        {
            return repeated(known, &digest);
        }
        let plaintext = self
            .key
            .open(&submission.enrollment_data)
            .map_err(|error| match error {
                JweError::Form => of("enrollmentData", "INVALID_FORMAT"),
                JweError::Algorithm => of("enrollmentData", "INVALID_VALUE"),
                JweError::Key => detailed(403, "PERMISSION_DENIED", "NOT_FOUND").into(),
                JweError::Decryption => of("enrollmentData", "CORRUPT_DATA"),
            })?;
        let content = Content::parse(&plaintext, self.settings().dialect, self.clock.month());
        let Content(consumers) = content.map_err(|details| Refused {
            error: plain(400, "INVALID_ARGUMENT"),
            details,
        })?;
        let started = Instant::now();
        let batch = Batch {
            batch_id: uuid(),
            external_batch_id: submission.external_batch_id.clone(),
            src_client_id: issuer.src_client_id.to_owned(),
            flow_id: flow_id(),
            digest,
            started,
            started_at: self.clock.rfc3339(),
            ready: started + self.work(),
            submissions: 1,
            polls: 0,
            records: consumers
                .iter()
                .flat_map(|consumer| records(consumer, issuer.mode))
                .collect(),
        };
        added(&mut self.batches(), batch)
    }

    /// Deletes a card.
    pub(super) fn delete(&self, id: &str, query: &DeletionQuery) -> Result<(), Refused> {
        let issuer = issuer(query.src_client_id.as_deref(), query.service_id.as_deref())?;
        let is_uuid = |text: &str| text.len() == 36 && text.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
        if query.src_correlation_id.as_deref().is_some_and(|id| !is_uuid(id)) {
            return Err(of("srcCorrelationId", "INVALID_FORMAT"));
        }
        let is_one_of = |value: &Option<String>, known: &[&str]| {
            value.as_deref().is_none_or(|value| known.contains(&value))
        };
        if !is_one_of(
            &query.reason,
            &["SUSPECTED_FRAUD", "ACCOUNT_CLOSED", "OTHER", "DEFAULT"],
        ) {
            return Err(of("reason", "INVALID_VALUE"));
        }
        if !is_one_of(&query.requestor, &["CARDHOLDER", "MERCHANT", "ISSUER", "WALLET"]) {
            return Err(of("requestor", "INVALID_VALUE"));
        }
        match self.batches().delete_card(issuer.src_client_id, id) {
            Deletion::Done => Ok(()),
            Deletion::NotFound => Err(plain(404, "NOT_FOUND").into()),
        }
    }
}

/// Adds a batch, unless the same one was added while this one was decrypted.
fn added(batches: &mut Batches, batch: Batch) -> Result<(String, String), Refused> {
    if let Some(known) = batches.by_external_id(&batch.src_client_id, &batch.external_batch_id) {
        return repeated(known, &batch.digest);
    }
    let ids = (batch.batch_id.clone(), batch.flow_id.clone());
    batches.add(batch);
    Ok(ids)
}

/// Answers a batch that is there already.
fn repeated(known: &mut Batch, digest: &[u8; 32]) -> Result<(String, String), Refused> {
    known.submissions += 1;
    if known.digest == *digest {
        Ok((known.batch_id.clone(), known.flow_id.clone()))
    } else {
        Err(plain(409, "ALREADY_EXISTS").into())
    }
}

/// The issuer of a request, known by both ids.
fn issuer(src_client_id: Option<&str>, service_id: Option<&str>) -> Result<&'static Issuer, Refused> {
    let src_client_id = src_client_id.ok_or_else(|| of("srcClientId", "CANNOT_BE_NULL"))?;
    let service_id = service_id.ok_or_else(|| of("serviceId", "CANNOT_BE_NULL"))?;
    let issuer = ISSUERS
        .iter()
        .find(|issuer| issuer.src_client_id == src_client_id)
        .ok_or_else(|| unknown("srcClientId"))?;
    if issuer.service_id == service_id {
        Ok(issuer)
    } else {
        Err(unknown("serviceId"))
    }
}

fn of(source: &str, reason: &'static str) -> Refused {
    Refused {
        error: plain(400, "INVALID_ARGUMENT"),
        details: vec![ContentFault {
            source: source.to_owned(),
            reason,
        }],
    }
}

fn unknown(source: &str) -> Refused {
    Refused {
        error: plain(400, "INVALID_STATE"),
        details: vec![ContentFault {
            source: source.to_owned(),
            reason: "NOT_FOUND",
        }],
    }
}

/// Results of a consumer's cards. Where tokens are made at once, a profile exists only if all of its cards have one: a card
/// that could have had one fails without an error of its own (**assumption**).
fn records(consumer: &Consumer, mode: Mode) -> Vec<Record> {
    let mut outcomes: Vec<Outcome> = consumer.cards.iter().map(|card| outcome(card, mode)).collect();
    let has_failure = outcomes
        .iter()
        .any(|outcome| matches!(outcome, Outcome::Failure(_)));
    if mode == Mode::Immediate && has_failure {
        for outcome in &mut outcomes {
            if *outcome == Outcome::Success {
                *outcome = Outcome::Failure(None);
            }
        }
    }
    let src_consumer_id = (mode != Mode::PreProvisioned).then(uuid);
    consumer
        .cards
        .iter()
        .zip(outcomes)
        .map(|(card, outcome)| {
            let is_success = outcome == Outcome::Success;
            Record {
                external_consumer_id: consumer.external_consumer_id.clone(),
                external_card_id: card.external_card_id.clone(),
                last_four: card.last_four.clone(),
                // A pre-provisioned card waits in a database of its own.
                src_digital_card_id: (is_success && mode != Mode::PreProvisioned).then(digital_card_id),
                src_consumer_id: src_consumer_id.clone().filter(|_| is_success),
                outcome,
                company: company(card),
            }
        })
        .collect()
}

fn outcome(card: &Card, mode: Mode) -> Outcome {
    let failed = |reason: &'static str| Outcome::Failure(Some(detailed(400, "INVALID_STATE", reason)));
    let Some(number) = &card.number else {
        return failed("INVALID_PAN");
    };
    if !is_in_range(number) {
        return failed("ACCOUNT_RANGE_NOT_FOUND");
    }
    if card.is_expired {
        return failed("EXPIRED");
    }
    match effect_of(number) {
        CardEffect::Failure(error) => Outcome::Failure(Some(error)),
        CardEffect::NoToken(error) if mode == Mode::Immediate => Outcome::Failure(Some(error)),
        CardEffect::NullReason => Outcome::Failure(None),
        CardEffect::LeftOut => Outcome::LeftOut,
        CardEffect::Unstated => Outcome::Unstated,
        CardEffect::Contradictory => Outcome::Contradictory(detailed(400, "INVALID_STATE", "PAN_INELIGIBLE")),
        CardEffect::Success | CardEffect::NoToken(_) | CardEffect::ForeignId | CardEffect::Duplicate => {
            Outcome::Success
        }
    }
}

fn company(card: &Card) -> Company {
    match card.number.as_ref().map(effect_of) {
        Some(CardEffect::Duplicate) => Company::Itself,
        Some(CardEffect::ForeignId) => Company::Foreign,
        _ => Company::Nothing,
    }
}

fn is_in_range(number: &CardNumber) -> bool {
    RANGES.iter().any(|(from, to)| number.is_between(from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(digest: u8) -> Batch {
        let started = Instant::now();
        Batch {
            batch_id: uuid(),
            external_batch_id: "external".to_owned(),
            src_client_id: "issuer".to_owned(),
            flow_id: flow_id(),
            digest: [digest; 32],
            started,
            started_at: String::new(),
            ready: started,
            submissions: 1,
            polls: 0,
            records: Vec::new(),
        }
    }

    #[test]
    fn batch_that_came_twice_at_a_time_is_added_once() {
        let mut batches = Batches::default();
        let first = added(&mut batches, batch(1)).ok();
        assert!(first.is_some());
        assert_eq!(added(&mut batches, batch(1)).ok(), first);
        let other = added(&mut batches, batch(2)).err();
        assert!(other.is_some_and(|refused| refused.error == plain(409, "ALREADY_EXISTS")));
        assert_eq!(batches.views().len(), 1);
    }
}

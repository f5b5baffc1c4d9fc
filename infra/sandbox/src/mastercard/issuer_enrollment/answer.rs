//! Answers of the API, in the forms that services give them.

use std::io::Write as _;

use axum::response::{IntoResponse as _, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{CONTENT_ENCODING, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use http::{HeaderName as Name, StatusCode};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::batches::{Batch, Company, Outcome, Record, digital_card_id, uuid};
use super::rules::Refused;
use super::{Dialect, IssuerSettings, Wrapping};
use crate::faults::{Answer, Form, RetryAfter, ServiceError};

const JSON: &str = "application/json";

/// Header that binds the calls of a flow to one site.
pub(super) const FLOW_ID: HeaderName = Name::from_static("x-src-cx-flow-id");

/// Writes answers by the settings and the ordered form.
#[derive(Clone, Copy)]
pub(super) struct Writer {
    pub(super) settings: IssuerSettings,
    pub(super) form: Option<Form>,
}

impl Writer {
    /// 202 to a batch.
    pub(super) fn submitted(self, batch_id: &str, external_batch_id: &str, flow_id: &str) -> Answer {
        let external = if self.is(Form::OtherSpellings) {
            "externalBatchID"
        } else {
            "externalBatchId"
        };
        let batch_id = if self.is(Form::OtherBatch) {
            uuid()
        } else {
            batch_id.to_owned()
        };
        let external_id = if self.is(Form::OtherBatch) {
            "another"
        } else {
            external_batch_id
        };
        let body = json!({ "batchId": batch_id, external: external_id });
        with_flow(self.answer(StatusCode::ACCEPTED, body), flow_id)
    }

    /// 200 with the status of a batch.
    pub(super) fn status(self, batch: &Batch) -> Answer {
        let is_final = batch.is_final();
        let mut body = Map::new();
        let batch_id = if self.is(Form::OtherBatch) {
            uuid()
        } else {
            batch.batch_id.clone()
        };
        let (id, external) = if self.is(Form::OtherSpellings) {
            ("batchID", "externalBatchID")
        } else {
            ("batchId", "externalBatchId")
        };
        body.insert(id.to_owned(), json!(batch_id));
        body.insert(external.to_owned(), json!(batch.external_batch_id));
        body.insert(
            "batchStatus".to_owned(),
            json!(self.batch_status(batch, is_final)),
        );
        body.insert("batchStartTime".to_owned(), json!(sql_time(&batch.started_at)));
        if is_final {
            let (name, records) = self.records(batch);
            body.insert("errorMessage".to_owned(), Value::Null);
            body.insert(
                "processedIn".to_owned(),
                json!(batch.worked().as_millis().to_string()),
            );
            body.insert(name.to_owned(), Value::Array(records));
        }
        with_flow(self.answer(StatusCode::OK, Value::Object(body)), &batch.flow_id)
    }

    /// 200 to a deletion.
    pub(super) fn deleted(self) -> Answer {
        self.answer(StatusCode::OK, json!({"srcCorrelationId": uuid()}))
    }

    /// Error of the service.
    pub(super) fn refused(self, refused: &Refused) -> Answer {
        let ServiceError {
            status,
            reason,
            detail,
        } = refused.error;
        let mut details: Vec<Value> = refused
            .details
            .iter()
            .map(|fault| json!({"reason": fault.reason, "sourceType": "BODY", "message": "see reason", "source": fault.source}))
            .collect();
        if let Some(detail) = detail {
            details.push(json!({"reason": detail, "sourceType": "BODY", "message": "see reason", "source": "enrollmentData"}));
        }
        let error = self.error(status, reason, &details);
        let code = if self.is(Form::Error200) { 200 } else { status };
        self.answer(
            StatusCode::from_u16(code).unwrap_or(StatusCode::BAD_REQUEST),
            error,
        )
    }

    /// Error of the service, on demand.
    pub(super) fn ordered(self, error: ServiceError, retry_after: Option<RetryAfter>, now: u64) -> Answer {
        with_retry_after(self.refused(&error.into()), retry_after, now)
    }

    pub(super) fn throttled(self, retry_after: Option<RetryAfter>, now: u64) -> Answer {
        let error = self.error(429, "RESOURCE_EXHAUSTED", &[]);
        with_retry_after(
            self.answer(StatusCode::TOO_MANY_REQUESTS, error),
            retry_after,
            now,
        )
    }

    fn is(self, form: Form) -> bool {
        self.form == Some(form)
    }

    fn batch_status(self, batch: &Batch, is_final: bool) -> &'static str {
        if self.is(Form::UnknownStatus) {
            return "ON_HOLD";
        }
        let has_failure = batch
            .records
            .iter()
            .any(|record| record.outcome != Outcome::Success);
        match (is_final, has_failure) {
            (false, _) => "IN_PROGRESS",
            (true, true) => "COMPLETED_WITH_ERRORS",
            (true, false) => "COMPLETED_SUCCESSFULLY",
        }
    }

    /// The records, in an order of the stand-in's own: by the end of the card's id.
    fn records(self, batch: &Batch) -> (&'static str, Vec<Value>) {
        let mut records: Vec<&Record> = batch.records.iter().collect();
        records.sort_by_key(|record| record.external_card_id.chars().rev().collect::<String>());
        if self.is(Form::Reordered) {
            records.reverse();
        }
        if self.is(Form::MissingItems) {
            return ("items", Vec::new());
        }
        if self.is(Form::Nested) {
            return ("consumers", self.nested(&records));
        }
        let mut items = Vec::new();
        for record in records {
            let Some(item) = self.record(record, true) else {
                continue;
            };
            if record.company == Company::Itself {
                items.push(item.clone());
            }
            items.push(item);
            if record.company == Company::Foreign {
                items.push(self.foreign());
            }
            if self.is(Form::Contradictions) {
                items.extend(self.opposite(record));
            }
        }
        if self.is(Form::ForeignIds) {
            items.push(self.foreign());
        }
        let name = if self.is(Form::OtherSpellings) {
            "records"
        } else {
            "items"
        };
        (name, items)
    }

    fn nested(self, records: &[&Record]) -> Vec<Value> {
        let mut consumers: Vec<(&str, Vec<Value>, Option<&str>)> = Vec::new();
        for record in records {
            let Some(item) = self.record(record, false) else {
                continue;
            };
            let id = record.external_consumer_id.as_str();
            if let Some((_, cards, src_id)) = consumers.iter_mut().find(|(known, ..)| *known == id) {
                cards.push(item);
                *src_id = src_id.or(record.src_consumer_id.as_deref());
            } else {
                consumers.push((id, vec![item], record.src_consumer_id.as_deref()));
            }
        }
        consumers
            .into_iter()
            .map(|(id, cards, src_id)| json!({"externalConsumerId": id, "srcConsumerId": src_id, "cards": cards}))
            .collect()
    }

    /// The record of a card, or none where the answer leaves it out.
    fn record(self, record: &Record, with_consumer: bool) -> Option<Value> {
        let (success, failure) = if self.is(Form::OtherSpellings) {
            ("SUCCESS", "FAILURE")
        } else {
            ("SUCCESSFUL", "FAILED")
        };
        let (status, error) = match record.outcome {
            Outcome::LeftOut => return None,
            Outcome::Success => (json!(success), Value::Null),
            Outcome::Failure(error) => (
                json!(failure),
                error.map_or(Value::Null, |error| self.item_error(error)),
            ),
            Outcome::Unstated => (Value::Null, Value::Null),
            Outcome::Contradictory(error) => (json!(success), self.item_error(error)),
        };
        let mut item = Map::new();
        if with_consumer {
            item.insert(
                "externalConsumerId".to_owned(),
                json!(record.external_consumer_id),
            );
            item.insert("srcConsumerId".to_owned(), json!(record.src_consumer_id));
        }
        item.insert(self.card_id().to_owned(), json!(record.external_card_id));
        item.insert("srcDigitalCardId".to_owned(), json!(record.src_digital_card_id));
        item.insert("status".to_owned(), status);
        item.insert("error".to_owned(), error);
        // Members that say nothing are left out as often as they are null.
        if self.is(Form::ExtraMembers) {
            item.insert("cardArtUri".to_owned(), json!(["https://example.com/art.png"]));
        } else {
            item.retain(|name, value| !value.is_null() || name == "error");
        }
        Some(Value::Object(item))
    }

    fn foreign(self) -> Value {
        json!({self.card_id(): "nobody-sent-this", "externalConsumerId": "nobody", "status": "SUCCESSFUL", "error": null,
            "srcDigitalCardId": digital_card_id(), "srcConsumerId": uuid()})
    }

    fn opposite(self, record: &Record) -> Option<Value> {
        let outcome = match record.outcome {
            Outcome::Success => Outcome::Failure(None),
            _ => Outcome::Success,
        };
        self.record(
            &Record {
                outcome,
                ..record.clone()
            },
            true,
        )
    }

    fn card_id(self) -> &'static str {
        let is_legacy = (self.settings.dialect == Dialect::Legacy) != self.is(Form::OtherDialect);
        if is_legacy {
            "externalCardId"
        } else {
            "externalCredentialId"
        }
    }

    fn item_error(self, error: ServiceError) -> Value {
        let detail = error.detail.map(|detail| {
            json!({"reason": detail, "sourceType": "DOWNSTREAM", "message": "see reason", "source": "primaryAccountNumber"})
        });
        self.error(error.status, error.reason, detail.as_slice())
    }

    /// An error in the settings' wrapping, or in the ordered form.
    fn error(self, status: u16, reason: &str, details: &[Value]) -> Value {
        if self.is(Form::GatewayErrors) {
            let code = details
                .first()
                .and_then(|detail| detail["reason"].as_str())
                .unwrap_or(reason);
            return json!({"Errors": [{"Error": {"Source": "SRC", "ReasonCode": code, "Description": "see code",
                "Recoverable": status >= 500, "Details": null}}]});
        }
        let error = if self.is(Form::Details) && !details.is_empty() {
            json!({"status": status.to_string(), "reason": null, "message": "see details", "details": details})
        } else {
            json!({"status": status, "reason": reason, "message": "see reason", "errordetail": details})
        };
        let is_wrapped = (self.settings.wrapping == Wrapping::Error) != self.is(Form::OtherWrapping);
        if is_wrapped {
            json!({ "error": error })
        } else {
            error
        }
    }

    /// A document in the ordered form of its bytes.
    fn answer(self, status: StatusCode, body: Value) -> Answer {
        let body = match self.form {
            Some(Form::Wrapped) => json!({ "response": body }),
            Some(Form::Listed) => json!([body]),
            _ => body,
        };
        let text = match self.form {
            Some(Form::Pretty) => serde_json::to_string_pretty(&body)
                .unwrap_or_default()
                .replace('\n', "\r\n"),
            Some(Form::MemberTwice) => {
                body.to_string()
                    .replacen('{', r#"{"batchId":"twice","batchStatus":"FAILED","#, 1)
            }
            Some(Form::Html) => {
                return Answer::text(
                    StatusCode::OK,
                    "text/html",
                    "<html><body>OK</body></html>".to_owned(),
                );
            }
            Some(Form::EmptyBody) => return Answer::text(StatusCode::OK, JSON, String::new()),
            _ => body.to_string(),
        };
        let mut answer = match self.form {
            Some(Form::ByteOrderMark) => Answer::text(status, JSON, format!("\u{feff}{text}")),
            Some(Form::Utf16) => {
                let units = "\u{feff}".encode_utf16().chain(text.encode_utf16());
                Answer::bytes(status, JSON, units.flat_map(u16::to_le_bytes).collect())
            }
            Some(Form::Charset) => Answer::text(status, "text/plain; charset=ISO-8859-1", text),
            Some(Form::Gzip) => {
                let mut answer = Answer::bytes(status, JSON, gzip(text.as_bytes()));
                answer
                    .headers
                    .insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                answer
            }
            _ => Answer::text(status, JSON, text),
        };
        if self.is(Form::ExtraMembers) {
            answer.headers.insert(
                "x-src-response-host",
                HeaderValue::from_static("https://localhost:8703"),
            );
        }
        answer
    }
}

/// Sends an answer without a length.
pub(super) fn in_chunks(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    parts.headers.remove(http::header::CONTENT_LENGTH);
    // A body that is mapped does not know its length.
    let body = axum::body::Body::new(body.map_frame(std::convert::identity));
    (parts, body).into_response()
}

/// A gateway's refusal of a caller, in a list.
pub(super) fn unauthenticated(reason: &str, description: &str) -> Answer {
    let error = json!({"Errors": {"Error": [{"Source": "Gateway", "ReasonCode": reason, "Description": description,
        "Recoverable": false, "Details": null}]}});
    let status = if reason == "INVALID_BODY_HASH" {
        StatusCode::BAD_REQUEST
    } else {
        StatusCode::UNAUTHORIZED
    };
    Answer::text(status, JSON, error.to_string())
}

fn with_flow(mut answer: Answer, flow_id: &str) -> Answer {
    if let Ok(value) = HeaderValue::from_str(flow_id) {
        answer.headers.insert(FLOW_ID, value);
    }
    answer
}

fn with_retry_after(mut answer: Answer, retry_after: Option<RetryAfter>, now: u64) -> Answer {
    let Some(RetryAfter { seconds, as_date }) = retry_after else {
        return answer;
    };
    let value = if as_date {
        let time = i64::try_from(now).unwrap_or_default() + i64::from(seconds);
        Timestamp::from_second(time)
            .map(|time| time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
            .unwrap_or_default()
    } else {
        seconds.to_string()
    };
    let headers: &mut HeaderMap = &mut answer.headers;
    if let Ok(value) = HeaderValue::from_str(&value) {
        headers.insert(RETRY_AFTER, value);
    }
    answer
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let written = encoder.write_all(body);
    written.and_then(|()| encoder.finish()).unwrap_or_default()
}

/// `yyyy-MM-dd HH:mm:ss.S`, without a zone, as the sibling specification writes it.
fn sql_time(rfc3339: &str) -> String {
    rfc3339.replace('T', " ").trim_end_matches('Z').to_owned()
}

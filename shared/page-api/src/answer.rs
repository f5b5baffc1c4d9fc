//! From the flow's results to HTTP: what the page reads.

use enrollment::action::ActionCode;
use enrollment::client::{Document, Field, Fields};
use enrollment::ending::Ending;
use enrollment::flows::describe::{Choice, Form};
use enrollment::flows::extend::Extension;
use enrollment::flows::submission::{self, FieldError};
use enrollment::flows::submit::SubmitError;
use enrollment::identifiers::IncidentId;
use enrollment::intent::Card;
use enrollment::log::{LogText, error, info};
use enrollment::ports::EncryptionKey;
use enrollment::reason::Reason;
use enrollment::status::Status;
use lambda_http::http::response::Builder;
use lambda_http::http::{StatusCode, header};
use lambda_http::{Body, Response};
use serde::Serialize;

use crate::handler::Refused;

/// Seconds until the page asks again for an outcome that is open.
const ASK_AGAIN: u32 = 2;

/// What the form is made from.
pub(crate) fn form(action: ActionCode, form: &Form) -> Response<Body> {
    let fields = submission::fields(&form.client, action);
    let Fields { terms, privacy, .. } = fields;
    let body = FormBody {
        action: action.as_str(),
        cards: cards(&form.choice),
        fields,
        terms: form.client.terms.as_ref().filter(|_| terms != Field::Hidden),
        privacy: form.client.privacy.as_ref().filter(|_| privacy != Field::Hidden),
        bin_ranges: form
            .program
            .bin_ranges
            .iter()
            .map(|range| RangeBody {
                from: range.from(),
                to: range.to(),
            })
            .collect(),
        encryption_key: &form.key,
        attempts_left: form.choice.attempts_left,
        expires_at: form.choice.expires_at.as_second(),
        extensions_left: form.choice.extensions_left,
    };
    json(StatusCode::OK, "application/json", &body)
}

/// The cards that may be opted out.
pub(crate) fn opt_out(choice: &Choice) -> Response<Body> {
    let body = OptOutBody {
        action: ActionCode::OptOut.as_str(),
        cards: cards(choice),
        attempts_left: choice.attempts_left,
        expires_at: choice.expires_at.as_second(),
        extensions_left: choice.extensions_left,
    };
    json(StatusCode::OK, "application/json", &body)
}

fn cards(choice: &Choice) -> Vec<CardBody<'_>> {
    choice.cards.iter().map(CardBody::of).collect()
}

/// The event of the widget document (`docs/sources.md#widget`), with what the page needs beside it in headers.
pub(crate) fn ending(
    ending: &Ending,
    incident: &IncidentId,
    attempts_left: u32,
    reason: Option<Reason>,
) -> Response<Body> {
    let builder = base(StatusCode::OK, "application/json")
        .header("incident-id", incident.as_str())
        .header("attempts-left", attempts_left);
    finish(because(builder, reason), ending.to_json())
}

/// The new end of the session.
pub(crate) fn extension(extension: Extension) -> Response<Body> {
    let body = ExtensionBody {
        expires_at: extension.expires_at.as_second(),
        extensions_left: extension.extensions_left,
    };
    json(StatusCode::OK, "application/json", &body)
}

/// The reason stands beside the event, whose members are those of the widget document.
fn because(builder: Builder, reason: Option<Reason>) -> Builder {
    match reason {
        Some(reason) => builder.header("ending-reason", reason.as_str()),
        None => builder,
    }
}

/// The outcome is open: ask again.
pub(crate) fn open() -> Response<Body> {
    finish(
        base(StatusCode::ACCEPTED, "application/json").header(header::RETRY_AFTER, ASK_AGAIN),
        "{}".into(),
    )
}

/// Places of a submission, which are the rules' own and never the request's.
fn pointers(faults: &[FieldError]) -> Option<LogText> {
    let mut pointers = faults.iter().map(|fault| fault.pointer);
    let first = LogText::from(pointers.next()?);
    Some(pointers.fold(first, LogText::with))
}

/// The one table from refusals to HTTP. What went wrong inside is logged here, once, under the incident id.
pub(crate) fn refusal(refused: &Refused, incident: &IncidentId) -> Response<Body> {
    match refused {
        Refused::Flow(SubmitError::Store(cause)) => error!(error = cause, "request failed"),
        Refused::Flow(SubmitError::Invalid(faults)) => {
            info!(pointers = pointers(faults), reason = refused, "request refused");
        }
        _ => info!(reason = refused, "request refused"),
    }
    let none: &[FieldError] = &[];
    let (status, title, faults) = match refused {
        Refused::Flow(SubmitError::SessionEnded) => {
            return event(StatusCode::UNAUTHORIZED, Status::TokenExpired, incident, None);
        }
        Refused::Flow(SubmitError::Suspended) => {
            let reason = Some(Reason::Suspended);
            return event(StatusCode::UNAUTHORIZED, Status::TokenExpired, incident, reason);
        }
        Refused::Flow(SubmitError::WrongAction(action)) => {
            // The page can't know what its session is for.
            let builder = base(StatusCode::FORBIDDEN, "application/json")
                .header("incident-id", incident.as_str())
                .header("session-action", action.as_str());
            return finish(builder, Ending::bare(Status::AccessDenied).to_json());
        }
        Refused::Method => (StatusCode::METHOD_NOT_ALLOWED, "Use GET or POST.", none),
        Refused::IdempotencyKey(_) => (
            StatusCode::BAD_REQUEST,
            "Idempotency-Key must be 16 to 64 printable characters.",
            none,
        ),
        Refused::ContentType => (
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "The body must be application/json.",
            none,
        ),
        Refused::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "The body is too large.", none),
        Refused::Flow(SubmitError::Invalid(faults)) => (
            StatusCode::BAD_REQUEST,
            "The submission breaks rules.",
            faults.as_slice(),
        ),
        Refused::Flow(SubmitError::AttemptOpen) => (
            StatusCode::CONFLICT,
            "Another attempt of this session is open.",
            none,
        ),
        Refused::Exhausted => (
            StatusCode::CONFLICT,
            "The session was extended as often as it may be.",
            none,
        ),
        Refused::Flow(SubmitError::KeyReused) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "This Idempotency-Key was used for another submission.",
            none,
        ),
        Refused::Flow(SubmitError::Store(_)) => {
            (StatusCode::SERVICE_UNAVAILABLE, "Try again in a moment.", none)
        }
    };
    problem(status, title, faults, incident)
}

fn event(status: StatusCode, event: Status, incident: &IncidentId, reason: Option<Reason>) -> Response<Body> {
    let builder = base(status, "application/json").header("incident-id", incident.as_str());
    finish(because(builder, reason), Ending::bare(event).to_json())
}

/// RFC 9457.
fn problem(status: StatusCode, title: &str, faults: &[FieldError], incident: &IncidentId) -> Response<Body> {
    let body = Problem {
        kind: "about:blank",
        title,
        status: status.as_u16(),
        incident,
        errors: faults,
    };
    json(status, "application/problem+json", &body)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FormBody<'a> {
    action: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cards: Vec<CardBody<'a>>,
    fields: Fields,
    #[serde(skip_serializing_if = "Option::is_none")]
    terms: Option<&'a Document>,
    #[serde(skip_serializing_if = "Option::is_none")]
    privacy: Option<&'a Document>,
    bin_ranges: Vec<RangeBody<'a>>,
    encryption_key: &'a EncryptionKey,
    attempts_left: u32,
    expires_at: i64,
    extensions_left: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OptOutBody<'a> {
    action: &'static str,
    cards: Vec<CardBody<'a>>,
    attempts_left: u32,
    expires_at: i64,
    extensions_left: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExtensionBody {
    expires_at: i64,
    extensions_left: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CardBody<'a> {
    id: String,
    masked: String,
    last4: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    design_code: Option<&'a str>,
}

impl<'a> CardBody<'a> {
    fn of(card: &'a Card) -> Self {
        Self {
            id: card.id.to_hex(),
            masked: card.masked(),
            last4: card.last4.as_str(),
            design_code: card.design_code.as_deref(),
        }
    }
}

#[derive(Serialize)]
struct RangeBody<'a> {
    from: &'a str,
    to: &'a str,
}

#[derive(Serialize)]
struct Problem<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'a str,
    status: u16,
    incident: &'a IncidentId,
    #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
    errors: &'a [FieldError],
}

fn json(status: StatusCode, media_type: &'static str, body: &impl Serialize) -> Response<Body> {
    match serde_json::to_string(body) {
        Ok(text) => finish(base(status, media_type), text),
        Err(_) => finish(base(StatusCode::INTERNAL_SERVER_ERROR, media_type), "{}".into()),
    }
}

fn base(status: StatusCode, media_type: &'static str) -> Builder {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, media_type)
        .header(header::CACHE_CONTROL, "no-store")
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(header::REFERRER_POLICY, "no-referrer")
}

/// Names and values are fixed or checked, so the builder has nothing to refuse.
fn finish(builder: Builder, body: String) -> Response<Body> {
    builder
        .body(Body::from(body))
        .unwrap_or_else(|_| Response::new(Body::Empty))
}

#[cfg(test)]
mod tests {
    use enrollment::identifiers::Malformed;
    use enrollment::ports::StoreError;
    use enrollment::randomness::Randomness;

    use super::*;

    struct Zeros;
    impl Randomness for Zeros {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    fn malformed() -> Malformed {
        enrollment::identifiers::IdempotencyKey::parse("").unwrap_err()
    }

    #[test]
    fn each_refusal_has_its_status_and_says_nothing_of_the_inside() {
        let incident = IncidentId::random(&Zeros);
        let store = StoreError::Unavailable {
            operation: "find session",
            detail: "table arn:aws:… throttled".into(),
        };
        let cases = [
            (Refused::Method, 405),
            (Refused::IdempotencyKey(malformed()), 400),
            (Refused::ContentType, 415),
            (Refused::TooLarge, 413),
            (SubmitError::SessionEnded.into(), 401),
            (SubmitError::Suspended.into(), 401),
            (Refused::Exhausted, 409),
            (SubmitError::WrongAction(ActionCode::Replace).into(), 403),
            (SubmitError::Invalid(vec![]).into(), 400),
            (SubmitError::AttemptOpen.into(), 409),
            (SubmitError::KeyReused.into(), 422),
            (SubmitError::Store(store).into(), 503),
        ];
        for (refused, status) in cases {
            let response = refusal(&refused, &incident);
            assert_eq!(response.status().as_u16(), status, "{refused}");
            assert_eq!(response.headers()["cache-control"], "no-store");
            let Body::Text(text) = response.body() else {
                panic!("a body of text")
            };
            assert!(!text.contains("arn:"), "{text}");
        }
    }

    #[test]
    fn a_session_for_another_action_says_which() {
        let refused = SubmitError::WrongAction(ActionCode::OptOut).into();
        let response = refusal(&refused, &IncidentId::random(&Zeros));
        assert_eq!(response.headers()["session-action"], "C");
    }

    #[test]
    fn a_reason_stands_beside_the_event_and_not_in_it() {
        let incident = IncidentId::random(&Zeros);
        let bare = Ending::bare(Status::ErrorEnrollment);
        let response = ending(&bare, &incident, 0, Some(Reason::CardLimit));
        assert_eq!(response.headers()["ending-reason"], "card_limit");
        assert_eq!(
            response.body().as_ref(),
            br#"{"status":"ERROR_ENROLLMENT"}"#.as_slice()
        );
        assert!(
            !ending(&bare, &incident, 4, None)
                .headers()
                .contains_key("ending-reason")
        );

        let suspended = refusal(&SubmitError::Suspended.into(), &incident);
        assert_eq!(suspended.headers()["ending-reason"], "suspended");
    }

    #[test]
    fn an_open_outcome_says_when_to_ask_again() {
        let response = open();
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        assert_eq!(response.headers()["retry-after"], "2");
    }
}

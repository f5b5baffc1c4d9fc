//! Answers to the page's calls, from the results of the flows.

use std::collections::BTreeMap;

use enrollment::action::ActionCode;
use enrollment::client::{Color, Design, Document, Field, Fields};
use enrollment::ending::Ending;
use enrollment::flows::describe::{Choice, Description, Form};
use enrollment::flows::extend::Extension;
use enrollment::flows::submission;
use enrollment::flows::submit::SubmitResponse;
use enrollment::identifiers::IncidentId;
use enrollment::intent::Card;
use enrollment::ports::EncryptionKey;
use enrollment::reason::Reason;
use lambda_http::http::{StatusCode, header};
use lambda_http::{Body, Response};
use serde::Serialize;
use url::Url;

use crate::response::{self, JSON, WithReturn};

/// Seconds after which the page asks again for an open outcome.
const RETRY_AFTER: u32 = 2;

/// Description of a session.
pub(crate) fn description(
    action: ActionCode,
    description: &Description,
    return_url: Option<&Url>,
) -> Response<Body> {
    match description {
        Description::Form(form) => self::form(action, form, return_url),
        Description::OptOut(choice) => opt_out(choice, return_url),
        Description::Attempt(response) => attempt(response, return_url),
    }
}

/// Form of an enrollment or a replacement.
fn form(action: ActionCode, form: &Form, return_url: Option<&Url>) -> Response<Body> {
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
    response::json(StatusCode::OK, JSON, &WithReturn::new(&body, return_url))
}

/// Cards that may be opted out.
fn opt_out(choice: &Choice, return_url: Option<&Url>) -> Response<Body> {
    let body = OptOutBody {
        action: ActionCode::OptOut.as_str(),
        cards: cards(choice),
        attempts_left: choice.attempts_left,
        expires_at: choice.expires_at.as_second(),
        extensions_left: choice.extensions_left,
    };
    response::json(StatusCode::OK, JSON, &WithReturn::new(&body, return_url))
}

fn cards(choice: &Choice) -> Vec<CardBody<'_>> {
    let card = |card| CardBody::of(card, &choice.designs);
    choice.cards.iter().map(card).collect()
}

/// Outcome of an attempt, or the request to ask again. Only a description has the address for the way back: the page asks for
/// one before it submits anything.
pub(crate) fn attempt(response: &SubmitResponse, return_url: Option<&Url>) -> Response<Body> {
    match response {
        SubmitResponse::Ended {
            ending,
            incident,
            attempts_left,
            reason,
        } => self::ending(
            &WithReturn::new(ending, return_url),
            incident,
            *attempts_left,
            *reason,
        ),
        SubmitResponse::Open => open(return_url),
    }
}

/// Event of the widget document (`docs/sources.md#widget`). What the page needs besides is in headers.
fn ending(
    ending: &WithReturn<'_, Ending>,
    incident: &IncidentId,
    attempts_left: u32,
    reason: Option<Reason>,
) -> Response<Body> {
    let builder = response::base(StatusCode::OK, JSON)
        .header("incident-id", incident.as_str())
        .header("attempts-left", attempts_left);
    response::finish(response::with_reason(builder, reason), ending.to_json())
}

/// Open outcome: the page asks again.
fn open(return_url: Option<&Url>) -> Response<Body> {
    let builder = response::base(StatusCode::ACCEPTED, JSON).header(header::RETRY_AFTER, RETRY_AFTER);
    response::finish(builder, WithReturn::new(&Empty {}, return_url).to_json())
}

/// New end of the session.
pub(crate) fn extension(extension: Extension) -> Response<Body> {
    let body = ExtensionBody {
        expires_at: extension.expires_at.as_second(),
        extensions_left: extension.extensions_left,
    };
    response::json(StatusCode::OK, JSON, &body)
}

#[derive(Serialize)]
struct Empty {}

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
    #[serde(skip_serializing_if = "Option::is_none")]
    art: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    color: Option<Color>,
}

impl<'a> CardBody<'a> {
    fn of(card: &'a Card, designs: &BTreeMap<String, Design>) -> Self {
        let code = card.design_code.as_deref();
        let (art, color) = match code.and_then(|code| designs.get(code)) {
            // Relative to the page, which stands at the client's address.
            Some(Design::Picture(hash)) => (Some(format!("pictures/{hash}.png")), None),
            Some(Design::Color(color)) => (None, Some(*color)),
            None => (None, None),
        };
        Self {
            art,
            color,
            id: card.id.to_hex(),
            masked: card.masked(),
            last4: card.last4.as_str(),
            design_code: code,
        }
    }
}

#[derive(Serialize)]
struct RangeBody<'a> {
    from: &'a str,
    to: &'a str,
}

#[cfg(test)]
mod tests {
    use enrollment::flows::submit::SubmitError;
    use enrollment::randomness::Randomness;
    use enrollment::status::Status;

    use super::*;
    use crate::error::ApiError;

    struct Zeros;
    impl Randomness for Zeros {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    #[test]
    fn reason_is_beside_the_event() {
        let incident = IncidentId::random(&Zeros);
        let bare = Ending::bare(Status::ErrorEnrollment);
        let response = ending(
            &WithReturn::new(&bare, None),
            &incident,
            0,
            Some(Reason::CardLimit),
        );
        assert_eq!(response.headers()["ending-reason"], "card_limit");
        assert_eq!(
            response.body().as_ref(),
            br#"{"status":"ERROR_ENROLLMENT"}"#.as_slice()
        );
        assert!(
            !ending(&WithReturn::new(&bare, None), &incident, 4, None)
                .headers()
                .contains_key("ending-reason")
        );

        let suspended = ApiError::from(SubmitError::Suspended).response(&incident);
        assert_eq!(suspended.headers()["ending-reason"], "suspended");
    }

    #[test]
    fn an_open_outcome_says_when_to_ask_again() {
        let response = open(None);
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        assert_eq!(response.headers()["retry-after"], "2");
        assert_eq!(response.body().as_ref(), b"{}".as_slice());
    }

    #[test]
    fn address_for_the_way_back_is_in_descriptions_only() {
        let incident = IncidentId::random(&Zeros);
        let url = Url::parse("com.bank.app:back").unwrap();
        let expected = r#""returnUrl":"com.bank.app:back""#;
        let refused = || SubmitResponse::Ended {
            ending: Ending::bare(Status::ErrorEnrollment),
            incident: incident.clone(),
            attempts_left: 0,
            reason: Some(Reason::CardLimit),
        };
        let choice = Choice {
            cards: Vec::new(),
            designs: BTreeMap::new(),
            attempts_left: 5,
            expires_at: jiff::Timestamp::UNIX_EPOCH,
            extensions_left: 10,
        };
        let text = |response: &Response<Body>| String::from_utf8(response.body().as_ref().to_vec()).unwrap();
        for described in [
            Description::Attempt(refused()),
            Description::Attempt(SubmitResponse::Open),
            Description::OptOut(choice),
        ] {
            let with = description(ActionCode::OptOut, &described, Some(&url));
            assert!(text(&with).contains(expected), "{}", text(&with));
            let without = description(ActionCode::OptOut, &described, None);
            assert!(!text(&without).contains("returnUrl"), "{}", text(&without));
        }
        assert!(!text(&attempt(&refused(), None)).contains("returnUrl"));

        let expired = ApiError::Expired { return_url: url }.response(&incident);
        assert_eq!(expired.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(
            text(&expired),
            format!(r#"{{"status":"TOKEN_EXPIRED",{expected}}}"#)
        );
    }
}

//! `GET` tells the page what to show, `POST` does what it asks for.

use enrollment::flows::describe::{Describing, Description};
use enrollment::flows::extend::{Extending, ExtensionError};
use enrollment::flows::submission::MAX_BYTES;
use enrollment::flows::submit::{NotSubmitted, Submitted, Submitting};
use enrollment::identifiers::{IdempotencyKey, IncidentId, SessionToken};
use enrollment::log::by_display;
use enrollment::reason::Reason;
use lambda_http::http::{Method, header};
use lambda_http::{Body, Request, Response};
use platform::gateway;
use platform::metrics::Metrics;

use crate::answer;

/// End of the path that extends a session, under the address of its action.
const EXTENSION: &str = "/extension";

/// What the page's calls are answered by.
pub(crate) struct Flows<'a> {
    /// GET.
    pub(crate) describing: Describing<'a>,
    /// POST.
    pub(crate) submitting: Submitting<'a>,
    /// POST under [`EXTENSION`].
    pub(crate) extending: Extending<'a>,
}

/// Answers one call of the page.
pub(crate) async fn handle(
    flows: &Flows<'_>,
    metrics: &Metrics,
    incident: &IncidentId,
    request: &Request,
) -> Response<Body> {
    let is_extension = gateway::route(request).ends_with(EXTENSION);
    let result = match *request.method() {
        Method::POST if is_extension => extend(&flows.extending, request).await,
        Method::GET if !is_extension => describe(&flows.describing, incident, request).await,
        Method::POST => submit(&flows.submitting, metrics, incident, request).await,
        _ => Err(Refused::Method),
    };
    result.unwrap_or_else(|refused| answer::refusal(&refused, incident))
}

/// Why a call gets no answer of the flow. [`answer::refusal`] is the one table from here to HTTP.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// Neither GET nor POST.
    #[error("method not allowed")]
    Method,
    /// No `Idempotency-Key`, or none that can be taken.
    #[error("{0}")]
    IdempotencyKey(enrollment::identifiers::Malformed),
    /// Not `application/json`.
    #[error("content type is not JSON")]
    ContentType,
    /// Larger than a submission can be.
    #[error("body too large")]
    TooLarge,
    /// The session was extended as often as it may be.
    #[error("session was extended as often as it may be")]
    Exhausted,
    /// The flow refused.
    #[error(transparent)]
    Flow(#[from] NotSubmitted),
}

by_display!(Refused);

async fn describe(
    describing: &Describing<'_>,
    incident: &IncidentId,
    request: &Request,
) -> Result<Response<Body>, Refused> {
    match describing.describe(&session(request)?, incident.clone()).await? {
        Description::Form(form) => Ok(answer::form(describing.action, &form)),
        Description::OptOut(choice) => Ok(answer::opt_out(&choice)),
        Description::Attempt(submitted) => Ok(answered(&submitted)),
    }
}

async fn submit(
    submitting: &Submitting<'_>,
    metrics: &Metrics,
    incident: &IncidentId,
    request: &Request,
) -> Result<Response<Body>, Refused> {
    let session = session(request)?;
    let key = IdempotencyKey::parse(text(request, "idempotency-key")).map_err(Refused::IdempotencyKey)?;
    let media_type = text(request, header::CONTENT_TYPE.as_str())
        .split(';')
        .next()
        .unwrap_or_default();
    if !media_type.trim().eq_ignore_ascii_case("application/json") {
        return Err(Refused::ContentType);
    }
    let body: &[u8] = request.body().as_ref();
    if body.len() > MAX_BYTES {
        return Err(Refused::TooLarge);
    }
    let submitted = submitting.submit(&session, &key, body, incident.clone()).await?;
    if let Some(reason) = refusal(&submitted) {
        metrics.refusal(Some(reason));
    }
    Ok(answered(&submitted))
}

async fn extend(extending: &Extending<'_>, request: &Request) -> Result<Response<Body>, Refused> {
    match extending.extend(&session(request)?).await {
        Ok(extension) => Ok(answer::extension(extension)),
        Err(ExtensionError::Session(refused)) => Err(refused.into()),
        Err(ExtensionError::Exhausted) => Err(Refused::Exhausted),
    }
}

/// The reason of a refusal before MRS was asked; an outcome may have a reason too, which is none.
fn refusal(submitted: &Submitted) -> Option<Reason> {
    let Submitted::Ended { reason, .. } = submitted else {
        return None;
    };
    reason.filter(|reason| {
        matches!(
            reason,
            Reason::Limit | Reason::CardLimit | Reason::NoCard | Reason::CardGone
        )
    })
}

fn answered(submitted: &Submitted) -> Response<Body> {
    match submitted {
        Submitted::Ended {
            ending,
            incident,
            attempts_left,
            reason,
        } => answer::ending(ending, incident, *attempts_left, *reason),
        Submitted::Open => answer::open(),
    }
}

/// A session that can't be one is as unknown as one that is not stored.
fn session(request: &Request) -> Result<SessionToken, Refused> {
    let (scheme, token) = text(request, header::AUTHORIZATION.as_str())
        .split_once(' ')
        .unwrap_or_default();
    let token = SessionToken::parse(token).map_err(|_| NotSubmitted::SessionEnded)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(token)
    } else {
        Err(NotSubmitted::SessionEnded.into())
    }
}

fn text<'a>(request: &'a Request, name: &str) -> &'a str {
    request
        .headers()
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_http::http;

    #[test]
    fn a_session_comes_as_a_bearer_token() {
        let with = |value: &str| {
            session(
                &http::Request::builder()
                    .header("authorization", value)
                    .body(Body::Empty)
                    .unwrap(),
            )
        };
        let token = "A".repeat(43);
        assert!(with(&format!("Bearer {token}")).is_ok());
        assert!(with(&format!("bearer {token}")).is_ok());
        for value in [
            String::new(),
            token.clone(),
            format!("Basic {token}"),
            format!("Bearer {token} x"),
            "Bearer".into(),
        ] {
            assert!(with(&value).is_err(), "{value}");
        }
    }
}

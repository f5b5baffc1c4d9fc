//! `GET` tells the page what to show, `POST` does what it asks for.

use enrollment::flows::describe::{Describe, Description};
use enrollment::flows::extend::{ExtendError, ExtendSession};
use enrollment::flows::submission::MAX_BYTES;
use enrollment::flows::submit::{Submit, SubmitError, SubmitResponse};
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
    pub(crate) describe: Describe<'a>,
    /// POST.
    pub(crate) submit: Submit<'a>,
    /// POST under [`EXTENSION`].
    pub(crate) extend: ExtendSession<'a>,
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
        Method::POST if is_extension => extend(&flows.extend, request).await,
        Method::GET if !is_extension => describe(&flows.describe, incident, request).await,
        Method::POST => submit(&flows.submit, metrics, incident, request).await,
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
    Flow(#[from] SubmitError),
}

by_display!(Refused);

async fn describe(
    describe: &Describe<'_>,
    incident: &IncidentId,
    request: &Request,
) -> Result<Response<Body>, Refused> {
    match describe.describe(&session(request)?, incident.clone()).await? {
        Description::Form(form) => Ok(answer::form(describe.action, &form)),
        Description::OptOut(choice) => Ok(answer::opt_out(&choice)),
        Description::Attempt(submitted) => Ok(answered(&submitted)),
    }
}

async fn submit(
    submit: &Submit<'_>,
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
    let submitted = submit.submit(&session, &key, body, incident.clone()).await?;
    if let Some(reason) = refusal(&submitted) {
        metrics.refusal(Some(reason));
    }
    Ok(answered(&submitted))
}

async fn extend(extend: &ExtendSession<'_>, request: &Request) -> Result<Response<Body>, Refused> {
    match extend.extend(&session(request)?).await {
        Ok(extension) => Ok(answer::extension(extension)),
        Err(ExtendError::Session(refused)) => Err(refused.into()),
        Err(ExtendError::Exhausted) => Err(Refused::Exhausted),
    }
}

/// The reason of a refusal before MRS was asked; an outcome may have a reason too, which is none.
fn refusal(submitted: &SubmitResponse) -> Option<Reason> {
    let SubmitResponse::Ended { reason, .. } = submitted else {
        return None;
    };
    reason.filter(|reason| {
        matches!(
            reason,
            Reason::Limit | Reason::CardLimit | Reason::NoCard | Reason::CardGone
        )
    })
}

fn answered(submitted: &SubmitResponse) -> Response<Body> {
    match submitted {
        SubmitResponse::Ended {
            ending,
            incident,
            attempts_left,
            reason,
        } => answer::ending(ending, incident, *attempts_left, *reason),
        SubmitResponse::Open => answer::open(),
    }
}

/// A session that can't be one is as unknown as one that is not stored.
fn session(request: &Request) -> Result<SessionToken, Refused> {
    let (scheme, token) = text(request, header::AUTHORIZATION.as_str())
        .split_once(' ')
        .unwrap_or_default();
    let token = SessionToken::parse(token).map_err(|_| SubmitError::SessionEnded)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(token)
    } else {
        Err(SubmitError::SessionEnded.into())
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

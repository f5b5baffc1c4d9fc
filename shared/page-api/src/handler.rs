//! Calls of the page: `GET` describes the session, `POST` submits, `POST …/extension` extends the session.

use enrollment::flows::describe::{Describe, Described};
use enrollment::flows::extend::ExtendSession;
use enrollment::flows::submission::MAX_BYTES;
use enrollment::flows::submit::{Submit, SubmitError, SubmitResponse};
use enrollment::identifiers::{IdempotencyKey, IncidentId, SessionToken};
use enrollment::reason::Reason;
use lambda_http::http::{Method, header};
use lambda_http::{Body, Request, Response};
use platform::gateway;
use platform::metrics::Metrics;

use crate::answer;
use crate::error::ApiError;

/// End of the path that extends a session, under the address of its action.
const EXTENSION: &str = "/extension";

/// Flows behind the calls.
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
        _ => Err(ApiError::Method),
    };
    result.unwrap_or_else(|error| error.response(incident))
}

async fn describe(
    flow: &Describe<'_>,
    incident: &IncidentId,
    request: &Request,
) -> Result<Response<Body>, ApiError> {
    let session = session(request)?;
    let Described { result, return_url } = flow.describe(&session, incident.clone()).await;
    match (result, return_url) {
        (Ok(description), return_url) => Ok(answer::description(
            flow.action,
            &description,
            return_url.as_ref(),
        )),
        (Err(SubmitError::SessionEnded), Some(return_url)) => Err(ApiError::Expired { return_url }),
        (Err(error), _) => Err(error.into()),
    }
}

async fn submit(
    flow: &Submit<'_>,
    metrics: &Metrics,
    incident: &IncidentId,
    request: &Request,
) -> Result<Response<Body>, ApiError> {
    let session = session(request)?;
    let key = idempotency_key(request)?;
    let body = json_body(request)?;
    let response = flow.submit(&session, &key, body, incident.clone()).await?;
    if let Some(reason) = refusal(&response) {
        metrics.refusal(Some(reason));
    }
    Ok(answer::attempt(&response, None))
}

async fn extend(flow: &ExtendSession<'_>, request: &Request) -> Result<Response<Body>, ApiError> {
    let session = session(request)?;
    let extension = flow.extend(&session).await?;
    Ok(answer::extension(extension))
}

/// Reason of a refusal before MRS was asked. The reason of an outcome is not one.
fn refusal(response: &SubmitResponse) -> Option<Reason> {
    let SubmitResponse::Ended { reason, .. } = response else {
        return None;
    };
    reason.filter(|reason| {
        matches!(
            reason,
            Reason::Limit | Reason::CardLimit | Reason::NoCard | Reason::CardGone
        )
    })
}

/// Session of the request. A malformed one gets the same error as an unknown one.
fn session(request: &Request) -> Result<SessionToken, ApiError> {
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

fn idempotency_key(request: &Request) -> Result<IdempotencyKey, ApiError> {
    IdempotencyKey::parse(text(request, "idempotency-key")).map_err(ApiError::IdempotencyKey)
}

fn json_body(request: &Request) -> Result<&[u8], ApiError> {
    let media_type = text(request, header::CONTENT_TYPE.as_str())
        .split(';')
        .next()
        .unwrap_or_default();
    if !media_type.trim().eq_ignore_ascii_case("application/json") {
        return Err(ApiError::ContentType);
    }
    let body: &[u8] = request.body().as_ref();
    if body.len() > MAX_BYTES {
        return Err(ApiError::TooLarge);
    }
    Ok(body)
}

/// Value of a header; empty where it is missing or no text.
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

//! `POST /company/non_auth_initialize` (`docs/contract.md#opening-answer`): takes a signed token, and always answers
//! with a redirect to the widget.

use enrollment::flows::open::{NewSession, OpenError, OpenSession};
use enrollment::identifiers::IncidentId;
use enrollment::log::{error, info};
use enrollment::reason::Reason;
use enrollment::status::Status;
use enrollment::token;
use lambda_http::http::{HeaderValue, StatusCode, header};
use lambda_http::{Body, Request, Response};
use platform::public_base_url::PublicBaseUrl;

/// `Enrollment-Status` of an opened session. A failure has its status of the widget document
/// (`docs/sources.md#widget`).
pub(crate) const OPENED: &str = "OPENED";

/// Address of the widget.
#[derive(Debug, Clone)]
pub(crate) struct WidgetAddress {
    /// Public base address of the stack.
    pub(crate) public_base_url: PublicBaseUrl,
}

/// Opens a session for the request's token and redirects to the widget, or to its failure page. Gives status and reason of a
/// failure beside the response, for the metrics.
pub(crate) async fn handle(
    open_session: &OpenSession<'_>,
    address: &WidgetAddress,
    incident: &IncidentId,
    request: &Request,
) -> (Response<Body>, Option<(Status, Option<Reason>)>) {
    let result = match token::of_request(request.body()) {
        Ok(token) => open_session.open(&token).await,
        Err(refusal) => Err(OpenError::Refused {
            refusal,
            client: None,
        }),
    };
    match result {
        Ok(opened) => (redirect(&address.of_session(&opened), OPENED), None),
        Err(failure) => {
            log(&failure);
            let status = failure.status();
            (
                redirect(&address.of_failure(&failure, incident), status.as_str()),
                Some((status, failure.reason())),
            )
        }
    }
}

impl WidgetAddress {
    /// Address of a session. The token is in the fragment, which no server, proxy, log or referrer sees.
    fn of_session(&self, opened: &NewSession) -> String {
        format!(
            "{}/widget/{}/?lang={}#{}",
            self.public_base_url,
            opened.client.slug.as_str(),
            opened.language.as_str(),
            opened.session.expose()
        )
    }

    /// Address of a failure page. `_` is no client's slug: that page may not be framed.
    fn of_failure(&self, failure: &OpenError, incident: &IncidentId) -> String {
        let slug = failure.client().map_or("_", |client| client.slug.as_str());
        let reason = failure
            .reason()
            .map_or_else(String::new, |reason| format!("&reason={}", reason.as_str()));
        format!(
            "{}/widget/{slug}/#status={}&incident={incident}{reason}",
            self.public_base_url,
            failure.status().as_str()
        )
    }
}

fn log(failure: &OpenError) {
    match failure {
        OpenError::Refused { refusal, client } => info!(
            client = client.as_ref().map(|client| &client.id),
            reason = refusal,
            "token refused"
        ),
        OpenError::Store { cause, .. } => error!(error = cause, "session not opened"),
    }
}

/// Redirect with the address in its body too: in the widget document "the URL returned in HTML tag" opens the widget.
fn redirect(location: &str, status: &'static str) -> Response<Body> {
    // The address consists of the own base address, a checked slug, a language tag, base64url and fixed words. Of all these,
    // only `&` has a meaning in HTML.
    let href = location.replace('&', "&amp;");
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Enrollment</title></head>\
         <body><a href=\"{href}\">Continue</a></body></html>\n"
    );
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = StatusCode::FOUND;
    let headers = response.headers_mut();
    if let Ok(location) = HeaderValue::from_str(location) {
        headers.insert(header::LOCATION, location);
    }
    headers.insert("enrollment-status", HeaderValue::from_static(status));
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    );
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirect_is_complete_without_following_it() {
        let response = redirect(
            "https://host.example/widget/_/#status=ACCESS_DENIED&incident=A",
            "ACCESS_DENIED",
        );
        assert_eq!(response.status(), StatusCode::FOUND);
        assert_eq!(response.headers()["enrollment-status"], "ACCESS_DENIED");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let Body::Text(html) = response.body() else {
            panic!("HTML is text")
        };
        assert!(html.contains("href=\"https://host.example/widget/_/#status=ACCESS_DENIED&amp;incident=A\""));
    }
}

//! The front of the API: one stable address before an upstream whose address changes with each deployment.
//!
//! Plain HTTP/1.1 to plain HTTP/1.1, streamed both ways, nothing rewritten but the hop-by-hop headers, `Host` and `X-Forwarded-*`.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use http::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{StatusCode, Uri, Version};
use http_body_util::{LengthLimitError, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::json;
use tokio::time::timeout;

use crate::serve::Caller;

/// API Gateway takes as much.
const MAX_BODY: usize = 10 * 1024 * 1024;
/// API Gateway waits 29 s for a function.
const PATIENCE: Duration = Duration::from_secs(35);
const CONNECT: Duration = Duration::from_secs(2);

/// Address to which calls are passed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upstream {
    /// Always to the same address.
    Fixed(String),
    /// To the address in a file, which is read for each call.
    InFile(PathBuf),
}

impl Upstream {
    /// Parses an address, or `@` and the name of a file with an address in it.
    pub fn parse(text: &str) -> Self {
        match text.strip_prefix('@') {
            Some(file) => Self::InFile(file.into()),
            None => Self::Fixed(text.to_owned()),
        }
    }

    /// The file is read for each call: it is tiny, and a new deployment counts at once.
    fn now(&self) -> Option<String> {
        let address = match self {
            Self::Fixed(address) => address.clone(),
            Self::InFile(file) => std::fs::read_to_string(file).ok()?,
        };
        let address = address.trim().trim_end_matches('/');
        address.starts_with("http://").then(|| address.to_owned())
    }
}

#[derive(Clone)]
struct Front {
    upstream: Upstream,
    client: Client<HttpConnector, Limited<Body>>,
}

/// Answers `/_front/health` itself and passes everything else on.
pub(crate) fn router(upstream: Upstream) -> Router {
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(CONNECT));
    connector.set_nodelay(true);
    let client = Client::builder(TokioExecutor::new()).build(connector);
    Router::new()
        .route("/_front/health", get(async || Json(json!({"status": "ready"}))))
        .fallback(pass)
        .with_state(Front { upstream, client })
}

async fn pass(
    State(front): State<Front>,
    Extension(Caller(caller)): Extension<Caller>,
    mut request: Request,
) -> Response {
    let Some(uri) = front.upstream.now().and_then(|base| target(&base, request.uri())) else {
        return away("there is no upstream yet");
    };
    if declared_length(request.headers()).is_some_and(|length| length > MAX_BODY as u64) {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    }
    let host = request.headers().get(HOST).cloned();
    let headers = request.headers_mut();
    remove_hop_by_hop(headers);
    headers.remove(HOST);
    forwarded(headers, &caller.ip().to_string(), host);
    *request.uri_mut() = uri;
    *request.version_mut() = Version::HTTP_11;
    // What axum and this program put there is not the upstream's business.
    request.extensions_mut().clear();
    let request = request.map(|body| Limited::new(body, MAX_BODY));
    match timeout(PATIENCE, front.client.request(request)).await {
        Ok(Ok(response)) => {
            let mut response = response.map(Body::new);
            remove_hop_by_hop(response.headers_mut());
            response
        }
        Ok(Err(error)) if is_too_long(&error) => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the upstream did not answer");
            away("the upstream does not answer")
        }
        Err(_) => {
            tracing::warn!("the upstream took too long");
            (StatusCode::GATEWAY_TIMEOUT, "front: the upstream took too long\n").into_response()
        }
    }
}

fn away(why: &str) -> Response {
    (StatusCode::BAD_GATEWAY, format!("front: {why}\n")).into_response()
}

/// The path as it came, after the upstream's own.
fn target(base: &str, uri: &Uri) -> Option<Uri> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    format!("{base}{path}").parse().ok()
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// RFC 9110 §7.6.1: these, and those that `Connection` names, are about one connection only.
fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    let always = [
        CONNECTION,
        EXPECT,
        PROXY_AUTHENTICATE,
        PROXY_AUTHORIZATION,
        TE,
        TRAILER,
        TRANSFER_ENCODING,
        UPGRADE,
    ];
    for name in named.into_iter().chain(always) {
        headers.remove(name);
    }
    headers.remove("keep-alive");
    headers.remove("proxy-connection");
}

fn forwarded(headers: &mut HeaderMap, caller: &str, host: Option<HeaderValue>) {
    let earlier = headers
        .get("x-forwarded-for")
        .and_then(|value| value.to_str().ok());
    let chain = earlier.map_or_else(|| caller.to_owned(), |earlier| format!("{earlier}, {caller}"));
    if let Ok(chain) = chain.parse() {
        headers.insert("x-forwarded-for", chain);
    }
    headers.insert("x-forwarded-proto", HeaderValue::from_static("http"));
    if let Some(host) = host {
        let port = host
            .to_str()
            .ok()
            .and_then(|host| host.rsplit_once(':'))
            .and_then(|(_, port)| port.parse().ok());
        headers.insert(
            "x-forwarded-port",
            port.unwrap_or_else(|| HeaderValue::from_static("80")),
        );
        headers.insert("x-forwarded-host", host);
    }
}

fn is_too_long(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<LengthLimitError>() {
            return true;
        }
        next = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_is_appended_unchanged_to_that_of_the_upstream() {
        let base = "http://127.0.0.1:8705/_aws/execute-api/ab/local";
        let uri = "/widget/demo/?lang=en_US&x=%2F".parse().unwrap();
        assert_eq!(
            target(base, &uri).unwrap(),
            format!("{base}/widget/demo/?lang=en_US&x=%2F").as_str()
        );
    }

    #[test]
    fn hop_by_hop_headers_are_removed() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "X-One, close"),
            ("x-one", "1"),
            ("te", "trailers"),
            ("x-two", "2"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        remove_hop_by_hop(&mut headers);
        assert_eq!(
            headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(),
            ["x-two"]
        );
    }

    #[test]
    fn caller_is_added_to_x_forwarded_for() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_static("192.0.2.1"));
        forwarded(
            &mut headers,
            "127.0.0.1",
            Some(HeaderValue::from_static("localhost:8700")),
        );
        assert_eq!(headers["x-forwarded-for"], "192.0.2.1, 127.0.0.1");
        assert_eq!(headers["x-forwarded-port"], "8700");
        assert_eq!(headers["x-forwarded-host"], "localhost:8700");
    }

    #[test]
    fn upstream_is_an_address_or_a_file() {
        assert_eq!(Upstream::parse("http://a/b/").now().unwrap(), "http://a/b");
        assert_eq!(Upstream::parse("@/nowhere"), Upstream::InFile("/nowhere".into()));
        assert_eq!(Upstream::parse("@/nowhere").now(), None);
        assert_eq!(Upstream::parse("file:///etc/hosts").now(), None);
    }
}

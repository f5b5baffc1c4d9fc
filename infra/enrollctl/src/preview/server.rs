//! The preview on a loopback address: index, pages, their parts and pictures, and answers to their calls.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, Request, State as Shared};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, header};
use axum::response::Response;
use enrollment::action::ActionCode;
use enrollment::clock::Clock as _;
use platform::SystemClock;
use serde_json::json;
use widget_page::parts;

use super::sample::{self, Sample, Samples};
use super::states::{Answer, Opening, State};
use super::{Preview, index};

type Pairs = Vec<(String, String)>;

/// Routes of a preview.
pub(super) fn router(preview: Arc<Preview>) -> Router {
    Router::new().fallback(answer).with_state(preview)
}

async fn answer(
    Shared(preview): Shared<Arc<Preview>>,
    Query(query): Query<Pairs>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    match response(&preview, &query, &parts) {
        Some(response) => response,
        None => std::future::pending().await,
    }
}

/// The response to a request; `None` for a call that gets no answer.
fn response(preview: &Preview, query: &[(String, String)], request: &Parts) -> Option<Response> {
    let segments: Vec<&str> = request
        .uri
        .path()
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    Some(match (&request.method, segments.as_slice()) {
        (&Method::GET, []) => html(index::served(preview)),
        (&Method::GET, ["widget", "assets", name]) => match parts::find(name) {
            Some(part) => respond(StatusCode::OK, part.content_type, Body::from(part.bytes)),
            None => not_found(),
        },
        (&Method::GET, ["widget", slug, "pictures", name]) if *slug == preview.client.slug.as_str() => {
            let picture = name
                .strip_suffix(".png")
                .and_then(|hash| preview.pictures.get(hash));
            picture.map_or_else(not_found, |png| {
                respond(StatusCode::OK, "image/png", Body::from(png.clone()))
            })
        }
        (_, ["widget", "api", action]) => return call(preview, request, action, false),
        (_, ["widget", "api", action, "extension"]) => return call(preview, request, action, true),
        (&Method::GET, ["widget", slug]) if *slug == preview.client.slug.as_str() => page(preview, query),
        // Reports of the page's policy, which a preview has no use for.
        (&Method::POST, ["widget", "csp-report"]) => {
            respond(StatusCode::NO_CONTENT, "text/plain", Body::empty())
        }
        _ => not_found(),
    })
}

fn page(preview: &Preview, query: &[(String, String)]) -> Response {
    match preview.page(query) {
        Ok(page) => {
            let mut response = Response::new(Body::from(page.html));
            for (name, value) in page.headers {
                if let Ok(value) = value.parse() {
                    response.headers_mut().insert(name, value);
                }
            }
            response
        }
        Err(error) => respond(
            StatusCode::INTERNAL_SERVER_ERROR,
            "text/plain",
            Body::from(format!("{error:#}\n")),
        ),
    }
}

/// Answers a call of the page, by the state that its session names.
fn call(preview: &Preview, request: &Parts, action: &str, is_extension: bool) -> Option<Response> {
    let session = request
        .headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let state = session.and_then(|session| State::of_session(session.strip_prefix("Bearer ")?));
    let Some(state) = state else {
        return preview
            .samples
            .answer(ActionCode::Enroll, Answer::Expired(None))
            .map(send);
    };
    if action != sample::path(state.action) {
        return Some(send(Sample {
            status: 403,
            headers: vec![("session-action", state.action.as_str().to_owned())],
            body: json!({"status": "ACCESS_DENIED"}),
        }));
    }
    let now = SystemClock.now().as_second();
    let sample = match (state.opening, &request.method) {
        (Opening::Form(form, _), _) if is_extension => Some(Samples::extension(form, now)),
        (Opening::Form(form, _), &Method::GET) => Some(Sample {
            status: 200,
            headers: Vec::new(),
            body: preview.samples.form(state.action, form, now),
        }),
        (Opening::Form(_, answer) | Opening::Answer(answer), _) => {
            preview.samples.answer(state.action, answer)
        }
        (Opening::Fragment(_), _) => None,
    };
    sample.map(send)
}

fn send(sample: Sample) -> Response {
    let status = StatusCode::from_u16(sample.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = respond(status, "application/json", Body::from(sample.body.to_string()));
    // The page counts the session's time from this header, as from that of a deployed function.
    let date = SystemClock
        .now()
        .strftime("%a, %d %b %Y %H:%M:%S GMT")
        .to_string();
    let headers = [("cache-control", "no-store".to_owned()), ("date", date)];
    for (name, value) in sample.headers.into_iter().chain(headers) {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn html(text: String) -> Response {
    respond(StatusCode::OK, "text/html; charset=utf-8", Body::from(text))
}

fn not_found() -> Response {
    respond(
        StatusCode::NOT_FOUND,
        "text/plain",
        Body::from("There is nothing here.\n"),
    )
}

fn respond(status: StatusCode, content_type: &'static str, body: Body) -> Response {
    let builder = Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, content_type);
    builder
        .body(body)
        .unwrap_or_else(|_| Response::new(Body::empty()))
}

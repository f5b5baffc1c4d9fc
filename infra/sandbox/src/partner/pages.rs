//! The partner's pages: server-rendered, with a small script each, nothing from elsewhere but the product's embed.js.

use std::sync::Arc;

use askama::Template;
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use axum::extract::{Query, State};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, REFERRER_POLICY};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Partner;
use super::batch::SampleCard;
use super::embedded::{self, EmbeddedPage, Way};
use crate::mastercard::mrs::{TEST_CARDS, TestCard};

/// The pages, their scripts and their style sheet.
pub(crate) fn router() -> Router<Arc<Partner>> {
    Router::new()
        .merge(embedded::router())
        .route("/", get(start))
        .route("/start", post(open))
        .route("/batch", get(batch))
        .route("/return", get(come_back))
        .route("/assets/batch.js", script(include_str!("../../assets/batch.js")))
        .route(
            "/assets/partner.css",
            asset(
                "text/css; charset=utf-8",
                include_str!("../../assets/partner.css"),
            ),
        )
        .route("/assets/start.js", script(include_str!("../../assets/start.js")))
        .route(
            "/assets/confirmations.js",
            script(include_str!("../../assets/confirmations.js")),
        )
        .layer(middleware::from_fn(never_cached))
}

#[derive(Template)]
#[template(path = "start.html")]
struct StartPage {
    customer: String,
    client: String,
    program: String,
    cards: Vec<Row>,
    /// `demo.json` can't be read yet, and why.
    not_ready: Option<String>,
}

#[derive(Template)]
#[template(path = "batch.html")]
struct BatchPage {
    cards: Vec<SampleCard>,
    /// The sample can't be read yet, and why.
    not_ready: Option<String>,
}

/// Line of the table of test cards.
pub(super) struct Row {
    pub(super) number: String,
    pub(super) what: &'static str,
    is_first_choice: bool,
}

#[derive(Template)]
#[template(path = "return.html")]
struct ReturnPage {
    status: String,
}

#[derive(Template)]
#[template(path = "failure.html")]
struct FailurePage {
    what: String,
}

/// Query of the way back, as the widget makes it.
#[derive(Deserialize)]
struct Returned {
    #[serde(default)]
    status: String,
}

/// The form on the start page.
#[derive(Deserialize)]
struct Choice {
    customer: String,
    language: String,
    action: String,
    /// Which of the customer's cards is meant; empty for any.
    #[serde(default)]
    last4: String,
    mode: Mode,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Page,
    Modal,
    Inline,
    Iframe,
    Webview,
}

async fn start(State(partner): State<Arc<Partner>>) -> Response {
    let demo = partner.demo.read();
    let not_ready = demo.as_ref().err().map(ToString::to_string);
    let demo = demo.ok();
    let page = StartPage {
        customer: random_customer(),
        cards: rows(demo.as_ref().and_then(|demo| demo.test_card.as_deref())),
        client: demo
            .as_ref()
            .map(|demo| demo.client_id.clone())
            .unwrap_or_default(),
        program: demo.map(|demo| demo.program_id).unwrap_or_default(),
        not_ready,
    };
    html(StatusCode::OK, &page, &partner)
}

async fn batch(State(partner): State<Arc<Partner>>) -> Response {
    let sample = partner.sample();
    let page = BatchPage {
        not_ready: sample.as_ref().err().map(ToString::to_string),
        cards: sample.unwrap_or_default(),
    };
    html(StatusCode::OK, &page, &partner)
}

/// The page that `returnUrl` names.
async fn come_back(State(partner): State<Arc<Partner>>, Query(returned): Query<Returned>) -> Response {
    let page = ReturnPage {
        status: returned.status,
    };
    html(StatusCode::OK, &page, &partner)
}

async fn open(State(partner): State<Arc<Partner>>, Form(choice): Form<Choice>) -> Response {
    let failed = |what: String| html(StatusCode::BAD_GATEWAY, &FailurePage { what }, &partner);
    let opened = match partner.open(&choice.claims()).await {
        Ok(opened) => opened,
        Err(error) => return failed(error.to_string()),
    };
    let (302, Some(location)) = (opened.status, opened.location.clone()) else {
        return failed(format!(
            "the product answered {} where a 302 with a Location was expected",
            opened.status
        ));
    };
    let way = match choice.mode {
        Mode::Page => return Redirect::to(&location).into_response(),
        Mode::Modal => Way::Modal,
        Mode::Inline => Way::Inline,
        Mode::Iframe => Way::ByHand,
        Mode::Webview => Way::Phone,
    };
    let page = EmbeddedPage::new(way, opened, location, &partner, rows(None));
    html(StatusCode::OK, &page, &partner)
}

impl Choice {
    fn claims(&self) -> Map<String, Value> {
        let mut claims = Map::new();
        let customer = self.customer.trim();
        claims.insert(
            "sub".to_owned(),
            if customer.is_empty() {
                Value::Null
            } else {
                json!(customer)
            },
        );
        claims.insert("actionCode".to_owned(), json!(self.action));
        for (name, value) in [("language", &self.language), ("last4", &self.last4)] {
            if !value.is_empty() {
                claims.insert(name.to_owned(), json!(value));
            }
        }
        claims
    }
}

/// The demo's own card is the first.
fn rows(first_choice: Option<&str>) -> Vec<Row> {
    let row = |card: &TestCard| Row {
        number: card.grouped(),
        what: card.what,
        is_first_choice: first_choice == Some(card.number),
    };
    let mut rows: Vec<Row> = TEST_CARDS.iter().map(row).collect();
    rows.sort_by_key(|row| !row.is_first_choice);
    rows
}

fn random_customer() -> String {
    let mut bytes = [0; 5];
    // A customer of zeros is as good as any.
    let _ = SystemRandom::new().fill(&mut bytes);
    format!("customer-{}", hex::encode(bytes))
}

fn html(status: StatusCode, page: &impl Template, partner: &Partner) -> Response {
    let Ok(content) = page.render() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let widget = partner.initializer.origin();
    let policy = format!(
        "default-src 'none'; style-src 'self'; script-src 'self' {widget}; connect-src 'self'; img-src 'self' data:; base-uri 'none'; \
         frame-ancestors 'none'; frame-src {widget}; form-action 'self' {widget}"
    );
    let mut response = (status, Html(content)).into_response();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

pub(super) fn script(content: &'static str) -> axum::routing::MethodRouter<Arc<Partner>> {
    asset("text/javascript; charset=utf-8", content)
}

fn asset(content_type: &'static str, content: &'static str) -> axum::routing::MethodRouter<Arc<Partner>> {
    get(async move || ([(CONTENT_TYPE, content_type)], content))
}

/// The frame page's source holds a session.
async fn never_cached(request: axum::extract::Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

//! Faults on demand: what can go wrong, and the book in which it is ordered.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONNECTION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::sleep;
use zeroize::Zeroizing;

use crate::mrs::{CardNumber, Shape};
use crate::serve::{AbruptEnd, Cut};

const MAX_ORDERS: usize = 100;
const MAX_COUNT: u32 = 1_000_000;
const MAX_DELAY: Duration = Duration::from_mins(10);
/// Longer than the 8 s that the product gives a call to MRS.
const DEFAULT_DELAY: Duration = Duration::from_secs(12);

/// One way of going wrong. "Before" is before the work, which is then left out unless the fault is merely slow; "after" is
/// after the work was done for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// Waits, then does the work and answers. The work is done even if the caller has left.
    SlowBefore,
    /// Does the work, waits, then answers.
    SlowAfter,
    /// Cuts the connection instead of doing the work.
    CutBefore,
    /// Does the work, then cuts the connection instead of answering.
    CutAfter,
    /// Answers HTTP 500 instead of doing the work.
    Http500Before,
    /// Does the work, then answers HTTP 500.
    Http500After,
    /// Does the work, then answers with half of the document.
    MalformedAfter,
    /// Answers a fault with a code instead of doing the work.
    CodeBefore,
    /// Does the work, then answers a fault with a code.
    CodeAfter,
    /// Does the work and answers, in the shape that the order names.
    Shaped,
    /// Mastercard's gateway refuses the client certificate instead of passing the call on.
    InvalidClientCert,
    /// It refuses the signature.
    AuthenticationFailed,
    /// It refuses the hash of the body.
    InvalidBodyHash,
}

/// A way of going wrong with its measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Effect {
    pub(crate) kind: Kind,
    pub(crate) delay: Duration,
    pub(crate) code: i32,
    /// How the answer is written, where not as usual.
    pub(crate) shape: Option<Shape>,
    /// Whether a refusal repeats what the caller sent.
    pub(crate) quote: bool,
}

/// What a fault can be ordered for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Operation {
    /// MRS.
    Enroll,
    /// MRS.
    UpdateCustomerAccount,
    /// MRS.
    GetCustomerAccounts,
    /// MRS's diagnostic service.
    DoEcho,
    /// The demo partner's receiver.
    Confirmation,
}

/// An order: the next `count` calls of an operation go wrong; those about one card, where it names one.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Order {
    /// All digits.
    #[serde(default, skip_serializing)]
    card: Option<String>,
    operation: Operation,
    fault: Kind,
    #[serde(default = "one")]
    count: u32,
    /// For the slow ones; 12 s where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    delay_ms: Option<u64>,
    /// For those with a code; -1001 where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<i32>,
    /// How the answer is written; for MRS only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shape: Option<Shape>,
    /// Whether a refusal repeats what the caller sent, in each of its texts; for MRS only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    quote: bool,
    /// Whether only the first attempt at a confirmation goes wrong, so that no confirmation meets two such orders.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    first_attempt: bool,
}

/// An order that was taken, by the number under which it can be taken back.
#[derive(Serialize)]
struct Taken {
    id: u64,
    #[serde(flatten)]
    order: Order,
    #[serde(skip)]
    card: Option<CardNumber>,
    /// The bank customer numbers under which somebody tried to enroll the card since then.
    #[serde(skip)]
    customers: Vec<String>,
}

/// What a call is about, as far as an order for one card asks.
pub(crate) struct Subject<'a> {
    /// The bank customer number that it names.
    pub(crate) customer: Option<&'a str>,
    /// Whether it enrolls this card, or names an account or a customer that has it.
    pub(crate) is_of: &'a dyn Fn(&CardNumber) -> bool,
    /// Whether a confirmation comes for the first time.
    pub(crate) is_first: bool,
}

/// Why an order is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum OrderError {
    #[error("count must be from 1 to {MAX_COUNT}")]
    Count,
    #[error("delayMs must be at most {} and goes with a slow fault", MAX_DELAY.as_millis())]
    Delay,
    #[error("code goes with a fault that has one, for MRS only")]
    Code,
    #[error("card must be a card number, and goes with an operation of MRS that is about one")]
    Card,
    #[error("shape and quote go with an answer of MRS that is sent whole; `shaped` wants a shape or quote")]
    Shape,
    #[error("firstAttempt goes with a confirmation")]
    FirstAttempt,
    #[error("the gateway stands before MRS only")]
    Gateway,
    #[error("there are {MAX_ORDERS} orders already: DELETE /faults clears them")]
    Full,
}

/// The orders, first come, first served.
#[derive(Default)]
pub(crate) struct FaultBook(Mutex<Book>);

#[derive(Default)]
struct Book {
    last_id: u64,
    open: Vec<Taken>,
}

/// What a service answers when nothing goes wrong.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) content_type: &'static str,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// Whether the connection is closed after it without TLS's own end.
    pub(crate) ends_abruptly: bool,
}

/// Does the work (none of it before it is awaited) and answers, disturbed by the effect. `fault` writes the service's own form of an error code.
pub(crate) async fn disturb(
    effect: Option<Effect>,
    work: impl Future<Output = Answer>,
    fault: impl FnOnce(i32) -> Answer,
) -> Response {
    let Some(Effect {
        kind, delay, code, ..
    }) = effect
    else {
        return work.await.into_response();
    };
    match kind {
        Kind::SlowBefore => {
            sleep(delay).await;
            work.await.into_response()
        }
        Kind::SlowAfter => {
            let answer = work.await;
            sleep(delay).await;
            answer.into_response()
        }
        Kind::CutBefore => cut(),
        Kind::CutAfter => {
            work.await;
            cut()
        }
        Kind::Http500Before => gateway_error(),
        Kind::Http500After => {
            work.await;
            gateway_error()
        }
        Kind::Shaped => work.await.into_response(),
        Kind::MalformedAfter => work.await.halved().into_response(),
        Kind::InvalidClientCert => gateway_refusal("INVALID_CLIENT_CERT"),
        Kind::AuthenticationFailed => gateway_refusal("AUTHENTICATION_FAILED"),
        Kind::InvalidBodyHash => gateway_refusal("INVALID_BODY_HASH"),
        Kind::CodeBefore => fault(code).into_response(),
        Kind::CodeAfter => {
            work.await;
            fault(code).into_response()
        }
    }
}

impl Answer {
    pub(crate) fn text(status: StatusCode, content_type: &'static str, body: String) -> Self {
        Self::bytes(status, content_type, body.into_bytes())
    }

    pub(crate) fn bytes(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Self {
        Self {
            status,
            content_type,
            headers: HeaderMap::new(),
            body,
            ends_abruptly: false,
        }
    }

    fn halved(mut self) -> Self {
        self.body.truncate(self.body.len() / 2);
        self
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let head = [(CONTENT_TYPE, self.content_type)];
        let mut response = (self.status, head, self.body).into_response();
        response.headers_mut().extend(self.headers);
        if self.ends_abruptly {
            response.extensions_mut().insert(AbruptEnd);
            response
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

fn cut() -> Response {
    let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
    response.extensions_mut().insert(Cut);
    response
}

/// As from something in front of the service: not SOAP, not JSON.
fn gateway_error() -> Response {
    let body = "<html><body><h1>500 Internal Server Error</h1></body></html>";
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        [(CONTENT_TYPE, "text/html")],
        body,
    )
        .into_response()
}

/// The flat shape of the mutual TLS guide (`docs/sources.md#mutual-tls`).
fn gateway_refusal(reason: &'static str) -> Response {
    let error = json!({
        "Source": "Gateway", "ReasonCode": reason, "Description": "The gateway refuses the call.", "Recoverable": false,
    });
    (StatusCode::UNAUTHORIZED, Json(error)).into_response()
}

impl Effect {
    pub(crate) const fn new(kind: Kind) -> Self {
        Self {
            kind,
            delay: DEFAULT_DELAY,
            code: -1001,
            shape: None,
            quote: false,
        }
    }

    pub(crate) const fn slow(kind: Kind, delay: Duration) -> Self {
        Self {
            delay,
            ..Self::new(kind)
        }
    }

    pub(crate) const fn with_code(kind: Kind, code: i32) -> Self {
        Self {
            code,
            ..Self::new(kind)
        }
    }
}

impl FaultBook {
    /// Takes an order and gives it back as JSON, with its number.
    pub(crate) fn add(&self, mut order: Order) -> Result<Value, OrderError> {
        let card = order.check()?;
        let mut book = self.book();
        if book.open.len() == MAX_ORDERS {
            return Err(OrderError::Full);
        }
        book.last_id += 1;
        let taken = Taken {
            id: book.last_id,
            order,
            card,
            customers: Vec::new(),
        };
        let shown = json!(taken);
        book.open.push(taken);
        Ok(shown)
    }

    /// The fault that is due for this call, if any; it counts as served.
    pub(crate) fn due(&self, operation: Operation, subject: &Subject<'_>) -> Option<Effect> {
        let mut book = self.book();
        if operation == Operation::Enroll {
            for order in &mut book.open {
                order.learn(subject);
            }
        }
        let place = book
            .open
            .iter()
            .position(|taken| taken.order.operation == operation && taken.concerns(subject))?;
        let order = &mut book.open[place].order;
        let effect = order.effect();
        order.count -= 1;
        if order.count == 0 {
            book.open.remove(place);
        }
        Some(effect)
    }

    /// The orders that are not yet served, as JSON, without their cards.
    pub(crate) fn open(&self) -> Value {
        json!(self.book().open)
    }

    /// Takes an order back. Gives whether it was still open.
    pub(crate) fn take_back(&self, id: u64) -> bool {
        let mut book = self.book();
        let before = book.open.len();
        book.open.retain(|taken| taken.id != id);
        book.open.len() < before
    }

    pub(crate) fn clear(&self) {
        self.book().open.clear();
    }

    fn book(&self) -> std::sync::MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// A card that is about to be enrolled may be asked about before MRS holds it, or without its ever holding it.
    fn learn(&mut self, enrollment: &Subject<'_>) {
        if let (Some(card), Some(customer)) = (&self.card, enrollment.customer)
            && (enrollment.is_of)(card)
            && !self.customers.iter().any(|known| known == customer)
        {
            self.customers.push(customer.to_owned());
        }
    }

    fn concerns(&self, subject: &Subject<'_>) -> bool {
        if self.order.first_attempt && !subject.is_first {
            return false;
        }
        let Some(card) = &self.card else { return true };
        let is_known = |customer| self.customers.iter().any(|known| known == customer);
        (subject.is_of)(card) || subject.customer.is_some_and(is_known)
    }
}

impl Subject<'_> {
    /// A call that is about no card.
    pub(crate) const NONE: Self = Subject {
        customer: None,
        is_of: &|_| false,
        is_first: true,
    };
}

impl Order {
    /// Gives the card that it names, which the order itself does not keep.
    fn check(&mut self) -> Result<Option<CardNumber>, OrderError> {
        let slow = matches!(self.fault, Kind::SlowBefore | Kind::SlowAfter);
        let coded = matches!(self.fault, Kind::CodeBefore | Kind::CodeAfter);
        if !(1..=MAX_COUNT).contains(&self.count) {
            return Err(OrderError::Count);
        }
        if self
            .delay_ms
            .is_some_and(|delay| !slow || Duration::from_millis(delay) > MAX_DELAY)
        {
            return Err(OrderError::Delay);
        }
        if (self.code.is_some() && !coded) || (coded && self.operation == Operation::Confirmation) {
            return Err(OrderError::Code);
        }
        let is_gateway = matches!(
            self.fault,
            Kind::InvalidClientCert | Kind::AuthenticationFailed | Kind::InvalidBodyHash
        );
        if is_gateway && self.operation == Operation::Confirmation {
            return Err(OrderError::Gateway);
        }
        let answers_whole = slow || coded || self.fault == Kind::Shaped;
        let shaped = self.shape.is_some() || self.quote;
        if (shaped && (!answers_whole || self.operation == Operation::Confirmation))
            || (self.fault == Kind::Shaped && !shaped)
        {
            return Err(OrderError::Shape);
        }
        if self.first_attempt && self.operation != Operation::Confirmation {
            return Err(OrderError::FirstAttempt);
        }
        let Some(digits) = self.card.take() else {
            return Ok(None);
        };
        if matches!(self.operation, Operation::DoEcho | Operation::Confirmation) {
            return Err(OrderError::Card);
        }
        CardNumber::parse(Zeroizing::new(digits))
            .map(Some)
            .ok_or(OrderError::Card)
    }

    fn effect(&self) -> Effect {
        Effect {
            kind: self.fault,
            delay: self.delay_ms.map_or(DEFAULT_DELAY, Duration::from_millis),
            code: self.code.unwrap_or(-1001),
            shape: self.shape,
            quote: self.quote,
        }
    }
}

fn one() -> u32 {
    1
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn order(value: serde_json::Value) -> Order {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn an_order_is_served_as_often_as_it_says_and_for_its_operation_only() {
        let book = FaultBook::default();
        book.add(order(
            json!({"operation": "enroll", "fault": "cut-after", "count": 2}),
        ))
        .unwrap();
        assert_eq!(book.due(Operation::GetCustomerAccounts, &Subject::NONE), None);
        for effect in [
            Some(Effect::new(Kind::CutAfter)),
            Some(Effect::new(Kind::CutAfter)),
            None,
        ] {
            assert_eq!(book.due(Operation::Enroll, &Subject::NONE), effect);
        }
    }

    /// A call about this card, under this bank customer number.
    fn due(book: &FaultBook, operation: Operation, customer: Option<&str>, digits: &str) -> bool {
        let is_of = |card: &CardNumber| card.digits() == digits;
        let subject = Subject {
            customer,
            is_of: &is_of,
            is_first: true,
        };
        book.due(operation, &subject).is_some()
    }

    #[test]
    fn an_order_for_a_card_leaves_calls_about_others_alone() {
        let [card, other] = ["5234000000000007", "5234000000000015"];
        let book = FaultBook::default();
        for operation in ["enroll", "updateCustomerAccount", "getCustomerAccounts"] {
            book.add(order(
                json!({"operation": operation, "fault": "http500-before", "card": card}),
            ))
            .unwrap();
        }
        let [enroll, update, find] = [
            Operation::Enroll,
            Operation::UpdateCustomerAccount,
            Operation::GetCustomerAccounts,
        ];
        for operation in [enroll, update, find] {
            assert!(!due(&book, operation, Some("2"), other), "{operation:?}");
            assert_eq!(book.due(operation, &Subject::NONE), None);
        }
        assert!(due(&book, enroll, Some("1"), card));
        assert!(due(&book, update, None, card));
        // MRS holds nothing under 1, but that is the number under which the card was to be enrolled.
        assert!(!due(&book, find, Some("2"), ""));
        assert!(due(&book, find, Some("1"), ""));
        assert_eq!(book.open(), json!([]));
    }

    #[test]
    fn an_order_is_shown_without_its_card_and_can_be_taken_back() {
        let book = FaultBook::default();
        let asked = json!({"operation": "enroll", "fault": "cut-after", "card": "5234000000000007"});
        let shown = json!({"id": 1, "operation": "enroll", "fault": "cut-after", "count": 1});
        assert_eq!(book.add(order(asked.clone())), Ok(shown.clone()));
        assert_eq!(book.add(order(asked)).unwrap()["id"], 2);
        assert!(book.take_back(2) && !book.take_back(2));
        assert_eq!(book.open(), json!([shown]));
    }

    #[test]
    fn orders_for_one_operation_are_served_in_turn() {
        let book = FaultBook::default();
        book.add(order(
            json!({"operation": "enroll", "fault": "slow-after", "delayMs": 5}),
        ))
        .unwrap();
        book.add(order(
            json!({"operation": "enroll", "fault": "code-before", "code": -45}),
        ))
        .unwrap();
        let due = || book.due(Operation::Enroll, &Subject::NONE).unwrap();
        assert_eq!(due().delay, Duration::from_millis(5));
        assert_eq!(due().code, -45);
        assert_eq!(book.open(), json!([]));
    }

    #[test]
    fn an_order_for_first_attempts_leaves_later_ones_alone() {
        let book = FaultBook::default();
        book.add(order(
            json!({"operation": "confirmation", "fault": "cut-after", "firstAttempt": true}),
        ))
        .unwrap();
        let again = Subject {
            is_first: false,
            ..Subject::NONE
        };
        assert_eq!(book.due(Operation::Confirmation, &again), None);
        let effect = book.due(Operation::Confirmation, &Subject::NONE);
        assert_eq!(effect, Some(Effect::new(Kind::CutAfter)));
    }

    #[test]
    fn an_order_that_makes_no_sense_is_refused() {
        let book = FaultBook::default();
        for (bad, why) in [
            (
                json!({"operation": "enroll", "fault": "cut-after", "count": 0}),
                OrderError::Count,
            ),
            (
                json!({"operation": "enroll", "fault": "cut-after", "delayMs": 1}),
                OrderError::Delay,
            ),
            (
                json!({"operation": "enroll", "fault": "slow-after", "delayMs": 600_001}),
                OrderError::Delay,
            ),
            (
                json!({"operation": "enroll", "fault": "cut-after", "code": -1}),
                OrderError::Code,
            ),
            (
                json!({"operation": "confirmation", "fault": "code-after"}),
                OrderError::Code,
            ),
            (
                json!({"operation": "confirmation", "fault": "invalid-client-cert"}),
                OrderError::Gateway,
            ),
            (
                json!({"operation": "enroll", "fault": "cut-after", "shape": "gzip"}),
                OrderError::Shape,
            ),
            (
                json!({"operation": "confirmation", "fault": "slow-after", "quote": true}),
                OrderError::Shape,
            ),
            (
                json!({"operation": "enroll", "fault": "shaped"}),
                OrderError::Shape,
            ),
            (
                json!({"operation": "enroll", "fault": "cut-after", "firstAttempt": true}),
                OrderError::FirstAttempt,
            ),
            (
                json!({"operation": "doEcho", "fault": "cut-after", "card": "5234000000000007"}),
                OrderError::Card,
            ),
            (
                json!({"operation": "enroll", "fault": "cut-after", "card": "5234000000000008"}),
                OrderError::Card,
            ),
        ] {
            assert_eq!(book.add(order(bad)), Err(why));
        }
    }

    #[test]
    fn the_book_is_bounded() {
        let book = FaultBook::default();
        let add = || book.add(order(json!({"operation": "doEcho", "fault": "http500-before"})));
        for _ in 0..MAX_ORDERS {
            add().unwrap();
        }
        assert_eq!(add(), Err(OrderError::Full));
        book.clear();
        assert_eq!(book.open(), json!([]));
    }
}

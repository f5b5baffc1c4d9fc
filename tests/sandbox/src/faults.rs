//! Faults on demand: what can go wrong, and the book in which it is ordered.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use crate::serve::Cut;

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
}

/// A way of going wrong with its measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Effect {
    pub(crate) kind: Kind,
    pub(crate) delay: Duration,
    pub(crate) code: i32,
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

/// An order: the next `count` calls of an operation go wrong.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Order {
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
    #[error("there are {MAX_ORDERS} orders already: DELETE /faults clears them")]
    Full,
}

/// The orders, first come, first served.
#[derive(Default)]
pub(crate) struct FaultBook(Mutex<Vec<Order>>);

/// What a service answers when nothing goes wrong.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) content_type: &'static str,
    pub(crate) body: String,
}

/// Does the work (none of it before it is awaited) and answers, disturbed by the effect. `fault` writes the service's own form of an error code.
pub(crate) async fn disturb(
    effect: Option<Effect>,
    work: impl Future<Output = Answer>,
    fault: impl FnOnce(i32) -> Answer,
) -> Response {
    let Some(Effect { kind, delay, code }) = effect else {
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
        Kind::MalformedAfter => work.await.halved().into_response(),
        Kind::CodeBefore => fault(code).into_response(),
        Kind::CodeAfter => {
            work.await;
            fault(code).into_response()
        }
    }
}

impl Answer {
    fn halved(mut self) -> Self {
        let half = (0..=self.body.len() / 2)
            .rev()
            .find(|at| self.body.is_char_boundary(*at))
            .unwrap_or(0);
        self.body.truncate(half);
        self
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        (self.status, [(CONTENT_TYPE, self.content_type)], self.body).into_response()
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

impl Effect {
    pub(crate) const fn new(kind: Kind) -> Self {
        Self {
            kind,
            delay: DEFAULT_DELAY,
            code: -1001,
        }
    }

    pub(crate) const fn slow(kind: Kind, delay: Duration) -> Self {
        Self {
            kind,
            delay,
            code: -1001,
        }
    }

    pub(crate) const fn with_code(kind: Kind, code: i32) -> Self {
        Self {
            kind,
            delay: DEFAULT_DELAY,
            code,
        }
    }
}

impl FaultBook {
    /// Takes an order.
    pub(crate) fn add(&self, order: Order) -> Result<(), OrderError> {
        order.check()?;
        let mut orders = self.orders();
        if orders.len() == MAX_ORDERS {
            return Err(OrderError::Full);
        }
        orders.push(order);
        Ok(())
    }

    /// The fault that is due for this call, if any; it counts as served.
    pub(crate) fn due(&self, operation: Operation) -> Option<Effect> {
        let mut orders = self.orders();
        let place = orders.iter().position(|order| order.operation == operation)?;
        let order = &mut orders[place];
        let effect = order.effect();
        order.count -= 1;
        if order.count == 0 {
            orders.remove(place);
        }
        Some(effect)
    }

    pub(crate) fn open(&self) -> Vec<Order> {
        self.orders().clone()
    }

    pub(crate) fn clear(&self) {
        self.orders().clear();
    }

    fn orders(&self) -> std::sync::MutexGuard<'_, Vec<Order>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Order {
    fn check(&self) -> Result<(), OrderError> {
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
        Ok(())
    }

    fn effect(&self) -> Effect {
        Effect {
            kind: self.fault,
            delay: self.delay_ms.map_or(DEFAULT_DELAY, Duration::from_millis),
            code: self.code.unwrap_or(-1001),
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
        assert_eq!(book.due(Operation::GetCustomerAccounts), None);
        assert_eq!(book.due(Operation::Enroll), Some(Effect::new(Kind::CutAfter)));
        assert_eq!(book.due(Operation::Enroll), Some(Effect::new(Kind::CutAfter)));
        assert_eq!(book.due(Operation::Enroll), None);
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
        assert_eq!(
            book.due(Operation::Enroll).unwrap().delay,
            Duration::from_millis(5)
        );
        assert_eq!(book.due(Operation::Enroll).unwrap().code, -45);
        assert!(book.open().is_empty());
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
        ] {
            assert_eq!(book.add(order(bad)), Err(why));
        }
    }

    #[test]
    fn the_book_is_bounded() {
        let book = FaultBook::default();
        let one = order(json!({"operation": "doEcho", "fault": "http500-before"}));
        for _ in 0..MAX_ORDERS {
            book.add(one.clone()).unwrap();
        }
        assert_eq!(book.add(one), Err(OrderError::Full));
        book.clear();
        assert!(book.open().is_empty());
    }
}

//! Faults on demand: orders, their queue, and the disturbed answers.

use axum::response::{IntoResponse as _, Response};
use tokio::time::sleep;

mod answer;
mod effect;
mod form;
mod order;
mod queue;
mod service_error;
mod shape;

pub(crate) use self::answer::Answer;
pub(crate) use self::effect::{Effect, Kind, RetryAfter};
pub(crate) use self::form::Form;
pub(crate) use self::order::{Operation, Order};
pub(crate) use self::queue::{FaultQueue, Subject};
pub(crate) use self::service_error::{ServiceError, detailed, plain};
pub(crate) use self::shape::Shape;

use self::answer::{cut, server_error};

/// Refusal that an effect asks for.
pub(crate) enum Refusal {
    /// A code of the service.
    Code(i32),
    /// A reason of the gateway in front of it.
    Gateway(&'static str),
    /// Too many calls.
    Throttled(Option<RetryAfter>),
    /// An error of a REST service.
    Service(ServiceError, Option<RetryAfter>),
}

/// Does the work (none of it before it is awaited) and answers, disturbed by the effect. `refuse` writes the service's own
/// form of a refusal.
pub(crate) async fn disturb(
    effect: Option<Effect>,
    work: impl Future<Output = Answer>,
    refuse: impl FnOnce(Refusal) -> Answer,
) -> Response {
    let Some(Effect {
        kind,
        delay,
        code,
        retry_after,
        error,
        ..
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
        Kind::Http500Before => server_error(),
        Kind::Http500After => {
            work.await;
            server_error()
        }
        Kind::Shaped => work.await.into_response(),
        Kind::MalformedAfter => work.await.halved().into_response(),
        Kind::InvalidClientCert => refuse(Refusal::Gateway("INVALID_CLIENT_CERT")).into_response(),
        Kind::AuthenticationFailed => refuse(Refusal::Gateway("AUTHENTICATION_FAILED")).into_response(),
        Kind::InvalidBodyHash => refuse(Refusal::Gateway("INVALID_BODY_HASH")).into_response(),
        Kind::Throttled => refuse(Refusal::Throttled(retry_after)).into_response(),
        Kind::Refused => match error {
            Some(error) => refuse(Refusal::Service(error, retry_after)).into_response(),
            None => server_error(),
        },
        Kind::CodeBefore => refuse(Refusal::Code(code)).into_response(),
        Kind::CodeAfter => {
            work.await;
            refuse(Refusal::Code(code)).into_response()
        }
    }
}

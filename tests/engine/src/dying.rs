//! A process that dies: from its nth call of the engine on, nothing leaves it.

use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;

/// Lets so many calls through.
#[derive(Debug)]
struct Dying {
    left: AtomicUsize,
}

impl Intercept for Dying {
    fn name(&self) -> &'static str {
        "Dying"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let one_less = |left: usize| left.checked_sub(1);
        self.left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less)
            .map(drop)
            .map_err(|_| "the process is dead".into())
    }
}

/// The same engine, for a process that dies after so many calls.
pub(crate) fn after(calls: usize, dynamodb: &aws_sdk_dynamodb::Client) -> aws_sdk_dynamodb::Client {
    let dying = Dying {
        left: AtomicUsize::new(calls),
    };
    let config = dynamodb.config().to_builder().interceptor(dying);
    aws_sdk_dynamodb::Client::from_conf(config.build())
}

//! Calls as they leave for the engine, repeats of the SDK included.

use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;

/// One call.
#[derive(Debug, Clone)]
pub struct Call {
    /// Such as `GetItem`.
    pub operation: String,
    /// JSON, as the engine got it.
    pub body: Vec<u8>,
}

/// Calls that were sent to the engine, and the transactions that it canceled.
#[derive(Debug, Clone, Default)]
pub struct Calls {
    sent: Arc<Mutex<Vec<Call>>>,
    canceled: Arc<Mutex<Vec<String>>>,
}

impl Calls {
    /// The calls since this was asked last, in their order.
    pub fn take(&self) -> Vec<Call> {
        std::mem::take(&mut self.sent.lock().unwrap())
    }

    /// The reasons of each canceled transaction, one for each of its writes.
    pub fn canceled(&self) -> Vec<String> {
        self.canceled.lock().unwrap().clone()
    }
}

impl Intercept for Calls {
    fn name(&self) -> &'static str {
        "Calls"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request();
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default();
        self.sent.lock().unwrap().push(Call {
            operation: operation.to_owned(),
            body: request.body().bytes().unwrap_or_default().to_vec(),
        });
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let error = context.output_or_error().err();
        let error = error.and_then(|error| error.as_operation_error()?.downcast_ref());
        if let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) = error {
            let reasons = canceled.cancellation_reasons().iter();
            let codes: Vec<_> = reasons.filter_map(|reason| reason.code()).collect();
            self.canceled.lock().unwrap().push(codes.join(", "));
        }
        Ok(())
    }
}

/// The same engine, with its calls written down.
pub(crate) fn calls_of(dynamodb: &aws_sdk_dynamodb::Client) -> (aws_sdk_dynamodb::Client, Calls) {
    let calls = Calls::default();
    let config = dynamodb.config().to_builder().interceptor(calls.clone());
    (aws_sdk_dynamodb::Client::from_conf(config.build()), calls)
}

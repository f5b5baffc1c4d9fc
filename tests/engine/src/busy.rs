//! An engine whose partitions are busy: it answers batch reads with nothing but the keys that it left out.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// Start of a request's body.
const ASKED: &str = r#"{"RequestItems":"#;
/// Start of the body of an answer that processed none of its keys.
const LEFT_OUT: &str = r#"{"Responses":{},"UnprocessedKeys":"#;

/// Leaves out all keys of so many batch reads.
#[derive(Debug, Clone)]
struct Busy<T> {
    inner: T,
    left: Arc<AtomicUsize>,
}

impl HttpClient for Busy<SharedHttpClient> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Busy {
            inner: self.inner.http_connector(settings, components),
            left: Arc::clone(&self.left),
        })
    }
}

impl HttpConnector for Busy<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let one_less = |left: usize| left.checked_sub(1);
        let is_left_out = target.ends_with(".BatchGetItem")
            && self
                .left
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less)
                .is_ok();
        if !is_left_out {
            return self.inner.call(request);
        }
        let body = request.body().bytes().unwrap_or_default();
        let asked = std::str::from_utf8(body).expect("JSON is text");
        let keys = asked
            .strip_prefix(ASKED)
            .expect("a batch read asks for items first");
        let answer = format!("{LEFT_OUT}{keys}");
        let status = 200.try_into().expect("it is a status");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, answer.into())))
    }
}

/// The same engine, which leaves out all keys of the first `batches` batch reads.
pub(crate) fn for_batches(batches: usize, dynamodb: &aws_sdk_dynamodb::Client) -> aws_sdk_dynamodb::Client {
    let busy = Busy {
        inner: dynamodb.config().http_client().expect("it has a client"),
        left: Arc::new(AtomicUsize::new(batches)),
    };
    let config = dynamodb.config().to_builder().http_client(busy);
    aws_sdk_dynamodb::Client::from_conf(config.build())
}

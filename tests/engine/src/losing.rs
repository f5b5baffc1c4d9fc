//! Answers that are lost: the engine does its work, the connection is cut, and the SDK sends the same call again.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// The calls whose first answer was lost.
#[derive(Debug, Clone, Default)]
pub struct LostAnswers(Arc<Mutex<HashSet<Vec<u8>>>>);

impl LostAnswers {
    /// Number of lost answers.
    pub fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// Loses the first good answer to each call of one operation.
#[derive(Debug, Clone)]
struct Losing<T> {
    inner: T,
    operation: &'static str,
    lost: LostAnswers,
}

impl HttpClient for Losing<SharedHttpClient> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Losing {
            inner: self.inner.http_connector(settings, components),
            operation: self.operation,
            lost: self.lost.clone(),
        })
    }
}

impl HttpConnector for Losing<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let is_meant = target.ends_with(&format!(".{}", self.operation));
        let call = request.body().bytes().unwrap_or_default().to_vec();
        let answer = self.inner.call(request);
        let lost = Arc::clone(&self.lost.0);
        HttpConnectorFuture::new(async move {
            let answer = answer.await?;
            if is_meant && answer.status().is_success() && lost.lock().unwrap().insert(call) {
                return Err(ConnectorError::io("the connection was cut".into()));
            }
            Ok(answer)
        })
    }
}

/// The same engine, whose first good answer to each call of `operation` is lost.
pub(crate) fn answers_of(
    operation: &'static str,
    dynamodb: &aws_sdk_dynamodb::Client,
) -> (aws_sdk_dynamodb::Client, LostAnswers) {
    let lost = LostAnswers::default();
    let losing = Losing {
        inner: dynamodb.config().http_client().expect("it has a client"),
        operation,
        lost: lost.clone(),
    };
    let config = dynamodb.config().to_builder().http_client(losing);
    (aws_sdk_dynamodb::Client::from_conf(config.build()), lost)
}

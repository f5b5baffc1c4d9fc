//! The sequential depth of what a process asks of the engine: calls side by side count as one.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use tokio::time::Instant;

/// A call is held back until no other has begun for this long: calls that are made side by side overlap, however fast the
/// engine and however slow the machine is.
const QUIET: Duration = Duration::from_millis(100);

/// The longest chain of calls each of which began after the one before it had ended.
#[derive(Debug, Clone, Default)]
pub struct Rounds(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    /// Start of the last call.
    begun: Option<Instant>,
    longest: usize,
}

impl Rounds {
    /// Its length since the last time; the next chain starts anew.
    pub fn take(&self) -> usize {
        std::mem::take(&mut self.0.lock().unwrap().longest)
    }

    /// The place in its chain of a call that begins now.
    fn begin(&self) -> usize {
        let mut seen = self.0.lock().unwrap();
        seen.begun = Some(Instant::now());
        seen.longest + 1
    }

    /// All calls that are waiting at that moment go on together.
    async fn quiet(&self) {
        let quiet_at = || self.0.lock().unwrap().begun.map(|begun| begun + QUIET);
        while let Some(at) = quiet_at().filter(|at| Instant::now() < *at) {
            tokio::time::sleep_until(at).await;
        }
    }

    fn end(&self, place: usize) {
        let mut seen = self.0.lock().unwrap();
        seen.longest = place.max(seen.longest);
    }
}

#[derive(Debug, Clone)]
struct Counting<T> {
    inner: T,
    rounds: Rounds,
}

impl HttpClient for Counting<SharedHttpClient> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Counting {
            inner: self.inner.http_connector(settings, components),
            rounds: self.rounds.clone(),
        })
    }
}

impl HttpConnector for Counting<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let rounds = self.rounds.clone();
        let place = rounds.begin();
        let answer = self.inner.call(request);
        HttpConnectorFuture::new(async move {
            rounds.quiet().await;
            let answer = answer.await;
            rounds.end(place);
            answer
        })
    }
}

/// The same engine, whose calls are counted by rounds.
pub(crate) fn of(dynamodb: &aws_sdk_dynamodb::Client) -> (aws_sdk_dynamodb::Client, Rounds) {
    let rounds = Rounds::default();
    let counting = Counting {
        inner: dynamodb.config().http_client().expect("it has a client"),
        rounds: rounds.clone(),
    };
    let config = dynamodb.config().to_builder().http_client(counting);
    (aws_sdk_dynamodb::Client::from_conf(config.build()), rounds)
}

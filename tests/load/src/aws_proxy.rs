//! A proxy in front of the local AWS that injects AWS's faults.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use http::header::CONTENT_TYPE;
use http::uri::{Authority, Scheme};
use http::{HeaderMap, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::chance::Chance;
use crate::transactions::Transaction;

/// Frequency of each fault, in a million calls.
#[derive(Debug, Clone, Copy, Default)]
pub struct Faults {
    /// Seed of the random numbers.
    pub seed: u64,
    /// Calls of `DynamoDB` that are refused before anything is done, with one of two errors in turn.
    pub refused: u32,
    /// Calls of `DynamoDB` that are done, and whose answer never comes: the connection is cut.
    pub unanswered: u32,
    /// Messages to SQS that are sent twice. A standard queue may do this to any message.
    pub doubled: u32,
}

/// Fault that was injected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Injected {
    /// `ThrottlingException`.
    Throttled,
    /// `ProvisionedThroughputExceededException`.
    ThroughputExceeded,
    /// Done, but the connection cut.
    Unanswered,
    /// Sent twice.
    Doubled,
}

/// A running proxy, which ends on drop.
#[derive(Debug)]
pub struct AwsProxy {
    address: SocketAddr,
    injector: Arc<Injector>,
    listener: JoinHandle<()>,
}

/// Chooses the faults, and counts them.
#[derive(Debug)]
struct Injector {
    faults: Faults,
    chance: Chance,
    /// Whether no faults are injected at present.
    is_paused: AtomicBool,
    counts: Mutex<BTreeMap<Injected, usize>>,
    /// Number of calls of `DynamoDB`.
    calls: AtomicUsize,
    transactions: Mutex<Vec<Transaction>>,
}

#[derive(Debug, Clone)]
struct Upstream {
    authority: Authority,
    client: Client<HttpConnector, Full<Bytes>>,
}

type Answer = Response<Full<Bytes>>;

impl AwsProxy {
    /// Listens on a free port of this machine, in front of `aws` (`http://127.0.0.1:8705`).
    pub async fn start(aws: &str, faults: Faults) -> io::Result<Self> {
        let aws: Uri = aws.parse().map_err(io::Error::other)?;
        let authority = aws.authority().cloned();
        let upstream = Upstream {
            authority: authority.ok_or_else(|| io::Error::other("an address without a host"))?,
            client: Client::builder(TokioExecutor::new())
                .set_host(false)
                .http1_preserve_header_case(true)
                .build_http(),
        };
        let injector = Arc::new(Injector {
            faults,
            chance: Chance::new(faults.seed),
            is_paused: AtomicBool::new(false),
            counts: Mutex::default(),
            calls: AtomicUsize::default(),
            transactions: Mutex::default(),
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        Ok(Self {
            address: listener.local_addr()?,
            listener: tokio::spawn(listen(listener, upstream, Arc::clone(&injector))),
            injector,
        })
    }

    /// Its address, for `AWS_ENDPOINT_URL`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops or resumes the injection of faults.
    pub fn set_paused(&self, is_paused: bool) {
        self.injector.is_paused.store(is_paused, Ordering::SeqCst);
    }

    /// The transactions that were answered so far, except those that a fault was injected into.
    pub fn transactions(&self) -> Vec<Transaction> {
        let transactions = self.injector.transactions.lock();
        transactions.expect("nobody panics with it").clone()
    }

    /// Number of calls of `DynamoDB` so far, repeats and faults among them.
    pub fn calls(&self) -> usize {
        self.injector.calls.load(Ordering::SeqCst)
    }

    /// Number of faults injected so far, by kind.
    pub fn injected(&self) -> BTreeMap<Injected, usize> {
        self.injector
            .counts
            .lock()
            .expect("nobody panics with it")
            .clone()
    }
}

impl Drop for AwsProxy {
    fn drop(&mut self) {
        // Its connections go with it.
        self.listener.abort();
    }
}

async fn listen(listener: TcpListener, upstream: Upstream, injector: Arc<Injector>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // An error is the caller's going away again.
                if let Ok((stream, _)) = accepted {
                    connections.spawn(connection(stream, upstream.clone(), Arc::clone(&injector)));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, upstream: Upstream, injector: Arc<Injector>) {
    stream.set_nodelay(true).ok();
    let service = service_fn(|request| answer(request, &upstream, &injector));
    // An error is the caller's going away, or a cut.
    http1::Builder::new()
        .preserve_header_case(true)
        .serve_connection(TokioIo::new(stream), service)
        .await
        .ok();
}

/// hyper cuts the connection where this fails.
async fn answer(request: Request<Incoming>, upstream: &Upstream, injector: &Injector) -> io::Result<Answer> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let asked = body.clone();
    let request = Request::from_parts(head, Full::new(body));
    match injector.of(request.headers()) {
        Some(refusal @ (Injected::Throttled | Injected::ThroughputExceeded)) => Ok(refused(refusal)),
        Some(Injected::Unanswered) => {
            upstream.pass(request).await?;
            Err(io::Error::other("cut on purpose"))
        }
        Some(Injected::Doubled) => {
            upstream.pass(request.clone()).await?;
            upstream.pass(request).await
        }
        None if is_transaction(request.headers()) => {
            let (head, answer) = upstream.pass(request).await?.into_parts();
            let answer = answer.collect().await.map_err(io::Error::other)?.to_bytes();
            let transaction = Transaction::read(&asked, &answer);
            let mut transactions = injector.transactions.lock().expect("nobody panics with it");
            transactions.extend(transaction);
            Ok(Response::from_parts(head, Full::new(answer)))
        }
        None => upstream.pass(request).await,
    }
}

fn is_transaction(headers: &HeaderMap) -> bool {
    let target = headers.get("x-amz-target");
    target.is_some_and(|target| target == "DynamoDB_20120810.TransactWriteItems")
}

/// `DynamoDB` Developer Guide, "Error handling": HTTP 400, and the SDKs try again.
fn refused(refusal: Injected) -> Answer {
    let kind = match refusal {
        Injected::Throttled => "ThrottlingException",
        _ => "ProvisionedThroughputExceededException",
    };
    let body = json!({
        "__type": format!("com.amazonaws.dynamodb.v20120810#{kind}"),
        "message": "Refused by the test's proxy",
    });
    let mut answer = Response::new(Full::from(body.to_string()));
    *answer.status_mut() = StatusCode::BAD_REQUEST;
    let json = http::HeaderValue::from_static("application/x-amz-json-1.0");
    answer.headers_mut().insert(CONTENT_TYPE, json);
    answer
}

impl Injector {
    fn of(&self, headers: &HeaderMap) -> Option<Injected> {
        let target = headers.get("x-amz-target")?.to_str().ok()?;
        let is_dynamodb = target.starts_with("DynamoDB_20120810.");
        self.calls.fetch_add(usize::from(is_dynamodb), Ordering::SeqCst);
        if self.is_paused.load(Ordering::SeqCst) {
            return None;
        }
        let injected = if is_dynamodb {
            self.of_dynamodb()
        } else if matches!(target, "AmazonSQS.SendMessage" | "AmazonSQS.SendMessageBatch") {
            self.chance
                .happens(self.faults.doubled)
                .then_some(Injected::Doubled)
        } else {
            None
        };
        if let Some(injected) = injected {
            let mut counts = self.counts.lock().expect("nobody panics with it");
            *counts.entry(injected).or_default() += 1;
        }
        injected
    }

    fn of_dynamodb(&self) -> Option<Injected> {
        if self.chance.happens(self.faults.refused) {
            return Some(if self.chance.happens(500_000) {
                Injected::Throttled
            } else {
                Injected::ThroughputExceeded
            });
        }
        self.chance
            .happens(self.faults.unanswered)
            .then_some(Injected::Unanswered)
    }
}

impl Upstream {
    /// Method, path, headers and body as they came: the signature is over the host that the caller named.
    async fn pass(&self, mut request: Request<Full<Bytes>>) -> io::Result<Answer> {
        let mut address = std::mem::take(request.uri_mut()).into_parts();
        address.scheme = Some(Scheme::HTTP);
        address.authority = Some(self.authority.clone());
        *request.uri_mut() = Uri::from_parts(address).map_err(io::Error::other)?;
        let answer = self.client.request(request).await.map_err(io::Error::other)?;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        Ok(Response::from_parts(head, Full::new(body)))
    }
}

#[cfg(test)]
mod tests;

//! A proxy in front of the local AWS that lets it behave as AWS does on a bad day.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
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

/// How often, of a million calls, what goes wrong.
#[derive(Debug, Clone, Copy, Default)]
pub struct Faults {
    /// Where chance begins.
    pub seed: u64,
    /// Calls of `DynamoDB` that are refused before anything is done, with one of two errors in turn.
    pub refused: u32,
    /// Calls of `DynamoDB` that are done, and whose answer never comes: the connection is cut.
    pub unanswered: u32,
    /// Messages to SQS that are sent twice. A standard queue may do this to any message.
    pub doubled: u32,
}

/// What was made to go wrong.
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

/// A running proxy, which ends when this goes.
#[derive(Debug)]
pub struct AwsProxy {
    address: SocketAddr,
    fate: Arc<Fate>,
    listener: JoinHandle<()>,
}

/// Decides what goes wrong, and keeps count.
#[derive(Debug)]
struct Fate {
    faults: Faults,
    chance: Chance,
    /// Whether nothing goes wrong for the time being.
    is_calm: AtomicBool,
    counts: Mutex<BTreeMap<Injected, usize>>,
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
        let fate = Arc::new(Fate {
            faults,
            chance: Chance::new(faults.seed),
            is_calm: AtomicBool::new(false),
            counts: Mutex::default(),
            transactions: Mutex::default(),
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        Ok(Self {
            address: listener.local_addr()?,
            listener: tokio::spawn(listen(listener, upstream, Arc::clone(&fate))),
            fate,
        })
    }

    /// Its address, for `AWS_ENDPOINT_URL`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lets everything pass, or not any more.
    pub fn set_calm(&self, is_calm: bool) {
        self.fate.is_calm.store(is_calm, Ordering::SeqCst);
    }

    /// The transactions that were answered so far, except those that a fault was injected into.
    pub fn transactions(&self) -> Vec<Transaction> {
        let transactions = self.fate.transactions.lock();
        transactions.expect("nobody panics with it").clone()
    }

    /// How often what went wrong so far.
    pub fn injected(&self) -> BTreeMap<Injected, usize> {
        self.fate.counts.lock().expect("nobody panics with it").clone()
    }
}

impl Drop for AwsProxy {
    fn drop(&mut self) {
        // Its connections go with it.
        self.listener.abort();
    }
}

async fn listen(listener: TcpListener, upstream: Upstream, fate: Arc<Fate>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // An error is the caller's going away again.
                if let Ok((stream, _)) = accepted {
                    connections.spawn(connection(stream, upstream.clone(), Arc::clone(&fate)));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, upstream: Upstream, fate: Arc<Fate>) {
    stream.set_nodelay(true).ok();
    let service = service_fn(|request| answer(request, &upstream, &fate));
    // An error is the caller's going away, or a cut.
    http1::Builder::new()
        .preserve_header_case(true)
        .serve_connection(TokioIo::new(stream), service)
        .await
        .ok();
}

/// hyper cuts the connection where this fails.
async fn answer(request: Request<Incoming>, upstream: &Upstream, fate: &Fate) -> io::Result<Answer> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let asked = body.clone();
    let request = Request::from_parts(head, Full::new(body));
    match fate.of(request.headers()) {
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
            let mut transactions = fate.transactions.lock().expect("nobody panics with it");
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

impl Fate {
    fn of(&self, headers: &HeaderMap) -> Option<Injected> {
        if self.is_calm.load(Ordering::SeqCst) {
            return None;
        }
        let target = headers.get("x-amz-target")?.to_str().ok()?;
        let injected = if target.starts_with("DynamoDB_20120810.") {
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

//! A proxy in front of the local AWS that counts calls as they are on the wire, retries of the SDK included.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::runtime::Runtime;

/// Calls by service and operation.
pub(crate) type Calls = BTreeMap<String, usize>;

/// The running proxy.
pub(crate) struct Counting {
    /// Address of the proxy.
    pub(crate) url: String,
    counted: Arc<Mutex<Calls>>,
    _runtime: Runtime,
}

#[derive(Clone)]
struct Passing {
    client: Client<HttpConnector, Body>,
    upstream: String,
    counted: Arc<Mutex<Calls>>,
}

impl Counting {
    /// Starts counting the calls to `upstream`.
    pub(crate) fn before(upstream: &str) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let counted = Arc::new(Mutex::new(Calls::new()));
        let client = Client::builder(TokioExecutor::new()).build_http();
        let passing = Passing {
            client,
            upstream: upstream.trim_end_matches('/').into(),
            counted: Arc::clone(&counted),
        };
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))?;
        let url = format!("http://{}", listener.local_addr()?);
        let router = Router::new().fallback(pass).with_state(passing);
        runtime.spawn(async move { axum::serve(listener, router).await });
        Ok(Self {
            url,
            counted,
            _runtime: runtime,
        })
    }

    /// Takes the calls since the last take.
    pub(crate) fn take(&self) -> Calls {
        std::mem::take(&mut *self.counted.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn pass(State(passing): State<Passing>, mut request: Request) -> Response {
    let operation = operation(&request);
    *passing
        .counted
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .entry(operation)
        .or_default() += 1;
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    match format!("{}{path}", passing.upstream).parse::<Uri>() {
        Ok(uri) => *request.uri_mut() = uri,
        Err(_) => return StatusCode::BAD_REQUEST.into_response(),
    }
    match passing.client.request(request).await {
        Ok(answer) => answer.map(Body::new).into_response(),
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

/// `dynamodb GetItem`: the services of the flow name their operation in `X-Amz-Target`; S3 is told by its method.
fn operation(request: &Request) -> String {
    let target = request
        .headers()
        .get("x-amz-target")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    match target.split_once('.') {
        Some((service, operation)) if service.starts_with("DynamoDB") => format!("dynamodb {operation}"),
        Some(("TrentService", operation)) => format!("kms {operation}"),
        Some((service, operation)) => format!("{service} {operation}"),
        None => format!("s3 {}", request.method()),
    }
}

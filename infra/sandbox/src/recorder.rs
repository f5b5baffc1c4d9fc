//! Recorder between the deployed functions and the local AWS: which function made which call, on which resource. The
//! check `roles` compares the functions' roles with the record.
//!
//! Plain HTTP/1.1 to plain HTTP/1.1. `Host` stays as it came: the callers signed it.

use std::collections::HashSet;
use std::fs::File;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, Uri, Version};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

mod call;

pub use self::call::Call;

/// A transaction has 4 MB at most.
const MAX_BODY: usize = 8 * 1024 * 1024;

/// Settings of the recorder.
#[derive(Clone, Debug)]
pub struct RecorderSettings {
    /// Address of the recorder, which the functions use as that of AWS.
    pub listen: SocketAddr,
    /// The local AWS, as `127.0.0.1:8705`.
    pub upstream: SocketAddr,
    /// One line of JSON is added for each call that differs from all before it.
    pub file: PathBuf,
}

#[derive(Clone)]
struct Recorder {
    upstream: SocketAddr,
    client: Client<HttpConnector, Full<Bytes>>,
    recorded: Arc<Mutex<Recorded>>,
}

struct Recorded {
    known: HashSet<Call>,
    file: File,
}

/// Passes everything on.
pub(crate) fn router(settings: &RecorderSettings) -> std::io::Result<Router> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let recorder = Recorder {
        upstream: settings.upstream,
        client: Client::builder(TokioExecutor::new()).build(connector),
        recorded: Arc::new(Mutex::new(Recorded {
            known: HashSet::new(),
            file: File::options().create(true).append(true).open(&settings.file)?,
        })),
    };
    Ok(Router::new().fallback(pass).with_state(recorder))
}

async fn pass(State(recorder): State<Recorder>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, MAX_BODY)
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
    else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    recorder.note(&parts.headers, &parts.method, &parts.uri, &body);
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let Ok(uri) = format!("http://{}{path}", recorder.upstream).parse::<Uri>() else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    parts.uri = uri;
    parts.version = Version::HTTP_11;
    parts.extensions.clear();
    let request = http::Request::from_parts(parts, Full::new(body));
    match recorder.client.request(request).await {
        Ok(response) => response.map(Body::new),
        // As if nobody listened: the caller's SDK tries again.
        Err(error) => {
            tracing::warn!(%error, "the local AWS did not answer");
            StatusCode::BAD_GATEWAY.into_response()
        }
    }
}

impl Recorder {
    fn note(&self, headers: &HeaderMap, method: &http::Method, uri: &Uri, body: &[u8]) {
        let calls = call::of_request(headers, method, uri, body);
        let mut recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        for call in calls {
            if !recorded.known.contains(&call) {
                let line = serde_json::to_string(&call).unwrap_or_default() + "\n";
                if let Err(error) = recorded.file.write_all(line.as_bytes()) {
                    tracing::error!(%error, "a call can't be recorded");
                }
                recorded.known.insert(call);
            }
        }
    }
}

use std::time::Duration;

use http::{
    HeaderMap, HeaderValue, Request, Response, Uri, Version,
    header::{HOST, RETRY_AFTER},
};
use http_body_util::Full;
use hyper::{
    body::{Bytes, Incoming},
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};
use tokio_rustls::client::TlsStream;

use super::{
    Answer,
    error::{self, SendError, SendStage},
    status_line::Watched,
};
use crate::retry_after;

/// Name of HTTP/2 in ALPN (RFC 9113 §3.1).
pub(super) const HTTP_2: &[u8] = b"h2";
/// Name of HTTP/1.1 in ALPN (RFC 7301 §6).
pub(super) const HTTP_1_1: &[u8] = b"http/1.1";

/// Number of header fields of an answer that are read. Of an answer with more, only the status line is used.
const MAX_HEADERS: usize = 1000;
/// Longest header section over HTTP/2, decoded. The status is part of it.
const MAX_HEADER_BYTES: u32 = 1024 * 1024;
/// Time that an HTTP/2 connection has to end in an orderly way after its answer.
const FAREWELL: Duration = Duration::from_millis(200);

type Connection = TlsStream<TcpStream>;
type Post = Request<Full<Bytes>>;

/// Exchange without an answer.
pub(super) struct ExchangeError {
    pub(super) failure: SendError,
    /// Whether HTTP/2 itself is the reason, so that HTTP/1.1 may succeed.
    pub(super) over_http_1: bool,
}

/// Builds the request of one attempt. `None` if HTTP does not allow it.
pub(super) fn request(uri: &Uri, headers: HeaderMap, body: Vec<u8>) -> Option<Post> {
    let mut request = Request::post(uri.clone()).body(Full::new(body.into())).ok()?;
    *request.headers_mut() = headers;
    Some(request)
}

/// Posts over the protocol that the handshake chose.
pub(super) async fn post(
    connection: Connection,
    request: Post,
    deadline: Instant,
) -> Result<Answer, ExchangeError> {
    if connection.get_ref().1.alpn_protocol() == Some(HTTP_2) {
        over_http_2(connection, request, deadline).await
    } else {
        let answer = over_http_1(connection, request, deadline).await;
        answer.map_err(|failure| ExchangeError {
            failure,
            over_http_1: false,
        })
    }
}

/// Posts over HTTP/1.1. The status line counts even if the library can't read the rest of the head: two values of
/// `Content-Length`, a head without end, a connection that breaks within it.
async fn over_http_1(
    connection: Connection,
    mut request: Post,
    deadline: Instant,
) -> Result<Answer, SendError> {
    let uri = request.uri().clone();
    let host = uri
        .authority()
        .map(|authority| HeaderValue::from_str(authority.as_str()));
    let Some(Ok(host)) = host else {
        return Err(SendError::Request);
    };
    request.headers_mut().insert(HOST, host);
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    *request.uri_mut() = target.parse().map_err(|_| SendError::Request)?;

    let (watched, status) = Watched::new(connection);
    let exchange = async {
        let (mut sender, connection) = http1::Builder::new()
            .max_headers(MAX_HEADERS)
            .allow_obsolete_multiline_headers_in_responses(true)
            .allow_spaces_after_header_name_in_responses(true)
            .ignore_invalid_headers_in_responses(true)
            .handshake(TokioIo::new(watched))
            .await?;
        driven(sender.send_request(request), connection).await
    };
    let failure = match timeout_at(deadline, exchange).await {
        Ok(Ok(response)) => return Ok(answer(&response)),
        Ok(Err(error)) => SendError::of_exchange(&error),
        Err(_) => SendError::Timeout(SendStage::Answer),
    };
    let unread = |status| Answer {
        status,
        retry_after: None,
    };
    status.get().map(unread).ok_or(failure)
}

/// Posts over HTTP/2. A header section that breaks the protocol, such as one with the field `connection`, is refused as
/// a whole, including its status. Some proxies write it, and browsers accept it.
async fn over_http_2(
    connection: Connection,
    mut request: Post,
    deadline: Instant,
) -> Result<Answer, ExchangeError> {
    *request.version_mut() = Version::HTTP_2;
    let exchange = async {
        let (mut sender, mut connection) = http2::Builder::new(TokioExecutor::new())
            .max_header_list_size(MAX_HEADER_BYTES)
            .handshake(TokioIo::new(connection))
            .await?;
        let response = driven(sender.send_request(request), &mut connection).await?;
        Ok((answer(&response), connection))
    };
    match timeout_at(deadline, exchange).await {
        Ok(Ok((answer, connection))) => {
            // The answer stands, however the connection ends.
            let _ = timeout(FAREWELL, connection).await;
            Ok(answer)
        }
        Ok(Err(error)) => Err(ExchangeError {
            failure: SendError::of_exchange(&error),
            over_http_1: error::is_of_http_2(&error),
        }),
        Err(_) => Err(ExchangeError {
            failure: SendError::Timeout(SendStage::Answer),
            over_http_1: false,
        }),
    }
}

/// Waits for a response while driving its connection.
async fn driven(
    response: impl Future<Output = hyper::Result<Response<Incoming>>>,
    connection: impl Future<Output = hyper::Result<()>>,
) -> hyper::Result<Response<Incoming>> {
    tokio::pin!(response);
    tokio::select! {
        biased;
        response = &mut response => response,
        // It ends with an answer handed over, or tells the response why there is none.
        _ = connection => response.await,
    }
}

fn answer(response: &Response<Incoming>) -> Answer {
    let wait = response.headers().get(RETRY_AFTER);
    Answer {
        status: response.status().as_u16(),
        retry_after: wait.and_then(|value| retry_after::parse(value.to_str().ok()?)),
    }
}

//! Plain HTTP calls: no redirect is followed, no status is an error, and no proxy is used.

use std::sync::OnceLock;
use std::time::Duration;

use http::{HeaderMap, Request};
use serde_json::Value;
use ureq::Agent;

/// Time limit of a call, longer than the gateway waits for a function.
const PATIENCE: Duration = Duration::from_secs(40);
const LARGEST: u64 = 64 * 1024 * 1024;

/// Response.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Header.
    pub headers: HeaderMap,
    /// Body as received.
    pub bytes: Vec<u8>,
}

/// Sends a request.
pub fn send(request: Request<Vec<u8>>) -> Answer {
    send_patiently(request, PATIENCE)
}

/// Sends a request with a time limit.
pub fn send_patiently(request: Request<Vec<u8>>, patience: Duration) -> Answer {
    let place = format!("{} {}", request.method(), request.uri());
    let request = agent()
        .configure_request(request)
        .timeout_global(Some(patience))
        .build();
    let mut response = agent()
        .run(request)
        .unwrap_or_else(|error| panic!("{place}: {error}"));
    let bytes = response.body_mut().with_config().limit(LARGEST).read_to_vec();
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        bytes: bytes.unwrap_or_else(|error| panic!("{place}: {error}")),
    }
}

/// Fetches an address.
pub fn get(address: &str) -> Answer {
    send(Request::get(address).body(Vec::new()).expect("an address"))
}

/// Posts JSON.
pub fn post_json(address: &str, body: &str) -> Answer {
    let request = Request::post(address)
        .header("content-type", "application/json")
        .header("accept", "application/json");
    send(request.body(body.into()).expect("an address"))
}

impl Answer {
    /// Header that must be present.
    pub fn header(&self, name: &str) -> &str {
        self.optional_header(name)
            .unwrap_or_else(|| panic!("no header {name} in {self:?}"))
    }

    /// Header that may be present.
    pub fn optional_header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(|value| value.to_str().expect("a header of visible characters"))
    }

    /// Body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).expect("a body of text")
    }

    /// Body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|error| panic!("{error} in {}: {}", self.status, self.text()))
    }
}

fn agent() -> &'static Agent {
    static AGENT: OnceLock<Agent> = OnceLock::new();
    AGENT.get_or_init(|| {
        Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .allow_non_standard_methods(true)
            .build()
            .new_agent()
    })
}

//! Redirection of the deployed functions to another address than that of the local AWS.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use flows::call::{self, Answer};
use flows::stack::Stack;
use http::Request;
use serde_json::{Map, Value, json};

/// The SDKs' variables for the address of one service (AWS SDKs and Tools Reference Guide, "Service-specific endpoints").
/// The variable for all services would not do: the local AWS sets it to its own address, over the function's.
const VARIABLES: [&str; 2] = ["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SQS"];

/// Lock on the functions' settings, over all processes that test this stack.
#[derive(Debug)]
pub struct SettingsLock {
    _locked: File,
}

impl SettingsLock {
    /// Waits for the lock.
    pub fn wait() -> Self {
        let file =
            File::create(Stack::here().file("functions.lock")).expect("the stack's folder can be written");
        file.lock().expect("a file can be locked");
        Self { _locked: file }
    }
}

/// Redirection of the functions. On drop their own settings are restored, after a panic too.
#[derive(Debug)]
pub struct Redirected<'a> {
    functions: Vec<Function>,
    _lock: &'a SettingsLock,
}

#[derive(Debug)]
struct Function {
    name: String,
    variables: Map<String, Value>,
}

impl<'a> Redirected<'a> {
    /// Redirects all calls of `DynamoDB` and SQS by all functions of the stack to `address`. A change of its settings
    /// ends a function's processes, so that the next call is redirected.
    pub fn to(address: &str, lock: &'a SettingsLock) -> Self {
        let mut redirected = Self {
            functions: Vec::new(),
            _lock: lock,
        };
        for function in deployed() {
            let mut variables = function.variables.clone();
            variables.extend(VARIABLES.map(|name| (name.to_owned(), address.into())));
            // First, so that it is put back should anything fail from here on.
            redirected.functions.push(function);
            let function = redirected.functions.last().expect("it was pushed");
            configure(&function.name, &variables);
        }
        assert!(!redirected.functions.is_empty(), "no function is deployed");
        redirected
    }
}

impl Drop for Redirected<'_> {
    fn drop(&mut self) {
        for Function { name, variables } in &self.functions {
            let back = catch_unwind(AssertUnwindSafe(|| configure(name, variables)));
            // A second panic would hide the first, and leave the others where they are.
            assert!(back.is_ok() || thread::panicking(), "{name} is still redirected");
        }
    }
}

fn deployed() -> Vec<Function> {
    let answer = send(Request::get(address("")), Vec::new()).json();
    assert!(
        answer["NextMarker"].as_str().is_none_or(str::is_empty),
        "there are more functions"
    );
    let functions = answer["Functions"].as_array().expect("functions");
    functions
        .iter()
        .map(|function| Function {
            name: function["FunctionName"].as_str().expect("a name").to_owned(),
            variables: function["Environment"]["Variables"]
                .as_object()
                .cloned()
                .unwrap_or_default(),
        })
        .collect()
}

fn configure(function: &str, variables: &Map<String, Value>) {
    let body = json!({"Environment": {"Variables": variables}}).to_string();
    send(
        Request::put(address(&format!("{function}/configuration"))),
        body.into_bytes(),
    );
}

fn address(path: &str) -> String {
    format!("{}/2015-03-31/functions/{path}", Stack::here().endpoints.aws)
}

/// The local AWS does not check the root user's signature.
fn send(request: http::request::Builder, body: Vec<u8>) -> Answer {
    let credential = "AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/lambda/aws4_request";
    let request = request.header("content-type", "application/json").header(
        "authorization",
        format!("{credential}, SignedHeaders=host, Signature=0"),
    );
    let answer = call::send(request.body(body).expect("a request"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer
}

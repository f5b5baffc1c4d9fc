//! Calls to the local AWS.
//!
//! It checks who calls (AUTH=true) but takes the account's own key `test` without looking at the signature, so these
//! calls are not really signed. Nothing here is ever sent to AWS.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use ureq::Agent;

/// The Region of everything local; the default for AWS too.
pub(crate) const REGION: &str = "eu-central-1";
const LIMIT: Duration = Duration::from_secs(10);

/// One of the services that speak JSON over POST.
#[derive(Clone, Copy)]
pub(crate) enum Service {
    DynamoDb,
    SecretsManager,
}

/// A refused call.
#[derive(Debug)]
pub(crate) struct Refusal {
    kind: String,
    message: String,
}

pub(crate) struct LocalAws {
    agent: Agent,
    url: String,
}

impl LocalAws {
    pub(crate) fn at(port: u16) -> Self {
        Self {
            agent: agent(),
            url: format!("http://127.0.0.1:{port}"),
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Calls an operation; the inner result is the service's answer or refusal.
    pub(crate) fn call(
        &self,
        service: Service,
        operation: &str,
        body: &Value,
    ) -> Result<Result<Value, Refusal>> {
        let (name, prefix, version) = match service {
            Service::DynamoDb => ("dynamodb", "DynamoDB_20120810", "1.0"),
            Service::SecretsManager => ("secretsmanager", "secretsmanager", "1.1"),
        };
        let mut answer = self
            .agent
            .post(format!("{}/", self.url))
            .header("authorization", credential(name))
            .header("content-type", format!("application/x-amz-json-{version}"))
            .header("x-amz-target", format!("{prefix}.{operation}"))
            .send(body.to_string())
            .with_context(|| format!("{operation}: the local AWS does not answer"))?;
        let text = answer.body_mut().read_to_string()?;
        let content: Value = serde_json::from_str(&text).unwrap_or_default();
        if answer.status().is_success() {
            return Ok(Ok(content));
        }
        let field = |name: &str| {
            content
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or(&text)
                .to_owned()
        };
        let kind = field("__type");
        Ok(Err(Refusal {
            kind: kind.rsplit('#').next().unwrap_or(&kind).to_owned(),
            message: field(if content.get("message").is_some() {
                "message"
            } else {
                "Message"
            }),
        }))
    }

    /// A secret's text; none where it does not exist.
    pub(crate) fn secret(&self, name: &str) -> Result<Option<String>> {
        match self.call(
            Service::SecretsManager,
            "GetSecretValue",
            &json!({ "SecretId": name }),
        )? {
            Ok(secret) => Ok(secret
                .get("SecretString")
                .and_then(Value::as_str)
                .map(str::to_owned)),
            Err(refusal) if refusal.is("ResourceNotFoundException") => Ok(None),
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// Creates or changes a secret; returns whether that was necessary.
    pub(crate) fn put_secret(&self, name: &str, text: &str) -> Result<bool> {
        let present = self.secret(name)?;
        if present.as_deref() == Some(text) {
            return Ok(false);
        }
        let (operation, body) = match present {
            Some(_) => (
                "PutSecretValue",
                json!({ "SecretId": name, "SecretString": text }),
            ),
            None => ("CreateSecret", json!({ "Name": name, "SecretString": text })),
        };
        self.call(Service::SecretsManager, operation, &body)?
            .with_context(|| format!("can't store the secret {name}"))?;
        Ok(true)
    }

    /// The environment variables of the deployed functions, of all together: what one of them has beside the others does
    /// not disturb these.
    pub(crate) fn function_environment(&self) -> Result<Vec<(String, String)>> {
        let url = format!("{}/2015-03-31/functions/", self.url);
        let mut answer = self
            .agent
            .get(url)
            .header("authorization", credential("lambda"))
            .call()?;
        let list: Value = serde_json::from_str(&answer.body_mut().read_to_string()?)?;
        let functions = list.get("Functions").and_then(Value::as_array);
        let variables: BTreeMap<String, String> = functions
            .into_iter()
            .flatten()
            .filter_map(|function| function.pointer("/Environment/Variables")?.as_object())
            .flatten()
            .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
            .collect();
        if variables.is_empty() {
            bail!("no function is deployed: run `cargo xtask up` first");
        }
        Ok(variables.into_iter().collect())
    }
}

impl Refusal {
    pub(crate) fn is(&self, kind: &str) -> bool {
        self.kind == kind
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.kind, self.message)
    }
}

impl std::error::Error for Refusal {}

/// Whether a server on this machine says that it is ready.
pub(crate) fn is_ready(url: &str) -> bool {
    agent()
        .get(url)
        .call()
        .is_ok_and(|answer| answer.status().is_success())
}

/// Environment variables by which the AWS tools talk to the local AWS.
pub(crate) fn variables(port: u16) -> [(&'static str, String); 6] {
    [
        ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}")),
        ("AWS_ACCESS_KEY_ID", "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ("AWS_REGION", REGION.to_owned()),
        ("AWS_DEFAULT_REGION", REGION.to_owned()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
    ]
}

fn credential(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=test/20260101/{REGION}/{service}/aws4_request, SignedHeaders=host, Signature=none"
    )
}

fn agent() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(LIMIT))
        .proxy(None)
        .build()
        .into()
}

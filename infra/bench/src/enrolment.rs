//! The calls to AWS of one enrolment: with functions just started, and with the same functions once more.

use std::sync::LazyLock;

use anyhow::{Context as _, Result, ensure};
use flows::card::Card;
use flows::local_aws;
use flows::partner::Partner;
use flows::stack::Stack;
use serde_json::{Value, json};

use crate::Arguments;
use crate::counting::{Calls, Counting};
use crate::emulator::Emulated;

/// A session that no function finds.
pub(crate) static UNKNOWN_SESSION: LazyLock<String> = LazyLock::new(|| "A".repeat(43));

/// Enrols two cards of two customers, one after the other, through one process of each function.
pub(crate) fn measure(arguments: &Arguments, aws: &Counting, exceeded: &mut Vec<String>) -> Result<()> {
    let variables = variables(aws);
    let start = |name: &str| {
        let bootstrap = arguments.functions.join(name).join("bootstrap");
        Emulated::start(
            &arguments.emulator,
            &bootstrap,
            &variables,
            &arguments.scratch.join(format!("{name}.log")),
        )
    };
    let (init, enroll) = (start("widget-init")?, start("enroll")?);
    println!("\nCalls to AWS of an enrolment, counted on the wire");
    for temperature in ["cold", "warm"] {
        aws.take();
        let (redirect, _) = init.invoke(&initialize())?;
        let location = redirect["multiValueHeaders"]["location"][0]
            .as_str()
            .context("a redirect")?;
        let session = location.rsplit('#').next().unwrap_or_default().to_owned();
        let opening = aws.take();
        let (form, _) = enroll.invoke(&describe("enroll", &session))?;
        let form: Value = serde_json::from_str(form["body"].as_str().unwrap_or_default())?;
        let describing = aws.take();
        let (answer, _) = enroll.invoke(&submit(&session, &form)?)?;
        let body = answer["body"].as_str().unwrap_or_default();
        ensure!(
            body.contains("SUCCESS_ENROLLMENT"),
            "the enrolment failed: {answer}"
        );
        let enrolling = aws.take();
        for (step, calls) in [("open", opening), ("form", describing), ("enrol", enrolling)] {
            println!("{temperature:<6}{step:<7}{}", told(&calls));
            let costly = calls
                .keys()
                .any(|name| name.starts_with("kms") || name.starts_with("secretsmanager"));
            if temperature == "warm" && costly {
                exceeded.push(format!("a warm step '{step}' calls KMS or Secrets Manager"));
            }
        }
    }
    Ok(())
}

/// The environment of a deployed function.
pub(crate) fn variables(aws: &Counting) -> Vec<(String, String)> {
    let secret = local_aws::aws(
        "secretsmanager.GetSecretValue",
        &json!({"SecretId": "card-enrolment/local/settings"}),
    );
    let settings: Value =
        serde_json::from_str(secret["SecretString"].as_str().unwrap_or_default()).unwrap_or_default();
    let told = settings.as_object().cloned().unwrap_or_default();
    let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    told.into_iter()
        .filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())))
        .chain([
            own(
                "MRS_BASE_URL",
                &format!("{}/MRS", Stack::here().endpoints.mastercard),
            ),
            own("AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH", "true"),
            own("AWS_REGION", "eu-central-1"),
            own("AWS_ACCESS_KEY_ID", "test"),
            own("AWS_SECRET_ACCESS_KEY", "test"),
            own("AWS_ENDPOINT_URL", &aws.url),
        ])
        .collect()
}

/// A token is posted.
pub(crate) fn initialize() -> Value {
    let token = Partner::demo().with_another_customer().token(&json!({}));
    let body = json!({"initializeWebsiteToken": token}).to_string();
    event(
        "POST",
        "/company/non_auth_initialize",
        &[("content-type", "application/json")],
        &body,
    )
}

/// The page asks what to show.
pub(crate) fn describe(function: &str, session: &str) -> Value {
    event(
        "GET",
        &format!("/widget/api/{function}"),
        &[("authorization", &format!("Bearer {session}"))],
        "",
    )
}

fn submit(session: &str, form: &Value) -> Result<Value> {
    let card = Card::fresh();
    let spki = form["encryptionKey"]["spki"]
        .as_str()
        .context("a key to encrypt under")?;
    let consents: Vec<Value> = ["terms", "privacy"]
        .into_iter()
        .filter_map(|document| {
            Some(json!({"document": document, "version": form.get(document)?.get("version")?}))
        })
        .collect();
    let body = json!({
        "card": card.encrypted_under(spki), "bin": card.bin(), "last4": card.last4(), "consents": consents
    });
    let headers = [
        ("authorization", &*format!("Bearer {session}")),
        ("content-type", "application/json"),
        ("idempotency-key", &session[..32]),
    ];
    Ok(event("POST", "/widget/api/enroll", &headers, &body.to_string()))
}

/// An event of API Gateway's REST API.
pub(crate) fn event(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Value {
    let headers: Value = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Value::from(*value)))
        .collect();
    json!({
        "resource": path, "path": path, "httpMethod": method, "headers": headers, "body": body,
        "multiValueHeaders": {}, "isBase64Encoded": false,
        "requestContext": {"stage": "live", "path": path, "httpMethod": method, "requestId": "bench", "identity": {}}
    })
}

fn told(calls: &Calls) -> String {
    if calls.is_empty() {
        return "none".into();
    }
    calls
        .iter()
        .map(|(name, count)| format!("{count} {name}"))
        .collect::<Vec<_>>()
        .join(", ")
}

//! A request as IAM sees it: action, resource, condition keys.

use std::collections::BTreeMap;

use http::header::{AUTHORIZATION, USER_AGENT};
use http::{HeaderMap, Method, Uri};
use serde::Serialize;
use serde_json::Value;

/// One action on one resource, as a role's policy has to allow it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Call {
    /// The SDK's application name, which is the function's; empty where the caller has none.
    pub function: String,
    /// As policies write it: `dynamodb:GetItem`. Empty where it is not known.
    pub action: String,
    /// The service's own name of the resource: a table or `table/index/name`, the address of a queue, the id of a key, the
    /// name of a secret, `bucket` or `bucket/*`.
    pub resource: String,
    /// `dynamodb:LeadingKeys`; of all but names of wrapped keys the first part only, as `session#*`.
    pub leading_keys: Vec<String>,
    /// `kms:EncryptionContext:…`
    pub context: BTreeMap<String, String>,
}

/// The calls of a request: several where it is a transaction or a batch.
pub(crate) fn of_request(headers: &HeaderMap, method: &Method, uri: &Uri, body: &[u8]) -> Vec<Call> {
    let function = function(headers);
    let call = |action: String, resource: &str| Call {
        function: function.clone(),
        action,
        resource: resource.to_owned(),
        leading_keys: Vec::new(),
        context: BTreeMap::new(),
    };
    let Some((service, operation)) = target(headers) else {
        return vec![match service_of_signature(headers) {
            Some("s3") => object(method, uri, call),
            _ => call(String::new(), uri.path()),
        }];
    };
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    match service {
        "DynamoDB_20120810" => table_calls(operation, &body, &call),
        "AmazonSQS" => {
            // IAM has one action for a message and for a batch.
            let action = operation.trim_end_matches("Batch");
            vec![call(format!("sqs:{action}"), text("QueueUrl"))]
        }
        "TrentService" => {
            let mut one = call(format!("kms:{operation}"), text("KeyId"));
            one.context = serde_json::from_value(body.get("EncryptionContext").cloned().unwrap_or_default())
                .unwrap_or_default();
            vec![one]
        }
        "secretsmanager" => vec![call(format!("secretsmanager:{operation}"), text("SecretId"))],
        other => vec![call(format!("{other}:{operation}"), "")],
    }
}

/// `app/NAME` of the SDK's user agent.
fn function(headers: &HeaderMap) -> String {
    let agents = [USER_AGENT.as_str(), "x-amz-user-agent"];
    let mut words = agents
        .iter()
        .filter_map(|name| headers.get(*name)?.to_str().ok())
        .flat_map(str::split_whitespace);
    words
        .find_map(|word| word.strip_prefix("app/"))
        .unwrap_or_default()
        .to_owned()
}

fn target(headers: &HeaderMap) -> Option<(&str, &str)> {
    headers.get("x-amz-target")?.to_str().ok()?.split_once('.')
}

/// `Credential=KEY/DATE/REGION/SERVICE/aws4_request`
fn service_of_signature(headers: &HeaderMap) -> Option<&str> {
    let signature = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (_, credential) = signature.split_once("Credential=")?;
    credential.split(',').next()?.split('/').nth(3)
}

fn table_calls(operation: &str, body: &Value, call: &impl Fn(String, &str) -> Call) -> Vec<Call> {
    let one = |operation: &str, request: &Value| {
        let table = request
            .get("TableName")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let resource = match request.get("IndexName").and_then(Value::as_str) {
            Some(index) => format!("{table}/index/{index}"),
            None => table.to_owned(),
        };
        let mut one = call(format!("dynamodb:{operation}"), &resource);
        let key = ["/Key/pk/S", "/Item/pk/S"]
            .iter()
            .find_map(|key| request.pointer(key)?.as_str());
        one.leading_keys = key.map(leading_key).into_iter().collect();
        one
    };
    match operation {
        "TransactWriteItems" | "TransactGetItems" => {
            let writes = body.get("TransactItems").and_then(Value::as_array);
            let kinds = writes
                .into_iter()
                .flatten()
                .filter_map(Value::as_object)
                .flatten();
            let action = |kind: &str| match kind {
                "ConditionCheck" => "ConditionCheckItem".to_owned(),
                kind => format!("{kind}Item"),
            };
            kinds.map(|(kind, request)| one(&action(kind), request)).collect()
        }
        "BatchGetItem" => {
            let tables = body.get("RequestItems").and_then(Value::as_object);
            let tables = tables.into_iter().flatten();
            tables
                .map(|(table, asked)| {
                    let mut batch = call("dynamodb:BatchGetItem".to_owned(), table);
                    let keys = asked.get("Keys").and_then(Value::as_array);
                    let keys = keys.into_iter().flatten();
                    batch.leading_keys = keys
                        .filter_map(|key| key.pointer("/pk/S")?.as_str().map(leading_key))
                        .collect();
                    batch.leading_keys.sort_unstable();
                    batch.leading_keys.dedup();
                    batch
                })
                .collect()
        }
        operation => vec![one(operation, body)],
    }
}

/// Names of wrapped keys are short and nobody's secret; of other keys only the kind is kept.
fn leading_key(key: &str) -> String {
    match key.split_once('#') {
        Some(("key", _)) | None => key.to_owned(),
        Some((kind, _)) => format!("{kind}#*"),
    }
}

/// A request to S3 with the bucket in its path.
fn object(method: &Method, uri: &Uri, call: impl Fn(String, &str) -> Call) -> Call {
    let path = uri.path().trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let action = match (method.as_str(), key.is_empty()) {
        ("GET" | "HEAD", false) => "s3:GetObject",
        ("GET" | "HEAD", true) => "s3:ListBucket",
        ("PUT", false) => "s3:PutObject",
        ("DELETE", false) => "s3:DeleteObject",
        _ => "",
    };
    let resource = if key.is_empty() {
        bucket.to_owned()
    } else {
        format!("{bucket}/*")
    };
    call(action.to_owned(), &resource)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use serde_json::json;

    use super::*;

    fn calls(target: &str, body: &Value) -> Vec<Call> {
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-target", HeaderValue::from_str(target).unwrap());
        let agent = "aws-sdk-rust/1.3 os/linux lang/rust/1.95 app/local-Enroll-1A2B";
        headers.insert(USER_AGENT, HeaderValue::from_static(agent));
        let body = serde_json::to_vec(body).unwrap();
        of_request(&headers, &Method::POST, &Uri::from_static("/"), &body)
    }

    fn shown(calls: &[Call]) -> Vec<(&str, &str, Vec<&str>)> {
        calls
            .iter()
            .map(|call| {
                let keys = call.leading_keys.iter().map(String::as_str).collect();
                (call.action.as_str(), call.resource.as_str(), keys)
            })
            .collect()
    }

    #[test]
    fn a_transaction_is_its_parts() {
        let body = json!({"TransactItems": [
            {"Put": {"TableName": "a", "Item": {"pk": {"S": "session#1"}}}},
            {"ConditionCheck": {"TableName": "b", "Key": {"pk": {"S": "customer#x"}}}},
        ]});
        let found = calls("DynamoDB_20120810.TransactWriteItems", &body);
        assert_eq!(
            shown(&found),
            [
                ("dynamodb:PutItem", "a", vec!["session#*"]),
                ("dynamodb:ConditionCheckItem", "b", vec!["customer#*"]),
            ]
        );
        assert_eq!(found[0].function, "local-Enroll-1A2B");
    }

    #[test]
    fn tables_indexes_and_batches_are_named() {
        let key = json!({"TableName": "k", "Key": {"pk": {"S": "key#demo#session#2026-11"}}});
        let query = json!({"TableName": "t", "IndexName": "owner"});
        let batch = json!({"RequestItems": {"t": {"Keys": [{"pk": {"S": "a#1"}}, {"pk": {"S": "a#2"}}]}}});
        for (operation, body, expected) in [
            (
                "GetItem",
                key,
                ("dynamodb:GetItem", "k", vec!["key#demo#session#2026-11"]),
            ),
            ("Query", query, ("dynamodb:Query", "t/index/owner", vec![])),
            ("BatchGetItem", batch, ("dynamodb:BatchGetItem", "t", vec!["a#*"])),
        ] {
            let found = calls(&format!("DynamoDB_20120810.{operation}"), &body);
            assert_eq!(shown(&found), [expected]);
        }
    }

    #[test]
    fn queues_keys_and_secrets_are_named() {
        let found = calls("AmazonSQS.SendMessageBatch", &json!({"QueueUrl": "http://q"}));
        assert_eq!(shown(&found), [("sqs:SendMessage", "http://q", vec![])]);
        let body = json!({"KeyId": "arn:k", "EncryptionContext": {"client": "demo", "purpose": "session"}});
        let found = calls("TrentService.Decrypt", &body);
        assert_eq!(shown(&found), [("kms:Decrypt", "arn:k", vec![])]);
        assert_eq!(found[0].context["purpose"], "session");
        let found = calls("secretsmanager.GetSecretValue", &json!({"SecretId": "s"}));
        assert_eq!(shown(&found), [("secretsmanager:GetSecretValue", "s", vec![])]);
    }

    #[test]
    fn pictures_are_read_by_their_path() {
        let mut headers = HeaderMap::new();
        let signature =
            "AWS4-HMAC-SHA256 Credential=ASIA1/20261130/eu-central-1/s3/aws4_request, SignedHeaders=host";
        headers.insert(AUTHORIZATION, HeaderValue::from_static(signature));
        let uri = Uri::from_static("/bucket/demo/ab?x-id=GetObject");
        let found = of_request(&headers, &Method::GET, &uri, b"");
        assert_eq!(shown(&found), [("s3:GetObject", "bucket/*", vec![])]);
    }

    #[test]
    fn what_is_not_known_is_recorded_all_the_same() {
        let found = of_request(&HeaderMap::new(), &Method::GET, &Uri::from_static("/x"), b"");
        assert_eq!(shown(&found), [("", "/x", vec![])]);
    }
}

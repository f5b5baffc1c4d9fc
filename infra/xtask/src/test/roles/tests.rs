use super::*;
use crate::test::template::Template;

/// Two functions: one with a table, an index and keys of two purposes, one with a secret and a queue.
const TEMPLATE: &str = r#"{"Resources": {
    "Enroll": {"Type": "AWS::Lambda::Function", "Properties": {"Role": {"Fn::GetAtt": ["EnrollRole", "Arn"]}}},
    "EnrollRole": {"Type": "AWS::IAM::Role", "Properties": {"Policies": [{"PolicyDocument": {"Statement": [
        {"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:Query"],
         "Resource": [{"Fn::GetAtt": ["Cards", "Arn"]}, {"Fn::Sub": "${Cards.Arn}/index/owner"}]},
        {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": {"Fn::GetAtt": ["KeysTable", "Arn"]},
         "Condition": {"Fn::If": ["Local", {"Ref": "AWS::NoValue"}, {
            "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["key#*#enrollment#*", "key#*#session#*"]},
            "Null": {"dynamodb:LeadingKeys": "false"}}]}}
    ]}}]}},
    "DataKey": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Statement": [
        {"Effect": "Allow", "Principal": {"AWS": {"Fn::Sub": "arn:${AWS::AccountId}:root"}}, "Action": "kms:Put*", "Resource": "*"},
        {"Effect": "Allow", "Principal": {"AWS": {"Ref": "OperatorArn"}}, "Action": "kms:Decrypt", "Resource": "*"},
        {"Effect": "Allow", "Principal": {"AWS": [{"Fn::GetAtt": ["EnrollRole", "Arn"]}]}, "Action": "kms:Decrypt", "Resource": "*",
         "Condition": {"StringEquals": {"kms:EncryptionContext:purpose": ["enrollment"]},
            "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["client", "purpose"]}}}
    ]}}}
}}"#;

fn rights() -> Vec<Right> {
    let conditions = Conditions::from([("Local", false)]);
    rights::of(&Template::parse(TEMPLATE).unwrap(), &conditions).unwrap()
}

fn recorded(lines: &[&str]) -> Vec<Call> {
    let names = Names::of(
        &[("Enroll", "EnrollRole")],
        &[
            ("cards", "${Cards.Arn}"),
            ("keys", "${KeysTable.Arn}"),
            ("arn:k", "${DataKey.Arn}"),
        ],
    );
    calls::read(&lines.join("\n"), &names).unwrap()
}

fn line(action: &str, resource: &str, leading_keys: &str, context: &str) -> String {
    format!(
        r#"{{"function": "local-Pages-1A-Enroll-1A", "action": "{action}", "resource": "{resource}", "leading_keys": {leading_keys}, "context": {context}}}"#
    )
}

/// Every right of the template, used once.
fn all() -> Vec<String> {
    vec![
        line("dynamodb:GetItem", "cards", r#"["customer#*"]"#, "{}"),
        line("dynamodb:Query", "cards", "[]", "{}"),
        line("dynamodb:GetItem", "cards/index/owner", "[]", "{}"),
        line("dynamodb:Query", "cards/index/owner", "[]", "{}"),
        line(
            "dynamodb:PutItem",
            "keys",
            r#"["key#demo#enrollment#2026-11"]"#,
            "{}",
        ),
        line(
            "dynamodb:PutItem",
            "keys",
            r#"["key#demo#session#2026-11"]"#,
            "{}",
        ),
        line(
            "kms:Decrypt",
            "arn:k",
            "[]",
            r#"{"client": "demo", "purpose": "enrollment"}"#,
        ),
    ]
}

fn faults(lines: &[String]) -> Vec<String> {
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let found = compare(&rights(), &recorded(&lines), &[]);
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn roles_that_fit_the_calls_have_no_fault() {
    assert_eq!(faults(&all()), Vec::<String>::new());
}

#[test]
fn what_no_role_is_judged_by_is_refused() {
    let conditions = Conditions::from([("Local", false)]);
    let refusal = |before: &str, after: &str| {
        let template = TEMPLATE.replace(before, after);
        assert_ne!(template, TEMPLATE);
        rights::of(&Template::parse(&template).unwrap(), &conditions)
            .unwrap_err()
            .to_string()
    };
    for action in ["kms:*", "kms:Decrypt", "kms:Generate*", "kms:CreateGrant"] {
        let said = refusal("kms:Put*", action);
        assert!(said.contains("may use the key"), "{said}");
    }
    let said = refusal(r#"{"AWS": {"Ref": "OperatorArn"}}"#, r#""*""#);
    assert!(said.contains("names no principal"), "{said}");
    let said = refusal(
        r#""Action": ["dynamodb:GetItem""#,
        r#""NotAction": ["dynamodb:GetItem""#,
    );
    assert!(said.contains("NotAction"), "{said}");
    let policy = r#"{"Resources": {"More": {"Type": "AWS::IAM::Policy"}, "#;
    let said = refusal(r#"{"Resources": {"#, policy);
    assert!(said.contains("More"), "{said}");
}

#[test]
fn each_unused_right_is_a_fault() {
    for index in 0..all().len() {
        let mut lines = all();
        lines.remove(index);
        let found = faults(&lines);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("never used: EnrollRole"), "{found:?}");
    }
}

#[test]
fn each_call_beyond_the_rights_is_a_fault() {
    for beyond in [
        line("dynamodb:DeleteItem", "cards", r#"["customer#*"]"#, "{}"),
        line("dynamodb:GetItem", "other", "[]", "{}"),
        line("dynamodb:Query", "cards/index/agenda", "[]", "{}"),
        line("dynamodb:PutItem", "keys", r#"["key#demo#blind-index#v1"]"#, "{}"),
        line("dynamodb:PutItem", "keys", "[]", "{}"),
        line(
            "kms:Decrypt",
            "arn:k",
            "[]",
            r#"{"client": "demo", "purpose": "session"}"#,
        ),
        line("kms:Decrypt", "arn:k", "[]", "{}"),
        line(
            "kms:Decrypt",
            "arn:k",
            "[]",
            r#"{"client": "demo", "purpose": "enrollment", "more": "1"}"#,
        ),
        line(
            "secretsmanager:GetSecretValue",
            "card-enrollment/local/x",
            "[]",
            "{}",
        ),
    ] {
        let mut lines = all();
        lines.push(beyond);
        let found = faults(&lines);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("not allowed: EnrollRole"), "{found:?}");
    }
}

#[test]
fn an_excuse_without_a_right_is_a_fault() {
    let lines = all();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let found = compare(&rights(), &recorded(&lines), &UNSEEN);
    assert!(found.contains(&Fault::Stale(UNSEEN[0].reason)), "{found:?}");
    assert!(!found.contains(&Fault::Stale(UNSEEN[4].reason)), "{found:?}");
}

#[test]
fn conditions_that_pass_absent_keys_are_refused() {
    let conditions = Conditions::from([("Local", false)]);
    for (good, bad) in [
        (
            r#""Null": {"dynamodb:LeadingKeys": "false"}"#,
            r#""Null": {"dynamodb:LeadingKeys": "true"}"#,
        ),
        ("ForAllValues:StringLike", "StringLike"),
        ("kms:EncryptionContextKeys", "kms:Other"),
    ] {
        let template = Template::parse(&TEMPLATE.replace(good, bad)).unwrap();
        assert!(rights::of(&template, &conditions).is_err(), "{bad}");
    }
}

#[test]
fn functions_and_calls_that_are_not_known_are_refused() {
    let names = Names::of(&[("Enroll", "EnrollRole")], &[]);
    for line in [
        line("", "/x", "[]", "{}"),
        line("dynamodb:GetItem", "t", "[]", "{}").replace("local-Pages-1A-Enroll-1A", ""),
        line("dynamodb:GetItem", "t", "[]", "{}").replace("Enroll", "Other"),
    ] {
        assert!(calls::read(&line, &names).is_err(), "{line}");
    }
    assert!(calls::read("", &names).is_err());
}

#[test]
fn patterns_are_those_of_iam() {
    for (pattern, text) in [
        ("sqs:SendMessage*", "sqs:SendMessage"),
        ("a/*/b-??????", "a/x/y/b-AAAAAA"),
        ("*", ""),
        ("key#*#session#*", "key#demo#session#2026-11"),
    ] {
        assert!(like(pattern, text), "{pattern} {text}");
    }
    for (pattern, text) in [
        ("a-??????", "a-AAAAA"),
        ("key#*#session#*", "key#demo#session-x#2026-11"),
        ("", "x"),
    ] {
        assert!(!like(pattern, text), "{pattern} {text}");
    }
}

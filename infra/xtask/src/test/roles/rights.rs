//! Rights of each role in the template: by the role's own policies, and by the policy of the KMS key.

use std::fmt;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::test::template::{Conditions, Template, list, written};

/// The principal that runs the operator's tool, as the template writes it.
const OPERATOR: &str = "${OperatorArn}";

/// One action on one resource, under one limit at most.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Right {
    /// Logical id.
    pub(super) role: String,
    /// May end in `*`.
    pub(super) action: String,
    /// As `Fn::Sub` writes it; may hold `*` and `?`.
    pub(super) resource: String,
    pub(super) limit: Limit,
}

/// A condition, split into its values: each has to have been used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Limit {
    None,
    /// A pattern of `dynamodb:LeadingKeys`, without which nothing is allowed.
    LeadingKey(String),
    /// A value of the encryption context's `purpose`, beside which only `client` may stand.
    Purpose(String),
}

impl fmt::Display for Right {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {} on {}", self.role, self.action, self.resource)?;
        match &self.limit {
            Limit::None => Ok(()),
            Limit::LeadingKey(pattern) => write!(formatter, " of {pattern}"),
            Limit::Purpose(purpose) => write!(formatter, " for {purpose}"),
        }
    }
}

/// All rights of all roles of functions.
pub(super) fn of(template: &Template, conditions: &Conditions<'_>) -> Result<Vec<Right>> {
    let mut rights = Vec::new();
    let mut roles = Vec::new();
    for kind in [
        "AWS::IAM::Policy",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::RolePolicy",
    ] {
        if let Some((name, _)) = template.resources(kind).next() {
            bail!("{name} is an {kind}: what it allows is not looked at here");
        }
    }
    for (role, _) in template.resources("AWS::IAM::Role") {
        roles.push(role);
        let properties = template.properties(role, conditions)?;
        if !list(properties.get("ManagedPolicyArns")).is_empty() {
            bail!("{role} has managed policies: what they allow is not looked at here");
        }
        for policy in list(properties.get("Policies")) {
            for statement in statements(policy.get("PolicyDocument"))? {
                let resources = list(statement.get("Resource"));
                for resource in resources {
                    add(&mut rights, role, statement, &written(resource)?)?;
                }
            }
        }
    }
    for (key, _) in template.resources("AWS::KMS::Key") {
        let properties = template.properties(key, conditions)?;
        for statement in statements(properties.get("KeyPolicy"))? {
            let principals = list(statement.pointer("/Principal/AWS"));
            if principals.is_empty() {
                bail!("a statement of {key} names no principal of this account");
            }
            for principal in principals {
                let principal = written(principal)?;
                let role = roles.iter().find(|role| principal == format!("${{{role}.Arn}}"));
                match role {
                    Some(role) => add(&mut rights, role, statement, &format!("${{{key}.Arn}}"))?,
                    None if principal == OPERATOR => {}
                    None => administration(&principal, statement)?,
                }
            }
        }
    }
    rights.sort();
    rights.dedup();
    Ok(rights)
}

/// Everybody but the functions and the operator may manage the key, and use it for nothing.
fn administration(principal: &str, statement: &Value) -> Result<()> {
    for action in list(statement.get("Action")) {
        let action = action.as_str().context("an action that is no text")?;
        let verb = action.strip_prefix("kms:").unwrap_or(action);
        let uses = [
            "Decrypt",
            "Encrypt",
            "GenerateDataKey",
            "ReEncrypt",
            "CreateGrant",
            "GenerateMac",
            "Sign",
        ];
        let prefix = verb.trim_end_matches('*');
        if uses
            .iter()
            .any(|using| using.starts_with(prefix) || prefix.starts_with(using))
        {
            bail!("{principal} may use the key by {action}");
        }
    }
    Ok(())
}

fn statements(document: Option<&Value>) -> Result<Vec<&Value>> {
    let statements = list(document.and_then(|document| document.get("Statement")));
    let allows = |statement: &&Value| statement.get("Effect").and_then(Value::as_str) == Some("Allow");
    if !statements.iter().all(allows) {
        bail!("a statement that does not allow: what it takes away is not looked at here");
    }
    if statements
        .iter()
        .any(|statement| statement.get("Action").is_none() || statement.get("Resource").is_none())
    {
        bail!("a statement without Action or Resource: NotAction and NotResource allow more than they name");
    }
    Ok(statements)
}

fn add(rights: &mut Vec<Right>, role: &str, statement: &Value, resource: &str) -> Result<()> {
    let limits = limits(statement.get("Condition")).with_context(|| format!("a statement of {role}"))?;
    for action in list(statement.get("Action")) {
        let action = action.as_str().context("an action that is no text")?;
        rights.extend(limits.iter().map(|limit| Right {
            role: role.to_owned(),
            action: action.to_owned(),
            resource: resource.to_owned(),
            limit: limit.clone(),
        }));
    }
    Ok(())
}

/// Only two conditions are known here, each in the one form that holds where the key is absent, too.
fn limits(condition: Option<&Value>) -> Result<Vec<Limit>> {
    let Some(condition) = condition else {
        return Ok(vec![Limit::None]);
    };
    let texts = |value: &Value| -> Result<Vec<String>> {
        let texts = list(Some(value)).into_iter();
        let texts = texts.map(|text| Ok(text.as_str().context("a value that is no text")?.to_owned()));
        texts.collect()
    };
    let condition = condition.as_object().context("a condition that is no object")?;
    let names: Vec<&str> = condition.keys().map(String::as_str).collect();
    let member = |operator: &str, key: &str| -> Result<&Value> {
        let keys = condition.get(operator).and_then(Value::as_object);
        let keys = keys.filter(|keys| keys.len() == 1);
        keys.and_then(|keys| keys.get(key))
            .with_context(|| format!("{operator} has to name {key}, and nothing else"))
    };
    match names.as_slice() {
        ["ForAllValues:StringLike", "Null"] => {
            let absent = member("Null", "dynamodb:LeadingKeys")?;
            if absent.as_str() != Some("false") {
                bail!("a call without leading keys passes");
            }
            let patterns = texts(member("ForAllValues:StringLike", "dynamodb:LeadingKeys")?)?;
            Ok(patterns.into_iter().map(Limit::LeadingKey).collect())
        }
        ["ForAllValues:StringEquals", "StringEquals"] => {
            let keys = texts(member("ForAllValues:StringEquals", "kms:EncryptionContextKeys")?)?;
            if keys != ["client", "purpose"] {
                bail!("the encryption context may hold other keys than client and purpose");
            }
            let purposes = texts(member("StringEquals", "kms:EncryptionContext:purpose")?)?;
            Ok(purposes.into_iter().map(Limit::Purpose).collect())
        }
        other => bail!(
            "conditions that this check does not know, or not by themselves: {}",
            other.join(", ")
        ),
    }
}

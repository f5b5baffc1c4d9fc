//! Recorded calls, in the template's names.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::local::deployment::Settings;
use crate::test::template::{Template, written};

/// A call as IAM judges it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Call {
    pub(super) role: String,
    pub(super) action: String,
    /// As `Fn::Sub` writes it.
    pub(super) resource: String,
    pub(super) leading_keys: Vec<String>,
    pub(super) context: BTreeMap<String, String>,
}

impl fmt::Display for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {} on {}", self.role, self.action, self.resource)?;
        if !self.leading_keys.is_empty() {
            write!(formatter, " of {}", self.leading_keys.join(", "))?;
        }
        match self.context.get("purpose") {
            Some(purpose) => write!(formatter, " for {purpose}"),
            None => Ok(()),
        }
    }
}

/// A line of the recorder's file.
#[derive(Deserialize)]
struct Line {
    function: String,
    action: String,
    resource: String,
    leading_keys: Vec<String>,
    context: BTreeMap<String, String>,
}

/// Physical names, and the template's names for them.
pub(super) struct Names {
    /// Roles by the functions' logical ids.
    roles: BTreeMap<String, String>,
    /// Resources as `Fn::Sub` writes them, by the names in the functions' environment.
    resources: BTreeMap<String, String>,
    secrets_prefix: String,
}

const SECRETS: &str = "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:card-enrollment/${AWS::StackName}";

impl Names {
    /// `settings` are those of the deployed stack; in the template the same names have references.
    pub(super) fn new(template: &Template, settings: &Settings) -> Result<Self> {
        let mut roles = BTreeMap::new();
        for (function, resource) in template.resources("AWS::Lambda::Function") {
            let role = resource
                .pointer("/Properties/Role")
                .context("a function without a role")?;
            let role = written(role)?;
            let role = role.trim_start_matches("${").trim_end_matches(".Arn}");
            roles.insert(function.to_owned(), role.to_owned());
        }
        let text = written(template.property("Settings", "SecretString")?)?;
        let references: BTreeMap<String, String> =
            serde_json::from_str(&text).context("the template's settings are no JSON object of texts")?;
        let mut resources = BTreeMap::new();
        for (name, reference) in &references {
            let Some(id) = reference
                .strip_prefix("${")
                .and_then(|rest| rest.strip_suffix('}'))
            else {
                continue;
            };
            let arn = if id.ends_with(".Arn") {
                id.to_owned()
            } else {
                format!("{id}.Arn")
            };
            resources.insert(settings.text(name)?.to_owned(), format!("${{{arn}}}"));
        }
        Ok(Self {
            roles,
            resources,
            secrets_prefix: settings.text("SECRETS_PREFIX")?.to_owned(),
        })
    }

    #[cfg(test)]
    pub(super) fn of(roles: &[(&str, &str)], resources: &[(&str, &str)]) -> Self {
        let map = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter();
            pairs
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect()
        };
        Self {
            roles: map(roles),
            resources: map(resources),
            secrets_prefix: "card-enrollment/local".to_owned(),
        }
    }

    fn role(&self, function: &str) -> Result<&str> {
        // The name of the included stack stands before it. A long name loses its beginning on the local AWS.
        let is_named = |logical: &&String| function.contains(&format!("-{logical}-"));
        let logical = self.roles.keys().find(is_named);
        logical
            .and_then(|logical| self.roles.get(logical))
            .map(String::as_str)
            .with_context(|| format!("'{function}' is no function of the template"))
    }

    fn resource(&self, action: &str, name: &str) -> String {
        if action.starts_with("secretsmanager:") {
            return match name.strip_prefix(&self.secrets_prefix) {
                // Secrets Manager adds six characters to the name in the ARN.
                Some(rest) => format!("{SECRETS}{rest}-AAAAAA"),
                None => name.to_owned(),
            };
        }
        let (whole, part) = match name.split_once("/index/") {
            Some((table, index)) => (table, format!("/index/{index}")),
            None => match name.strip_suffix("/*") {
                Some(bucket) => (bucket, "/*".to_owned()),
                None => (name, String::new()),
            },
        };
        match self.resources.get(whole) {
            Some(reference) => format!("{reference}{part}"),
            None => name.to_owned(),
        }
    }
}

/// Reads the recorder's file: what differs from all else, in the template's names.
pub(super) fn read(recorded: &str, names: &Names) -> Result<Vec<Call>> {
    let mut calls = Vec::new();
    for line in recorded.lines() {
        let line: Line = serde_json::from_str(line).context("a line of the recorder that is no call")?;
        if line.action.is_empty() {
            bail!(
                "the recorder does not know a call of '{}': {}",
                line.function,
                line.resource
            );
        }
        calls.push(Call {
            role: names.role(&line.function)?.to_owned(),
            resource: names.resource(&line.action, &line.resource),
            action: line.action,
            leading_keys: line.leading_keys,
            context: line.context,
        });
    }
    if calls.is_empty() {
        bail!("the recorder saw no call: do the functions call the local AWS through it?");
    }
    calls.sort();
    calls.dedup();
    Ok(calls)
}

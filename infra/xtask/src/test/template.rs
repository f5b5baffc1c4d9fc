//! `template.yaml` as `CloudFormation` gets it, after SAM's transform.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value};

use crate::checkout::Checkout;
use crate::files;
use crate::local::aws::REGION;
use crate::local::deployment::TEMPLATE;
use crate::programs::command::{capture, isolate, run_shown};
use crate::programs::interrupt::Interrupt;
use crate::toolchain::python::Tools;

mod join;

/// Program that transforms, run by sam's Python.
const TRANSFORM: &str = "infra/local/transform.py";

/// A transformed template; that of a deployment with the templates that it includes.
#[derive(Debug)]
pub(crate) struct Template(Value);

/// `template.yaml` and the templates that it includes, after the transform.
pub(crate) struct Transformed {
    /// All of them as one.
    pub(crate) whole: Template,
    /// A file of each, for linters and people.
    pub(crate) files: Vec<PathBuf>,
    /// A file of all, by their paths in the repository.
    pub(crate) all: PathBuf,
}

/// Conditions by name, with the value that each shall have.
pub(crate) type Conditions<'a> = BTreeMap<&'a str, bool>;

/// Transforms `template.yaml` and what it includes, without AWS.
pub(crate) fn transform(checkout: &Checkout, interrupt: &Interrupt) -> Result<Transformed> {
    let sam = Tools::Sam.install(checkout, interrupt)?;
    std::fs::create_dir_all(checkout.home())?;
    let mut command = Command::new(sam.program("python"));
    command.current_dir(checkout.root()).args([TRANSFORM, TEMPLATE]);
    isolate(&mut command, &checkout.home()).env("AWS_DEFAULT_REGION", REGION);
    let json = capture(&mut command).context("SAM can't transform template.yaml")?;
    let folder = checkout.state().join("transformed");
    let all = folder.join("all.json");
    files::write(&all, json.as_bytes())?;
    let templates: join::Templates =
        serde_json::from_str(&json).context("the transformed templates are no JSON")?;
    let mut files = Vec::new();
    for (path, template) in &templates {
        let file = folder.join(path).with_extension("json");
        files::write(&file, serde_json::to_string_pretty(template)?.as_bytes())?;
        files.push(file);
    }
    let whole = join::join(&templates, TEMPLATE)?;
    Ok(Transformed { whole, files, all })
}

impl Template {
    #[cfg(test)]
    pub(crate) fn parse(json: &str) -> Result<Self> {
        Ok(Self(
            serde_json::from_str(json).context("the transformed template is no JSON")?,
        ))
    }

    /// Resources of a type, by logical id.
    pub(crate) fn resources<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let all = self.0.get("Resources").and_then(Value::as_object);
        all.into_iter()
            .flatten()
            .filter(move |(_, resource)| resource.get("Type").and_then(Value::as_str) == Some(kind))
            .map(|(name, resource)| (name.as_str(), resource))
    }

    /// A section: `Parameters`, `Rules`, `Mappings`, `Conditions`, `Resources`, `Outputs`.
    pub(crate) fn section(&self, name: &str) -> Result<&Value> {
        self.0
            .get(name)
            .with_context(|| format!("the template has no {name}"))
    }

    /// Value at a JSON pointer, under those conditions.
    pub(crate) fn decided(&self, pointer: &str, conditions: &Conditions<'_>) -> Result<Value> {
        let value = self.0.pointer(pointer);
        let value = value.with_context(|| format!("the template has no {pointer}"))?;
        decide(value, conditions)?.with_context(|| format!("{pointer} is left out"))
    }

    /// A property as it is written, whatever conditions it holds.
    pub(crate) fn property(&self, name: &str, property: &str) -> Result<&Value> {
        self.0
            .pointer(&format!("/Resources/{name}/Properties/{property}"))
            .with_context(|| format!("the template has no {property} of {name}"))
    }

    /// A resource's properties under those conditions: `Fn::If` is decided, what is `AWS::NoValue` is left out.
    pub(crate) fn properties(&self, name: &str, conditions: &Conditions<'_>) -> Result<Value> {
        let properties = self
            .0
            .pointer(&format!("/Resources/{name}/Properties"))
            .with_context(|| format!("the template has no resource {name}"))?;
        decide(properties, conditions)?.with_context(|| format!("{name} has no properties"))
    }
}

/// cfn-lint on a template that needs no transform any more. Any finding is a failure.
pub(crate) fn lint(checkout: &Checkout, file: &Path, interrupt: &Interrupt) -> Result<()> {
    let sam = Tools::Sam.install(checkout, interrupt)?;
    let mut command = Command::new(sam.program("cfn-lint"));
    command
        .current_dir(checkout.root())
        .args([
            "--non-zero-exit-code",
            "informational",
            "--regions",
            REGION,
            "--template",
        ])
        .arg(file);
    run_shown(isolate(&mut command, &checkout.home()), interrupt)
}

fn decide(value: &Value, conditions: &Conditions<'_>) -> Result<Option<Value>> {
    match value {
        Value::Object(members) => {
            if let Some(branches) = members.get("Fn::If").and_then(Value::as_array) {
                let [Value::String(name), yes, no] = branches.as_slice() else {
                    bail!("Fn::If without a condition and two values");
                };
                let holds = conditions
                    .get(name.as_str())
                    .with_context(|| format!("whether {name} holds is not said"))?;
                return decide(if *holds { yes } else { no }, conditions);
            }
            if members.get("Ref").and_then(Value::as_str) == Some("AWS::NoValue") {
                return Ok(None);
            }
            let mut decided = Map::new();
            for (name, member) in members {
                if let Some(member) = decide(member, conditions)? {
                    decided.insert(name.clone(), member);
                }
            }
            Ok(Some(Value::Object(decided)))
        }
        Value::Array(values) => {
            let values = values.iter().map(|value| decide(value, conditions));
            let decided: Result<Vec<_>> = values.collect();
            Ok(Some(Value::Array(decided?.into_iter().flatten().collect())))
        }
        other => Ok(Some(other.clone())),
    }
}

/// A text or an intrinsic function, as `Fn::Sub` writes it: `${Table.Arn}/index/owner`.
pub(crate) fn written(value: &Value) -> Result<String> {
    if let Some(text) = value.as_str() {
        return Ok(text.to_owned());
    }
    if let Some(name) = value.get("Ref").and_then(Value::as_str) {
        return Ok(format!("${{{name}}}"));
    }
    // With values of its own it is a list.
    let substituted = value.get("Fn::Sub");
    let text = substituted.and_then(|text| text.as_array().map_or(Some(text), |list| list.first()));
    if let Some(text) = text.and_then(Value::as_str) {
        return Ok(text.to_owned());
    }
    match value.get("Fn::GetAtt") {
        Some(Value::String(path)) => return Ok(format!("${{{path}}}")),
        Some(Value::Array(path)) => {
            let path: Vec<&str> = path.iter().filter_map(Value::as_str).collect();
            return Ok(format!("${{{}}}", path.join(".")));
        }
        _ => {}
    }
    bail!("{value} is written in a way that this check does not know")
}

/// One value or a list of them.
pub(crate) fn list(value: Option<&Value>) -> Vec<&Value> {
    match value {
        None => Vec::new(),
        Some(Value::Array(values)) => values.iter().collect(),
        Some(value) => vec![value],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template() -> Template {
        let json = r#"{"Resources": {"A": {"Type": "T", "Properties": {
            "x": {"Fn::If": ["Local", {"Ref": "AWS::NoValue"}, "there"]},
            "y": [{"Fn::If": ["Local", 1, {"Ref": "AWS::NoValue"}]}, 2]}}, "B": {"Type": "U"}}}"#;
        Template::parse(json).unwrap()
    }

    #[test]
    fn conditions_decide_which_values_remain() {
        let on = Conditions::from([("Local", true)]);
        let off = Conditions::from([("Local", false)]);
        let template = template();
        let properties = |conditions| template.properties("A", conditions).unwrap();
        assert_eq!(properties(&on), serde_json::json!({"y": [1, 2]}));
        assert_eq!(properties(&off), serde_json::json!({"x": "there", "y": [2]}));
        assert!(template.properties("A", &Conditions::new()).is_err());
        assert!(template.properties("C", &on).is_err());
        assert_eq!(
            template.resources("T").map(|(name, _)| name).collect::<Vec<_>>(),
            ["A"]
        );
    }

    #[test]
    fn references_are_written_as_by_sub() {
        for (value, expected) in [
            (r#""text""#, "text"),
            (r#"{"Ref": "A"}"#, "${A}"),
            (r#"{"Fn::GetAtt": ["A", "Arn"]}"#, "${A.Arn}"),
            (r#"{"Fn::GetAtt": "A.Arn"}"#, "${A.Arn}"),
            (r#"{"Fn::Sub": "${A.Arn}/index/b"}"#, "${A.Arn}/index/b"),
            (r#"{"Fn::Sub": ["${A}", {"A": "b"}]}"#, "${A}"),
        ] {
            assert_eq!(written(&serde_json::from_str(value).unwrap()).unwrap(), expected);
        }
        assert!(written(&serde_json::json!({"Fn::Join": []})).is_err());
    }
}

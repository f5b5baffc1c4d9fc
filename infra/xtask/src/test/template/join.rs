//! A template with those that it includes, as one: parameters and outputs are replaced by what they stand for.
//!
//! So a check reads the whole deployment, whatever file a resource is in.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value, json};

use super::{Template, written};

/// Type of a resource that includes a template.
const STACK: &str = "AWS::CloudFormation::Stack";

/// Transformed templates by their paths. A stack's `TemplateURL` ends in one.
pub(super) type Templates = BTreeMap<String, Value>;

/// One template of `path` and of those that it includes.
pub(super) fn join(templates: &Templates, path: &str) -> Result<Template> {
    let root = templates.get(path).with_context(|| format!("no {path}"))?;
    let parts = parts(templates, root)?;
    let joining = Joining { parts: &parts };
    let mut joined = joining.outer(root)?;
    for (name, part) in &parts {
        joining
            .add(&mut joined, part)
            .with_context(|| format!("{}, included as {name}", part.path))?;
    }
    Ok(Template(joined))
}

/// An included template.
struct Part<'a> {
    path: &'a str,
    template: &'a Value,
    /// Parameters as the including template gives them, or their defaults.
    given: BTreeMap<&'a str, &'a Value>,
    /// Condition of the stack.
    condition: Option<&'a Value>,
}

type Parts<'a> = BTreeMap<&'a str, Part<'a>>;

fn parts<'a>(templates: &'a Templates, root: &'a Value) -> Result<Parts<'a>> {
    let mut parts = Parts::new();
    for (name, resource) in members(root, "Resources") {
        if resource["Type"] != STACK {
            continue;
        }
        let url = resource["Properties"]["TemplateURL"].as_str().unwrap_or_default();
        let found = templates.iter().find(|(path, _)| url.ends_with(path.as_str()));
        let (path, template) =
            found.with_context(|| format!("{name} includes {url}, which is no template"))?;
        let mut given = BTreeMap::new();
        for (parameter, declared) in members(template, "Parameters") {
            let value = resource["Properties"]["Parameters"].get(parameter);
            let value = value.or_else(|| declared.get("Default"));
            given.insert(
                parameter,
                value.with_context(|| format!("{name} does not say {parameter} of {path}"))?,
            );
        }
        for (parameter, _) in members(&resource["Properties"], "Parameters") {
            if !given.contains_key(parameter) {
                bail!("{name} says {parameter}, which {path} does not ask for");
            }
        }
        let condition = resource.get("Condition");
        parts.insert(
            name,
            Part {
                path,
                template,
                given,
                condition,
            },
        );
    }
    Ok(parts)
}

struct Joining<'a> {
    parts: &'a Parts<'a>,
}

impl Joining<'_> {
    /// A value of the including template: outputs of the parts are replaced.
    fn outer(&self, value: &Value) -> Result<Value> {
        if let Some(path) = attribute(value)
            && let Some(output) = self.output(&path)?
        {
            return Ok(output);
        }
        replaced(value, &|part| self.outer(part), &|name| {
            self.output(name)?.as_ref().map(written).transpose()
        })
    }

    /// The output that `Part.Outputs.Name` is; none for any other attribute.
    fn output(&self, path: &str) -> Result<Option<Value>> {
        let Some((name, output)) = path.split_once(".Outputs.") else {
            return Ok(None);
        };
        let part = self.parts.get(name).with_context(|| format!("no part {name}"))?;
        let value = part.template.pointer(&format!("/Outputs/{output}/Value"));
        let value = value.with_context(|| format!("{} has no output {output}", part.path))?;
        self.inner(part, value).map(Some)
    }

    /// A value of a part: its parameters are replaced.
    fn inner(&self, part: &Part<'_>, value: &Value) -> Result<Value> {
        let parameter = |name: &str| -> Result<Option<Value>> {
            if name == "AWS::StackName" {
                bail!("a part has a name of its own: it is told that of the deployment");
            }
            part.given.get(name).map(|value| self.outer(value)).transpose()
        };
        if let Some(name) = value.get("Ref").and_then(Value::as_str)
            && let Some(given) = parameter(name)?
        {
            return Ok(given);
        }
        replaced(value, &|value| self.inner(part, value), &|name| {
            parameter(name)?.as_ref().map(written).transpose()
        })
    }

    /// Adds a part's resources and conditions.
    fn add(&self, joined: &mut Value, part: &Part<'_>) -> Result<()> {
        for section in ["Mappings", "Rules"] {
            if part.template.get(section).is_some() {
                bail!("{section} of a part are not looked at here");
            }
        }
        for section in ["Conditions", "Resources"] {
            for (name, value) in members(part.template, section) {
                let mut value = self.inner(part, value)?;
                if section == "Resources"
                    && let Some(condition) = part.condition
                {
                    if value.get("Condition").is_some() {
                        bail!("{name} has a condition, and its stack another");
                    }
                    value["Condition"] = condition.clone();
                }
                let all = joined.as_object_mut().context("a template that is no object")?;
                let all = all.entry(section).or_insert_with(|| json!({}));
                let all = all.as_object_mut().context("a section that is no object")?;
                match all.get(name) {
                    None => drop(all.insert(name.to_owned(), value)),
                    // The same condition may be written in several files.
                    Some(other) if section == "Conditions" && *other == value => {}
                    Some(_) => bail!("{name} is in another template, too"),
                }
            }
        }
        Ok(())
    }
}

/// A value whose members went through `within`, with each name of a `Fn::Sub` that `named` knows replaced by its text.
fn replaced(
    value: &Value,
    within: &dyn Fn(&Value) -> Result<Value>,
    named: &dyn Fn(&str) -> Result<Option<String>>,
) -> Result<Value> {
    match value {
        Value::Object(members) => {
            let mut done = Map::new();
            for (name, member) in members {
                let mut member = within(member)?;
                if name == "Fn::Sub" {
                    let text = match &mut member {
                        Value::Array(list) => list.first_mut().context("Fn::Sub of nothing")?,
                        text => text,
                    };
                    *text = substituted(text.as_str().context("Fn::Sub of no text")?, named)?.into();
                }
                done.insert(name.clone(), member);
            }
            Ok(Value::Object(done))
        }
        Value::Array(values) => values.iter().map(within).collect(),
        other => Ok(other.clone()),
    }
}

fn substituted(text: &str, named: &dyn Fn(&str) -> Result<Option<String>>) -> Result<String> {
    let mut done = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, after) = after.split_once('}').context("Fn::Sub with an open brace")?;
        done.push_str(before);
        match named(name)? {
            Some(value) => done.push_str(&value),
            None => done.extend(["${", name, "}"]),
        }
        rest = after;
    }
    done.push_str(rest);
    Ok(done)
}

/// Path of a `Fn::GetAtt`, with dots.
fn attribute(value: &Value) -> Option<String> {
    match value.get("Fn::GetAtt")? {
        Value::String(path) => Some(path.clone()),
        Value::Array(path) => {
            let path: Vec<&str> = path.iter().filter_map(Value::as_str).collect();
            Some(path.join("."))
        }
        _ => None,
    }
}

fn members<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let members = value.get(name).and_then(Value::as_object).into_iter().flatten();
    members.map(|(name, member)| (name.as_str(), member))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn templates() -> Templates {
        let root = json!({"Conditions": {"Local": {"Ref": "X"}}, "Resources": {
            "Table": {"Type": "T"},
            "Rights": {"Type": STACK, "Condition": "Local", "Properties": {"TemplateURL": "https://b/rights.yaml",
                "Parameters": {"Stack": {"Ref": "AWS::StackName"}, "Table": {"Fn::GetAtt": ["Table", "Arn"]}}}},
            "Functions": {"Type": STACK, "Properties": {"TemplateURL": "https://b/functions.yaml",
                "Parameters": {"Role": {"Fn::GetAtt": "Rights.Outputs.Role"}, "Table": {"Ref": "Table"}}}},
            "Reader": {"Type": "R", "Properties": {"x": {"Fn::Sub": "a-${Functions.Outputs.Name}-${Table}"}}},
        }});
        let rights = json!({
            "Parameters": {"Stack": {}, "Table": {}, "Days": {"Default": 3}},
            "Conditions": {"Local": {"Ref": "X"}},
            "Resources": {"Role": {"Type": "I", "Properties": {
                "index": {"Fn::Sub": ["${Table}/index/${Other}", {"Other": {"Ref": "Days"}}]},
                "secret": {"Fn::Sub": "s/${Stack}"}}}},
            "Outputs": {"Role": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}}},
        });
        let functions = json!({
            "Parameters": {"Role": {}, "Table": {}},
            "Resources": {"Enroll": {"Type": "F", "Properties": {"role": {"Ref": "Role"}, "table": [{"Ref": "Table"}]}}},
            "Outputs": {"Name": {"Value": {"Ref": "Enroll"}}},
        });
        Templates::from([
            ("root.yaml".to_owned(), root),
            ("rights.yaml".to_owned(), rights),
            ("functions.yaml".to_owned(), functions),
        ])
    }

    fn fault(change: impl FnOnce(&mut Templates)) -> String {
        let mut templates = templates();
        change(&mut templates);
        format!("{:#}", join(&templates, "root.yaml").unwrap_err())
    }

    #[test]
    fn parameters_and_outputs_become_what_they_stand_for() {
        let joined = join(&templates(), "root.yaml").unwrap();
        let resource = |name: &str| joined.section("Resources").unwrap()[name].clone();
        assert_eq!(
            resource("Role"),
            json!({"Type": "I", "Condition": "Local", "Properties": {
                "index": {"Fn::Sub": ["${Table.Arn}/index/${Other}", {"Other": 3}]},
                "secret": {"Fn::Sub": "s/${AWS::StackName}"}}})
        );
        assert_eq!(
            resource("Enroll")["Properties"],
            json!({"role": {"Fn::GetAtt": ["Role", "Arn"]}, "table": [{"Ref": "Table"}]})
        );
        assert_eq!(
            resource("Reader")["Properties"],
            json!({"x": {"Fn::Sub": "a-${Enroll}-${Table}"}})
        );
    }

    #[test]
    fn parameters_are_those_that_are_asked_for() {
        let missing = fault(|all| {
            all.get_mut("functions.yaml").unwrap()["Parameters"]["More"] = json!({});
        });
        assert_eq!(missing, "Functions does not say More of functions.yaml");
        let unknown = fault(|all| {
            all.get_mut("functions.yaml").unwrap()["Parameters"] = json!({"Role": {}});
        });
        assert_eq!(
            unknown,
            "Functions says Table, which functions.yaml does not ask for"
        );
    }

    #[test]
    fn outputs_and_templates_exist() {
        let output = fault(|all| {
            all.get_mut("rights.yaml").unwrap()["Outputs"] = json!({});
        });
        assert!(output.contains("rights.yaml has no output Role"), "{output}");
        let template = fault(|all| drop(all.remove("rights.yaml")));
        assert!(template.contains("which is no template"), "{template}");
    }

    #[test]
    fn names_mean_one_thing() {
        let twice = fault(|all| {
            all.get_mut("functions.yaml").unwrap()["Resources"]["Role"] = json!({"Type": "I"});
        });
        assert!(twice.contains("Role is in another template, too"), "{twice}");
        let condition = fault(|all| {
            all.get_mut("rights.yaml").unwrap()["Conditions"]["Local"] = json!({"Ref": "Y"});
        });
        assert!(
            condition.contains("Local is in another template, too"),
            "{condition}"
        );
        let name = fault(|all| {
            all.get_mut("functions.yaml").unwrap()["Resources"]["Enroll"] = json!({"Ref": "AWS::StackName"});
        });
        assert!(name.contains("a part has a name of its own"), "{name}");
    }
}

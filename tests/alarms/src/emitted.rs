//! Metrics in log lines, extracted as `CloudWatch` does: embedded metric format.
//!
//! Source: `CloudWatch` user guide, "Specification: Embedded metric format", with the limits of its JSON schema.
//! `CloudWatch` silently drops what breaks a rule; here it is an error.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::alarm::Dimensions;

/// Units that the schema allows.
const UNITS: [&str; 27] = [
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
    "Percent",
    "Count",
    "Bytes/Second",
    "Kilobytes/Second",
    "Megabytes/Second",
    "Gigabytes/Second",
    "Terabytes/Second",
    "Bits/Second",
    "Kilobits/Second",
    "Megabits/Second",
    "Gigabits/Second",
    "Terabits/Second",
    "Count/Second",
    "None",
];
/// Highest number of dimensions in a set.
const MOST_DIMENSIONS: usize = 30;
/// Highest number of metrics in a directive.
const MOST_METRICS: usize = 100;

/// Value of a metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Datum {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Dimensions. All of them are part of the metric's identity.
    pub dimensions: Dimensions,
    /// Unit.
    pub unit: String,
    /// Value.
    pub value: f64,
}

#[derive(Deserialize)]
struct Root {
    #[serde(rename = "_aws")]
    metadata: Metadata,
    #[serde(flatten)]
    members: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Metadata {
    timestamp: u64,
    cloud_watch_metrics: Vec<Directive>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Directive {
    namespace: String,
    dimensions: Vec<Vec<String>>,
    metrics: Vec<Definition>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Definition {
    name: String,
    unit: String,
}

/// Extracts the metrics of a log line; none from a line of another format.
///
/// # Errors
/// Error where the line claims to have the format and breaks one of its rules.
pub fn metrics(line: &str) -> Result<Vec<Datum>, String> {
    if !line.contains("\"_aws\"") {
        return Ok(Vec::new());
    }
    let root: Root = serde_json::from_str(line).map_err(|error| error.to_string())?;
    if root.metadata.timestamp < 1_000_000_000_000 {
        return Err(format!(
            "{} are no milliseconds of this age",
            root.metadata.timestamp
        ));
    }
    let mut found = Vec::new();
    for directive in &root.metadata.cloud_watch_metrics {
        directive.check()?;
        for set in &directive.dimensions {
            let dimensions = dimensions(set, &root.members)?;
            for definition in &directive.metrics {
                found.push(Datum {
                    namespace: directive.namespace.clone(),
                    name: definition.name.clone(),
                    dimensions: dimensions.clone(),
                    unit: definition.unit.clone(),
                    value: definition.value(&root.members)?,
                });
            }
        }
    }
    Ok(found)
}

impl Directive {
    fn check(&self) -> Result<(), String> {
        name("namespace", &self.namespace)?;
        if self.dimensions.is_empty() || self.metrics.is_empty() || self.metrics.len() > MOST_METRICS {
            return Err("a directive without dimensions or metrics, or with too many".to_owned());
        }
        Ok(())
    }
}

impl Definition {
    fn value(&self, members: &Map<String, Value>) -> Result<f64, String> {
        name("metric", &self.name)?;
        if !UNITS.contains(&&*self.unit) {
            return Err(format!("{} is no unit", self.unit));
        }
        let value = members.get(&self.name).and_then(Value::as_f64);
        value.ok_or_else(|| format!("{} has no number at the root", self.name))
    }
}

fn dimensions(set: &[String], members: &Map<String, Value>) -> Result<BTreeMap<String, String>, String> {
    if set.len() > MOST_DIMENSIONS {
        return Err(format!("{} dimensions", set.len()));
    }
    let dimension = |key: &String| {
        name("dimension", key)?;
        let value = members.get(key).and_then(Value::as_str).unwrap_or_default();
        if value.is_empty() || value.len() > 1024 || !value.is_ascii() {
            return Err(format!("{key} has no text that may be a dimension's value"));
        }
        Ok((key.clone(), value.to_owned()))
    };
    set.iter().map(dimension).collect()
}

fn name(what: &str, text: &str) -> Result<(), String> {
    if text.is_empty() || text.len() > 255 {
        return Err(format!("a {what} of {} characters", text.len()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn line() -> Value {
        json!({
            "_aws": {"Timestamp": 1_795_255_200_000_u64, "CloudWatchMetrics": [{
                "Namespace": "N", "Dimensions": [["A"], ["A", "B"]], "Metrics": [{"Name": "M", "Unit": "Count"}],
            }]},
            "A": "a", "B": "b", "M": 3.0, "property": {"any": "thing"},
        })
    }

    #[test]
    fn each_dimension_set_is_a_metric() {
        let found = metrics(&line().to_string()).unwrap();
        let sets: Vec<Vec<&str>> = found
            .iter()
            .map(|datum| datum.dimensions.keys().map(String::as_str).collect())
            .collect();
        assert_eq!(sets, [vec!["A"], vec!["A", "B"]]);
        assert!(found.iter().all(|datum| datum.name == "M" && datum.value > 2.0));
        assert_eq!(metrics(r#"{"message":"another line"}"#), Ok(Vec::new()));
    }

    #[test]
    fn dropped_line_is_an_error() {
        let directive = "/_aws/CloudWatchMetrics/0";
        for (pointer, value) in [
            ("/_aws/Timestamp".to_owned(), json!(1_795_255_200)),
            ("/_aws/Timestamp".to_owned(), json!("now")),
            ("/A".to_owned(), json!(1)),
            ("/A".to_owned(), json!("")),
            ("/M".to_owned(), json!("3")),
            (format!("{directive}/Namespace"), json!("")),
            (format!("{directive}/Dimensions"), json!([])),
            (format!("{directive}/Dimensions/0"), json!("A")),
            (format!("{directive}/Dimensions/0/0"), json!("absent")),
            (format!("{directive}/Metrics/0/Name"), json!("absent")),
            (format!("{directive}/Metrics/0/Unit"), json!("count")),
        ] {
            let mut broken = line();
            *broken.pointer_mut(&pointer).unwrap() = value;
            assert!(metrics(&broken.to_string()).is_err(), "{broken}");
        }
    }
}

//! Alarms of `infra/alarms.yaml`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::yaml;

/// Path of the nested template.
const ALARMS: &str = include_str!("../../../infra/alarms.yaml");
/// Path of the template that includes it.
const STACK: &str = include_str!("../../../template.yaml");

/// Namespace of the product's own metrics.
pub const OWN: &str = "CardEnrollment";

/// Values of dimensions by name. A parameter of the template stands as `${Name}`.
pub type Dimensions = BTreeMap<String, String>;

/// Alarm with its parameters filled in.
#[derive(Debug, Clone)]
pub struct Alarm {
    /// Name in the template.
    pub name: String,
    /// Properties.
    pub properties: Properties,
}

/// Properties of `AWS::CloudWatch::Alarm`. Others are refused, so that none is left unchecked.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Properties {
    /// Text for the operator.
    pub alarm_description: String,
    /// Namespace of a single metric.
    pub namespace: Option<String>,
    /// Name of a single metric.
    pub metric_name: Option<String>,
    /// Dimensions of a single metric.
    #[serde(default)]
    pub dimensions: Vec<Dimension>,
    /// `Sum` and the like.
    pub statistic: Option<String>,
    /// `p90` and the like.
    pub extended_statistic: Option<String>,
    /// Seconds.
    pub period: Option<u32>,
    /// Metrics and expressions, in place of a single metric.
    #[serde(default)]
    pub metrics: Vec<Query>,
    /// Number of periods that are evaluated.
    pub evaluation_periods: u32,
    /// Number of periods that have to breach.
    pub datapoints_to_alarm: Option<u32>,
    /// Bound.
    pub threshold: f64,
    /// Side of the bound that breaches.
    pub comparison_operator: Comparison,
    /// Meaning of a period without data.
    pub treat_missing_data: Missing,
    /// Topics that are notified of an alarm.
    pub alarm_actions: Value,
    /// Topics that are notified of its end.
    #[serde(rename = "OKActions")]
    pub ok_actions: Option<Value>,
}

/// Dimension of a metric.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Dimension {
    /// Name.
    pub name: String,
    /// Value: a string, or a parameter.
    pub value: Value,
}

/// `MetricDataQuery`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Query {
    /// Name in expressions.
    pub id: String,
    /// Metric math.
    pub expression: Option<String>,
    /// Metric.
    pub metric_stat: Option<MetricStat>,
    /// Whether the alarm evaluates this one.
    pub return_data: bool,
}

/// `MetricStat`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct MetricStat {
    /// Metric.
    pub metric: Metric,
    /// Seconds.
    pub period: u32,
    /// `Sum` and the like.
    pub stat: String,
}

/// `Metric`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Metric {
    /// Namespace.
    pub namespace: String,
    /// Name.
    #[serde(rename = "MetricName")]
    pub name: String,
    /// Dimensions.
    pub dimensions: Vec<Dimension>,
}

/// Side of the bound that breaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Comparison {
    /// Above.
    GreaterThanThreshold,
    /// Below.
    LessThanThreshold,
}

/// Meaning of a period without data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Missing {
    /// It breaches.
    Breaching,
    /// It does not breach.
    NotBreaching,
}

/// Metric that an alarm reads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Read {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Dimensions. A parameter stands as `${Name}`.
    pub dimensions: Dimensions,
    /// `Sum`, `p90` and the like.
    pub statistic: String,
    /// Seconds.
    pub period: u32,
}

/// Returns the alarms of the template.
pub fn all() -> Vec<Alarm> {
    let template = yaml::read(ALARMS);
    let resources = template["Resources"].as_object().expect("resources");
    let alarm = |(name, resource): (&String, &Value)| {
        assert_eq!(resource["Type"], "AWS::CloudWatch::Alarm", "{name}");
        let properties = serde_json::from_value(resource["Properties"].clone());
        Alarm {
            name: name.clone(),
            properties: properties.unwrap_or_else(|error| panic!("{name}: {error}")),
        }
    };
    resources.iter().map(alarm).collect()
}

/// Returns the nested template as JSON, without the alarms that have metric math.
pub fn template_without_math() -> Value {
    let mut template = yaml::read(ALARMS);
    let resources = template["Resources"].as_object_mut().expect("resources");
    resources.retain(|_, resource| resource["Properties"].get("Metrics").is_none());
    template
}

/// Returns the parameters of the nested template, each with whether it has a default.
pub fn parameters() -> BTreeMap<String, bool> {
    let template = yaml::read(ALARMS);
    let parameters = template["Parameters"].as_object().expect("parameters");
    let has_default = |parameter: &Value| parameter.get("Default").is_some();
    parameters
        .iter()
        .map(|(name, parameter)| (name.clone(), has_default(parameter)))
        .collect()
}

/// Returns `template.yaml` as JSON, before SAM's transform.
pub fn stack_template() -> Value {
    yaml::read(STACK)
}

/// Functions of the included templates by their names, with the logical id of the stack that has each.
pub fn functions() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let template = stack_template();
    let mut functions = BTreeMap::new();
    for (part, resource) in template["Resources"].as_object().expect("resources") {
        if resource["Type"] != "AWS::CloudFormation::Stack" {
            continue;
        }
        let path = resource["Properties"]["TemplateURL"].as_str().expect("a path");
        let included = yaml::read(&fs::read_to_string(root.join(path)).expect(path));
        for (function, resource) in included["Resources"].as_object().expect("resources") {
            if resource["Type"] == "AWS::Serverless::Function" {
                functions.insert(function.clone(), part.clone());
            }
        }
    }
    functions
}

/// Returns the arguments that `template.yaml` passes to the nested template.
pub fn arguments() -> BTreeMap<String, Value> {
    let template = stack_template();
    let given = template["Resources"]["Alarms"]["Properties"]["Parameters"].as_object();
    given.expect("a nested stack").clone().into_iter().collect()
}

impl Alarm {
    /// Returns the metrics that the alarm reads, by their names in its expression. A single metric has the name `m`.
    pub fn reads(&self) -> Vec<(String, Read)> {
        let Properties {
            metrics,
            namespace,
            metric_name,
            ..
        } = &self.properties;
        if metrics.is_empty() {
            let statistic = self.properties.statistic.as_ref();
            let read = Read {
                namespace: namespace.clone().expect("a namespace"),
                name: metric_name.clone().expect("a metric"),
                dimensions: dimensions(&self.properties.dimensions),
                statistic: statistic
                    .or(self.properties.extended_statistic.as_ref())
                    .expect("a statistic")
                    .clone(),
                period: self.properties.period.expect("a period"),
            };
            return vec![("m".to_owned(), read)];
        }
        let read = |query: &Query| {
            let stat = query.metric_stat.as_ref()?;
            let read = Read {
                namespace: stat.metric.namespace.clone(),
                name: stat.metric.name.clone(),
                dimensions: dimensions(&stat.metric.dimensions),
                statistic: stat.stat.clone(),
                period: stat.period,
            };
            Some((query.id.clone(), read))
        };
        metrics.iter().filter_map(read).collect()
    }

    /// Returns the expression that the alarm evaluates; `m` for a single metric.
    pub fn expression(&self) -> &str {
        let looked_at = self.properties.metrics.iter().find(|query| query.return_data);
        looked_at.map_or("m", |query| query.expression.as_deref().expect("an expression"))
    }

    /// Whether a period with this value breaches; `None` is a period without data.
    pub fn breaches(&self, value: Option<f64>) -> bool {
        let Properties {
            threshold,
            comparison_operator,
            treat_missing_data,
            ..
        } = &self.properties;
        match value {
            None => *treat_missing_data == Missing::Breaching,
            Some(value) => match comparison_operator {
                Comparison::GreaterThanThreshold => value > *threshold,
                Comparison::LessThanThreshold => value < *threshold,
            },
        }
    }
}

fn dimensions(dimensions: &[Dimension]) -> Dimensions {
    let text = |value: &Value| match (value, value.get("Ref")) {
        (Value::String(text), _) => text.clone(),
        (_, Some(Value::String(parameter))) => format!("${{{parameter}}}"),
        _ => panic!("{value} is neither a text nor a parameter"),
    };
    dimensions
        .iter()
        .map(|dimension| (dimension.name.clone(), text(&dimension.value)))
        .collect()
}

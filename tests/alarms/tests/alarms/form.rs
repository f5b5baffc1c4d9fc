//! Rules of the alarms that hold without AWS: their form, their arithmetic, what they read.

use std::collections::{BTreeMap, BTreeSet};

use alarms::alarm::{self, Alarm, OWN};
use alarms::expression::Expression;
use alarms::published::PUBLISHED;

/// Words that say how much time an operator has.
const URGENCIES: [&str; 2] = ["Act now. ", "Within a day. "];

fn expression(alarm: &Alarm) -> Expression {
    Expression::parse(alarm.expression()).unwrap_or_else(|error| panic!("{}: {error}", alarm.name))
}

fn named(name: &str) -> Alarm {
    let mut all = alarm::all();
    all.retain(|alarm| alarm.name == name);
    all.pop().expect(name)
}

/// Whether a period breaches in which these metrics have these values, and the others no data.
fn breaches(alarm: &Alarm, values: &[(&str, f64)]) -> bool {
    let values: BTreeMap<&str, f64> = values.iter().copied().collect();
    let ids: BTreeSet<String> = alarm.reads().into_iter().map(|(id, _)| id).collect();
    assert!(
        values.keys().all(|id| ids.contains(*id)),
        "{}: {ids:?}",
        alarm.name
    );
    // What is missing altogether can't be filled: CloudWatch fills a series, and there is none.
    let value = if values.is_empty() {
        None
    } else {
        expression(alarm).evaluate(&|id| values.get(id).copied())
    };
    alarm.breaches(value)
}

#[test]
fn metric_math_refers_to_existing_ids() {
    for alarm in alarm::all() {
        let queries = &alarm.properties.metrics;
        let ids: BTreeSet<&str> = alarm_ids(&alarm);
        if queries.is_empty() {
            continue;
        }
        let name = &alarm.name;
        let returned = queries.iter().filter(|query| query.return_data).count();
        assert_eq!(returned, 1, "{name}: the alarm looks at one value");
        assert_eq!(ids.len(), queries.len(), "{name}: an id is given twice");
        for query in queries {
            let mut letters = query.id.chars();
            assert!(
                letters.next().is_some_and(|first| first.is_ascii_lowercase())
                    && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_'),
                "{name}: {}",
                query.id
            );
            assert_ne!(
                query.expression.is_some(),
                query.metric_stat.is_some(),
                "{name}: {} is an expression or a metric",
                query.id
            );
        }
        let read: BTreeSet<String> = alarm.reads().into_iter().map(|(id, _)| id).collect();
        let used: BTreeSet<String> = expression(&alarm).ids().into_iter().map(str::to_owned).collect();
        assert_eq!(
            used, read,
            "{name}: what is read is used, and what is used is read"
        );
        let properties = &alarm.properties;
        assert!(
            properties.namespace.is_none() && properties.period.is_none() && properties.dimensions.is_empty(),
            "{name}: CloudWatch takes a metric or queries, not both"
        );
    }
}

fn alarm_ids(alarm: &Alarm) -> BTreeSet<&str> {
    alarm.properties.metrics.iter().map(|query| &*query.id).collect()
}

/// `PutMetricAlarm`, API reference: bounds that the resource's schema does not have.
#[test]
fn alarms_are_within_aws_limits() {
    for alarm in alarm::all() {
        let (name, properties) = (&alarm.name, &alarm.properties);
        let reads = alarm.reads();
        assert!(reads.len() <= 10, "{name}: {} metrics", reads.len());
        let periods: BTreeSet<u32> = reads.iter().map(|(_, read)| read.period).collect();
        assert_eq!(periods.len(), 1, "{name}: periods of one length");
        for period in periods {
            assert_eq!(period % 60, 0, "{name}");
            let window = period * properties.evaluation_periods;
            let most = if period >= 3600 { 7 * 86_400 } else { 86_400 };
            assert!(window <= most, "{name}: looks at {window} s");
        }
        let needed = properties.datapoints_to_alarm.unwrap_or(1);
        assert!((1..=properties.evaluation_periods).contains(&needed), "{name}");
        assert!(properties.alarm_description.len() <= 1024, "{name}");
        let is_of_percentile = properties.extended_statistic.is_some();
        let is_plain = properties.statistic.is_some();
        assert!(
            !(is_of_percentile && is_plain),
            "{name}: one statistic, not two of a kind"
        );
    }
}

#[test]
fn description_starts_with_its_urgency() {
    for alarm in alarm::all() {
        let text = &alarm.properties.alarm_description;
        let urgency = URGENCIES.iter().find_map(|urgency| text.strip_prefix(urgency));
        let rest = urgency.unwrap_or_else(|| panic!("{}: {text}", alarm.name));
        assert!(
            rest.matches(". ").count() >= 1,
            "{}: a symptom, then what to look at",
            alarm.name
        );
    }
}

#[test]
fn aws_metrics_exist_with_their_dimensions() {
    for alarm in alarm::all() {
        for (_, read) in alarm.reads() {
            if read.namespace == OWN {
                continue;
            }
            let dimensions: Vec<&str> = read.dimensions.keys().map(String::as_str).collect();
            let is_published = PUBLISHED.iter().any(|published| {
                published.namespace == read.namespace
                    && published.name == read.name
                    && published.dimensions == dimensions
                    && published.statistics.contains(&&*read.statistic)
            });
            assert!(is_published, "{}: {read:?}", alarm.name);
        }
    }
}

#[test]
fn parameters_match_the_stack() {
    let given: BTreeSet<String> = alarm::arguments().into_keys().collect();
    let parameters = alarm::parameters();
    for (parameter, has_default) in &parameters {
        assert!(
            *has_default || given.contains(parameter),
            "{parameter} is not given"
        );
    }
    assert!(
        given.iter().all(|name| parameters.contains_key(name)),
        "{given:?}"
    );
    let read: BTreeSet<String> = alarm::all()
        .iter()
        .flat_map(Alarm::reads)
        .flat_map(|(_, read)| read.dimensions.into_values())
        .filter_map(|value| Some(value.strip_prefix("${")?.strip_suffix('}')?.to_owned()))
        .collect();
    let own: BTreeSet<String> = parameters
        .into_keys()
        .filter(|name| name != "AlarmTopicArn")
        .collect();
    assert_eq!(read, own, "each parameter is a dimension's value");
}

/// The dimension `ApiName` is the API's name, not its id.
#[test]
fn gateway_alarms_use_the_name_of_the_api() {
    let template = alarm::stack_template();
    let name = &template["Resources"]["Api"]["Properties"]["Name"];
    assert!(name.is_object(), "{name}");
    assert_eq!(alarm::arguments()["ApiName"], *name);
}

#[test]
fn every_function_is_passed_to_the_alarms() {
    let arguments = alarm::arguments();
    let functions = alarm::functions();
    assert!(functions.contains_key("Settle"), "{functions:?}");
    for (function, part) in functions {
        let given = arguments.get(&format!("{function}Function"));
        let output = serde_json::json!({ "Fn::GetAtt": format!("{part}.Outputs.{function}") });
        assert_eq!(given, Some(&output), "{function}");
    }
}

#[test]
fn throttles_of_every_function_are_counted() {
    let watched: BTreeSet<String> = ["FunctionsThrottled", "BatchFunctionsThrottled"]
        .into_iter()
        .flat_map(|name| named(name).reads())
        .map(|(_, read)| read.dimensions["FunctionName"].clone())
        .collect();
    let functions = alarm::parameters()
        .into_keys()
        .filter(|name| name.ends_with("Function"))
        .map(|name| format!("${{{name}}}"));
    assert_eq!(watched, functions.collect());
}

#[test]
fn ratios_need_a_floor_of_faults() {
    for (name, all) in [
        ("GatewayFaults", "requests"),
        ("OpeningsFail", "openings"),
        ("OutcomesFail", "outcomes"),
        ("MrsFails", "calls"),
        ("BatchCallsFail", "calls"),
        ("IssuerFails", "calls"),
    ] {
        let alarm = named(name);
        let is_breached = |faults: f64, of: f64| breaches(&alarm, &[("faults", faults), (all, of)]);
        assert!(!is_breached(0.0, 500.0), "{name}: all is well");
        assert!(!is_breached(1.0, 1.0), "{name}: one of one");
        assert!(!is_breached(2.0, 2.0), "{name}: two of two");
        assert!(is_breached(3.0, 3.0), "{name}: a night with an outage");
        assert!(is_breached(500.0, 1000.0), "{name}: half of a busy day");
        assert!(!is_breached(10.0, 1000.0), "{name}: one in a hundred");
        assert!(!breaches(&alarm, &[]), "{name}: nobody came");
    }
    let refusals = named("GatewayRefusals");
    assert!(!breaches(&refusals, &[("refusals", 99.0), ("requests", 99.0)]));
    assert!(breaches(&refusals, &[("refusals", 200.0), ("requests", 300.0)]));
    assert!(!breaches(&refusals, &[("refusals", 200.0), ("requests", 1000.0)]));
}

#[test]
fn sum_counts_parts_without_data_as_zero() {
    for (name, ids) in [
        (
            "WidgetErrors",
            &["init", "page", "enroll", "replace", "cancel"][..],
        ),
        (
            "FunctionsThrottled",
            &[
                "init", "page", "enroll", "replace", "cancel", "settle", "confirm", "purge",
            ],
        ),
        (
            "MrsRefusesUs",
            &["certificate", "authentication", "hash", "unready"],
        ),
        (
            "IssuerRefusesUs",
            &["certificate", "authentication", "hash", "unready"],
        ),
        ("BatchErrors", &["intake", "submit", "poll"]),
        ("BatchDeadLetterArrived", &["submit", "poll"]),
        ("BatchFunctionsThrottled", &["intake", "submit", "poll"]),
    ] {
        let alarm = named(name);
        for id in ids {
            assert!(breaches(&alarm, &[(id, 1.0)]), "{name}: {id} alone");
            assert!(!breaches(&alarm, &[(id, 0.0)]), "{name}: {id} is well");
        }
        assert!(!breaches(&alarm, &[]), "{name}: nobody called");
    }
}

/// No traffic is no alarm; what a schedule writes must come.
#[test]
fn missing_data_alarms_only_for_schedules() {
    let silent: BTreeSet<String> = alarm::all()
        .iter()
        .filter(|alarm| alarm.breaches(None))
        .map(|alarm| alarm.name.clone())
        .collect();
    let scheduled = [
        "ClientCertificateEnds",
        "LongestOverdueBatch",
        "OldestDueConfirmation",
        "OldestOpenIntent",
        "PurgeBehind",
    ];
    assert_eq!(silent, scheduled.map(str::to_owned).into());
}

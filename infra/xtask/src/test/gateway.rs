//! The gateway of `template.yaml`: routes, limits, reservations and the public address, under each of its conditions.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::checkout::Checkout;
use crate::test::roles::like;
use crate::test::template::{Conditions, Template, list, written};

mod rules;

/// The stage, as SAM names it.
const STAGE: &str = "ApiliveStage";
/// Executions that Lambda lets no account reserve.
const UNRESERVED: u64 = 100;
/// Functions with a reservation of their own.
const BEHIND_QUEUES: [&str; 4] = ["Settle", "Confirm", "BatchSubmit", "BatchPoll"];
/// Sizes of the mapping `Traffic`, with the quota of concurrent executions that docs/adr/0023 names for each.
const QUOTAS: [(&str, u64); 3] = [("small", 1000), ("medium", 1000), ("large", 4000)];
/// Conditions that hold, and where browsers reach the API then.
const ADDRESSES: [(&[&str], &str); 4] = [
    (
        &[],
        "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/live",
    ),
    (&["KnowsPublicBaseUrl"], "${PublicBaseUrl}"),
    (&["KnowsPublicBaseUrl", "HasDomain"], "https://${DomainName}"),
    (
        &["KnowsPublicBaseUrl", "HasDomain", "HasBasePath"],
        "https://${DomainName}/${BasePath}",
    ),
];
/// Answers of the gateway itself: type, status and whether they have `Retry-After`.
const ANSWERS: [(&str, Option<u64>, bool); 8] = [
    ("THROTTLED", Some(429), true),
    ("QUOTA_EXCEEDED", Some(429), true),
    ("INTEGRATION_FAILURE", Some(503), true),
    ("INTEGRATION_TIMEOUT", Some(504), true),
    ("DEFAULT_5XX", None, true),
    ("REQUEST_TOO_LARGE", Some(413), false),
    ("MISSING_AUTHENTICATION_TOKEN", Some(404), false),
    ("DEFAULT_4XX", None, false),
];

/// Method and path, as `POST /widget/api/enroll`.
type Route = String;

/// Checks the gateway in the transformed template.
pub(crate) fn check(checkout: &Checkout, template: &Template) -> Result<()> {
    let manifest = fs::read_to_string(checkout.root().join("Cargo.toml")).context("Cargo.toml")?;
    let faults = faults(template, &manifest)?;
    if faults.is_empty() {
        return Ok(());
    }
    bail!("template.yaml: {}", faults.join("; "))
}

/// All that is wrong, a sentence each.
fn faults(template: &Template, manifest: &str) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    let routes = routes(template)?;
    watched_routes(&routes, manifest, &mut faults)?;
    permissions(template, &routes, &mut faults)?;
    limits(template, &routes, &mut faults)?;
    sizes(template, &mut faults)?;
    reservations(template, &mut faults)?;
    addresses(template, &mut faults)?;
    domain(template, &mut faults)?;
    answers(template, &mut faults)?;
    rules::check(template, &mut faults)?;
    Ok(faults)
}

/// Conditions of the template, of which these hold.
fn where_hold<'a>(template: &'a Template, holding: &[&str]) -> Result<Conditions<'a>> {
    let all = template.section("Conditions")?.as_object().into_iter().flatten();
    Ok(all
        .map(|(name, _)| (name.as_str(), holding.contains(&name.as_str())))
        .collect())
}

/// Routes of the API, with the function of each as `cargo lambda` names it.
fn routes(template: &Template) -> Result<BTreeMap<Route, String>> {
    let paths = template
        .property("Api", "Body")?
        .get("paths")
        .and_then(Value::as_object);
    let mut routes = BTreeMap::new();
    for (path, methods) in paths.context("the API has no paths")? {
        for (method, route) in methods.as_object().into_iter().flatten() {
            let uri = written(&route["x-amazon-apigateway-integration"]["uri"])?;
            let function = uri
                .split_once("functions/${")
                .and_then(|(_, rest)| rest.split_once(".Arn}"))
                .with_context(|| format!("{method} {path} calls no function"))?;
            routes.insert(format!("{} {path}", method.to_uppercase()), kebab(function.0));
        }
    }
    Ok(routes)
}

/// `WidgetInit` is the folder `widget-init`.
fn kebab(name: &str) -> String {
    let mut kebab = String::new();
    for (position, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && position > 0 {
            kebab.push('-');
        }
        kebab.push(letter.to_ascii_lowercase());
    }
    kebab
}

/// `cargo xtask watch` serves the same routes by the same functions.
fn watched_routes(routes: &BTreeMap<Route, String>, manifest: &str, faults: &mut Vec<String>) -> Result<()> {
    let manifest: toml::Table = manifest.parse().context("Cargo.toml is no TOML")?;
    let entries = ["workspace", "metadata", "lambda", "watch", "router"]
        .iter()
        .try_fold(toml::Value::Table(manifest), |value, name| {
            value.get(name).cloned()
        });
    let entries = entries.context("Cargo.toml has no watch.router")?;
    let mut watched = BTreeMap::new();
    for (path, calls) in entries.as_table().into_iter().flatten() {
        let path = path.replace("{*path}", "{proxy+}");
        for entry in calls.as_array().into_iter().flatten() {
            let text = |name: &str| entry.get(name).and_then(toml::Value::as_str).unwrap_or_default();
            watched.insert(format!("{} {path}", text("method")), text("function").to_owned());
        }
    }
    for (route, function) in routes {
        if watched.get(route) != Some(function) {
            faults.push(format!("{route} ({function}) is not watched"));
        }
    }
    for route in watched.keys().filter(|route| !routes.contains_key(*route)) {
        faults.push(format!("{route} is watched, and no route"));
    }
    Ok(())
}

/// The gateway may call the function of each route, and no permission is for anything else.
fn permissions(
    template: &Template,
    routes: &BTreeMap<Route, String>,
    faults: &mut Vec<String>,
) -> Result<()> {
    let mut allowed = BTreeSet::new();
    for (name, permission) in template.resources("AWS::Lambda::Permission") {
        let permission = &permission["Properties"];
        if permission["Principal"] != "apigateway.amazonaws.com" {
            continue;
        }
        let function = written(&permission["FunctionName"])?;
        let function = kebab(function.trim_start_matches("${").trim_end_matches('}'));
        let source = written(&permission["SourceArn"])?;
        let (_, pattern) = source
            .split_once(":${Api}/*/")
            .with_context(|| format!("{name} is for {source}"))?;
        let fitting = routes
            .iter()
            .filter(|(route, of)| **of == function && like(pattern, &as_source(route)));
        let before = allowed.len();
        allowed.extend(fitting.map(|(route, _)| route));
        if allowed.len() == before {
            faults.push(format!("{name} is for no route"));
        }
    }
    let refused = routes.keys().filter(|route| !allowed.contains(route));
    faults.extend(refused.map(|route| format!("{route} may not call its function")));
    Ok(())
}

/// A route as the gateway's calls name it: `GET/widget/*`.
fn as_source(route: &str) -> String {
    let mut source = String::new();
    for part in route.replacen(' ', "", 1).split_inclusive('/') {
        let (part, end) = part.strip_suffix('/').map_or((part, ""), |part| (part, "/"));
        source.push_str(if part.starts_with('{') { "*" } else { part });
        source.push_str(end);
    }
    source
}

/// Each route has a limit of its own, no limit is for anything else, and no limit turns logging of bodies on.
fn limits(template: &Template, routes: &BTreeMap<Route, String>, faults: &mut Vec<String>) -> Result<()> {
    let settings = template.property(STAGE, "MethodSettings")?;
    let mut limited = BTreeSet::new();
    for setting in list(Some(settings)) {
        let text = |name: &str| setting[name].as_str().unwrap_or_default();
        let route = format!("{} {}", text("HttpMethod"), text("ResourcePath"));
        for name in ["ThrottlingRateLimit", "ThrottlingBurstLimit"] {
            if !setting[name]["Fn::FindInMap"].is_array() {
                faults.push(format!("{route} has no {name} of the mapping"));
            }
        }
        if text("LoggingLevel") != "OFF"
            || setting["DataTraceEnabled"] != false
            || setting["MetricsEnabled"] != false
        {
            faults.push(format!("{route} has other settings than the stage"));
        }
        limited.insert(route);
    }
    let named: BTreeSet<Route> = routes.keys().map(|route| as_setting(route)).collect();
    for route in named.difference(&limited) {
        faults.push(format!("{route} has no limit of its own"));
    }
    for route in limited.difference(&named).filter(|route| *route != "* /*") {
        faults.push(format!("{route} has a limit, and is no route"));
    }
    Ok(())
}

/// A route as settings of a method name it: after the first, each slash of the path is written `~1`.
fn as_setting(route: &str) -> Route {
    match route.split_once(' ') {
        Some((method, path)) => format!("{method} /{}", path.replace('/', "~1")),
        None => route.to_owned(),
    }
}

/// Limits of each size are in proportion, and its reservations fit the quota that is named for it.
fn sizes(template: &Template, faults: &mut Vec<String>) -> Result<()> {
    for (size, quota) in QUOTAS {
        let number = |name: &str| {
            template
                .section("Mappings")?
                .pointer(&format!("/Traffic/{size}/{name}"))
                .and_then(Value::as_u64)
                .with_context(|| format!("Traffic has no {name} of {size}"))
        };
        for kind in ["Opening", "Batch", "Page", "Call", "Report"] {
            if number(&format!("{kind}Burst"))? < number(&format!("{kind}Rate"))? {
                faults.push(format!("{size}: the burst of {kind} is below its rate"));
            }
        }
        let opening = number("OpeningRate")?;
        if number("ReportRate")? >= opening
            || number("BatchRate")? >= opening
            || number("CallRate")? < 2 * opening
            || number("PageRate")? < 8 * opening
        {
            faults.push(format!(
                "{size}: rates are out of proportion to {opening} openings"
            ));
        }
        let mut reserving = 3 * number("PageConcurrency")?;
        for function in BEHIND_QUEUES {
            reserving += reserved(template, function)?;
        }
        if reserving + UNRESERVED > quota {
            faults.push(format!(
                "{size}: {reserving} reserved executions do not fit a quota of {quota}"
            ));
        }
    }
    Ok(())
}

/// Number of executions that a function has for itself where reservations are on.
fn reserved(template: &Template, function: &str) -> Result<u64> {
    let properties = template.properties(function, &where_hold(template, &["ReservesConcurrency"])?)?;
    let reserved = properties["ReservedConcurrentExecutions"].as_u64();
    reserved.with_context(|| format!("{function} reserves nothing"))
}

/// Without the parameter nothing is reserved. With it, settlement has as much as its queues and schedules may use.
fn reservations(template: &Template, faults: &mut Vec<String>) -> Result<()> {
    let (off, on) = (
        where_hold(template, &[])?,
        where_hold(template, &["ReservesConcurrency"])?,
    );
    for (name, _) in template.resources("AWS::Lambda::Function") {
        if template
            .properties(name, &off)?
            .get("ReservedConcurrentExecutions")
            .is_some()
        {
            faults.push(format!(
                "{name} reserves concurrency in an account that may have none"
            ));
        }
    }
    for name in ["Enroll", "Replace", "Cancel"] {
        let bound = &template.properties(name, &on)?["ReservedConcurrentExecutions"];
        if bound["Fn::FindInMap"][2] != "PageConcurrency" {
            faults.push(format!("{name} has no bound"));
        }
    }
    for name in BEHIND_QUEUES {
        let used = used(template, name)?;
        let reserved = reserved(template, name)?;
        if reserved != used {
            faults.push(format!(
                "{name} has {reserved} executions, its queue and schedules may use {used}"
            ));
        }
    }
    Ok(())
}

/// Number of executions that queues and schedules of a function may use at once.
fn used(template: &Template, function: &str) -> Result<u64> {
    let calls =
        |target: &Value| written(target).is_ok_and(|target| target.starts_with(&format!("${{{function}")));
    let mut used = 0;
    for (name, mapping) in template.resources("AWS::Lambda::EventSourceMapping") {
        if calls(&mapping["Properties"]["FunctionName"]) {
            let most = mapping["Properties"]["ScalingConfig"]["MaximumConcurrency"].as_u64();
            used += most.with_context(|| format!("{name} has no MaximumConcurrency"))?;
        }
    }
    for (_, rule) in template.resources("AWS::Events::Rule") {
        let targets = list(rule["Properties"].get("Targets")).into_iter();
        used += targets.filter(|target| calls(&target["Arn"])).count() as u64;
    }
    Ok(used)
}

/// Functions, stage, settings and output name the same address. The functions may leave the API's own to the stage.
fn addresses(template: &Template, faults: &mut Vec<String>) -> Result<()> {
    for (holding, expected) in ADDRESSES {
        let conditions = where_hold(template, holding)?;
        let is_known = !holding.is_empty();
        let stage = template.properties(STAGE, &conditions)?;
        let settings = template.properties("Settings", &conditions)?;
        let output = template.decided("/Outputs/PublicBaseUrl/Value", &conditions)?;
        for (place, value) in [
            ("the stage", &stage["Variables"]["PublicBaseUrl"]),
            (
                "the settings",
                &settings["SecretString"]["Fn::Sub"][1]["PublicAddress"],
            ),
            ("the output", &output),
        ] {
            if written(value)? != expected {
                faults.push(format!("{place} says {} instead of {expected}", written(value)?));
            }
        }
        for (name, _) in template.resources("AWS::Lambda::Function") {
            let environment = template.properties(name, &conditions)?;
            let told = environment["Environment"]["Variables"].get("PUBLIC_BASE_URL");
            let told = told.map(written).transpose()?.filter(|told| !told.is_empty());
            if told.as_deref() != is_known.then_some(expected) {
                faults.push(format!("{name} is told {told:?} instead of {expected}"));
            }
        }
    }
    Ok(())
}

/// A custom domain, its mapping and the disabled endpoint of the API depend on one condition; a web ACL on its own.
fn domain(template: &Template, faults: &mut Vec<String>) -> Result<()> {
    for (name, condition) in [
        ("Domain", "HasDomain"),
        ("DomainMapping", "HasDomain"),
        ("WebAclAssociation", "HasWebAcl"),
    ] {
        if template.section("Resources")?[name]["Condition"] != condition {
            faults.push(format!("{name} is not under {condition}"));
        }
    }
    for (has_domain, holding) in [(true, &["HasDomain"][..]), (false, &[])] {
        let conditions = where_hold(template, holding)?;
        let api = template.properties("Api", &conditions)?;
        let disabled = api
            .pointer("/Body/servers/0/x-amazon-apigateway-endpoint-configuration/disableExecuteApiEndpoint");
        if disabled != Some(&Value::Bool(has_domain)) {
            faults.push(format!("the API's own endpoint is disabled: {disabled:?}"));
        }
        let mut policies = vec![api];
        if has_domain {
            policies.push(template.properties("Domain", &conditions)?);
        }
        for policy in policies {
            if policy["SecurityPolicy"] != json!({"Ref": "TlsPolicy"})
                || policy["EndpointAccessMode"] != "STRICT"
            {
                faults.push("API and domain need TlsPolicy and strict access".to_owned());
            }
        }
    }
    let mapping = template.properties(
        "DomainMapping",
        &where_hold(template, &["HasDomain", "HasBasePath"])?,
    )?;
    for (member, name) in [
        ("DomainName", "Domain"),
        ("BasePath", "BasePath"),
        ("RestApiId", "Api"),
        ("Stage", STAGE),
    ] {
        if mapping[member] != json!({"Ref": name}) {
            faults.push(format!("the domain's mapping has another {member} than {name}"));
        }
    }
    let association = template.properties("WebAclAssociation", &where_hold(template, &["HasWebAcl"])?)?;
    let stage = written(&association["ResourceArn"])?;
    let expected = format!(
        "arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}::/restapis/${{Api}}/stages/${{{STAGE}}}"
    );
    if stage != expected {
        faults.push(format!("the web ACL is for {stage}"));
    }
    Ok(())
}

/// The gateway's own answers have a status, say when to come again where that helps, and are not kept.
fn answers(template: &Template, faults: &mut Vec<String>) -> Result<()> {
    let given = &template.property("Api", "Body")?["x-amazon-apigateway-gateway-responses"];
    for (kind, status, comes_again) in ANSWERS {
        let answer = &given[kind];
        let parameters = answer["responseParameters"].as_object();
        let has = |header: &str| {
            let name = format!("gatewayresponse.header.{header}");
            parameters.is_some_and(|parameters| parameters.contains_key(&name))
        };
        let said = answer["statusCode"].as_str().and_then(|text| text.parse().ok());
        if answer.is_null() || said != status || has("Retry-After") != comes_again || !has("Cache-Control") {
            faults.push(format!("the gateway's answer {kind} is {answer}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;

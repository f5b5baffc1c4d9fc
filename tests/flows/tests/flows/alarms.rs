//! Alarms: the metrics that they read are in the logs of the deployed functions, and the local AWS accepts their template.

use std::collections::{BTreeMap, BTreeSet};

use ::alarms::alarm::{self, Alarm, OWN, Read};
use ::alarms::emitted::{self, Datum};
use enrollment::status::Status;
use flows::call;
use flows::card::{Card, random_hex};
use flows::issuer::{Batch, Issuer};
use flows::local_aws::{Settings, aws, invoke, log_lines};
use flows::page::{Page, Submission};
use flows::partner::{Partner, Redirect};
use flows::rewards::Faults;
use flows::stack::Stack;
use flows::stored;
use flows::time::{eventually, now_in_milliseconds};
use http::Request;
use jiff::SignedDuration;
use serde_json::{Value, json};
use url::form_urlencoded;

const PATIENCE: SignedDuration = SignedDuration::from_secs(90);
/// Name of the stack that these tests run against.
const STACK: &str = "local";
/// Schema version that no release has.
const NEWER: i64 = 999;
/// Card number that MRS declines with -45.
const DECLINED: &str = "5234000000001450";
/// Cases that would disturb every other test, by metric and `Outcome`, and the tests that show them: a missing certificate is
/// shown by `rewards::tests::call_without_a_certificate_is_counted` in `platform`, for both of Mastercard's interfaces, which
/// share the code; another key for card numbers by `card_keys` here, which may run later.
const SHOWN_ELSEWHERE: [(&str, Option<&str>); 3] = [
    ("MrsFaults", Some("unready")),
    ("IssuerFaults", Some("unready")),
    ("CardKeyRefused", None),
];

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn functions_write_what_the_alarms_read() {
    opening_that_the_store_fails();
    refused_openings();
    faults_of_mrs();
    parked_confirmations();
    unreadable_batch();
    faults_of_the_issuer_enrollment_api();
    invoke("BatchPoll");
    invoke("Settle");
    invoke("Purge");
    let wanted: Vec<(String, Read)> = own_reads().into_iter().filter(is_shown_here).collect();
    let missing = || {
        // From the beginning: a process of `settle` reports the certificate once an hour.
        let written = metrics(&log_lines(0));
        let is_missing = |(_, read): &&(String, Read)| !written.iter().any(|datum| is_read(datum, read));
        wanted.iter().filter(is_missing).cloned().collect::<Vec<_>>()
    };
    let mut last = missing();
    for _ in 0..20 {
        if last.is_empty() {
            break;
        }
        flows::time::pause(1000);
        last = missing();
    }
    assert_eq!(last, [], "no function has written them");
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn the_local_aws_takes_the_alarms_template() {
    let name = format!("alarms-{}", random_hex(4));
    let parameters: BTreeMap<String, String> = alarm::arguments()
        .into_keys()
        .filter(|parameter| parameter != "AlarmTopicArn")
        .map(|parameter| (parameter.clone(), format!("value-of-{parameter}")))
        .collect();
    let template = alarm::template_without_math().to_string();
    let mut form = vec![("TemplateBody".to_owned(), template)];
    for (place, (parameter, value)) in parameters.iter().enumerate() {
        let member = format!("Parameters.member.{}", place + 1);
        form.push((format!("{member}.ParameterKey"), parameter.clone()));
        form.push((format!("{member}.ParameterValue"), value.clone()));
    }
    cloud_formation("CreateStack", &name, &form);
    let mut plain = alarm::all();
    plain.retain(|alarm| alarm.properties.metrics.is_empty());
    let stored = eventually("the alarms of the stack", PATIENCE, || {
        let stored = alarms_of(&name);
        (stored.len() == plain.len()).then_some(stored)
    });
    for alarm in &plain {
        let is_it = |stored: &&Value| stored["AlarmDescription"] == *alarm.properties.alarm_description;
        let stored = stored
            .iter()
            .find(is_it)
            .unwrap_or_else(|| panic!("{}", alarm.name));
        assert_stored(alarm, stored, &parameters);
    }
    cloud_formation("DeleteStack", &name, &[]);
    eventually("the end of the stack", PATIENCE, || {
        alarms_of(&name).is_empty().then_some(())
    });
}

fn assert_stored(alarm: &Alarm, stored: &Value, parameters: &BTreeMap<String, String>) {
    let [(_, read)] = &alarm.reads()[..] else {
        panic!("{} has metric math", alarm.name);
    };
    let dimensions: BTreeMap<String, String> = read
        .dimensions
        .iter()
        .map(|(name, value)| (name.clone(), filled(value, parameters)))
        .collect();
    let as_stored: BTreeMap<String, String> = stored["Dimensions"]
        .as_array()
        .expect("dimensions")
        .iter()
        .map(|dimension| (text(&dimension["Name"]), text(&dimension["Value"])))
        .collect();
    assert_eq!(as_stored, dimensions, "{}", alarm.name);
    let properties = &alarm.properties;
    assert_eq!(stored["Namespace"], *read.namespace, "{}", alarm.name);
    assert_eq!(stored["MetricName"], *read.name, "{}", alarm.name);
    assert_eq!(stored["Period"], read.period, "{}", alarm.name);
    assert_eq!(stored["Threshold"], properties.threshold, "{}", alarm.name);
    assert_eq!(
        stored["EvaluationPeriods"], properties.evaluation_periods,
        "{}",
        alarm.name
    );
    let percentile = &stored["ExtendedStatistic"];
    let statistic = if percentile.is_string() {
        percentile
    } else {
        &stored["Statistic"]
    };
    assert_eq!(statistic, &*read.statistic, "{}", alarm.name);
}

/// Shows an unreadable client, which is a failing store: the partner gets its redirect.
fn opening_that_the_store_fails() {
    let partner = Partner::like_demo_but(|_| {});
    let table = Settings::read().clients_table;
    let key = json!({"pk": {"S": format!("client#{}", partner.client)}});
    let item = stored::item(&table, &key).expect("the client is stored");
    let schema = item["schema"]["N"]
        .as_str()
        .and_then(|schema| schema.parse().ok());
    stored::rewrite(&table, &key, &[("schema", NEWER)]);
    let redirect = partner.open(&json!({}));
    // Whoever reads all clients reads it again.
    stored::rewrite(&table, &key, &[("schema", schema.expect("a schema"))]);
    assert_eq!(redirect.failure().0, "ERROR_ENROLLMENT");
}

fn refused_openings() {
    let redirect = Partner::demo().open(&json!({"programId": "another"}));
    assert_eq!((redirect.failure().0, redirect.reason()), ("ACCESS_DENIED", None));

    let token = Partner::demo().token(&json!({}));
    assert_eq!(Redirect::of_token(&token).status, "OPENED");
    assert_eq!(Redirect::of_token(&token).reason(), Some("used"));

    let partner = Partner::like_demo_but(|client| {
        for program in &mut client.programs {
            program.attempts_per_customer_per_hour = 1;
        }
    });
    let page = Page::of(&partner.open(&json!({})));
    let event = page.settle(&page.submission(&Card::numbered(DECLINED))).json();
    assert_eq!(event["statusCode"], "-45");
    assert_eq!(partner.open(&json!({})).reason(), Some("limit"));
}

fn faults_of_mrs() {
    for order in [
        json!({"operation": "enroll", "fault": "code-before", "code": -1001}),
        json!({"operation": "enroll", "fault": "invalid-client-cert"}),
        json!({"operation": "enroll", "fault": "authentication-failed"}),
        json!({"operation": "enroll", "fault": "invalid-body-hash"}),
    ] {
        let (page, card) = (Page::new(), Card::fresh());
        let answer = page.submit_disturbed(&page.submission(&card), &card, std::slice::from_ref(&order));
        let event = answer.json();
        assert_eq!(event["statusCode"], "-1001", "{order}: {event}");
    }
}

/// Shows calls of an issuer's back end, and the end of a batch.
/// Gives the id of the batch.
fn finished_batch() -> String {
    let issuer = Issuer::demo();
    let id = issuer.accepted(&Batch::of(&[&["enrolled"]]));
    assert_eq!(issuer.result(&id)["status"], "SUCCESS_BATCH");
    id
}

/// Shows a batch whose stored manifest can't be unsealed, when its JWE is to be deleted. The batch is deleted afterwards, since
/// nothing could be done about it.
fn unreadable_batch() {
    let id = finished_batch();
    let key = json!({"pk": {"S": format!("batch#{id}")}});
    let table = Settings::read().batches_table;
    // A number is nothing that could be unsealed.
    let changes = [("manifest", 1), ("agenda_at", now_in_milliseconds())];
    stored::rewrite(&table, &key, &changes);
    invoke("BatchPoll");
    eventually("an unreadable batch", PATIENCE, || {
        let written = metrics(&log_lines(0));
        let is_counted = written.iter().any(|datum| datum.name == "UnreadableBatches");
        is_counted.then_some(())
    });
    aws(
        "DynamoDB_20120810.DeleteItem",
        &json!({"TableName": table, "Key": key}),
    );
}

fn faults_of_the_issuer_enrollment_api() {
    for fault in [
        "invalid-client-cert",
        "authentication-failed",
        "invalid-body-hash",
    ] {
        let batch = Batch::of(&[&["enrolled"]]);
        let order = json!({"operation": "submitBatch", "fault": fault});
        let faults = Faults::about_batch(&batch.id, &[order]);
        Issuer::demo().accepted(&batch);
        eventually("the submission of a batch", PATIENCE, || {
            faults.unserved().is_empty().then_some(())
        });
    }
}

/// Shows a confirmation whose receiver is gone, and one that can't be unsealed.
fn parked_confirmations() {
    let partner = Partner::like_demo_but(|_| {});
    let gone = enrolled(&partner, "?answer=410");
    assert_parked(&gone, "gone");

    let partner = Partner::like_demo_but(|_| {});
    let id = enrolled(&partner, "?answer=429&retryAfter=3600");
    eventually("an attempt", PATIENCE, || {
        stored::confirmation(&id).filter(|item| item.get("last_failure").is_some())
    });
    let key = json!({"pk": {"S": format!("confirmation#{id}")}});
    let table = Settings::read().confirmations_table;
    // A number is nothing that could be unsealed.
    let changes = [("body", 1), ("agenda_at", now_in_milliseconds())];
    stored::rewrite(&table, &key, &changes);
    invoke("Settle");
    assert_parked(&id, "unreadable");
}

/// Gives the id of the confirmation.
fn enrolled(partner: &Partner, wish: &str) -> String {
    let address = format!("{}{wish}", Stack::here().demo.confirmation_url);
    let page = Page::of(&partner.open(&json!({"confirmationUrl": address})));
    let submission: Submission = page.submission(&Card::fresh());
    assert_eq!(page.settle(&submission).json()["status"], "SUCCESS_ENROLLMENT");
    page.confirmation(&submission, Status::SuccessEnrollment)
}

fn assert_parked(id: &str, reason: &str) {
    let item = eventually("a parked confirmation", PATIENCE, || {
        stored::confirmation(id).filter(|item| item["state"]["S"] == "parked")
    });
    assert_eq!(item["reason"]["S"], reason, "{item}");
}

/// All metrics of the lines, each of which must have a valid format.
fn metrics(lines: &[String]) -> Vec<Datum> {
    let of_line = |line: &String| emitted::metrics(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    lines.iter().flat_map(of_line).collect()
}

fn own_reads() -> Vec<(String, Read)> {
    let reads = |alarm: Alarm| {
        let reads = alarm.reads().into_iter();
        reads.map(move |(_, read)| (alarm.name.clone(), read))
    };
    let all = alarm::all().into_iter().flat_map(reads);
    all.filter(|(_, read)| read.namespace == OWN).collect()
}

fn is_shown_here((_, read): &(String, Read)) -> bool {
    let outcome = read.dimensions.get("Outcome").map(String::as_str);
    !SHOWN_ELSEWHERE.contains(&(&*read.name, outcome))
}

fn is_read(datum: &Datum, read: &Read) -> bool {
    let parameters = BTreeMap::from([("Stack".to_owned(), STACK.to_owned())]);
    let dimensions: BTreeSet<(String, String)> = read
        .dimensions
        .iter()
        .map(|(name, value)| (name.clone(), filled(value, &parameters)))
        .collect();
    datum.namespace == read.namespace
        && datum.name == read.name
        && datum.dimensions.clone().into_iter().collect::<BTreeSet<_>>() == dimensions
}

/// Value of a dimension, which may be a parameter's.
fn filled(value: &str, parameters: &BTreeMap<String, String>) -> String {
    let parameter = value.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    parameter.map_or_else(|| value.to_owned(), |name| parameters[name].clone())
}

/// Alarms of a stack.
fn alarms_of(stack: &str) -> Vec<Value> {
    let answer = aws("GraniteServiceVersion20100801.DescribeAlarms", &json!({}));
    let all = answer["MetricAlarms"].as_array().expect("alarms").clone();
    let is_own = |alarm: &Value| text(&alarm["AlarmName"]).starts_with(&format!("{stack}-"));
    all.into_iter().filter(is_own).collect()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// Calls `CloudFormation`, whose requests are forms.
fn cloud_formation(action: &str, stack: &str, members: &[(String, String)]) {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", action)
        .append_pair("Version", "2010-05-15");
    form.append_pair("StackName", stack).extend_pairs(members);
    let credential = "test/20260101/eu-central-1/cloudformation/aws4_request";
    let request = Request::post(&Stack::here().endpoints.aws)
        .header("content-type", "application/x-www-form-urlencoded")
        .header(
            "authorization",
            format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0"),
        );
    let answer = call::send(request.body(form.finish().into_bytes()).expect("a request"));
    assert_eq!(answer.status, 200, "{action}: {}", answer.text());
}

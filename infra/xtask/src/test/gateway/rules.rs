//! Rules of the template: combinations of parameters that are refused before anything is made.

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::test::template::Template;

/// Parameters that are given, and the rule that refuses them, if any does.
const COMBINATIONS: [(&[&str], Option<&str>); 10] = [
    (&[], None),
    (&["PublicBaseUrl"], None),
    (&["DomainName", "CertificateArn"], None),
    (&["DomainName", "CertificateArn", "BasePath"], None),
    (&["DomainName"], Some("DomainAndCertificateTogether")),
    (&["CertificateArn"], Some("DomainAndCertificateTogether")),
    (&["BasePath"], Some("BasePathOfDomain")),
    (&["IssuerBaseUrl", "IssuerKeyIds"], None),
    (&["IssuerBaseUrl"], Some("IssuerKeysOfAddress")),
    (
        &["DomainName", "CertificateArn", "PublicBaseUrl"],
        Some("OnePublicAddress"),
    ),
];

/// The template's rules refuse the wrong parameters, each by a sentence, and no others.
pub(super) fn check(template: &Template, faults: &mut Vec<String>) -> Result<()> {
    let rules = template.section("Rules")?.as_object();
    for (given, expected) in COMBINATIONS {
        let mut refusing = Vec::new();
        for (name, rule) in rules.into_iter().flatten() {
            for assertion in rule["Assertions"].as_array().into_iter().flatten() {
                if !assertion["AssertDescription"].is_string() {
                    faults.push(format!("the rule {name} says nothing"));
                }
                if !holds(&assertion["Assert"], given)? {
                    refusing.push(name.as_str());
                }
            }
        }
        if refusing != Vec::from_iter(expected) {
            faults.push(format!(
                "{given:?} is refused by {refusing:?} instead of {expected:?}"
            ));
        }
    }
    Ok(())
}

/// Whether an assertion holds where these parameters have a value and all others none.
fn holds(assertion: &Value, given: &[&str]) -> Result<bool> {
    let arguments = |name: &str| assertion.get(name).and_then(Value::as_array);
    if let Some(all) = arguments("Fn::And") {
        return all
            .iter()
            .try_fold(true, |so_far, part| Ok(so_far & holds(part, given)?));
    }
    if let Some(any) = arguments("Fn::Or") {
        return any
            .iter()
            .try_fold(false, |so_far, part| Ok(so_far | holds(part, given)?));
    }
    if let Some(one) = arguments("Fn::Not") {
        return Ok(!holds(one.first().context("Fn::Not of nothing")?, given)?);
    }
    match arguments("Fn::Equals").map(Vec::as_slice) {
        Some([parameter, Value::String(value)]) if value.is_empty() => {
            let name = parameter["Ref"].as_str().context("Fn::Equals of no parameter")?;
            Ok(!given.contains(&name))
        }
        _ => bail!("{assertion} is written in a way that this check does not know"),
    }
}

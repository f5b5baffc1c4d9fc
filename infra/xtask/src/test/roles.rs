//! The functions' roles beside the calls that the functions made: each call is allowed, and each right was used or
//! is listed in [`UNSEEN`] with its reason. The local AWS checks policies, but knows neither leading keys nor encryption
//! contexts; here they count, as on AWS.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;

use anyhow::{Context as _, Result, bail};

use super::TestRun;
use crate::console::note;
use crate::local::aws::LocalAws;
use crate::local::deployment;
use crate::test::template::{self, Conditions};

mod calls;
mod rights;

use calls::{Call, Names};
use rights::{Limit, Right};

/// Rights that no call of a function's own process uses, or not in every run.
const UNSEEN: [Unseen; 15] = [
    Unseen {
        roles: &["*"],
        actions: &["logs:CreateLogStream", "logs:PutLogEvents"],
        resource: "*",
        purposes: &[],
        reason: "Lambda writes the log, not the function's process",
    },
    Unseen {
        roles: &["SettleRole", "ConfirmRole", "BatchSubmitRole", "BatchPollRole"],
        actions: &[
            "sqs:ReceiveMessage",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
        ],
        resource: "*",
        purposes: &[],
        reason: "Lambda's poller takes the messages of a queue, not the function's process",
    },
    Unseen {
        roles: &["WidgetPageRole"],
        actions: &["s3:ListBucket"],
        resource: "${PicturesBucket.Arn}",
        purposes: &[],
        reason: "S3 asks for it when a picture is missing, to answer 404 instead of 403",
    },
    Unseen {
        roles: &["WidgetInitRole"],
        actions: MAKING,
        resource: "*",
        purposes: &["session", "blind-index"],
        reason: "once a month for each client, by whichever process opens the first session",
    },
    Unseen {
        roles: &["EnrollRole", "ReplaceRole", "CancelRole", "SettleRole"],
        actions: MAKING,
        resource: "*",
        purposes: &["enrollment", "confirmation"],
        reason: "once a month for each client, by whichever function stores the first outcome",
    },
    Unseen {
        roles: &["BatchIntakeRole"],
        actions: MAKING,
        resource: "*",
        purposes: &["batch", "blind-index"],
        reason: "once a month for each client, by whichever function needs the key first",
    },
    Unseen {
        roles: &["BatchSubmitRole", "BatchPollRole"],
        actions: MAKING,
        resource: "*",
        purposes: &["batch", "digital-card", "confirmation", "blind-index"],
        reason: "once a month for each client, by whichever function stores a batch's stage first",
    },
    Unseen {
        roles: &["BatchSubmitRole"],
        actions: &["kms:Decrypt"],
        resource: "*",
        purposes: &["confirmation"],
        reason: "the key of confirmations, where another function made it first: the suites' refused issuers are new",
    },
    Unseen {
        roles: &["BatchPollRole"],
        actions: &["sqs:SendMessage*"],
        resource: "${BatchSubmitQueue.Arn}",
        purposes: &[],
        reason: "a submission whose message was lost",
    },
    Unseen {
        roles: &["BatchIntakeRole"],
        actions: &["s3:DeleteObject"],
        resource: "*",
        purposes: &[],
        reason: "two requests under one id that come at the same moment: the content of the second goes",
    },
    Unseen {
        roles: &["BatchPollRole"],
        actions: &["s3:DeleteObject"],
        resource: "*",
        purposes: &[],
        reason: "a day after a batch's end",
    },
    Unseen {
        roles: &["BatchSubmitRole"],
        actions: &["s3:ListBucket"],
        resource: "*",
        purposes: &[],
        reason: "S3 asks for it when a content is missing, to answer 404 instead of 403",
    },
    Unseen {
        roles: &["BatchSubmitRole", "BatchPollRole"],
        actions: &["dynamodb:GetItem"],
        resource: "*",
        purposes: &[],
        reason: "what became of a write whose condition did not hold, and the client of a batch about which Mastercard wrote",
    },
    Unseen {
        roles: &["PurgeRole"],
        actions: &["dynamodb:BatchGetItem"],
        resource: "${EnrollmentsTable.Arn}",
        purposes: &[],
        reason: "intents that the index does not name yet, and the local AWS's indexes never lag",
    },
    Unseen {
        roles: &["SettleRole"],
        actions: &["dynamodb:Query"],
        resource: "${EnrollmentsTable.Arn}",
        purposes: &[],
        reason: "the customer's cards, where the number is the customer's id and settlement has to ask MRS",
    },
];
/// Making a wrapped key.
const MAKING: &[&str] = &["dynamodb:PutItem", "kms:GenerateDataKey"];

/// Reason for which rights need not have been used. Roles, actions and resource are patterns; without purposes, rights without a
/// limit are meant.
struct Unseen {
    roles: &'static [&'static str],
    actions: &'static [&'static str],
    resource: &'static str,
    purposes: &'static [&'static str],
    reason: &'static str,
}

impl Unseen {
    fn excuses(&self, right: &Right) -> bool {
        let one_of = |patterns: &[&str], text: &str| patterns.iter().any(|pattern| like(pattern, text));
        let of_purpose = match &right.limit {
            Limit::None => self.purposes.is_empty(),
            Limit::Purpose(purpose) => self.purposes.contains(&purpose.as_str()),
            Limit::LeadingKey(pattern) => {
                let names = |purpose: &&str| *pattern == format!("key#*#{purpose}#*");
                self.purposes.iter().any(names)
            }
        };
        of_purpose
            && one_of(self.roles, &right.role)
            && one_of(self.actions, &right.action)
            && like(self.resource, &right.resource)
    }
}

/// Something that is wrong about a role.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    Missing(String),
    Unused(String),
    Stale(&'static str),
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(call) => write!(formatter, "not allowed: {call}"),
            Self::Unused(right) => write!(formatter, "never used: {right}"),
            Self::Stale(reason) => write!(formatter, "excuses no right: \"{reason}\""),
        }
    }
}

/// Compares the roles of the deployment with the calls that this run recorded.
pub(crate) fn check(run: &TestRun<'_>) -> Result<()> {
    let template = template::transform(&run.isolated, run.interrupt)?.whole;
    let rights = rights::of(&template, &Conditions::from([("Local", false)]))?;
    let aws = LocalAws::at(run.local_aws()?);
    let names = Names::new(&template, &deployment::deployed(&aws)?)?;
    let file = run.isolated.calls();
    let recorded = fs::read_to_string(&file).with_context(|| {
        format!(
            "nothing was recorded in {}: run the suites before it",
            file.display()
        )
    })?;
    let calls = calls::read(&recorded, &names)?;
    note(&format!(
        "{} kinds of calls, {} rights",
        calls.len(),
        rights.len()
    ));
    let faults = compare(&rights, &calls, &UNSEEN);
    if faults.is_empty() {
        return Ok(());
    }
    for fault in &faults {
        note(&fault.to_string());
    }
    bail!("{} faults of roles", faults.len())
}

fn compare(rights: &[Right], calls: &[Call], unseen: &'static [Unseen]) -> BTreeSet<Fault> {
    let mut used = BTreeSet::new();
    let mut faults = BTreeSet::new();
    for call in calls {
        match allowing(rights, call) {
            Some(found) => used.extend(found),
            None => {
                faults.insert(Fault::Missing(call.to_string()));
            }
        }
    }
    for (index, right) in rights.iter().enumerate() {
        if !used.contains(&index) && !unseen.iter().any(|entry| entry.excuses(right)) {
            faults.insert(Fault::Unused(right.to_string()));
        }
    }
    for entry in unseen {
        if !rights.iter().any(|right| entry.excuses(right)) {
            faults.insert(Fault::Stale(entry.reason));
        }
    }
    faults
}

/// The rights that together allow a call: one for each of its leading keys, or one for all of it.
fn allowing(rights: &[Right], call: &Call) -> Option<Vec<usize>> {
    let fitting: Vec<(usize, &Right)> = rights
        .iter()
        .enumerate()
        .filter(|(_, right)| {
            right.role == call.role
                && like(&right.action, &call.action)
                && like(&right.resource, &call.resource)
        })
        .collect();
    let unlimited = fitting.iter().find(|(_, right)| right.limit == Limit::None);
    if let Some((index, _)) = unlimited {
        return Some(vec![*index]);
    }
    if !call.context.is_empty() {
        let purpose = call.context.get("purpose")?;
        let complete = call.context.keys().all(|key| key == "client" || key == "purpose");
        let of_purpose =
            |right: &Right| matches!(&right.limit, Limit::Purpose(allowed) if allowed == purpose);
        let (index, _) = fitting.iter().find(|(_, right)| of_purpose(right))?;
        return complete.then(|| vec![*index]);
    }
    if call.leading_keys.is_empty() {
        return None;
    }
    let of_key = |key: &str| {
        let fits = |right: &Right| matches!(&right.limit, Limit::LeadingKey(pattern) if like(pattern, key));
        fitting
            .iter()
            .find(|(_, right)| fits(right))
            .map(|(index, _)| *index)
    };
    call.leading_keys.iter().map(|key| of_key(key)).collect()
}

/// Whether a text fits a pattern of IAM's: `*` is any text, `?` one character.
pub(super) fn like(pattern: &str, text: &str) -> bool {
    match pattern.chars().next() {
        None => text.is_empty(),
        Some('*') => {
            let rest = &pattern[1..];
            like(rest, text)
                || text
                    .char_indices()
                    .any(|(at, found)| like(rest, &text[at + found.len_utf8()..]))
        }
        Some(wanted) => {
            let mut characters = text.chars();
            let found = characters.next();
            found.is_some_and(|found| wanted == '?' || wanted == found)
                && like(&pattern[wanted.len_utf8()..], characters.as_str())
        }
    }
}

#[cfg(test)]
mod tests;

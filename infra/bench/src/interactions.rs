//! The calls to AWS of an enrollment, a replacement and an opt-out: with functions just started, and with the same functions
//! once more.

use anyhow::{Context as _, Result, ensure};
use enrollment::action::ActionCode;
use flows::card::Card;
use flows::local_aws;
use flows::partner::Partner;
use flows::stack::Stack;
use serde_json::{Value, json};

use crate::Arguments;
use crate::bounds::Exceeded;
use crate::caller::Caller;
use crate::counting::{Calls, Counting};
use crate::emulator::Emulated;
use crate::events::{describe, event, initialize};

/// Calls of `DynamoDB` by a warm opening.
const OPENING: usize = 2;

/// Interaction of a customer, and the calls that it may cost.
struct Interaction {
    action: ActionCode,
    /// The function that serves it, and its address.
    function: &'static str,
    success: &'static str,
    /// Calls of `DynamoDB` by the POST alone: warm, first attempt.
    bound: usize,
}

const INTERACTIONS: [Interaction; 3] = [
    Interaction {
        action: ActionCode::Enroll,
        function: "enroll",
        success: "SUCCESS_ENROLLMENT",
        bound: 6,
    },
    Interaction {
        action: ActionCode::Replace,
        function: "replace",
        success: "SUCCESS_REPLACEMENT",
        bound: 7,
    },
    Interaction {
        action: ActionCode::OptOut,
        function: "cancel",
        success: "SUCCESS_REMOVAL",
        bound: 5,
    },
];

/// Two customers, one after the other, each enroll a card, replace it, and opt the new one out, through one process of each
/// function. Returns the warm POSTs' calls of `DynamoDB` in one line.
pub(crate) fn measure(arguments: &Arguments, aws: &Counting, exceeded: &mut Exceeded) -> Result<String> {
    let variables = variables(aws);
    let start = |name: &str| {
        let bootstrap = arguments.functions.join(name).join("bootstrap");
        let log = arguments.scratch.join(format!("{name}.log"));
        Emulated::start(&arguments.emulator, &bootstrap, &variables, &log)
    };
    let init = start("widget-init")?;
    let functions = INTERACTIONS
        .iter()
        .map(|interaction| start(interaction.function))
        .collect::<Result<Vec<_>>>()?;
    println!("\nCalls to AWS, counted on the wire");
    let mut in_short = Vec::new();
    for temperature in ["cold", "warm"] {
        let partner = Partner::demo().with_another_customer();
        for (interaction, function) in INTERACTIONS.iter().zip(&functions) {
            let name = interaction.function;
            aws.take();
            let session = open(&init, &partner, interaction.action)?;
            let opening = aws.take();
            let (form, _) = function.invoke(&describe(name, &session), Caller::Gateway)?;
            let form: Value = serde_json::from_str(form["body"].as_str().unwrap_or_default())?;
            let describing = aws.take();
            let submission = submission(interaction, &session, &form)?;
            let (answer, _) = function.invoke(&submission, Caller::Gateway)?;
            let submitting = aws.take();
            let body = answer["body"].as_str().unwrap_or_default();
            ensure!(
                body.contains(interaction.success),
                "no {}, but status {}",
                interaction.success,
                answer["statusCode"]
            );
            let steps = [
                ("open", opening, Some(OPENING)),
                ("form", describing, None),
                ("POST", submitting, Some(interaction.bound)),
            ];
            for (step, calls, bound) in steps {
                println!("{temperature:<6}{name:<10}{step:<7}{}", told(&calls));
                // Nothing that is counted would keep every bound, too.
                if step != "form" {
                    ensure!(
                        of_service(&calls, "dynamodb") > 0,
                        "{name}, {step}: no call was counted"
                    );
                }
                if temperature == "warm" {
                    judge(&format!("warm {name}, {step}"), &calls, bound, exceeded);
                    if step == "POST" {
                        in_short.push(format!("{name} {}", of_service(&calls, "dynamodb")));
                    }
                }
            }
        }
    }
    Ok(in_short.join(", "))
}

fn judge(what: &str, calls: &Calls, bound: Option<usize>, exceeded: &mut Exceeded) {
    for service in ["kms", "secretsmanager"] {
        exceeded.judge(
            &format!("{what}: calls of {service}"),
            of_service(calls, service),
            0,
        );
    }
    if let Some(bound) = bound {
        exceeded.judge(
            &format!("{what}: calls of dynamodb"),
            of_service(calls, "dynamodb"),
            bound,
        );
    }
}

fn of_service(calls: &Calls, service: &str) -> usize {
    let of_it = |name: &str| name.split(' ').next() == Some(service);
    let counts = calls.iter().filter(|(name, _)| of_it(name));
    counts.map(|(_, count)| count).sum()
}

/// The environment of a deployed function.
pub(crate) fn variables(aws: &Counting) -> Vec<(String, String)> {
    let secret = local_aws::aws(
        "secretsmanager.GetSecretValue",
        &json!({"SecretId": "card-enrollment/local/settings"}),
    );
    let settings: Value =
        serde_json::from_str(secret["SecretString"].as_str().unwrap_or_default()).unwrap_or_default();
    let told = settings.as_object().cloned().unwrap_or_default();
    let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    told.into_iter()
        .filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())))
        .chain([
            own(
                "MRS_BASE_URL",
                &format!("{}/MRS", Stack::here().endpoints.mastercard),
            ),
            own("AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH", "true"),
            own("AWS_REGION", "eu-central-1"),
            own("AWS_ACCESS_KEY_ID", "test"),
            own("AWS_SECRET_ACCESS_KEY", "test"),
            own("AWS_ENDPOINT_URL", &aws.url),
        ])
        .collect()
}

/// Opens the widget and returns the session.
fn open(init: &Emulated, partner: &Partner, action: ActionCode) -> Result<String> {
    let token = partner.token(&json!({"actionCode": action.as_str()}));
    let (redirect, _) = init.invoke(&initialize(&token), Caller::Gateway)?;
    let location = redirect["multiValueHeaders"]["location"][0]
        .as_str()
        .context("a redirect")?;
    let fragment = location.rsplit('#').next().unwrap_or_default();
    ensure!(!fragment.contains("status="), "an opening was refused");
    Ok(fragment.to_owned())
}

fn submission(interaction: &Interaction, session: &str, form: &Value) -> Result<Value> {
    let mut body = json!({});
    if interaction.action != ActionCode::OptOut {
        let card = Card::fresh();
        let spki = form["encryptionKey"]["spki"]
            .as_str()
            .context("a key to encrypt under")?;
        let consents: Vec<Value> = ["terms", "privacy"]
            .into_iter()
            .filter_map(|document| {
                Some(json!({"document": document, "version": form.get(document)?.get("version")?}))
            })
            .collect();
        body = json!({
            "card": card.encrypted_under(spki), "bin": card.bin(), "last4": card.last4(), "consents": consents
        });
    }
    if interaction.action != ActionCode::Enroll {
        body["oldCard"] = form["cards"][0]["id"].clone();
        ensure!(body["oldCard"].is_string(), "no card is offered");
    }
    let headers = [
        ("authorization", &*format!("Bearer {session}")),
        ("content-type", "application/json"),
        ("idempotency-key", &session[..32]),
    ];
    let path = format!("/widget/api/{}", interaction.function);
    Ok(event("POST", &path, &headers, &body.to_string()))
}

fn told(calls: &Calls) -> String {
    if calls.is_empty() {
        return "none".into();
    }
    calls
        .iter()
        .map(|(name, count)| format!("{count} {name}"))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warm_step_is_judged_by_service() {
        let calls = Calls::from([
            ("dynamodb GetItem".to_owned(), 3),
            ("dynamodb TransactWriteItems".to_owned(), 2),
            ("AmazonSQS SendMessage".to_owned(), 4),
        ]);
        let mut exceeded = Exceeded::default();
        judge("POST", &calls, Some(5), &mut exceeded);
        assert_eq!(exceeded.told(), None);
        judge("POST", &calls, Some(4), &mut exceeded);
        assert_eq!(
            exceeded.told().unwrap(),
            "POST: calls of dynamodb: 5, the bound is 4"
        );
        let mut exceeded = Exceeded::default();
        judge(
            "form",
            &Calls::from([("kms Decrypt".to_owned(), 1)]),
            None,
            &mut exceeded,
        );
        assert_eq!(exceeded.told().unwrap(), "form: calls of kms: 1, the bound is 0");
    }
}

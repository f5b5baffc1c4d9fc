//! The stand-in as its callers see it, without TLS: envelopes in, envelopes out.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::body::Body;
use http::{HeaderMap, HeaderValue};
use http_body_util::BodyExt as _;
use proptest::prelude::*;
use tower::ServiceExt as _;

use super::dialect::{COMMON, CUSTOMER, DIAGNOSTIC};
use super::quote::Quotes;
use super::request::Service;
use super::service::read;
use super::soap::{FaultStyle, fault};
use super::xml::{self, Element};
use super::{Dialect, Mrs, MrsSettings, PairKey, Status, pair};
use crate::mastercard::router;
use crate::serve::Cut;
use crate::tls::ClientCertificate;

const CARD: &str = "5234000000090123";
const DIALECTS: [Dialect; 2] = [Dialect::Document, Dialect::Wsdl];

static STAND_IN: LazyLock<Arc<Mrs>> = LazyLock::new(stand_in);

fn stand_in() -> Arc<Mrs> {
    with_settings(MrsSettings::default())
}

fn with_settings(settings: MrsSettings) -> Arc<Mrs> {
    let key = PairKey::from_pem(&pair::tests::PEM).unwrap();
    Arc::new(Mrs::new(settings, key, Arc::default(), None).unwrap())
}

fn envelope(app_id: &str, operation: &str) -> String {
    format!(
        "<?xml version='1.0' encoding='UTF-8'?><soapenv:Envelope xmlns:soapenv='http://schemas.xmlsoap.org/soap/envelope/' \
         xmlns:cus='{CUSTOMER}' xmlns:common='{COMMON}' xmlns:diag='{DIAGNOSTIC}'><soapenv:Header><common:identity>\
         <common:appID>{app_id}</common:appID><common:institutionName>Demo</common:institutionName></common:identity>\
         </soapenv:Header><soapenv:Body>{operation}</soapenv:Body></soapenv:Envelope>"
    )
}

/// Elements in the order given, as `cus:NAME`.
fn elements(fields: &[(&str, &str)]) -> String {
    fields.iter().fold(String::new(), |all, (name, value)| {
        all + &format!("<cus:{name}>{value}</cus:{name}>")
    })
}

fn enroll_of(customer: &str, account: &str) -> String {
    envelope(
        "",
        &format!(
            "<cus:enroll><cus:customerFields>{customer}</cus:customerFields><cus:customerAccountFields>{account}\
             </cus:customerAccountFields></cus:enroll>"
        ),
    )
}

fn customer(dialect: Dialect, number: &str) -> String {
    match dialect {
        Dialect::Document => elements(&[
            ("bankCustomerNumber", number),
            ("memberIca", "1234"),
            ("emailAddress", "a@example.com"),
            ("languageCode", "en_US"),
            ("primaryAccountHolderFirstName", "Ann"),
            ("primaryAccountHolderLastName", "O&apos;Hara"),
        ]),
        Dialect::Wsdl => elements(&[
            ("BANK_CUSTOMER_NUMBER", number),
            ("MEMBER_ICA", "1234"),
            ("EMAIL_ADDRESS", "a@example.com"),
            ("LANGUAGE_CODE", "en_US"),
            ("PRIMARY_ACCOUNT_HOLDER_FIRST_NAME", "Ann"),
            ("PRIMARY_ACCOUNT_HOLDER_LAST_NAME", "O&apos;Hara"),
        ]),
    }
}

fn account(dialect: Dialect, pair: &str) -> String {
    match dialect {
        Dialect::Document => format!(
            "<cus:bankAccountNumber encrypted='true'>{pair}</cus:bankAccountNumber>{}",
            elements(&[
                ("accountStatusCode", "NEW"),
                ("bankProductCode", "MRSDEMO"),
                ("programIdentifier", "10765")
            ])
        ),
        Dialect::Wsdl => format!(
            "<cus:BANK_ACCOUNT_NUMBER encrypted='true'>{pair}</cus:BANK_ACCOUNT_NUMBER>{}",
            elements(&[
                ("ACCOUNT_STATUS_CODE", "1"),
                ("BANK_PRODUCT_CODE", "MRSDEMO"),
                ("PROGRAM_IDENTIFIER", "10765")
            ])
        ),
    }
}

fn enroll(dialect: Dialect, number: &str, card: &str) -> String {
    enroll_of(
        &customer(dialect, number),
        &account(dialect, &pair::tests::encrypt(card)),
    )
}

struct Answer {
    status: u16,
    is_cut: bool,
    body: String,
}

impl Answer {
    /// The text of the one element of this name.
    fn text(&self, name: &str) -> String {
        let root = xml::read(self.body.as_bytes()).unwrap();
        find(&root, name)
            .unwrap_or_else(|| panic!("no {name} in {}", self.body))
            .text
            .clone()
    }

    fn code(&self) -> String {
        assert_eq!(self.status, 500, "{}", self.body);
        self.text("code")
    }
}

fn find<'e>(element: &'e Element, name: &str) -> Option<&'e Element> {
    if element.name == name {
        Some(element)
    } else {
        element.children.iter().find_map(|child| find(child, name))
    }
}

async fn send(mrs: &Arc<Mrs>, path: &str, action: &str, body: String) -> Answer {
    let request = http::Request::post(path)
        .extension(ClientCertificate::Accepted)
        .header("content-type", "text/xml; charset=utf-8")
        .header("soapaction", action)
        .body(Body::from(body))
        .unwrap();
    let response = router(Arc::clone(mrs), None).oneshot(request).await.unwrap();
    Answer {
        status: response.status().as_u16(),
        is_cut: response.extensions().get::<Cut>().is_some(),
        body: String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap(),
    }
}

async fn customer_service(mrs: &Arc<Mrs>, operation: &str, body: String) -> Answer {
    send(
        mrs,
        "/MRS/CustomerService",
        &format!("\"{CUSTOMER}{operation}\""),
        body,
    )
    .await
}

async fn accounts_of(mrs: &Arc<Mrs>, number: &str) -> Answer {
    customer_service(
        mrs,
        "getCustomerAccounts",
        envelope(number, "<cus:getCustomerAccounts/>"),
    )
    .await
}

#[tokio::test]
async fn a_card_is_enrolled_found_and_cancelled_in_both_dialects() {
    for dialect in DIALECTS {
        let mrs = stand_in();
        let enrolled = customer_service(&mrs, "enroll", enroll(dialect, "customer-1", CARD)).await;
        assert_eq!(enrolled.status, 200, "{}", enrolled.body);
        let ranac = enrolled.text("referenceId");

        let found = accounts_of(&mrs, "customer-1").await;
        assert_eq!(found.text("referenceId"), ranac);
        assert_eq!(found.text("lastFourDigitsOfCard"), "0123");
        assert_eq!(found.text("accountStatusDesc"), "NEW");
        assert_eq!(found.text("accountStatusId"), "1");

        let status = match dialect {
            Dialect::Document => "<cus:accountStatus>CANCELLED</cus:accountStatus>",
            Dialect::Wsdl => "<cus:ACCOUNT_STATUS_ID>3</cus:ACCOUNT_STATUS_ID>",
        };
        let update = envelope(
            &ranac,
            &format!("<cus:updateCustomerAccount>{status}</cus:updateCustomerAccount>"),
        );
        let updated = customer_service(&mrs, "updateCustomerAccount", update).await;
        assert_eq!(updated.text("success"), "true");
        assert_eq!(
            accounts_of(&mrs, "customer-1").await.text("accountStatusDesc"),
            "CANCELLED"
        );
    }
}

#[tokio::test]
async fn answers_about_accounts_take_the_root_of_their_dialect() {
    let mrs = stand_in();
    customer_service(&mrs, "enroll", enroll(Dialect::Wsdl, "w", CARD)).await;
    customer_service(&mrs, "enroll", enroll(Dialect::Document, "d", "5234000000000007")).await;
    assert!(
        accounts_of(&mrs, "w")
            .await
            .body
            .contains("<cus:CustomerAccounts>")
    );
    assert!(
        accounts_of(&mrs, "d")
            .await
            .body
            .contains("<cus:getCustomerAccountsResponse>")
    );
}

#[tokio::test]
async fn undecryptable_pair_and_failed_luhn_give_44() {
    for dialect in DIALECTS {
        let mrs = stand_in();
        for pair in [
            pair::tests::encrypt("5234000000090124"),
            "{}".to_owned(),
            CARD.to_owned(),
        ] {
            let body = enroll_of(&customer(dialect, "c"), &account(dialect, &pair));
            assert_eq!(customer_service(&mrs, "enroll", body).await.code(), "-44");
        }
    }
}

#[tokio::test]
async fn a_number_in_clear_is_taken_without_the_attribute() {
    let mrs = stand_in();
    let plain = account(Dialect::Document, CARD).replace(" encrypted='true'", "");
    let body = enroll_of(&customer(Dialect::Document, "c"), &plain);
    assert_eq!(customer_service(&mrs, "enroll", body).await.status, 200);
}

#[tokio::test]
async fn each_required_field_is_required_in_both_dialects() {
    for dialect in DIALECTS {
        let whole = enroll(dialect, "c", CARD);
        let required = match dialect {
            Dialect::Document => [
                "bankCustomerNumber",
                "memberIca",
                "bankAccountNumber",
                "accountStatusCode",
                "bankProductCode",
                "programIdentifier",
            ],
            Dialect::Wsdl => [
                "BANK_CUSTOMER_NUMBER",
                "MEMBER_ICA",
                "BANK_ACCOUNT_NUMBER",
                "ACCOUNT_STATUS_CODE",
                "BANK_PRODUCT_CODE",
                "PROGRAM_IDENTIFIER",
            ],
        };
        for name in required {
            let start = whole.find(&format!("<cus:{name}")).unwrap();
            let end = format!("</cus:{name}>");
            let end = whole.find(&end).unwrap() + end.len();
            let answer =
                customer_service(&stand_in(), "enroll", [&whole[..start], &whole[end..]].concat()).await;
            assert_eq!(answer.code(), "-1");
            assert_eq!(answer.text("faultstring"), format!("{name} is missing"));
        }
    }
}

#[tokio::test]
async fn order_names_namespaces_and_attributes_are_checked() {
    let good = enroll(Dialect::Document, "c", CARD);
    let ica_and_mail =
        "<cus:memberIca>1234</cus:memberIca><cus:emailAddress>a@example.com</cus:emailAddress>";
    let mail_and_ica =
        "<cus:emailAddress>a@example.com</cus:emailAddress><cus:memberIca>1234</cus:memberIca>";
    let changes = [
        (ica_and_mail, mail_and_ica),
        (
            "<cus:memberIca>1234</cus:memberIca>",
            "<cus:memberIca>1234</cus:memberIca><cus:memberIca>1234</cus:memberIca>",
        ),
        (
            "<cus:memberIca>1234</cus:memberIca>",
            "<cus:memberIca>x</cus:memberIca>",
        ),
        (
            "<cus:memberIca>1234</cus:memberIca>",
            "<cus:MEMBER_ICA>1234</cus:MEMBER_ICA>",
        ),
        (
            "<cus:memberIca>1234</cus:memberIca>",
            "<cus:memberIca>1234</cus:memberIca><cus:unknown/>",
        ),
        (
            "<cus:memberIca>1234</cus:memberIca>",
            "<common:memberIca>1234</common:memberIca>",
        ),
        (
            "<cus:memberIca>1234</cus:memberIca>",
            "<cus:memberIca a='b'>1234</cus:memberIca>",
        ),
        (
            "<cus:memberIca>1234</cus:memberIca>",
            "text<cus:memberIca>1234</cus:memberIca>",
        ),
        ("encrypted='true'", "encrypted='yes'"),
        ("encrypted='true'", "Encrypted='true'"),
        (
            "<cus:bankCustomerNumber>c<",
            "<cus:bankCustomerNumber>1234567890123456789012345678901<",
        ),
        ("<cus:bankCustomerNumber>c<", "<cus:bankCustomerNumber><"),
        ("<common:appID></common:appID>", "<common:appID>c</common:appID>"),
        ("cus:customerFields", "cus:customer"),
        (CUSTOMER, "http://customer.example/"),
    ];
    for (from, to) in changes {
        assert!(good.contains(from), "{from}");
        let answer = customer_service(&stand_in(), "enroll", good.replace(from, to)).await;
        assert_eq!(answer.code(), "-1", "{from} -> {to}");
        assert_eq!(answer.text("faultcode"), "soapenv:Client", "{from} -> {to}");
    }
}

#[tokio::test]
async fn what_is_refused_is_named_but_never_quoted() {
    let body =
        enroll(Dialect::Document, "c", CARD).replace("<cus:memberIca>1234<", "<cus:memberIca>secret-value<");
    let answer = customer_service(&stand_in(), "enroll", body).await;
    assert!(answer.body.contains("memberIca") && !answer.body.contains("secret-value"));
}

#[tokio::test]
async fn the_action_and_the_content_type_must_fit() {
    let mrs = stand_in();
    let body = envelope("c", "<cus:getCustomerAccounts/>");
    assert_eq!(customer_service(&mrs, "enroll", body.clone()).await.code(), "-1");
    assert_eq!(
        send(&mrs, "/MRS/CustomerService", "", body.clone()).await.code(),
        "-1"
    );
    let unquoted = format!("{CUSTOMER}getCustomerAccounts");
    assert_eq!(
        send(&mrs, "/MRS/CustomerService", &unquoted, body.clone())
            .await
            .code(),
        "-5"
    );
    let soap_1_2 = http::Request::post("/MRS/CustomerService")
        .extension(ClientCertificate::Accepted)
        .header("content-type", "application/soap+xml")
        .body(Body::from(body))
        .unwrap();
    assert_eq!(router(mrs, None).oneshot(soap_1_2).await.unwrap().status(), 415);
}

#[tokio::test]
async fn a_dialect_that_is_switched_off_is_not_understood() {
    let settings = MrsSettings {
        dialects: vec![Dialect::Wsdl],
        ..MrsSettings::default()
    };
    let mrs = with_settings(settings);
    assert_eq!(
        customer_service(&mrs, "enroll", enroll(Dialect::Document, "c", CARD))
            .await
            .code(),
        "-1"
    );
    assert_eq!(
        customer_service(&mrs, "enroll", enroll(Dialect::Wsdl, "c", CARD))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn the_echo_comes_back() {
    let mrs = stand_in();
    let body = envelope("", "<diag:doEcho>Hello &lt;you&gt;</diag:doEcho>");
    let answer = send(
        &mrs,
        "/MRS/DiagnosticService",
        &format!("{DIAGNOSTIC}doEcho"),
        body.clone(),
    )
    .await;
    assert_eq!(answer.text("doEchoResponse"), "Hello <you>");
    assert_eq!(
        send(&mrs, "/MRS/CustomerService", &format!("{DIAGNOSTIC}doEcho"), body)
            .await
            .code(),
        "-1"
    );
}

#[tokio::test]
async fn gateway_refuses_callers_without_a_valid_certificate() {
    for (certificate, path) in [
        (ClientCertificate::Missing, "/MRS/CustomerService"),
        (ClientCertificate::Refused, "/MRS/nothing"),
    ] {
        let request = http::Request::post(path)
            .extension(certificate)
            .body(Body::empty())
            .unwrap();
        let response = router(stand_in(), None).oneshot(request).await.unwrap();
        assert_eq!(response.status(), 401);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["ReasonCode"], "INVALID_CLIENT_CERT");
        assert_eq!(body["Source"], "Gateway");
        assert_eq!(body["Recoverable"], false);
        assert!(body["Description"].is_string());
    }
}

/// Each test card with its effect: HTTP status, whether the connection is cut, the fault's code, whether it was enrolled.
#[tokio::test(start_paused = true)]
async fn each_test_card_does_what_the_table_says() {
    let cases: [(&str, u16, bool, Option<&str>, bool); 12] = [
        ("5234000000000015", 200, false, None, true),
        ("5234000000000023", 200, false, None, true),
        ("5234000000000031", 200, false, None, true),
        ("5234000000000106", 500, true, None, false),
        ("5234000000000114", 500, true, None, true),
        ("5234000000000205", 500, false, None, false),
        ("5234000000000213", 500, false, None, true),
        ("5234000000000403", 500, false, Some("-1001"), false),
        ("5234000000000411", 500, false, Some("-1001"), true),
        ("5234000000001450", 500, false, Some("-45"), false),
        ("5234000000001997", 500, false, Some("-199"), false),
        ("5555555555554444", 500, false, Some("-52"), false),
    ];
    for (card, status, is_cut, code, is_enrolled) in cases {
        let mrs = stand_in();
        let answer = customer_service(&mrs, "enroll", enroll(Dialect::Document, "c", card)).await;
        assert_eq!((answer.status, answer.is_cut), (status, is_cut), "{card}");
        if let Some(code) = code {
            assert_eq!(answer.code(), code, "{card}");
        }
        assert_eq!(mrs.accounts().len(), usize::from(is_enrolled), "{card}");
    }
}

#[tokio::test]
async fn half_an_answer_is_not_well_formed() {
    let mrs = stand_in();
    let answer = customer_service(&mrs, "enroll", enroll(Dialect::Document, "c", "5234000000000304")).await;
    assert_eq!(answer.status, 200);
    assert!(!answer.body.is_empty() && xml::read(answer.body.as_bytes()).is_err());
    assert_eq!(mrs.accounts().len(), 1);
}

#[tokio::test]
async fn what_was_begun_is_done_even_if_the_caller_leaves() {
    let mrs = stand_in();
    let order = r#"{"operation":"enroll","fault":"slow-before","delayMs":50}"#;
    mrs.faults.add(serde_json::from_str(order).unwrap()).unwrap();
    let call = customer_service(&mrs, "enroll", enroll(Dialect::Document, "c", CARD));
    assert!(
        tokio::time::timeout(Duration::from_millis(5), call)
            .await
            .is_err()
    );
    for _ in 0..200 {
        if mrs.accounts().len() == 1 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the card was never enrolled");
}

fn cancellation(ranac: &str) -> String {
    envelope(
        ranac,
        "<cus:updateCustomerAccount><cus:accountStatus>CANCELLED</cus:accountStatus></cus:updateCustomerAccount>",
    )
}

#[tokio::test]
async fn cancelling_twice_succeeds_twice() {
    let mrs = stand_in();
    let enrolled = customer_service(&mrs, "enroll", enroll(Dialect::Document, "c", CARD)).await;
    let ranac = enrolled.text("referenceId");
    for _ in 0..2 {
        let answer = customer_service(&mrs, "updateCustomerAccount", cancellation(&ranac)).await;
        assert_eq!((answer.status, answer.text("success").as_str()), (200, "true"));
    }
}

/// The statuses of the widget document (`docs/sources.md#widget`), and whether the work is done, for each operation.
#[tokio::test]
async fn each_code_can_be_ordered_for_each_operation() {
    let codes = [-1, -5, -10, -32, -44, -45, -46, -47, -48, -50, -52, -85, -1001];
    for (code, (fault, is_done)) in codes
        .into_iter()
        .flat_map(|code| [("code-before", false), ("code-after", true)].map(|fault| (code, fault)))
    {
        let mrs = stand_in();
        let enrolled = customer_service(&mrs, "enroll", enroll(Dialect::Document, "c", CARD)).await;
        let ranac = enrolled.text("referenceId");
        for (operation, body) in [
            ("getCustomerAccounts", envelope("c", "<cus:getCustomerAccounts/>")),
            ("updateCustomerAccount", cancellation(&ranac)),
            ("enroll", enroll(Dialect::Document, "d", "5234000000000007")),
        ] {
            let order = format!(r#"{{"operation":"{operation}","fault":"{fault}","code":{code}}}"#);
            mrs.faults.add(serde_json::from_str(&order).unwrap()).unwrap();
            let answer = customer_service(&mrs, operation, body).await;
            assert_eq!(answer.code(), code.to_string(), "{operation} {fault}");
        }
        let accounts = mrs.accounts();
        let is_cancelled = accounts[0].status == Status::Cancelled;
        assert_eq!(
            (is_cancelled, accounts.len() == 2),
            (is_done, is_done),
            "{code} {fault}"
        );
    }
}

#[tokio::test]
async fn order_for_a_card_affects_calls_about_it_only() {
    let mrs = stand_in();
    let mut calls = Vec::new();
    for (customer, card) in [("c", CARD), ("d", "5234000000000007")] {
        let enrolled = customer_service(&mrs, "enroll", enroll(Dialect::Document, customer, card)).await;
        let ranac = enrolled.text("referenceId");
        calls.push([
            ("enroll", enroll(Dialect::Document, customer, card)),
            (
                "getCustomerAccounts",
                envelope(customer, "<cus:getCustomerAccounts/>"),
            ),
            ("updateCustomerAccount", cancellation(&ranac)),
        ]);
    }
    let [of_the_card, of_another] = <[_; 2]>::try_from(calls).unwrap();
    for (operation, _) in &of_the_card {
        let order =
            format!(r#"{{"operation":"{operation}","fault":"code-before","code":-32,"card":"{CARD}"}}"#);
        mrs.faults.add(serde_json::from_str(&order).unwrap()).unwrap();
    }
    for (operation, body) in of_another {
        let answer = customer_service(&mrs, operation, body).await;
        assert!(
            !answer.body.contains("-32"),
            "{operation} of another card: {}",
            answer.body
        );
    }
    for (operation, body) in of_the_card {
        assert_eq!(
            customer_service(&mrs, operation, body).await.code(),
            "-32",
            "{operation}"
        );
    }
}

#[tokio::test]
async fn ordered_fault_precedes_that_of_the_test_card() {
    let mrs = stand_in();
    let order = r#"{"operation":"enroll","fault":"code-before","code":-50}"#;
    mrs.faults.add(serde_json::from_str(order).unwrap()).unwrap();
    let body = enroll(Dialect::Document, "c", "5234000000001450");
    assert_eq!(customer_service(&mrs, "enroll", body.clone()).await.code(), "-50");
    assert_eq!(customer_service(&mrs, "enroll", body).await.code(), "-45");
}

proptest! {
    /// A message of which something is missing, doubled or replaced is read or refused.
    #[test]
    fn reading_a_damaged_message_never_panics(
        start in 0_usize..3_000, length in 0_usize..400, filler in prop::collection::vec(any::<u8>(), 0..8), wsdl in any::<bool>(),
    ) {
        let mrs = &*STAND_IN;
        let dialect = DIALECTS[usize::from(wsdl)];
        let whole = enroll_of(&customer(dialect, "c"), &account(dialect, r#"{"key":"AAAA","data":"AAAA"}"#)).into_bytes();
        let start = start.min(whole.len());
        let end = (start + length).min(whole.len());
        let damaged = [&whole[..start], &filler, &whole[end..]].concat();
        let mut headers = HeaderMap::new();
        headers.insert("soapaction", HeaderValue::from_static("http://customer.ws.mcrewards.mastercard.com/enroll"));
        if let Err(refusal) = read(mrs, Service::Customer, &headers, &damaged) {
            prop_assert!(fault(FaultStyle::Plain, &refusal, &Quotes::default()).contains(">-1<"));
        }
    }
}

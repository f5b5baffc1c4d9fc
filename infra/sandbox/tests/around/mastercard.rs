//! The Mastercard stand-in over TLS, and its admin listener.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use rcgen::ExtendedKeyUsagePurpose;
use reqwest::Client;
use sandbox::Clock;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::fixture::{Around, Authority};

pub(crate) const CARD: &str = "5234000000090123";

/// In clear: what encrypts is tested beside the cipher.
pub(crate) fn enroll(customer: &str, card: &str) -> String {
    envelope(
        "",
        &format!(
            "<c:enroll><c:customerFields><c:bankCustomerNumber>{customer}</c:bankCustomerNumber><c:memberIca>1234</c:memberIca>\
             </c:customerFields><c:customerAccountFields><c:bankAccountNumber>{card}</c:bankAccountNumber>\
             <c:accountStatusCode>NEW</c:accountStatusCode><c:bankProductCode>MRSDEMO</c:bankProductCode>\
             <c:programIdentifier>10765</c:programIdentifier></c:customerAccountFields></c:enroll>"
        ),
    )
}

pub(crate) fn envelope(app_id: &str, operation: &str) -> String {
    format!(
        "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/' xmlns:c='http://customer.ws.mcrewards.mastercard.com/' \
         xmlns:k='http://common.ws.mcrewards.mastercard.com/'><s:Header><k:identity><k:appID>{app_id}</k:appID>\
         <k:institutionName/></k:identity></s:Header><s:Body>{operation}</s:Body></s:Envelope>"
    )
}

pub(crate) async fn call(
    around: &Around,
    client: &Client,
    operation: &str,
    body: String,
) -> reqwest::Result<reqwest::Response> {
    client
        .post(format!(
            "https://localhost:{}/MRS/CustomerService",
            around.at().mastercard.port()
        ))
        .header("content-type", "text/xml; charset=utf-8")
        .header(
            "soapaction",
            format!("\"http://customer.ws.mcrewards.mastercard.com/{operation}\""),
        )
        .body(body)
        .send()
        .await
}

pub(crate) async fn admin(
    around: &Around,
    method: reqwest::Method,
    path: &str,
    body: Option<Value>,
) -> (u16, Value) {
    let url = format!("http://{}{path}", around.at().admin);
    let request = around.client(None).request(method, url);
    let request = body
        .into_iter()
        .fold(request, |request, body| request.json(&body));
    let response = request.send().await.unwrap();
    (
        response.status().as_u16(),
        response.json().await.unwrap_or_default(),
    )
}

#[tokio::test]
async fn with_a_certificate_of_the_ca_a_card_is_enrolled() {
    let around = Around::start("http://127.0.0.1:9").await;
    let client = around.client(Some(around.identity()));
    let answer = call(&around, &client, "enroll", enroll("c", CARD)).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "text/xml; charset=utf-8");
    assert!(answer.text().await.unwrap().contains("referenceId"));

    let (_, accounts) = admin(&around, reqwest::Method::GET, "/accounts", None).await;
    assert_eq!(accounts[0]["bankCustomerNumber"], "c");
    assert_eq!(accounts[0]["last4"], "0123");
    assert_eq!(accounts[0]["status"], "NEW");
    assert_eq!(accounts[0]["program"], "10765");
    assert!(!accounts.to_string().contains(CARD));
    let (_, none) = admin(&around, reqwest::Method::GET, "/accounts/d", None).await;
    assert_eq!(none, json!([]));

    admin(&around, reqwest::Method::POST, "/reset", None).await;
    let (_, accounts) = admin(&around, reqwest::Method::GET, "/accounts", None).await;
    assert_eq!(accounts, json!([]));
    around.end().await;
}

#[tokio::test]
async fn missing_and_foreign_certificates_are_refused_in_json() {
    let around = Around::start("http://127.0.0.1:9").await;
    let foreign = Authority::new().identity(ExtendedKeyUsagePurpose::ClientAuth);
    let for_servers = around.authority().identity(ExtendedKeyUsagePurpose::ServerAuth);
    for identity in [None, Some(foreign), Some(for_servers)] {
        let client = around.client(identity);
        let answer = call(&around, &client, "enroll", enroll("c", CARD)).await.unwrap();
        assert_eq!(answer.status(), 401);
        let error: Value = answer.json().await.unwrap();
        assert_eq!(error["ReasonCode"], "INVALID_CLIENT_CERT");
        assert_eq!(error.as_object().unwrap().len(), 4);
    }
    let (_, accounts) = admin(&around, reqwest::Method::GET, "/accounts", None).await;
    assert_eq!(accounts, json!([]));
}

#[tokio::test]
async fn a_certificate_that_has_expired_is_refused() {
    // rcgen's certificates last until the year 4096.
    let clock = Clock::standing_at(70_000_000_000);
    let around = Around::start_with("http://127.0.0.1:9", "http://127.0.0.1:9", clock).await;
    let client = around.client(Some(around.identity()));
    assert_eq!(
        call(&around, &client, "enroll", enroll("c", CARD))
            .await
            .unwrap()
            .status(),
        401
    );
}

#[tokio::test]
async fn connection_is_cut_before_or_after_the_work() {
    let around = Around::start("http://127.0.0.1:9").await;
    let client = around.client(Some(around.identity()));
    for (fault, held) in [("cut-before", 0), ("cut-after", 1)] {
        let order = json!({"operation": "enroll", "fault": fault});
        let (status, told) = admin(&around, reqwest::Method::POST, "/faults", Some(order)).await;
        assert_eq!((status, told["count"].as_u64()), (201, Some(1)));
        let error = call(&around, &client, "enroll", enroll("c", CARD))
            .await
            .unwrap_err();
        assert!(error.is_request(), "{error:?}");
        let (_, accounts) = admin(&around, reqwest::Method::GET, "/accounts", None).await;
        assert_eq!(accounts.as_array().unwrap().len(), held, "{fault}");
    }
    let lookup = envelope("c", "<c:getCustomerAccounts/>");
    let found = call(&around, &client, "getCustomerAccounts", lookup)
        .await
        .unwrap();
    assert!(
        found
            .text()
            .await
            .unwrap()
            .contains("<cus:lastFourDigitsOfCard>0123<")
    );
}

#[tokio::test]
async fn orders_can_be_read_and_cleared_and_bad_ones_are_refused() {
    let around = Around::start("http://127.0.0.1:9").await;
    let order =
        json!({"operation": "getCustomerAccounts", "fault": "slow-after", "count": 3, "delayMs": 100});
    let (_, taken) = admin(&around, reqwest::Method::POST, "/faults", Some(order)).await;
    assert_eq!(
        taken,
        json!({"id": 1, "operation": "getCustomerAccounts", "fault": "slow-after", "count": 3, "delayMs": 100})
    );
    let (_, open) = admin(&around, reqwest::Method::GET, "/faults", None).await;
    assert_eq!(open, json!([taken]));
    for status in [204, 404] {
        let (answer, _) = admin(&around, reqwest::Method::DELETE, "/faults/1", None).await;
        assert_eq!(answer, status);
    }
    let (status, error) = admin(
        &around,
        reqwest::Method::POST,
        "/faults",
        Some(json!({"operation": "enroll", "fault": "cut-after", "count": 0})),
    )
    .await;
    assert_eq!(status, 422);
    assert!(error["error"].as_str().unwrap().starts_with("count"));
    let unknown = json!({"operation": "enroll", "fault": "explode"});
    assert_eq!(
        admin(&around, reqwest::Method::POST, "/faults", Some(unknown))
            .await
            .0,
        422
    );
    assert_eq!(
        admin(&around, reqwest::Method::DELETE, "/faults", None).await.0,
        204
    );
    let (_, open) = admin(&around, reqwest::Method::GET, "/faults", None).await;
    assert_eq!(open, json!([]));
}

#[tokio::test]
async fn the_table_of_cards_is_served() {
    let around = Around::start("http://127.0.0.1:9").await;
    let (_, cards) = admin(&around, reqwest::Method::GET, "/cards", None).await;
    assert_eq!(cards[0], json!({"number": CARD, "what": "is enrolled"}));
}

#[tokio::test]
async fn accounts_survive_a_restart_without_card_numbers() {
    let mut around = Around::start("http://127.0.0.1:9").await;
    let client = around.client(Some(around.identity()));
    call(&around, &client, "enroll", enroll("c", CARD)).await.unwrap();
    let stray = json!({"bankCustomerNumber": "d", "last4": "7777"});
    admin(&around, reqwest::Method::POST, "/accounts", Some(stray)).await;
    let (_, held) = admin(&around, reqwest::Method::GET, "/accounts", None).await;
    assert_eq!(held.as_array().unwrap().len(), 2);
    let written = fs::read_to_string(around.state()).unwrap();
    for part in [CARD, &CARD[..6], &CARD[6..]] {
        assert!(!written.contains(part), "{written}");
    }
    let mode = fs::metadata(around.state()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    around.restart().await;
    let (_, after) = admin(&around, reqwest::Method::GET, "/accounts", None).await;
    assert_eq!(after, held);
    let again = call(&around, &client, "enroll", enroll("e", CARD)).await.unwrap();
    assert!(again.text().await.unwrap().contains(">-45<"));

    admin(&around, reqwest::Method::POST, "/reset", None).await;
    around.restart().await;
    let (_, none) = admin(&around, reqwest::Method::GET, "/accounts", None).await;
    assert_eq!(none, json!([]));
}

/// Accounts as `GET /accounts` shows them, after a comparison with the file.
async fn held_and_written(around: &Around) -> Value {
    let (_, held) = admin(around, reqwest::Method::GET, "/accounts", None).await;
    let written = fs::read(around.state()).unwrap();
    let mut written: Value = serde_json::from_slice(&written).unwrap();
    for account in written["accounts"].as_array_mut().unwrap() {
        account.as_object_mut().unwrap().remove("card");
    }
    assert_eq!(written["accounts"], held);
    held
}

#[tokio::test]
async fn every_kind_of_change_is_in_the_file() {
    let around = Around::start("http://127.0.0.1:9").await;
    let client = around.client(Some(around.identity()));
    let post = reqwest::Method::POST;
    call(&around, &client, "enroll", enroll("c", CARD)).await.unwrap();
    let ranac = held_and_written(&around).await[0]["ranac"]
        .as_str()
        .unwrap()
        .to_owned();
    let cancel =
        "<c:updateCustomerAccount><c:accountStatus>CANCELLED</c:accountStatus></c:updateCustomerAccount>";
    let cancel = envelope(&ranac, cancel);
    call(&around, &client, "updateCustomerAccount", cancel)
        .await
        .unwrap();
    assert_eq!(held_and_written(&around).await[0]["status"], "CANCELLED");
    let (path, status) = (format!("/accounts/{ranac}/status"), json!({"status": "NEW"}));
    admin(&around, post.clone(), &path, Some(status)).await;
    assert_eq!(held_and_written(&around).await[0]["status"], "NEW");
    let stray = json!({"bankCustomerNumber": "d", "last4": "7777"});
    admin(&around, post.clone(), "/accounts", Some(stray)).await;
    assert_eq!(held_and_written(&around).await[1]["last4"], "7777");
    admin(
        &around,
        reqwest::Method::DELETE,
        &format!("/accounts/{ranac}"),
        None,
    )
    .await;
    assert_eq!(held_and_written(&around).await[0]["last4"], "7777");
    admin(&around, post, "/reset", None).await;
    assert_eq!(held_and_written(&around).await, json!([]));
}

#[tokio::test]
async fn every_answer_that_was_given_is_in_the_file() {
    let mut around = Around::start("http://127.0.0.1:9").await;
    let client = around.client(Some(around.identity()));
    let url = format!("http://{}/accounts", around.at().admin);
    let mut calls = JoinSet::new();
    for number in 0..40 {
        let stray = json!({"bankCustomerNumber": format!("c{number}"), "last4": "7777"});
        calls.spawn(client.post(&url).json(&stray).send());
    }
    for answer in calls.join_all().await {
        assert_eq!(answer.unwrap().status(), 201);
    }
    around.restart().await;
    let (_, held) = admin(&around, reqwest::Method::GET, "/accounts", None).await;
    assert_eq!(held.as_array().unwrap().len(), 40);
}

#[tokio::test]
async fn a_test_makes_mrs_differ_by_hand() {
    let around = Around::start("http://127.0.0.1:9").await;
    let (get, post, delete) = (
        reqwest::Method::GET,
        reqwest::Method::POST,
        reqwest::Method::DELETE,
    );
    let stray = json!({"bankCustomerNumber": "c", "last4": "7777"});
    let (status, account) = admin(&around, post.clone(), "/accounts", Some(stray)).await;
    assert_eq!((status, &account["status"]), (201, &json!("GOOD_STANDING")));
    let ranac = account["ranac"].as_str().unwrap();
    let client = around.client(Some(around.identity()));
    let lookup = || {
        call(
            &around,
            &client,
            "getCustomerAccounts",
            envelope("c", "<c:getCustomerAccounts/>"),
        )
    };
    let found = lookup().await.unwrap().text().await.unwrap();
    assert!(
        found.contains(ranac) && found.contains("<cus:lastFourDigitsOfCard>7777<"),
        "{found}"
    );

    let status_of = format!("/accounts/{ranac}/status");
    for wanted in ["CANCELLED", "GOOD_STANDING"] {
        let body = json!({"status": wanted});
        let (status, account) = admin(&around, post.clone(), &status_of, Some(body)).await;
        assert_eq!((status, account["status"].as_str()), (200, Some(wanted)));
        assert!(lookup().await.unwrap().text().await.unwrap().contains(wanted));
    }
    let path = format!("/accounts/{ranac}");
    assert_eq!(admin(&around, delete.clone(), &path, None).await.0, 204);
    assert!(lookup().await.unwrap().text().await.unwrap().contains(">-5<"));
    assert_eq!(admin(&around, get, "/accounts/c", None).await.1, json!([]));

    let (status, error) = admin(&around, delete, &path, None).await;
    assert_eq!(
        (status, error),
        (404, json!({"error": "there is no account of this RANAC"}))
    );
    for wrong in [
        json!({"bankCustomerNumber": "c", "last4": "77777"}),
        json!({"bankCustomerNumber": "c", "last4": "7777", "number": CARD}),
    ] {
        let (status, error) = admin(&around, post.clone(), "/accounts", Some(wrong)).await;
        assert_eq!(status, 422);
        assert!(!error.to_string().contains(CARD));
    }
}

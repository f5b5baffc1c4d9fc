//! The Mastercard stand-in over TLS, and its admin listener.

use rcgen::ExtendedKeyUsagePurpose;
use reqwest::Client;
use sandbox::Clock;
use serde_json::{Value, json};

use crate::fixture::{Around, Authority};

const CARD: &str = "5234000000090123";

/// In clear: what encrypts is tested beside the cipher.
fn enroll(customer: &str, card: &str) -> String {
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

fn envelope(app_id: &str, operation: &str) -> String {
    format!(
        "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/' xmlns:c='http://customer.ws.mcrewards.mastercard.com/' \
         xmlns:k='http://common.ws.mcrewards.mastercard.com/'><s:Header><k:identity><k:appID>{app_id}</k:appID>\
         <k:institutionName/></k:identity></s:Header><s:Body>{operation}</s:Body></s:Envelope>"
    )
}

async fn call(
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

async fn admin(around: &Around, method: reqwest::Method, path: &str, body: Option<Value>) -> (u16, Value) {
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
async fn without_a_certificate_or_with_a_foreign_one_the_answer_says_so() {
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
async fn a_cut_connection_gives_no_answer_and_leaves_the_work_done_or_not() {
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
    admin(&around, reqwest::Method::POST, "/faults", Some(order.clone())).await;
    let (_, open) = admin(&around, reqwest::Method::GET, "/faults", None).await;
    assert_eq!(open, json!([order]));
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

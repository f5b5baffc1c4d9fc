//! Answers of the stand-in in every shape, as the client of the product reads them.

use mastercard::http::Answer;
use mastercard::mrs::answer::{accounts, enrolled, updated};
use mastercard::mrs::{Dialect, MrsError};
use serde_json::{Value, json};

use crate::fixture::Around;
use crate::mastercard::{CARD, admin, call, enroll, envelope};

/// Shapes that are read, whatever they hold.
const READ: [&str; 24] = [
    "soap-1.2",
    "qualified-fault",
    "customer-error",
    "bare-error",
    "own-error",
    "fault200",
    "fault400",
    "other-prefixes",
    "header-block",
    "unqualified",
    "wrapped",
    "decorated",
    "utf8-name",
    "byte-order-mark",
    "utf-16",
    "utf-16be",
    "iso-8859-1",
    "charset",
    "windows-1252",
    "gzip",
    "deflate",
    "raw-deflate",
    "mtom",
    "no-close-notify",
];

/// Shapes in which nothing is understood.
const UNREADABLE: [&str; 7] = [
    "unknown-encoding",
    "two-parts",
    "bomb",
    "document-type",
    "empty-body",
    "html",
    "accepted",
];

/// Shapes of answers that are not refusals in which nothing is understood.
const UNREADABLE_SUCCESS: [&str; 3] = ["unknown-element", "unknown-namespace", "nested-twice"];

/// Shapes of refusals without a code that counts.
const UNREADABLE_REFUSAL: [&str; 5] = [
    "two-codes",
    "no-code",
    "gateway-flat",
    "gateway-list",
    "gateway-wrapped",
];

struct Stand {
    around: Around,
    client: reqwest::Client,
}

impl Stand {
    async fn new() -> Self {
        let around = Around::start("http://127.0.0.1:9").await;
        let client = around.client(Some(around.identity()));
        Self { around, client }
    }

    async fn ask(&self, operation: &str, body: String) -> Answer {
        let response = call(&self.around, &self.client, operation, body).await.unwrap();
        Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.bytes().await.unwrap().to_vec(),
        }
    }

    async fn ask_disturbed(&self, operation: &str, body: String, mut order: Value) -> Answer {
        order["operation"] = operation.into();
        let (status, answer) = admin(&self.around, reqwest::Method::POST, "/faults", Some(order)).await;
        assert_eq!(status, 201, "{answer}");
        self.ask(operation, body).await
    }

    async fn enroll_in(&self, shape: &str) -> Answer {
        admin(&self.around, reqwest::Method::POST, "/reset", None).await;
        let order = json!({"fault": "shaped", "shape": shape});
        self.ask_disturbed("enroll", enroll("c", CARD), order).await
    }

    async fn find_in(&self, shape: &str) -> Answer {
        let order = json!({"fault": "shaped", "shape": shape});
        let body = envelope("c", "<c:getCustomerAccounts/>");
        self.ask_disturbed("getCustomerAccounts", body, order).await
    }

    async fn refuse_in(&self, shape: &str) -> MrsError {
        let order = json!({"fault": "code-before", "code": -45, "shape": shape});
        let answer = self.ask_disturbed("enroll", enroll("c", CARD), order).await;
        enrolled(&answer).unwrap_err()
    }
}

#[tokio::test]
async fn success_is_read_in_every_shape() {
    let stand = Stand::new().await;
    for shape in READ {
        let ranac = enrolled(&stand.enroll_in(shape).await)
            .unwrap_or_else(|error| panic!("{shape}: {error}"))
            .reference_id;
        let found = accounts(Dialect::Document, &stand.find_in(shape).await)
            .unwrap_or_else(|error| panic!("{shape}: {error}"));
        assert_eq!(found.len(), 1, "{shape}");
        assert_eq!(found[0].reference_id.as_ref(), Some(&ranac));
        assert_eq!(found[0].last_four.as_deref(), Some("0123"));
        let cancel = envelope(
            &ranac,
            "<c:updateCustomerAccount><c:accountStatus>CANCELLED</c:accountStatus></c:updateCustomerAccount>",
        );
        let order = json!({"fault": "shaped", "shape": shape});
        let answer = stand.ask_disturbed("updateCustomerAccount", cancel, order).await;
        assert_eq!(updated(&answer), Ok(()), "{shape}");
    }
    stand.around.end().await;
}

#[tokio::test]
async fn a_refusal_keeps_its_code_in_every_shape() {
    let stand = Stand::new().await;
    for shape in READ {
        let MrsError::Fault(fault) = stand.refuse_in(shape).await else {
            panic!("{shape}")
        };
        assert_eq!(fault.code.value(), -45, "{shape}");
    }
    stand.around.end().await;
}

#[tokio::test]
async fn every_answer_has_an_id_of_its_own() {
    let stand = Stand::new().await;
    let mut ids = Vec::new();
    for shape in ["soap-1.2", "html", "gateway-flat"] {
        let error = stand.refuse_in(shape).await;
        ids.push(error.correlation().map(ToString::to_string).unwrap());
    }
    assert!(
        ids[0] != ids[1] && ids[1] != ids[2] && ids[0].len() == 36,
        "{ids:?}"
    );
    stand.around.end().await;
}

#[tokio::test]
async fn what_is_not_understood_leaves_the_outcome_open() {
    let stand = Stand::new().await;
    for shape in UNREADABLE.iter().chain(&UNREADABLE_SUCCESS) {
        let error = enrolled(&stand.enroll_in(shape).await).unwrap_err();
        assert!(matches!(error, MrsError::Unknown { .. }), "{shape}: {error}");
        let error = accounts(Dialect::Document, &stand.find_in(shape).await).unwrap_err();
        assert!(matches!(error, MrsError::Unknown { .. }), "{shape}: {error}");
    }
    for shape in UNREADABLE.iter().chain(&UNREADABLE_REFUSAL) {
        let error = stand.refuse_in(shape).await;
        assert!(matches!(error, MrsError::Unknown { .. }), "{shape}: {error}");
    }
    stand.around.end().await;
}

#[tokio::test]
async fn a_refusal_that_quotes_says_everything_everywhere() {
    let stand = Stand::new().await;
    for shape in ["qualified-fault", "soap-1.2", "own-error", "gateway-flat"] {
        let order = json!({"fault": "code-before", "code": -1, "shape": shape, "quote": true});
        let answer = stand
            .ask_disturbed("enroll", enroll("customer-1", CARD), order)
            .await;
        let body = String::from_utf8(answer.body.clone()).unwrap();
        for quoted in [
            "customer-1",
            CARD,
            "5234 0000 0009 0123",
            "5234-0000-0009-0123",
            "٥٢٣٤٠٠٠٠٠٠٠٩٠١٢٣",
        ] {
            assert!(body.matches(quoted).count() >= 2, "{shape} {quoted}: {body}");
        }
        assert_eq!(answer.headers["x-correlation-id"], CARD);
        let error = enrolled(&answer).unwrap_err();
        assert!(error.foreign_text().is_some());
        assert_eq!(error.correlation(), None);
        let shown = format!("{error} {error:?}");
        assert!(
            !shown.contains("5234") && !shown.contains("customer-1"),
            "{shown}"
        );
    }
    for place in [
        "faultcode",
        "faultstring",
        "faultactor",
        "description",
        "item",
        "type",
        "data",
        "trace",
    ] {
        let order = json!({"fault": "code-before", "code": -1, "quote": true});
        let answer = stand
            .ask_disturbed("enroll", enroll("customer-1", CARD), order)
            .await;
        let error = enrolled(&answer).unwrap_err();
        assert!(matches!(&error, MrsError::Fault(fault) if fault.code.value() == -1));
        let body = String::from_utf8(answer.body).unwrap();
        let (_, rest) = body.split_once(&format!("{place}>")).unwrap();
        let (text, _) = rest.split_once('<').unwrap();
        assert!(text.contains("customer-1"), "{place}: {text}");
    }
    stand.around.end().await;
}

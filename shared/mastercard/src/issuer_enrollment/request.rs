//! Requests as they are signed and sent.

use serde_json::json;

use super::{BatchSubmission, CardDeletion, Dialect, dialect};
use crate::{
    failure::NotSent,
    http::{Method, Url},
    json,
};

/// Longest value of a request beside the JWE, in characters.
const MAX_VALUE_CHARS: usize = 256;

/// Request, serialized once: the same bytes are signed and sent.
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) body: Option<Vec<u8>>,
}

impl Request {
    pub(super) fn submission(
        base: &Url,
        dialect: Dialect,
        batch: &BatchSubmission<'_>,
    ) -> Result<Self, NotSent> {
        check(dialect::EXTERNAL_BATCH_ID, batch.external_batch_id)?;
        check(dialect::SRC_CLIENT_ID, batch.src_client_id)?;
        check(dialect::SERVICE_ID, batch.service_id)?;
        if batch.enrollment_data.is_empty()
            || !batch.enrollment_data.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(NotSent::InvalidField(dialect::ENROLLMENT_DATA));
        }
        let body = json!({
            dialect::EXTERNAL_BATCH_ID: batch.external_batch_id,
            dialect::SRC_CLIENT_ID: batch.src_client_id,
            dialect::SERVICE_ID: batch.service_id,
            dialect::ENROLLMENT_DATA: batch.enrollment_data,
        });
        Ok(Self {
            method: Method::POST,
            url: address(base, dialect.names().batches, None)?,
            body: Some(body.to_string().into_bytes()),
        })
    }

    pub(super) fn status(base: &Url, dialect: Dialect, batch_id: &str) -> Result<Self, NotSent> {
        Ok(Self {
            method: Method::GET,
            url: address(base, dialect.names().batches, Some(("batchId", batch_id)))?,
            body: None,
        })
    }

    pub(super) fn deletion(
        base: &Url,
        dialect: Dialect,
        deletion: &CardDeletion<'_>,
    ) -> Result<Self, NotSent> {
        let card = ("srcDigitalCardId", deletion.src_digital_card_id);
        let mut url = address(base, dialect.names().cards, Some(card))?;
        let parameters = [
            (dialect::SRC_CLIENT_ID, deletion.src_client_id),
            (dialect::SERVICE_ID, deletion.service_id),
            (dialect::SRC_CORRELATION_ID, deletion.src_correlation_id),
            (dialect::REASON, dialect::DELETION_REASON),
            (dialect::REQUESTOR, dialect::DELETION_REQUESTOR),
        ];
        let mut query = Vec::new();
        for (name, value) in parameters {
            check(name, value)?;
            query.push(format!("{name}={}", percent_encode(value)));
        }
        url.set_query(Some(&query.join("&")));
        Ok(Self {
            method: Method::DELETE,
            url,
            body: None,
        })
    }
}

/// Returns an address below the base address. An id that could be another path is refused.
fn address(base: &Url, path: &[&str], id: Option<(&'static str, &str)>) -> Result<Url, NotSent> {
    let mut url = base.clone();
    {
        let mut segments = url
            .path_segments_mut()
            .map_err(|()| NotSent::InvalidField("url"))?;
        segments.pop_if_empty().extend(path);
        if let Some((name, id)) = id {
            if !json::is_id(id) {
                return Err(NotSent::InvalidField(name));
            }
            segments.push(id);
        }
    }
    Ok(url)
}

fn check(name: &'static str, value: &str) -> Result<(), NotSent> {
    let is_valid = !value.trim().is_empty()
        && value.chars().count() <= MAX_VALUE_CHARS
        && !value.chars().any(char::is_control);
    if is_valid {
        Ok(())
    } else {
        Err(NotSent::InvalidField(name))
    }
}

/// Encodes everything but the unreserved characters of RFC 3986 §2.3: OAuth 1.0a signs the query, and signers differ
/// about every other character, `+` for a blank above all.
fn percent_encode(value: &str) -> String {
    use std::fmt::Write as _;

    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Url {
        Url::parse("https://api.test/src/api/digital/payments/").unwrap()
    }

    fn deletion(card: &str) -> Result<Request, NotSent> {
        let deletion = CardDeletion {
            src_digital_card_id: card,
            src_client_id: "6aff5cba-3aac-4fe0-b0cd-a52fc948d0c6",
            service_id: "SERVICE#START COF+UPN2#01",
            src_correlation_id: "ff97ef9b-4b1e-40c2-b522-42197061dc5a",
        };
        Request::deletion(&base(), Dialect::Legacy, &deletion)
    }

    #[test]
    fn submission_has_four_members() {
        let batch = BatchSubmission {
            external_batch_id: "b-1",
            src_client_id: "6aff5cba-3aac-4fe0-b0cd-a52fc948d0c6",
            service_id: "SRC",
            enrollment_data: "a.b.c.d.e",
        };
        let request = Request::submission(&base(), Dialect::Legacy, &batch).unwrap();
        assert_eq!(
            request.url.as_str(),
            "https://api.test/src/api/digital/payments/cards/batch"
        );
        let body: serde_json::Value = serde_json::from_slice(&request.body.unwrap()).unwrap();
        assert_eq!(
            body,
            json!({"externalBatchId": "b-1", "srcClientId": "6aff5cba-3aac-4fe0-b0cd-a52fc948d0c6",
                "serviceId": "SRC", "enrollmentData": "a.b.c.d.e"})
        );
    }

    #[test]
    fn status_is_below_the_batches() {
        let request = Request::status(&base(), Dialect::Successor, "a#/b").unwrap();
        assert_eq!(
            request.url.as_str(),
            "https://api.test/src/api/digital/payments/cards/batch/a%23%2Fb"
        );
        assert_eq!(request.body, None);
    }

    /// Card id and service id are those of the sibling specification's example.
    #[test]
    fn deletion_encodes_its_query() {
        assert_eq!(
            deletion("n8TdCz6BQvSIj2C0yYPvZw000000000000US")
                .unwrap()
                .url
                .as_str(),
            "https://api.test/src/api/digital/payments/cards/n8TdCz6BQvSIj2C0yYPvZw000000000000US\
             ?srcClientId=6aff5cba-3aac-4fe0-b0cd-a52fc948d0c6&serviceId=SERVICE%23START%20COF%2BUPN2%2301\
             &srcCorrelationId=ff97ef9b-4b1e-40c2-b522-42197061dc5a&reason=OTHER&requestor=ISSUER"
        );
    }

    #[test]
    fn id_that_is_another_path_is_refused() {
        for id in ["", ".", "..", "/x", "a b", "\u{e4}"] {
            assert!(deletion(id).is_err(), "{id}");
            assert!(Request::status(&base(), Dialect::Legacy, id).is_err(), "{id}");
        }
    }
}

//! What MRS's answers say: the readers behind [`MrsClient`](super::MrsClient), for answers that came some other way.

use std::fmt;

use super::{
    CustomerAccount, Dialect, MrsError,
    soap::{COMMON, CUSTOMER, DIAGNOSTIC, boolean, payload},
};
use crate::{failure::Unknown, http::Answer, xml::Element};

/// What MRS gives for a card that it enrolled.
#[derive(Clone, PartialEq, Eq)]
pub struct EnrollResponse {
    /// The card's reference (RANAC): what it is cancelled by.
    pub reference_id: String,
    /// MRS's number of the customer, where it tells it.
    pub customer_id: Option<i64>,
}

/// The reference stays out of logs.
impl fmt::Debug for EnrollResponse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("EnrollResponse").finish_non_exhaustive()
    }
}

/// Reads the answer to `enroll`.
pub fn enrolled(answer: &Answer) -> Result<EnrollResponse, MrsError> {
    let answer = &payload(answer)?;
    expect(answer, CUSTOMER, &["enrollResponse"])?;
    let reference_id = text(answer, "referenceId")?.filter(|text| is_reference(text));
    Ok(EnrollResponse {
        reference_id: reference_id
            .ok_or_else(|| malformed("no usable referenceId"))?
            .to_owned(),
        customer_id: number(answer, "customerId")?,
    })
}

/// Reads the answer to `updateCustomerAccount`, which is good only where it says so.
///
/// The schema makes `success` an element of the common namespace; installations that flatten it write their own.
pub fn updated(answer: &Answer) -> Result<(), MrsError> {
    let answer = &payload(answer)?;
    expect(answer, CUSTOMER, &["updateCustomerAccountResponse"])?;
    let result = answer
        .child(CUSTOMER, "updateCustomerAccountResult")
        .map_err(malformed)?;
    let result = result.ok_or_else(|| malformed("no updateCustomerAccountResult"))?;
    let success = match result.child(COMMON, "success").map_err(malformed)? {
        Some(success) => Some(success),
        None => result.child(CUSTOMER, "success").map_err(malformed)?,
    };
    let success = success.map(Element::text).transpose().map_err(malformed)?;
    match success.and_then(boolean) {
        Some(true) => Ok(()),
        // Neither done nor refused by a code: only a look-up tells.
        Some(false) => Err(malformed("an update without success and without a code")),
        None => Err(malformed("no usable success")),
    }
}

/// Reads the answer to `getCustomerAccounts`.
///
/// It is called `CustomerAccounts` in the public schema, and after the operation by the usual convention.
pub fn accounts(dialect: Dialect, answer: &Answer) -> Result<Vec<CustomerAccount>, MrsError> {
    let answer = &payload(answer)?;
    expect(
        answer,
        CUSTOMER,
        &["getCustomerAccountsResponse", "CustomerAccounts"],
    )?;
    answer
        .children()
        .iter()
        .filter(|child| child.is(CUSTOMER, "customerAccount"))
        .map(|account| {
            Ok(CustomerAccount {
                reference_id: text(account, "referenceId")?
                    .filter(|text| is_reference(text))
                    .map(str::to_owned),
                status: dialect
                    .names()
                    .status(text(account, dialect.names().status_of_answer)?.unwrap_or_default()),
                last_four: text(account, "lastFourDigitsOfCard")?
                    .filter(|text| is_last_four(text))
                    .map(str::to_owned),
                account_id: number(account, "accountId")?,
                customer_id: number(account, "customerId")?,
                bank_product_code: text(account, "bankProductCode")?.map(str::to_owned),
                program_identifier: text(account, "programIdentifier")?.map(str::to_owned),
            })
        })
        .collect()
}

/// Reads the answer to `doEcho`.
pub fn echoed(answer: &Answer) -> Result<String, MrsError> {
    let answer = &payload(answer)?;
    expect(answer, DIAGNOSTIC, &["doEchoResponse"])?;
    answer.text().map(str::to_owned).map_err(malformed)
}

fn expect(answer: &Element, namespace: &str, names: &[&str]) -> Result<(), MrsError> {
    if names.iter().any(|name| answer.is(namespace, name)) {
        Ok(())
    } else {
        Err(malformed("the answer of another operation"))
    }
}

/// A child's text; `None` where there is no such child or it is empty.
fn text<'a>(parent: &'a Element, name: &str) -> Result<Option<&'a str>, MrsError> {
    let text = parent
        .child(CUSTOMER, name)
        .map_err(malformed)?
        .map(Element::text)
        .transpose()
        .map_err(malformed)?;
    Ok(text.filter(|text| !text.is_empty()))
}

fn number(parent: &Element, name: &str) -> Result<Option<i64>, MrsError> {
    text(parent, name)?
        .map(str::parse)
        .transpose()
        .map_err(|_| malformed("a number that is none"))
}

/// The schema says 30 characters, source document 001 shows 20 digits: neither is relied on.
fn is_reference(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_last_four(text: &str) -> bool {
    text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn malformed(problem: &'static str) -> MrsError {
    Unknown::Malformed(problem).into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        failure::NotSent,
        foreign::CorrelationId,
        http::header::{HeaderMap, HeaderName, HeaderValue},
        mrs::{AccountStatus, FaultCode},
    };

    const ENROLLED: &[u8] = include_bytes!("../../tests/fixtures/answer-enrolled.xml");
    const UPDATED: &[u8] = include_bytes!("../../tests/fixtures/answer-updated.xml");
    const ACCOUNTS: &[u8] = include_bytes!("../../tests/fixtures/answer-accounts.xml");
    const FAULT: &[u8] = include_bytes!("../../tests/fixtures/answer-fault.xml");

    fn answer(status: u16, body: &[u8]) -> Answer {
        Answer {
            status,
            headers: HeaderMap::new(),
            body: body.to_vec(),
        }
    }

    fn soap(body: &str) -> Vec<u8> {
        format!(
            "<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/' \
             xmlns:c='http://customer.ws.mcrewards.mastercard.com/' \
             xmlns:o='http://common.ws.mcrewards.mastercard.com/'><e:Body>{body}</e:Body></e:Envelope>"
        )
        .into_bytes()
    }

    fn error<T>(result: Result<T, MrsError>) -> MrsError {
        match result {
            Ok(_) => panic!("an answer that should be an error is none"),
            Err(error) => error,
        }
    }

    #[test]
    fn an_enrolment_gives_the_ranac() {
        let response = enrolled(&answer(200, ENROLLED)).unwrap();
        assert_eq!(response.reference_id, "036437826104764187330000000001");
        assert_eq!(response.customer_id, Some(4711));
        assert_eq!(format!("{response:?}"), "EnrollResponse { .. }");
    }

    #[test]
    fn a_reference_that_could_not_be_sent_back_is_none() {
        for reference in ["", "a b", "&#xe4;", &"1".repeat(65)] {
            let body = soap(&format!(
                "<c:enrollResponse><c:referenceId>{reference}</c:referenceId></c:enrollResponse>"
            ));
            let error = error(enrolled(&answer(200, &body)));
            assert!(
                matches!(
                    error,
                    MrsError::Unknown {
                        reason: Unknown::Malformed(_),
                        ..
                    }
                ),
                "{error}"
            );
        }
    }

    #[test]
    fn an_update_counts_only_when_it_says_success() {
        assert!(updated(&answer(200, UPDATED)).is_ok());
        let result = |inside: &str| {
            let body = format!(
                "<c:updateCustomerAccountResponse><c:updateCustomerAccountResult>{inside}\
                 </c:updateCustomerAccountResult></c:updateCustomerAccountResponse>"
            );
            updated(&answer(200, &soap(&body)))
        };
        assert!(result("<o:success>1</o:success>").is_ok());
        assert!(result("<c:success>true</c:success>").is_ok());
        for inside in [
            "",
            "<c:success/>",
            "<c:success>false</c:success>",
            "<c:success>yes</c:success>",
            "<success>true</success>",
        ] {
            assert!(error(result(inside)).leaves_outcome_open(), "{inside}");
        }
    }

    #[test]
    fn accounts_are_read_by_the_status_of_their_dialect() {
        let read = |dialect| accounts(dialect, &answer(200, ACCOUNTS)).unwrap();
        let document = read(Dialect::Document);
        assert_eq!(document.len(), 2);
        assert_eq!(document[0].status, AccountStatus::Cancelled);
        assert_eq!(document[1].status, AccountStatus::New);
        assert_eq!(
            document[1].reference_id.as_deref(),
            Some("036437826104764187330000000002")
        );
        assert_eq!(document[1].last_four.as_deref(), Some("0123"));
        assert_eq!(document[1].program_identifier.as_deref(), Some("10765"));
        assert_eq!(document[0].last_four, None, "a whole number is no last four");
        let wsdl = read(Dialect::Wsdl);
        assert_eq!(wsdl[0].status, AccountStatus::Cancelled);
        assert_eq!(wsdl[1].status, AccountStatus::GoodStanding);
        assert!(!format!("{document:?}").contains("0123"));
    }

    #[test]
    fn an_answer_without_accounts_is_an_empty_list() {
        for name in ["getCustomerAccountsResponse", "CustomerAccounts"] {
            let body = soap(&format!("<c:{name}/>"));
            assert_eq!(accounts(Dialect::Wsdl, &answer(200, &body)), Ok(Vec::new()));
        }
    }

    #[test]
    fn a_fault_is_read_whatever_the_http_status() {
        for status in [200, 400, 500] {
            let MrsError::Fault(fault) = error(payload(&answer(status, FAULT))) else {
                panic!("no fault")
            };
            assert_eq!(fault.code, FaultCode::BankAccountNumberAlreadyEnrolled);
            let text = fault.text.expose();
            assert!(
                text.contains("description: Bank Account Number Already Enrolled: 5234001234567890\n"),
                "{text}"
            );
            assert!(!format!("{fault:?} {fault}").contains("Already Enrolled"));
            assert_eq!(fault.recoverable, Some(false));
        }
    }

    #[test]
    fn a_fault_without_a_code_of_mrs_decides_nothing() {
        for detail in [
            "",
            "<detail/>",
            "<detail><o:ErrorResp><o:code>x</o:code></o:ErrorResp></detail>",
            "<detail>text</detail>",
        ] {
            let body = soap(&format!(
                "<e:Fault><faultcode>e:Server</faultcode><faultstring>no</faultstring>{detail}</e:Fault>"
            ));
            let error = error(payload(&answer(500, &body)));
            assert!(
                matches!(
                    &error,
                    MrsError::Unknown {
                        reason: Unknown::FaultWithoutCode(_),
                        ..
                    }
                ),
                "{error}"
            );
            let text = error.foreign_text().unwrap().expose();
            assert!(text.starts_with("faultcode: e:Server\nfaultstring: no"), "{text}");
        }
    }

    #[test]
    fn an_error_status_without_a_fault_decides_nothing() {
        assert_eq!(
            error(payload(&answer(500, ENROLLED))),
            Unknown::Status(500).into()
        );
        assert_eq!(
            error(payload(&answer(502, b"<html>Bad gateway</html>"))),
            Unknown::Status(502).into()
        );
        assert_eq!(error(payload(&answer(302, b""))), Unknown::Status(302).into());
        assert_eq!(
            error(payload(&answer(200, b""))),
            Unknown::Malformed("no root element").into()
        );
        assert_eq!(
            error(payload(&answer(200, b"<a/>"))),
            Unknown::Malformed("not a SOAP 1.1 envelope").into()
        );
        let other = enrolled(&answer(200, UPDATED));
        assert_eq!(
            error(other),
            Unknown::Malformed("the answer of another operation").into()
        );
    }

    #[test]
    fn the_gateways_refusals_never_reached_mrs() {
        for (status, body, class) in [
            (
                401,
                include_bytes!("../../tests/fixtures/gateway-flat.json").as_slice(),
                "invalid_client_cert",
            ),
            (
                401,
                include_bytes!("../../tests/fixtures/gateway-list.json").as_slice(),
                "authentication_failed",
            ),
            (
                400,
                include_bytes!("../../tests/fixtures/gateway-wrapped.json").as_slice(),
                "invalid_body_hash",
            ),
        ] {
            let error = error(payload(&answer(status, body)));
            assert!(
                matches!(
                    error,
                    MrsError::NotSent {
                        reason: NotSent::Gateway(_),
                        ..
                    }
                ),
                "{error}"
            );
            assert_eq!(error.class(), class);
        }
        let page =
            b"<html>\r\n<head><title>400 No required SSL certificate was sent</title></head>\r\n<hr></html>";
        assert_eq!(
            error(payload(&answer(400, page))),
            NotSent::NoClientCertificate.into()
        );
        assert_eq!(
            error(payload(&answer(200, page))),
            Unknown::Malformed("not well-formed").into()
        );
    }

    #[test]
    fn an_error_has_the_id_of_its_call() {
        let id = "624deea6-b709-470c-8c39-4b5511281492";
        for (body, name, value) in [
            (FAULT, "X-Correlation-ID", id),
            (b"<html/>", "x-mc-correlation-id", id),
            (b"<html/>", "X-Vcap-Request-Id", id),
            (
                include_bytes!("../../tests/fixtures/gateway-flat.json"),
                "X-Src-Cx-Flow-Id",
                id,
            ),
            (FAULT, "X-Correlation-ID", "card 5234001234567890"),
            (FAULT, "X-Unheard-Of", id),
        ] {
            let mut answer = answer(500, body);
            answer.headers.insert(
                HeaderName::try_from(name).unwrap(),
                HeaderValue::from_static(value),
            );
            let error = error(payload(&answer));
            let expected = (value == id && name != "X-Unheard-Of").then_some(id);
            assert_eq!(error.correlation().map(CorrelationId::as_str), expected, "{name}");
        }
    }

    #[test]
    fn another_error_of_the_gateway_decides_nothing() {
        let body = br#"{"Errors":{"Error":[{"Source":"Gateway","ReasonCode":"TIMEOUT","Description":"late","Recoverable":true}]}}"#;
        let error = error(payload(&answer(504, body)));
        assert!(
            matches!(&error, MrsError::Unknown { reason: Unknown::Gateway(error), .. } if error.recoverable),
            "{error}"
        );
    }

    /// Reads bytes as every operation would; the result does not matter, only that there is one.
    fn read_all_ways(status: u16, body: &[u8]) -> bool {
        [
            enrolled(&answer(status, body)).is_ok(),
            updated(&answer(status, body)).is_ok(),
            accounts(Dialect::Document, &answer(status, body)).is_ok(),
            accounts(Dialect::Wsdl, &answer(status, body)).is_ok(),
            echoed(&answer(status, body)).is_ok(),
        ]
        .contains(&true)
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(status in 100u16..600, body in proptest::collection::vec(any::<u8>(), 0..256)) {
            prop_assert!(!read_all_ways(status, &body));
        }

        #[test]
        fn no_damage_to_a_good_answer_makes_it_panic(
            original in prop::sample::select(vec![ENROLLED, UPDATED, ACCOUNTS, FAULT]),
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
            cut in any::<Option<prop::sample::Index>>(),
        ) {
            let mut body = original.to_vec();
            for (at, byte) in changes {
                let at = at.index(body.len());
                body[at] = byte;
            }
            if let Some(cut) = cut {
                body.truncate(cut.index(body.len()));
                prop_assert!(!read_all_ways(200, &body) || body.ends_with(b">"));
            }
            read_all_ways(200, &body);
        }
    }
}

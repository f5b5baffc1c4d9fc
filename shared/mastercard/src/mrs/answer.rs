//! Parsers of MRS's answers, as [`MrsClient`](super::MrsClient) uses them. They also serve answers that arrived in
//! another way.

use std::fmt;

use super::{
    CustomerAccount, Dialect, MrsError,
    soap::{CUSTOMER, DIAGNOSTIC, MEMBERS, boolean, payload},
};
use crate::{failure::Unknown, http::Answer, xml::Element};

/// Namespaces of an answer's own element.
const SERVICE: [&str; 2] = [CUSTOMER, ""];

/// Members that identify an element as an account.
const ACCOUNT_MEMBERS: [&str; 8] = [
    "referenceId",
    "accountStatusId",
    "accountStatusDesc",
    "lastFourDigitsOfCard",
    "accountId",
    "customerId",
    "bankProductCode",
    "programIdentifier",
];

/// Answer to `enroll`.
#[derive(Clone, PartialEq, Eq)]
pub struct EnrollResponse {
    /// Reference of the card (RANAC). It is needed to cancel the card.
    pub reference_id: String,
    /// Number of the customer at MRS, if MRS sends it.
    pub customer_id: Option<i64>,
}

/// Omits the reference, which must not be logged.
impl fmt::Debug for EnrollResponse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("EnrollResponse").finish_non_exhaustive()
    }
}

/// Parses the answer to `enroll`.
pub fn enrolled(answer: &Answer) -> Result<EnrollResponse, MrsError> {
    let answer = &payload(answer)?;
    expect(answer, &SERVICE, &["enrollResponse"])?;
    let members = with_member(answer, "referenceId")?;
    let reference_id = text(members, "referenceId")?.filter(|text| is_reference(text));
    Ok(EnrollResponse {
        reference_id: reference_id
            .ok_or_else(|| malformed("no usable referenceId"))?
            .to_owned(),
        customer_id: number(members, "customerId")?,
    })
}

/// Parses the answer to `updateCustomerAccount`. It is a success only with one `success` that is true, at any depth.
///
/// The schema puts `success` into the common namespace. Installations that flatten it use their own namespace, or none.
pub fn updated(answer: &Answer) -> Result<(), MrsError> {
    let answer = &payload(answer)?;
    expect(answer, &SERVICE, &["updateCustomerAccountResponse"])?;
    let success = answer.descendant(&MEMBERS, "success").map_err(malformed)?;
    let success = success.map(Element::text).transpose().map_err(malformed)?;
    match success.and_then(boolean) {
        Some(true) => Ok(()),
        // Neither done nor refused by a code: only a look-up tells.
        Some(false) => Err(malformed("an update without success and without a code")),
        None => Err(malformed("no usable success")),
    }
}

/// Parses the answer to `getCustomerAccounts`.
///
/// The public schema calls it `CustomerAccounts`; the usual convention is the operation's name. Only an empty answer is
/// an empty list, since absence has to be stated. Any other content in place of accounts is an error, except for one
/// element around all accounts.
pub fn accounts(dialect: Dialect, answer: &Answer) -> Result<Vec<CustomerAccount>, MrsError> {
    let answer = &payload(answer)?;
    expect(
        answer,
        &SERVICE,
        &["getCustomerAccountsResponse", "CustomerAccounts"],
    )?;
    let list = match answer.children() {
        [wrapper] if !is_account(wrapper) && wrapper.children().iter().any(is_account) => wrapper,
        _ => answer,
    };
    let surrounds_text = answer.has_text() || list.has_text();
    if surrounds_text || list.is_nil() || !list.children().iter().all(is_account) {
        return Err(malformed("something else than accounts in a list of accounts"));
    }
    list.children()
        .iter()
        .map(|item| account(dialect, item))
        .collect()
}

/// Parses the answer to `doEcho`.
pub fn echoed(answer: &Answer) -> Result<String, MrsError> {
    let answer = &payload(answer)?;
    expect(answer, &[DIAGNOSTIC, ""], &["doEchoResponse"])?;
    answer.text().map(str::to_owned).map_err(malformed)
}

fn is_account(element: &Element) -> bool {
    element.is_in(&MEMBERS, "customerAccount")
}

fn account(dialect: Dialect, account: &Element) -> Result<CustomerAccount, MrsError> {
    let names = dialect.names();
    let known = |child: &Element| ACCOUNT_MEMBERS.iter().any(|name| child.is_in(&MEMBERS, name));
    if account.is_nil() || account.has_text() || !account.children().iter().any(known) {
        return Err(malformed("an account without a member that is known"));
    }
    Ok(CustomerAccount {
        reference_id: text(account, "referenceId")?
            .filter(|text| is_reference(text))
            .map(str::to_owned),
        status: names.status(text(account, names.status_of_answer)?.unwrap_or_default()),
        last_four: text(account, "lastFourDigitsOfCard")?
            .filter(|text| is_last_four(text))
            .map(str::to_owned),
        account_id: number(account, "accountId")?,
        customer_id: number(account, "customerId")?,
        bank_product_code: text(account, "bankProductCode")?.map(str::to_owned),
        program_identifier: text(account, "programIdentifier")?.map(str::to_owned),
    })
}

/// Returns the element that has the member: the answer, or its only child.
fn with_member<'a>(answer: &'a Element, name: &str) -> Result<&'a Element, MrsError> {
    let has = |element: &Element| element.child(&MEMBERS, name).map(|child| child.is_some());
    match answer.children() {
        [wrapper] if !has(answer).map_err(malformed)? && has(wrapper).map_err(malformed)? => Ok(wrapper),
        _ => Ok(answer),
    }
}

fn expect(answer: &Element, namespaces: &[&str], names: &[&str]) -> Result<(), MrsError> {
    if answer.is_nil() {
        Err(malformed("an answer without value"))
    } else if names.iter().any(|name| answer.is_in(namespaces, name)) {
        Ok(())
    } else {
        Err(malformed("the answer of another operation"))
    }
}

/// Returns a child's text, or `None` without such a child or if it is empty.
fn text<'a>(parent: &'a Element, name: &str) -> Result<Option<&'a str>, MrsError> {
    let text = parent
        .child(&MEMBERS, name)
        .map_err(malformed)?
        .map(Element::text)
        .transpose()
        .map_err(malformed)?;
    Ok(text.filter(|text| !text.is_empty()))
}

/// Parses a number. Anything else is `None`, since no decision depends on it.
fn number(parent: &Element, name: &str) -> Result<Option<i64>, MrsError> {
    Ok(text(parent, name)?.and_then(|text| text.parse().ok()))
}

/// Whether a text can be a reference. The schema says 30 characters, the widget document (`docs/sources.md#widget`)
/// shows 20 digits; this check relies on neither.
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
        mrs::soap::ENVELOPES,
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
    fn enrollment_returns_the_ranac() {
        let response = enrolled(&answer(200, ENROLLED)).unwrap();
        assert_eq!(response.reference_id, "036437826104764187330000000001");
        assert_eq!(response.customer_id, Some(4711));
        assert_eq!(format!("{response:?}"), "EnrollResponse { .. }");
    }

    #[test]
    fn invalid_reference_is_none() {
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
    fn update_counts_only_with_success() {
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
        assert!(result("<success> true </success>").is_ok());
        for inside in [
            "",
            "<c:success/>",
            "<c:success>false</c:success>",
            "<c:success>yes</c:success>",
            "<c:success>true</c:success><c:success>true</c:success>",
            "<c:success>true</c:success><o:more><success>false</success></o:more>",
            "<x:success xmlns:x='urn:x'>true</x:success>",
            "<c:success x:nil='true' xmlns:x='http://www.w3.org/2001/XMLSchema-instance'>true</c:success>",
        ] {
            assert!(error(result(inside)).leaves_outcome_open(), "{inside}");
        }
    }

    #[test]
    fn account_status_follows_the_dialect() {
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
    fn answer_without_accounts_is_an_empty_list() {
        for name in ["getCustomerAccountsResponse", "CustomerAccounts"] {
            let body = soap(&format!("<c:{name}/>"));
            assert_eq!(accounts(Dialect::Wsdl, &answer(200, &body)), Ok(Vec::new()));
        }
    }

    /// Shapes in which SOAP stacks write the same fault; `S` is the prefix of the envelope's namespace.
    const FAULTS: [&str; 10] = [
        "<S:Fault><faultcode>S:Server</faultcode><faultstring>no</faultstring><detail>#o:</detail></S:Fault>",
        "<S:Fault><S:faultcode>S:Server</S:faultcode><S:faultstring>no</S:faultstring><S:detail>#o:</S:detail></S:Fault>",
        "<S:Fault><faultcode/><faultstring/><faultactor/><detail>#c:</detail></S:Fault>",
        "<S:Fault><faultcode/><faultstring/><detail>#</detail></S:Fault>",
        "<S:Fault><faultcode/><faultstring/><detail xmlns:x='urn:x'>#x:</detail></S:Fault>",
        "<Fault><faultcode/><faultstring/><detail>#o:</detail></Fault>",
        "<S:Fault><S:Code><S:Value>S:Receiver</S:Value><S:Subcode><S:Value>o:x</S:Value></S:Subcode></S:Code>\
         <S:Reason><S:Text xml:lang='en'>no</S:Text></S:Reason><S:Detail>#o:</S:Detail></S:Fault>",
        "<S:Fault><detail><x:MRSFault xmlns:x='urn:x'><bean>#o:</bean></x:MRSFault><trace>at x</trace></detail></S:Fault>",
        "<S:Fault>#c:</S:Fault>",
        "<S:Fault><!-- c --><faultstring><![CDATA[<no>]]></faultstring><detail>#o:</detail></S:Fault>",
    ];

    const HEADER: &str = "<S:Header><w:Security xmlns:w='urn:wsse' S:mustUnderstand='1'><Body/></w:Security>\
                          <o:ErrorResp><o:code>-1</o:code></o:ErrorResp></S:Header>";

    fn error_response(prefix: &str) -> String {
        let xsi = "xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:type='xs:int'";
        format!(
            "<{prefix}ErrorResp><{prefix}code {xsi}> -45 </{prefix}code><{prefix}description>Erika</{prefix}description>\
             <{prefix}recoverable>false</{prefix}recoverable><{prefix}AdditionalDetails><{prefix}code>-1</{prefix}code>\
             </{prefix}AdditionalDetails></{prefix}ErrorResp>"
        )
    }

    fn envelope(namespace: &str, header: &str, body: &str) -> Vec<u8> {
        format!(
            "<S:Envelope xmlns:S='{namespace}' xmlns:c='{CUSTOMER}' \
             xmlns:o='http://common.ws.mcrewards.mastercard.com/'>{header}<S:Body>{body}</S:Body></S:Envelope>"
        )
        .into_bytes()
    }

    #[test]
    fn fault_keeps_its_code_in_every_shape() {
        for namespace in ENVELOPES {
            for (shape, header) in FAULTS.iter().zip(["", HEADER].into_iter().cycle()) {
                let (before, rest) = shape.split_once('#').unwrap();
                let (prefix, after) = rest.split_at(rest.find('<').unwrap());
                let body = format!("{before}{}{after}", error_response(prefix));
                for status in [200, 400, 500] {
                    let answer = answer(status, &envelope(namespace, header, &body));
                    let MrsError::Fault(fault) = error(enrolled(&answer)) else {
                        panic!("{namespace} {body}")
                    };
                    assert_eq!(fault.code, FaultCode::BankAccountNumberAlreadyEnrolled);
                    assert_eq!(fault.recoverable, Some(false));
                    assert!(fault.text.expose().contains("description: Erika\n"));
                }
            }
        }
    }

    #[test]
    fn repeated_or_missing_code_is_none() {
        let good = error_response("o:");
        for details in [
            format!("{good}{good}"),
            format!("<a>{good}</a>{}", error_response("c:")),
            good.replace(
                "<o:AdditionalDetails>",
                "<o:code>-45</o:code><o:AdditionalDetails>",
            ),
            good.replace("-45", "<b>-45</b>"),
            good.replace("-45", "-45 Bank Account Number"),
            good.replace("-45", "52340012"),
            good.replace("-45", "\u{2212}45"),
            good.replace("<o:code ", "<o:code i:nil='1' "),
            good.replace("o:ErrorResp", "o:Response"),
            "<o:code>-45</o:code>".to_owned(),
            "-45".to_owned(),
        ] {
            for namespace in ENVELOPES {
                let fault = format!(
                    "<S:Fault><faultcode>S:Server.-45</faultcode><faultstring>-45</faultstring><detail>{details}</detail></S:Fault>"
                );
                let error = error(enrolled(&answer(500, &envelope(namespace, "", &fault))));
                assert!(
                    matches!(
                        error,
                        MrsError::Unknown {
                            reason: Unknown::FaultWithoutCode(_),
                            ..
                        }
                    ),
                    "{details}: {error}"
                );
                assert!(error.leaves_outcome_open());
            }
        }
    }

    #[test]
    fn success_is_read_in_every_shape() {
        for namespace in ENVELOPES {
            for response in [
                "<c:enrollResponse><c:referenceId>R1</c:referenceId><c:customerId>7</c:customerId></c:enrollResponse>",
                "<enrollResponse><referenceId>R1</referenceId><customerId>7</customerId></enrollResponse>",
                "<c:enrollResponse><return><c:customerId>7</c:customerId><referenceId>R1</referenceId></return></c:enrollResponse>",
                "<c:enrollResponse><c:new>x</c:new><c:referenceId><![CDATA[R1]]></c:referenceId><c:customerId>7</c:customerId></c:enrollResponse>",
            ] {
                let good = answer(200, &envelope(namespace, HEADER, response));
                let enrolled = enrolled(&good).unwrap_or_else(|error| panic!("{response}: {error}"));
                assert_eq!(
                    (enrolled.reference_id.as_str(), enrolled.customer_id),
                    ("R1", Some(7))
                );
            }
        }
    }

    #[test]
    fn envelope_has_one_header_and_one_body() {
        let good = "<c:enrollResponse><c:referenceId>R1</c:referenceId></c:enrollResponse>";
        for (document, problem) in [
            (envelope("urn:x", "", good), "not a SOAP envelope"),
            (envelope(ENVELOPES[0], "x", good), "text in the envelope"),
            (
                envelope(ENVELOPES[0], "<Header/>", good),
                "an envelope without a body",
            ),
            (
                envelope(ENVELOPES[0], "<S:Header/><S:Header/>", good),
                "an envelope without a body",
            ),
            (
                envelope(ENVELOPES[0], "<S:Body/>", good),
                "an element after the SOAP body",
            ),
            (envelope(ENVELOPES[0], "", ""), "an empty SOAP body"),
            (envelope(ENVELOPES[0], "", "x"), "text in the SOAP body"),
            (
                envelope(ENVELOPES[0], "", &good.repeat(2)),
                "more than one element in the SOAP body",
            ),
            (envelope(ENVELOPES[0], "", "<?x?>"), "a processing instruction"),
            (
                soap("<c:enrollResponse xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:nil='true'/>"),
                "an answer without value",
            ),
        ] {
            assert_eq!(
                error(enrolled(&answer(200, &document))),
                Unknown::Malformed(problem).into()
            );
        }
    }

    const MEMBERS_OF_ONE: &str =
        "<c:referenceId>R1</c:referenceId><c:accountStatusDesc>NEW</c:accountStatusDesc>";

    fn look_up(inside: &str) -> Result<Vec<CustomerAccount>, MrsError> {
        let body = soap(&format!(
            "<c:getCustomerAccountsResponse>{inside}</c:getCustomerAccountsResponse>"
        ));
        accounts(Dialect::Document, &answer(200, &body))
    }

    #[test]
    fn accounts_are_read_in_every_shape() {
        let qualified = format!("<c:customerAccount>{MEMBERS_OF_ONE}</c:customerAccount>");
        let bare = qualified.replace("c:", "");
        for inside in [
            &qualified,
            &bare,
            &qualified.replace("c:customerAccount", "customerAccount"),
            &format!("<c:customerAccounts>{qualified}</c:customerAccounts>"),
            &format!("<return>{bare}</return>"),
            &format!("<!-- one --><x:list xmlns:x='urn:x'>{qualified}</x:list>"),
        ] {
            let read = look_up(inside).unwrap_or_else(|error| panic!("{inside}: {error}"));
            assert_eq!(read.len(), 1, "{inside}");
            assert_eq!(read[0].reference_id.as_deref(), Some("R1"));
            assert_eq!(read[0].status, AccountStatus::New);
            assert_eq!((read[0].last_four.as_ref(), read[0].customer_id), (None, None));
        }
        assert_eq!(
            look_up(&format!("<return>{bare}{qualified}</return>"))
                .unwrap()
                .len(),
            2
        );
    }

    #[test]
    fn unreadable_answer_is_never_an_empty_list() {
        let account = format!("<c:customerAccount>{MEMBERS_OF_ONE}</c:customerAccount>");
        let nil = "xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:nil='true'";
        for inside in [
            "none".to_owned(),
            "<c:customerAccounts/>".to_owned(),
            "<return/>".to_owned(),
            "<c:account><c:referenceId>R1</c:referenceId></c:account>".to_owned(),
            "<c:message>no accounts</c:message>".to_owned(),
            "<c:customerAccount/>".to_owned(),
            format!("<c:customerAccount {nil}/>"),
            format!("<return {nil}>{account}</return>"),
            "<c:customerAccount href='#id1'/>".to_owned(),
            "<c:customerAccount><c:other>R1</c:other></c:customerAccount>".to_owned(),
            account
                .replace("c:customerAccount", "x:customerAccount")
                .replacen("<x:customerAccount", "<x:customerAccount xmlns:x='urn:x'", 1),
            format!("{account}<c:moreAvailable>true</c:moreAvailable>"),
            format!("{account}and more"),
            format!("<return>{account}<c:count>2</c:count></return>"),
            format!("<return>{account}</return><return/>"),
            format!("<return>{account}</return>{account}"),
            format!("<a><b>{account}</b></a>"),
            account.replace(
                "</c:referenceId>",
                "</c:referenceId><c:referenceId>R2</c:referenceId>",
            ),
        ] {
            let error = error(look_up(&inside));
            assert!(
                matches!(
                    error,
                    MrsError::Unknown {
                        reason: Unknown::Malformed(_),
                        ..
                    }
                ),
                "{inside}: {error}"
            );
        }
        let nil = soap(&format!("<c:getCustomerAccountsResponse {nil}/>"));
        assert!(error(accounts(Dialect::Document, &answer(200, &nil))).leaves_outcome_open());
        for status in [206, 304, 404, 500] {
            let empty = soap("<c:getCustomerAccountsResponse/>");
            let error = error(accounts(Dialect::Document, &answer(status, &empty)));
            assert_eq!(error, Unknown::Status(status).into());
        }
    }

    #[test]
    fn truncated_list_is_not_a_shorter_list() {
        for end in 1..ACCOUNTS.len() {
            let cut = accounts(Dialect::Document, &answer(200, &ACCOUNTS[..end]));
            assert!(cut.is_err() || ACCOUNTS[end..].trim_ascii().is_empty(), "{end}");
        }
    }

    #[test]
    fn missing_status_or_member_is_unknown() {
        let account = "<c:customerAccount><c:referenceId>R1</c:referenceId>#</c:customerAccount>";
        for status in [
            "",
            "<c:accountStatusDesc/>",
            "<c:accountStatusDesc>Canceled?</c:accountStatusDesc>",
            "<x:accountStatusDesc xmlns:x='urn:x'>CANCELLED</x:accountStatusDesc>",
        ] {
            let accounts = look_up(&account.replace('#', status)).unwrap();
            assert_eq!(accounts[0].status, AccountStatus::Other, "{status}");
        }
    }

    fn with_headers(headers: &[(&'static str, &str)], body: Vec<u8>) -> Answer {
        let headers = headers.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_str(value).unwrap(),
            )
        });
        Answer {
            status: 200,
            headers: headers.collect(),
            body,
        }
    }

    #[test]
    fn answer_is_read_in_each_encoding() {
        let text = String::from_utf8(soap("<c:enrollResponse><c:referenceId>R1</c:referenceId><c:who>J\u{fc}rgen</c:who></c:enrollResponse>")).unwrap();
        let latin: Vec<u8> = text
            .chars()
            .map(|character| u8::try_from(u32::from(character)).unwrap())
            .collect();
        let declared = |name: &str, body: &[u8]| {
            [
                format!("<?xml version='1.0' encoding='{name}'?>").as_bytes(),
                body,
            ]
            .concat()
        };
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let types = |value| [("content-type", value)];
        for (headers, body) in [
            (types("text/xml"), text.clone().into_bytes()),
            (
                types("text/xml; charset=utf-8"),
                [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            ),
            (types("text/xml"), declared("UTF8", text.as_bytes())),
            (types("text/xml"), declared("iso-8859-1", &latin)),
            (types("text/xml"), declared("windows-1252", &latin)),
            (types("text/xml; charset=ISO-8859-1"), latin.clone()),
            (
                types("application/soap+xml; charset=\"utf-16\""),
                [b"\xff\xfe", &wide[..]].concat(),
            ),
            (types("text/xml; charset=utf-16le"), wide),
        ] {
            let answer = with_headers(&headers, body);
            assert_eq!(
                enrolled(&answer).map(|enrolled| enrolled.reference_id),
                Ok("R1".to_owned()),
                "{headers:?}"
            );
        }
        assert!(error(enrolled(&with_headers(&types("text/xml"), latin))).leaves_outcome_open());
        let unknown = declared("ibm-037", text.as_bytes());
        assert!(error(enrolled(&with_headers(&types("text/xml"), unknown))).leaves_outcome_open());
    }

    #[test]
    fn message_of_one_mime_part_is_read() {
        let headers = [(
            "content-type",
            "multipart/related; type=\"application/xop+xml\"; boundary=\"b:1\"; start=\"<r>\"",
        )];
        let message = |rest: &str| {
            [
                b"--b:1\r\nContent-Type: application/xop+xml;\r\n charset=UTF-8\r\nContent-ID: <r>\r\n\r\n",
                &soap("<c:enrollResponse><c:referenceId>R1</c:referenceId></c:enrollResponse>")[..],
                rest.as_bytes(),
            ]
            .concat()
        };
        assert!(enrolled(&with_headers(&headers, message("\r\n--b:1--"))).is_ok());
        for rest in ["", "\r\n--b:1\r\n\r\nmore\r\n--b:1--"] {
            assert!(error(enrolled(&with_headers(&headers, message(rest)))).leaves_outcome_open());
        }
    }

    #[test]
    fn answer_without_envelope_is_unknown() {
        for (status, body) in [
            (200, &b"<!DOCTYPE html><html><body>Maintenance</body></html>"[..]),
            (202, b""),
            (204, b""),
            (200, b"{}"),
            (200, b"OK"),
        ] {
            let error = error(accounts(Dialect::Document, &answer(status, body)));
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
    fn fault_is_read_with_any_http_status() {
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
    fn fault_without_mrs_code_is_unknown() {
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
    fn error_status_without_fault_is_unknown() {
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
            Unknown::Malformed("not a SOAP envelope").into()
        );
        let other = enrolled(&answer(200, UPDATED));
        assert_eq!(
            error(other),
            Unknown::Malformed("the answer of another operation").into()
        );
    }

    #[test]
    fn gateway_refusal_was_not_sent() {
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
    fn error_has_the_id_of_its_call() {
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
    fn other_gateway_error_is_unknown() {
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
        fn arbitrary_answers_do_not_panic(status in 100u16..600, body in proptest::collection::vec(any::<u8>(), 0..256)) {
            prop_assert!(!read_all_ways(status, &body));
        }

        #[test]
        fn damaged_answers_do_not_panic(
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

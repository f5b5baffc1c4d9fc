use super::{Fault, FaultCode, MrsError};
use crate::{
    failure::{NotSent, Unknown},
    foreign::ForeignText,
    gateway,
    http::Answer,
    xml::{self, Element, Writer},
};

/// Namespace of SOAP 1.1, the version of requests.
const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";
/// Namespaces of the versions of answers: SOAP 1.1 and 1.2.
pub(super) const ENVELOPES: [&str; 2] = [ENVELOPE, "http://www.w3.org/2003/05/soap-envelope"];
pub(super) const CUSTOMER: &str = "http://customer.ws.mcrewards.mastercard.com/";
pub(super) const COMMON: &str = "http://common.ws.mcrewards.mastercard.com/";
pub(super) const DIAGNOSTIC: &str = "http://diagnostic.ws.mcrewards.mastercard.com/";

/// Namespaces of an answer's members. A stack that leaves its elements unqualified uses none.
pub(super) const MEMBERS: [&str; 3] = [CUSTOMER, COMMON, ""];

/// Range of codes. Those of MRS have up to four digits; a number with more than five could be one about a customer.
const CODES: std::ops::RangeInclusive<i32> = -99_999..=99_999;

/// Operations of the services.
#[derive(Debug, Clone, Copy)]
pub(super) enum Operation {
    Enroll,
    UpdateCustomerAccount,
    GetCustomerAccounts,
    DoEcho,
}

/// Header of an operation.
pub(super) struct Identity<'a> {
    pub(super) app_id: &'a str,
    pub(super) institution_name: &'a str,
}

impl Operation {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Enroll => "enroll",
            Self::UpdateCustomerAccount => "updateCustomerAccount",
            Self::GetCustomerAccounts => "getCustomerAccounts",
            Self::DoEcho => "doEcho",
        }
    }

    /// Value of the header `SOAPAction`, with the quotes that SOAP 1.1 §6.1.1 requires.
    pub(super) fn soap_action(self) -> &'static str {
        match self {
            Self::Enroll => "\"http://customer.ws.mcrewards.mastercard.com/enroll\"",
            Self::UpdateCustomerAccount => {
                "\"http://customer.ws.mcrewards.mastercard.com/updateCustomerAccount\""
            }
            Self::GetCustomerAccounts => {
                "\"http://customer.ws.mcrewards.mastercard.com/getCustomerAccounts\""
            }
            Self::DoEcho => "\"http://diagnostic.ws.mcrewards.mastercard.com/doEcho\"",
        }
    }
}

/// Writes a request.
pub(super) fn envelope(
    operation: Operation,
    identity: &Identity<'_>,
    body: impl FnOnce(&mut Writer),
) -> String {
    let service = match operation {
        Operation::DoEcho => ("xmlns:diag", DIAGNOSTIC),
        _ => ("xmlns:cus", CUSTOMER),
    };
    let namespaces = [("xmlns:soapenv", ENVELOPE), ("xmlns:common", COMMON), service];
    let mut envelope = Writer::document("soapenv:Envelope", &namespaces);
    envelope.element("soapenv:Header", |header| {
        header.element("common:identity", |writer| {
            writer.text("common:appID", identity.app_id);
            writer.text("common:institutionName", identity.institution_name);
        });
    });
    envelope.element("soapenv:Body", body);
    envelope.finish()
}

/// Returns the only element of an answer's SOAP body, or the fault or error that came instead.
pub(super) fn payload(answer: &Answer) -> Result<Element, MrsError> {
    read_payload(answer).map_err(|error| error.of_call(answer.correlation()))
}

fn read_payload(answer: &Answer) -> Result<Element, MrsError> {
    let content = match answer.content() {
        Ok(content) => content,
        Err(problem) => return Err(unreadable(answer.status, problem)),
    };
    match read(answer, &content) {
        Ok(payload) if payload.is_in(&[ENVELOPES[0], ENVELOPES[1], ""], "Fault") => Err(fault(&payload)),
        Ok(payload) if is_success(answer.status) => Ok(payload),
        Ok(_) => Err(Unknown::Status(answer.status).into()),
        Err(problem) => Err(no_soap(answer.status, &content, problem)),
    }
}

/// Parses an envelope: an optional header, whose blocks are ignored, and a body with one element.
fn read(answer: &Answer, content: &[u8]) -> Result<Element, &'static str> {
    let document = answer.document(content)?;
    let text = xml::decode(document.bytes, document.charset.as_deref())?;
    let root = xml::parse(&text)?;
    let version = ENVELOPES
        .into_iter()
        .find(|version| root.is(version, "Envelope"))
        .ok_or("not a SOAP envelope")?;
    if root.has_text() {
        return Err("text in the envelope");
    }
    let mut parts = root.into_children().into_iter().peekable();
    parts.next_if(|part| part.is(version, "Header"));
    let body = parts
        .next()
        .filter(|part| part.is(version, "Body"))
        .ok_or("an envelope without a body")?;
    if parts.next().is_some() {
        return Err("an element after the SOAP body");
    }
    if body.has_text() {
        return Err("text in the SOAP body");
    }
    let mut elements = body.into_children().into_iter();
    let payload = elements.next().ok_or("an empty SOAP body")?;
    if elements.next().is_some() {
        Err("more than one element in the SOAP body")
    } else {
        Ok(payload)
    }
}

/// Classifies an answer that is not SOAP. It comes from a system in front of MRS.
fn no_soap(status: u16, content: &[u8], problem: &'static str) -> MrsError {
    if let Some(errors) = gateway::parse(content) {
        let refusal = errors.iter().find(|error| error.reason.refuses_the_caller());
        return match (refusal, errors.first()) {
            (Some(refusal), _) => NotSent::Gateway(refusal.clone()).into(),
            (None, Some(error)) => Unknown::Gateway(error.clone()).into(),
            (None, None) => Unknown::Malformed(problem).into(),
        };
    }
    if status == 400 && gateway::says_no_client_certificate(content) {
        return NotSent::NoClientCertificate.into();
    }
    unreadable(status, problem)
}

fn unreadable(status: u16, problem: &'static str) -> MrsError {
    if is_success(status) {
        Unknown::Malformed(problem).into()
    } else {
        Unknown::Status(status).into()
    }
}

/// Parses a fault of SOAP 1.1 or 1.2. Its own members are ignored, since stacks write them with and without namespace.
/// The fault of MRS is its only `ErrorResp`, which is found by name, at any depth and in any namespace. Several of
/// them, or several codes in one, are not reliable and count as none.
fn fault(fault: &Element) -> MrsError {
    let text = ForeignText::new(&fault.lines());
    let details = fault.descendant(&[], "ErrorResp").ok().flatten();
    let member = |name: &str| details?.child(&[], name).ok()??.text().ok();
    let code = member("code")
        .and_then(|code| code.parse::<i32>().ok())
        .filter(|code| CODES.contains(code));
    let Some(code) = code else {
        return Unknown::FaultWithoutCode(text).into();
    };
    MrsError::Fault(Fault {
        code: FaultCode::from(code),
        text,
        recoverable: member("recoverable").and_then(boolean),
        correlation: None,
    })
}

/// Parses an `xs:boolean`.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// Whether a status is a success. A partial answer (206) is not.
fn is_success(status: u16) -> bool {
    (200..300).contains(&status) && status != 206
}

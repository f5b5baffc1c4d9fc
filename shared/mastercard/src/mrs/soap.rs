use super::{Fault, FaultCode, MrsError};
use crate::{
    failure::{NotSent, Unknown},
    foreign::ForeignText,
    gateway,
    http::Answer,
    xml::{self, Element, Writer},
};

pub(super) const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";
pub(super) const CUSTOMER: &str = "http://customer.ws.mcrewards.mastercard.com/";
pub(super) const COMMON: &str = "http://common.ws.mcrewards.mastercard.com/";
pub(super) const DIAGNOSTIC: &str = "http://diagnostic.ws.mcrewards.mastercard.com/";

/// What the edge before MRS writes, as HTML with status 400, to a caller without a client certificate.
const NO_CERTIFICATE: &[u8] = b"No required SSL certificate was sent";

/// The operations that this client knows.
#[derive(Debug, Clone, Copy)]
pub(super) enum Operation {
    Enroll,
    UpdateCustomerAccount,
    GetCustomerAccounts,
    DoEcho,
}

/// The header of every operation.
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

    /// The header `SOAPAction`, with the quotes that SOAP 1.1 §6.1.1 asks for.
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

/// Gives the one element in an answer's SOAP body, or what the answer says instead.
pub(super) fn payload(answer: &Answer) -> Result<Element, MrsError> {
    read_payload(answer).map_err(|error| error.of_call(answer.correlation()))
}

fn read_payload(answer: &Answer) -> Result<Element, MrsError> {
    let payload = read(&answer.body).map_err(|problem| no_soap(answer, problem))?;
    if payload.is(ENVELOPE, "Fault") {
        return Err(fault(&payload).unwrap_or_else(|problem| Unknown::Malformed(problem).into()));
    }
    if is_success(answer.status) {
        Ok(payload)
    } else {
        Err(Unknown::Status(answer.status).into())
    }
}

fn read(body: &[u8]) -> Result<Element, &'static str> {
    let root = xml::parse(body)?;
    if !root.is(ENVELOPE, "Envelope") {
        return Err("not a SOAP 1.1 envelope");
    }
    root.child(ENVELOPE, "Body")?;
    let body = root
        .into_children()
        .into_iter()
        .find(|child| child.is(ENVELOPE, "Body"));
    let mut elements = body
        .ok_or("an envelope without a body")?
        .into_children()
        .into_iter();
    let payload = elements.next().ok_or("an empty SOAP body")?;
    if elements.next().is_some() {
        Err("more than one element in the SOAP body")
    } else {
        Ok(payload)
    }
}

/// An answer that is no SOAP comes from something in front of MRS.
fn no_soap(answer: &Answer, problem: &'static str) -> MrsError {
    if let Some(errors) = gateway::parse(&answer.body) {
        let refusal = errors.iter().find(|error| error.reason.refuses_the_caller());
        return match (refusal, errors.first()) {
            (Some(refusal), _) => NotSent::Gateway(refusal.clone()).into(),
            (None, Some(error)) => Unknown::Gateway(error.clone()).into(),
            (None, None) => Unknown::Malformed(problem).into(),
        };
    }
    let mut parts = answer.body.windows(NO_CERTIFICATE.len());
    if answer.status == 400 && parts.any(|part| part == NO_CERTIFICATE) {
        return NotSent::NoClientCertificate.into();
    }
    if is_success(answer.status) {
        Unknown::Malformed(problem).into()
    } else {
        Unknown::Status(answer.status).into()
    }
}

fn fault(fault: &Element) -> Result<MrsError, &'static str> {
    // SOAP 1.1 §4.4: the members of a fault have no namespace, what is in `detail` has its own.
    let details = match fault.child("", "detail")? {
        Some(detail) => detail.child(COMMON, "ErrorResp")?,
        None => None,
    };
    let code = match details {
        Some(details) => text(details.child(COMMON, "code")?)?.parse::<i32>().ok(),
        None => None,
    };
    let said = ForeignText::new(&fault.lines());
    let (Some(details), Some(code)) = (details, code) else {
        return Ok(Unknown::FaultWithoutCode(said).into());
    };
    Ok(MrsError::Fault(Fault {
        code: FaultCode::from(code),
        text: said,
        recoverable: boolean(text(details.child(COMMON, "recoverable")?)?),
        correlation: None,
    }))
}

fn text(element: Option<&Element>) -> Result<&str, &'static str> {
    element.map_or(Ok(""), Element::text)
}

/// `xs:boolean`.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

fn is_success(status: u16) -> bool {
    (200..300).contains(&status)
}

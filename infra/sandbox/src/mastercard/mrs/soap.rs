//! SOAP 1.1 around MRS's operations: takes the envelope apart, and writes answers and faults.

use http::StatusCode;

use super::dialect::{COMMON, CUSTOMER, DIAGNOSTIC, refuse_attributes, refuse_stray_text, unexpected};
use super::quote::Quotes;
use super::refusal::Refusal;
use super::xml::{Element, escape};
use crate::faults::Answer;

pub(super) const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";
pub(super) const ENVELOPE_1_2: &str = "http://www.w3.org/2003/05/soap-envelope";

/// The media type of SOAP 1.1.
pub(super) const CONTENT_TYPE: &str = "text/xml; charset=utf-8";

/// The ways in which a stack writes a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaultStyle {
    /// As SOAP 1.1 §4.4 and the public WSDL have it.
    Plain,
    /// Members of the fault in the namespace of the envelope.
    Qualified,
    /// As SOAP 1.2 §5.4 has it.
    Soap12,
    /// `ErrorResp` under another prefix, or none.
    Error { prefix: &'static str },
    /// `ErrorResp` in a namespace of its own, inside another element.
    Bean,
    /// The code twice.
    TwoCodes,
    /// The code in `faultcode` alone.
    NoCode,
}

/// A message without its envelope.
pub(crate) struct Message {
    /// `common:identity/appID`: whom the call is about.
    pub(crate) app_id: String,
    /// The one element of the body.
    pub(crate) operation: Element,
}

/// Takes an envelope apart. Header blocks other than `common:identity` (WS-Security) are not looked at.
pub(crate) fn open(mut envelope: Element) -> Result<Message, Refusal> {
    if !envelope.is(ENVELOPE, "Envelope") {
        return Err(Refusal::of_form("the document is not a SOAP 1.1 envelope"));
    }
    refuse_stray_text(&envelope)?;
    let app_id = match envelope.children.as_slice() {
        [header, body] if header.is(ENVELOPE, "Header") && body.is(ENVELOPE, "Body") => {
            refuse_stray_text(body)?;
            identity(header)?
        }
        _ => return Err(Refusal::of_form("an envelope holds a Header and a Body")),
    };
    let mut operations = envelope
        .children
        .pop()
        .map(|mut body| std::mem::take(&mut body.children))
        .unwrap_or_default();
    match (operations.pop(), operations.is_empty()) {
        (Some(operation), true) => Ok(Message { app_id, operation }),
        _ => Err(Refusal::of_form("the Body does not hold exactly one element")),
    }
}

fn identity(header: &Element) -> Result<String, Refusal> {
    let mut identities = header
        .children
        .iter()
        .filter(|block| block.is(COMMON, "identity"));
    let (Some(identity), None) = (identities.next(), identities.next()) else {
        return Err(Refusal::of_form("the Header does not hold exactly one identity"));
    };
    refuse_stray_text(identity)?;
    let [app_id, institution] = identity.children.as_slice() else {
        return Err(Refusal::of_form("identity holds appID and institutionName"));
    };
    for (element, name, max) in [(app_id, "appID", 30), (institution, "institutionName", 100)] {
        if !element.is(COMMON, name) {
            return Err(unexpected(element, identity));
        }
        refuse_attributes(element)?;
        if !element.children.is_empty() || element.text.chars().count() > max {
            return Err(Refusal::of_form(format!("{name} has a value that it can't have")));
        }
    }
    Ok(app_id.text.clone())
}

/// Whether the `SOAPAction` header, quoted or not, names this operation.
pub(crate) fn names_action(header: &str, operation: &Element) -> bool {
    let header = header.trim();
    let action = header
        .strip_prefix('"')
        .and_then(|h| h.strip_suffix('"'))
        .unwrap_or(header);
    action
        .strip_prefix(operation.namespace.as_str())
        .is_some_and(|name| name == operation.name)
}

/// Puts an answer's content into an envelope. The content uses the prefixes `cus`, `common` and `diag`.
pub(crate) fn envelope(content: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="{ENVELOPE}" xmlns:cus="{CUSTOMER}" xmlns:common="{COMMON}" xmlns:diag="{DIAGNOSTIC}"><soapenv:Header/><soapenv:Body>{content}</soapenv:Body></soapenv:Envelope>"#
    )
}

/// An answer of SOAP 1.1.
pub(crate) fn document(status: StatusCode, body: String) -> Answer {
    Answer::text(status, CONTENT_TYPE, body)
}

/// Writes a refusal as a fault with MRS's detail (facts, §3.6); `quotes` are repeated in each of its texts.
pub(crate) fn fault(style: FaultStyle, refusal: &Refusal, quotes: &Quotes) -> String {
    let (side, text) = match &refusal.violation {
        Some(violation) => ("Client", violation.as_str()),
        None => ("Server", refusal.code.description()),
    };
    let more = escape(&quotes.to_string());
    let text = escape(text) + &more;
    let error = match style {
        FaultStyle::Error { prefix } => error_response(prefix, "", refusal, quotes),
        FaultStyle::Bean => format!(
            "<own:MRSFault xmlns:own=\"urn:own\"><bean>{}</bean></own:MRSFault>",
            error_response("own:", "", refusal, quotes)
        ),
        FaultStyle::TwoCodes => {
            let code = format!("<common:code>{}</common:code>", refusal.code.0);
            error_response("common:", &code, refusal, quotes)
        }
        FaultStyle::NoCode => String::new(),
        _ => error_response("common:", "", refusal, quotes),
    };
    let side = match style {
        FaultStyle::NoCode => format!("{side}.{}", refusal.code.0),
        _ => side.to_owned(),
    };
    // Beside the error, as a stack leaves a trace.
    let trace = if more.is_empty() {
        String::new()
    } else {
        format!("<trace>{more}</trace>")
    };
    if style == FaultStyle::Soap12 {
        return format!(
            "<soapenv:Fault><soapenv:Code><soapenv:Value>soapenv:Receiver</soapenv:Value><soapenv:Subcode><soapenv:Value>\
             common:{side}{more}</soapenv:Value></soapenv:Subcode></soapenv:Code><soapenv:Reason>\
             <soapenv:Text xml:lang=\"en\">{text}</soapenv:Text></soapenv:Reason><soapenv:Node>urn:mrs{more}</soapenv:Node>\
             <soapenv:Detail>{trace}{error}</soapenv:Detail></soapenv:Fault>"
        );
    }
    let prefix = if style == FaultStyle::Qualified {
        "soapenv:"
    } else {
        ""
    };
    let actor = if more.is_empty() {
        String::new()
    } else {
        format!("<{prefix}faultactor>urn:mrs{more}</{prefix}faultactor>")
    };
    format!(
        "<soapenv:Fault><{prefix}faultcode>soapenv:{side}{more}</{prefix}faultcode><{prefix}faultstring>{text}</{prefix}faultstring>\
         {actor}<{prefix}detail>{trace}{error}</{prefix}detail></soapenv:Fault>"
    )
}

/// MRS's own part of a fault; `code_again` is put after the code.
fn error_response(prefix: &str, code_again: &str, refusal: &Refusal, quotes: &Quotes) -> String {
    let code = refusal.code.0;
    let more = escape(&quotes.to_string());
    let description = escape(refusal.code.description()) + &more;
    let recoverable = refusal.code.is_recoverable();
    let item = if more.is_empty() {
        String::new()
    } else {
        format!("<{prefix}item>{more}</{prefix}item><{prefix}type>{more}</{prefix}type>")
    };
    let details = quotes.details(prefix);
    format!(
        "<{prefix}ErrorResp><{prefix}code>{code}</{prefix}code>{code_again}<{prefix}description>{description}</{prefix}description>{item}\
         <{prefix}recoverable>{recoverable}</{prefix}recoverable>{details}</{prefix}ErrorResp>"
    )
}

#[cfg(test)]
mod tests {
    use super::super::refusal::Code;
    use super::super::xml;
    use super::*;

    fn open_text(document: &str) -> Result<Message, Refusal> {
        open(xml::read(document.as_bytes()).unwrap())
    }

    fn with_header(header: &str) -> String {
        format!(
            "<s:Envelope xmlns:s='{ENVELOPE}' xmlns:k='{COMMON}' xmlns='{CUSTOMER}'><s:Header>{header}</s:Header>\
             <s:Body><getCustomerAccounts/></s:Body></s:Envelope>"
        )
    }

    #[test]
    fn an_envelope_gives_its_identity_and_operation() {
        let header = "<w:Security xmlns:w='wsse'>x</w:Security><k:identity><k:appID>42</k:appID><k:institutionName/></k:identity>";
        let message = open_text(&with_header(header)).unwrap();
        assert_eq!(message.app_id, "42");
        assert!(message.operation.is(CUSTOMER, "getCustomerAccounts"));
    }

    #[test]
    fn absent_repeated_or_misplaced_identity_is_refused() {
        let good = "<k:identity><k:appID/><k:institutionName/></k:identity>";
        for header in [
            String::new(),
            format!("{good}{good}"),
            "<k:identity><k:institutionName/><k:appID/></k:identity>".to_owned(),
            "<k:identity><k:appID/></k:identity>".to_owned(),
            "<identity><k:appID/><k:institutionName/></identity>".to_owned(),
            "<k:identity><appID/><k:institutionName/></k:identity>".to_owned(),
            format!(
                "<k:identity><k:appID>{}</k:appID><k:institutionName/></k:identity>",
                "1".repeat(31)
            ),
        ] {
            let refusal = open_text(&with_header(&header)).err().unwrap();
            assert_eq!(refusal.code, Code::INVALID_PARAMETERS, "{header}");
        }
    }

    #[test]
    fn another_version_of_soap_is_refused() {
        let soap_1_2 = with_header("").replace(ENVELOPE, "http://www.w3.org/2003/05/soap-envelope");
        assert!(open_text(&soap_1_2).is_err());
    }

    #[test]
    fn the_action_is_the_namespace_and_the_name_quoted_or_not() {
        let operation = xml::read(format!("<enroll xmlns='{CUSTOMER}'/>").as_bytes()).unwrap();
        assert!(names_action(
            "\"http://customer.ws.mcrewards.mastercard.com/enroll\"",
            &operation
        ));
        assert!(names_action(
            "http://customer.ws.mcrewards.mastercard.com/enroll",
            &operation
        ));
        for other in [
            "",
            "\"\"",
            "enroll",
            "http://customer.ws.mcrewards.mastercard.com/enroll2",
            "\"http://customer",
        ] {
            assert!(!names_action(other, &operation), "{other}");
        }
    }

    #[test]
    fn a_fault_can_be_read_and_carries_the_code() {
        let root = xml::read(
            envelope(&fault(
                FaultStyle::Plain,
                &Code::CARD_ALREADY_ENROLLED.into(),
                &Quotes::default(),
            ))
            .as_bytes(),
        )
        .unwrap();
        let detail = &root.children[1].children[0].children[2];
        assert!(detail.is("", "detail"));
        assert_eq!(detail.children[0].children[0].text, "-45");
    }
}

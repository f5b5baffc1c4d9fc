//! SOAP 1.1 around MRS's operations: takes the envelope apart, and writes answers and faults.

use super::dialect::{COMMON, CUSTOMER, DIAGNOSTIC, refuse_attributes, refuse_stray_text, unexpected};
use super::refusal::Refusal;
use super::xml::{Element, escape};

const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";

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

/// Writes a refusal as a fault with MRS's detail (facts, §3.6).
pub(crate) fn fault(refusal: &Refusal) -> String {
    let (side, text) = match &refusal.violation {
        Some(violation) => ("Client", violation.as_str()),
        None => ("Server", refusal.code.description()),
    };
    let text = escape(text);
    let code = refusal.code.0;
    let description = escape(refusal.code.description());
    let recoverable = refusal.code.is_recoverable();
    envelope(&format!(
        "<soapenv:Fault><faultcode>soapenv:{side}</faultcode><faultstring>{text}</faultstring><detail><common:ErrorResp>\
         <common:code>{code}</common:code><common:description>{description}</common:description>\
         <common:recoverable>{recoverable}</common:recoverable></common:ErrorResp></detail></soapenv:Fault>"
    ))
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
    fn an_identity_that_is_absent_twofold_or_out_of_order_is_refused() {
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
        let root = xml::read(fault(&Code::CARD_ALREADY_ENROLLED.into()).as_bytes()).unwrap();
        let detail = &root.children[1].children[0].children[2];
        assert!(detail.is("", "detail"));
        assert_eq!(detail.children[0].children[0].text, "-45");
    }
}

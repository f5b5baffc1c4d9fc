//! The two vocabularies of MRS and the one table of their names (`docs/contract.md#mrs-messages`).
//!
//! Public sources differ: the widget document (`docs/sources.md#widget`) writes `bankAccountNumber` and the status
//! `CANCELLED`, the public WSDL `BANK_ACCOUNT_NUMBER` and numeric ids. The table holds the WSDL's names in the WSDL's
//! order (`xs:sequence`: order matters) and derives the others by one rule, `BANK_ACCOUNT_NUMBER` →
//! `bankAccountNumber`, with one exception that the table spells out. **Assumption:** that rule, beyond the names which
//! the widget document shows.

use serde::{Deserialize, Serialize};

use super::refusal::Refusal;
use super::xml::Element;

/// Namespace of the operations.
pub(crate) const CUSTOMER: &str = "http://customer.ws.mcrewards.mastercard.com/";
/// Namespace of the identity header and of the fault's detail.
pub(crate) const COMMON: &str = "http://common.ws.mcrewards.mastercard.com/";
/// Namespace of `doEcho`.
pub(crate) const DIAGNOSTIC: &str = "http://diagnostic.ws.mcrewards.mastercard.com/";

/// A vocabulary of MRS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// The widget document: `bankCustomerNumber`, statuses as words.
    Document,
    /// The public WSDL: `BANK_CUSTOMER_NUMBER`, statuses as numbers.
    Wsdl,
}

/// One element of a sequence: its name in the WSDL, whether it is required, what it may hold.
pub(crate) struct Field {
    wsdl: &'static str,
    /// Name in the widget document, where the rule does not give it.
    document: Option<&'static str>,
    required: bool,
    value: Value,
}

#[derive(Clone, Copy)]
enum Value {
    Text {
        min: usize,
        max: usize,
    },
    YesNo,
    Integer,
    Encrypted,
    /// Not looked into: the stand-in has no rule for it.
    Any,
}

impl Dialect {
    /// Tells the vocabulary by a name. Names that both have are of neither.
    pub(crate) fn of(element: &Element) -> Self {
        if element.name.chars().any(|c| c.is_ascii_lowercase()) {
            Self::Document
        } else {
            Self::Wsdl
        }
    }

    fn name(self, field: &Field) -> String {
        match (self, field.document) {
            (Self::Wsdl, _) => field.wsdl.to_owned(),
            (Self::Document, Some(name)) => name.to_owned(),
            (Self::Document, None) => camel_case(field.wsdl),
        }
    }

    /// Checks the children of `parent` against a sequence and returns them in the sequence's order, absent ones as `None`.
    pub(crate) fn read<'e, const N: usize>(
        self,
        parent: &'e Element,
        fields: &[Field; N],
    ) -> Result<[Option<&'e Element>; N], Refusal> {
        let mut found = [None; N];
        let mut next = 0;
        refuse_stray_text(parent)?;
        refuse_attributes(parent)?;
        for child in &parent.children {
            let place = fields.iter().position(|field| self.name(field) == child.name);
            let Some(place) = place.filter(|_| child.namespace == CUSTOMER) else {
                return Err(unexpected(child, parent));
            };
            if place < next {
                return Err(Refusal::of_form(format!(
                    "{} is repeated or out of order",
                    self.name(&fields[place])
                )));
            }
            self.check(child, &fields[place])?;
            found[place] = Some(child);
            next = place + 1;
        }
        match fields
            .iter()
            .zip(&found)
            .find(|(field, found)| field.required && found.is_none())
        {
            Some((field, _)) => Err(Refusal::of_form(format!("{} is missing", self.name(field)))),
            None => Ok(found),
        }
    }

    fn check(self, element: &Element, field: &Field) -> Result<(), Refusal> {
        if !element.children.is_empty() {
            return Err(Refusal::of_form(format!("{} holds elements", self.name(field))));
        }
        if !matches!(field.value, Value::Encrypted) {
            refuse_attributes(element)?;
        }
        let text = element.text.as_str();
        let fits = match field.value {
            Value::Text { min, max } => (min..=max).contains(&text.chars().count()),
            Value::YesNo => matches!(text, "Y" | "N"),
            Value::Integer => text.trim().parse::<i64>().is_ok(),
            Value::Encrypted | Value::Any => true,
        };
        if fits {
            Ok(())
        } else {
            Err(Refusal::of_form(format!(
                "{} has a value that it can't have",
                self.name(field)
            )))
        }
    }
}

/// `a` is not one of those that `parent` may hold.
pub(crate) fn unexpected(a: &Element, parent: &Element) -> Refusal {
    // Names come from the caller: what is repeated of them is bounded.
    let short = |name: &str| name.chars().take(60).collect::<String>();
    Refusal::of_form(format!(
        "{} is not expected in {}",
        short(&a.name),
        short(&parent.name)
    ))
}

pub(crate) fn refuse_stray_text(element: &Element) -> Result<(), Refusal> {
    if element.has_stray_text() {
        return Err(Refusal::of_form("there is text between elements"));
    }
    Ok(())
}

/// Attributes with a namespace (`xsi:type`, `wsu:Id`) are the tool's, not the interface's, and pass.
pub(crate) fn refuse_attributes(element: &Element) -> Result<(), Refusal> {
    if element
        .attributes
        .iter()
        .any(|attribute| attribute.namespace.is_empty())
    {
        return Err(Refusal::of_form("an element has an attribute that it can't have"));
    }
    Ok(())
}

fn camel_case(upper: &str) -> String {
    let mut words = upper.split('_');
    let mut name = words.next().unwrap_or_default().to_ascii_lowercase();
    for word in words {
        let (first, rest) = word.split_at(word.len().min(1));
        name.push_str(first);
        name.push_str(&rest.to_ascii_lowercase());
    }
    name
}

const fn required(wsdl: &'static str, value: Value) -> Field {
    Field {
        wsdl,
        document: None,
        required: true,
        value,
    }
}

const fn optional(wsdl: &'static str, value: Value) -> Field {
    Field {
        wsdl,
        document: None,
        required: false,
        value,
    }
}

const SHORT: Value = Value::Text { min: 0, max: 40 };
const LONG: Value = Value::Text { min: 0, max: 255 };

/// `customerFields` of `enroll`: the first two are what the rules need.
pub(crate) const CUSTOMER_FIELDS: [Field; 34] = [
    required("BANK_CUSTOMER_NUMBER", Value::Text { min: 1, max: 30 }),
    required("MEMBER_ICA", Value::Integer),
    optional("ACCEPT_EMAIL_MESSAGE_SWITCH", Value::YesNo),
    optional("ACCEPT_SMS_MESSAGE_SWITCH", Value::YesNo),
    optional("ACCOUNT_HOLDER_ADDRESS_LINE_1", LONG),
    optional("ACCOUNT_HOLDER_ADDRESS_LINE_2", LONG),
    optional("ACCOUNT_HOLDER_ADDRESS_LINE_3", LONG),
    optional("ACCOUNT_HOLDER_ADDRESS_LINE_4", LONG),
    optional("BIRTH_DATE", Value::Any),
    optional("BUSINESS_PHONE_NUMBER", SHORT),
    optional("CITY_NAME", LONG),
    optional("COUNTRY_CODE", SHORT),
    optional("EMAIL_ADDRESS", LONG),
    optional("EMPLOYEE_SWITCH", Value::YesNo),
    optional("FAX_PHONE_NUMBER", SHORT),
    optional("GENERIC_IDENTIFICATION", LONG),
    optional("GENERIC_IDENTIFICATION_DESCRIPTION", LONG),
    optional("HOME_PHONE_NUMBER", SHORT),
    optional("LANGUAGE_CODE", SHORT),
    optional("MOBILE_PHONE_NUMBER", SHORT),
    optional("MOTHER_MAIDEN_NAME", LONG),
    optional("POSTAL_CODE", SHORT),
    optional("PRIMARY_ACCOUNT_HOLDER_FIRST_NAME", LONG),
    optional("PRIMARY_ACCOUNT_HOLDER_LAST_NAME", LONG),
    optional("SSN_LAST_FOUR", SHORT),
    optional("STATE", SHORT),
    optional("USER_DEFINED_1", LONG),
    optional("USER_DEFINED_2", LONG),
    optional("USER_DEFINED_3", LONG),
    optional("USER_DEFINED_4", LONG),
    optional("VIP_INDICATOR", Value::YesNo),
    optional("AUTH_USER_1", LONG),
    optional("AUTH_USER_2", LONG),
    optional("ACCEPT_PROMO_SWITCH", Value::YesNo),
];

/// `customerAccountFields` of `enroll`.
pub(crate) const ACCOUNT_FIELDS: [Field; 23] = [
    optional("DPAN_TOKEN", LONG),
    required("BANK_ACCOUNT_NUMBER", Value::Encrypted),
    // Its own code (-47) answers a value that it can't have.
    required("ACCOUNT_STATUS_CODE", Value::Any),
    required("BANK_PRODUCT_CODE", Value::Any),
    required("PROGRAM_IDENTIFIER", Value::Any),
    optional("ACCOUNT_OPENED_DATE", Value::Any),
    optional("ACCRUE_POINTS_SW", Value::YesNo),
    optional("DDA_ACCOUNT_NUMBER", SHORT),
    optional("ENROLLMENT_DATE", Value::Any),
    optional("GHOST_ACCOUNT_NUMBER", SHORT),
    optional("HOUSEHOLD_ELIGIBILITY_TOKEN", LONG),
    optional("PARTNER_ID", SHORT),
    optional("PRIMARY_ACCOUNT_SWITCH", Value::YesNo),
    optional("RECEIVE_STATEMENTS", Value::YesNo),
    optional("REPORTING_CATEGORY", SHORT),
    optional("USER_DEFINED_1", LONG),
    optional("USER_DEFINED_2", LONG),
    optional("USER_DEFINED_3", LONG),
    optional("USER_DEFINED_4", LONG),
    optional("USER_DEFINED_5", LONG),
    optional("USER_DEFINED_6", LONG),
    optional("USER_DEFINED_7", LONG),
    optional("USER_DEFINED_8", LONG),
];

/// `updateCustomerAccount`. Only the status has an effect here.
pub(crate) const UPDATE_FIELDS: [Field; 27] = [
    // Its own code (-10) answers a value that it can't have.
    Field {
        wsdl: "ACCOUNT_STATUS_ID",
        document: Some("accountStatus"),
        required: false,
        value: Value::Any,
    },
    optional("ACCRUE_POINTS_SW", Value::YesNo),
    optional("ACCT_OPN_DT", Value::Any),
    optional("ALT_FUNDING_BANK_ACCOUNT_NUM", Value::Text { min: 0, max: 30 }),
    optional("ALT_FUNDING_EXPIR_DT_TXT", Value::Text { min: 0, max: 6 }),
    optional("DEMND_DEPST_ACCT_NUM", Value::Text { min: 0, max: 19 }),
    optional("ENROLLMENT_DATE", Value::Any),
    optional("GHOST_ACCOUNT_NUM", Value::Text { min: 0, max: 19 }),
    optional("HH_ELIGIBILITY_CODE", Value::Text { min: 0, max: 140 }),
    optional("LIABILITY_BANK_ACCOUNT_NUM", Value::Text { min: 0, max: 30 }),
    optional("LIABILITY_EXPIR_DT_TXT", Value::Text { min: 0, max: 6 }),
    optional("PRIMARY_ACCOUNT_SW", Value::YesNo),
    optional("PROGRAM_IDENTIFIER", Value::Text { min: 0, max: 18 }),
    optional("PRTNR_ID", SHORT),
    optional("RECEIVE_STATEMENTS_SW", Value::YesNo),
    optional("REDEMPTION_ACCOUNT_STATUS_ID", Value::Integer),
    optional("REDEMPTION_BANK_ACCOUNT_NUM", Value::Text { min: 0, max: 30 }),
    optional("REDEMPTION_EXPIR_DT_TXT", Value::Text { min: 0, max: 6 }),
    optional("RPT_CAT_TXT", Value::Text { min: 0, max: 20 }),
    optional("USER_DEFINED1", SHORT),
    optional("USER_DEFINED2", SHORT),
    optional("USER_DEFINED3", SHORT),
    optional("USER_DEFINED4", SHORT),
    optional("USER_DEFINED5", SHORT),
    optional("USER_DEFINED6", SHORT),
    optional("USER_DEFINED7", SHORT),
    optional("USER_DEFINED8", SHORT),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_gives_the_names_that_the_source_document_shows() {
        let document: Vec<String> = CUSTOMER_FIELDS
            .iter()
            .chain(&ACCOUNT_FIELDS)
            .map(|field| Dialect::Document.name(field))
            .collect();
        for name in [
            "bankCustomerNumber",
            "memberIca",
            "acceptEmailMessageSwitch",
            "accountHolderAddressLine1",
            "emailAddress",
            "languageCode",
            "primaryAccountHolderFirstName",
            "primaryAccountHolderLastName",
            "bankAccountNumber",
            "accountStatusCode",
            "bankProductCode",
            "programIdentifier",
        ] {
            assert!(document.iter().any(|known| known == name), "{name}");
        }
        assert_eq!(Dialect::Document.name(&UPDATE_FIELDS[0]), "accountStatus");
        assert_eq!(Dialect::Wsdl.name(&UPDATE_FIELDS[0]), "ACCOUNT_STATUS_ID");
    }
}

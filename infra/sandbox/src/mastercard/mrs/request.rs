//! From the body's element to a request: names, order, required fields, types. What a value *means* is for the rules.

use zeroize::Zeroizing;

use super::dialect::{
    ACCOUNT_FIELDS, CUSTOMER, CUSTOMER_FIELDS, DIAGNOSTIC, Dialect, UPDATE_FIELDS, refuse_attributes,
    refuse_stray_text, unexpected,
};
use super::refusal::{Code, Refusal};
use super::soap::Message;
use super::xml::Element;
use crate::faults::Operation;

/// A well-formed call.
pub(crate) enum Request {
    Enroll(Box<Enroll>),
    UpdateCustomerAccount(Update),
    CustomerAccounts(Lookup),
    Echo(String),
}

/// `enroll`, as far as a rule looks at it: names and e-mail are checked for their form and forgotten.
pub(crate) struct Enroll {
    pub(crate) dialect: Dialect,
    pub(crate) bank_customer_number: String,
    pub(crate) member_ica: u64,
    pub(crate) bank_account_number: BankAccountNumber,
    pub(crate) status: String,
    pub(crate) product_code: String,
    pub(crate) program: String,
}

/// The card number as it came.
pub(crate) enum BankAccountNumber {
    /// With `encrypted="true"`: the pair as JSON.
    Encrypted(Zeroizing<String>),
    Plain(Zeroizing<String>),
}

/// `updateCustomerAccount`.
pub(crate) struct Update {
    pub(crate) dialect: Dialect,
    pub(crate) ranac: String,
    pub(crate) status: String,
}

/// `getCustomerAccounts`.
pub(crate) struct Lookup {
    pub(crate) bank_customer_number: String,
    pub(crate) ranac: Option<String>,
}

/// Which operations a path serves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Customer,
    Diagnostic,
}

impl Request {
    /// Reads a message that came to `service`; `dialects` are those that this MRS speaks.
    pub(crate) fn read(message: Message, service: Service, dialects: &[Dialect]) -> Result<Self, Refusal> {
        let Message { app_id, operation } = message;
        match (service, operation.namespace.as_str(), operation.name.as_str()) {
            (Service::Customer, CUSTOMER, "enroll") => {
                expect_empty(&app_id)?;
                enroll(&operation, dialects).map(|enroll| Self::Enroll(Box::new(enroll)))
            }
            (Service::Customer, CUSTOMER, "updateCustomerAccount") => {
                update(&operation, app_id, dialects).map(Self::UpdateCustomerAccount)
            }
            (Service::Customer, CUSTOMER, "getCustomerAccounts") => {
                lookup(&operation, app_id).map(Self::CustomerAccounts)
            }
            (Service::Diagnostic, DIAGNOSTIC, "doEcho") => {
                expect_empty(&app_id)?;
                leaf(&operation).map(|text| Self::Echo(text.to_owned()))
            }
            _ => Err(Refusal::of_form("this service has no such operation")),
        }
    }

    pub(crate) fn operation(&self) -> Operation {
        match self {
            Self::Enroll(_) => Operation::Enroll,
            Self::UpdateCustomerAccount(_) => Operation::UpdateCustomerAccount,
            Self::CustomerAccounts(_) => Operation::GetCustomerAccounts,
            Self::Echo(_) => Operation::DoEcho,
        }
    }

    /// The vocabulary that the message used, where it shows.
    pub(crate) fn dialect(&self) -> Option<Dialect> {
        match self {
            Self::Enroll(enroll) => Some(enroll.dialect),
            Self::UpdateCustomerAccount(update) => Some(update.dialect),
            Self::CustomerAccounts(_) | Self::Echo(_) => None,
        }
    }
}

fn enroll(operation: &Element, dialects: &[Dialect]) -> Result<Enroll, Refusal> {
    refuse_stray_text(operation)?;
    refuse_attributes(operation)?;
    let (customer, account) = match operation.children.as_slice() {
        [customer, account] => (customer, account),
        [customer, account, kind] if kind.is(CUSTOMER, "enrollmentTypeCode") => {
            leaf(kind)?;
            (customer, account)
        }
        _ => {
            return Err(Refusal::of_form(
                "enroll holds customerFields and customerAccountFields",
            ));
        }
    };
    for (group, name) in [(customer, "customerFields"), (account, "customerAccountFields")] {
        if !group.is(CUSTOMER, name) {
            return Err(unexpected(group, operation));
        }
    }
    let dialect = dialect_of(customer, dialects)?;
    let [bank_customer_number, member_ica, ..] = dialect.read(customer, &CUSTOMER_FIELDS)?;
    let [_, bank_account_number, status, product_code, program, ..] =
        dialect.read(account, &ACCOUNT_FIELDS)?;
    Ok(Enroll {
        dialect,
        bank_customer_number: text(bank_customer_number),
        member_ica: text(member_ica)
            .trim()
            .parse()
            .map_err(|_| Refusal::from(Code::INVALID_PARAMETERS))?,
        bank_account_number: card(bank_account_number)?,
        status: text(status),
        product_code: text(product_code),
        program: text(program),
    })
}

fn update(operation: &Element, ranac: String, dialects: &[Dialect]) -> Result<Update, Refusal> {
    let dialect = dialect_of(operation, dialects)?;
    let [status, ..] = dialect.read(operation, &UPDATE_FIELDS)?;
    // The schema lets everything be absent; the stand-in has nothing else to change.
    let status = status.ok_or_else(|| Refusal::of_form("there is no status to set"))?;
    Ok(Update {
        dialect,
        ranac,
        status: text(Some(status)),
    })
}

fn lookup(operation: &Element, bank_customer_number: String) -> Result<Lookup, Refusal> {
    refuse_stray_text(operation)?;
    refuse_attributes(operation)?;
    if bank_customer_number.is_empty() {
        return Err(Refusal::of_form("appID does not name a customer"));
    }
    let mut ranac = None;
    let mut rest = operation.children.as_slice();
    if let [first, others @ ..] = rest
        && first.is(CUSTOMER, "referenceId")
    {
        ranac = Some(leaf(first)?.to_owned());
        rest = others;
    }
    match rest {
        [] => {}
        [only] if only.is(CUSTOMER, "includeLoggedInCustomerAccountsOnly") => {
            if !matches!(leaf(only)?, "true" | "false" | "1" | "0") {
                return Err(Refusal::of_form(
                    "includeLoggedInCustomerAccountsOnly is not a boolean",
                ));
            }
        }
        [other, ..] => return Err(unexpected(other, operation)),
    }
    Ok(Lookup {
        bank_customer_number,
        ranac,
    })
}

fn dialect_of(group: &Element, dialects: &[Dialect]) -> Result<Dialect, Refusal> {
    let first = group
        .children
        .first()
        .ok_or_else(|| Refusal::of_form("an operation has no fields"))?;
    let dialect = Dialect::of(first);
    if dialects.contains(&dialect) {
        Ok(dialect)
    } else {
        Err(unexpected(first, group))
    }
}

fn card(element: Option<&Element>) -> Result<BankAccountNumber, Refusal> {
    let element = element.ok_or_else(|| Refusal::of_form("there is no account number"))?;
    let digits = || Zeroizing::new(element.text.clone());
    let attributes = element
        .attributes
        .iter()
        .filter(|attribute| attribute.namespace.is_empty());
    let mut encrypted = false;
    for attribute in attributes {
        encrypted = match (attribute.name.as_str(), attribute.value.trim()) {
            ("encrypted", "true" | "1") => true,
            ("encrypted", "false" | "0") => false,
            _ => {
                return Err(Refusal::of_form(
                    "the account number has an attribute that it can't have",
                ));
            }
        };
    }
    Ok(if encrypted {
        BankAccountNumber::Encrypted(digits())
    } else {
        BankAccountNumber::Plain(digits())
    })
}

fn leaf(element: &Element) -> Result<&str, Refusal> {
    refuse_attributes(element)?;
    if !element.children.is_empty() {
        return Err(Refusal::of_form("an element holds elements that it can't have"));
    }
    Ok(&element.text)
}

fn text(element: Option<&Element>) -> String {
    element.map(|element| element.text.clone()).unwrap_or_default()
}

fn expect_empty(app_id: &str) -> Result<(), Refusal> {
    if app_id.is_empty() {
        Ok(())
    } else {
        Err(Refusal::of_form("appID is not empty"))
    }
}

//! Content of MRS's answers: the one element of the body.

use std::fmt::Write as _;

use super::account_table::Account;
use super::accounts::Enrolled;
use super::dialect::Dialect;
use super::xml::escape;

pub(super) fn enrolled(enrolled: &Enrolled) -> String {
    let Enrolled { ranac, customer_id } = enrolled;
    format!(
        "<cus:enrollResponse><cus:referenceId>{ranac}</cus:referenceId><cus:customerId>{customer_id}</cus:customerId>\
         </cus:enrollResponse>"
    )
}

pub(super) fn echo(text: &str) -> String {
    format!("<diag:doEchoResponse>{}</diag:doEchoResponse>", escape(text))
}

/// The public schema puts `success` into the common namespace; the widget document (`docs/sources.md#widget`) knows one
/// namespace only.
pub(super) fn updated(dialect: Dialect) -> String {
    let prefix = match dialect {
        Dialect::Document => "cus",
        Dialect::Wsdl => "common",
    };
    format!(
        "<cus:updateCustomerAccountResponse><cus:updateCustomerAccountResult><{prefix}:success>true</{prefix}:success>\
         </cus:updateCustomerAccountResult></cus:updateCustomerAccountResponse>"
    )
}

/// The request does not show a vocabulary; the answer takes that in which the account was enrolled. Only its root differs.
pub(super) fn customer_accounts(accounts: &[Account]) -> String {
    let root = match accounts.first().map(|account| account.dialect) {
        Some(Dialect::Wsdl) => "CustomerAccounts",
        Some(Dialect::Document) | None => "getCustomerAccountsResponse",
    };
    let mut content = format!("<cus:{root}>");
    for account in accounts {
        content.push_str("<cus:customerAccount>");
        for (name, value) in [
            ("accountId", account.id.to_string().as_str()),
            ("customerId", account.customer_id.to_string().as_str()),
            ("programId", &account.program),
            ("lastFourDigitsOfCard", &account.last4),
            ("accountStatusId", account.status.number().to_string().as_str()),
            ("accountStatusDesc", account.status.word()),
            ("bankProductCode", &account.product_code),
            ("programIdentifier", &account.program),
            ("referenceId", &account.ranac),
        ] {
            let value = escape(value);
            let _ = write!(content, "<cus:{name}>{value}</cus:{name}>");
        }
        content.push_str("</cus:customerAccount>");
    }
    let _ = write!(content, "</cus:{root}>");
    content
}

//! Differences between public sources about MRS, in one place.

use std::str::FromStr;

use thiserror::Error;

use super::account::AccountStatus;

/// Element names and status values of an MRS installation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Dialect {
    /// The widget document (`docs/sources.md#widget`): `bankAccountNumber`, status `CANCELLED`.
    #[default]
    Document,
    /// The public WSDL: `BANK_ACCOUNT_NUMBER`, `ACCOUNT_STATUS_ID` 3.
    Wsdl,
}

/// Name of a dialect that is neither `document` nor `wsdl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a dialect is `document` or `wsdl`")]
pub struct UnknownDialect;

/// Content of `common:identity/appID` in an operation.
///
/// This is an assumption, since no public source says it (Mastercard assigns the value to each integrator).
/// `updateCustomerAccount` has no account in its body and `getCustomerAccounts` need not have one, so the header has to
/// name it. One public client sends an empty `appID` to enroll and to echo, and the card's number to update. With
/// encrypted card numbers, the RANAC is the only name of a card that the caller has, and the bank customer number the
/// only one before MRS has answered.
#[derive(Debug, Clone, Copy)]
pub(super) enum AppId {
    Empty,
    Designation,
}

pub(super) const APP_ID_ENROLL: AppId = AppId::Empty;
pub(super) const APP_ID_LOOK_UP: AppId = AppId::Designation;
pub(super) const APP_ID_UPDATE: AppId = AppId::Designation;
pub(super) const APP_ID_ECHO: AppId = AppId::Empty;

/// Names and values of one dialect. All elements belong to the customer namespace, with the prefix `cus`.
///
/// Assumed for both: the containers `customerFields` and `customerAccountFields`, and every name in an answer except
/// that of the status, are those of the WSDL. The widget document shows a single element, `cus:bankAccountNumber`. Its
/// other names are assumed to be the WSDL's upper-case ones in the same style and order.
pub(super) struct Names {
    pub(super) bank_customer_number: &'static str,
    pub(super) member_ica: &'static str,
    pub(super) email_address: &'static str,
    pub(super) language_code: &'static str,
    pub(super) first_name: &'static str,
    pub(super) last_name: &'static str,
    pub(super) bank_account_number: &'static str,
    pub(super) account_status_code: &'static str,
    /// Status with which a new card is enrolled. Document 001: a value of the REST successor; WSDL: the value that a
    /// public client sends.
    pub(super) new: &'static str,
    pub(super) bank_product_code: &'static str,
    pub(super) program_identifier: &'static str,
    pub(super) account_status: &'static str,
    pub(super) cancelled: &'static str,
    /// Name of the status in an answer's `customerAccount`, without prefix.
    pub(super) status_of_answer: &'static str,
    pub(super) statuses: &'static [(&'static str, AccountStatus)],
}

static DOCUMENT: Names = Names {
    bank_customer_number: "cus:bankCustomerNumber",
    member_ica: "cus:memberIca",
    email_address: "cus:emailAddress",
    language_code: "cus:languageCode",
    first_name: "cus:primaryAccountHolderFirstName",
    last_name: "cus:primaryAccountHolderLastName",
    bank_account_number: "cus:bankAccountNumber",
    account_status_code: "cus:accountStatusCode",
    new: "NEW",
    bank_product_code: "cus:bankProductCode",
    program_identifier: "cus:programIdentifier",
    account_status: "cus:accountStatus",
    cancelled: "CANCELLED",
    status_of_answer: "accountStatusDesc",
    statuses: &[
        ("NEW", AccountStatus::New),
        ("GOOD_STANDING", AccountStatus::GoodStanding),
        ("REDEEM_ONLY", AccountStatus::RedeemOnly),
        ("CANCELLED", AccountStatus::Cancelled),
        ("ON_HOLD", AccountStatus::OnHold),
        ("INACTIVE", AccountStatus::Inactive),
    ],
};

static WSDL: Names = Names {
    bank_customer_number: "cus:BANK_CUSTOMER_NUMBER",
    member_ica: "cus:MEMBER_ICA",
    email_address: "cus:EMAIL_ADDRESS",
    language_code: "cus:LANGUAGE_CODE",
    first_name: "cus:PRIMARY_ACCOUNT_HOLDER_FIRST_NAME",
    last_name: "cus:PRIMARY_ACCOUNT_HOLDER_LAST_NAME",
    bank_account_number: "cus:BANK_ACCOUNT_NUMBER",
    account_status_code: "cus:ACCOUNT_STATUS_CODE",
    new: "1",
    bank_product_code: "cus:BANK_PRODUCT_CODE",
    program_identifier: "cus:PROGRAM_IDENTIFIER",
    account_status: "cus:ACCOUNT_STATUS_ID",
    cancelled: "3",
    status_of_answer: "accountStatusId",
    statuses: &[
        ("1", AccountStatus::GoodStanding),
        ("3", AccountStatus::Cancelled),
    ],
};

impl Dialect {
    pub(super) fn names(self) -> &'static Names {
        match self {
            Self::Document => &DOCUMENT,
            Self::Wsdl => &WSDL,
        }
    }
}

impl FromStr for Dialect {
    type Err = UnknownDialect;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "document" => Ok(Self::Document),
            "wsdl" => Ok(Self::Wsdl),
            _ => Err(UnknownDialect),
        }
    }
}

impl Names {
    pub(super) fn status(&self, value: &str) -> AccountStatus {
        self.statuses
            .iter()
            .find(|(name, _)| *name == value)
            .map_or(AccountStatus::Other, |(_, status)| *status)
    }
}

impl AppId {
    pub(super) fn value(self, designation: &str) -> &str {
        match self {
            Self::Empty => "",
            Self::Designation => designation,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dialect_is_parsed_from_a_setting() {
        assert_eq!("document".parse(), Ok(Dialect::default()));
        assert_eq!("wsdl".parse(), Ok(Dialect::Wsdl));
        assert_eq!("WSDL".parse::<Dialect>(), Err(UnknownDialect));
    }
}

use std::fmt;

use super::{Dialect, EncryptedPair};
use crate::{
    failure::NotSent,
    xml::{Writer, is_xml_char},
};

/// Longest bank customer number that MRS accepts.
const MAX_BANK_CUSTOMER_NUMBER: usize = 30;

/// Longest text whose limit is not public.
const MAX_TEXT: usize = 256;

/// Request of `enroll`. Members that are absent or empty are left out.
#[derive(Clone, PartialEq, Eq)]
pub struct EnrollRequest {
    /// Caller's number for the customer, 1 to 30 characters. MRS answers -50 if it is enrolled already.
    pub bank_customer_number: String,
    /// Interbank Card Association number of the member.
    pub member_ica: u64,
    /// E-mail address for messages.
    pub email_address: Option<String>,
    /// Language of messages, such as `en_US`.
    pub language_code: Option<String>,
    /// First name of the customer.
    pub first_name: Option<String>,
    /// Last name of the customer.
    pub last_name: Option<String>,
    /// Card to enroll.
    pub account: EnrollAccount,
}

/// Card of an [`EnrollRequest`]. It is enrolled with the status "new".
#[derive(Clone, PartialEq, Eq)]
pub struct EnrollAccount {
    /// Card number, encrypted for Mastercard.
    pub number: EncryptedPair,
    /// Product code of the bank.
    pub bank_product_code: String,
    /// Program to enroll the card in.
    pub program_identifier: String,
}

impl EnrollRequest {
    pub(super) fn check(&self) -> Result<(), NotSent> {
        check_bank_customer_number(&self.bank_customer_number)?;
        check("bankProductCode", &self.account.bank_product_code, MAX_TEXT)?;
        check("programIdentifier", &self.account.program_identifier, MAX_TEXT)?;
        for (name, value) in [
            ("emailAddress", &self.email_address),
            ("languageCode", &self.language_code),
            ("firstName", &self.first_name),
            ("lastName", &self.last_name),
        ] {
            if let Some(value) = given(value.as_deref()) {
                check(name, value, MAX_TEXT)?;
            }
        }
        Ok(())
    }

    /// Writes the members in the order of the schema, which is an `xs:sequence`.
    pub(super) fn write(&self, dialect: Dialect, body: &mut Writer) {
        let names = dialect.names();
        body.element("cus:enroll", |enroll| {
            enroll.element("cus:customerFields", |customer| {
                customer.text(names.bank_customer_number, &self.bank_customer_number);
                customer.text(names.member_ica, &self.member_ica.to_string());
                customer.optional(names.email_address, given(self.email_address.as_deref()));
                customer.optional(names.language_code, given(self.language_code.as_deref()));
                customer.optional(names.first_name, given(self.first_name.as_deref()));
                customer.optional(names.last_name, given(self.last_name.as_deref()));
            });
            enroll.element("cus:customerAccountFields", |account| {
                let number = self.account.number.to_json();
                account.text_with(names.bank_account_number, &[("encrypted", "true")], &number);
                account.text(names.account_status_code, names.new);
                account.text(names.bank_product_code, &self.account.bank_product_code);
                account.text(names.program_identifier, &self.account.program_identifier);
            });
        });
    }
}

/// Omits everything about the customer, which must not be logged.
impl fmt::Debug for EnrollRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("EnrollRequest")
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for EnrollAccount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("EnrollAccount")
            .field("bank_product_code", &self.bank_product_code)
            .field("program_identifier", &self.program_identifier)
            .finish_non_exhaustive()
    }
}

pub(super) fn write_cancellation(dialect: Dialect, body: &mut Writer) {
    let names = dialect.names();
    body.element("cus:updateCustomerAccount", |update| {
        update.text(names.account_status, names.cancelled);
    });
}

/// Writes an empty body: the header names the customer, and by the schema's default the cards of other members of the
/// household are left out.
pub(super) fn write_look_up(body: &mut Writer) {
    body.text("cus:getCustomerAccounts", "");
}

pub(super) fn write_echo(text: &str, body: &mut Writer) {
    body.text("diag:doEcho", text);
}

pub(super) fn check_bank_customer_number(number: &str) -> Result<(), NotSent> {
    check("bankCustomerNumber", number, MAX_BANK_CUSTOMER_NUMBER)
}

/// Checks a text. Control characters are refused although XML allows some: none belongs into these texts, and XML would
/// change some of them.
pub(super) fn check(field: &'static str, value: &str, max_chars: usize) -> Result<(), NotSent> {
    let writable = value
        .chars()
        .all(|character| is_xml_char(character) && !character.is_control());
    if value.trim().is_empty() || value.chars().count() > max_chars || !writable {
        return Err(NotSent::InvalidField(field));
    }
    Ok(())
}

fn given(value: Option<&str>) -> Option<&str> {
    value.filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mrs::soap::{Identity, Operation, envelope};

    fn request() -> EnrollRequest {
        EnrollRequest {
            bank_customer_number: "J8Q2ZB4TN6V0XK3C9RW1M5HYPD7GSA".to_owned(),
            member_ica: 1234,
            email_address: Some("ana@example.test".to_owned()),
            language_code: Some("en_US".to_owned()),
            first_name: Some("Ana & Zoë".to_owned()),
            last_name: Some("O'Hara <Nuñez>".to_owned()),
            account: EnrollAccount {
                number: EncryptedPair::new("S2V5+/==", "RGF0YQ==").unwrap(),
                bank_product_code: "MRSDEMO".to_owned(),
                program_identifier: "10765".to_owned(),
            },
        }
    }

    fn written(operation: Operation, app_id: &str, body: impl FnOnce(&mut Writer)) -> String {
        envelope(
            operation,
            &Identity {
                app_id,
                institution_name: "Demo Bank",
            },
            body,
        )
    }

    /// The fixtures are written by hand, with lines and indents that the requests don't have.
    fn assert_is(request: &str, fixture: &str) {
        let fixture: String = fixture.lines().map(str::trim_start).collect();
        assert_eq!(request, fixture);
    }

    #[test]
    fn enroll_in_the_document_dialect() {
        let request = written(Operation::Enroll, "", |body| {
            request().write(Dialect::Document, body);
        });
        assert_is(&request, include_str!("../../tests/fixtures/enroll-document.xml"));
    }

    #[test]
    fn enroll_in_the_wsdl_dialect() {
        let request = written(Operation::Enroll, "", |body| request().write(Dialect::Wsdl, body));
        assert_is(&request, include_str!("../../tests/fixtures/enroll-wsdl.xml"));
    }

    #[test]
    fn absent_or_empty_members_are_left_out() {
        let request = EnrollRequest {
            email_address: None,
            language_code: Some(String::new()),
            first_name: None,
            last_name: None,
            ..request()
        };
        assert_eq!(request.check(), Ok(()));
        let request = written(Operation::Enroll, "", |body| {
            request.write(Dialect::Document, body);
        });
        assert_is(
            &request,
            include_str!("../../tests/fixtures/enroll-document-minimal.xml"),
        );
    }

    #[test]
    fn cancellation_in_both_dialects() {
        let ranac = "03643782610476418733";
        for (dialect, fixture) in [
            (
                Dialect::Document,
                include_str!("../../tests/fixtures/cancel-document.xml"),
            ),
            (
                Dialect::Wsdl,
                include_str!("../../tests/fixtures/cancel-wsdl.xml"),
            ),
        ] {
            let request = written(Operation::UpdateCustomerAccount, ranac, |body| {
                write_cancellation(dialect, body);
            });
            assert_is(&request, fixture);
        }
    }

    #[test]
    fn look_up_and_echo_are_the_same_in_both_dialects() {
        let request = written(
            Operation::GetCustomerAccounts,
            "J8Q2ZB4TN6V0XK3C9RW1M5HYPD7GSA",
            write_look_up,
        );
        assert_is(&request, include_str!("../../tests/fixtures/look-up.xml"));
        let request = written(Operation::DoEcho, "", |body| write_echo("hello", body));
        assert_is(&request, include_str!("../../tests/fixtures/echo.xml"));
    }

    #[test]
    fn text_that_xml_forbids_is_not_sent() {
        for number in [
            "",
            " ",
            "1234567890123456789012345678901",
            "a\u{0}",
            "a\nb",
            "\u{ffff}",
        ] {
            let request = EnrollRequest {
                bank_customer_number: number.to_owned(),
                ..request()
            };
            assert_eq!(
                request.check(),
                Err(NotSent::InvalidField("bankCustomerNumber")),
                "{number:?}"
            );
        }
        let request = EnrollRequest {
            first_name: Some("\u{1b}[31m".to_owned()),
            ..request()
        };
        assert_eq!(request.check(), Err(NotSent::InvalidField("firstName")));
    }

    #[test]
    fn debug_omits_the_customer() {
        let text = format!("{:?}", request());
        for secret in ["J8Q2", "ana@", "Ana", "Hara", "S2V5", "RGF0"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

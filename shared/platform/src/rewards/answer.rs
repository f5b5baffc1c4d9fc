//! Answers of MRS in the domain's types.

use enrollment::identifiers::{Last4, Malformed, Ranac};
use enrollment::look_up::{Account, AccountStatus as Status};
use mastercard::mrs::{AccountStatus, CustomerAccount};

/// Converts an account. An invalid reference is an error: it is not the same as an absent one.
pub(super) fn account(account: &CustomerAccount) -> Result<Account, Malformed> {
    Ok(Account {
        ranac: account.reference_id.as_deref().map(Ranac::parse).transpose()?,
        status: match account.status {
            AccountStatus::New
            | AccountStatus::GoodStanding
            | AccountStatus::RedeemOnly
            | AccountStatus::OnHold
            | AccountStatus::Inactive => Status::Active,
            AccountStatus::Cancelled => Status::Cancelled,
            // A status of a later release of the crate is as unknown as one that the dialect does not name.
            _ => Status::Unknown,
        },
        program: account.program_identifier.clone(),
        last4: account
            .last_four
            .as_deref()
            .and_then(|digits| Last4::parse(digits).ok()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_has_what_mrs_sent_and_no_more() {
        let told = CustomerAccount {
            reference_id: Some("03643782610476418733".into()),
            status: AccountStatus::GoodStanding,
            last_four: Some("0123".into()),
            account_id: None,
            customer_id: None,
            bank_product_code: None,
            program_identifier: Some("10765".into()),
        };
        let whole = account(&told).unwrap();
        assert_eq!(
            (whole.status, whole.program.as_deref()),
            (Status::Active, Some("10765"))
        );
        let bare = CustomerAccount {
            reference_id: None,
            status: AccountStatus::Other,
            last_four: None,
            program_identifier: None,
            ..told
        };
        let bare = account(&bare).unwrap();
        assert_eq!((bare.ranac, bare.status), (None, Status::Unknown));
        assert_eq!((bare.program, bare.last4), (None, None));
    }
}

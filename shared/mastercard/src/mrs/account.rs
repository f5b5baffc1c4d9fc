use std::fmt;

/// A card as MRS knows it. Members that MRS left out are `None`.
#[derive(Clone, PartialEq, Eq)]
pub struct CustomerAccount {
    /// The card's reference (RANAC).
    pub reference_id: Option<String>,
    /// What the card is for MRS at the moment.
    pub status: AccountStatus,
    /// The card's last four digits, where MRS gave exactly four.
    pub last_four: Option<String>,
    /// MRS's number of the card.
    pub account_id: Option<i64>,
    /// MRS's number of the customer.
    pub customer_id: Option<i64>,
    /// The product code of the bank.
    pub bank_product_code: Option<String>,
    /// The program that the card is enrolled in.
    pub program_identifier: Option<String>,
}

/// The status of a card in MRS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccountStatus {
    /// Enrolled, not used yet.
    New,
    /// Enrolled and in use.
    GoodStanding,
    /// Collects nothing any more, may redeem.
    RedeemOnly,
    /// Has left the program.
    Cancelled,
    /// Stopped for the time being.
    OnHold,
    /// Not in use.
    Inactive,
    /// A status that the dialect doesn't name, or none.
    Other,
}

/// References and digits stay out of logs.
impl fmt::Debug for CustomerAccount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("CustomerAccount")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

use std::fmt;

/// Enrolled card of MRS. Members that MRS left out are `None`.
#[derive(Clone, PartialEq, Eq)]
pub struct CustomerAccount {
    /// Reference of the card (RANAC).
    pub reference_id: Option<String>,
    /// Status of the card.
    pub status: AccountStatus,
    /// Last four digits of the card, if MRS sent exactly four.
    pub last_four: Option<String>,
    /// Number of the account at MRS.
    pub account_id: Option<i64>,
    /// Number of the customer at MRS.
    pub customer_id: Option<i64>,
    /// Product code of the bank.
    pub bank_product_code: Option<String>,
    /// Program in which the card is enrolled.
    pub program_identifier: Option<String>,
}

/// Status of a card at MRS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccountStatus {
    /// Enrolled, not used yet.
    New,
    /// Enrolled and in use.
    GoodStanding,
    /// No longer collects points, but may redeem them.
    RedeemOnly,
    /// Has left the program.
    Cancelled,
    /// Suspended.
    OnHold,
    /// Inactive.
    Inactive,
    /// Status that the dialect does not name, or none.
    Other,
}

/// Omits references and digits, which must not be logged.
impl fmt::Debug for CustomerAccount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("CustomerAccount")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

//! The Mastercard Rewards System (MRS).

use async_trait::async_trait;

use crate::client::Program;
use crate::identifiers::{BankCustomerNumber, Ranac};
use crate::intent::Intent;
use crate::log::{LogText, by_display};
use crate::look_up::LookUp;
use crate::status::MrsCode;

/// A card to enroll, as MRS takes it.
#[derive(Debug, Clone, Copy)]
pub struct NewCard<'a> {
    /// The name that Mastercard knows the client by.
    pub institution: &'a str,
    /// The program.
    pub program: &'a Program,
    /// Number that the card gets at MRS.
    pub bank_customer_number: &'a BankCustomerNumber,
    /// The pair that the browser made, passed on unchanged.
    pub number: &'a EncryptedNumber,
    /// Passed on, not stored.
    pub person: &'a Person,
}

/// The card number as the browser encrypted it for Mastercard: unreadable here.
#[derive(Clone, PartialEq, Eq)]
pub struct EncryptedNumber {
    /// The wrapped content key, base64.
    pub key: String,
    /// The ciphertext, base64.
    pub data: String,
}

impl std::fmt::Debug for EncryptedNumber {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("EncryptedNumber(…)")
    }
}

/// Cardholder's name and e-mail address. Passed to MRS, never stored, never printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Person(…)")
    }
}

/// Failure of a call to MRS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RewardsError {
    /// MRS answered with a code.
    #[error("MRS answered {0}")]
    Declined(MrsCode),
    /// The request certainly never reached MRS.
    #[error("MRS was not reached: {0}")]
    NotSent(LogText),
    /// The result is unknown: MRS may have done it.
    #[error("MRS gave no usable answer: {0}")]
    Unknown(LogText),
}

by_display!(RewardsError);

/// The Mastercard Rewards System. Each call ends within 8 s, and before its function does.
#[async_trait]
pub trait Rewards: Send + Sync {
    /// Enrolls a card.
    async fn enroll(&self, card: NewCard<'_>) -> Result<Ranac, RewardsError>;
    /// Looks up the accounts under a bank customer number. A look-up that was not sent or not understood says
    /// nothing: there is no error beside [`LookUp::Unknown`].
    async fn find(&self, institution: &str, number: &BankCustomerNumber) -> LookUp;
    /// Cancels a card.
    async fn cancel(&self, institution: &str, ranac: &Ranac) -> Result<(), RewardsError>;
    /// The same for the sake of one intent: what it writes about a call that it refuses is sealed with that intent. `None`
    /// where nothing is kept.
    fn for_intent(&self, _: &Intent) -> Option<Box<dyn Rewards>> {
        None
    }
}

/// MRS as it is asked for the sake of one intent.
pub struct IntentRewards<'a> {
    own: Option<Box<dyn Rewards>>,
    shared: &'a dyn Rewards,
}

impl<'a> IntentRewards<'a> {
    /// By [`Rewards::for_intent`], where that keeps anything.
    pub fn new(rewards: &'a dyn Rewards, intent: &Intent) -> Self {
        Self {
            own: rewards.for_intent(intent),
            shared: rewards,
        }
    }

    /// To be asked.
    pub fn get(&self) -> &dyn Rewards {
        self.own.as_deref().unwrap_or(self.shared)
    }
}

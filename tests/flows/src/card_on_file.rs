//! Card that a customer has in the program.

use serde_json::{Value, json};

use crate::card::Card;
use crate::page::Page;
use crate::partner::Partner;
use crate::rewards;

/// Enrolled card with its ids.
#[derive(Debug, Clone)]
pub struct CardOnFile {
    /// Id of the card: that of the intent which enrolled it.
    pub id: String,
    /// Card number.
    pub card: Card,
    /// RANAC.
    pub ranac: String,
}

impl CardOnFile {
    /// Enrolls a fresh card for the customer.
    pub fn fresh(partner: &Partner) -> Self {
        Self::enrolled(partner, Card::fresh())
    }

    /// Enrolls this card for the customer.
    pub fn enrolled(partner: &Partner, card: Card) -> Self {
        let page = Page::of(&partner.open(&json!({})));
        let submission = page.submission(&card);
        let event = page.settle(&submission).json();
        assert_eq!(event["status"], "SUCCESS_ENROLLMENT", "{event}");
        Self {
            id: page.intent(&submission),
            card,
            ranac: event["ranac"].as_str().expect("a RANAC").to_owned(),
        }
    }

    /// Description that the page must get.
    pub fn listed(&self) -> Value {
        let (bin, last4) = (self.card.bin(), self.card.last4());
        let mut listed = json!({
            "id": self.id, "masked": format!("{} XXXX XXXX {last4}", &bin[..4]), "last4": last4
        });
        if let Some(design) = self.card.design_code() {
            listed["designCode"] = design.into();
        }
        listed
    }

    /// Whether the card is active at MRS.
    pub fn is_active(&self) -> bool {
        rewards::is_active(&self.ranac)
    }
}

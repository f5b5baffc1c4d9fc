//! A card that a customer has in the program.

use serde_json::{Value, json};

use crate::card::Card;
use crate::page::Page;
use crate::partner::Partner;
use crate::rewards;

/// A card that was enrolled, and what it is called.
#[derive(Debug, Clone)]
pub struct CardOnFile {
    /// What the page calls it: the name of the intent that enrolled it.
    pub id: String,
    /// Its number.
    pub card: Card,
    /// What MRS calls it.
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

    /// As the page is to show it.
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

    /// Whether MRS has it as a card that is not cancelled.
    pub fn is_active(&self) -> bool {
        rewards::is_active(&self.ranac)
    }
}

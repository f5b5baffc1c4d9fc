//! Card that a customer has in the program.

use serde_json::{Value, json};

use crate::card::Card;
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
    /// Description that the page must get.
    pub fn listed(&self) -> Value {
        let (bin, last4) = (self.card.bin(), self.card.last4());
        let mut listed = json!({
            "id": self.id, "masked": format!("{} XXXX XXXX {last4}", &bin[..4]), "last4": last4
        });
        if let Some(design) = self.card.design_code() {
            listed["designCode"] = design.into();
            // The demo client's colors of its designs.
            let color = if design == "Gold" { "#c9a227" } else { "#104756" };
            listed["color"] = color.into();
        }
        listed
    }

    /// Whether the card is active at MRS.
    pub fn is_active(&self) -> bool {
        rewards::is_active(&self.ranac)
    }
}

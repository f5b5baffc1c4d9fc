//! Enrollment of a card that a test needs on file.

use serde_json::json;

use crate::card::Card;
use crate::card_on_file::CardOnFile;
use crate::page::Page;
use crate::partner::Partner;

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
}

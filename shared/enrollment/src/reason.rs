//! Reasons that the page shows a customer beside a status.

/// Reason that chooses the text of the page. It is in no event and no confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The attempt limit of this hour is reached.
    Limit,
    /// The client is suspended.
    Suspended,
    /// The token has already opened a session.
    Used,
    /// The customer has as many cards as the program allows.
    CardLimit,
    /// The customer has no card that could be replaced or removed.
    NoCard,
    /// The chosen card is not in the program any more.
    CardGone,
    /// The last try of the session has failed.
    LastTry,
}

impl Reason {
    /// Word for the address of a failed opening (`reason`) and for the header `Ending-Reason`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Suspended => "suspended",
            Self::Used => "used",
            Self::CardLimit => "card_limit",
            Self::NoCard => "no_card",
            Self::CardGone => "card_gone",
            Self::LastTry => "last_try",
        }
    }
}

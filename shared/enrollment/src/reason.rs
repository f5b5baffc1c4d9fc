//! Reasons that the page tells a customer beside a status.

/// Reason that chooses the text of the page. It stands in no event and no confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The limit of attempts of this hour is reached.
    Limit,
    /// The client is suspended.
    Suspended,
    /// The token opened a session before.
    Used,
    /// The customer has as many cards as the program allows.
    CardLimit,
    /// The customer has no card that could be replaced or removed.
    NoCard,
    /// The chosen card is not in the program any more.
    CardGone,
    /// The session has no further try.
    LastTry,
}

impl Reason {
    /// The word in the address of a failed opening (`reason`) and in the header `Ending-Reason`.
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

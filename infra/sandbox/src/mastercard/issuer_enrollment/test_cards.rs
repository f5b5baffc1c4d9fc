//! Card numbers whose enrollment by a batch has an outcome of its own. All pass Luhn and are in the issuers' ranges.

use serde::Serialize;

use crate::card_number::CardNumber;
use crate::faults::ServiceError;

/// A number and what becomes of it.
#[derive(Clone, Copy, Serialize)]
pub(crate) struct IssuerCard {
    pub(crate) outcome: &'static str,
    pub(crate) number: &'static str,
    pub(crate) what: &'static str,
    #[serde(skip)]
    pub(super) effect: CardEffect,
}

/// Effect of a test card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CardEffect {
    Success,
    /// The card itself can't be enrolled.
    Failure(ServiceError),
    /// Only its token can't be made: it fails where tokens are made at once.
    NoToken(ServiceError),
    /// A failure without a reason.
    NullReason,
    /// Not in the final answer.
    LeftOut,
    /// In the final answer without status and error.
    Unstated,
    /// A success with an error.
    Contradictory,
    /// A success, with a record of somebody else's card behind it.
    ForeignId,
    /// A success that stands twice.
    Duplicate,
}

use CardEffect::{
    Contradictory, Duplicate, Failure, ForeignId, LeftOut, NoToken, NullReason, Success, Unstated,
};

/// The table; `README.md` shows the same one.
pub(crate) const ISSUER_CARDS: [IssuerCard; 22] = [
    card("enrolled", "5234000100000006", "is enrolled", Success),
    card("enrolled_second", "5234000100000105", "is enrolled", Success),
    card(
        "pan_ineligible",
        "5234000100000204",
        "`PAN_INELIGIBLE`",
        failure(400, "INVALID_STATE", "PAN_INELIGIBLE"),
    ),
    card(
        "tokenization_ineligible",
        "5234000100000303",
        "`TOKENIZATION_INELIGIBLE`, where tokens are made at once",
        no_token(400, "INVALID_STATE", "TOKENIZATION_INELIGIBLE"),
    ),
    card(
        "issuer_declined",
        "5234000100000402",
        "`ISSUER_DECLINED`, where tokens are made at once",
        no_token(400, "DECLINED", "ISSUER_DECLINED"),
    ),
    card(
        "issuer_decline",
        "5234000100000501",
        "the same, in its other spelling `ISSUER_DECLINE`",
        no_token(400, "DECLINED", "ISSUER_DECLINE"),
    ),
    card(
        "invalid_pan",
        "5234000100000600",
        "`INVALID_PAN`",
        failure(400, "INVALID_ARGUMENT", "INVALID_PAN"),
    ),
    card(
        "suspended_card",
        "5234000100000709",
        "`SUSPENDED_CARD`",
        failure(400, "INVALID_STATE", "SUSPENDED_CARD"),
    ),
    card(
        "no_response_from_issuer",
        "5234000100000808",
        "`NO_RESPONSE_FROM_ISSUER` with status 503, where tokens are made at once",
        no_token(503, "UNAVAILABLE", "NO_RESPONSE_FROM_ISSUER"),
    ),
    card(
        "account_range_not_found",
        "5234000100000907",
        "`ACCOUNT_RANGE_NOT_FOUND`",
        failure(400, "INVALID_STATE", "ACCOUNT_RANGE_NOT_FOUND"),
    ),
    card(
        "expired",
        "5234000100001004",
        "EXPIRED",
        failure(400, "INVALID_STATE", "EXPIRED"),
    ),
    card(
        "already_exists",
        "5234000100001103",
        "`ALREADY_EXISTS`",
        failure(409, "ALREADY_EXISTS", "ALREADY_EXISTS"),
    ),
    card(
        "ambiguous_consumer_identity",
        "5234000100001202",
        "`AMBIGUOUS_CONSUMER_IDENTITY`",
        failure(400, "INVALID_STATE", "AMBIGUOUS_CONSUMER_IDENTITY"),
    ),
    card(
        "invalid_value",
        "5234000100001301",
        "`INVALID_VALUE`",
        failure(400, "INVALID_ARGUMENT", "INVALID_VALUE"),
    ),
    card(
        "unexpected_error",
        "5234000100001400",
        "`UNEXPECTED_ERROR` with status 500",
        Failure(crate::faults::plain(500, "UNEXPECTED_ERROR")),
    ),
    card(
        "unknown_reason",
        "5234000100001509",
        "a reason that no table knows",
        failure(400, "INVALID_STATE", "SOMETHING_NEW"),
    ),
    card(
        "null_reason",
        "5234000100001608",
        "fails without a reason",
        NullReason,
    ),
    card(
        "left_out",
        "5234000100001707",
        "is not in the final answer",
        LeftOut,
    ),
    card(
        "unstated",
        "5234000100001806",
        "is in the final answer without status and error",
        Unstated,
    ),
    card(
        "contradictory",
        "5234000100001905",
        "is a success with an error",
        Contradictory,
    ),
    card(
        "foreign_id",
        "5234000100002002",
        "is enrolled, beside a card that nobody sent",
        ForeignId,
    ),
    card(
        "duplicate",
        "5234000100002101",
        "is enrolled, and stands twice in the answer",
        Duplicate,
    ),
];

pub(super) fn effect_of(card: &CardNumber) -> CardEffect {
    ISSUER_CARDS
        .iter()
        .find(|test| test.number == card.digits())
        .map_or(Success, |test| test.effect)
}

const fn card(
    outcome: &'static str,
    number: &'static str,
    what: &'static str,
    effect: CardEffect,
) -> IssuerCard {
    IssuerCard {
        outcome,
        number,
        what,
        effect,
    }
}

const fn failure(status: u16, reason: &'static str, detail: &'static str) -> CardEffect {
    Failure(crate::faults::detailed(status, reason, detail))
}

const fn no_token(status: u16, reason: &'static str, detail: &'static str) -> CardEffect {
    NoToken(crate::faults::detailed(status, reason, detail))
}

#[cfg(test)]
impl IssuerCard {
    /// In groups of four, as on a card.
    fn grouped(&self) -> String {
        let groups: Vec<&str> = (0..self.number.len())
            .step_by(4)
            .filter_map(|at| self.number.get(at..at + 4))
            .collect();
        groups.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card_number::passes_luhn;

    #[test]
    fn cards_pass_luhn_and_stand_in_readme_and_demo() {
        let readme = include_str!("../../../README.md");
        let cards: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(include_str!("../../../../local/demo/issuer-cards.json")).unwrap();
        assert_eq!(cards.len(), ISSUER_CARDS.len());
        for (place, card) in ISSUER_CARDS.iter().enumerate() {
            assert!(passes_luhn(card.number), "{}", card.number);
            let earlier = &ISSUER_CARDS[..place];
            assert!(
                earlier
                    .iter()
                    .all(|other| other.number != card.number && other.outcome != card.outcome)
            );
            assert_eq!(cards[card.outcome], card.number);
            let row = format!("| `{}` | `{}` | {} |", card.outcome, card.grouped(), card.what);
            assert!(readme.contains(&row), "{row}");
        }
    }
}

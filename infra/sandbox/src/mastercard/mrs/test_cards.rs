//! Card numbers that make something happen. All pass Luhn; all but the last are in the demo program's ranges.

use std::time::Duration;

use serde::Serialize;

use crate::card_number::CardNumber;
use crate::faults::{Effect, Kind};

/// A number, and the effect of each enrollment of it.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TestCard {
    pub(crate) number: &'static str,
    pub(crate) what: &'static str,
    #[serde(skip)]
    effect: Option<Effect>,
}

/// Longer than the 60 s after which an open enrollment is given up.
const LATE: Duration = Duration::from_secs(90);

/// The table; `README.md` shows the same one.
pub(crate) const TEST_CARDS: [TestCard; 27] = [
    plain("5234000000090123", "is enrolled"),
    plain("5234000000000007", "is enrolled"),
    plain("5412340000000001", "is enrolled (BIN 541234)"),
    fault(
        "5234000000000015",
        "12 s of silence, then it is enrolled",
        Effect::new(Kind::SlowBefore),
    ),
    fault(
        "5234000000000023",
        "is enrolled, the answer comes after 12 s",
        Effect::new(Kind::SlowAfter),
    ),
    fault(
        "5234000000000031",
        "90 s of silence, then it is enrolled",
        Effect::slow(Kind::SlowBefore, LATE),
    ),
    fault(
        "5234000000000106",
        "connection cut, not enrolled",
        Effect::new(Kind::CutBefore),
    ),
    fault(
        "5234000000000114",
        "is enrolled, then the connection is cut",
        Effect::new(Kind::CutAfter),
    ),
    fault(
        "5234000000000205",
        "HTTP 500, not enrolled",
        Effect::new(Kind::Http500Before),
    ),
    fault(
        "5234000000000213",
        "is enrolled, then HTTP 500",
        Effect::new(Kind::Http500After),
    ),
    fault(
        "5234000000000304",
        "is enrolled, half of the answer comes",
        Effect::new(Kind::MalformedAfter),
    ),
    fault(
        "5234000000000403",
        "-1001, not enrolled",
        Effect::with_code(Kind::CodeBefore, -1001),
    ),
    fault(
        "5234000000000411",
        "-1001, yet it is enrolled",
        Effect::with_code(Kind::CodeAfter, -1001),
    ),
    fault(
        "5234000000001013",
        "-1 Invalid parameters",
        Effect::with_code(Kind::CodeBefore, -1),
    ),
    fault(
        "5234000000001054",
        "-5 Account not found",
        Effect::with_code(Kind::CodeBefore, -5),
    ),
    fault(
        "5234000000001104",
        "-10 Invalid account status",
        Effect::with_code(Kind::CodeBefore, -10),
    ),
    fault(
        "5234000000001328",
        "-32 Invalid program id",
        Effect::with_code(Kind::CodeBefore, -32),
    ),
    fault(
        "5234000000001443",
        "-44 Invalid bank account number",
        Effect::with_code(Kind::CodeBefore, -44),
    ),
    fault(
        "5234000000001450",
        "-45 Card already enrolled",
        Effect::with_code(Kind::CodeBefore, -45),
    ),
    fault(
        "5234000000001468",
        "-46 Invalid bank product code",
        Effect::with_code(Kind::CodeBefore, -46),
    ),
    fault(
        "5234000000001476",
        "-47 Invalid account status code",
        Effect::with_code(Kind::CodeBefore, -47),
    ),
    fault(
        "5234000000001484",
        "-48 Invalid program identifier",
        Effect::with_code(Kind::CodeBefore, -48),
    ),
    fault(
        "5234000000001500",
        "-50 Customer already enrolled",
        Effect::with_code(Kind::CodeBefore, -50),
    ),
    fault(
        "5234000000001526",
        "-52 Not qualified for the program",
        Effect::with_code(Kind::CodeBefore, -52),
    ),
    fault(
        "5234000000001856",
        "-85 Account does not exist",
        Effect::with_code(Kind::CodeBefore, -85),
    ),
    fault(
        "5234000000001997",
        "-199, a code that no table knows",
        Effect::with_code(Kind::CodeBefore, -199),
    ),
    plain(
        "5555555555554444",
        "outside the program's ranges: the page refuses it, MRS would say -52",
    ),
];

/// Effect of enrolling this card, beside or instead of the enrollment.
pub(crate) fn effect_of(card: &CardNumber) -> Option<Effect> {
    TEST_CARDS
        .iter()
        .find(|test| test.number == card.digits())
        .and_then(|test| test.effect)
}

const fn plain(number: &'static str, what: &'static str) -> TestCard {
    TestCard {
        number,
        what,
        effect: None,
    }
}

const fn fault(number: &'static str, what: &'static str, effect: Effect) -> TestCard {
    TestCard {
        number,
        what,
        effect: Some(effect),
    }
}

impl TestCard {
    /// In groups of four, as on a card.
    pub(crate) fn grouped(&self) -> String {
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
    fn every_test_card_passes_luhn_and_stands_once() {
        for (place, card) in TEST_CARDS.iter().enumerate() {
            assert!(passes_luhn(card.number), "{}", card.number);
            assert!(
                TEST_CARDS[..place]
                    .iter()
                    .all(|other| other.number != card.number),
                "{}",
                card.number
            );
        }
    }

    #[test]
    fn the_readme_shows_the_same_table() {
        let readme = include_str!("../../../README.md");
        for card in &TEST_CARDS {
            let row = format!("| `{}` | {} |", card.grouped(), card.what);
            assert!(readme.contains(&row), "{row}");
        }
    }
}

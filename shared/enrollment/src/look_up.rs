//! Look-ups: what MRS says about the accounts under a bank customer number, and what follows from it. Absence must be a
//! positive statement; what MRS did not say, or what is not understood, is unknown (`docs/contract.md#look-ups`).

use crate::identifiers::{Last4, ProgramId, Ranac};
use crate::log::LogText;

/// An account as MRS lists it. Members that it left out are `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// MRS's id of the card.
    pub ranac: Option<Ranac>,
    /// Whether the card is in the program.
    pub status: AccountStatus,
    /// The program identifier.
    pub program: Option<String>,
    /// MRS's own last four digits.
    pub last4: Option<Last4>,
}

/// Whether MRS holds a card in the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountStatus {
    /// It does, whatever the card may be used for.
    Active,
    /// It did.
    Cancelled,
    /// It gives no status, or one that is not known here.
    Unknown,
}

/// The answer to one look-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookUp {
    /// A well-formed list of all accounts, cancelled ones included. It may be empty.
    Listed(Vec<Account>),
    /// -5 or -85. Where the tables have a card under the number, the institution's name may be wrong.
    NotFound,
    /// No answer, or none that is understood. The reason is for the log.
    Unknown(LogText),
}

/// An active card that MRS holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MrsCard {
    /// MRS's id of it.
    pub ranac: Ranac,
    /// MRS's own last four digits, where it gives them.
    pub last4: Option<Last4>,
}

/// What a look-up proves about one card, or about what an intent enrolled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// MRS holds it. There is at least one; more than one only where MRS breaks its own rule.
    Active(Vec<MrsCard>),
    /// MRS held it, and cancelled it.
    Cancelled,
    /// MRS lists nothing, or others only.
    Absent,
    /// Nothing is proved.
    Unknown,
}

impl Finding {
    /// Whether MRS holds it no longer, by a positive statement.
    pub fn is_gone(&self) -> bool {
        matches!(self, Self::Cancelled | Self::Absent)
    }
}

/// By what the account of an intent is recognized.
#[derive(Debug, Clone, Copy)]
pub enum Claim<'a> {
    /// The number was made for the intent: whatever stands under it is the intent's.
    Number,
    /// The number is the customer's: other programs and earlier cards stand under it too.
    Members {
        /// The intent's program.
        program: &'a ProgramId,
        /// The last four digits that the browser gave.
        last4: Last4,
        /// The RANACs that MRS listed before the enrollment; `None` where it was not asked.
        present_before: Option<&'a [Ranac]>,
        /// The RANACs of the customer's cards in the tables.
        recorded: &'a [Ranac],
    },
}

/// Whose an account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Intent,
    Other,
    Unknown,
}

impl LookUp {
    /// All accounts under the number; `None` where the answer proves nothing. `is_recorded`: the tables have a card under
    /// the number that is not cancelled.
    pub fn accounts(&self, is_recorded: bool) -> Option<&[Account]> {
        match self {
            Self::Listed(accounts) => Some(accounts),
            Self::NotFound if !is_recorded => Some(&[]),
            Self::NotFound | Self::Unknown(_) => None,
        }
    }

    /// Looks for the card of a RANAC.
    pub fn card(&self, ranac: &Ranac, is_recorded: bool) -> Finding {
        let Some(accounts) = self.accounts(is_recorded) else {
            return Finding::Unknown;
        };
        let named = accounts
            .iter()
            .find(|account| account.ranac.as_ref() == Some(ranac));
        match named {
            Some(account) => match account.status {
                AccountStatus::Active => Finding::Active(account.held().into_iter().collect()),
                AccountStatus::Cancelled => Finding::Cancelled,
                AccountStatus::Unknown => Finding::Unknown,
            },
            // It may be the one whose reference MRS left out.
            None if accounts.iter().any(Account::is_unnamed) => Finding::Unknown,
            None => Finding::Absent,
        }
    }

    /// Looks for what an intent enrolled, whose card is not in the tables yet.
    pub fn of_intent(&self, claim: Claim<'_>, is_recorded: bool) -> Finding {
        let Some(accounts) = self.accounts(is_recorded) else {
            return Finding::Unknown;
        };
        let owned: Vec<(&Account, Owner)> = accounts
            .iter()
            .map(|account| (account, claim.owner_of(account)))
            .collect();
        let of_intent = |status: AccountStatus| {
            owned
                .iter()
                .filter(move |(account, owner)| *owner == Owner::Intent && account.status == status)
        };
        let active: Vec<MrsCard> = of_intent(AccountStatus::Active)
            .filter_map(|(account, _)| account.held())
            .collect();
        if !active.is_empty() {
            Finding::Active(active)
        } else if owned.iter().any(|(_, owner)| *owner == Owner::Unknown) {
            Finding::Unknown
        } else if of_intent(AccountStatus::Cancelled).next().is_some() {
            Finding::Cancelled
        } else {
            Finding::Absent
        }
    }
}

impl Account {
    /// As a card that MRS holds; `None` where it does not, or left the reference out.
    pub fn held(&self) -> Option<MrsCard> {
        let ranac = self.ranac.clone()?;
        (self.status == AccountStatus::Active).then_some(MrsCard {
            ranac,
            last4: self.last4,
        })
    }

    /// Whether it could be any card: MRS left the reference out. A cancelled account may have lost it.
    pub fn is_unnamed(&self) -> bool {
        self.ranac.is_none() && self.status != AccountStatus::Cancelled
    }
}

impl Claim<'_> {
    fn owner_of(self, account: &Account) -> Owner {
        match self {
            Self::Number if account.status == AccountStatus::Unknown || account.is_unnamed() => {
                Owner::Unknown
            }
            Self::Number => Owner::Intent,
            Self::Members {
                program,
                last4,
                present_before,
                recorded,
            } => {
                let is_among =
                    |ranacs: &[Ranac]| account.ranac.as_ref().is_some_and(|ranac| ranacs.contains(ranac));
                let is_another = account
                    .program
                    .as_deref()
                    .is_some_and(|told| told != program.as_str())
                    || account.last4.is_some_and(|told| told != last4)
                    || present_before.is_some_and(is_among)
                    || is_among(recorded);
                let is_complete = account.ranac.is_some()
                    && account.program.is_some()
                    && account.last4.is_some()
                    && present_before.is_some();
                match account.status {
                    _ if is_another => Owner::Other,
                    AccountStatus::Active | AccountStatus::Cancelled if is_complete => Owner::Intent,
                    // What is cancelled needs no decision.
                    AccountStatus::Cancelled => Owner::Other,
                    AccountStatus::Active | AccountStatus::Unknown => Owner::Unknown,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROGRAM: &str = "10765";

    fn ranac(text: &str) -> Ranac {
        Ranac::parse(text).unwrap()
    }

    fn last4(text: &str) -> Last4 {
        Last4::parse(text).unwrap()
    }

    fn account(name: &str, status: AccountStatus) -> Account {
        Account {
            ranac: Some(ranac(name)),
            status,
            program: Some(PROGRAM.into()),
            last4: Some(last4("0123")),
        }
    }

    fn active(name: &str) -> Account {
        account(name, AccountStatus::Active)
    }

    fn found(names: &[&str]) -> Finding {
        Finding::Active(
            names
                .iter()
                .map(|name| MrsCard {
                    ranac: ranac(name),
                    last4: Some(last4("0123")),
                })
                .collect(),
        )
    }

    fn cancelled(name: &str) -> Account {
        account(name, AccountStatus::Cancelled)
    }

    #[test]
    fn a_card_is_gone_only_by_a_positive_statement() {
        let unnamed = Account {
            ranac: None,
            ..active("2")
        };
        let no_status = account("1", AccountStatus::Unknown);
        for (look_up, is_recorded, expected) in [
            (
                LookUp::Listed(vec![active("2"), active("1")]),
                true,
                found(&["1"]),
            ),
            (LookUp::Listed(vec![cancelled("1")]), true, Finding::Cancelled),
            (LookUp::Listed(vec![]), true, Finding::Absent),
            (LookUp::Listed(vec![active("2")]), true, Finding::Absent),
            (LookUp::Listed(vec![no_status]), true, Finding::Unknown),
            (LookUp::Listed(vec![unnamed]), true, Finding::Unknown),
            (LookUp::NotFound, false, Finding::Absent),
            (LookUp::NotFound, true, Finding::Unknown),
            (LookUp::Unknown("no list".into()), false, Finding::Unknown),
        ] {
            assert_eq!(look_up.card(&ranac("1"), is_recorded), expected, "{look_up:?}");
        }
    }

    #[test]
    fn all_under_a_number_of_its_own_is_the_intent_s() {
        let of = |accounts: Vec<Account>| LookUp::Listed(accounts).of_intent(Claim::Number, false);
        let other_digits = Account {
            program: None,
            ..active("1")
        };
        assert_eq!(of(vec![other_digits]), found(&["1"]));
        assert_eq!(of(vec![cancelled("1"), active("2")]), found(&["2"]));
        assert_eq!(of(vec![cancelled("1")]), Finding::Cancelled);
        assert_eq!(of(vec![]), Finding::Absent);
        assert_eq!(of(vec![account("1", AccountStatus::Unknown)]), Finding::Unknown);
        assert_eq!(
            of(vec![Account {
                ranac: None,
                ..active("1")
            }]),
            Finding::Unknown
        );
        assert_eq!(LookUp::NotFound.of_intent(Claim::Number, false), Finding::Absent);
        assert_eq!(LookUp::NotFound.of_intent(Claim::Number, true), Finding::Unknown);
    }

    #[test]
    fn under_the_number_of_a_customer_all_members_must_fit() {
        let program = ProgramId::parse(PROGRAM).unwrap();
        let before = [ranac("7")];
        let recorded = [ranac("8")];
        let claim = |present_before| Claim::Members {
            program: &program,
            last4: last4("0123"),
            present_before,
            recorded: &recorded,
        };
        let of = |accounts: Vec<Account>| LookUp::Listed(accounts).of_intent(claim(Some(&before[..])), false);
        let elsewhere = Account {
            program: Some("20765".into()),
            ..active("2")
        };
        let other_digits = Account {
            last4: Some(last4("9999")),
            ..active("3")
        };
        let others = vec![elsewhere, other_digits, active("7"), active("8")];
        assert_eq!(of(others.clone()), Finding::Absent);
        assert_eq!(of([others.clone(), vec![active("1")]].concat()), found(&["1"]));
        assert_eq!(of(vec![cancelled("1")]), Finding::Cancelled);
        for left_out in [
            Account {
                ranac: None,
                ..active("1")
            },
            Account {
                program: None,
                ..active("1")
            },
            Account {
                last4: None,
                ..active("1")
            },
            account("1", AccountStatus::Unknown),
        ] {
            let accounts = [others.clone(), vec![left_out.clone()]].concat();
            assert_eq!(of(accounts), Finding::Unknown, "{left_out:?}");
        }
        let elsewhere = Account {
            last4: None,
            program: Some("20765".into()),
            ..active("1")
        };
        assert_eq!(
            of(vec![elsewhere]),
            Finding::Absent,
            "one member that differs is enough"
        );
        let not_asked = LookUp::Listed(vec![active("1")]).of_intent(claim(None), false);
        assert_eq!(not_asked, Finding::Unknown);
    }
}

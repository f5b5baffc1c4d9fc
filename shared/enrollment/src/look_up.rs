//! Look-ups of the accounts under a bank customer number at MRS, and the findings that they allow. A card is absent only by a
//! positive statement of MRS. Whatever MRS left out, or answered in a form that is not understood, is unknown
//! (`docs/contract.md#look-ups`).

use crate::identifiers::{Last4, ProgramId, Ranac};
use crate::log::LogText;

/// Account as MRS lists it. Members that MRS left out are `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// MRS's id of the card.
    pub ranac: Option<Ranac>,
    /// Status of the card at MRS.
    pub status: AccountStatus,
    /// Program identifier.
    pub program: Option<String>,
    /// MRS's own last four digits.
    pub last4: Option<Last4>,
}

/// Status of a card at MRS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountStatus {
    /// The card is in the program, whatever it may be used for.
    Active,
    /// The card has left the program.
    Cancelled,
    /// MRS gave no status, or one that is not known here.
    Unknown,
}

/// Answer to one look-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookUp {
    /// Well-formed list of all accounts, including cancelled ones. It may be empty.
    Listed(Vec<Account>),
    /// The code -5 or -85. Where the tables have a card under the number, the institution name may be wrong.
    NotFound,
    /// No answer, or one that is not understood. The reason is for the log.
    Unknown(LogText),
}

/// Active card at MRS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MrsCard {
    /// MRS's id of the card.
    pub ranac: Ranac,
    /// MRS's own last four digits, where it gives them.
    pub last4: Option<Last4>,
}

/// Finding of a look-up about one card, or about the card of an intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// MRS has the card as active. There is at least one; more than one only where MRS breaks its own rule.
    Active(Vec<MrsCard>),
    /// MRS has cancelled the card.
    Cancelled,
    /// MRS lists no card, or only others.
    Absent,
    /// The answer proves nothing.
    Unknown,
}

impl Finding {
    /// Whether MRS stated that the card is not active.
    pub fn is_gone(&self) -> bool {
        matches!(self, Self::Cancelled | Self::Absent)
    }
}

/// Rule by which the account of an intent is recognized.
#[derive(Debug, Clone, Copy)]
pub enum AccountRule<'a> {
    /// The number was made for the intent, so every account under it is the intent's.
    Number,
    /// The number is the customer's, so accounts of other programs and of earlier cards may be under it too.
    Members {
        /// Program of the intent.
        program: &'a ProgramId,
        /// Last four digits, as the browser gave them.
        last4: Last4,
        /// RANACs that MRS listed before the enrollment; `None` where MRS was not asked.
        present_before: Option<&'a [Ranac]>,
        /// RANACs of the customer's cards in the tables.
        recorded: &'a [Ranac],
    },
}

/// Owner of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Intent,
    Other,
    Unknown,
}

impl LookUp {
    /// All accounts under the number; `None` where the answer proves nothing. `is_recorded` says whether the tables have a
    /// card under the number that is not cancelled.
    pub fn accounts(&self, is_recorded: bool) -> Option<&[Account]> {
        match self {
            Self::Listed(accounts) => Some(accounts),
            Self::NotFound if !is_recorded => Some(&[]),
            Self::NotFound | Self::Unknown(_) => None,
        }
    }

    /// Finds the card of a RANAC.
    pub fn card(&self, ranac: &Ranac, is_recorded: bool) -> Finding {
        let Some(accounts) = self.accounts(is_recorded) else {
            return Finding::Unknown;
        };
        let named = accounts
            .iter()
            .find(|account| account.ranac.as_ref() == Some(ranac));
        match named {
            Some(account) => match account.status {
                AccountStatus::Active => Finding::Active(account.mrs_card().into_iter().collect()),
                AccountStatus::Cancelled => Finding::Cancelled,
                AccountStatus::Unknown => Finding::Unknown,
            },
            // It may be an account whose RANAC MRS left out.
            None if accounts.iter().any(Account::is_unnamed) => Finding::Unknown,
            None => Finding::Absent,
        }
    }

    /// Finds the card of an intent that is not in the tables yet.
    pub fn of_intent(&self, rule: AccountRule<'_>, is_recorded: bool) -> Finding {
        let Some(accounts) = self.accounts(is_recorded) else {
            return Finding::Unknown;
        };
        let owned: Vec<(&Account, Owner)> = accounts
            .iter()
            .map(|account| (account, rule.owner_of(account)))
            .collect();
        let of_intent = |status: AccountStatus| {
            owned
                .iter()
                .filter(move |(account, owner)| *owner == Owner::Intent && account.status == status)
        };
        let active: Vec<MrsCard> = of_intent(AccountStatus::Active)
            .filter_map(|(account, _)| account.mrs_card())
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
    /// Card of an active account; `None` where the account is not active, or its RANAC was left out.
    pub fn mrs_card(&self) -> Option<MrsCard> {
        let ranac = self.ranac.clone()?;
        (self.status == AccountStatus::Active).then_some(MrsCard {
            ranac,
            last4: self.last4,
        })
    }

    /// Whether the account may be that of any card, since MRS left out its RANAC. A cancelled account needs none.
    pub fn is_unnamed(&self) -> bool {
        self.ranac.is_none() && self.status != AccountStatus::Cancelled
    }
}

impl AccountRule<'_> {
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
                    // A cancelled account needs no decision.
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
    fn card_is_absent_only_by_a_statement() {
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
    fn every_account_under_an_own_number_matches() {
        let of = |accounts: Vec<Account>| LookUp::Listed(accounts).of_intent(AccountRule::Number, false);
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
        assert_eq!(
            LookUp::NotFound.of_intent(AccountRule::Number, false),
            Finding::Absent
        );
        assert_eq!(
            LookUp::NotFound.of_intent(AccountRule::Number, true),
            Finding::Unknown
        );
    }

    #[test]
    fn all_members_must_match_under_a_customer_number() {
        let program = ProgramId::parse(PROGRAM).unwrap();
        let before = [ranac("7")];
        let recorded = [ranac("8")];
        let rule = |present_before| AccountRule::Members {
            program: &program,
            last4: last4("0123"),
            present_before,
            recorded: &recorded,
        };
        let of = |accounts: Vec<Account>| LookUp::Listed(accounts).of_intent(rule(Some(&before[..])), false);
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
        let not_asked = LookUp::Listed(vec![active("1")]).of_intent(rule(None), false);
        assert_eq!(not_asked, Finding::Unknown);
    }
}

//! Reconciliation: whether MRS and the tables agree about a client's cards, and what is to be done where they do not.
//!
//! MRS has no list of a client's cards: it is asked for every bank customer number that the tables know. A card under a
//! number that nobody knows any more can't be found.

use futures_util::{StreamExt as _, stream};

use super::settle::{LetGo, let_go};
use crate::client::Client;
use crate::identifiers::{ActionCode, BankCustomerNumber, IntentId, Last4, ProgramId, Ranac};
use crate::intent::{Card, CardState, Customer};
use crate::log::{by_display, error};
use crate::ports::{
    Clock, Cursor, CustomerKey, Enrolments, Entry, HeldCard, Ledger, Rewards, RewardsError, StoreError,
};

/// How many customers MRS is asked about at once.
const AT_ONCE: usize = 8;

/// What a reconciliation needs.
pub struct Reconciling<'a> {
    /// Customers and failed intents.
    pub ledger: &'a dyn Ledger,
    /// Failed intents.
    pub enrolments: &'a dyn Enrolments,
    /// MRS.
    pub rewards: &'a dyn Rewards,
    /// The time.
    pub clock: &'a dyn Clock,
}

/// One difference.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// In which program.
    pub program: ProgramId,
    /// The customer, where there is one.
    pub customer: Option<CustomerKey>,
    /// What MRS knows the card by.
    pub number: BankCustomerNumber,
    /// What it is.
    pub kind: Kind,
    /// What became of it.
    pub mended: Mended,
}

/// What differs.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// The card is active here, and MRS does not hold it. Mended by cancelling it here.
    Missing(Card),
    /// The card was cancelled here, and MRS holds it. Mended by cancelling it there.
    StillActive(Card),
    /// MRS holds a card that is not known here. Mended by cancelling it there.
    Stray(HeldCard),
    /// MRS says other last four digits. Mended by taking MRS's.
    Last4(Card, Last4),
}

impl Kind {
    /// One word for it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Missing(_) => "missing",
            Self::StillActive(_) => "still-active",
            Self::Stray(_) => "stray",
            Self::Last4(..) => "last4",
        }
    }

    /// The last four digits of the card, where they are known.
    pub fn last4(&self) -> Option<Last4> {
        match self {
            Self::Missing(card) | Self::StillActive(card) | Self::Last4(card, _) => Some(card.last4),
            Self::Stray(held) => held.last4,
        }
    }

    /// MRS's name of the card.
    pub fn ranac(&self) -> &Ranac {
        match self {
            Self::Missing(card) | Self::StillActive(card) | Self::Last4(card, _) => &card.ranac,
            Self::Stray(held) => &held.ranac,
        }
    }
}

/// What became of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mended {
    /// It was only to be told.
    Told,
    /// It is no more.
    Yes,
    /// It stands: MRS refused or did not answer, or the customer was at work.
    No,
}

/// What was seen besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reconciled {
    /// Customers that were compared.
    pub customers: usize,
    /// Cards that both have as active.
    pub agreed: usize,
    /// Customers of whom something is under way: settlement is at them.
    pub unsettled: usize,
    /// Customers and failed intents that could not be compared: MRS did not answer, or the record can't be read.
    pub failed: usize,
}

/// What came of one entry.
#[derive(Default)]
struct Compared {
    differences: Vec<Difference>,
    sum: Reconciled,
}

impl Reconciling<'_> {
    /// Compares all of a client's cards with what MRS holds, mends what differs if `mend`, and gives each difference to
    /// `tell` as it is found.
    ///
    /// # Errors
    /// Where the table can't be gone through. One customer that fails keeps no other from being compared.
    pub async fn reconcile(
        &self,
        client: &Client,
        mend: bool,
        mut tell: impl FnMut(&Difference),
    ) -> Result<Reconciled, StoreError> {
        let mut sum = Reconciled::default();
        let mut from: Option<Cursor> = None;
        loop {
            let page = self.ledger.entries(&client.id, from.as_ref()).await?;
            let mut compared = stream::iter(page.entries)
                .map(|entry| self.entry_or_failed(client, entry, mend))
                .buffer_unordered(AT_ONCE);
            while let Some(Compared {
                differences,
                sum: one,
            }) = compared.next().await
            {
                differences.iter().for_each(&mut tell);
                sum.customers += one.customers;
                sum.agreed += one.agreed;
                sum.unsettled += one.unsettled;
                sum.failed += one.failed;
            }
            drop(compared);
            from = page.next;
            if from.is_none() {
                return Ok(sum);
            }
        }
    }

    async fn entry_or_failed(&self, client: &Client, entry: Entry, mend: bool) -> Compared {
        match self.entry(client, entry, mend).await {
            Ok(compared) => compared,
            Err(cause) => {
                error!(error = cause, client = client.id, "a record can't be compared");
                Compared {
                    sum: Reconciled {
                        failed: 1,
                        ..Reconciled::default()
                    },
                    ..Compared::default()
                }
            }
        }
    }

    async fn entry(&self, client: &Client, entry: Entry, mend: bool) -> Result<Compared, Failed> {
        match entry {
            Entry::Customer(program, key) => self.customer(client, program, key, mend).await,
            Entry::Failed(intent) => self.failed_intent(client, intent, mend).await,
        }
    }

    async fn customer(
        &self,
        client: &Client,
        program: ProgramId,
        key: CustomerKey,
        mend: bool,
    ) -> Result<Compared, Failed> {
        let customer = self.ledger.by_key(&client.id, &key).await?;
        let mut compared = Compared::default();
        compared.sum.customers = 1;
        if !is_quiet(&customer) {
            compared.sum.unsettled = 1;
            return Ok(compared);
        }
        let mut held_by_number = Vec::new();
        for number in numbers_of(&customer) {
            held_by_number.push((number, self.rewards.find(client.institution(), number).await?));
        }
        // What MRS held by then is compared with what is stored after that: a card that came in between is no stray.
        let after = self.ledger.by_key(&client.id, &key).await?;
        if !is_quiet(&after) || after.count.version != customer.count.version {
            compared.sum.unsettled = 1;
            return Ok(compared);
        }
        for (number, held) in held_by_number {
            let (kinds, agreed) = compare(&after, number, &held);
            compared.sum.agreed += agreed;
            for kind in kinds {
                let mut difference = Difference {
                    program: program.clone(),
                    customer: Some(key.clone()),
                    number: number.clone(),
                    kind,
                    mended: Mended::Told,
                };
                if mend {
                    difference.mended = self.mend(client, &difference).await?;
                }
                compared.differences.push(difference);
            }
        }
        Ok(compared)
    }

    /// MRS may hold a card for an intent that was given up.
    async fn failed_intent(&self, client: &Client, id: IntentId, mend: bool) -> Result<Compared, Failed> {
        let mut compared = Compared::default();
        let Some(intent) = self.enrolments.intent(id).await? else {
            return Ok(compared);
        };
        // An opt-out's number is that of a card, which is compared with its customer.
        let is_over = intent
            .outcome
            .as_ref()
            .is_some_and(|outcome| !outcome.status.is_success() && !outcome.leftover);
        if !is_over || intent.action == ActionCode::OptOut {
            return Ok(compared);
        }
        let held = self
            .rewards
            .find(client.institution(), &intent.bank_customer_number)
            .await?;
        // Read after MRS was asked, as above.
        let customer = self
            .enrolments
            .customer(&intent.client, &intent.program, &intent.customer)
            .await?;
        let is_of_a_card = numbers_of(&customer).contains(&&intent.bank_customer_number);
        if is_of_a_card || !is_quiet(&customer) {
            return Ok(compared);
        }
        for held in held {
            let mut difference = Difference {
                program: intent.program.clone(),
                customer: None,
                number: intent.bank_customer_number.clone(),
                kind: Kind::Stray(held),
                mended: Mended::Told,
            };
            if mend {
                difference.mended = self.mend(client, &difference).await?;
            }
            compared.differences.push(difference);
        }
        Ok(compared)
    }

    async fn mend(&self, client: &Client, difference: &Difference) -> Result<Mended, StoreError> {
        let retention_days = client.retention_days(&difference.program);
        Ok(match (&difference.kind, &difference.customer) {
            (Kind::Missing(card), Some(key)) => {
                let place = (&client.id, &difference.program, key);
                let now = self.clock.now();
                if self.ledger.strike_off(place, card, retention_days, now).await? {
                    Mended::Yes
                } else {
                    Mended::No
                }
            }
            (Kind::Last4(card, last4), Some(key)) => {
                self.ledger.correct(key, card.id, *last4).await?;
                Mended::Yes
            }
            (Kind::StillActive(_) | Kind::Stray(_), _) => {
                let ranac = difference.kind.ranac();
                match let_go(self.rewards, client.institution(), &difference.number, ranac).await {
                    LetGo::Gone => Mended::Yes,
                    LetGo::Refused(_) | LetGo::Unknown => Mended::No,
                }
            }
            (Kind::Missing(_) | Kind::Last4(..), None) => Mended::No,
        })
    }
}

/// Why an entry can't be compared.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Rewards(#[from] RewardsError),
}

by_display!(Failed);

/// Nothing is under way that would change what is compared.
fn is_quiet(customer: &Customer) -> bool {
    let is_still = |card: &Card| matches!(card.state, CardState::Active | CardState::Cancelled { .. });
    customer.count.pending + customer.count.changing == 0 && customer.cards.iter().all(is_still)
}

/// Each once: where the customer id is the number, all cards have the same.
fn numbers_of(customer: &Customer) -> Vec<&BankCustomerNumber> {
    let mut numbers: Vec<&BankCustomerNumber> = Vec::new();
    for card in &customer.cards {
        if !numbers.contains(&&card.bank_customer_number) {
            numbers.push(&card.bank_customer_number);
        }
    }
    numbers
}

/// What differs under one number, and how many cards agree.
fn compare(customer: &Customer, number: &BankCustomerNumber, held: &[HeldCard]) -> (Vec<Kind>, usize) {
    let mut kinds = Vec::new();
    let mut agreed = 0;
    for card in customer
        .cards
        .iter()
        .filter(|card| card.bank_customer_number == *number)
    {
        let at_mrs = held.iter().find(|held| held.ranac == card.ranac);
        match (card.state, at_mrs) {
            (CardState::Active, None) => kinds.push(Kind::Missing(card.clone())),
            (CardState::Active, Some(held)) => {
                agreed += 1;
                kinds.extend(
                    held.last4
                        .filter(|last4| *last4 != card.last4)
                        .map(|last4| Kind::Last4(card.clone(), last4)),
                );
            }
            (_, Some(_)) => kinds.push(Kind::StillActive(card.clone())),
            (_, None) => {}
        }
    }
    let is_stray = |held: &&HeldCard| customer.cards.iter().all(|card| card.ranac != held.ranac);
    kinds.extend(held.iter().filter(is_stray).cloned().map(Kind::Stray));
    (kinds, agreed)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::identifiers::{Bin, IdempotencyKey, SessionToken};
    use crate::intent::CardCount;
    use crate::testing::Seeded;

    fn number(text: &str) -> BankCustomerNumber {
        BankCustomerNumber::parse(text).unwrap()
    }

    fn card(ranac: &str, bank_customer_number: &str, state: CardState) -> Card {
        let session = SessionToken::random(&Seeded::new(7)).id();
        Card {
            id: IntentId::derive(session, &IdempotencyKey::parse("key-of-sixteen-ch").unwrap()),
            ranac: Ranac::parse(ranac).unwrap(),
            bank_customer_number: number(bank_customer_number),
            bin: Bin::parse("523400").unwrap(),
            last4: Last4::parse("0123").unwrap(),
            design_code: None,
            state,
            enrolled_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn held(ranac: &str, last4: &str) -> HeldCard {
        HeldCard {
            ranac: Ranac::parse(ranac).unwrap(),
            last4: Last4::parse(last4).ok(),
        }
    }

    fn customer(cards: Vec<Card>) -> Customer {
        Customer {
            cards,
            ..Customer::default()
        }
    }

    const CANCELLED: CardState = CardState::Cancelled {
        at: Timestamp::UNIX_EPOCH,
    };

    #[test]
    fn what_both_have_agrees_and_what_one_has_differs() {
        let (active, gone) = (card("1", "a", CardState::Active), card("2", "b", CANCELLED));
        let customer = customer(vec![active.clone(), gone.clone()]);
        let of = |number_of: &str, held: &[HeldCard]| compare(&customer, &number(number_of), held);
        assert_eq!(of("a", &[held("1", "0123")]), (vec![], 1));
        assert_eq!(of("a", &[held("1", "")]), (vec![], 1), "MRS need not tell digits");
        assert_eq!(of("b", &[]), (vec![], 0));
        assert_eq!(of("a", &[]), (vec![Kind::Missing(active.clone())], 0));
        assert_eq!(of("b", &[held("2", "0123")]), (vec![Kind::StillActive(gone)], 0));
        assert_eq!(
            of("a", &[held("1", "0123"), held("9", "7777")]),
            (vec![Kind::Stray(held("9", "7777"))], 1)
        );
        let last4 = Last4::parse("9999").unwrap();
        assert_eq!(
            of("a", &[held("1", "9999")]),
            (vec![Kind::Last4(active, last4)], 1)
        );
    }

    #[test]
    fn cards_under_one_number_are_told_apart_by_their_ranacs() {
        let (gone, active) = (card("1", "a", CANCELLED), card("2", "a", CardState::Active));
        let customer = customer(vec![gone, active]);
        assert_eq!(numbers_of(&customer).len(), 1);
        assert_eq!(
            compare(&customer, &number("a"), &[held("2", "0123")]),
            (vec![], 1)
        );
    }

    #[test]
    fn a_customer_whom_settlement_is_at_is_left_to_it() {
        assert!(is_quiet(&customer(vec![card("1", "a", CardState::Active)])));
        for state in [CardState::Held, CardState::Leaving] {
            assert!(!is_quiet(&customer(vec![card("1", "a", state)])));
        }
        let mut open = customer(vec![]);
        open.count = CardCount {
            pending: 1,
            ..CardCount::default()
        };
        assert!(!is_quiet(&open));
    }
}

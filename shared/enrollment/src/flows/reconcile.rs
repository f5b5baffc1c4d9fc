//! Reconciliation of a client's cards: differences between MRS and the tables, and their repair.
//!
//! MRS has no list of a client's cards, so every bank customer number in the tables is looked up. A card under a number that is
//! not in the tables any more can't be found.
//!
//! Tests: `shared/enrollment/tests/flows/reconcile.rs` over the model of the stores, `tests/interop` with the operator's
//! command, and the unit tests below for the comparison.

use futures_util::{StreamExt as _, stream};

use super::settle::{Cancellation, cancel_card, customer_of, finding, is_recorded};
use crate::action::ActionCode;
use crate::client::{BankCustomerNumberKind, Client};
use crate::clock::Clock;
use crate::identifiers::{BankCustomerNumber, IntentId, Last4, ProgramId, Ranac};
use crate::intent::{Card, CardState, Customer};
use crate::log::error;
use crate::look_up::{Account, AccountStatus, Finding, LookUp, MrsCard};
use crate::ports::{Cursor, CustomerKey, CustomerRecords, Customers, Entry, Intents, Rewards, StoreError};

/// Records that are compared at the same time.
const AT_ONCE: usize = 8;

/// Number of differing cards up to which a repair needs no further word, if something agrees. One differing card in [`FEW_IN`]
/// compared ones is accepted too.
pub const FEW: usize = 3;
/// Share of differing cards up to which a repair needs no further word: one in this many.
pub const FEW_IN: usize = 10;

/// Ports of a reconciliation.
pub struct Reconciliation<'a> {
    /// Customers and failed intents.
    pub customer_records: &'a dyn CustomerRecords,
    /// Intents.
    pub intents: &'a dyn Intents,
    /// Customers' cards.
    pub customers: &'a dyn Customers,
    /// MRS.
    pub rewards: &'a dyn Rewards,
    /// Clock.
    pub clock: &'a dyn Clock,
}

/// Difference between MRS and the tables.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Program of the card.
    pub program: ProgramId,
    /// Customer, where the tables have one.
    pub customer: Option<CustomerKey>,
    /// Number under which MRS knows the card.
    pub number: BankCustomerNumber,
    /// Kind of the difference.
    pub kind: Kind,
    /// State of its repair.
    pub repair: Repair,
}

/// Kind of a difference.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// The card is active here, but not at MRS. The repair cancels it here.
    Missing(Card),
    /// The card is cancelled here, but active at MRS. The repair cancels it there.
    StillActive(Card),
    /// MRS has an active card that is not known here. The repair cancels it there.
    Stray(MrsCard),
    /// MRS has other last four digits. The repair takes MRS's.
    Last4(Card, Last4),
    /// The card is active here, and MRS's answer proves nothing about it. It is never repaired.
    Unknown(Card),
}

impl Kind {
    /// Word for output.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Missing(_) => "missing",
            Self::StillActive(_) => "still-active",
            Self::Stray(_) => "stray",
            Self::Last4(..) => "last4",
            Self::Unknown(_) => "unknown",
        }
    }

    /// Last four digits of the card, where they are known.
    pub fn last4(&self) -> Option<Last4> {
        match self {
            Self::Missing(card) | Self::StillActive(card) | Self::Last4(card, _) | Self::Unknown(card) => {
                Some(card.last4)
            }
            Self::Stray(held) => held.last4,
        }
    }

    /// MRS's id of the card.
    pub fn ranac(&self) -> &Ranac {
        match self {
            Self::Missing(card) | Self::StillActive(card) | Self::Last4(card, _) | Self::Unknown(card) => {
                &card.ranac
            }
            Self::Stray(held) => &held.ranac,
        }
    }
}

/// State of the repair of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repair {
    /// No repair was requested.
    NotRequested,
    /// The difference was repaired.
    Repaired,
    /// The difference is left: MRS declined or gave no clear answer, or the record changed.
    Failed,
}

/// Numbers of a reconciliation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReconciliationReport {
    /// Compared customers.
    pub customers: usize,
    /// Cards that are active on both sides.
    pub agreed: usize,
    /// Customers with an unsettled intent, which are left to the settlement.
    pub unsettled: usize,
    /// Differences, without unknown cards.
    pub differing: usize,
    /// Differences that are left.
    pub left: usize,
    /// Customers and failed intents with inconclusive look-ups.
    pub unknown: usize,
    /// Customers and failed intents whose record can't be read.
    pub failed: usize,
}

impl ReconciliationReport {
    /// Whether so much differs that a wrong institution name or a wrong MRS is more likely. Then nothing is repaired unless the
    /// operator accepts the number of differences.
    pub fn is_suspicious(&self) -> bool {
        let compared = self.agreed + self.differing;
        self.differing > 0 && (self.agreed == 0 || self.differing > FEW.max(compared / FEW_IN))
    }

    fn add(&mut self, other: Self) {
        self.customers += other.customers;
        self.agreed += other.agreed;
        self.unsettled += other.unsettled;
        self.differing += other.differing;
        self.left += other.left;
        self.unknown += other.unknown;
        self.failed += other.failed;
    }
}

/// Policy for differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepairPolicy {
    /// They are reported.
    ReportOnly,
    /// They are repaired if they are few ([`ReconciliationReport::is_suspicious`]), or no more than were accepted.
    UpTo {
        /// Number of differences that the operator accepts, however many cards agree.
        accepted: usize,
    },
}

/// Result of a reconciliation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReconciliationResult {
    /// Everything was compared, and repaired as far as requested.
    Done(ReconciliationReport),
    /// Everything was compared, and too much differs. Nothing was changed.
    Refused(ReconciliationReport),
}

/// Result for one record.
#[derive(Default)]
struct Compared {
    differences: Vec<Difference>,
    sum: ReconciliationReport,
}

impl Compared {
    fn add(&mut self, difference: Difference) {
        if matches!(difference.kind, Kind::Unknown(_)) {
            self.sum.unknown = 1;
        } else {
            self.sum.differing += 1;
            self.sum.left += usize::from(difference.repair != Repair::Repaired);
        }
        self.differences.push(difference);
    }
}

impl Reconciliation<'_> {
    /// Compares all of a client's cards with MRS, then repairs the differences if `policy` says so. `tell` gets each difference
    /// once, in its final state. A difference is repaired only if a second comparison finds it again.
    ///
    /// # Errors
    /// If the records can't be listed. A record that fails does not prevent the others.
    pub async fn reconcile(
        &self,
        client: &Client,
        policy: RepairPolicy,
        mut tell: impl FnMut(&Difference),
    ) -> Result<ReconciliationResult, StoreError> {
        let mut sum = ReconciliationReport::default();
        let mut found: Vec<(Entry, Vec<Difference>)> = Vec::new();
        let mut from: Option<Cursor> = None;
        loop {
            let page = self.customer_records.entries(&client.id, from.as_ref()).await?;
            let mut compared = stream::iter(page.entries)
                .map(|entry| async move {
                    let compared = self.entry_or_failed(client, entry.clone(), &[]).await;
                    (entry, compared)
                })
                .buffer_unordered(AT_ONCE);
            while let Some((entry, compared)) = compared.next().await {
                sum.add(compared.sum);
                if !compared.differences.is_empty() {
                    found.push((entry, compared.differences));
                }
            }
            drop(compared);
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        let is_refused = match policy {
            RepairPolicy::ReportOnly => false,
            RepairPolicy::UpTo { accepted } => sum.is_suspicious() && sum.differing > accepted,
        };
        if policy == RepairPolicy::ReportOnly || is_refused {
            found
                .iter()
                .flat_map(|(_, differences)| differences)
                .for_each(tell);
            return Ok(if is_refused {
                ReconciliationResult::Refused(sum)
            } else {
                ReconciliationResult::Done(sum)
            });
        }
        sum.left = 0;
        let mut repaired = stream::iter(found)
            .map(|(entry, differences)| async move {
                let second = self.entry_or_failed(client, entry, &differences).await;
                after_repair(differences, &second)
            })
            .buffer_unordered(AT_ONCE);
        while let Some(differences) = repaired.next().await {
            let stands = |difference: &&Difference| {
                difference.repair != Repair::Repaired && !matches!(difference.kind, Kind::Unknown(_))
            };
            sum.left += differences.iter().filter(stands).count();
            differences.iter().for_each(&mut tell);
        }
        Ok(ReconciliationResult::Done(sum))
    }

    /// Compares one record. Differences that are in `to_repair` are repaired.
    async fn entry_or_failed(&self, client: &Client, entry: Entry, to_repair: &[Difference]) -> Compared {
        let compared = match entry {
            Entry::Customer(program, key) => self.customer(client, program, key, to_repair).await,
            Entry::Failed(intent) => self.failed_intent(client, intent, to_repair).await,
        };
        match compared {
            Ok(compared) => compared,
            Err(cause) => {
                error!(error = cause, client = client.id, "record not compared");
                Compared {
                    sum: ReconciliationReport {
                        failed: 1,
                        ..ReconciliationReport::default()
                    },
                    ..Compared::default()
                }
            }
        }
    }

    async fn customer(
        &self,
        client: &Client,
        program: ProgramId,
        key: CustomerKey,
        to_repair: &[Difference],
    ) -> Result<Compared, StoreError> {
        let customer = self.customer_records.by_key(&client.id, &key).await?;
        let mut compared = Compared::default();
        compared.sum.customers = 1;
        if !is_settled(&customer) {
            compared.sum.unsettled = 1;
            return Ok(compared);
        }
        let mut answers = Vec::new();
        for number in numbers_of(&customer) {
            answers.push((number, self.rewards.find(client.institution(), number).await));
        }
        // The record is read again after the look-ups, so that a card that was enrolled in between is no stray.
        let after = self.customer_records.by_key(&client.id, &key).await?;
        if !is_settled(&after) || after.count.version != customer.count.version {
            compared.sum.unsettled = 1;
            return Ok(compared);
        }
        for (number, look_up) in answers {
            let under = NumberScope {
                number,
                program: &program,
                is_of_one_card: is_of_one_card(client, &program),
            };
            let (kinds, agreed, is_unknown) = compare(&after, under, &look_up);
            compared.sum.agreed += agreed;
            compared.sum.unknown |= usize::from(is_unknown);
            for kind in kinds {
                let difference = Difference {
                    program: program.clone(),
                    customer: Some(key.clone()),
                    number: number.clone(),
                    kind,
                    repair: Repair::NotRequested,
                };
                compared.add(self.repair_if_allowed(client, difference, to_repair).await?);
            }
        }
        Ok(compared)
    }

    /// Compares the number of a failed intent, under which MRS may have a card.
    async fn failed_intent(
        &self,
        client: &Client,
        id: IntentId,
        to_repair: &[Difference],
    ) -> Result<Compared, StoreError> {
        let mut compared = Compared::default();
        let Some(intent) = self.intents.intent(id).await? else {
            return Ok(compared);
        };
        // The number of an opt-out is that of a card, which is compared with its customer.
        let has_failed = !intent.is_open() && !intent.is_success() && intent.cleanup().is_none();
        if !has_failed || intent.action == ActionCode::OptOut {
            return Ok(compared);
        }
        let number = &intent.bank_customer_number;
        let look_up = self.rewards.find(client.institution(), number).await;
        // Read after the look-up, as above.
        let customer = self
            .customers
            .customer(&intent.client, &intent.program, &intent.customer)
            .await?;
        let is_of_a_card = numbers_of(&customer).contains(&number);
        if is_of_a_card || !is_settled(&customer) {
            return Ok(compared);
        }
        let known_by_customer = customer_of(self.customers, &intent).await?;
        match finding(&intent, &look_up, known_by_customer.as_ref()) {
            Finding::Active(cards) => {
                for held in cards {
                    let difference = Difference {
                        program: intent.program.clone(),
                        customer: None,
                        number: number.clone(),
                        kind: Kind::Stray(held),
                        repair: Repair::NotRequested,
                    };
                    compared.add(self.repair_if_allowed(client, difference, to_repair).await?);
                }
            }
            Finding::Unknown => compared.sum.unknown = 1,
            Finding::Cancelled | Finding::Absent => {}
        }
        Ok(compared)
    }

    /// Repairs a difference if it is in `to_repair`.
    async fn repair_if_allowed(
        &self,
        client: &Client,
        mut difference: Difference,
        to_repair: &[Difference],
    ) -> Result<Difference, StoreError> {
        if to_repair.contains(&difference) {
            difference.repair = self.repair(client, &difference).await?;
        }
        Ok(difference)
    }

    async fn repair(&self, client: &Client, difference: &Difference) -> Result<Repair, StoreError> {
        let retention_days = client.retention_days(&difference.program);
        Ok(match (&difference.kind, &difference.customer) {
            (Kind::Missing(card), Some(key)) => {
                let place = (&client.id, &difference.program, key);
                let now = self.clock.now();
                if self
                    .customer_records
                    .mark_cancelled(place, card, retention_days, now)
                    .await?
                {
                    Repair::Repaired
                } else {
                    Repair::Failed
                }
            }
            (Kind::Last4(card, last4), Some(key)) => {
                self.customer_records.set_last4(key, card.id, *last4).await?;
                Repair::Repaired
            }
            (Kind::StillActive(_) | Kind::Stray(_), _) => {
                let ranac = difference.kind.ranac();
                match cancel_card(self.rewards, client.institution(), &difference.number, ranac).await {
                    Cancellation::Done => Repair::Repaired,
                    Cancellation::Refused(_) | Cancellation::Unknown { .. } => Repair::Failed,
                }
            }
            (Kind::Unknown(_), _) => Repair::NotRequested,
            (Kind::Missing(_) | Kind::Last4(..), None) => Repair::Failed,
        })
    }
}

/// Differences of the first comparison in their final state. One that the second comparison did not find is left: the record
/// changed, or MRS answers differently by now.
fn after_repair(mut found: Vec<Difference>, second: &Compared) -> Vec<Difference> {
    for difference in &mut found {
        let again = second
            .differences
            .iter()
            .find(|again| again.kind == difference.kind && again.number == difference.number);
        difference.repair = match (&difference.kind, again) {
            (Kind::Unknown(_), _) => Repair::NotRequested,
            (_, Some(again)) => again.repair,
            (_, None) => Repair::Failed,
        };
    }
    found
}

/// Whether no intent is about to change the customer's cards.
fn is_settled(customer: &Customer) -> bool {
    let is_still = |card: &Card| matches!(card.state, CardState::Active | CardState::Cancelled { .. });
    customer.count.pending + customer.count.changing == 0 && customer.cards.iter().all(is_still)
}

/// Numbers of the customer's cards, each once. Where the customer id is the number, all cards have the same.
fn numbers_of(customer: &Customer) -> Vec<&BankCustomerNumber> {
    let mut numbers: Vec<&BankCustomerNumber> = Vec::new();
    for card in &customer.cards {
        if !numbers.contains(&&card.bank_customer_number) {
            numbers.push(&card.bank_customer_number);
        }
    }
    numbers
}

/// Number, and the accounts that belong under it.
#[derive(Clone, Copy)]
struct NumberScope<'a> {
    number: &'a BankCustomerNumber,
    program: &'a ProgramId,
    /// Whether the number was made for one card. A customer's number has the cards of other programs too.
    is_of_one_card: bool,
}

impl NumberScope<'_> {
    /// Whether an account that is not in the tables is a stray; `None` where MRS left out what decides.
    fn is_stray(self, account: &Account) -> Option<bool> {
        if account.status == AccountStatus::Cancelled {
            return Some(false);
        }
        let program = account.program.as_deref();
        if !self.is_of_one_card && program.is_some_and(|program| program != self.program.as_str()) {
            return Some(false);
        }
        if account.status == AccountStatus::Unknown
            || account.is_unnamed()
            || !self.is_of_one_card && program.is_none()
        {
            return None;
        }
        Some(true)
    }
}

/// Whether the program's numbers are made for one card each. A retired program may have had either kind.
fn is_of_one_card(client: &Client, program: &ProgramId) -> bool {
    client
        .program(program)
        .is_some_and(|program| program.bank_customer_number == BankCustomerNumberKind::PerCard)
}

/// Differences under one number, the number of cards that agree, and whether the look-up was inconclusive.
fn compare(customer: &Customer, under: NumberScope<'_>, look_up: &LookUp) -> (Vec<Kind>, usize, bool) {
    let mut kinds = Vec::new();
    let (mut agreed, mut is_unknown) = (0, false);
    let is_recorded = is_recorded(customer, under.number);
    let cards = customer
        .cards
        .iter()
        .filter(|card| card.bank_customer_number == *under.number);
    for card in cards {
        match (card.state, look_up.card(&card.ranac, is_recorded)) {
            (CardState::Active, Finding::Unknown) => kinds.push(Kind::Unknown(card.clone())),
            (_, Finding::Unknown) => is_unknown = true,
            (CardState::Active, Finding::Cancelled | Finding::Absent) => {
                kinds.push(Kind::Missing(card.clone()));
            }
            (CardState::Active, Finding::Active(held)) => {
                agreed += 1;
                kinds.extend(
                    held.first()
                        .and_then(|held| held.last4)
                        .filter(|last4| *last4 != card.last4)
                        .map(|last4| Kind::Last4(card.clone(), last4)),
                );
            }
            (_, Finding::Active(_)) => kinds.push(Kind::StillActive(card.clone())),
            (_, Finding::Cancelled | Finding::Absent) => {}
        }
    }
    let is_known = |account: &&Account| {
        let ranac = account.ranac.as_ref();
        ranac.is_some_and(|ranac| customer.cards.iter().any(|card| card.ranac == *ranac))
    };
    let accounts = look_up.accounts(is_recorded).unwrap_or_default();
    for account in accounts.iter().filter(|account| !is_known(account)) {
        match under.is_stray(account) {
            Some(true) => kinds.extend(account.mrs_card().map(Kind::Stray)),
            Some(false) => {}
            None => is_unknown = true,
        }
    }
    (kinds, agreed, is_unknown)
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

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

    fn held(ranac: &str, last4: &str) -> MrsCard {
        MrsCard {
            ranac: Ranac::parse(ranac).unwrap(),
            last4: Last4::parse(last4).ok(),
        }
    }

    fn account(held: &MrsCard) -> Account {
        Account {
            ranac: Some(held.ranac.clone()),
            status: AccountStatus::Active,
            program: Some("10765".into()),
            last4: held.last4,
        }
    }

    /// Differences and number of agreeing cards, where MRS lists all accounts.
    fn compared(customer: &Customer, number: &BankCustomerNumber, held: &[MrsCard]) -> (Vec<Kind>, usize) {
        let look_up = LookUp::Listed(held.iter().map(account).collect());
        let (kinds, agreed, is_unknown) = compare(customer, under(number, true), &look_up);
        assert!(!is_unknown);
        (kinds, agreed)
    }

    fn under(number: &BankCustomerNumber, is_of_one_card: bool) -> NumberScope<'_> {
        static PROGRAM: LazyLock<ProgramId> = LazyLock::new(|| ProgramId::parse("10765").unwrap());
        NumberScope {
            number,
            program: &PROGRAM,
            is_of_one_card,
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
    fn cards_of_one_side_differ() {
        let (active, gone) = (card("1", "a", CardState::Active), card("2", "b", CANCELLED));
        let customer = customer(vec![active.clone(), gone.clone()]);
        let of = |number_of: &str, held: &[MrsCard]| compared(&customer, &number(number_of), held);
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
    fn ranacs_distinguish_cards_of_one_number() {
        let (gone, active) = (card("1", "a", CANCELLED), card("2", "a", CardState::Active));
        let customer = customer(vec![gone, active]);
        assert_eq!(numbers_of(&customer).len(), 1);
        assert_eq!(
            compared(&customer, &number("a"), &[held("2", "0123")]),
            (vec![], 1)
        );
    }

    #[test]
    fn missing_answer_is_unknown_and_no_difference() {
        let (active, gone) = (card("1", "a", CardState::Active), card("2", "b", CANCELLED));
        let customer = customer(vec![active.clone(), gone]);
        let (a, b) = (number("a"), number("b"));
        for look_up in [LookUp::NotFound, LookUp::Unknown("no list".into())] {
            let told = compare(&customer, under(&a, true), &look_up);
            assert_eq!(
                told,
                (vec![Kind::Unknown(active.clone())], 0, false),
                "{look_up:?}"
            );
        }
        let not_found = compare(&customer, under(&b, true), &LookUp::NotFound);
        assert_eq!(not_found, (vec![], 0, false), "nothing is expected there");
        let unclear = compare(&customer, under(&b, true), &LookUp::Unknown("no list".into()));
        assert_eq!(unclear, (vec![], 0, true));
    }

    #[test]
    fn card_of_another_program_is_no_stray() {
        let customer = customer(vec![card("1", "a", CardState::Active)]);
        let a = number("a");
        let of = |program: Option<&str>, is_of_one_card| {
            let other = Account {
                program: program.map(str::to_owned),
                ..account(&held("9", "7777"))
            };
            let look_up = LookUp::Listed(vec![account(&held("1", "0123")), other]);
            compare(&customer, under(&a, is_of_one_card), &look_up)
        };
        let stray = vec![Kind::Stray(held("9", "7777"))];
        assert_eq!(of(Some("20765"), false), (vec![], 1, false));
        assert_eq!(
            of(None, false),
            (vec![], 1, true),
            "what is left out is no mismatch"
        );
        assert_eq!(of(Some("10765"), false), (stray.clone(), 1, false));
        assert_eq!(of(None, true), (stray, 1, false));
    }

    #[test]
    fn many_differences_are_suspicious() {
        let of = |agreed, differing| ReconciliationReport {
            agreed,
            differing,
            ..ReconciliationReport::default()
        };
        for (agreed, differing, is_suspicious) in [
            (0, 0, false),
            (0, 1, true),
            (1, 1, false),
            (1, 3, false),
            (10, 4, true),
            (36, 4, false),
            (900, 100, false),
            (899, 101, true),
        ] {
            assert_eq!(
                of(agreed, differing).is_suspicious(),
                is_suspicious,
                "{agreed} {differing}"
            );
        }
    }

    #[test]
    fn unsettled_customer_is_not_compared() {
        assert!(is_settled(&customer(vec![card("1", "a", CardState::Active)])));
        for state in [CardState::Locked, CardState::PendingCancellation] {
            assert!(!is_settled(&customer(vec![card("1", "a", state)])));
        }
        let mut open = customer(vec![]);
        open.count = CardCount {
            pending: 1,
            ..CardCount::default()
        };
        assert!(!is_settled(&open));
    }
}

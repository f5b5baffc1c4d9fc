//! Accounts of MRS, and the rules by which calls are accepted and refused (`docs/sources.md#widget`, table of statuses).

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};

use super::account_table::{Account, AccountTable, Status};
use super::card_key::CardKey;
use super::dialect::Dialect;
use super::program::{MrsSettings, Program};
use super::refusal::{Code, Refusal};
use super::request::{Enroll, Lookup, Update};
use super::state::State;
use crate::card_number::CardNumber;

/// All accounts, in memory, bounded by the settings.
pub(crate) struct Accounts {
    pub(super) settings: MrsSettings,
    card_key: CardKey,
    random: SystemRandom,
    table: Mutex<AccountTable>,
}

/// Result of `enroll`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Enrolled {
    pub(crate) ranac: String,
    pub(crate) customer_id: usize,
}

impl Accounts {
    /// Starts with the accounts of an earlier run, if there was one.
    pub(crate) fn new(settings: MrsSettings, state: Option<State>) -> Self {
        let random = SystemRandom::new();
        let state = state.unwrap_or_else(|| {
            let mut key = [0; 32];
            // Should the generator of the machine ever fail, digests are merely unkeyed.
            let _ = random.fill(&mut key);
            State {
                card_key: CardKey::new(key),
                accounts: Vec::new(),
            }
        });
        Self {
            settings,
            card_key: state.card_key,
            random,
            table: Mutex::new(AccountTable::of(state.accounts)),
        }
    }

    pub(crate) fn dialects(&self) -> &[Dialect] {
        &self.settings.dialects
    }

    /// Enrolls a card; `None` is an invalid card number.
    pub(crate) fn enroll(&self, request: &Enroll, card: Option<&CardNumber>) -> Result<Enrolled, Refusal> {
        let program = self.program(&request.program)?;
        if request.member_ica != program.member_ica {
            return Err(Code::INVALID_PARAMETERS.into());
        }
        if request.product_code != program.bank_product_code {
            return Err(Code::INVALID_PRODUCT_CODE.into());
        }
        if Status::at_enrollment(&request.status, request.dialect).is_none() {
            return Err(Code::INVALID_STATUS_CODE.into());
        }
        let card = card.ok_or(Code::INVALID_ACCOUNT_NUMBER)?;
        if !program
            .bin_ranges
            .iter()
            .any(|range| card.is_between(&range.from, &range.to))
        {
            return Err(Code::NOT_QUALIFIED.into());
        }
        self.hold(request, card)
    }

    /// Changes the status of the account that `appID` names.
    pub(crate) fn update(&self, request: &Update) -> Result<(), Refusal> {
        if !is_ranac(&request.ranac) {
            return Err(Code::ACCOUNT_NOT_FOUND.into());
        }
        let status = Status::parse(&request.status, request.dialect).ok_or(Code::INVALID_ACCOUNT_STATUS)?;
        let mut table = self.table();
        let account = table
            .by_ranac(&request.ranac)
            .ok_or(Code::ACCOUNT_DOES_NOT_EXIST)?;
        match (account.status, status) {
            // Told once or twice, cancelled is cancelled.
            (Status::Cancelled, Status::Cancelled) => {}
            (Status::Cancelled, _) => return Err(Code::INVALID_ACCOUNT_STATUS.into()),
            (_, status) => {
                table.set_status(&request.ranac, status);
            }
        }
        Ok(())
    }

    /// All accounts of a customer, or the one that is asked for.
    pub(crate) fn find(&self, request: &Lookup) -> Result<Vec<Account>, Refusal> {
        let table = self.table();
        let mut accounts = table.of_customer(&request.bank_customer_number).peekable();
        if accounts.peek().is_none() {
            return Err(Code::ACCOUNT_NOT_FOUND.into());
        }
        match &request.ranac {
            None => Ok(accounts.cloned().collect()),
            Some(ranac) => {
                let account = accounts.find(|account| &account.ranac == ranac);
                Ok(vec![account.ok_or(Code::ACCOUNT_DOES_NOT_EXIST)?.clone()])
            }
        }
    }

    /// Whether an account of this customer has this card, or had it.
    pub(crate) fn customer_has(&self, bank_customer_number: &str, card: &CardNumber) -> bool {
        let digest = Some(self.card_key.digest(card));
        self.table()
            .of_customer(bank_customer_number)
            .any(|account| account.card == digest)
    }

    /// Whether the account of this RANAC has this card, or had it.
    pub(crate) fn account_has(&self, ranac: &str, card: &CardNumber) -> bool {
        let digest = Some(self.card_key.digest(card));
        self.table()
            .by_ranac(ranac)
            .is_some_and(|account| account.card == digest)
    }

    /// Everything, oldest first.
    pub(crate) fn all(&self) -> Vec<Account> {
        self.table().all().to_vec()
    }

    /// Counts the changes since the start.
    pub(crate) fn version(&self) -> u64 {
        self.table().version()
    }

    /// Everything, with its version.
    pub(crate) fn snapshot(&self) -> (u64, Vec<Account>) {
        let table = self.table();
        (table.version(), table.all().to_vec())
    }

    /// The key of the digests that [`Self::snapshot`] gives.
    pub(crate) fn card_key(&self) -> &CardKey {
        &self.card_key
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        self.table().clear();
    }

    fn program(&self, identifier: &str) -> Result<&Program, Refusal> {
        let plausible = (1..=40).contains(&identifier.len())
            && identifier
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if !plausible {
            return Err(Code::INVALID_PROGRAM_ID.into());
        }
        let known = self
            .settings
            .programs
            .iter()
            .find(|program| program.id == identifier);
        known.ok_or_else(|| Code::INVALID_PROGRAM_IDENTIFIER.into())
    }

    fn hold(&self, request: &Enroll, card: &CardNumber) -> Result<Enrolled, Refusal> {
        let digest = self.card_key.digest(card);
        let ranac = self.new_ranac()?;
        let mut table = self.table();
        if table.has_active(&digest) {
            return Err(Code::CARD_ALREADY_ENROLLED.into());
        }
        // Assumption: a customer whose accounts are all cancelled may be enrolled again under the same number.
        if table
            .of_customer(&request.bank_customer_number)
            .any(|earlier| earlier.status != Status::Cancelled)
        {
            return Err(Code::CUSTOMER_ALREADY_ENROLLED.into());
        }
        let count = table.all().len();
        if count >= self.settings.max_accounts {
            tracing::warn!(accounts = count, "the stand-in is full: POST /reset empties it");
            return Err(Code::SERVER_ERROR.into());
        }
        let account = table.add(Account {
            id: 0,
            customer_id: 0,
            bank_customer_number: request.bank_customer_number.clone(),
            ranac,
            program: request.program.clone(),
            product_code: request.product_code.clone(),
            last4: card.last_four().to_owned(),
            status: Status::New,
            dialect: request.dialect,
            card: Some(digest),
        });
        Ok(Enrolled {
            ranac: account.ranac.clone(),
            customer_id: account.customer_id,
        })
    }

    /// Starts with 0, as in the widget document's example: who takes it for a number loses a digit.
    pub(super) fn new_ranac(&self) -> Result<String, Refusal> {
        let mut bytes = [0; 32];
        self.random.fill(&mut bytes).map_err(|_| Code::SERVER_ERROR)?;
        let mut ranac = "0".to_owned();
        for byte in bytes.iter().take(self.settings.ranac_digits - 1) {
            let _ = write!(ranac, "{}", byte % 10);
        }
        Ok(ranac)
    }

    pub(super) fn table(&self) -> std::sync::MutexGuard<'_, AccountTable> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Status {
    fn parse(text: &str, dialect: Dialect) -> Option<Self> {
        match (dialect, text) {
            (Dialect::Document, "NEW") => Some(Self::New),
            (Dialect::Document, "GOOD_STANDING") | (Dialect::Wsdl, "1") => Some(Self::GoodStanding),
            (Dialect::Document, "CANCELLED") | (Dialect::Wsdl, "3") => Some(Self::Cancelled),
            _ => None,
        }
    }

    fn at_enrollment(text: &str, dialect: Dialect) -> Option<Self> {
        Self::parse(text, dialect).filter(|status| match dialect {
            Dialect::Document => *status == Self::New,
            Dialect::Wsdl => *status == Self::GoodStanding,
        })
    }
}

pub(super) fn is_ranac(text: &str) -> bool {
    (20..=30).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::super::overrides::OverrideError;
    use super::super::request::BankAccountNumber;
    use super::*;

    const CARD: &str = "5234000000090123";
    const OTHER_CARD: &str = "5412340000000001";

    fn accounts() -> Accounts {
        Accounts::new(MrsSettings::default(), None)
    }

    fn card(digits: &str) -> Option<CardNumber> {
        CardNumber::parse(Zeroizing::new(digits.to_owned()))
    }

    fn request(customer: &str, dialect: Dialect) -> Enroll {
        Enroll {
            dialect,
            bank_customer_number: customer.to_owned(),
            member_ica: 1234,
            bank_account_number: BankAccountNumber::Plain(Zeroizing::default()),
            status: if dialect == Dialect::Document { "NEW" } else { "1" }.to_owned(),
            product_code: "MRSDEMO".to_owned(),
            program: "10765".to_owned(),
        }
    }

    fn code(result: Result<Enrolled, Refusal>) -> i32 {
        result.err().map_or(0, |refusal| refusal.code.0)
    }

    fn cancel(accounts: &Accounts, ranac: &str) -> Result<(), Refusal> {
        let (dialect, status) = (Dialect::Document, "CANCELLED".to_owned());
        accounts.update(&Update {
            dialect,
            ranac: ranac.to_owned(),
            status,
        })
    }

    #[test]
    fn enrollment_rules_have_their_codes_in_both_dialects() {
        for dialect in [Dialect::Document, Dialect::Wsdl] {
            let accounts = accounts();
            let with = |change: fn(&mut Enroll), digits: &str| {
                let mut request = request("c", dialect);
                change(&mut request);
                code(accounts.enroll(&request, card(digits).as_ref()))
            };
            assert_eq!(with(|r| r.program = "99999".to_owned(), CARD), -48);
            assert_eq!(with(|r| r.program = String::new(), CARD), -32);
            assert_eq!(with(|r| r.program = "107 65".to_owned(), CARD), -32);
            assert_eq!(with(|r| r.member_ica = 1, CARD), -1);
            assert_eq!(with(|r| r.product_code = "OTHER".to_owned(), CARD), -46);
            assert_eq!(with(|r| r.status = "CANCELLED".to_owned(), CARD), -47);
            assert_eq!(with(|r| r.status = "3".to_owned(), CARD), -47);
            assert_eq!(with(|_| (), "5234000000090124"), -44);
            assert_eq!(with(|_| (), "5555555555554444"), -52);
            assert_eq!(with(|_| (), CARD), 0);
            assert_eq!(with(|r| r.bank_customer_number = "d".to_owned(), CARD), -45);
            assert_eq!(with(|_| (), OTHER_CARD), -50);
        }
    }

    #[test]
    fn statuses_are_those_of_the_dialect() {
        let accounts = accounts();
        let mut wsdl = request("c", Dialect::Wsdl);
        wsdl.status = "NEW".to_owned();
        assert_eq!(code(accounts.enroll(&wsdl, card(CARD).as_ref())), -47);
        let mut document = request("c", Dialect::Document);
        document.status = "1".to_owned();
        assert_eq!(code(accounts.enroll(&document, card(CARD).as_ref())), -47);
    }

    #[test]
    fn ranac_has_20_digits_or_as_many_as_configured() {
        let enrolled = accounts()
            .enroll(&request("c", Dialect::Document), card(CARD).as_ref())
            .unwrap();
        assert_eq!(enrolled.ranac.len(), 20);
        assert!(enrolled.ranac.starts_with('0') && is_ranac(&enrolled.ranac));
        let long = Accounts::new(
            MrsSettings {
                ranac_digits: 30,
                ..MrsSettings::default()
            },
            None,
        );
        assert_eq!(
            long.enroll(&request("c", Dialect::Wsdl), card(CARD).as_ref())
                .unwrap()
                .ranac
                .len(),
            30
        );
    }

    #[test]
    fn cancelled_card_and_customer_can_be_enrolled_again() {
        let accounts = accounts();
        let first = accounts
            .enroll(&request("c", Dialect::Document), card(CARD).as_ref())
            .unwrap();
        cancel(&accounts, &first.ranac).unwrap();
        let second = accounts
            .enroll(&request("c", Dialect::Document), card(CARD).as_ref())
            .unwrap();
        assert_eq!(second.customer_id, first.customer_id);
        let lookup = Lookup {
            bank_customer_number: "c".to_owned(),
            ranac: None,
        };
        let statuses: Vec<Status> = accounts.find(&lookup).unwrap().iter().map(|a| a.status).collect();
        assert_eq!(statuses, [Status::Cancelled, Status::New]);
    }

    #[test]
    fn cancelling_is_idempotent_and_final() {
        let accounts = accounts();
        let ranac = accounts
            .enroll(&request("c", Dialect::Document), card(CARD).as_ref())
            .unwrap()
            .ranac;
        let set = |status: &str, dialect| {
            let update = Update {
                dialect,
                ranac: ranac.clone(),
                status: status.to_owned(),
            };
            accounts.update(&update).err().map_or(0, |refusal| refusal.code.0)
        };
        assert_eq!(set("GOOD_STANDING", Dialect::Document), 0);
        assert_eq!(set("3", Dialect::Wsdl), 0);
        assert_eq!(set("CANCELLED", Dialect::Document), 0);
        assert_eq!(set("GOOD_STANDING", Dialect::Document), -10);
        assert_eq!(set("CANCELED", Dialect::Document), -10);
        assert_eq!(set("3", Dialect::Document), -10);
    }

    #[test]
    fn unknown_and_impossible_ids_have_different_codes() {
        let accounts = accounts();
        assert_eq!(
            cancel(&accounts, "03643782610476418733").unwrap_err().code,
            Code::ACCOUNT_DOES_NOT_EXIST
        );
        for ranac in ["", "1", "0364378261047641873x", &"1".repeat(31)] {
            assert_eq!(
                cancel(&accounts, ranac).unwrap_err().code,
                Code::ACCOUNT_NOT_FOUND,
                "{ranac}"
            );
        }
        let mut lookup = Lookup {
            bank_customer_number: "c".to_owned(),
            ranac: None,
        };
        assert_eq!(
            accounts.find(&lookup).err().unwrap().code,
            Code::ACCOUNT_NOT_FOUND
        );
        accounts
            .enroll(&request("c", Dialect::Document), card(CARD).as_ref())
            .unwrap();
        lookup.ranac = Some("03643782610476418733".to_owned());
        assert_eq!(
            accounts.find(&lookup).err().unwrap().code,
            Code::ACCOUNT_DOES_NOT_EXIST
        );
    }

    #[test]
    fn card_of_another_account_blocks_reactivation() {
        let accounts = accounts();
        let enroll = |customer: &str| {
            accounts
                .enroll(&request(customer, Dialect::Document), card(CARD).as_ref())
                .unwrap()
                .ranac
        };
        let first = enroll("c");
        accounts.set_status(&first, Status::Cancelled).unwrap();
        let second = enroll("d");
        let revive = |ranac: &str| accounts.set_status(ranac, Status::GoodStanding).err();
        assert_eq!(revive(&first), Some(OverrideError::CardTaken));
        assert_eq!(revive(&second), None);
        accounts.remove(&second).unwrap();
        assert_eq!(revive(&first), None);
        assert_eq!(
            code(accounts.enroll(&request("e", Dialect::Document), card(CARD).as_ref())),
            -45
        );
    }

    #[test]
    fn what_was_held_is_taken_up_with_its_key() {
        let before = accounts();
        let enrolled = |accounts: &Accounts, customer: &str, number: &str| {
            code(accounts.enroll(&request(customer, Dialect::Document), card(number).as_ref()))
        };
        assert_eq!(enrolled(&before, "c", CARD), 0);
        assert_eq!(enrolled(&before, "d", OTHER_CARD), 0);
        cancel(&before, &before.all()[1].ranac).unwrap();
        let state = State {
            card_key: CardKey::new(*before.card_key().bytes()),
            accounts: before.all(),
        };
        let after = Accounts::new(MrsSettings::default(), Some(state));
        assert_eq!(after.all(), before.all());
        assert_eq!(enrolled(&after, "e", CARD), -45);
        assert_eq!(enrolled(&after, "c", OTHER_CARD), -50);
        assert_eq!(enrolled(&after, "d", OTHER_CARD), 0);
        assert_eq!(after.all()[2].customer_id, 2);
    }

    #[test]
    fn a_full_stand_in_says_so_and_can_be_emptied() {
        let accounts = Accounts::new(
            MrsSettings {
                max_accounts: 1,
                ..MrsSettings::default()
            },
            None,
        );
        accounts
            .enroll(&request("c", Dialect::Document), card(CARD).as_ref())
            .unwrap();
        assert_eq!(
            code(accounts.enroll(&request("d", Dialect::Document), card(OTHER_CARD).as_ref())),
            -1001
        );
        accounts.clear();
        assert_eq!(
            code(accounts.enroll(&request("d", Dialect::Document), card(CARD).as_ref())),
            0
        );
    }

    #[test]
    fn what_is_told_of_an_account_has_no_card_number() {
        let accounts = accounts();
        accounts
            .enroll(&request("c", Dialect::Document), card(CARD).as_ref())
            .unwrap();
        let told = serde_json::to_string(&accounts.all()).unwrap();
        assert!(told.contains(r#""last4":"0123""#) && told.contains(r#""status":"NEW""#));
        assert!(!told.contains(CARD) && !told.contains("523400"));
    }
}

//! A client (partner) and its programs as they are configured (`docs/contract.md#clients`).

mod bin_range;
pub mod file;
mod issuer;
pub mod look;
mod origin;
pub mod palette;
pub mod pictures;
pub mod public_key;
mod receiver_host;
pub mod return_target;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::action::ActionCode;
use crate::identifiers::{Bin, ClientId, CustomerId, Malformed, ProgramId, Slug};
use crate::language::{Language, RequestedLanguage};
use crate::texts::{BuiltIn, Layer, Texts};

pub use bin_range::BinRange;
pub use issuer::{Issuer, MAX_AGE_HOURS, Tokenization};
pub use look::{Density, Font, Frame, Look, Rendition, Theme};
pub use origin::{Origin, OriginError};
pub use palette::{Color, Palette};
pub use receiver_host::{ReceiverHost, ReceiverHostError};
pub use return_target::{HomeUrl, ReturnTarget};

/// Retention of cancelled cards where the client file names none (`docs/sources.md#widget`, "e.g. 30 days").
pub const DEFAULT_RETENTION_DAYS: u16 = 30;

/// Complete set-up of one partner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Client {
    /// `iss` of its tokens.
    pub id: ClientId,
    /// Short name in addresses.
    pub slug: Slug,
    /// Display name, shown by the page and its texts.
    pub name: String,
    /// Mastercard's name of the institution: `institutionName` of every call to MRS. `None` stands for [`Self::name`], in
    /// set-ups of files without it and in older stored ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub institution_name: Option<String>,
    /// Whether it may open the widget.
    pub status: ClientStatus,
    /// Keys that verify the client's tokens.
    pub keys: Vec<VerificationKey>,
    /// Language for tokens that name none, or one without a translation.
    pub default_language: Language,
    /// Built-in languages that the page is offered in, beside the default language and those of the translations; `None` for
    /// all that are reviewed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub languages: Option<Vec<Language>>,
    /// Texts by language, in the JSON of the widget document.
    pub translations: BTreeMap<Language, serde_json::Value>,
    /// Terms and conditions.
    pub terms: Option<Document>,
    /// Privacy notice.
    pub privacy: Option<Document>,
    /// Fields that the page shows.
    pub fields: Fields,
    /// Pictures and colors.
    pub look: Look,
    /// Origins that may embed the widget and receive its events.
    pub embed_origins: Vec<Origin>,
    /// Hosts that may receive confirmations.
    pub confirmation_hosts: Vec<ReceiverHost>,
    /// Addresses to which a customer's browser may be sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub return_targets: Vec<ReturnTarget>,
    /// Start page of the client, to which a page without a session leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home_url: Option<HomeUrl>,
    /// Programs that tokens can name.
    pub programs: Vec<Program>,
    /// Programs that earlier files had: kept by the store, never set by a file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retired_programs: Vec<RetiredProgram>,
    /// Settings for batch enrollment; `None` where the client sends no batches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<Issuer>,
    /// Retention days of the issuer settings that earlier files had: kept by the store, never set by a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired_issuer_retention_days: Option<u16>,
}

impl Client {
    /// Returns Mastercard's name of the institution. Under another name MRS finds none of the client's cards.
    pub fn institution(&self) -> &str {
        self.institution_name.as_deref().unwrap_or(&self.name)
    }

    /// Returns the program with this id.
    pub fn program(&self, id: &ProgramId) -> Option<&Program> {
        self.programs.iter().find(|program| program.id == *id)
    }

    /// Returns the retention days of each program, retired ones included: their cancelled cards are purged too.
    pub fn retentions(&self) -> impl Iterator<Item = (&ProgramId, u16)> {
        let current = self
            .programs
            .iter()
            .map(|program| (&program.id, program.retention_days));
        let retired = self
            .retired_programs
            .iter()
            .map(|program| (&program.id, program.retention_days));
        current.chain(retired)
    }

    /// Returns the retention days of a program; the default where the client never had it.
    pub fn retention_days(&self, program: &ProgramId) -> u16 {
        let of_program = self.retentions().find(|(id, _)| *id == program);
        of_program.map_or(DEFAULT_RETENTION_DAYS, |(_, days)| days)
    }

    /// Returns the retention days of batches and enrolled cards, also where the client is no issuer any more; `None` where it
    /// never was one.
    pub fn issuer_retention_days(&self) -> Option<u16> {
        let current = self.issuer.as_ref().map(|issuer| issuer.retention_days);
        current.or(self.retired_issuer_retention_days)
    }

    /// Sets [`Self::retired_programs`] for a set-up that replaces `before`: all programs that `before` had, retired or not,
    /// and this one does not name. Does the same for the issuer's retention days.
    pub fn retire_programs_of(&mut self, before: &Self) {
        self.retired_issuer_retention_days = match self.issuer {
            Some(_) => None,
            None => before.issuer_retention_days(),
        };
        self.retired_programs = before
            .retentions()
            .filter(|(id, _)| self.program(id).is_none())
            .map(|(id, retention_days)| RetiredProgram {
                id: id.clone(),
                retention_days,
            })
            .collect();
    }

    /// Whether a picture of this hash is one of the client's.
    pub fn has_picture(&self, hash: &str) -> bool {
        let designs = self.programs.iter().flat_map(|program| program.designs.values());
        self.look.pictures().any(|own| own == hash)
            || designs
                .into_iter()
                .any(|design| matches!(design, Design::Picture(own) if own == hash))
    }

    /// Returns the keys that are valid at `now`.
    pub fn current_keys(&self, now: Timestamp) -> impl Iterator<Item = &VerificationKey> {
        self.keys
            .iter()
            .filter(move |key| key.not_after.is_none_or(|end| now < end))
    }

    /// Returns the languages that the page is offered in, the default first. Some may be spellings of one language.
    pub fn offered_languages(&self) -> impl Iterator<Item = &Language> {
        let reviewed = || BuiltIn::all().iter().filter(|built_in| built_in.is_reviewed);
        let built_in: Vec<_> = match &self.languages {
            Some(listed) => listed.iter().collect(),
            None => reviewed().map(|built_in| &built_in.language).collect(),
        };
        std::iter::once(&self.default_language)
            .chain(self.translations.keys())
            .chain(built_in)
    }

    /// Returns the language that the page is shown in for a request; the default where the client has no texts for it.
    pub fn language_for(&self, requested: Option<&RequestedLanguage>) -> Language {
        requested
            .and_then(|requested| requested.choose(self.offered_languages()))
            .unwrap_or(&self.default_language)
            .clone()
    }

    /// Returns a language's texts, with the names of client and program. Each text is the first of: the client's translation,
    /// the built-in text, both in the default language, built-in English (`docs/translations.md#fallback`).
    pub fn texts(&self, language: &Language) -> Texts {
        let layers: Vec<_> = self
            .layers(language)
            .chain(self.layers(&self.default_language))
            .collect();
        Texts::merged(language, &layers).named(Some(&self.name))
    }

    /// Returns the texts in a language: the client's, then its own in the same language of another region or of none, then
    /// the built-in ones.
    fn layers(&self, language: &Language) -> impl Iterator<Item = Layer<'_>> {
        let requested = RequestedLanguage::from(language);
        let exact = self.translations.get_key_value(language);
        let others = self.translations.keys().filter(|other| *other != language);
        let near = requested
            .choose(others)
            .and_then(|near| self.translations.get_key_value(near));
        let own = exact.into_iter().chain(near);
        own.map(|(language, texts)| Layer::of_client(language, texts))
            .chain(BuiltIn::find(language).map(Layer::built_in))
    }

    /// Whether confirmations may go to `url`: https, a registered host (and port), no credentials in it.
    pub fn may_confirm_to(&self, url: &Url) -> bool {
        url.scheme() == "https"
            && url.username().is_empty()
            && url.password().is_none()
            && self.confirmation_hosts.iter().any(|host| host.matches(url))
    }

    /// Reads the address that a token names for the way back; `None` where it is none of the client's targets.
    pub fn return_url(&self, text: &str) -> Option<Url> {
        return_target::read_return_url(text, &self.return_targets)
    }
}

/// Whether a client may open the widget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientStatus {
    /// The client's tokens are accepted.
    Active,
    /// The client's tokens are refused with `ACCESS_DENIED`.
    Suspended,
}

/// A public key of a client (PEM, RSA of at least 2048 bits).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerificationKey {
    /// Id of the key, which a token may name as `kid`.
    pub id: String,
    /// `SubjectPublicKeyInfo` or PKCS#1, PEM.
    pub pem: String,
    /// End of its validity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timestamp>,
}

/// Terms or a privacy notice, of a version that the consent names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Version that the customer consents to.
    pub version: String,
    /// Address or text.
    #[serde(flatten)]
    pub content: DocumentContent,
}

/// An address or the text itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DocumentContent {
    /// An https address.
    Url(String),
    /// Plain text.
    Text(String),
}

/// Whether a field is on the page and must be filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Field {
    /// Not shown, and refused when it is sent anyway.
    #[default]
    Hidden,
    /// Shown, may be empty.
    Optional,
    /// Shown, must be filled.
    Required,
}

/// Fields of the page beside the card number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Fields {
    /// First name, passed to MRS and not stored.
    pub first_name: Field,
    /// Last name, passed to MRS and not stored.
    pub last_name: Field,
    /// E-mail, passed to MRS and not stored.
    pub email: Field,
    /// Consent to the terms.
    pub terms: Field,
    /// Consent to the privacy notice.
    pub privacy: Field,
}

/// Look of the cards of one design code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Design {
    /// Hexadecimal SHA-256 of a PNG in the shape of a card.
    Picture(String),
    /// Color of the card.
    Color(Color),
}

/// Program that Mastercard set up for the client (`docs/sources.md#widget`, "Technical description of the setup").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Mastercard's id of the program.
    pub id: ProgramId,
    /// Member ICA, up to six digits.
    pub member_ica: u32,
    /// Bank product code.
    pub bank_product_code: String,
    /// Card numbers that belong to the program.
    pub bin_ranges: Vec<BinRange>,
    /// Looks of the cards, by design code.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub designs: BTreeMap<String, Design>,
    /// Kind of bank customer number that identifies a card to MRS.
    pub bank_customer_number: BankCustomerNumberKind,
    /// Days from a card's cancellation to the deletion of its records.
    pub retention_days: u16,
    /// Whether `actionCode` R is allowed.
    pub replacement: bool,
    /// Whether `actionCode` C is allowed.
    pub opt_out: bool,
    /// Limit of active cards of a customer.
    pub max_cards: u16,
    /// Limit of one customer's submissions in an hour, over sessions.
    pub attempts_per_customer_per_hour: u32,
    /// Limit of all the client's customers' submissions in an hour.
    pub attempts_per_client_per_hour: u32,
}

impl Program {
    /// Whether a token may ask for `action`.
    pub fn allows(&self, action: ActionCode) -> bool {
        match action {
            ActionCode::Enroll => true,
            ActionCode::Replace => self.replacement,
            ActionCode::OptOut => self.opt_out,
        }
    }

    /// Returns the range that a card with these first six digits may belong to.
    pub fn range_of(&self, bin: Bin) -> Option<&BinRange> {
        self.bin_ranges.iter().find(|range| range.may_contain(bin))
    }

    /// Checks that MRS can accept `customer`: where the id itself is the bank customer number, it has to fit.
    pub fn can_name(&self, customer: &CustomerId) -> Result<(), Malformed> {
        match self.bank_customer_number {
            BankCustomerNumberKind::PerCard => Ok(()),
            BankCustomerNumberKind::CustomerId => {
                crate::identifiers::BankCustomerNumber::parse(customer.expose()).map(|_| ())
            }
        }
    }
}

/// Program that the client's file no longer names. Its cancelled cards are still purged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetiredProgram {
    /// Mastercard's id of the program.
    pub id: ProgramId,
    /// Its last retention days.
    pub retention_days: u16,
}

/// Kind of value that is sent to MRS as `BANK_CUSTOMER_NUMBER` (`docs/contract.md#bank-customer-number`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BankCustomerNumberKind {
    /// A random value for each intent, by which every intent can be found in MRS.
    #[default]
    PerCard,
    /// The customer id, for programs with one card a customer.
    CustomerId,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn unsupported_language_falls_back_to_the_default() {
        let mut client = testing::client();
        client.default_language = Language::parse("de").unwrap();
        client.languages = Some(Vec::new());
        client.translations.insert(
            Language::parse("pl").unwrap(),
            serde_json::json!({"read_more": "Więcej"}),
        );
        let wish = |text: &str| {
            client
                .language_for(RequestedLanguage::parse(text).as_ref())
                .to_string()
        };
        assert_eq!(wish("pl_PL"), "pl");
        assert_eq!(wish("fr_FR"), "de");
        assert_eq!(wish("de"), "de");
        assert_eq!(client.language_for(None).as_str(), "de");
        assert_eq!(
            client.texts(&Language::parse("pl_PL").unwrap()).text("read_more"),
            "Więcej"
        );
    }

    #[test]
    fn reviewed_languages_are_offered_unless_a_file_lists_some() {
        let mut client = testing::client();
        client.default_language = Language::parse("sw").unwrap();
        let offers = |client: &Client, tag: &str| {
            client
                .language_for(RequestedLanguage::parse(tag).as_ref())
                .to_string()
        };
        assert_eq!(offers(&client, "en_GB"), "en");
        client.languages = Some(Vec::new());
        assert_eq!(offers(&client, "en_GB"), "sw");
        client.languages = Some(vec![Language::parse("en").unwrap()]);
        assert_eq!(offers(&client, "en_GB"), "en");
    }

    #[test]
    fn texts_of_the_default_language_come_after_built_in_ones() {
        let mut client = testing::client();
        client.default_language = Language::parse("sw").unwrap();
        let own = serde_json::json!({"read_more": "Soma zaidi", "register": {"header": "Zawadi"}});
        client.translations.insert(client.default_language.clone(), own);
        let english = client.texts(&Language::english());
        assert_eq!(english.text("read_more"), "Read more");
        assert_eq!(english.text("register.header"), "Zawadi");
        assert_eq!(english.language_of("register.header").as_str(), "sw");
        let other = client.texts(&Language::parse("lt").unwrap());
        assert_eq!(other.text("read_more"), "Soma zaidi");
    }

    #[test]
    fn translation_of_another_region_counts_before_built_in_texts() {
        let mut client = testing::client();
        let read_more = |client: &Client, tag: &str| {
            client
                .texts(&Language::parse(tag).unwrap())
                .text("read_more")
                .to_owned()
        };
        let own = serde_json::json!({"read_more": "More"});
        client.translations.insert(Language::english(), own);
        assert_eq!(read_more(&client, "en_GB"), "More");
        let own = serde_json::json!({"read_more": "Read on"});
        client.translations.insert(Language::parse("en_GB").unwrap(), own);
        assert_eq!(read_more(&client, "en_GB"), "Read on");
    }

    #[test]
    fn confirmations_go_to_registered_https_hosts_only() {
        let mut client = testing::client();
        client.confirmation_hosts = ["partner.example", "other.example:8443"]
            .map(|host| ReceiverHost::parse(host).unwrap())
            .to_vec();
        let may = |text: &str| client.may_confirm_to(&Url::parse(text).unwrap());
        assert!(may("https://partner.example/id/123"));
        assert!(may("https://PARTNER.example:443/id/123"));
        assert!(may("https://other.example:8443/"));
        for refused in [
            "http://partner.example/",
            "https://partner.example:8443/",
            "https://other.example/",
            "https://partner.example.evil.example/",
            "https://user@partner.example/",
            "https://partner.example@evil.example/",
            "ftp://partner.example/",
        ] {
            assert!(!may(refused), "{refused}");
        }
    }

    #[test]
    fn retired_program_keeps_its_retention_days() {
        let with = |programs: &[(&str, u16)]| {
            let mut client = testing::client();
            let program = client.programs.remove(0);
            client.programs = programs
                .iter()
                .map(|(id, retention_days)| Program {
                    id: ProgramId::parse(id).unwrap(),
                    retention_days: *retention_days,
                    ..program.clone()
                })
                .collect();
            client
        };
        let after = |mut client: Client, before: &Client| {
            client.retire_programs_of(before);
            client
        };
        let told = |client: &Client| {
            client
                .retentions()
                .map(|(id, days)| (id.to_string(), days))
                .collect::<Vec<_>>()
        };
        let both = with(&[("1", 30), ("2", 7)]);
        let one = after(with(&[("1", 14)]), &both);
        assert_eq!(told(&one), [("1".to_owned(), 14), ("2".to_owned(), 7)]);
        assert_eq!(one.retired_programs.len(), 1);
        let still = after(with(&[("1", 14), ("3", 9)]), &one);
        assert_eq!(
            told(&still),
            [("1".to_owned(), 14), ("3".to_owned(), 9), ("2".to_owned(), 7)]
        );
        let back = after(with(&[("2", 5)]), &still);
        assert_eq!(
            told(&back),
            [("2".to_owned(), 5), ("1".to_owned(), 14), ("3".to_owned(), 9)]
        );
    }

    #[test]
    fn client_without_retired_programs_can_be_read() {
        let stored = serde_json::to_value(testing::client()).unwrap();
        assert!(stored.get("retired_programs").is_none(), "{stored}");
        assert_eq!(
            serde_json::from_value::<Client>(stored).unwrap(),
            testing::client()
        );
    }

    #[test]
    fn a_stored_client_without_institution_name_has_its_name() {
        let mut client = testing::client();
        let stored = serde_json::to_value(&client).unwrap();
        assert!(stored.get("institution_name").is_none(), "{stored}");
        let read: Client = serde_json::from_value(stored).unwrap();
        assert_eq!(read.institution(), client.name);
        client.institution_name = Some("Demo Bank plc".into());
        let read: Client = serde_json::from_value(serde_json::to_value(&client).unwrap()).unwrap();
        assert_eq!(read.institution(), "Demo Bank plc");
    }

    #[test]
    fn longer_prefixes_include_the_bins_at_their_edges() {
        let range = BinRange::parse("52340050", "52340249").unwrap();
        for (bin, held) in [
            ("523399", false),
            ("523400", true),
            ("523401", true),
            ("523402", true),
            ("523403", false),
        ] {
            assert_eq!(range.may_contain(Bin::parse(bin).unwrap()), held, "{bin}");
        }
    }
}

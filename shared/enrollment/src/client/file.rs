//! The client file: one declarative TOML that the operator applies (`docs/contract.md#client-file`). All its faults are
//! reported at once, each with its place.

mod look;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;
use url::Url;

use super::bin_range::WrittenBinRange;
use super::issuer::WrittenIssuer;
use super::public_key::PublicKey;
use super::{
    BankCustomerNumberKind, BinRange, Client, ClientStatus, Document, DocumentContent, Field, Fields,
    HomeUrl, Issuer, Origin, Program, ReceiverHost, ReturnTarget, VerificationKey,
};
use crate::identifiers::{ClientId, ProgramId, Slug};
use crate::language::{Language, RequestedLanguage};
use crate::texts::{BuiltIn, read_translation, review};
use look::{WrittenDesign, WrittenLook};

/// Finding about a setting of a client file: an error or a warning.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct ClientFileFinding {
    /// Path of the setting: `programs[0].bin_ranges[1].to`.
    pub place: String,
    /// The rule that is broken, and what would be right.
    pub message: String,
}

/// A client as read from its file, with the pictures that it names.
#[derive(Debug, Clone, PartialEq)]
pub struct ClientSetup {
    /// Set-up to store.
    pub client: Client,
    /// Pictures by the hexadecimal SHA-256 of their content.
    pub pictures: BTreeMap<String, Vec<u8>>,
    /// Settings that are valid but probably not intended: dates of a certificate, missing texts, unreadable colors.
    pub warnings: Vec<ClientFileFinding>,
}

/// Reads and checks a client file. `open` returns the content of a file that it names, relative to the client file.
///
/// # Errors
/// All faults of the file.
pub fn read(
    toml: &str,
    open: &dyn Fn(&str) -> std::io::Result<Vec<u8>>,
) -> Result<ClientSetup, Vec<ClientFileFinding>> {
    let written: Written = toml::from_str(toml).map_err(|error| {
        vec![ClientFileFinding {
            place: "client file".into(),
            message: error.to_string().trim().to_owned(),
        }]
    })?;
    let mut reader = FileReader {
        open,
        faults: Vec::new(),
        warnings: Vec::new(),
        pictures: BTreeMap::new(),
    };
    let client = reader.client(written);
    match client {
        Some(client) if reader.faults.is_empty() => Ok(ClientSetup {
            client,
            pictures: reader.pictures,
            warnings: reader.warnings,
        }),
        _ => Err(reader.faults),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    slug: String,
    name: String,
    institution_name: Option<String>,
    #[serde(default = "active")]
    status: ClientStatus,
    default_language: String,
    languages: Option<Vec<String>>,
    #[serde(default)]
    embed_origins: Vec<String>,
    #[serde(default)]
    confirmation_hosts: Vec<String>,
    #[serde(default)]
    return_targets: Vec<String>,
    home_url: Option<String>,
    keys: Vec<WrittenKey>,
    #[serde(default)]
    fields: WrittenFields,
    terms: Option<WrittenDocument>,
    privacy: Option<WrittenDocument>,
    #[serde(default)]
    look: WrittenLook,
    #[serde(default)]
    translations: BTreeMap<String, String>,
    #[serde(default)]
    programs: Vec<WrittenProgram>,
    issuer: Option<WrittenIssuer>,
}

fn active() -> ClientStatus {
    ClientStatus::Active
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(default, deny_unknown_fields)]
struct WrittenFields {
    first_name: Field,
    last_name: Field,
    email: Field,
    terms: Field,
    privacy: Field,
}

impl From<WrittenFields> for Fields {
    fn from(written: WrittenFields) -> Self {
        let WrittenFields {
            first_name,
            last_name,
            email,
            terms,
            privacy,
        } = written;
        Self {
            first_name,
            last_name,
            email,
            terms,
            privacy,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenKey {
    id: String,
    file: Option<String>,
    pem: Option<String>,
    not_after: Option<toml::value::Datetime>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenDocument {
    version: String,
    url: Option<String>,
    text: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenProgram {
    id: String,
    member_ica: u32,
    bank_product_code: String,
    bin_ranges: Vec<WrittenBinRange>,
    #[serde(default)]
    designs: BTreeMap<String, WrittenDesign>,
    #[serde(default)]
    bank_customer_number: BankCustomerNumberKind,
    #[serde(default = "thirty")]
    retention_days: u16,
    #[serde(default)]
    replacement: bool,
    #[serde(default)]
    opt_out: bool,
    max_cards: Option<u16>,
    #[serde(default = "twenty")]
    attempts_per_customer_per_hour: u32,
    #[serde(default = "ten_thousand")]
    attempts_per_client_per_hour: u32,
}

fn thirty() -> u16 {
    30
}

fn twenty() -> u32 {
    20
}

fn ten_thousand() -> u32 {
    10_000
}

struct FileReader<'a> {
    open: &'a dyn Fn(&str) -> std::io::Result<Vec<u8>>,
    faults: Vec<ClientFileFinding>,
    warnings: Vec<ClientFileFinding>,
    pictures: BTreeMap<String, Vec<u8>>,
}

impl FileReader<'_> {
    fn client(&mut self, written: Written) -> Option<Client> {
        let id = self.take("id", ClientId::parse(&written.id));
        let slug = self.take("slug", Slug::parse(&written.slug));
        let default_language = self.take("default_language", Language::parse(&written.default_language));
        self.name("name", &written.name);
        if let Some(name) = &written.institution_name {
            self.name("institution_name", name);
        }
        let keys = self.keys(&written.keys);
        let terms = self.document("terms", written.terms, written.fields.terms);
        let privacy = self.document("privacy", written.privacy, written.fields.privacy);
        let look = self.look(&written.look);
        let translations = self.translations(&written.translations);
        let languages = written.languages.map(|tags| self.languages(&tags));
        if let Some(default_language) = &default_language {
            self.check_languages(default_language, &translations);
        }
        let embed_origins = self.each("embed_origins", &written.embed_origins, Self::origin);
        let confirmation_hosts = self.each("confirmation_hosts", &written.confirmation_hosts, Self::host);
        let return_targets = self.each(
            "return_targets",
            &written.return_targets,
            |reader, place, text| reader.take(place, ReturnTarget::parse(text)),
        );
        let home_url = written
            .home_url
            .and_then(|text| self.take("home_url", HomeUrl::parse(&text)));
        let issuer = written.issuer.map(|issuer| self.issuer(issuer));
        if written.programs.is_empty() && issuer.is_none() {
            self.fault(
                "programs",
                "at least one program is needed, or the section [issuer]",
            );
        }
        let programs = self.programs(written.programs);
        Some(Client {
            id: id?,
            slug: slug?,
            name: written.name,
            institution_name: written.institution_name,
            status: written.status,
            keys,
            default_language: default_language?,
            languages,
            translations,
            terms,
            privacy,
            fields: written.fields.into(),
            look,
            embed_origins,
            confirmation_hosts,
            return_targets,
            home_url,
            programs,
            retired_programs: Vec::new(),
            issuer,
            retired_issuer_retention_days: None,
        })
    }

    fn keys(&mut self, written: &[WrittenKey]) -> Vec<VerificationKey> {
        if written.is_empty() {
            self.fault("keys", "at least one public key is needed");
        }
        let mut ids = BTreeSet::new();
        let mut keys = Vec::new();
        for (index, key) in written.iter().enumerate() {
            let place = format!("keys[{index}]");
            if !ids.insert(key.id.as_str()) || key.id.is_empty() || key.id.len() > 64 {
                self.fault(&format!("{place}.id"), "must be 1 to 64 characters and unique");
            }
            let Some(file) = self.key_file(&place, key) else {
                continue;
            };
            let Some(public_key) = self.take(&place, PublicKey::read(&file)) else {
                continue;
            };
            if let Some(validity) = public_key.validity {
                self.warn(
                    &place,
                    &format!(
                        "is a certificate, valid from {validity}; its dates are ignored, only not_after of this file counts"
                    ),
                );
            }
            let not_after = match key.not_after.map(|end| end.to_string().parse::<Timestamp>()) {
                Some(Ok(end)) => Some(end),
                Some(Err(_)) => {
                    self.fault(
                        &format!("{place}.not_after"),
                        "must be a date with time and offset, like 2027-01-01T00:00:00Z",
                    );
                    None
                }
                None => None,
            };
            keys.push(VerificationKey {
                id: key.id.clone(),
                pem: public_key.pem,
                not_after,
            });
        }
        keys
    }

    fn key_file(&mut self, place: &str, key: &WrittenKey) -> Option<Vec<u8>> {
        match (&key.pem, &key.file) {
            (Some(pem), None) => Some(pem.clone().into_bytes()),
            (None, Some(file)) => self.content(&format!("{place}.file"), file),
            _ => {
                self.fault(place, "needs either 'file' or 'pem'");
                None
            }
        }
    }

    fn document(&mut self, place: &str, written: Option<WrittenDocument>, field: Field) -> Option<Document> {
        let Some(written) = written else {
            if field != Field::Hidden {
                self.fault(place, &format!("is missing, and fields.{place} is not hidden"));
            }
            return None;
        };
        if written.version.is_empty() || written.version.chars().count() > 64 {
            self.fault(&format!("{place}.version"), "must be 1 to 64 characters");
        }
        let content = match (written.url, written.text) {
            (Some(url), None) => {
                if !Url::parse(&url).is_ok_and(|url| url.scheme() == "https") {
                    self.fault(&format!("{place}.url"), "must be an https address");
                }
                DocumentContent::Url(url)
            }
            (None, Some(text)) => DocumentContent::Text(text),
            _ => {
                self.fault(place, "needs either 'url' or 'text'");
                return None;
            }
        };
        Some(Document {
            version: written.version,
            content,
        })
    }

    fn translations(&mut self, written: &BTreeMap<String, String>) -> BTreeMap<Language, serde_json::Value> {
        let mut translations = BTreeMap::new();
        for (tag, file) in written {
            let place = format!("translations.{tag}");
            let language = self.take(&place, Language::parse(tag));
            let Some(bytes) = self.content(&place, file) else {
                continue;
            };
            match read_translation(&bytes) {
                Ok(translation) => {
                    let Some(language) = language else { continue };
                    if let Some(other) = same_language(&language, translations.keys()) {
                        let message = format!("is another spelling of '{other}', which is listed too");
                        self.fault(&place, &message);
                    }
                    translations.insert(language, translation);
                }
                Err(faults) => {
                    for fault in faults {
                        self.fault(&place, &fault.to_string());
                    }
                }
            }
        }
        translations
    }

    /// Built-in languages that the file lists.
    fn languages(&mut self, tags: &[String]) -> Vec<Language> {
        let mut languages = Vec::new();
        for (index, tag) in tags.iter().enumerate() {
            let place = format!("languages[{index}]");
            let Some(language) = self.take(&place, Language::parse(tag)) else {
                continue;
            };
            let Some(built_in) = BuiltIn::find(&language) else {
                let known: Vec<_> = BuiltIn::all()
                    .iter()
                    .map(|built_in| built_in.language.as_str())
                    .collect();
                let message = format!("is not built in; built-in languages are {}", known.join(", "));
                self.fault(&place, &message);
                continue;
            };
            if same_language(&language, languages.iter()).is_some() {
                self.fault(&place, "is listed twice");
            }
            self.warn_of_unreviewed(&place, built_in);
            languages.push(language);
        }
        languages
    }

    fn warn_of_unreviewed(&mut self, place: &str, built_in: &BuiltIn) {
        if !built_in.is_reviewed {
            let message = format!(
                "uses the built-in texts of '{}', which are not reviewed yet; read them first (client preview)",
                built_in.language
            );
            self.warn(place, &message);
        }
    }

    /// Warns of texts that customers would read in another language than the chosen one, and of other parts of translations
    /// that are probably not intended.
    fn check_languages(&mut self, default: &Language, translations: &BTreeMap<Language, serde_json::Value>) {
        match same_language(default, translations.keys()) {
            Some(other) if other != default => {
                let message =
                    format!("is another spelling of '{other}' in translations; use the same spelling");
                self.fault("default_language", &message);
            }
            Some(_) => {}
            None => match BuiltIn::find(default) {
                Some(built_in) => self.warn_of_unreviewed("default_language", built_in),
                None => self.warn(
                    "default_language",
                    "is not built in and has no translation; the page is shown in English",
                ),
            },
        }
        for (language, translation) in translations {
            let requested = RequestedLanguage::from(language);
            let others = translations.keys().filter(|other| *other != language);
            let near = requested.choose(others).and_then(|near| translations.get(near));
            for warning in review(language, translation, near.as_slice()) {
                self.warn(&format!("translations.{language}"), &warning.to_string());
            }
        }
    }

    fn issuer(&mut self, written: WrittenIssuer) -> Issuer {
        let (issuer, faults) = written.check();
        for (name, rule) in faults {
            self.fault(&format!("issuer.{name}"), rule);
        }
        issuer
    }

    fn programs(&mut self, written: Vec<WrittenProgram>) -> Vec<Program> {
        let mut programs: Vec<Program> = Vec::new();
        for (index, program) in written.into_iter().enumerate() {
            let place = format!("programs[{index}]");
            let id = self.take(&format!("{place}.id"), ProgramId::parse(&program.id));
            self.program(&place, &program);
            let bin_ranges = self.bin_ranges(&place, program.bin_ranges);
            let designs = self.designs(&place, &program.designs, &bin_ranges);
            let Some(id) = id else { continue };
            let named_by_customer = |kind| kind == BankCustomerNumberKind::CustomerId;
            if named_by_customer(program.bank_customer_number)
                && programs
                    .iter()
                    .any(|other| named_by_customer(other.bank_customer_number))
            {
                self.fault(
                    &format!("{place}.bank_customer_number"),
                    "can be customer_id in one program only: in another program a customer would have the same number, and \
                     MRS could not distinguish the cards",
                );
            }
            if programs.iter().any(|other| other.id == id) {
                self.fault(&format!("{place}.id"), "is used twice");
            }
            let max_cards = program.max_cards.unwrap_or(match program.bank_customer_number {
                BankCustomerNumberKind::PerCard => 5,
                BankCustomerNumberKind::CustomerId => 1,
            });
            programs.push(Program {
                id,
                member_ica: program.member_ica,
                bank_product_code: program.bank_product_code,
                bin_ranges,
                designs,
                bank_customer_number: program.bank_customer_number,
                retention_days: program.retention_days,
                replacement: program.replacement,
                opt_out: program.opt_out,
                max_cards,
                attempts_per_customer_per_hour: program.attempts_per_customer_per_hour,
                attempts_per_client_per_hour: program.attempts_per_client_per_hour,
            });
        }
        programs
    }

    fn program(&mut self, place: &str, program: &WrittenProgram) {
        if !(1..=999_999).contains(&program.member_ica) {
            self.fault(&format!("{place}.member_ica"), "must be 1 to 999999");
        }
        let code = &program.bank_product_code;
        if !(1..=20).contains(&code.len()) || !code.bytes().all(|byte| byte.is_ascii_graphic()) {
            self.fault(
                &format!("{place}.bank_product_code"),
                "must be 1 to 20 characters without a space",
            );
        }
        if !(1..=3650).contains(&program.retention_days) {
            self.fault(&format!("{place}.retention_days"), "must be 1 to 3650");
        }
        if program.max_cards == Some(0) {
            self.fault(&format!("{place}.max_cards"), "must be at least 1");
        }
        if program.bank_customer_number == BankCustomerNumberKind::CustomerId && program.max_cards > Some(1) {
            self.fault(
                &format!("{place}.max_cards"),
                "must be 1 if bank_customer_number is customer_id: MRS accepts a number only once (-50)",
            );
        }
        if program.bank_customer_number == BankCustomerNumberKind::CustomerId && program.replacement {
            self.fault(
                &format!("{place}.replacement"),
                "can't be true if bank_customer_number is customer_id: the new card is enrolled before the old one is \
                 cancelled, and MRS refuses the customer's number (-50) while the old card is active",
            );
        }
    }

    fn bin_ranges(&mut self, place: &str, written: Vec<WrittenBinRange>) -> Vec<BinRange> {
        if written.is_empty() {
            self.fault(&format!("{place}.bin_ranges"), "at least one range is needed");
        }
        let mut ranges = Vec::with_capacity(written.len());
        for (index, range) in written.into_iter().enumerate() {
            match BinRange::try_from(range) {
                Ok(range) => ranges.push(range),
                Err(_) => self.fault(
                    &format!("{place}.bin_ranges[{index}]"),
                    "'from' and 'to' must be 6 to 11 digits of the same length, 'from' not above 'to'",
                ),
            }
        }
        ranges
    }

    /// Reads each text of a list, which stands at `{place}[index]`.
    fn each<T>(
        &mut self,
        place: &str,
        written: &[String],
        read: fn(&mut Self, &str, &str) -> Option<T>,
    ) -> Vec<T> {
        let entries = written.iter().enumerate();
        entries
            .filter_map(|(index, text)| read(self, &format!("{place}[{index}]"), text))
            .collect()
    }

    fn origin(&mut self, place: &str, written: &str) -> Option<Origin> {
        let origin = Origin::registrable(written).ok();
        if origin.is_none() {
            self.fault(
                place,
                "must be an origin like https://www.bank.example (http only for localhost)",
            );
        }
        origin
    }

    fn host(&mut self, place: &str, written: &str) -> Option<ReceiverHost> {
        let host = ReceiverHost::parse(written).ok();
        if host.is_none() {
            self.fault(
                place,
                "must be a host like partner.example, or host:port where the port is not 443",
            );
        }
        host
    }

    fn content(&mut self, place: &str, file: &str) -> Option<Vec<u8>> {
        match (self.open)(file) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                self.fault(place, &format!("'{file}' can't be read: {error}"));
                None
            }
        }
    }

    fn take<T, E: std::fmt::Display>(&mut self, place: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.fault(place, &error.to_string())).ok()
    }

    /// MRS takes an institution name of 100 characters at the most.
    fn name(&mut self, place: &str, name: &str) {
        if name.trim().is_empty() || name.chars().count() > 100 {
            self.fault(place, "must be 1 to 100 characters");
        }
    }

    fn fault(&mut self, place: &str, message: &str) {
        self.faults.push(ClientFileFinding {
            place: place.to_owned(),
            message: message.to_owned(),
        });
    }

    fn warn(&mut self, place: &str, message: &str) {
        self.warnings.push(ClientFileFinding {
            place: place.to_owned(),
            message: message.to_owned(),
        });
    }
}

/// The language out of `others` that is `language`, perhaps in another spelling.
fn same_language<'a>(
    language: &Language,
    mut others: impl Iterator<Item = &'a Language>,
) -> Option<&'a Language> {
    let requested = RequestedLanguage::from(language);
    others.find(|other| requested.is_same(&RequestedLanguage::from(*other)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Tokenization;
    use crate::testing::PUBLIC_KEY_PEM;
    use crate::texts::Texts;

    const GOOD: &str = r##"
        id = "demo"
        slug = "demo"
        name = "Demo Bank"
        default_language = "en"
        embed_origins = ["https://www.bank.example"]
        confirmation_hosts = ["api.bank.example", "api.bank.example:8443"]
        return_targets = ["https://www.bank.example", "com.bank.app:", "intent:com.bank.app"]
        home_url = "https://www.bank.example/cards"
        [[keys]]
        id = "2026"
        file = "public.pem"
        not_after = 2027-01-01T00:00:00Z
        [fields]
        first_name = "optional"
        terms = "required"
        [terms]
        version = "1"
        text = "Be good."
        [look.colors]
        accent = "#cf4500"
        [[programs]]
        id = "10765"
        member_ica = 1234
        bank_product_code = "MRSDEMO"
        [[programs.bin_ranges]]
        from = "523400"
        to = "523499"
        design_code = "Gold"
    "##;

    fn open(file: &str) -> std::io::Result<Vec<u8>> {
        match file {
            "public.pem" => Ok(PUBLIC_KEY_PEM.into()),
            "pl.json" => Ok(br#"{"read_more":"Wi\u0119cej","nonsense":"x"}"#.to_vec()),
            _ => Err(std::io::ErrorKind::NotFound.into()),
        }
    }

    fn faults(toml: &str) -> Vec<String> {
        read(toml, &open)
            .err()
            .unwrap_or_default()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn good_file_survives_storage() {
        let setup = read(GOOD, &open).unwrap();
        assert_eq!(setup.client.programs[0].max_cards, 5);
        assert_eq!(setup.client.programs[0].retention_days, 30);
        assert_eq!(setup.client.fields.first_name, Field::Optional);
        let stored = serde_json::to_string(&setup.client).unwrap();
        assert_eq!(serde_json::from_str::<Client>(&stored).unwrap(), setup.client);
    }

    #[test]
    fn institution_name_differs_from_display_name() {
        let setup = read(GOOD, &open).unwrap();
        assert_eq!(setup.client.institution(), "Demo Bank", "without one of its own");
        let named = GOOD.replace(
            "name = \"Demo Bank\"",
            "name = \"Demo\"\ninstitution_name = \"Demo Bank plc\"",
        );
        let client = read(&named, &open).unwrap().client;
        assert_eq!(
            (client.name.as_str(), client.institution()),
            ("Demo", "Demo Bank plc")
        );
        let long = named.replace("Demo Bank plc", &"x".repeat(101));
        assert_eq!(faults(&long), ["institution_name: must be 1 to 100 characters"]);
    }

    #[test]
    fn all_faults_are_reported_with_their_places() {
        let bad = GOOD
            .replace("slug = \"demo\"", "slug = \"api\"")
            .replace(
                "[\"https://www.bank.example\"]",
                "[\"https://www.bank.example/\"]",
            )
            .replace("\"intent:com.bank.app\"", "\"intent:\"")
            .replace("https://www.bank.example/cards", "http://www.bank.example/cards")
            .replace("\"api.bank.example:8443\"", "\"https://api.bank.example\"")
            .replace("#cf4500", "red;}")
            .replace("to = \"523499\"", "to = \"52349\"")
            .replace("member_ica = 1234", "member_ica = 0\nretention_days = 0");
        let faults = faults(&bad);
        for place in [
            "slug:",
            "embed_origins[0]:",
            "confirmation_hosts[1]:",
            "return_targets[2]:",
            "home_url:",
            "look.colors.accent:",
            "programs[0].bin_ranges[0]:",
            "programs[0].member_ica:",
            "programs[0].retention_days:",
        ] {
            assert!(
                faults.iter().any(|fault| fault.starts_with(place)),
                "{place} in {faults:?}"
            );
        }
        assert_eq!(faults.len(), 9, "{faults:?}");
    }

    const ISSUER: &str = r#"
        [issuer]
        src_client_id = "bank-1"
        tokenization = "at_first_checkout"
    "#;

    #[test]
    fn issuer_has_defaults_and_needs_no_program() {
        let written = format!("{GOOD}{ISSUER}");
        let client = read(&written, &open).unwrap().client;
        let issuer = client.issuer.clone().unwrap();
        assert_eq!(
            issuer,
            Issuer {
                src_client_id: "bank-1".into(),
                service_id: "SRC".into(),
                tokenization: Tokenization::AtFirstCheckout,
                poll_interval_seconds: 300,
                max_age_hours: 72,
                retention_days: 30,
            }
        );
        let stored = serde_json::to_string(&client).unwrap();
        assert_eq!(serde_json::from_str::<Client>(&stored).unwrap(), client);

        let without_programs = GOOD.split("[[programs]]").next().unwrap();
        let client = read(&format!("{without_programs}{ISSUER}"), &open)
            .unwrap()
            .client;
        assert!(client.programs.is_empty());
        assert_eq!(
            faults(without_programs),
            ["programs: at least one program is needed, or the section [issuer]"]
        );
    }

    #[test]
    fn faults_of_an_issuer_have_their_places() {
        let written = format!(
            "{GOOD}{}",
            ISSUER.replace("bank-1", "bank 1")
                + "service_id = \"\"\npoll_interval_seconds = 0\nmax_age_hours = 721\nretention_days = 0"
        );
        assert_eq!(
            faults(&written),
            [
                "issuer.src_client_id: must be 1 to 64 printable ASCII characters without a space",
                "issuer.service_id: must be 1 to 64 printable ASCII characters without a space",
                "issuer.poll_interval_seconds: must be 1 to 86400",
                "issuer.max_age_hours: must be 1 to 720",
                "issuer.retention_days: must be 1 to 3650",
            ]
        );
        let slow = format!("{GOOD}{ISSUER}poll_interval_seconds = 3600\nmax_age_hours = 1");
        assert_eq!(
            faults(&slow),
            ["issuer.max_age_hours: must be longer than poll_interval_seconds"]
        );
        let other = format!("{GOOD}{}", ISSUER.replace("at_first_checkout", "later"));
        assert!(faults(&other)[0].contains("at_first_checkout"), "{other}");
        assert!(faults(&format!("{GOOD}{ISSUER}rate = 1"))[0].contains("rate"));
    }

    #[test]
    fn origin_or_host_with_special_characters_is_refused() {
        for written in [
            "*",
            "*.bank.example",
            "www.bank.example;x",
            "bank.example'",
            "a,b",
        ] {
            let origin = GOOD.replacen("www.bank.example", written, 1);
            assert!(faults(&origin)[0].starts_with("embed_origins[0]:"), "{written}");
            let host = GOOD.replace("\"api.bank.example\"", &format!("\"{written}\""));
            assert!(
                faults(&host)[0].starts_with("confirmation_hosts[0]:"),
                "{written}"
            );
        }
        for written in ["127.0.0.1", "[::1]:8443", "my_host.bank.example"] {
            let host = GOOD.replace("\"api.bank.example\"", &format!("\"{written}\""));
            assert_eq!(faults(&host), Vec::<String>::new(), "{written}");
        }
    }

    #[test]
    fn unknown_member_and_missing_file_are_named() {
        assert!(faults(&GOOD.replace("name =", "nam ="))[0].contains("nam"));
        assert!(faults(&GOOD.replace("public.pem", "nowhere.pem"))[0].contains("nowhere.pem"));
        let translated = GOOD.replace("[[programs]]", "[translations]\npl = \"pl.json\"\n[[programs]]");
        assert!(faults(&translated)[0].contains("'nonsense'"));
    }

    #[test]
    fn key_is_stored_in_one_form() {
        let plain = read(GOOD, &open).unwrap();
        let one_line = PUBLIC_KEY_PEM.lines().collect::<String>();
        let inline = GOOD.replace("file = \"public.pem\"", &format!("pem = \"\u{feff}{one_line}\""));
        let setup = read(&inline, &open).unwrap();
        assert_eq!(setup.client, plain.client);
        assert!(setup.warnings.is_empty(), "{:?}", setup.warnings);
    }

    #[test]
    fn certificate_dates_are_a_warning() {
        let certificate = include_bytes!("../../../mastercard/tests/fixtures/rsa-2048-certificate.pem");
        let setup = read(GOOD, &|_| Ok(certificate.to_vec())).unwrap();
        assert!(
            setup.client.keys[0]
                .pem
                .starts_with("-----BEGIN PUBLIC KEY-----\n")
        );
        let told = setup.warnings[0].to_string();
        assert!(
            told.starts_with("keys[0]: is a certificate, valid from 20"),
            "{told}"
        );
        let refused = faults(&GOOD.replace("public.pem", "pl.json"));
        assert!(refused[0].starts_with("keys[0]: is JSON"), "{refused:?}");
    }

    /// The file with these lines under `[translations]`; each file holds one text.
    fn with_translations(default: &str, lines: &str) -> Result<ClientSetup, Vec<ClientFileFinding>> {
        let file = GOOD
            .replace(
                "default_language = \"en\"",
                &format!("default_language = \"{default}\""),
            )
            .replace(
                "[[programs]]\n        id",
                &format!("[translations]\n{lines}\n[[programs]]\n        id"),
            );
        read(&file, &|name| match name {
            "one.json" => Ok(br#"{"read_more": "x"}"#.to_vec()),
            "all.json" => Ok(Texts::english().as_json().to_string().into_bytes()),
            name => open(name),
        })
    }

    #[test]
    fn duplicate_language_is_refused() {
        for (default, lines, place) in [
            ("en", "he = \"one.json\"\niw = \"one.json\"", "translations.iw:"),
            (
                "en",
                "pt-BR = \"one.json\"\npt_br = \"one.json\"",
                "translations.pt_br:",
            ),
            (
                "en",
                "zh_Hant_TW = \"one.json\"\nzh_TW = \"one.json\"",
                "translations.zh_TW:",
            ),
            ("no", "nb = \"one.json\"", "default_language:"),
        ] {
            let faults = with_translations(default, lines).unwrap_err();
            assert_eq!(faults.len(), 1, "{faults:?}");
            assert!(faults[0].to_string().starts_with(place), "{faults:?}");
        }
        assert!(with_translations("en", "pt = \"one.json\"\npt_BR = \"one.json\"").is_ok());
    }

    #[test]
    fn missing_texts_are_a_warning() {
        let warnings = |default: &str, lines: &str| -> Vec<String> {
            let setup = with_translations(default, lines).unwrap();
            setup.warnings.iter().map(ToString::to_string).collect()
        };
        let all = Texts::paths().len();
        let told = warnings("en", "lt = \"one.json\"\nsw = \"all.json\"\nen_GB = \"one.json\"");
        assert_eq!(told.len(), 1, "{told:?}");
        let start = format!("translations.lt: has 1 of {all} texts; ");
        assert!(
            told[0].starts_with(&start) && told[0].contains("missing: brand.amex, "),
            "{told:?}"
        );
        assert!(!told[0].contains("read_more"), "{told:?}");
        assert_eq!(
            warnings("en", "sw_KE = \"one.json\"\nsw = \"all.json\""),
            Vec::<String>::new()
        );
        assert_eq!(
            warnings("sw", ""),
            ["default_language: is not built in and has no translation; the page is shown in English"]
        );
    }

    #[test]
    fn listed_languages_are_built_in_ones() {
        let with = |list: &str| {
            let default = "default_language = \"en\"";
            read(
                &GOOD.replace(default, &format!("{default}\nlanguages = {list}")),
                &open,
            )
        };
        assert_eq!(with("[]").unwrap().client.languages, Some(Vec::new()));
        let listed = with("[\"en-GB\"]").unwrap().client.languages;
        assert_eq!(listed, Some(vec![Language::parse("en_GB").unwrap()]));
        let told = with("[\"en\", \"sw\", \"EN\", \"x\"]").unwrap_err();
        let told: Vec<_> = told.iter().map(ToString::to_string).collect();
        assert!(
            told[0].starts_with("languages[1]: is not built in; built-in languages are en"),
            "{told:?}"
        );
        assert_eq!(told[1], "languages[2]: is listed twice");
        assert!(told[2].starts_with("languages[3]: "), "{told:?}");
    }

    #[test]
    fn replacement_and_opt_out_are_off_by_default() {
        let offering = |settings: &str| {
            let file = GOOD.replace("bank_product_code", &format!("{settings}\nbank_product_code"));
            read(&file, &open)
        };
        let actions = |settings: &str| {
            let program = offering(settings).unwrap().client.programs.remove(0);
            (program.replacement, program.opt_out)
        };
        assert_eq!(actions(""), (false, false));
        assert_eq!(actions("replacement = true\nopt_out = true"), (true, true));
        let named = "bank_customer_number = \"customer_id\"\n";
        assert_eq!(actions(&format!("{named}opt_out = true")), (false, true));
        let refused = offering(&format!("{named}replacement = true")).unwrap_err();
        assert_eq!(refused[0].place, "programs[0].replacement");
        assert!(refused[0].message.contains("-50"), "{}", refused[0].message);
    }

    #[test]
    fn retired_programs_are_refused() {
        let retired = GOOD.replace(
            "[[programs]]",
            "[[retired_programs]]\nid = \"1\"\nretention_days = 1\n[[programs]]",
        );
        assert!(faults(&retired)[0].contains("retired_programs"));
    }

    #[test]
    fn customer_id_as_number_allows_one_card() {
        let named = GOOD.replace(
            "bank_product_code",
            "bank_customer_number = \"customer_id\"\nmax_cards = 2\nbank_product_code",
        );
        assert!(faults(&named)[0].contains("-50"));
        let start = GOOD.find("[[programs]]").unwrap();
        let second = GOOD[start..].replacen("10765", "20765", 1);
        let twice = [GOOD, "\n", &second].concat().replace(
            "bank_product_code",
            "bank_customer_number = \"customer_id\"\nbank_product_code",
        );
        let faults = faults(&twice);
        assert!(
            faults
                .iter()
                .any(|fault| fault.starts_with("programs[1].bank_customer_number:")),
            "{faults:?}"
        );
    }
}

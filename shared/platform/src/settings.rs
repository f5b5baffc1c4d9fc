//! Settings of functions and of the operator's tool, from environment variables or from a stack's settings. Both use
//! the same names. All missing and wrong settings are reported together.

use jiff::SignedDuration;
use mastercard::issuer_enrollment::Dialect as IssuerDialect;
use mastercard::mrs::Dialect;
use tracing::Level;
use url::Url;
use webhooks::sender::PrivateHost;

use crate::card_keys::CardKeyFingerprints;
use crate::public_base_url::PublicBaseUrl;
use crate::queues::QueueUrls;
use crate::tables::TableNames;

/// Account of the local AWS. No account of AWS has this id.
const LOCAL_ACCOUNT: &str = "000000000000";
const PUBLIC_BASE_URL: &str = "PUBLIC_BASE_URL";
const WEB_ADDRESS: &str = "http(s)://host[:port][/path] without a query or unusual characters in its path";

/// Settings that all functions of a stack share with the operator's tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackSettings {
    /// `STACK_NAME`: name of the stack, a dimension of all its metrics.
    pub name: String,
    /// `CLIENTS_TABLE`, `SESSIONS_TABLE`, `ENROLLMENTS_TABLE`, `CONFIRMATIONS_TABLE`, `LIMITS_TABLE`, `KEYS_TABLE`,
    /// `BATCHES_TABLE`, `DIGITAL_CARDS_TABLE`.
    pub tables: TableNames,
    /// `KMS_KEY_ID`: id, ARN or alias of the key that wraps data keys.
    pub kms_key_id: String,
    /// `SECRETS_PREFIX`: start of secrets' names, such as `card-enrollment/local`.
    pub secrets_prefix: String,
    /// `PICTURES_BUCKET`: private bucket of clients' pictures.
    pub pictures_bucket: String,
    /// `BATCHES_BUCKET`: private bucket of batches' encrypted contents. Only for the functions for batches and the operator's
    /// tool; empty for the others, as are their queues.
    pub batches_bucket: String,
    /// `SETTLE_QUEUE_URL`, `CONFIRM_QUEUE_URL`, `BATCH_SUBMIT_QUEUE_URL`, `BATCH_POLL_QUEUE_URL`: queues that wake the
    /// functions of those names.
    pub queues: QueueUrls,
    /// `MRS_BASE_URL`: address of the Mastercard Rewards System, such as `https://services.mastercard.com/MRS`.
    pub mrs_base_url: Url,
    /// `MRS_DIALECT`: `document` (the default) or `wsdl`.
    pub mrs_dialect: Dialect,
    /// Issuer Enrollment API.
    pub issuer: IssuerSettings,
    /// `CARD_KEY_FINGERPRINTS`: keys that pages may encrypt card numbers under, separated by commas; none by default.
    /// Set for the functions that send a page its key, and for the operator's tool.
    pub card_key_fingerprints: CardKeyFingerprints,
    /// `DELETION_PROTECTION`: whether the tables are protected against deletion, if known. Only for the operator's
    /// tool.
    pub deletion_protection: Option<bool>,
    /// `POINT_IN_TIME_RECOVERY_DAYS`: days that the tables can be restored to, if known. Only for the operator's tool.
    pub recovery_days: Option<u16>,
}

/// Mastercard's Issuer Enrollment API of an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerSettings {
    /// `ISSUER_BASE_URL`: address of the API; `None` where the deployment serves no issuers.
    pub base_url: Option<Url>,
    /// `ISSUER_DIALECT`: `legacy` (the default) or `successor`.
    pub dialect: IssuerDialect,
    /// `ISSUER_RATE_PER_SECOND`: number of calls a second that is agreed with Mastercard; 1 by default.
    pub rate_per_second: IssuerRate,
    /// `ISSUER_KEY_IDS`: ids of Mastercard's keys that a batch may be encrypted under, separated by commas.
    pub key_ids: Vec<String>,
}

/// Calls a second to the Issuer Enrollment API: 1 to 1000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IssuerRate(u16);

impl IssuerRate {
    /// Rate of so many calls a second; `None` outside 1 to 1000.
    pub fn new(per_second: u16) -> Option<Self> {
        (1..=1000).contains(&per_second).then_some(Self(per_second))
    }

    /// Calls a second.
    pub fn per_second(self) -> u16 {
        self.0
    }
}

impl Default for IssuerRate {
    fn default() -> Self {
        Self(1)
    }
}

/// Settings of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Settings that all functions share.
    pub stack: StackSettings,
    /// `PUBLIC_BASE_URL`: start of the widget's addresses, without a trailing slash. Without a custom domain only the
    /// stage knows it, see [`crate::gateway::PublicBase`].
    pub public_base_url: Option<PublicBaseUrl>,
    /// `TOKEN_MAX_LIFETIME_SECONDS`: longest `exp − iat` of a client's token; 600 by default.
    pub token_max_lifetime: SignedDuration,
    /// `DANGEROUS_PRIVATE_CONFIRMATION_HOSTS`: hosts (`host` or `host:port`, separated by commas) that confirmations
    /// may be posted to although they are not public. A function refuses to start with it unless `ACCOUNT_ID` is the
    /// account of the local AWS.
    pub dangerous_private_confirmation_hosts: Vec<PrivateHost>,
}

/// Names of all missing and wrong settings, without their values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("settings: {}", .0.join("; "))]
pub struct SettingsError(Vec<String>);

/// Reads `LOG_LEVEL`, the level of this product's own crates; `info` by default.
pub fn log_level(variable: impl Fn(&str) -> Option<String>) -> Result<Level, SettingsError> {
    let mut reading = Reading {
        variable: &variable,
        faults: Vec::new(),
    };
    let level = reading.or_default(
        "LOG_LEVEL",
        "error, warn, info, debug or trace",
        Level::INFO,
        |text| text.parse().ok(),
    );
    reading.finish(Some(level))
}

/// Reads `PUBLIC_BASE_URL` of a stack's settings, which always have it. `variable` gives the value of a name.
pub fn public_base_url(variable: impl Fn(&str) -> Option<String>) -> Result<PublicBaseUrl, SettingsError> {
    let mut reading = Reading {
        variable: &variable,
        faults: Vec::new(),
    };
    let url = reading.required(PUBLIC_BASE_URL, WEB_ADDRESS, |text| {
        PublicBaseUrl::parse(text).ok()
    });
    reading.finish(url)
}

impl StackSettings {
    /// Reads the settings; `variable` gives the value of a name.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let mut reading = Reading {
            variable: &variable,
            faults: Vec::new(),
        };
        let settings = reading.stack();
        reading.finish(settings)
    }
}

impl Settings {
    /// Reads the settings; `variable` gives the value of a name.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let mut reading = Reading {
            variable: &variable,
            faults: Vec::new(),
        };
        let stack = reading.stack();
        let public_base_url = reading.or_default(PUBLIC_BASE_URL, WEB_ADDRESS, None, |text| {
            PublicBaseUrl::parse(text).ok().map(Some)
        });
        let lifetime = SignedDuration::from_mins(10);
        let token_max_lifetime = reading.or_default(
            "TOKEN_MAX_LIFETIME_SECONDS",
            "a number of seconds from 1 to 86400",
            lifetime,
            |text| {
                text.parse()
                    .ok()
                    .filter(|seconds| (1..=86_400).contains(seconds))
                    .map(SignedDuration::from_secs)
            },
        );
        let dangerous_private_confirmation_hosts = reading.private_hosts();
        let settings = stack.map(|stack| Self {
            stack,
            public_base_url,
            token_max_lifetime,
            dangerous_private_confirmation_hosts,
        });
        reading.finish(settings)
    }
}

struct Reading<'a> {
    variable: &'a dyn Fn(&str) -> Option<String>,
    faults: Vec<String>,
}

impl Reading<'_> {
    /// Reads every setting before it fails, so that all faults are reported together.
    fn stack(&mut self) -> Option<StackSettings> {
        let name = self.text("STACK_NAME");
        let clients = self.text("CLIENTS_TABLE");
        let sessions = self.text("SESSIONS_TABLE");
        let enrollments = self.text("ENROLLMENTS_TABLE");
        let confirmations = self.text("CONFIRMATIONS_TABLE");
        let limits = self.text("LIMITS_TABLE");
        let keys = self.text("KEYS_TABLE");
        let batches = self.text("BATCHES_TABLE");
        let digital_cards = self.text("DIGITAL_CARDS_TABLE");
        let batches_bucket = self.text_or_empty("BATCHES_BUCKET");
        let batch_submit = self.text_or_empty("BATCH_SUBMIT_QUEUE_URL");
        let batch_poll = self.text_or_empty("BATCH_POLL_QUEUE_URL");
        let issuer = self.issuer();
        let kms_key_id = self.text("KMS_KEY_ID");
        let secrets_prefix = self
            .text("SECRETS_PREFIX")
            .map(|text| text.trim_end_matches('/').to_owned());
        let pictures_bucket = self.text("PICTURES_BUCKET");
        let settle = self.text("SETTLE_QUEUE_URL");
        let confirm = self.text("CONFIRM_QUEUE_URL");
        let mrs_base_url = self.required("MRS_BASE_URL", "an https address", |text| {
            web_address(text, &["https"])
        });
        let mrs_dialect = self.or_default(
            "MRS_DIALECT",
            "'document' or 'wsdl'",
            Dialect::default(),
            |text| text.parse().ok(),
        );
        let recovery_days =
            self.or_default("POINT_IN_TIME_RECOVERY_DAYS", "a number of days", None, |text| {
                text.parse().ok().map(Some)
            });
        let card_key_fingerprints = self.or_default(
            "CARD_KEY_FINGERPRINTS",
            "a list of SHA-256 fingerprints",
            CardKeyFingerprints::default(),
            |text| text.parse().ok(),
        );
        let deletion_protection = self.or_default("DELETION_PROTECTION", "'true' or 'false'", None, |text| {
            text.parse().ok().map(Some)
        });
        Some(StackSettings {
            name: name?,
            tables: TableNames {
                clients: clients?,
                sessions: sessions?,
                enrollments: enrollments?,
                confirmations: confirmations?,
                limits: limits?,
                keys: keys?,
                batches: batches?,
                digital_cards: digital_cards?,
            },
            kms_key_id: kms_key_id?,
            secrets_prefix: secrets_prefix?,
            pictures_bucket: pictures_bucket?,
            batches_bucket,
            queues: QueueUrls {
                settle: settle?,
                confirm: confirm?,
                batch_submit,
                batch_poll,
            },
            mrs_base_url: mrs_base_url?,
            mrs_dialect,
            issuer,
            card_key_fingerprints,
            deletion_protection,
            recovery_days,
        })
    }

    fn issuer(&mut self) -> IssuerSettings {
        let base_url = self.or_default("ISSUER_BASE_URL", "an https address", None, |text| {
            web_address(text, &["https"]).map(Some)
        });
        let dialect = self.or_default(
            "ISSUER_DIALECT",
            "'legacy' or 'successor'",
            IssuerDialect::Legacy,
            |text| text.parse().ok(),
        );
        let rate_per_second = self.or_default(
            "ISSUER_RATE_PER_SECOND",
            "a number of calls from 1 to 1000",
            IssuerRate::default(),
            |text| IssuerRate::new(text.parse().ok()?),
        );
        let key_ids = self.or_default("ISSUER_KEY_IDS", "a list of key ids", Vec::new(), |text| {
            let ids: Vec<String> = text.split(',').map(|id| id.trim().to_owned()).collect();
            ids.iter().all(|id| !id.is_empty()).then_some(ids)
        });
        IssuerSettings {
            base_url,
            dialect,
            rate_per_second,
            key_ids,
        }
    }

    fn private_hosts(&mut self) -> Vec<PrivateHost> {
        const NAME: &str = "DANGEROUS_PRIVATE_CONFIRMATION_HOSTS";
        let Some(hosts) = self.value(NAME) else {
            return Vec::new();
        };
        // The template sets it to the account that it is deployed to: no parameter can make a deployment local.
        if self.value("ACCOUNT_ID").as_deref() != Some(LOCAL_ACCOUNT) {
            self.faults.push(format!(
                "{NAME} opens the inside to partners: only a deployment to the local AWS may have it"
            ));
        }
        let hosts: Result<_, _> = hosts.split(',').map(|host| host.trim().parse()).collect();
        hosts.unwrap_or_else(|error| {
            self.faults.push(format!("{NAME}: {error}"));
            Vec::new()
        })
    }

    fn text(&mut self, name: &str) -> Option<String> {
        self.required(name, "a text", |text| Some(text.to_owned()))
    }

    fn text_or_empty(&mut self, name: &str) -> String {
        self.or_default(name, "a text", String::new(), |text| Some(text.to_owned()))
    }

    fn required<T>(&mut self, name: &str, wanted: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let Some(text) = self.value(name) else {
            self.faults.push(format!("{name} is not set"));
            return None;
        };
        let parsed = parse(&text);
        if parsed.is_none() {
            self.faults.push(format!("{name} must be {wanted}"));
        }
        parsed
    }

    fn or_default<T>(
        &mut self,
        name: &str,
        wanted: &str,
        default: T,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> T {
        match self.value(name) {
            None => default,
            Some(_) => self.required(name, wanted, parse).unwrap_or(default),
        }
    }

    fn value(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|text| !text.is_empty())
    }

    fn finish<T>(self, settings: Option<T>) -> Result<T, SettingsError> {
        match settings {
            Some(settings) if self.faults.is_empty() => Ok(settings),
            _ => Err(SettingsError(self.faults)),
        }
    }
}

fn web_address(text: &str, schemes: &[&str]) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let bare = url.query().is_none() && url.fragment().is_none() && url.host_str().is_some();
    (bare && schemes.contains(&url.scheme())).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(name: &str) -> Option<String> {
        let value = match name {
            "PUBLIC_BASE_URL" => "http://localhost:8700/",
            "MRS_BASE_URL" => "https://localhost:8703/MRS",
            "MRS_DIALECT"
            | "TOKEN_MAX_LIFETIME_SECONDS"
            | "LOG_LEVEL"
            | "POINT_IN_TIME_RECOVERY_DAYS"
            | "CARD_KEY_FINGERPRINTS"
            | "DELETION_PROTECTION"
            | "ISSUER_BASE_URL"
            | "ISSUER_DIALECT"
            | "ISSUER_RATE_PER_SECOND"
            | "ISSUER_KEY_IDS"
            | "DANGEROUS_PRIVATE_CONFIRMATION_HOSTS" => return None,
            name => name,
        };
        Some(value.to_owned())
    }

    #[test]
    fn optional_settings_have_defaults() {
        let settings = Settings::read(variable).unwrap();
        assert_eq!(
            settings.public_base_url.as_ref().map(PublicBaseUrl::as_str),
            Some("http://localhost:8700")
        );
        assert_eq!(
            public_base_url(variable).unwrap().as_str(),
            "http://localhost:8700"
        );
        assert_eq!(settings.stack.tables.keys, "KEYS_TABLE");
        assert_eq!(settings.token_max_lifetime, SignedDuration::from_secs(600));
        assert_eq!(settings.stack.recovery_days, None);
        let of_operator = |name: &str| match name {
            "POINT_IN_TIME_RECOVERY_DAYS" => Some("7".to_owned()),
            name => variable(name),
        };
        assert_eq!(StackSettings::read(of_operator).unwrap().recovery_days, Some(7));
        assert_eq!(log_level(variable).unwrap(), Level::INFO);
        assert_eq!(log_level(|_| Some("DEBUG".into())).unwrap(), Level::DEBUG);
    }

    #[test]
    fn issuer_settings_are_optional_and_checked() {
        let issuer = Settings::read(variable).unwrap().stack.issuer;
        assert_eq!((issuer.base_url, issuer.dialect), (None, IssuerDialect::Legacy));
        assert!(issuer.key_ids.is_empty());
        assert_eq!(issuer.rate_per_second.per_second(), 1);
        let with = |rate: &'static str, ids: &'static str| {
            move |name: &str| match name {
                "ISSUER_BASE_URL" => {
                    Some("https://sandbox.api.mastercard.com/src/api/digital/payments".to_owned())
                }
                "ISSUER_RATE_PER_SECOND" => Some(rate.to_owned()),
                "ISSUER_KEY_IDS" => Some(ids.to_owned()),
                name => variable(name),
            }
        };
        let issuer = Settings::read(with("20", "a-key, another")).unwrap().stack.issuer;
        assert_eq!(issuer.rate_per_second.per_second(), 20);
        assert_eq!(issuer.key_ids, ["a-key", "another"]);
        assert!(issuer.base_url.is_some());
        for (rate, ids) in [("0", "a"), ("1001", "a"), ("1.5", "a"), ("1", "a,,b"), ("1", ",")] {
            assert!(Settings::read(with(rate, ids)).is_err(), "{rate} {ids}");
        }
    }

    #[test]
    fn private_hosts_need_the_local_account() {
        let with_hosts = |account: &'static str| {
            move |name: &str| match name {
                "DANGEROUS_PRIVATE_CONFIRMATION_HOSTS" => Some("localhost, other:8443".to_owned()),
                "ACCOUNT_ID" => Some(account.to_owned()),
                // Nothing that an operator may choose has an influence.
                "STACK_NAME" => Some("local".to_owned()),
                name => variable(name),
            }
        };
        let settings = Settings::read(with_hosts("000000000000")).unwrap();
        let hosts = ["localhost", "other:8443"].map(|host| host.parse().unwrap());
        assert_eq!(settings.dangerous_private_confirmation_hosts, hosts);
        for account in ["123456789012", "", "000000000001", "0", "local"] {
            let error = Settings::read(with_hosts(account)).unwrap_err().to_string();
            assert!(error.contains("DANGEROUS_PRIVATE_CONFIRMATION_HOSTS"), "{error}");
        }
        let none = Settings::read(variable).unwrap();
        assert!(none.dangerous_private_confirmation_hosts.is_empty());
    }

    #[test]
    fn public_address_is_optional_for_functions() {
        let with = |address: &'static str| {
            move |name: &str| match name {
                "PUBLIC_BASE_URL" => Some(address.to_owned()),
                name => variable(name),
            }
        };
        assert_eq!(Settings::read(with("")).unwrap().public_base_url, None);
        assert!(public_base_url(with("")).is_err(), "the operator's tool needs it");
        assert!(Settings::read(with("https://cards.example.com/a?b")).is_err());
    }

    #[test]
    fn all_faults_are_reported_together() {
        let broken = |name: &str| match name {
            "KMS_KEY_ID" => None,
            "CLIENTS_TABLE" => Some(String::new()),
            "MRS_BASE_URL" => Some("http://secret.example/MRS".to_owned()),
            "TOKEN_MAX_LIFETIME_SECONDS" => Some("0".to_owned()),
            "CARD_KEY_FINGERPRINTS" => Some("abc".to_owned()),
            name => variable(name),
        };
        let error = Settings::read(broken).unwrap_err().to_string();
        for fault in [
            "KMS_KEY_ID is not set",
            "CLIENTS_TABLE is not set",
            "MRS_BASE_URL must be an https address",
            "CARD_KEY_FINGERPRINTS must be a list of SHA-256 fingerprints",
        ] {
            assert!(error.contains(fault), "{error}");
        }
        assert!(
            error.contains("TOKEN_MAX_LIFETIME_SECONDS must be a number"),
            "{error}"
        );
        assert!(!error.contains("secret"), "{error}");
        assert!(log_level(|_| Some("loud".into())).is_err());
    }
}

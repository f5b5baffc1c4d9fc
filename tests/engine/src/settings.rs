//! Settings of a stack that has nothing but tables.

use platform::settings::StackSettings;
use platform::tables::TableNames;

/// Settings over these tables. Queues, secrets and MRS have addresses where nothing answers.
pub(crate) fn of(tables: &TableNames) -> StackSettings {
    let variable = |name: &str| match name {
        "MRS_BASE_URL" => Some("https://localhost:9/MRS".to_owned()),
        name if OPTIONAL.contains(&name) => None,
        name => Some(name.to_owned()),
    };
    StackSettings {
        tables: tables.clone(),
        ..StackSettings::read(variable).expect("every setting has a value")
    }
}

/// Settings with a default.
const OPTIONAL: [&str; 8] = [
    "MRS_DIALECT",
    "POINT_IN_TIME_RECOVERY_DAYS",
    "CARD_KEY_FINGERPRINTS",
    "DELETION_PROTECTION",
    "ISSUER_BASE_URL",
    "ISSUER_DIALECT",
    "ISSUER_RATE_PER_SECOND",
    "ISSUER_KEY_IDS",
];

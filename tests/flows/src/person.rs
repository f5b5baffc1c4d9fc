//! Names of the tests' customers: unique words, so that the canary can search for them.

/// First name.
pub const FIRST_NAME: &str = "Zoë-Kanarienvogel";
/// Last name.
pub const LAST_NAME: &str = "O'Brien-Šimićević";
/// E-mail address.
pub const EMAIL: &str = "zoe.kanarie@example.com";
/// Query of an address for confirmations.
pub const CONFIRMATION: &str = "zoe-kanarie-confirmation";

//! What the tests' customers are called: words that nothing else has, so that the canary can look for them.

/// First name.
pub const FIRST_NAME: &str = "Zoë-Kanarienvogel";
/// Last name.
pub const LAST_NAME: &str = "O'Brien-Šimićević";
/// E-mail address.
pub const EMAIL: &str = "zoe.kanarie@example.com";

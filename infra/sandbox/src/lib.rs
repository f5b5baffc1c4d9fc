#![doc = include_str!("../README.md")]
#![expect(
    clippy::disallowed_macros,
    reason = "the stand-in is never deployed, and what it logs is its own"
)]

mod admin;
mod card_number;
mod clock;
mod faults;
mod front;
mod mastercard;
mod partner;
mod recorder;
mod serve;
mod start;
mod tls;

pub use self::clock::Clock;
pub use self::front::Upstream;
pub use self::mastercard::issuer_enrollment::{CONSUMER_KEY, IssuerKeyError, KEY_ID};
pub use self::mastercard::mrs::{BinRange, Dialect, MrsSettings, Program, SettingsError, StateError};
pub use self::recorder::{Call, RecorderSettings};
pub use self::start::{Addresses, Sandbox, Settings, StartError};
pub use self::tls::TlsError;

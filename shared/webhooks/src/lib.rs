#![doc = include_str!("../README.md")]

pub mod address;
pub mod retry_after;
pub mod sender;
pub mod signing;

pub use http::header;
pub use url::Url;

pub use self::{
    retry_after::RetryAfter,
    sender::{Answer, BlockedUrl, SendError, SendStage, Sender, SenderSettings, TlsError},
    signing::{MessageId, SigningKeys},
};

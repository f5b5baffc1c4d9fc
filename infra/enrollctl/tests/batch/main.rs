//! `enrollctl batch` as an issuer runs it, against a service on loopback.

#![expect(clippy::unwrap_used, reason = "a test that can't go on must end")]

mod interruptions;
mod issuer;
mod memory;
mod runs;
mod service;

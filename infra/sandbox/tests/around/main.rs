//! The sandbox from outside: every listener on a free port, a PKI made for the run.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what fails here is the test")]

mod fixture;
mod front;
mod issuers;
mod mastercard;
mod partner;
mod receiver;
mod shapes;

//! Scenarios of issuers: batches, and the deletion of enrolled cards.

pub(crate) mod back_end;
pub(crate) mod fixture;
pub(crate) mod invariants;
pub(crate) mod mastercard;
pub(crate) mod run;
pub(crate) mod scenario;

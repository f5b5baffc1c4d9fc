//! Flows of the functions, free of HTTP and AWS. The fields of a flow are its dependencies.

pub mod batch;
pub mod call;
pub mod decide;
pub mod deliver;
pub mod describe;
pub mod digital_cards;
pub mod erase;
pub mod extend;
pub mod open;
pub mod purge;
pub mod reconcile;
pub mod settle;
pub mod submission;
pub mod submit;
pub mod sweep;

//! Tools that are installed into `.local`, and those that the machine must have.

pub(crate) mod node;
pub(crate) mod prerequisites;
pub(crate) mod python;

//! Other programs: commands that run to their end, servers that stay, and the request to end them.

pub(crate) mod command;
pub(crate) mod interrupt;
pub(crate) mod server;

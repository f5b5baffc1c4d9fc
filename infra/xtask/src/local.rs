//! The system on one machine: the local AWS with the deployed functions, and the sandbox in front of it.

pub(crate) mod aws;
pub(crate) mod demo_client;
pub(crate) mod deployment;
pub(crate) mod down;
pub(crate) mod keys;
pub(crate) mod ministack;
pub(crate) mod ports;
pub(crate) mod provisioning;
pub(crate) mod sandbox;
pub(crate) mod system;
pub(crate) mod up;
pub(crate) mod watch;

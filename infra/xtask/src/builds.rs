//! Programs that are built from the sources: functions and tools for this machine, functions for AWS, the widget's page.

pub(crate) mod bootstrap;
pub(crate) mod lambda;
pub(crate) mod native;
pub(crate) mod page;

//! One binary for all of them.

#[cfg(test)]
mod form;
#[cfg(test)]
mod written;

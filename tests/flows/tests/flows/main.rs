//! One binary for all of them: linking is what costs time here.

#[cfg(test)]
mod confirming;
#[cfg(test)]
mod enrolling;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod forging;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod opening;
#[cfg(test)]
mod page;
#[cfg(test)]
mod refusing;
#[cfg(test)]
mod secrecy;
#[cfg(test)]
mod settlement;

//! One binary for all of them: linking is what costs time here.

#[cfg(test)]
mod actions;
#[cfg(test)]
mod alarms;
#[cfg(test)]
mod answers;
#[cfg(test)]
mod card_keys;
#[cfg(test)]
mod card_testing;
#[cfg(test)]
mod codes;
#[cfg(test)]
mod confirming;
#[cfg(test)]
mod consents;
#[cfg(test)]
mod enrolling;
#[cfg(test)]
mod extending;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod forging;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod opening;
#[cfg(test)]
mod opting_out;
#[cfg(test)]
mod page;
#[cfg(test)]
mod purging;
#[cfg(test)]
mod refusing;
#[cfg(test)]
mod replacing;
#[cfg(test)]
mod sample_events;
#[cfg(test)]
mod secrecy;

//! All flow tests in one binary, since linking takes most of the time.

#[cfg(test)]
mod actions;
#[cfg(test)]
mod alarms;
#[cfg(test)]
mod answers;
#[cfg(test)]
mod batches;
#[cfg(test)]
mod card_keys;
#[cfg(test)]
mod card_testing;
#[cfg(test)]
mod codes;
#[cfg(test)]
mod consents;
#[cfg(test)]
mod deliveries;
#[cfg(test)]
mod enrollments;
#[cfg(test)]
mod extensions;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod forging;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod openings;
#[cfg(test)]
mod opt_outs;
#[cfg(test)]
mod page;
#[cfg(test)]
mod purges;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod replacements;
#[cfg(test)]
mod sample_events;
#[cfg(test)]
mod secrecy;

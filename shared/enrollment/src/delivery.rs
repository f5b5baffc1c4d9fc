//! Rules of deliveries: retries of a confirmation, and the circuit breaker of a receiver (`docs/contract.md#delivery`).

use jiff::{SignedDuration, Timestamp};

use crate::randomness::Randomness;
use crate::time::later;

/// Waits after the first, second … attempt. After the last attempt the confirmation is parked.
pub const RETRY_AFTER: [SignedDuration; 9] = [
    SignedDuration::from_secs(5),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(30),
    SignedDuration::from_hours(2),
    SignedDuration::from_hours(5),
    SignedDuration::from_hours(10),
    SignedDuration::from_hours(14),
    SignedDuration::from_hours(20),
    SignedDuration::from_hours(24),
];
/// Limit of attempts of a confirmation.
pub const MAX_ATTEMPTS: u32 = 10;
/// Time limit for the whole answer of a receiver.
pub const ATTEMPT_LIMIT: SignedDuration = SignedDuration::from_secs(15);
/// Duration of the claim on a confirmation. It is longer than a function lives (25 s, template.yaml), so the holder of an
/// expired claim is dead.
pub const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// Age, counted from its outcome or from the operator's replay, at which a confirmation is parked, whatever its receiver asks
/// for. The waits above add up to 75.6 hours, 83 with all jitter.
pub const MAX_AGE: SignedDuration = SignedDuration::from_hours(96);
/// Time after its claim within which an attempt begins, or else is not made: the function must outlive it.
pub const BEGINS_WITHIN: SignedDuration = SignedDuration::from_secs(8);
/// Longest `Retry-After` that is respected.
pub const LONGEST_RETRY_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// Number of failures in a row after which a receiver counts as down.
const DOWN_AFTER: u32 = 5;
/// First and longest closure of a receiver that is down.
const FIRST_CLOSURE: SignedDuration = SignedDuration::from_secs(30);
const LONGEST_CLOSURE: SignedDuration = SignedDuration::from_mins(15);
/// Time for which the others wait while one confirmation probes a receiver.
const PROBE: SignedDuration = SignedDuration::from_secs(30);

/// Time of the next attempt after `attempts` failed ones; `None` where that was the last.
pub fn next_attempt(attempts: u32, now: Timestamp, randomness: &dyn Randomness) -> Option<Timestamp> {
    let wait = *RETRY_AFTER.get(usize::try_from(attempts.checked_sub(1)?).ok()?)?;
    Some(later(now, jittered(wait, randomness)))
}

/// Time of the next attempt after the `attempts`th failed at `now`: by the waits above, or later where the receiver asks for it,
/// within [`MAX_AGE`] of `waiting_since` in any case.
///
/// # Errors
/// The reason for which it is parked instead.
pub fn retry_at(
    attempts: u32,
    delivery: DeliveryResult,
    (waiting_since, now): (Timestamp, Timestamp),
    randomness: &dyn Randomness,
) -> Result<Timestamp, Parked> {
    let scheduled = next_attempt(attempts, now, randomness).ok_or(Parked::Exhausted)?;
    let ends = later(waiting_since, MAX_AGE);
    if now >= ends {
        return Err(Parked::TooOld);
    }
    let due = match delivery {
        DeliveryResult::Answered {
            status: 429 | 503,
            retry_after: Some(wait),
        } => scheduled.max(later(now, wait.min(LONGEST_RETRY_AFTER))),
        _ => scheduled,
    };
    // Nine answers that each ask for a day would make it due for nine days.
    Ok(due.min(ends))
}

/// `wait` and up to a tenth more, so that deliveries that failed together are not retried together.
pub fn jittered(wait: SignedDuration, randomness: &dyn Randomness) -> SignedDuration {
    let mut bytes = [0; 2];
    randomness.fill(&mut bytes);
    let tenth = wait.as_millis() / 10 * i128::from(u16::from_le_bytes(bytes)) / i128::from(u16::MAX);
    // Waits are hours, their tenth in milliseconds is far from the end of an i64.
    wait.saturating_add(SignedDuration::from_millis(
        i64::try_from(tenth).unwrap_or_default(),
    ))
}

/// Result of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryResult {
    /// The receiver answered.
    Answered {
        /// The HTTP status.
        status: u16,
        /// `Retry-After`, counted from now.
        retry_after: Option<SignedDuration>,
    },
    /// The receiver did not answer, or was not reached: one word for log and store, such as `timeout_answer` or
    /// `tls_expired`.
    Failed(&'static str),
    /// Nothing was sent, for a reason on our side, so it says nothing about the receiver.
    Unready,
}

/// Reason for which a confirmation is parked: it is not tried again until an operator replays or drops it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parked {
    /// Every attempt failed.
    Exhausted,
    /// The receiver answered 410, so nothing more is sent to it.
    Gone,
    /// The client was removed, or does not register the host any more.
    NotRegistered,
    /// The receiver was down for longer than [`MAX_AGE`].
    TooOld,
    /// The stored confirmation can't be read.
    Unreadable,
}

impl Parked {
    /// Word for store and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exhausted => "exhausted",
            Self::Gone => "gone",
            Self::NotRegistered => "not-registered",
            Self::TooOld => "too-old",
            Self::Unreadable => "unreadable",
        }
    }

    /// Reason of a stored word.
    pub fn from_text(text: &str) -> Option<Self> {
        [
            Self::Exhausted,
            Self::Gone,
            Self::NotRegistered,
            Self::TooOld,
            Self::Unreadable,
        ]
        .into_iter()
        .find(|reason| reason.as_str() == text)
    }
}

/// State of one client's receiver, by host and port: a circuit breaker, so that a dead receiver delays nobody but its own
/// client.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Destination {
    /// Attempts in a row without an answer, or with a server error.
    pub failures: u32,
    /// Time until which nothing is sent there.
    pub closed_until: Option<Timestamp>,
    /// Whether it answered 410.
    pub gone: bool,
    /// Version, which each change increases. 0: nothing is stored.
    pub version: u64,
}

/// Decision about an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// It may be made.
    Go,
    /// It may be made as the probe of a receiver that was down, once this state is stored.
    Probe(Destination),
    /// It may not be made before this time.
    Wait(Timestamp),
    /// It may never be made.
    Gone,
}

impl Destination {
    /// Decides about an attempt at `now`.
    pub fn admit(&self, now: Timestamp) -> Admission {
        match self.closed_until {
            _ if self.gone => Admission::Gone,
            Some(until) if now < until => Admission::Wait(until),
            Some(_) if self.failures >= DOWN_AFTER => Admission::Probe(Self {
                closed_until: Some(later(now, PROBE)),
                ..self.clone()
            }),
            _ => Admission::Go,
        }
    }

    /// State after an attempt; `None` where it is the same.
    pub fn after(
        &self,
        delivery: DeliveryResult,
        now: Timestamp,
        randomness: &dyn Randomness,
    ) -> Option<Self> {
        let next = match delivery {
            DeliveryResult::Answered { status: 410, .. } => Self {
                gone: true,
                ..self.clone()
            },
            // A wait of zero closes nothing: then a 503 is a failure, and a 429 an answer, like any other.
            DeliveryResult::Answered {
                status: 429 | 503,
                retry_after: Some(wait),
            } if wait > SignedDuration::ZERO => Self {
                closed_until: Some(later(now, wait.min(LONGEST_RETRY_AFTER))),
                ..self.clone()
            },
            DeliveryResult::Answered { status, .. } if status < 500 => Self {
                failures: 0,
                // An answer reopens a receiver that was down, but does not shorten a wait that another answer has asked for.
                closed_until: self
                    .closed_until
                    .filter(|until| now < *until && self.failures < DOWN_AFTER),
                ..self.clone()
            },
            DeliveryResult::Answered { .. } | DeliveryResult::Failed(_) => self.failed(now, randomness),
            DeliveryResult::Unready => return None,
        };
        (next != *self).then_some(next)
    }

    /// Whether the receiver is closed at `now`.
    pub fn is_closed(&self, now: Timestamp) -> bool {
        self.gone || self.closed_until.is_some_and(|until| now < until)
    }

    fn failed(&self, now: Timestamp, randomness: &dyn Randomness) -> Self {
        let failures = self.failures.saturating_add(1);
        let closed_until = failures.checked_sub(DOWN_AFTER).map(|times| {
            let closure = FIRST_CLOSURE
                .saturating_mul(1 << times.min(16))
                .min(LONGEST_CLOSURE);
            later(now, jittered(closure, randomness))
        });
        Self {
            failures,
            closed_until,
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::Seeded;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn answered(status: u16) -> DeliveryResult {
        DeliveryResult::Answered {
            status,
            retry_after: None,
        }
    }

    fn down(failures: u32) -> Destination {
        (0..failures).fold(Destination::default(), |destination, _| {
            destination
                .after(DeliveryResult::Failed("timeout_answer"), NOW, &Seeded::new(1))
                .unwrap()
        })
    }

    #[test]
    fn waits_are_those_of_the_contract_with_jitter() {
        let seconds = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];
        for (attempts, wait) in (1..).zip(seconds) {
            let next = next_attempt(attempts, NOW, &Seeded::new(u64::from(attempts))).unwrap();
            let waited = next.duration_since(NOW).as_millis();
            assert!(
                (wait * 1000..=wait * 1100).contains(&waited),
                "{attempts}: {waited}"
            );
        }
        assert_eq!(next_attempt(MAX_ATTEMPTS, NOW, &Seeded::new(1)), None);
        assert_eq!(next_attempt(0, NOW, &Seeded::new(1)), None);
    }

    #[test]
    fn answers_that_ask_for_a_day_end_after_96_hours() {
        let busy = DeliveryResult::Answered {
            status: 429,
            retry_after: Some(SignedDuration::from_hours(24)),
        };
        let seconds = |at: Timestamp| at.duration_since(NOW).as_secs();
        let (mut now, mut dues) = (NOW, Vec::new());
        let parked = loop {
            let attempts = u32::try_from(dues.len()).unwrap() + 1;
            match retry_at(attempts, busy, (NOW, now), &Seeded::new(1)) {
                Ok(due) => {
                    dues.push(seconds(due));
                    now = due;
                }
                Err(parked) => break parked,
            }
        };
        assert_eq!(dues, [24, 48, 72, 96].map(|hours| hours * 3600));
        assert_eq!(parked, Parked::TooOld);
        // One more try is due at the end, even a second before it.
        let late = later(NOW, MAX_AGE - SignedDuration::from_secs(1));
        let failed = DeliveryResult::Failed("timeout");
        let due = retry_at(2, failed, (NOW, late), &Seeded::new(1)).unwrap();
        assert_eq!(due, later(NOW, MAX_AGE));
        let exhausted = retry_at(MAX_ATTEMPTS, failed, (NOW, late), &Seeded::new(1));
        assert_eq!(exhausted, Err(Parked::Exhausted));
    }

    #[test]
    fn confirmation_outlives_all_its_waits() {
        let waits: SignedDuration = RETRY_AFTER
            .iter()
            .fold(SignedDuration::ZERO, |sum, wait| sum + *wait + *wait / 10);
        assert!(waits < MAX_AGE);
        assert!(LEASE > ATTEMPT_LIMIT + ATTEMPT_LIMIT);
    }

    #[test]
    fn five_failures_close_a_receiver_and_one_probe_opens_it() {
        assert_eq!(down(4).admit(NOW), Admission::Go);
        let down = down(5);
        let Admission::Wait(until) = down.admit(NOW) else {
            panic!("{:?}", down.admit(NOW));
        };
        assert!(until >= later(NOW, FIRST_CLOSURE));
        let Admission::Probe(probing) = down.admit(until) else {
            panic!("{:?}", down.admit(until));
        };
        assert!(
            matches!(probing.admit(until), Admission::Wait(_)),
            "one at a time"
        );
        let up = probing.after(answered(200), until, &Seeded::new(1)).unwrap();
        assert_eq!(up.admit(until), Admission::Go);
        let still_down = probing.after(answered(502), until, &Seeded::new(1)).unwrap();
        let Admission::Wait(again) = still_down.admit(until) else {
            panic!("{still_down:?}");
        };
        assert!(
            again.duration_since(until) >= FIRST_CLOSURE * 2,
            "longer each time"
        );
    }

    #[test]
    fn closures_grow_to_a_quarter_of_an_hour() {
        let held = down(60).closed_until.unwrap().duration_since(NOW);
        assert!(
            held >= LONGEST_CLOSURE && held <= LONGEST_CLOSURE + LONGEST_CLOSURE / 10,
            "{held}"
        );
    }

    #[test]
    fn any_answer_resets_the_failures() {
        for status in [200, 204, 302, 400, 404, 429] {
            let after = down(4).after(answered(status), NOW, &Seeded::new(1)).unwrap();
            assert_eq!(after.failures, 0, "{status}");
        }
        assert_eq!(
            Destination::default().after(answered(200), NOW, &Seeded::new(1)),
            None
        );
    }

    #[test]
    fn retry_after_closes_the_receiver_for_a_day_at_most() {
        for status in [429, 503] {
            let delivery = |wait| DeliveryResult::Answered {
                status,
                retry_after: Some(wait),
            };
            let held = |wait| {
                Destination::default()
                    .after(delivery(wait), NOW, &Seeded::new(1))
                    .unwrap()
                    .closed_until
                    .unwrap()
                    .duration_since(NOW)
            };
            assert_eq!(held(SignedDuration::from_secs(90)), SignedDuration::from_secs(90));
            assert_eq!(held(SignedDuration::MAX), LONGEST_RETRY_AFTER);
        }
    }

    #[test]
    fn retry_after_of_zero_closes_nothing() {
        let answered = |status| DeliveryResult::Answered {
            status,
            retry_after: Some(SignedDuration::ZERO),
        };
        let after = |status| down(4).after(answered(status), NOW, &Seeded::new(1)).unwrap();
        assert!(after(503).is_closed(NOW), "the fifth failure in a row");
        assert_eq!(after(429).failures, 0, "somebody is there");
        assert!(!after(429).is_closed(NOW));
    }

    #[test]
    fn late_success_does_not_shorten_retry_after() {
        let busy = DeliveryResult::Answered {
            status: 429,
            retry_after: Some(SignedDuration::from_hours(1)),
        };
        let held = Destination::default().after(busy, NOW, &Seeded::new(1)).unwrap();
        assert!(held.is_closed(NOW));
        assert_eq!(held.after(answered(200), NOW, &Seeded::new(1)), None);
        let past = later(NOW, SignedDuration::from_hours(1));
        let cleared = held.after(answered(200), past, &Seeded::new(1)).unwrap();
        assert_eq!(cleared.closed_until, None);
    }

    #[test]
    fn status_410_closes_for_good() {
        let gone = Destination::default()
            .after(answered(410), NOW, &Seeded::new(1))
            .unwrap();
        assert_eq!(gone.admit(later(NOW, MAX_AGE)), Admission::Gone);
    }

    proptest! {
        #[test]
        fn other_receivers_open_again(statuses in prop::collection::vec(prop_oneof![200_u16..600, Just(0)], 0..40)) {
            let mut destination = Destination::default();
            for status in statuses.into_iter().filter(|status| *status != 410) {
                let delivery = if status == 0 { DeliveryResult::Failed("connect") } else { answered(status) };
                if let Some(next) = destination.after(delivery, NOW, &Seeded::new(7)) {
                    destination = next;
                }
            }
            let tomorrow = later(NOW, LONGEST_RETRY_AFTER);
            prop_assert!(matches!(destination.admit(tomorrow), Admission::Go | Admission::Probe(_)));
        }
    }
}

//! Scenarios of issuers: calls of their back ends, Mastercard's behavior, and the expected ends without faults.

use enrollment::status::Status;
use jiff::SignedDuration;

use super::mastercard::{self, Answer, DeletionBehavior, PollBehavior, SubmissionBehavior};
use crate::receiver;

/// Contents of one request for a batch.
#[derive(Debug)]
pub(crate) struct BatchContent {
    pub(crate) external_id: &'static str,
    /// Consumers with their cards.
    pub(crate) profiles: &'static [(&'static str, &'static [&'static str])],
    /// Byte that the JWE is made of. Two requests that differ in it alone have different bodies.
    pub(crate) filling: u8,
}

/// Call of a back end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Sends the batch of this place in [`IssuerScenario::batches`].
    Send(usize),
    /// Reads all batches and cards.
    Read,
    /// Requests the deletion of a card.
    DeleteCard(&'static str),
    /// Requests the deletion of all cards of a consumer.
    DeleteConsumer(&'static str),
}

/// Step of a back end. It repeats a call until it has an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    /// Time from the start of the run.
    pub(crate) at: SignedDuration,
    pub(crate) act: Act,
}

/// Expected end of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) status: Status,
    pub(crate) accepted: usize,
    pub(crate) failed: usize,
    pub(crate) unknown: usize,
}

/// Scenario of an issuer.
#[derive(Debug)]
pub(crate) struct IssuerScenario {
    pub(crate) name: &'static str,
    pub(crate) batches: &'static [BatchContent],
    /// Back ends of the issuer, each with its steps.
    pub(crate) back_ends: &'static [&'static [Step]],
    pub(crate) mastercard: mastercard::FaultProfile,
    pub(crate) receiver: receiver::FaultProfile,
    /// Calls a second that Mastercard has agreed to.
    pub(crate) rate: u16,
    /// Whether every message comes twice, and the newest first.
    pub(crate) has_disorderly_queues: bool,
    /// Ends of a clean run, one for each external id.
    pub(crate) ends: &'static [End],
    /// Batches that a clean run sends to Mastercard, repeats included; `None` where the number is not checked.
    pub(crate) sent: Option<usize>,
    /// Trigger from whose first delivery on faults are injected.
    pub(crate) disturbed_from: &'static str,
    /// Sampling of its runs with one fault: every nth. A call has five to seven modes; a prime of at least seven
    /// meets all of them.
    pub(crate) one_in: usize,
}

/// Names of triggers.
pub(crate) const CALLING: &str = "issuer calls";
pub(crate) const CALLING_FOR_DELETION: &str = "issuer calls for a deletion";
pub(crate) const SUBMITTING: &str = "message to submit";
pub(crate) const POLLING: &str = "message to poll";
pub(crate) const DELETING: &str = "message to delete a card";
/// Name of a back end that calls beside another trigger.
pub(crate) const ANOTHER_CALL: &str = "another call of the issuer";

const TWO_PROFILES: &[(&str, &[&str])] = &[("p1", &["a", "b"]), ("p2", &["c"])];

const FIRST: BatchContent = BatchContent {
    external_id: "b1",
    profiles: TWO_PROFILES,
    filling: 7,
};

const fn step(minute: i64, act: Act) -> Step {
    Step {
        at: SignedDuration::from_mins(minute),
        act,
    }
}

const fn end(status: Status, accepted: usize, failed: usize, unknown: usize) -> End {
    End {
        status,
        accepted,
        failed,
        unknown,
    }
}

/// Scenario without any fault of its own.
const PLAIN: IssuerScenario = IssuerScenario {
    name: "batch",
    batches: &[FIRST],
    back_ends: &[&[step(0, Act::Send(0)), step(12, Act::Read)]],
    mastercard: mastercard::FaultProfile::PLAIN,
    receiver: receiver::FaultProfile::always(receiver::Answer::Takes),
    rate: 1000,
    has_disorderly_queues: false,
    ends: &[end(Status::SuccessBatch, 3, 0, 0)],
    sent: Some(1),
    disturbed_from: CALLING,
    one_in: 1,
};

/// Two batches of different cards.
const TWO_BATCHES: IssuerScenario = IssuerScenario {
    batches: &[
        FIRST,
        BatchContent {
            external_id: "b2",
            profiles: &[("p3", &["d"]), ("p4", &["e", "f"])],
            filling: 8,
        },
    ],
    back_ends: &[&[step(0, Act::Send(0)), step(0, Act::Send(1)), step(9, Act::Read)]],
    ends: &[
        end(Status::SuccessBatch, 3, 0, 0),
        end(Status::SuccessBatch, 3, 0, 0),
    ],
    sent: Some(2),
    ..PLAIN
};

/// All scenarios.
pub(crate) const ALL: &[IssuerScenario] = &[
    PLAIN,
    IssuerScenario {
        name: "batch-fails-in-part",
        mastercard: mastercard::FaultProfile {
            answer: Answer::Fails("b"),
            ..mastercard::FaultProfile::PLAIN
        },
        receiver: receiver::FaultProfile {
            first: &[receiver::Answer::Says(503)],
            then: receiver::Answer::Takes,
        },
        ends: &[end(Status::SuccessBatch, 1, 2, 0)],
        disturbed_from: POLLING,
        one_in: 11,
        ..PLAIN
    },
    IssuerScenario {
        name: "batch-leaves-a-card-out",
        mastercard: mastercard::FaultProfile {
            answer: Answer::LeavesOut("c"),
            ..mastercard::FaultProfile::PLAIN
        },
        ends: &[end(Status::ErrorBatch, 2, 0, 1)],
        disturbed_from: POLLING,
        one_in: 13,
        ..PLAIN
    },
    IssuerScenario {
        name: "batch-names-a-stranger",
        mastercard: mastercard::FaultProfile {
            answer: Answer::NamesAnother,
            ..mastercard::FaultProfile::PLAIN
        },
        ends: &[end(Status::ErrorBatch, 3, 0, 0)],
        disturbed_from: POLLING,
        one_in: 17,
        ..PLAIN
    },
    IssuerScenario {
        name: "batches-throttled",
        mastercard: mastercard::FaultProfile {
            submissions: &[
                SubmissionBehavior::Throttles(SignedDuration::from_secs(90)),
                SubmissionBehavior::Unavailable,
            ],
            polls: &[
                PollBehavior::Throttles(SignedDuration::from_secs(120)),
                PollBehavior::Hangs,
            ],
            ..mastercard::FaultProfile::PLAIN
        },
        sent: Some(4),
        disturbed_from: SUBMITTING,
        one_in: 7,
        ..TWO_BATCHES
    },
    IssuerScenario {
        name: "batch-loses-acknowledgment",
        mastercard: mastercard::FaultProfile {
            submissions: &[SubmissionBehavior::LosesAnswer, SubmissionBehavior::IsLost],
            ..mastercard::FaultProfile::PLAIN
        },
        sent: Some(3),
        disturbed_from: SUBMITTING,
        one_in: 7,
        ..PLAIN
    },
    IssuerScenario {
        name: "batch-refused",
        mastercard: mastercard::FaultProfile {
            submissions: &[SubmissionBehavior::Refuses("INVALID_REQUEST"); 9],
            ..mastercard::FaultProfile::PLAIN
        },
        ends: &[end(Status::ErrorBatch, 0, 3, 0)],
        disturbed_from: SUBMITTING,
        one_in: 11,
        ..PLAIN
    },
    IssuerScenario {
        name: "batch-refused-after-lost-answer",
        mastercard: mastercard::FaultProfile {
            submissions: &[
                SubmissionBehavior::LosesAnswer,
                SubmissionBehavior::Refuses("INVALID_REQUEST"),
                SubmissionBehavior::Refuses("INVALID_REQUEST"),
                SubmissionBehavior::Refuses("INVALID_REQUEST"),
            ],
            ..mastercard::FaultProfile::PLAIN
        },
        ends: &[end(Status::ErrorBatch, 0, 0, 3)],
        sent: Some(2),
        disturbed_from: SUBMITTING,
        one_in: 13,
        ..PLAIN
    },
    IssuerScenario {
        name: "batch-never-answered",
        mastercard: mastercard::FaultProfile {
            answer: Answer::Never,
            ..mastercard::FaultProfile::PLAIN
        },
        back_ends: &[&[step(0, Act::Send(0)), step(200, Act::Read)]],
        ends: &[end(Status::ErrorBatch, 0, 0, 3)],
        disturbed_from: POLLING,
        one_in: 13,
        ..PLAIN
    },
    IssuerScenario {
        name: "batch-never-reaches-mastercard",
        mastercard: mastercard::FaultProfile {
            submissions: &[SubmissionBehavior::Unreachable; 99],
            ..mastercard::FaultProfile::PLAIN
        },
        back_ends: &[&[step(0, Act::Send(0)), step(200, Act::Read)]],
        ends: &[end(Status::ErrorBatch, 0, 3, 0)],
        sent: None,
        disturbed_from: SUBMITTING,
        one_in: 19,
        ..PLAIN
    },
    IssuerScenario {
        name: "batch-of-two-bodies",
        batches: &[FIRST, BatchContent { filling: 9, ..FIRST }],
        back_ends: &[
            &[step(0, Act::Send(0)), step(9, Act::Read)],
            &[step(0, Act::Send(1))],
        ],
        one_in: 7,
        ..PLAIN
    },
    IssuerScenario {
        name: "batches-in-disorderly-queues",
        has_disorderly_queues: true,
        one_in: 11,
        ..TWO_BATCHES
    },
    IssuerScenario {
        name: "batches-paced",
        rate: 1,
        disturbed_from: SUBMITTING,
        one_in: 17,
        ..TWO_BATCHES
    },
    IssuerScenario {
        name: "enrolled-card-deleted",
        back_ends: &[&[
            step(0, Act::Send(0)),
            step(10, Act::DeleteCard("a")),
            step(40, Act::Read),
        ]],
        mastercard: mastercard::FaultProfile {
            deletions: &[
                DeletionBehavior::Throttles(SignedDuration::from_secs(60)),
                DeletionBehavior::LosesAnswer,
            ],
            ..mastercard::FaultProfile::PLAIN
        },
        disturbed_from: CALLING_FOR_DELETION,
        one_in: 7,
        ..PLAIN
    },
    IssuerScenario {
        name: "consumer-deleted-and-enrolled-again",
        batches: &[
            FIRST,
            BatchContent {
                external_id: "b2",
                profiles: &[("p1", &["a", "b"])],
                filling: 8,
            },
        ],
        back_ends: &[&[
            step(0, Act::Send(0)),
            step(10, Act::DeleteConsumer("p1")),
            step(11, Act::Send(1)),
            step(60, Act::Read),
        ]],
        mastercard: mastercard::FaultProfile {
            deletions: &[DeletionBehavior::Throttles(SignedDuration::from_mins(12)); 2],
            ..mastercard::FaultProfile::PLAIN
        },
        ends: &[
            end(Status::SuccessBatch, 3, 0, 0),
            end(Status::SuccessBatch, 2, 0, 0),
        ],
        sent: Some(2),
        disturbed_from: CALLING_FOR_DELETION,
        one_in: 11,
        ..PLAIN
    },
];

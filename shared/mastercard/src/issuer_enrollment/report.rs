//! Status of a batch and the results of its cards.

use std::fmt;

use serde_json::{Map, Value};

use super::{
    dialect::{self, Names},
    problem,
};
use crate::{
    foreign::{ForeignCode, ForeignText},
    json,
};

/// Members in which no records are looked for: they may quote a record.
const SKIPPED: [&str; 9] = [
    "error",
    "Error",
    "errors",
    "Errors",
    "fault",
    "errordetail",
    "errorDetail",
    "details",
    "request",
];

/// Depth of objects in which records are looked for.
const MAX_DEPTH: usize = 8;

/// Answer to a status request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchReport {
    /// Status of the batch.
    pub status: BatchStatus,
    /// Cards that the answer mentions, in its order. It may leave some out, repeat some, and name foreign ones: the
    /// caller compares them with its own.
    pub cards: Vec<CardReport>,
    /// Error of the batch as a whole, if the answer has one.
    pub problem: Option<CardProblem>,
}

/// Status of a batch. Only the named final ones end it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchStatus {
    /// `IN_PROGRESS`: ask again later.
    InProgress,
    /// `COMPLETED`: final, without a word about errors.
    Completed,
    /// `COMPLETED_SUCCESSFULLY`: final.
    CompletedSuccessfully,
    /// `COMPLETED_WITH_ERRORS`: final, some cards failed.
    CompletedWithErrors,
    /// `FAILED`: final, the batch as a whole failed.
    Failed,
    /// Value that is not known. It does not end the batch.
    Other(ForeignCode),
}

/// Result of one card.
#[derive(Clone, PartialEq, Eq)]
pub struct CardReport {
    /// The issuer's id of the card, if the answer has a usable one.
    pub external_card_id: Option<String>,
    /// The issuer's id of the consumer.
    pub external_consumer_id: Option<String>,
    /// Mastercard's id of the card. Life-cycle calls need it.
    pub src_digital_card_id: Option<String>,
    /// Mastercard's id of the consumer.
    pub src_consumer_id: Option<String>,
    /// Outcome.
    pub outcome: CardOutcome,
}

/// Outcome of one card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CardOutcome {
    /// The answer states success, and nothing in it contradicts that.
    Succeeded,
    /// The answer states a failure.
    Failed(CardProblem),
    /// The answer states neither, or both.
    Unknown,
}

/// Error of one card, or of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CardProblem {
    /// Reasons, the most specific first, such as `PAN_INELIGIBLE`. May be empty.
    pub reasons: Vec<ForeignCode>,
    /// HTTP status inside the error, if any.
    pub status: Option<u16>,
    /// Texts of the error. They may quote the request.
    pub text: ForeignText,
}

impl BatchStatus {
    /// Whether the batch has ended.
    pub fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Completed | Self::CompletedSuccessfully | Self::CompletedWithErrors | Self::Failed
        )
    }

    fn parse(text: &str) -> Self {
        let word = word(text);
        let is_in = |known: &[&str]| known.contains(&word.as_str());
        if is_in(dialect::IN_PROGRESS) {
            Self::InProgress
        } else if is_in(dialect::COMPLETED) {
            Self::Completed
        } else if is_in(dialect::COMPLETED_SUCCESSFULLY) {
            Self::CompletedSuccessfully
        } else if is_in(dialect::COMPLETED_WITH_ERRORS) {
            Self::CompletedWithErrors
        } else if is_in(dialect::FAILED) {
            Self::Failed
        } else {
            Self::Other(ForeignCode::new(&word))
        }
    }
}

/// Parses the status of a batch. An object without a status is an error: it does not say how the batch stands.
pub(super) fn read(object: &Map<String, Value>, names: &Names) -> Result<BatchReport, &'static str> {
    let status = dialect::BATCH_STATUSES
        .iter()
        .find_map(|name| object.get(*name)?.as_str())
        .ok_or("no status of the batch")?;
    let mut reader = Reader {
        names,
        cards: Vec::new(),
    };
    reader.members(object, &Inherited::default(), 0);
    Ok(BatchReport {
        status: BatchStatus::parse(status),
        cards: reader.cards,
        problem: problem::of_member(object),
    })
}

/// Collects the records of a document wherever they stand: in a flat list or under their consumers.
struct Reader<'a> {
    names: &'a Names,
    cards: Vec<CardReport>,
}

/// Statements of the objects around a record, which hold for it unless it says otherwise.
#[derive(Default, Clone)]
struct Inherited {
    external_consumer_id: Option<String>,
    src_consumer_id: Option<String>,
    src_digital_card_id: Option<String>,
    statement: Statement,
}

/// Statement of an object about the outcome of a record.
#[derive(Default, Clone)]
struct Statement {
    status: Option<String>,
    problem: Option<CardProblem>,
}

impl Reader<'_> {
    /// Looks for records in the members of an object.
    fn members(&mut self, object: &Map<String, Value>, inherited: &Inherited, depth: usize) {
        for (name, value) in object {
            if !SKIPPED.contains(&name.as_str()) {
                self.value(value, inherited, depth + 1);
            }
        }
    }

    fn value(&mut self, value: &Value, inherited: &Inherited, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        match value {
            Value::Object(object) => self.object(object, inherited, depth),
            Value::Array(items) => {
                // Mastercard's id of one card is not that of several.
                let mut inherited = inherited.clone();
                inherited.src_digital_card_id = None;
                for item in items {
                    self.value(item, &inherited, depth + 1);
                }
            }
            _ => {}
        }
    }

    fn object(&mut self, object: &Map<String, Value>, inherited: &Inherited, depth: usize) {
        let id = |names: &[&str]| json::member(object, names).and_then(json::id);
        let is_record = json::member(object, self.names.card_id).is_some();
        // What is neither record nor consumer states the success of a call or a page, not that of the cards in it.
        let is_wrapper = !is_record && id(dialect::EXTERNAL_CONSUMER_IDS).is_none();
        let statement = Statement::of(object, is_wrapper);
        let here = Inherited {
            external_consumer_id: id(dialect::EXTERNAL_CONSUMER_IDS)
                .or_else(|| inherited.external_consumer_id.clone()),
            src_consumer_id: id(dialect::SRC_CONSUMER_IDS).or_else(|| inherited.src_consumer_id.clone()),
            src_digital_card_id: id(self.names.digital_card_id)
                .or_else(|| inherited.src_digital_card_id.clone()),
            statement: if statement.is_empty() || (is_wrapper && statement.is_success()) {
                inherited.statement.clone()
            } else {
                statement
            },
        };
        if !is_record {
            self.members(object, &here, depth);
            return;
        }
        let outcome = here.statement.outcome(here.src_digital_card_id.is_some());
        self.cards.push(CardReport {
            external_card_id: id(self.names.card_id),
            external_consumer_id: here.external_consumer_id,
            src_digital_card_id: here.src_digital_card_id,
            src_consumer_id: here.src_consumer_id,
            outcome,
        });
    }
}

impl Statement {
    /// Statement of an object. Any object may carry the members of its error itself.
    fn of(object: &Map<String, Value>, is_wrapper: bool) -> Self {
        let status = dialect::RECORD_STATUSES
            .iter()
            .find_map(|name| object.get(*name)?.as_str())
            .map(word)
            .filter(|word| !word.is_empty() && !is_error_status(word));
        let is_failure = status
            .as_deref()
            .is_some_and(|status| dialect::RECORD_FAILURES.contains(&status));
        let problem = problem::of_member(object).or_else(|| {
            if is_failure {
                problem::of_failed_record(object)
            } else if is_wrapper {
                problem::of_wrapper(object)
            } else {
                problem::of_record(object)
            }
        });
        Self { status, problem }
    }

    fn is_success(&self) -> bool {
        let is_known = |status: &str| dialect::RECORD_SUCCESSES.contains(&status);
        self.problem.is_none() && self.status.as_deref().is_some_and(is_known)
    }

    fn is_empty(&self) -> bool {
        self.status.is_none() && self.problem.is_none()
    }

    /// Outcome of a card. It is unknown where the answer states none, or two.
    fn outcome(self, has_digital_card_id: bool) -> CardOutcome {
        let is_in = |known: &[&str]| {
            self.status
                .as_deref()
                .is_some_and(|status| known.contains(&status))
        };
        if is_in(dialect::RECORD_FAILURES) {
            return CardOutcome::Failed(self.problem.unwrap_or_default());
        }
        match (self.problem, &self.status) {
            (Some(problem), None) if !has_digital_card_id => CardOutcome::Failed(problem),
            (None, Some(_)) if is_in(dialect::RECORD_SUCCESSES) => CardOutcome::Succeeded,
            (None, None) if has_digital_card_id && dialect::DIGITAL_CARD_ID_STATES_SUCCESS => {
                CardOutcome::Succeeded
            }
            _ => CardOutcome::Unknown,
        }
    }
}

/// Returns a status in the spelling of the tables: upper case, with underscores.
pub(super) fn word(text: &str) -> String {
    text.trim().to_ascii_uppercase().replace([' ', '-'], "_")
}

/// Whether a status is an HTTP status of an error, as a text.
fn is_error_status(word: &str) -> bool {
    word.parse::<u16>()
        .is_ok_and(|status| (400..600).contains(&status))
}

/// Omits the ids.
impl fmt::Debug for CardReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("CardReport")
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}

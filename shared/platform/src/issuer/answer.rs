//! Mastercard's answers as the domain has them.

use enrollment::batch::{
    AnswerItem, AnswerStatus, BatchAnswer, FlowId, ItemOutcome, ReasonCode, SrcConsumerId, SrcDigitalCardId,
};
use mastercard::ForeignCode;
use mastercard::issuer_enrollment::{
    self as api, BatchReport, BatchStatus, CardOutcome, CardProblem, CardReport,
};

/// Answer about a batch.
pub(super) fn batch(report: &BatchReport, flow: Option<FlowId>) -> BatchAnswer {
    BatchAnswer {
        status: match &report.status {
            BatchStatus::InProgress => AnswerStatus::InProgress,
            BatchStatus::Completed
            | BatchStatus::CompletedSuccessfully
            | BatchStatus::CompletedWithErrors => AnswerStatus::Completed,
            BatchStatus::Failed => AnswerStatus::Failed {
                reason: report
                    .problem
                    .as_ref()
                    .and_then(reason)
                    .unwrap_or_else(ReasonCode::unspecified),
                http_status: report.problem.as_ref().and_then(|problem| problem.status),
            },
            BatchStatus::Other(_) => AnswerStatus::Unknown,
        },
        items: report.cards.iter().map(item).collect(),
        flow,
    }
}

fn item(card: &CardReport) -> AnswerItem {
    AnswerItem {
        card: card.external_card_id.clone(),
        outcome: match &card.outcome {
            CardOutcome::Succeeded => ItemOutcome::Succeeded {
                src_digital_card: card
                    .src_digital_card_id
                    .as_deref()
                    .and_then(|id| SrcDigitalCardId::parse(id).ok()),
                src_consumer: card
                    .src_consumer_id
                    .as_deref()
                    .and_then(|id| SrcConsumerId::parse(id).ok()),
            },
            CardOutcome::Failed(problem) => ItemOutcome::Failed {
                reason: reason(problem),
                http_status: problem.status,
            },
            CardOutcome::Unknown => ItemOutcome::Unknown,
        },
    }
}

/// First reason that may be shown: the most specific one comes first.
fn reason(problem: &CardProblem) -> Option<ReasonCode> {
    first_code(problem.reasons.iter())
}

pub(super) fn first_code<'a>(mut codes: impl Iterator<Item = &'a ForeignCode>) -> Option<ReasonCode> {
    codes.find_map(|code| ReasonCode::parse(code.as_str()?).ok())
}

/// Flow of an answer, to be stored.
pub(super) fn flow(flow: Option<&api::FlowId>) -> Option<FlowId> {
    flow.and_then(|flow| FlowId::parse(flow.as_str()).ok())
}

/// Stored flow, to be sent.
pub(super) fn sent_flow(flow: Option<&FlowId>) -> Option<api::FlowId> {
    flow.and_then(|flow| api::FlowId::parse(flow.expose()))
}

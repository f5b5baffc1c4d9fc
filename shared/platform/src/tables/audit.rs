//! Audit trail: a line for each act of an operator that reveals or erases personal data, changes trust or keys, or replays a
//! confirmation. It names the operator, never the cardholder.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::Put;
use enrollment::identifiers::{ClientId, ProgramId};
use enrollment::ports::StoreError;
use enrollment::randomness::Randomness;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::item::{self, Fields, Written};
use super::transaction::built;
use crate::aws::describe;

const ADDING: &str = "adding to the audit trail";

/// One line. The person is known by the operator's own reference of the request, and by nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditLine {
    /// Time of the act.
    pub at: Timestamp,
    /// Act, such as `show`, `export`, `nothing found`; `erase begun`, and `erase` or `erase failed` as it ended;
    /// `reveal confirmation`, `apply client`, `rotate keys`; `purge undelivered` where confirmations were deleted before any
    /// delivery. The README of `enrollctl` lists all.
    pub action: String,
    /// ARN of the caller.
    pub by: String,
    /// Operator's reference of the request.
    pub reference: String,
    /// Program, where only one was meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program: Option<ProgramId>,
    /// Records concerned: counts by kind, or ids of confirmations or of an incident.
    pub records: String,
}

/// Which of the trails.
#[derive(Debug, Clone, Copy)]
pub enum Trail<'a> {
    /// A client's.
    Client(&'a ClientId),
    /// The stack's own: of what belongs to no client.
    Stack,
}

/// Proof that a line of the trail says who does something, and why. Only [`AuditTrail::admit`] makes one, and what reveals
/// personal data, changes trust or keys, or has something sent again asks for one: there is no other way to it.
#[derive(Debug)]
pub struct Permit(());

/// The trails of a stack.
pub struct AuditTrail {
    dynamodb: Client,
    table: String,
}

impl AuditTrail {
    /// In the table `enrollments` of that physical name.
    pub fn new(dynamodb: Client, table: impl Into<String>) -> Self {
        Self {
            dynamodb,
            table: table.into(),
        }
    }

    /// Adds a line, and permits what it says. It is never changed, and stays when the person's data go.
    pub async fn admit(
        &self,
        trail: Trail<'_>,
        line: &AuditLine,
        randomness: &dyn Randomness,
    ) -> Result<Permit, StoreError> {
        let put = put(&self.table, trail, line, randomness)?;
        self.dynamodb
            .put_item()
            .table_name(put.table_name())
            .set_item(Some(put.item().clone()))
            .set_condition_expression(put.condition_expression().map(str::to_owned))
            .send()
            .await
            .map(|_| Permit(()))
            .map_err(|error| StoreError::unavailable(ADDING, describe(&error)))
    }

    /// All lines, the oldest first.
    pub async fn lines(&self, trail: Trail<'_>) -> Result<Vec<AuditLine>, StoreError> {
        const OPERATION: &str = "reading the audit trail";
        let mut lines = Vec::new();
        let mut start = None;
        loop {
            let answer = self
                .dynamodb
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", item::text(key(trail)))
                .consistent_read(true)
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| StoreError::unavailable(OPERATION, describe(&error)))?;
            for found in answer.items.unwrap_or_default() {
                let fields = Fields::of(OPERATION, found)?;
                lines.push(fields.parsed("line", |json| serde_json::from_str(json))?);
            }
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(lines);
            }
        }
    }
}

/// A line as a part of a transaction, so that it is there exactly when what it tells of is done.
pub(super) fn put(
    table: &str,
    trail: Trail<'_>,
    line: &AuditLine,
    randomness: &dyn Randomness,
) -> Result<Put, StoreError> {
    let mut distinct = [0; 8];
    randomness.fill(&mut distinct);
    // By time, and two in one millisecond apart.
    let sort_key = format!("{:015}#{}", line.at.as_millisecond(), hex::encode(distinct));
    let text = serde_json::to_string(line)
        .map_err(|_| StoreError::unavailable(ADDING, "it can't be written as JSON"))?;
    let item = Written::with_sort_key(&key(trail), &sort_key).text("line", text);
    let put = Put::builder()
        .table_name(table)
        .set_item(Some(item.into_item()))
        .condition_expression("attribute_not_exists(pk)")
        .build();
    built(ADDING, put)
}

fn key(trail: Trail<'_>) -> String {
    match trail {
        Trail::Client(client) => format!("audit#{client}"),
        // No client's id has a character of this kind.
        Trail::Stack => "audit@stack".to_owned(),
    }
}

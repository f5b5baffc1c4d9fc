//! All of a customer's items in a program.

use enrollment::identifiers::{ClientId, CustomerId, ProgramId, Ranac};
use enrollment::ports::{Holdings, StoreError};

use super::{CARD, CUSTOMER, DynamoEnrolments};
use crate::aws::describe;
use crate::tables::customers;
use crate::tables::item::{self, Fields};

const OPERATION: &str = "reading a customer's cards";

impl DynamoEnrolments {
    pub(super) async fn read_holdings(
        &self,
        client: &ClientId,
        program: &ProgramId,
        customer: &CustomerId,
    ) -> Result<Holdings, StoreError> {
        let pk = customers::primary_key(&self.vault, OPERATION, client, program, customer).await?;
        let mut holdings = Holdings::default();
        for fields in self.partition(&pk).await? {
            match fields.text("sk")? {
                CUSTOMER => holdings.pending = fields.number("pending")?,
                sk if sk.starts_with(CARD) => {
                    let sealing = self.sealing(OPERATION, client, &pk, sk);
                    if let Some(ranac) = sealing.open_optional(&fields, "ranac", Ranac::parse).await? {
                        holdings.ranacs.push(ranac);
                    }
                }
                // Of a newer release.
                _ => {}
            }
        }
        Ok(holdings)
    }

    async fn partition(&self, pk: &str) -> Result<Vec<Fields>, StoreError> {
        let mut found = Vec::new();
        let mut start = None;
        loop {
            let answer = self
                .dynamodb
                .query()
                .table_name(&self.tables.enrolments)
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", item::text(pk))
                .consistent_read(true)
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| StoreError::Unavailable {
                    operation: OPERATION,
                    detail: describe(&error),
                })?;
            for item in answer.items.unwrap_or_default() {
                found.push(Fields::of(OPERATION, item)?);
            }
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(found);
            }
        }
    }
}

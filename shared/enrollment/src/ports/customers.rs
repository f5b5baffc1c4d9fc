//! Customers of a program and their cards.

use async_trait::async_trait;

use super::store_error::StoreError;
use crate::identifiers::{ClientId, CustomerId, ProgramId};
use crate::intent::{CardCount, Customer};

/// Customers of a program and their cards.
#[async_trait]
pub trait Customers: Send + Sync {
    /// Reads how many cards a customer has in a program; all counts are zero for an unknown customer.
    async fn card_count(
        &self,
        client: &ClientId,
        program: &ProgramId,
        customer: &CustomerId,
    ) -> Result<CardCount, StoreError>;
    /// Reads a customer of a program with all cards; [`Customer::default`] for an unknown one.
    async fn customer(
        &self,
        client: &ClientId,
        program: &ProgramId,
        customer: &CustomerId,
    ) -> Result<Customer, StoreError>;
}

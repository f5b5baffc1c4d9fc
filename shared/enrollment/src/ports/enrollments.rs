//! All ports of the `enrollments` table that flows use.

use super::customers::Customers;
use super::due_intents::DueIntents;
use super::intents::Intents;
use super::leases::Leases;

/// Intents, cards and customers.
pub trait Enrollments: Intents + Leases + DueIntents + Customers {}

impl<T: Intents + Leases + DueIntents + Customers> Enrollments for T {}

//! Queue of the ordered faults.

use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde_json::{Value, json};

use super::effect::Effect;
use super::order::{MAX_ORDERS, Operation, Order, OrderError};
use crate::card_number::CardNumber;

/// An order that was taken, by the number under which it can be taken back.
#[derive(Serialize)]
struct Taken {
    id: u64,
    #[serde(flatten)]
    order: Order,
    #[serde(skip)]
    card: Option<CardNumber>,
    /// The bank customer numbers under which somebody tried to enroll the card since then.
    #[serde(skip)]
    customers: Vec<String>,
}

/// Subject of a call, by which orders for one card are matched.
pub(crate) struct Subject<'a> {
    /// The bank customer number that it names.
    pub(crate) customer: Option<&'a str>,
    /// Whether it enrolls this card, or names an account or a customer that has it.
    pub(crate) is_of: &'a dyn Fn(&CardNumber) -> bool,
    /// Whether this is the first attempt at a confirmation.
    pub(crate) is_first: bool,
    /// `externalBatchId` of the batch that it is about.
    pub(crate) batch: Option<&'a str>,
}

/// The orders, first come, first served.
#[derive(Default)]
pub(crate) struct FaultQueue(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    last_id: u64,
    open: Vec<Taken>,
}

impl FaultQueue {
    /// Adds an order and returns it as JSON, with its id.
    pub(crate) fn add(&self, mut order: Order) -> Result<Value, OrderError> {
        let card = order.check()?;
        let mut queue = self.queue();
        if queue.open.len() == MAX_ORDERS {
            return Err(OrderError::Full);
        }
        queue.last_id += 1;
        let taken = Taken {
            id: queue.last_id,
            order,
            card,
            customers: Vec::new(),
        };
        let shown = json!(taken);
        queue.open.push(taken);
        Ok(shown)
    }

    /// The fault that is due for this call, if any; it counts as served.
    pub(crate) fn due(&self, operation: Operation, subject: &Subject<'_>) -> Option<Effect> {
        let mut queue = self.queue();
        if operation == Operation::Enroll {
            for order in &mut queue.open {
                order.learn(subject);
            }
        }
        let place = queue
            .open
            .iter()
            .position(|taken| taken.order.operation == operation && taken.concerns(subject))?;
        let order = &mut queue.open[place].order;
        let effect = order.effect();
        order.count -= 1;
        if order.count == 0 {
            queue.open.remove(place);
        }
        Some(effect)
    }

    /// The orders that are not yet served, as JSON, without their cards.
    pub(crate) fn open(&self) -> Value {
        json!(self.queue().open)
    }

    /// Deletes an order. Returns whether it was still open.
    pub(crate) fn take_back(&self, id: u64) -> bool {
        let mut queue = self.queue();
        let before = queue.open.len();
        queue.open.retain(|taken| taken.id != id);
        queue.open.len() < before
    }

    pub(crate) fn clear(&self) {
        self.queue().open.clear();
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// Remembers the customer of an enrollment: look-ups may come before MRS has the account, or though it never gets one.
    fn learn(&mut self, enrollment: &Subject<'_>) {
        if let (Some(card), Some(customer)) = (&self.card, enrollment.customer)
            && (enrollment.is_of)(card)
            && !self.customers.iter().any(|known| known == customer)
        {
            self.customers.push(customer.to_owned());
        }
    }

    fn concerns(&self, subject: &Subject<'_>) -> bool {
        if self.order.first_attempt && !subject.is_first {
            return false;
        }
        if let Some(batch) = &self.order.batch
            && subject.batch != Some(batch)
        {
            return false;
        }
        let Some(card) = &self.card else { return true };
        let is_known = |customer| self.customers.iter().any(|known| known == customer);
        (subject.is_of)(card) || subject.customer.is_some_and(is_known)
    }
}

impl Subject<'_> {
    /// A call that is about no card.
    pub(crate) const NONE: Self = Subject {
        customer: None,
        is_of: &|_| false,
        is_first: true,
        batch: None,
    };
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::super::effect::Kind;
    use super::*;

    fn order(value: serde_json::Value) -> Order {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn order_is_served_count_times_and_for_its_operation_only() {
        let book = FaultQueue::default();
        book.add(order(
            json!({"operation": "enroll", "fault": "cut-after", "count": 2}),
        ))
        .unwrap();
        assert_eq!(book.due(Operation::GetCustomerAccounts, &Subject::NONE), None);
        for effect in [
            Some(Effect::new(Kind::CutAfter)),
            Some(Effect::new(Kind::CutAfter)),
            None,
        ] {
            assert_eq!(book.due(Operation::Enroll, &Subject::NONE), effect);
        }
    }

    /// A call about this card, under this bank customer number.
    fn due(book: &FaultQueue, operation: Operation, customer: Option<&str>, digits: &str) -> bool {
        let is_of = |card: &CardNumber| card.digits() == digits;
        let subject = Subject {
            customer,
            is_of: &is_of,
            is_first: true,
            batch: None,
        };
        book.due(operation, &subject).is_some()
    }

    #[test]
    fn order_for_a_card_leaves_other_cards_alone() {
        let [card, other] = ["5234000000000007", "5234000000000015"];
        let book = FaultQueue::default();
        for operation in ["enroll", "updateCustomerAccount", "getCustomerAccounts"] {
            book.add(order(
                json!({"operation": operation, "fault": "http500-before", "card": card}),
            ))
            .unwrap();
        }
        let [enroll, update, find] = [
            Operation::Enroll,
            Operation::UpdateCustomerAccount,
            Operation::GetCustomerAccounts,
        ];
        for operation in [enroll, update, find] {
            assert!(!due(&book, operation, Some("2"), other), "{operation:?}");
            assert_eq!(book.due(operation, &Subject::NONE), None);
        }
        assert!(due(&book, enroll, Some("1"), card));
        assert!(due(&book, update, None, card));
        // MRS holds nothing under 1, but that is the number under which the card was to be enrolled.
        assert!(!due(&book, find, Some("2"), ""));
        assert!(due(&book, find, Some("1"), ""));
        assert_eq!(book.open(), json!([]));
    }

    #[test]
    fn order_is_shown_without_its_card_and_can_be_deleted() {
        let book = FaultQueue::default();
        let asked = json!({"operation": "enroll", "fault": "cut-after", "card": "5234000000000007"});
        let shown = json!({"id": 1, "operation": "enroll", "fault": "cut-after", "count": 1});
        assert_eq!(book.add(order(asked.clone())), Ok(shown.clone()));
        assert_eq!(book.add(order(asked)).unwrap()["id"], 2);
        assert!(book.take_back(2) && !book.take_back(2));
        assert_eq!(book.open(), json!([shown]));
    }

    #[test]
    fn orders_for_one_operation_are_served_in_turn() {
        let book = FaultQueue::default();
        book.add(order(
            json!({"operation": "enroll", "fault": "slow-after", "delayMs": 5}),
        ))
        .unwrap();
        book.add(order(
            json!({"operation": "enroll", "fault": "code-before", "code": -45}),
        ))
        .unwrap();
        let due = || book.due(Operation::Enroll, &Subject::NONE).unwrap();
        assert_eq!(due().delay, Duration::from_millis(5));
        assert_eq!(due().code, -45);
        assert_eq!(book.open(), json!([]));
    }

    #[test]
    fn order_for_first_attempts_leaves_later_ones_alone() {
        let book = FaultQueue::default();
        book.add(order(
            json!({"operation": "confirmation", "fault": "cut-after", "firstAttempt": true}),
        ))
        .unwrap();
        let again = Subject {
            is_first: false,
            ..Subject::NONE
        };
        assert_eq!(book.due(Operation::Confirmation, &again), None);
        let effect = book.due(Operation::Confirmation, &Subject::NONE);
        assert_eq!(effect, Some(Effect::new(Kind::CutAfter)));
    }

    #[test]
    fn contradictory_order_is_refused() {
        let book = FaultQueue::default();
        for (bad, why) in [
            (
                json!({"operation": "enroll", "fault": "cut-after", "count": 0}),
                OrderError::Count,
            ),
            (
                json!({"operation": "enroll", "fault": "cut-after", "delayMs": 1}),
                OrderError::Delay,
            ),
            (
                json!({"operation": "enroll", "fault": "slow-after", "delayMs": 600_001}),
                OrderError::Delay,
            ),
            (
                json!({"operation": "enroll", "fault": "cut-after", "code": -1}),
                OrderError::Code,
            ),
            (
                json!({"operation": "confirmation", "fault": "code-after"}),
                OrderError::Code,
            ),
            (
                json!({"operation": "confirmation", "fault": "invalid-client-cert"}),
                OrderError::Gateway,
            ),
            (
                json!({"operation": "enroll", "fault": "cut-after", "shape": "gzip"}),
                OrderError::Shape,
            ),
            (
                json!({"operation": "confirmation", "fault": "slow-after", "quote": true}),
                OrderError::Shape,
            ),
            (
                json!({"operation": "enroll", "fault": "shaped"}),
                OrderError::Shape,
            ),
            (
                json!({"operation": "enroll", "fault": "cut-after", "firstAttempt": true}),
                OrderError::FirstAttempt,
            ),
            (
                json!({"operation": "doEcho", "fault": "cut-after", "card": "5234000000000007"}),
                OrderError::Card,
            ),
            (
                json!({"operation": "enroll", "fault": "cut-after", "card": "5234000000000008"}),
                OrderError::Card,
            ),
        ] {
            assert_eq!(book.add(order(bad)), Err(why));
        }
    }

    #[test]
    fn number_of_orders_is_bounded() {
        let book = FaultQueue::default();
        let add = || book.add(order(json!({"operation": "doEcho", "fault": "http500-before"})));
        for _ in 0..MAX_ORDERS {
            add().unwrap();
        }
        assert_eq!(add(), Err(OrderError::Full));
        book.clear();
        assert_eq!(book.open(), json!([]));
    }
}

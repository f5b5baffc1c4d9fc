//! Choice of the injection points.

use std::collections::BTreeMap;

use crate::injection::InjectionPoint;

/// Number of deliveries that are disturbed among those of one trigger with the same calls in the same order.
const OF_A_KIND: usize = 2;

/// Points to disturb, with their numbers, from the first delivery of the trigger `from` on.
pub(crate) fn to_disturb(points: &[InjectionPoint], from: &str) -> Vec<(usize, InjectionPoint)> {
    let mut calls = BTreeMap::<usize, (&str, Vec<&str>)>::new();
    for point in points {
        let delivery = calls.entry(point.delivery).or_insert((point.trigger, Vec::new()));
        delivery.1.push(point.call);
    }
    let mut of_a_kind = BTreeMap::<&(&str, Vec<&str>), usize>::new();
    let mut chosen = Vec::new();
    for (delivery, kind) in calls.iter().skip_while(|(_, (trigger, _))| *trigger != from) {
        let count = of_a_kind.entry(kind).or_default();
        *count += 1;
        if *count <= OF_A_KIND {
            chosen.push(*delivery);
        }
    }
    (1..)
        .zip(points)
        .filter(|(_, point)| chosen.contains(&point.delivery))
        .map(|(number, point)| (number, *point))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(delivery: usize, trigger: &'static str, calls: &[&'static str]) -> Vec<InjectionPoint> {
        let point = |call: &&'static str| InjectionPoint {
            call,
            trigger,
            delivery,
            actor: None,
        };
        calls.iter().map(point).collect()
    }

    #[test]
    fn of_deliveries_that_do_the_same_the_first_two_are_disturbed() {
        let mut points = delivery(1, "page", &["a", "b"]);
        for number in 2..=6 {
            points.extend(delivery(number, "sweep", &["a", "b"]));
        }
        points.extend(delivery(7, "sweep", &["a", "b", "c"]));
        let numbers: Vec<_> = to_disturb(&points, "page")
            .into_iter()
            .map(|(number, _)| number)
            .collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 13, 14, 15]);
        assert_eq!(to_disturb(&points, "sweep")[0], (3, points[2]));
        assert_eq!(to_disturb(&points, "another"), []);
    }
}

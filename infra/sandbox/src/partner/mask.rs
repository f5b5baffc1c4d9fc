//! Masks card numbers. A confirmation has none; should one ever contain one, it is neither stored nor shown in full.

use serde_json::Value;

use crate::card_number::passes_luhn;

/// Masks what looks like a card number in every text of a document: 13 to 19 digits that stand alone and pass Luhn.
pub(crate) fn mask(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(mask_text(&text)),
        Value::Number(number) => match mask_text(&number.to_string()) {
            masked if masked.contains('•') => Value::String(masked),
            _ => Value::Number(number),
        },
        Value::Array(items) => Value::Array(items.into_iter().map(mask).collect()),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (mask_text(&name), mask(value)))
            .collect(),
        other => other,
    }
}

fn mask_text(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    for word in text.split_inclusive(|c: char| !c.is_alphanumeric()) {
        let digits = word.trim_end_matches(|c: char| !c.is_alphanumeric());
        let is_card = (13..=19).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && passes_luhn(digits);
        if is_card {
            masked.push_str("•••• ");
            masked.push_str(&word[digits.len() - 4..]);
        } else {
            masked.push_str(word);
        }
    }
    masked
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_card_number_is_masked_wherever_it_stands() {
        let masked = mask(
            json!({"a": ["x 5234000000090123, y"], "b": 5_234_000_000_090_123_u64, "5234000000090123": 1}),
        );
        assert_eq!(
            masked,
            json!({"a": ["x •••• 0123, y"], "b": "•••• 0123", "•••• 0123": 1})
        );
    }

    #[test]
    fn what_a_confirmation_may_hold_is_left_alone() {
        let body = json!({
            "status": "SUCCESS_ENROLLMENT", "parentId": "5d7703f9-7df2-4323-9745-9474f3182aef", "ranac": "03643782610476418733",
            "bin": "523400", "last4": "0123", "at": 1_516_239_022,
        });
        assert_eq!(mask(body.clone()), body);
    }
}

//! Digits of numbers in JSON, which `serde_json` reads as 64 bits.

/// Whether every number of a JSON text has the same digits after it was read into a [`Value`](serde_json::Value) and written.
/// `1.50` and `1.5` have.
pub fn keeps_its_digits(json: &str) -> bool {
    let mut outside = String::with_capacity(json.len());
    let (mut is_in_text, mut is_escaped) = (false, false);
    for letter in json.chars() {
        let ends_or_begins = letter == '"' && !is_escaped;
        is_escaped = is_in_text && letter == '\\' && !is_escaped;
        is_in_text ^= ends_or_begins;
        outside.push(if is_in_text || ends_or_begins { ' ' } else { letter });
    }
    outside
        .split(|letter: char| !letter.is_ascii_digit() && !"+-.eE".contains(letter))
        .filter_map(|word| Some((word, serde_json::from_str::<serde_json::Number>(word).ok()?)))
        .all(|(word, number)| significant(word) == significant(&number.to_string()))
}

/// Digits of a number without its exponent, its point and the zeros on both sides.
fn significant(number: &str) -> String {
    let mantissa = number.split(['e', 'E']).next().unwrap_or_default();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    digits.trim_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_that_would_be_rounded_is_found() {
        for json in [
            r#"{"a":[1,-2.50,1e3,0.10,18446744073709551615,true,null]}"#,
            r#"{"a":"12345678901234567890123","b\\":"\"12345678901234567890123"}"#,
            "0",
        ] {
            assert!(keeps_its_digits(json), "{json}");
        }
        for json in [
            "12345678901234567890123",
            r#"{"a\"":[0.12345678901234567890123]}"#,
            "[1e-400]",
        ] {
            assert!(!keeps_its_digits(json), "{json}");
        }
    }
}

//! Retry advice by Mastercard's reasons (`docs/contract.md#retry-advice`; `docs/sources.md#issuer-enrollment`).

use jiff::Timestamp;
use jiff::ToSpan as _;
use jiff::tz::TimeZone;

use super::foreign::ReasonCode;
use super::result::RetryAdvice;

/// Months after which a card that was not eligible may be sent again. Mastercard says three to six.
const INELIGIBLE_MONTHS: i32 = 3;

/// Returns the advice about a card that failed at `now`. The reason decides; where it is not known, the HTTP status beside it,
/// a server's error meaning `now`. What remains is `never`: sending a card again that Mastercard refused for an unknown
/// reason may be what Mastercard forbids.
pub fn retry_advice(reason: &ReasonCode, http_status: Option<u16>, now: Timestamp) -> RetryAdvice {
    match reason.as_str() {
        "PAN_INELIGIBLE" | "TOKENIZATION_INELIGIBLE" => {
            let today = now.to_zoned(TimeZone::UTC).date();
            RetryAdvice::After(today.saturating_add(INELIGIBLE_MONTHS.months()))
        }
        "ISSUER_DECLINE" | "ISSUER_DECLINED" => RetryAdvice::Never,
        "NO_RESPONSE_FROM_ISSUER"
        | "UNAVAILABLE"
        | "DEADLINE_EXCEEDED"
        | "RESOURCE_EXHAUSTED"
        | "ABORTED"
        | "INTERNAL"
        | "INTERNAL_SERVER_ERROR"
        | "UNEXPECTED_ERROR"
        | "PROFILE_INCOMPLETE"
        | "NOT_SUBMITTED"
        // The issuer encrypts anew under the right key.
        | "ENCRYPTION_KEY_EXPIRED"
        | "ENCRYPTION_KEY_MULTIPLE_FOUND"
        | "ENCRYPTION_KEY_NOT_FOUND" => RetryAdvice::Now,
        _ if http_status.is_some_and(|status| status >= 500 || status == 429) => RetryAdvice::Now,
        _ => RetryAdvice::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice(reason: &str, http_status: Option<u16>) -> RetryAdvice {
        retry_advice(
            &ReasonCode::of(reason),
            http_status,
            "2026-11-30T23:59:59Z".parse().unwrap(),
        )
    }

    #[test]
    fn ineligible_card_may_come_again_after_three_months() {
        // The last day of a shorter month.
        let expected = RetryAdvice::After("2027-02-28".parse().unwrap());
        for reason in ["PAN_INELIGIBLE", "TOKENIZATION_INELIGIBLE"] {
            assert_eq!(advice(reason, None), expected);
            assert_eq!(advice(reason, Some(503)), expected, "the reason decides");
        }
    }

    #[test]
    fn declined_card_never_comes_again() {
        for reason in ["ISSUER_DECLINE", "ISSUER_DECLINED"] {
            assert_eq!(advice(reason, Some(500)), RetryAdvice::Never);
        }
        for reason in [
            "INVALID_PAN",
            "SUSPENDED_CARD",
            "CANNOT_BE_NULL",
            "NEW_REASON",
            "UNSPECIFIED",
            "odd text",
        ] {
            assert_eq!(advice(reason, Some(400)), RetryAdvice::Never, "{reason}");
            assert_eq!(advice(reason, None), RetryAdvice::Never, "{reason}");
        }
    }

    #[test]
    fn refused_key_says_nothing_against_the_card() {
        for reason in [
            "ENCRYPTION_KEY_EXPIRED",
            "ENCRYPTION_KEY_MULTIPLE_FOUND",
            "ENCRYPTION_KEY_NOT_FOUND",
        ] {
            assert_eq!(advice(reason, Some(403)), RetryAdvice::Now, "{reason}");
        }
        assert_eq!(advice("EXPIRED", Some(400)), RetryAdvice::Never);
    }

    #[test]
    fn fault_of_a_server_may_be_tried_now() {
        for reason in ["NO_RESPONSE_FROM_ISSUER", "UNAVAILABLE", "INTERNAL_SERVER_ERROR"] {
            assert_eq!(advice(reason, Some(400)), RetryAdvice::Now, "{reason}");
            assert_eq!(advice(reason, None), RetryAdvice::Now, "{reason}");
        }
        for status in [429, 500, 503] {
            assert_eq!(advice("NEW_REASON", Some(status)), RetryAdvice::Now, "{status}");
        }
    }
}

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
        | "NOT_SUBMITTED" => RetryAdvice::Now,
        _ if http_status.is_some_and(|status| status >= 500 || status == 429) => RetryAdvice::Now,
        _ => RetryAdvice::Never,
    }
}

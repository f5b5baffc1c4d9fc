//! Cancellation of a card at MRS.

use crate::identifiers::{BankCustomerNumber, Ranac};
use crate::log::warn;
use crate::look_up::Finding;
use crate::ports::{Rewards, RewardsError};
use crate::status::MrsCode;

/// Result of a cancellation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::flows) enum Cancellation {
    /// MRS does not have the card any more.
    Done,
    /// MRS has the card, and gave this reason.
    Refused(MrsCode),
    /// MRS's answers prove neither.
    Unknown {
        /// Whether the call may still take effect.
        is_in_flight: bool,
    },
}

/// Asks MRS to cancel a card that is in the tables. A decline counts only while MRS lists the card as active, since an earlier
/// call may have cancelled it.
pub(in crate::flows) async fn cancel_card(
    rewards: &dyn Rewards,
    institution: &str,
    number: &BankCustomerNumber,
    ranac: &Ranac,
) -> Cancellation {
    let code = match rewards.cancel(institution, ranac).await {
        Ok(()) => return Cancellation::Done,
        Err(RewardsError::Declined(code)) if code != MrsCode::SERVER_ERROR => code,
        Err(error) => {
            warn!(error, "cancellation failed, its result is unknown");
            let is_in_flight = may_take_effect(&error);
            return Cancellation::Unknown { is_in_flight };
        }
    };
    let look_up = rewards.find(institution, number).await;
    match look_up.card(ranac, true) {
        Finding::Active(_) => {
            warn!(code, meaning = code.meaning(), "cancellation declined");
            Cancellation::Refused(code)
        }
        Finding::Cancelled | Finding::Absent => Cancellation::Done,
        Finding::Unknown => {
            warn!("look-up after a declined cancellation inconclusive");
            Cancellation::Unknown { is_in_flight: false }
        }
    }
}

/// Whether a call that failed may still take effect. -1001 does not say how far the call had come.
pub(super) fn may_take_effect(error: &RewardsError) -> bool {
    match error {
        RewardsError::Declined(code) => *code == MrsCode::SERVER_ERROR,
        RewardsError::NotSent(_) => false,
        RewardsError::Unknown(_) => true,
    }
}

//! Failures of calls to MRS: what the port says of them, and what is kept of Mastercard's words.

use enrollment::ports::RewardsError;
use enrollment::status::MrsCode;
use jiff::Timestamp;
use mastercard::NotSent;
use mastercard::gateway::GatewayReason;
use mastercard::mrs::{InvalidEncryptedPair, MrsError, MrsSetupError};

use super::LOOK_UP;
use crate::connection::{CallError, ClosedError, OutOfTime, ProtocolError, log_text};
use crate::tables::FaultNote;

impl ClosedError for MrsSetupError {}
impl ClosedError for InvalidEncryptedPair {}

impl ProtocolError for MrsError {
    fn class(&self) -> &'static str {
        self.class()
    }

    fn is_fault(&self) -> bool {
        !matches!(self, Self::Fault(_)) || self.leaves_outcome_open()
    }

    fn refuses_credentials(&self) -> bool {
        let Self::NotSent { reason, .. } = self else {
            return false;
        };
        match reason {
            NotSent::NoClientCertificate => true,
            NotSent::Gateway(error) => error.reason == GatewayReason::InvalidClientCert,
            _ => false,
        }
    }
}

impl From<CallError<MrsError>> for RewardsError {
    fn from(error: CallError<MrsError>) -> Self {
        match error {
            CallError::Protocol(error) => rewards_error(&error),
            CallError::NotReady(detail) => Self::NotSent(detail),
            CallError::OutOfTime(OutOfTime::NotSent) => Self::NotSent("the function has no time left".into()),
            CallError::OutOfTime(OutOfTime::Interrupted) => {
                Self::Unknown("no answer before the function ends".into())
            }
        }
    }
}

fn rewards_error(error: &MrsError) -> RewardsError {
    match error {
        MrsError::Fault(fault) if fault.code.value() == 0 => {
            RewardsError::Unknown("a fault with code 0".into())
        }
        MrsError::Fault(fault) => RewardsError::Declined(MrsCode(fault.code.value())),
        MrsError::NotSent { reason, .. } => RewardsError::NotSent(log_text(reason)),
        MrsError::Unknown { reason, .. } => RewardsError::Unknown(log_text(reason)),
    }
}

/// Words of Mastercard about a failed call. `None` where there are none, and for the fault by which a look-up says that there is
/// no account.
pub(super) fn words(operation: &str, error: &MrsError, at: Timestamp) -> Option<FaultNote> {
    let says_absent = |fault: &mastercard::mrs::Fault| fault.code.says_not_enrolled();
    if operation == LOOK_UP && matches!(error, MrsError::Fault(fault) if says_absent(fault)) {
        return None;
    }
    let text = error.foreign_text().filter(|text| !text.is_empty());
    let correlation = error.correlation();
    (text.is_some() || correlation.is_some()).then(|| FaultNote {
        at,
        operation: operation.to_owned(),
        outcome: error.class().to_owned(),
        correlation: correlation.map(|id| id.as_str().to_owned()),
        text: text.map(|text| text.expose().to_owned()).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use mastercard::ForeignText;
    use mastercard::mrs::Fault;

    use super::*;

    #[test]
    fn interrupted_call_is_unknown() {
        let reported = RewardsError::from(CallError::OutOfTime(OutOfTime::Interrupted));
        assert!(
            matches!(reported, RewardsError::Unknown(_)),
            "it may have been done: {reported:?}"
        );
        let reported = RewardsError::from(CallError::OutOfTime(OutOfTime::NotSent));
        assert!(matches!(reported, RewardsError::NotSent(_)), "{reported:?}");
    }

    #[test]
    fn answer_about_the_card_is_not_a_fault() {
        let fault = |code: i32| {
            CallError::Protocol(MrsError::Fault(Fault {
                code: code.into(),
                text: ForeignText::default(),
                recoverable: None,
                correlation: None,
            }))
        };
        for code in [-44, -45, -52, -5, -85, -1] {
            assert!(!fault(code).is_fault(), "{code}");
        }
        for error in [
            fault(-1001),
            fault(0),
            CallError::Protocol(NotSent::NoClientCertificate.into()),
            CallError::NotReady("no secret".into()),
            CallError::OutOfTime(OutOfTime::Interrupted),
            CallError::OutOfTime(OutOfTime::NotSent),
        ] {
            assert!(error.is_fault(), "{}", error.class());
        }
    }
}

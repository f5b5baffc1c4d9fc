//! Ending of an interaction: the object that the page emits and the confirmation carries
//! (`docs/sources.md#widget`, "Ending confirmation").

use serde::{Serialize, Serializer};

use crate::identifiers::{Bin, CustomerId, Last4, Ranac};
use crate::status::{MrsCode, Status};

/// Ending of an interaction, `{status, statusCode, parentId, ranac, designCode, bin, last4}`. Absent members are left out and
/// never null.
///
/// The widget document names the second member `status_code` in its table and `statusCode` in both examples: the
/// examples win, as they are what partners copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// Main status.
    pub status: Status,
    /// MRS's code, only where MRS gave an error.
    pub code: Option<MrsCode>,
    /// Customer, as `parentId`.
    pub customer: Option<CustomerId>,
    /// MRS's id of the card.
    pub ranac: Option<Ranac>,
    /// Visual design of the card.
    pub design_code: Option<String>,
    /// First six digits.
    pub bin: Option<Bin>,
    /// Last four digits.
    pub last4: Option<Last4>,
}

impl Ending {
    /// Ending with a status and nothing else.
    pub fn bare(status: Status) -> Self {
        Self {
            status,
            code: None,
            customer: None,
            ranac: None,
            design_code: None,
            bin: None,
            last4: None,
        }
    }

    /// JSON text in the form of the widget document.
    pub fn to_json(&self) -> String {
        // Unwrap safety: a struct of strings has no way to fail to serialize.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// In the form of the widget document.
impl Serialize for Ending {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let wire = Wire {
            status: self.status,
            status_code: self.code,
            parent_id: self.customer.as_ref().map(CustomerId::expose),
            ranac: self.ranac.as_ref().map(Ranac::expose),
            design_code: self.design_code.as_deref(),
            bin: self.bin.as_ref().map(Bin::as_str),
            last4: self.last4.as_ref().map(Last4::as_str),
        };
        wire.serialize(serializer)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_code: Option<MrsCode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ranac: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    design_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bin: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last4: Option<&'a str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_that_of_the_source_document() {
        let ending = Ending {
            status: Status::SuccessEnrollment,
            code: Some(MrsCode(-50)),
            customer: Some(CustomerId::parse("5d7703f9-7df2-4323-9745-9474f3182aef").unwrap()),
            ranac: Some(Ranac::parse("03643782610476418733").unwrap()),
            design_code: Some("Gold".into()),
            bin: Some(Bin::parse("523400").unwrap()),
            last4: Some(Last4::parse("0123").unwrap()),
        };
        assert_eq!(
            ending.to_json(),
            concat!(
                r#"{"status":"SUCCESS_ENROLLMENT","statusCode":"-50","parentId":"5d7703f9-7df2-4323-9745-9474f3182aef","#,
                r#""ranac":"03643782610476418733","designCode":"Gold","bin":"523400","last4":"0123"}"#
            )
        );
    }

    #[test]
    fn absent_members_are_left_out() {
        assert_eq!(
            Ending::bare(Status::TokenExpired).to_json(),
            r#"{"status":"TOKEN_EXPIRED"}"#
        );
    }
}

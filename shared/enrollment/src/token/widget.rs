//! The claim set that opens the widget.

use jiff::Timestamp;
use url::Url;

use super::{TokenError, VerifiedToken};
use crate::action::ActionCode;
use crate::client::return_target;
use crate::encoding;
use crate::identifiers::{CustomerId, Last4, ProgramId};
use crate::language::RequestedLanguage;

/// Longest `last4` that is looked at, in characters.
const MAX_LAST4: usize = 256;

/// Longest `confirmationUrl`, in characters.
const MAX_URL: usize = 2048;

/// Claims of a token that opens the widget.
#[derive(Debug, Clone, PartialEq)]
pub struct WidgetClaims {
    /// `sub`.
    pub customer: CustomerId,
    /// `actionCode`.
    pub action: ActionCode,
    /// `programId`, one of the client's.
    pub program: ProgramId,
    /// `exp`.
    pub expires_at: Timestamp,
    /// `language`.
    pub language: Option<RequestedLanguage>,
    /// `confirmationUrl`.
    pub confirmation_url: Option<Url>,
    /// `returnUrl`.
    pub return_url: Option<Url>,
    /// `last4`.
    pub last4: Option<Last4>,
}

impl WidgetClaims {
    /// Rows 4 and 5: claims of the right form, a program of the client's, an action that the program allows.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn read(token: &VerifiedToken<'_>) -> Result<Self, TokenError> {
        let client = token.client();
        let customer = customer(token)?;
        let action = ActionCode::parse(token.required("actionCode")?)
            .map_err(|_| TokenError::InvalidParameters("actionCode"))?;
        // A well-formed text that can't be a program's id is a program that is not the client's: row 5.
        let program = ProgramId::parse(token.required("programId")?).ok();
        let expires_at = token.lifetime()?;
        token.check_audience()?;
        let last4 = match token.optional("last4", MAX_LAST4)? {
            Some(text) => Some(Last4::parse(text).map_err(|_| TokenError::InvalidParameters("last4"))?),
            None => None,
        };
        let confirmation_url = confirmation_url(token)?;
        let return_url = return_url(token)?;
        let program = program
            .and_then(|id| client.program(&id))
            .ok_or(TokenError::AccessDenied("program is not the client's"))?;
        if !program.allows(action) {
            return Err(TokenError::AccessDenied("action is not allowed for the program"));
        }
        program.can_name(&customer).map_err(|_| {
            TokenError::InvalidParameters("sub is too long for the program's bank customer number")
        })?;
        Ok(Self {
            customer,
            action,
            program: program.id.clone(),
            expires_at,
            language: language(token),
            confirmation_url,
            return_url,
            last4,
        })
    }
}

/// `sub`, without blanks or a byte-order mark at its ends: programs that read an id from a file strip both, so a customer
/// has one spelling.
fn customer(token: &VerifiedToken<'_>) -> Result<CustomerId, TokenError> {
    let written = token.required("sub")?;
    if encoding::trimmed(written) != written {
        return Err(TokenError::InvalidParameters("sub begins or ends with a blank"));
    }
    CustomerId::parse(written).map_err(|_| TokenError::InvalidParameters("sub"))
}

/// Never a reason to refuse: a phone's settings choose it.
fn language(token: &VerifiedToken<'_>) -> Option<RequestedLanguage> {
    RequestedLanguage::parse(token.claim("language")?.as_str()?)
}

/// `confirmationUrl`, also named `ranac_url` (`docs/sources.md#widget` uses both).
fn confirmation_url(token: &VerifiedToken<'_>) -> Result<Option<Url>, TokenError> {
    const REFUSED: TokenError = TokenError::InvalidParameters("confirmationUrl");
    let written = match (
        token.optional("confirmationUrl", MAX_URL)?,
        token.optional("ranac_url", MAX_URL)?,
    ) {
        (Some(one), Some(other)) if one != other => return Err(REFUSED),
        (one, other) => one.or(other),
    };
    let Some(written) = written else { return Ok(None) };
    let url = Url::parse(written).map_err(|_| REFUSED)?;
    if token.client().may_confirm_to(&url) {
        Ok(Some(url))
    } else {
        Err(REFUSED)
    }
}

/// `returnUrl`, one of the client's targets.
fn return_url(token: &VerifiedToken<'_>) -> Result<Option<Url>, TokenError> {
    let Some(written) = token.optional("returnUrl", return_target::MAX_URL)? else {
        return Ok(None);
    };
    let url = token.client().return_url(written);
    url.ok_or(TokenError::InvalidParameters("returnUrl")).map(Some)
}

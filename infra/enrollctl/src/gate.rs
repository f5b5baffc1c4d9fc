//! The one way to what reveals personal data, changes trust or keys, or has something sent again.
//!
//! Each such function wants a [`Permit`], and only [`Gate::pass`] has one made: by writing into the audit trail who does
//! it, when and why. Where the trail can't be written there is no permit, and nothing is done.

use anyhow::{Context as _, Result, bail};
use enrollment::clock::Clock as _;
use enrollment::identifiers::{ClientId, ProgramId};
use platform::operator::Stack;
use platform::tables::audit::{AuditLine, Permit, Trail};
use platform::{SystemClock, SystemRandomness};

use crate::arguments::Reason;

/// The longest reference, in characters.
const LONGEST: usize = 200;

/// Who works on a stack, and why.
pub(crate) struct Gate<'a> {
    stack: &'a Stack,
    by: String,
    reference: String,
}

impl<'a> Gate<'a> {
    /// Asks AWS who this is. Nothing is looked at before that is known.
    pub(crate) async fn open(stack: &'a Stack, reason: &Reason) -> Result<Self> {
        let reference = checked(&reason.reference)?;
        let by = stack.caller().await.context("nothing was done")?;
        Ok(Self { stack, by, reference })
    }

    /// Writes the line of the trail for one thing that is about to be done. `records` says to what, without personal data.
    pub(crate) async fn pass(&self, trail: Trail<'_>, action: &str, records: &str) -> Result<Permit> {
        self.pass_in(trail, None, action, records).await
    }

    /// The same for a client.
    pub(crate) async fn pass_for(&self, client: &ClientId, action: &str, records: &str) -> Result<Permit> {
        self.pass(Trail::Client(client), action, records).await
    }

    /// As [`Self::pass`], for one program of a client.
    pub(crate) async fn pass_in(
        &self,
        trail: Trail<'_>,
        program: Option<&ProgramId>,
        action: &str,
        records: &str,
    ) -> Result<Permit> {
        let line = AuditLine {
            at: SystemClock.now(),
            action: action.to_owned(),
            by: self.by.clone(),
            reference: self.reference.clone(),
            program: program.cloned(),
            records: records.to_owned(),
        };
        let written = self
            .stack
            .audit_trail()
            .admit(trail, &line, &SystemRandomness)
            .await;
        let permit = written.with_context(|| format!("'{action}' was not done"))?;
        eprintln!("audit: {}", serde_json::to_string(&line)?);
        Ok(permit)
    }
}

/// A name of a ticket, not the story.
fn checked(reference: &str) -> Result<String> {
    let reference = reference.trim();
    if reference.is_empty() || reference.chars().count() > LONGEST || reference.chars().any(char::is_control)
    {
        bail!("--reference must be your name of the request, of 1 to {LONGEST} characters in one line");
    }
    Ok(reference.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reference_says_something_in_one_line() {
        assert_eq!(checked(" REQ-7 ").unwrap(), "REQ-7");
        for reference in ["", "  ", "a\nb", &"x".repeat(LONGEST + 1)] {
            assert!(checked(reference).is_err(), "{reference:?}");
        }
    }
}

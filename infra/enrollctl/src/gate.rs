//! Gate before every action that reveals personal data, changes trust or keys, or resends something.
//!
//! Each such function takes a [`Permit`], and only [`Gate::pass`] creates one, by recording in the audit trail who acts, when
//! and why. If the trail can't be written there is no permit, and nothing is done.

use anyhow::{Context as _, Result, bail};
use enrollment::clock::Clock as _;
use enrollment::identifiers::{ClientId, ProgramId};
use platform::operator::Stack;
use platform::tables::audit::{AuditLine, Permit, Trail};
use platform::{SystemClock, SystemRandomness};

use crate::arguments::AuditReference;

/// Longest reference, in characters.
const LONGEST: usize = 200;

/// Operator of a stack, with the reason of the action.
pub(crate) struct Gate<'a> {
    stack: &'a Stack,
    by: String,
    reference: String,
}

impl<'a> Gate<'a> {
    /// Asks AWS for the caller's identity.
    pub(crate) async fn open(stack: &'a Stack, reason: &AuditReference) -> Result<Self> {
        let reference = checked(&reason.reference)?;
        let by = stack.caller().await.context("nothing was done")?;
        Ok(Self { stack, by, reference })
    }

    /// Writes the line of the trail for one action before it is done. `records` names its records, without personal data.
    pub(crate) async fn pass(&self, trail: Trail<'_>, action: &str, records: &str) -> Result<Permit> {
        self.pass_in(trail, None, action, records).await
    }

    /// Same as [`Self::pass`], for a client's trail.
    pub(crate) async fn pass_for(&self, client: &ClientId, action: &str, records: &str) -> Result<Permit> {
        self.pass(Trail::Client(client), action, records).await
    }

    /// Same as [`Self::pass`], for one program of a client.
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

/// Accepts a reference of one line.
fn checked(reference: &str) -> Result<String> {
    let reference = reference.trim();
    if reference.is_empty() || reference.chars().count() > LONGEST || reference.chars().any(char::is_control)
    {
        bail!("--reference must be 1 to {LONGEST} characters in one line");
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

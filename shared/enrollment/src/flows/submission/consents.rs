//! Consents of a submission, and the evidence that is kept of them.

use serde::Deserialize;

use super::{FieldError, Rules, fields};
use crate::action::ActionCode;
use crate::client::{Document, Field};
use crate::intent::{Consent, ConsentDocument};

/// Consent as received.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConsentBody {
    document: ConsentDocument,
    version: String,
}

/// Checks the consents against the documents that `action` asks for, and gives the evidence of them.
pub(super) fn check(
    given: &[ConsentBody],
    action: ActionCode,
    rules: Rules<'_>,
    errors: &mut Vec<FieldError>,
) -> Vec<Consent> {
    let fields = fields(rules.client, action);
    let documents = [
        (ConsentDocument::Terms, fields.terms, &rules.client.terms),
        (ConsentDocument::Privacy, fields.privacy, &rules.client.privacy),
    ];
    let mut evidence = Vec::new();
    for (document, field, current) in documents {
        let mut of_document = given.iter().filter(|consent| consent.document == document);
        let consent = of_document.next();
        match check_one(consent, document, field, current.as_ref()) {
            Ok(consent) => evidence.extend(consent.map(|consent| Consent {
                document,
                version: consent.version.clone(),
                language: rules.language.clone(),
                at: rules.now,
            })),
            Err(detail) => errors.push(FieldError::new("/consents", detail)),
        }
        if of_document.next().is_some() {
            errors.push(FieldError::new("/consents", "names a document twice"));
        }
    }
    evidence
}

fn check_one<'a>(
    consent: Option<&'a ConsentBody>,
    document: ConsentDocument,
    field: Field,
    current: Option<&Document>,
) -> Result<Option<&'a ConsentBody>, &'static str> {
    match (consent, field, current) {
        (None, Field::Required, _) => Err(missing(document)),
        (None, ..) => Ok(None),
        (Some(_), Field::Hidden, _) | (Some(_), _, None) => Err("is not asked for"),
        (Some(consent), _, Some(current)) if consent.version != current.version => {
            Err("names a version that is not the current one")
        }
        (Some(consent), ..) => Ok(Some(consent)),
    }
}

fn missing(document: ConsentDocument) -> &'static str {
    match document {
        ConsentDocument::Terms => "lacks the consent to the terms",
        ConsentDocument::Privacy => "lacks the consent to the privacy notice",
    }
}

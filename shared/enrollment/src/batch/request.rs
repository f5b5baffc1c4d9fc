//! Request for a batch: `POST /company/enroll_batch` (`docs/contract.md#batch-request`).

use std::collections::HashSet;
use std::fmt;

use serde_json::{Map, Value};
use url::Url;

use super::fault::{BatchFault, FaultKind, MAX_FAULTS};
use super::identifiers::{ExternalBatchId, ExternalCardId, ExternalConsumerId};
use super::jwe_header;
use super::manifest::{Manifest, Profile};
use crate::client::Client;
use crate::digits;
use crate::encoding;
use crate::identifiers::Malformed;
use crate::json::object_without_duplicates;

/// Longest body of a request, in bytes: 512 KB.
pub const MAX_BODY: usize = 512 * 1024;

/// Limit of cards in a batch.
pub const MAX_CARDS: usize = 250;

/// Longest `confirmationUrl`, in characters.
const MAX_URL: usize = 2048;

/// Consumers and cards as one compact JWE that the issuer encrypted for Mastercard: unreadable here, passed on unchanged.
#[derive(Clone, PartialEq, Eq)]
pub struct EncryptedEnrollmentData(String);

impl EncryptedEnrollmentData {
    /// Takes the text of a JWE that [`BatchRequest::parse`] has checked, as it comes back from storage.
    pub fn stored(compact: String) -> Self {
        Self(compact)
    }

    /// Returns the compact JWE. Never log it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for EncryptedEnrollmentData {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("EncryptedEnrollmentData(…)")
    }
}

/// Request for a batch, without a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchRequest {
    /// `externalBatchId`.
    pub external_id: ExternalBatchId,
    /// `encryptedEnrollmentData`.
    pub data: EncryptedEnrollmentData,
    /// `manifest`.
    pub manifest: Manifest,
    /// `confirmationUrl`; `null` counts as absent.
    pub confirmation_url: Option<Url>,
}

impl BatchRequest {
    /// Reads a body. `key_ids` are the names of Mastercard's keys that the JWE may name. Members that are not known are
    /// refused: a misspelled `confirmationUrl` would be lost, and nothing else belongs into the request.
    ///
    /// # Errors
    /// Every fault, up to [`MAX_FAULTS`]. None repeats a value.
    pub fn parse(body: &[u8], client: &Client, key_ids: &[String]) -> Result<Self, Vec<BatchFault>> {
        let mut reader = Reader::default();
        let object = object_without_duplicates(encoding::without_mark(body));
        if object.is_none() {
            reader.fault("", FaultKind::NotJson);
        }
        let request = object.and_then(|body| reader.request(&body, client, key_ids));
        match request {
            Some(request) if reader.faults.is_empty() => Ok(request),
            _ => Err(reader.faults),
        }
    }
}

/// Reader that collects faults.
#[derive(Default)]
struct Reader {
    faults: Vec<BatchFault>,
    consumers: HashSet<ExternalConsumerId>,
    cards: HashSet<ExternalCardId>,
    card_count: usize,
}

impl Reader {
    fn fault(&mut self, pointer: impl Into<String>, kind: FaultKind) {
        match self.faults.len() {
            length if length < MAX_FAULTS => self.faults.push(BatchFault {
                pointer: pointer.into(),
                kind,
            }),
            MAX_FAULTS => self.faults.push(BatchFault {
                pointer: String::new(),
                kind: FaultKind::More,
            }),
            _ => {}
        }
    }

    fn request(
        &mut self,
        body: &Map<String, Value>,
        client: &Client,
        key_ids: &[String],
    ) -> Option<BatchRequest> {
        const MEMBERS: [&str; 4] = [
            "externalBatchId",
            "encryptedEnrollmentData",
            "manifest",
            "confirmationUrl",
        ];
        self.check_members("", body, &MEMBERS);
        let external_id = self.id(body, "", "externalBatchId", ExternalBatchId::parse);
        let data = self.data(body, key_ids);
        let manifest = self.manifest(body);
        let confirmation_url = self.confirmation_url(body, client);
        Some(BatchRequest {
            external_id: external_id?,
            data: data?,
            manifest: manifest?,
            confirmation_url,
        })
    }

    fn data(&mut self, body: &Map<String, Value>, key_ids: &[String]) -> Option<EncryptedEnrollmentData> {
        let text = self.text(body, "", "encryptedEnrollmentData")?;
        let faults = jwe_header::faults(text, key_ids);
        for kind in &faults {
            self.fault("/encryptedEnrollmentData", *kind);
        }
        faults
            .is_empty()
            .then(|| EncryptedEnrollmentData(text.to_owned()))
    }

    fn manifest(&mut self, body: &Map<String, Value>) -> Option<Manifest> {
        let manifest = self.member(body, "", "manifest")?;
        let manifest = self.object("/manifest", manifest)?;
        self.check_members("/manifest", manifest, &["profiles"]);
        let written = self.list(manifest, "/manifest", "profiles")?;
        let mut profiles = Vec::new();
        for (index, profile) in written.iter().enumerate() {
            let read = self.profile(&format!("/manifest/profiles/{index}"), profile);
            profiles.extend(read);
        }
        if self.card_count > MAX_CARDS {
            self.fault("/manifest/profiles", FaultKind::TooManyCards);
        }
        (profiles.len() == written.len()).then_some(Manifest { profiles })
    }

    fn profile(&mut self, place: &str, written: &Value) -> Option<Profile> {
        let profile = self.object(place, written)?;
        self.check_members(place, profile, &["externalConsumerId", "cards"]);
        let consumer = self.id(profile, place, "externalConsumerId", ExternalConsumerId::parse);
        if let Some(consumer) = &consumer
            && !self.consumers.insert(consumer.clone())
        {
            self.fault(format!("{place}/externalConsumerId"), FaultKind::DuplicateId);
        }
        let written = self.list(profile, place, "cards")?;
        self.card_count += written.len();
        let mut cards = Vec::new();
        for (index, card) in written.iter().enumerate() {
            let read = self.card(&format!("{place}/cards/{index}"), card);
            cards.extend(read);
        }
        (cards.len() == written.len()).then_some(())?;
        Some(Profile {
            consumer: consumer?,
            cards,
        })
    }

    fn card(&mut self, place: &str, written: &Value) -> Option<ExternalCardId> {
        let card = self.object(place, written)?;
        self.check_members(place, card, &["externalCardId"]);
        let id = self.id(card, place, "externalCardId", ExternalCardId::parse)?;
        if !self.cards.insert(id.clone()) {
            self.fault(format!("{place}/externalCardId"), FaultKind::DuplicateId);
        }
        Some(id)
    }

    fn confirmation_url(&mut self, body: &Map<String, Value>, client: &Client) -> Option<Url> {
        body.get("confirmationUrl").filter(|value| !value.is_null())?;
        let text = self.text(body, "", "confirmationUrl")?;
        let is_short = text.chars().count() <= MAX_URL;
        let url = Url::parse(text)
            .ok()
            .filter(|url| is_short && client.may_confirm_to(url));
        if url.is_none() {
            self.fault("/confirmationUrl", FaultKind::Address);
        }
        url
    }

    fn check_members(&mut self, place: &str, object: &Map<String, Value>, known: &[&str]) {
        // The name is not repeated: it is as foreign as a value.
        if object.keys().any(|name| !known.contains(&name.as_str())) {
            self.fault(place, FaultKind::UnknownMember);
        }
    }

    fn member<'v>(&mut self, object: &'v Map<String, Value>, place: &str, name: &str) -> Option<&'v Value> {
        let member = object.get(name);
        if member.is_none() {
            self.fault(format!("{place}/{name}"), FaultKind::Missing);
        }
        member
    }

    fn object<'v>(&mut self, place: &str, value: &'v Value) -> Option<&'v Map<String, Value>> {
        let object = value.as_object();
        if object.is_none() {
            self.fault(place, FaultKind::WrongType);
        }
        object
    }

    fn text<'v>(&mut self, object: &'v Map<String, Value>, place: &str, name: &str) -> Option<&'v str> {
        let text = self.member(object, place, name)?.as_str();
        if text.is_none() {
            self.fault(format!("{place}/{name}"), FaultKind::WrongType);
        }
        text
    }

    /// A list that is not empty.
    fn list<'v>(&mut self, object: &'v Map<String, Value>, place: &str, name: &str) -> Option<&'v [Value]> {
        let list = self.member(object, place, name)?.as_array();
        let place = format!("{place}/{name}");
        match list {
            None => self.fault(place, FaultKind::WrongType),
            Some(list) if list.is_empty() => self.fault(place, FaultKind::Empty),
            Some(_) => {}
        }
        list.map(Vec::as_slice)
    }

    fn id<T>(
        &mut self,
        object: &Map<String, Value>,
        place: &str,
        name: &str,
        parse: fn(&str) -> Result<T, Malformed>,
    ) -> Option<T> {
        let text = self.text(object, place, name)?;
        let id = parse(text).ok();
        if id.is_none() {
            let kind = if digits::has_card_number(text) {
                FaultKind::CardNumber
            } else {
                FaultKind::MalformedId
            };
            self.fault(format!("{place}/{name}"), kind);
        }
        id
    }
}

#[cfg(test)]
mod tests;

//! Invariants of an issuer's run: answers, tables, Mastercard and confirmations agree.

use std::collections::{BTreeMap, BTreeSet};

use enrollment::batch::{Batch, BodyHash, CardResult, SrcDigitalCardId};
use enrollment::digital_card::{DigitalCard, DigitalCardState};
use enrollment::ports::{BatchContents as _, Batches as _};

use super::back_end;
use super::fixture::{BatchFixture, Reply};
use super::scenario::{Act, BatchContent, End};
use crate::schedule::Fault;

/// Violated invariants of a finished run.
pub(crate) async fn of(fixture: &BatchFixture<'_>, faults: &[Fault]) -> Vec<String> {
    let end = EndState::of(fixture).await;
    let mut wrong = fixture.mastercard.wrong();
    wrong.extend(end.requests(fixture));
    wrong.extend(end.conclusions(fixture));
    wrong.extend(end.contents(fixture).await);
    wrong.extend(end.confirmations(fixture).await);
    wrong.extend(end.submissions(fixture, faults));
    wrong.extend(end.cards(fixture));
    if let Some(due) = fixture.due().await {
        wrong.push(format!("left on the agenda, due at {due}"));
    }
    if faults.is_empty() {
        wrong.extend(end.undisturbed(fixture));
    }
    wrong
}

/// Batches and cards as they are stored at the end.
struct EndState {
    batches: Vec<Batch>,
    cards: Vec<DigitalCard>,
}

impl EndState {
    async fn of(fixture: &BatchFixture<'_>) -> Self {
        let mut batches = Vec::new();
        for id in fixture.ids() {
            batches.extend(fixture.batches.batch(id).await.expect("it can be read"));
        }
        let mut cards = Vec::new();
        for card in fixture.cards() {
            cards.extend(fixture.card(card).await);
        }
        Self { batches, cards }
    }

    /// Checks that each external id has one batch, whose body is the only one that was accepted.
    fn requests(&self, fixture: &BatchFixture<'_>) -> Vec<String> {
        let mut wrong = Vec::new();
        if self.batches.len() != fixture.external_ids().len() {
            wrong.push(format!("{} batches are stored", self.batches.len()));
        }
        for (act, reply) in fixture.replies() {
            let (Act::Send(place), Some(batch)) = (act, accepted(&reply)) else {
                continue;
            };
            let stored = self.batches.iter().find(|stored| stored.id == batch.id);
            let sent = BodyHash::of(&back_end::body(&fixture.scenario.batches[place]));
            if batch.body_hash != sent || stored.is_none_or(|stored| stored.body_hash != sent) {
                wrong.push(format!("{act:?} was accepted, and another body is stored"));
            }
        }
        for batch in &self.batches {
            let has_answer = fixture
                .replies()
                .iter()
                .any(|(_, reply)| matches!(reply, Reply::Accepted(accepted) if accepted.id == batch.id));
            if !has_answer {
                wrong.push(format!("nobody was told of {}", batch.external_id.as_str()));
            }
        }
        wrong
    }

    /// Checks that each batch has one conclusion, and that nobody read or stored another one.
    fn conclusions(&self, fixture: &BatchFixture<'_>) -> Vec<String> {
        let mut wrong = Vec::new();
        let seen = fixture.base.observations.seen().ended_batches;
        for batch in &self.batches {
            let name = batch.external_id.as_str();
            if batch.result().is_none() {
                wrong.push(format!("{name} has no conclusion: {}", batch.stage.as_str()));
                continue;
            }
            let ends: Vec<_> = seen.iter().filter(|ended| ended.id == batch.id).collect();
            if ends.is_empty() {
                wrong.push(format!("{name} ended, and nobody ended it"));
            }
            let read = fixture.replies().into_iter().flat_map(|(_, reply)| match reply {
                Reply::Read(batches, _) => batches,
                Reply::Accepted(batch) => vec![*batch],
                _ => Vec::new(),
            });
            let read = read.filter(|read| read.id == batch.id && read.result().is_some());
            for other in ends.into_iter().cloned().chain(read) {
                if conclusion(&other) != conclusion(batch) {
                    wrong.push(format!("{name} had another conclusion: {:?}", other.result()));
                }
            }
        }
        wrong
    }

    /// Checks that no JWE of an accepted batch is stored.
    async fn contents(&self, fixture: &BatchFixture<'_>) -> Vec<String> {
        let mut wrong = Vec::new();
        for batch in &self.batches {
            let content = fixture.contents.get(batch.content_name()).await;
            let is_stored = content.expect("the model answers").is_some();
            if is_stored || batch.result().is_some_and(|result| result.has_content) {
                wrong.push(format!(
                    "the JWE of {} is still there",
                    batch.external_id.as_str()
                ));
            }
        }
        wrong
    }

    /// Checks that each conclusion has one confirmation, which says what a GET says and reached its receiver.
    async fn confirmations(&self, fixture: &BatchFixture<'_>) -> Vec<String> {
        let mut wrong = Vec::new();
        let due: BTreeMap<String, String> = self
            .batches
            .iter()
            .filter_map(Batch::confirmation)
            .map(|confirmation| (confirmation.id.as_str().to_owned(), confirmation.body))
            .collect();
        if due.len() != self.batches.len() {
            wrong.push("a conclusion has no confirmation of its own".to_owned());
        }
        let received = fixture.base.receiver.received();
        for post in &received {
            if due.get(&post.id) != Some(&post.body) {
                wrong.push(format!("{} was posted with another body: {}", post.id, post.body));
            }
        }
        for id in due.keys() {
            if !received.iter().any(|post| post.id == *id && post.was_taken) {
                wrong.push(format!("{id} was not taken by its receiver"));
            }
        }
        let stored = fixture
            .base
            .world
            .scan(&fixture.base.world.tables.confirmations)
            .await;
        let stored: BTreeSet<String> = stored
            .iter()
            .filter_map(|item| {
                let key = item["pk"].as_s().ok()?.strip_prefix("confirmation#")?;
                let is_delivered = item["state"].as_s().is_ok_and(|state| state == "delivered");
                Some(if is_delivered {
                    key.to_owned()
                } else {
                    format!("open {key}")
                })
            })
            .collect();
        if stored != due.keys().cloned().collect() {
            wrong.push(format!(
                "confirmations stored: {stored:?}; the batches give {due:?}"
            ));
        }
        wrong.extend(self.batches.iter().filter_map(disagreement));
        wrong
    }

    /// Checks what Mastercard got: for each batch the accepted JWE, and no more calls than faults explain.
    fn submissions(&self, fixture: &BatchFixture<'_>, faults: &[Fault]) -> Vec<String> {
        let mut wrong = Vec::new();
        let mastercard = &fixture.mastercard;
        for batch in &self.batches {
            let external_id = batch.external_id.as_str();
            let accepted = |content: &&BatchContent| {
                content.external_id == external_id
                    && BodyHash::of(&back_end::body(content)) == batch.body_hash
            };
            let accepted = fixture.scenario.batches.iter().find(accepted).map(back_end::data);
            let held = mastercard.data_of(external_id);
            if held.is_some() && held != accepted {
                wrong.push(format!("Mastercard has another JWE of {external_id}"));
            }
            if batch.submission().is_some() && held.is_none() {
                wrong.push(format!("Mastercard does not have {external_id}"));
            }
        }
        let sent = mastercard.submissions();
        if let Some(expected) = fixture.scenario.sent
            && (sent < expected.min(self.batches.len()) || sent > expected + faults.len())
        {
            wrong.push(format!("{sent} submissions, where {expected} were expected"));
        }
        // A full bucket, and what flows in meanwhile.
        let most = 2 * usize::from(fixture.scenario.rate);
        if mastercard.most_calls_in_a_second() > most {
            wrong.push(format!("more than {most} calls in a second"));
        }
        if faults.is_empty() && mastercard.calls_while_throttled() > 0 {
            wrong.push("Mastercard was called while it throttled".to_owned());
        }
        wrong
    }

    /// Checks that the life-cycle records are those of the accepted cards, and that Mastercard has the same.
    fn cards(&self, fixture: &BatchFixture<'_>) -> Vec<String> {
        let mut wrong = Vec::new();
        let accepted = self.accepted_cards();
        let at_mastercard = fixture.mastercard.cards();
        let has = |id: &SrcDigitalCardId| at_mastercard.iter().any(|card| card == id.expose());
        for card in fixture.cards() {
            let latest = accepted.get(card).and_then(|ids| ids.last());
            let record = self.cards.iter().find(|record| record.card.as_str() == card);
            match (latest, record) {
                (None, None) => {}
                (Some(id), Some(record)) if record.src_digital_card.expose() == id => {}
                _ => wrong.push(format!(
                    "{card} was accepted as {latest:?}, recorded as {record:?}"
                )),
            }
        }
        for record in &self.cards {
            let is_right = match record.state {
                DigitalCardState::Enrolled => has(&record.src_digital_card),
                DigitalCardState::Deleted { .. } => !has(&record.src_digital_card),
                DigitalCardState::DeletionPending { .. } => false,
            };
            if !is_right || !record.superseded.is_empty() {
                wrong.push(format!("Mastercard has {at_mastercard:?}; recorded: {record:?}"));
            }
        }
        let read = fixture.replies().into_iter().flat_map(|(_, reply)| match reply {
            Reply::Read(_, cards) => cards,
            _ => Vec::new(),
        });
        for card in read {
            let ids = accepted.get(card.card.as_str());
            if !ids.is_some_and(|ids| ids.iter().any(|id| id == card.src_digital_card.expose())) {
                wrong.push(format!("{card:?} was shown, and no batch enrolled it"));
            }
        }
        wrong.extend(deletions(fixture));
        // What Mastercard enrolled of a batch without an answer, nobody knows. A later success replaces an earlier one.
        let answered = accepted.values().filter(|ids| ids.len() == 1).flatten();
        for id in answered {
            let is_enrolled = at_mastercard.iter().any(|card| card == id);
            let is_recorded = self.cards.iter().any(|record| {
                record.src_digital_card.expose() == id && record.state == DigitalCardState::Enrolled
            });
            if is_enrolled != is_recorded {
                wrong.push(format!(
                    "{id} at Mastercard: {is_enrolled}, recorded: {is_recorded}"
                ));
            }
        }
        wrong
    }

    /// `srcDigitalCardId`s of each accepted card, in the order of the batches' acceptance.
    fn accepted_cards(&self) -> BTreeMap<&str, Vec<String>> {
        let mut batches: Vec<&Batch> = self.batches.iter().collect();
        batches.sort_by_key(|batch| (batch.accepted_at, batch.id));
        let mut accepted = BTreeMap::<&str, Vec<String>>::new();
        for batch in batches {
            let results = batch.result().map(|result| result.cards.as_slice());
            for ((_, card), result) in batch.manifest.cards().zip(results.unwrap_or_default()) {
                if let CardResult::Accepted {
                    src_digital_card: Some(id),
                    ..
                } = result
                {
                    let ids = accepted.entry(card.as_str()).or_default();
                    ids.push(id.expose().to_owned());
                }
            }
        }
        accepted
    }

    fn undisturbed(&self, fixture: &BatchFixture<'_>) -> Vec<String> {
        let ends: Vec<End> = self
            .batches
            .iter()
            .filter_map(Batch::result)
            .map(|result| {
                let counts = result.counts();
                End {
                    status: result.status,
                    accepted: counts.accepted,
                    failed: counts.failed,
                    unknown: counts.unknown,
                }
            })
            .collect();
        let expected = fixture.scenario.ends;
        let mut wrong = Vec::new();
        if ends != expected {
            wrong.push(format!("undisturbed, it ended in {ends:?}"));
        }
        let refused = fixture
            .replies()
            .iter()
            .filter(|(_, reply)| matches!(reply, Reply::Conflict))
            .count();
        let superfluous = fixture.scenario.batches.len() - fixture.external_ids().len();
        if refused != superfluous {
            wrong.push(format!("{refused} bodies were refused"));
        }
        wrong
    }
}

/// Checks that the cards whose deletion was promised are deleted, or were enrolled again later.
fn deletions(fixture: &BatchFixture<'_>) -> Vec<String> {
    let at_mastercard = fixture.mastercard.cards();
    let promised = fixture.replies().into_iter().flat_map(|(_, reply)| match reply {
        Reply::Deleting(cards) => cards,
        _ => Vec::new(),
    });
    promised
        .filter(|promised| {
            let id = promised.src_digital_card.expose();
            at_mastercard.iter().any(|card| card == id)
        })
        .map(|promised| {
            format!(
                "{} was to be deleted, and Mastercard has it",
                promised.card.as_str()
            )
        })
        .collect()
}

fn accepted(reply: &Reply) -> Option<&Batch> {
    match reply {
        Reply::Accepted(batch) => Some(batch),
        _ => None,
    }
}

/// Conclusion as everybody must see it.
fn conclusion(batch: &Batch) -> Option<(String, Vec<CardResult>)> {
    let result = batch.result()?;
    let reason = result.reason.as_ref().map(ToString::to_string);
    let said = format!("{:?} {reason:?}", result.status);
    Some((said, result.cards.clone()))
}

/// Difference between the answer of a GET and the confirmation.
fn disagreement(batch: &Batch) -> Option<String> {
    let body = batch.confirmation()?.body;
    let confirmed: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    let shown: serde_json::Value = serde_json::from_str(&batch.to_json()).expect("JSON");
    let members = confirmed.as_object().expect("an object");
    let differs = members.iter().any(|(name, value)| shown[name] != *value);
    let counted = |status: &str| {
        let profiles = shown["profiles"].as_array().into_iter().flatten();
        let cards = profiles.flat_map(|profile| profile["cards"].as_array().into_iter().flatten());
        cards.filter(|card| card["status"] == status).count()
    };
    let is_counted = ["accepted", "failed", "unknown"]
        .iter()
        .all(|status| confirmed[status].as_u64() == u64::try_from(counted(status)).ok());
    (differs || !is_counted).then(|| format!("GET says {shown}, the confirmation {confirmed}"))
}

//! Rights of a data subject: access, export and erasure.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use enrollment::client::Client;
use enrollment::clock::Clock as _;
use enrollment::confirmation::Confirmation;
use enrollment::flows::digital_cards::export::ConsumerRecord;
use enrollment::flows::erase::{self, Erasure, ErasureCause, ErasureError, ErasureReport};
use enrollment::flows::purge;
use enrollment::identifiers::{ClientId, CustomerId, Last4, ProgramId, Ranac};
use enrollment::intent::{Card, CardState, Consent, Intent, OldCard};
use enrollment::ports::{
    CounterKey, CustomerRecords as _, Customers as _, Intents as _, Limits as _, Purges as _, Record,
    RecordedConfirmation, Sessions as _,
};
use enrollment::session::Session;
use platform::operator::Stack;
use platform::tables::audit::{Permit, Trail};
use platform::tables::confirmations::admin::{ConfirmationAdmin, Listed, State};
use platform::tables::{DynamoEnrollments, DynamoLimits, DynamoSessions};
use serde_json::{Value, json};

use crate::arguments::{CustomerCommand, DataSubjectArguments};
use crate::consumers::{self, Consumers};
use crate::gate::Gate;
use crate::{audit, client, files, terminal};

pub(crate) async fn run(stack: &Stack, command: CustomerCommand) -> Result<()> {
    match command {
        CustomerCommand::Show(person) => show(&Request::of(stack, &person).await?).await,
        CustomerCommand::Export(person) => export(&Request::of(stack, &person).await?).await,
        CustomerCommand::Erase { person, opt_out, yes } => {
            erase(&Request::of(stack, &person).await?, opt_out, yes).await
        }
        CustomerCommand::Audit { client } => audit::run(stack, Some(&client)).await,
    }
}

async fn show(request: &Request<'_>) -> Result<()> {
    let found = request.look("show").await?;
    if let Some(consumer) = &found.consumer {
        consumers::print(consumer);
    }
    for stored in &found.programs {
        println!("program {}", stored.program);
        for card in &stored.cards {
            println!("  card         {}  {}", card.masked(), state(card));
        }
        for consent in &stored.consents {
            println!(
                "  consent      {:?}, version {}, {}, {}",
                consent.document, consent.version, consent.language, consent.at
            );
        }
        for intent in &stored.intents {
            let outcome = intent.outcome();
            println!(
                "  interaction  {}  {}  {}  incident {}",
                intent.created_at,
                intent.action.as_str(),
                outcome.map_or("open", |outcome| outcome.status.as_str()),
                intent.incident
            );
        }
        for (listed, _) in &stored.confirmations {
            println!("  confirmation {}  {}", listed.id, word(&listed.state));
        }
        for session in &stored.sessions {
            println!(
                "  session      {}  until {}",
                session.action.as_str(),
                session.expires_at
            );
        }
        println!("  attempts     {} in this hour", stored.attempts);
    }
    Ok(())
}

async fn export(request: &Request<'_>) -> Result<()> {
    let found = request.look("export").await?;
    let programs: Vec<Value> = found.programs.iter().map(Stored::exported).collect();
    let mut export = json!({
        "client": request.client.id,
        "customerId": request.customer.expose(),
        "programs": programs,
    });
    if let Some(consumer) = &found.consumer {
        export["consumer"] = consumer.to_json();
    }
    println!("{}", serde_json::to_string_pretty(&export)?);
    Ok(())
}

async fn erase(request: &Request<'_>, opt_out: bool, yes: bool) -> Result<()> {
    let found = request.records(|_, record| Some(record), Some).await?;
    let question = format!("Erase {} permanently?", found.counts());
    if !yes && !terminal::confirm(&question)? {
        bail!("nothing was erased");
    }
    let rewards = request
        .stack
        .adapters
        .rewards(request.stack.adapters.mastercard());
    let erasure = Erasure {
        purges: &request.enrollments,
        customers: &request.enrollments,
        customer_records: &request.enrollments,
        rewards: &rewards,
        clock: &platform::SystemClock,
    };
    for of_program in &found.programs {
        let program = &of_program.0;
        let person = erase::DataSubject {
            client: &request.client,
            program,
            customer: &request.customer,
        };
        let begun = counts(std::slice::from_ref(of_program));
        request.note_in(program, "erase begun", &begun).await?;
        match erasure.erase(person, opt_out).await {
            Ok(erased) => {
                let summary = summary(&erased);
                request.note_in(program, "erase", &summary).await?;
                println!("program {program}: erased {summary}");
            }
            Err(error) => {
                let failure = format!("{}: {error}", so_far(&error));
                request.note_in(program, "erase failed", &failure).await?;
                return Err(explained(error)).with_context(|| format!("program {program}"));
            }
        }
    }
    if let Some(consumer) = &found.consumer {
        erase_consumer(request, consumer, opt_out).await?;
    }
    Ok(())
}

async fn erase_consumer(request: &Request<'_>, consumer: &ConsumerRecord, opt_out: bool) -> Result<()> {
    request.note("erase begun", &consumers::counts(consumer)).await?;
    let erased = request
        .consumers
        .erase(request.stack, &request.client.id, consumer, opt_out)
        .await;
    match erased {
        Ok(summary) => {
            request.note("erase", &summary).await?;
            println!("batches: erased {summary}");
            Ok(())
        }
        Err(error) => {
            request.note("erase failed", &error.to_string()).await?;
            Err(consumers::explained(error)).context("batches")
        }
    }
}

/// Adds the progress and an advice to an error.
fn explained(error: ErasureError) -> anyhow::Error {
    let so_far = so_far(&error);
    let advice = match error.cause {
        ErasureCause::ActiveCards(_) => "; use --opt-out to have Mastercard cancel them first",
        ErasureCause::DueIntent => "; try again in a few minutes, and check the metric DueIntents",
        ErasureCause::Refused(_) | ErasureCause::NoAnswer | ErasureCause::Store(_) => "; try again",
        ErasureCause::Busy => "; try again in a moment",
        ErasureCause::Nobody => "",
    };
    anyhow::Error::new(error).context(so_far + advice)
}

fn so_far(error: &ErasureError) -> String {
    let erased = if error.progress.has_begun {
        "erasure is incomplete"
    } else {
        "nothing was erased"
    };
    let cards = error.progress.cancelled;
    match (cards, matches!(error.cause, ErasureCause::NoAnswer)) {
        (0, false) => erased.to_owned(),
        (0, true) => format!("{erased}; Mastercard may have cancelled a card"),
        (_, false) => format!("{erased}; Mastercard has cancelled {cards} of the cards"),
        (_, true) => format!("{erased}; Mastercard has cancelled {cards} of the cards, and perhaps one more"),
    }
}

fn summary(erased: &ErasureReport) -> String {
    format!(
        "cards {} ({} cancelled first), interactions {}, confirmations {}, sessions {}",
        erased.cards, erased.cancelled, erased.intents, erased.confirmations, erased.sessions
    )
}

/// Request of a person, with the stores that it reads.
struct Request<'a> {
    stack: &'a Stack,
    client: Client,
    programs: Vec<ProgramId>,
    customer: CustomerId,
    gate: Gate<'a>,
    enrollments: DynamoEnrollments,
    admin: ConfirmationAdmin,
    sessions: DynamoSessions,
    limits: DynamoLimits,
    consumers: Consumers,
}

/// Everything found about a person: by program, and as a consumer of an issuer.
struct Found<T> {
    programs: Vec<T>,
    consumer: Option<ConsumerRecord>,
}

impl Found<(ProgramId, Record)> {
    fn counts(&self) -> String {
        let programs = (!self.programs.is_empty()).then(|| counts(&self.programs));
        let consumer = self.consumer.as_ref().map(consumers::counts);
        let parts: Vec<String> = programs.into_iter().chain(consumer).collect();
        parts.join(", ")
    }
}

impl<'a> Request<'a> {
    /// Identifies the operator before anything is read.
    async fn of(stack: &'a Stack, person: &DataSubjectArguments) -> Result<Self> {
        let customer = read_customer(&person.customer_file)?;
        if names(&person.reason.reference, customer.expose()) {
            bail!("--reference must name the request, not the person");
        }
        let id = ClientId::parse(&person.client)?;
        let stored = client::find(stack, &id).await?;
        let programs = programs(&stored.client, person.program.as_deref())?;
        let gate = Gate::open(stack, &person.reason).await?;
        Ok(Self {
            stack,
            consumers: Consumers::of(stack, &stored.client, &customer),
            client: stored.client,
            programs,
            customer,
            gate,
            enrollments: stack.adapters.enrollments(),
            admin: stack.adapters.confirmation_admin(),
            sessions: stack.adapters.sessions(),
            limits: stack.adapters.limits(),
        })
    }

    /// Returns the records of each program that has any, reduced by `kept`, and those of the consumer of the same id.
    async fn records(
        &self,
        kept: impl Fn(&ProgramId, Record) -> Option<Record>,
        kept_of_consumer: impl Fn(ConsumerRecord) -> Option<ConsumerRecord>,
    ) -> Result<Found<(ProgramId, Record)>> {
        let client = &self.client.id;
        let mut found = Vec::new();
        for program in &self.programs {
            let key = self.enrollments.key(client, program, &self.customer).await?;
            let record = self.enrollments.record(client, &key).await?;
            if let Some(record) = record.and_then(|record| kept(program, record)) {
                found.push((program.clone(), record));
            }
        }
        let consumer = self.consumers.record(client).await?.and_then(kept_of_consumer);
        if found.is_empty() && consumer.is_none() {
            self.note("nothing found", "").await?;
            bail!("nothing is stored about this customer");
        }
        Ok(Found {
            programs: found,
            consumer,
        })
    }

    /// Writes the line of the audit trail and returns the records that may be shown.
    async fn look(&self, action: &str) -> Result<Found<Stored>> {
        let now = platform::SystemClock.now();
        let unexpired = |program: &ProgramId, record| {
            let until = purge::expired_before(now, self.client.retention_days(program));
            purge::unexpired(record, until, now)
        };
        let of_consumer = |record: ConsumerRecord| match self.client.issuer_retention_days() {
            Some(days) => record.unexpired(purge::expired_before(now, days)),
            None => Some(record),
        };
        let records = self.records(unexpired, of_consumer).await?;
        let permit = self.note(action, &records.counts()).await?;
        let mut programs = Vec::new();
        for (program, record) in records.programs {
            programs.push(self.open(&permit, program, &record).await?);
        }
        Ok(Found {
            programs,
            consumer: records.consumer,
        })
    }

    async fn open(&self, permit: &Permit, program: ProgramId, record: &Record) -> Result<Stored> {
        let client = &self.client.id;
        let mut customer = self
            .enrollments
            .customer(client, &program, &self.customer)
            .await?;
        let is_shown = |card: &Card| record.cards.iter().any(|recorded| recorded.id == card.id);
        customer.cards.retain(is_shown);
        if customer.cards.is_empty() {
            // Consents are deleted with the last card.
            customer.consents.clear();
        }
        let mut intents = Vec::new();
        for intent in &record.intents {
            intents.extend(self.enrollments.intent(intent.id).await?);
        }
        intents.sort_by_key(|intent| intent.created_at);
        let mut confirmations = Vec::new();
        for RecordedConfirmation { id, .. } in &record.confirmations {
            if let Some(listed) = self.admin.find(id).await? {
                confirmations.push((listed, self.admin.reveal(permit, id).await?));
            }
        }
        let mut sessions = Vec::new();
        for session in &record.sessions {
            sessions.extend(self.sessions.find(session.id).await?);
        }
        sessions.sort_by_key(|session| session.expires_at);
        let counted = CounterKey {
            client,
            program: &program,
            customer: &self.customer,
        };
        let counters = self.limits.counters(counted).await?;
        let attempts = counters.attempts(platform::SystemClock.now());
        Ok(Stored {
            cards: customer.cards,
            consents: customer.consents,
            intents,
            confirmations,
            sessions,
            attempts: attempts.customer,
            program,
        })
    }

    async fn note(&self, action: &str, records: &str) -> Result<Permit> {
        self.add(None, action, records).await
    }

    async fn note_in(&self, program: &ProgramId, action: &str, records: &str) -> Result<Permit> {
        self.add(Some(program), action, records).await
    }

    async fn add(&self, program: Option<&ProgramId>, action: &str, records: &str) -> Result<Permit> {
        let trail = Trail::Client(&self.client.id);
        self.gate.pass_in(trail, program, action, records).await
    }
}

/// Records of one program.
struct Stored {
    program: ProgramId,
    cards: Vec<Card>,
    consents: Vec<Consent>,
    intents: Vec<Intent>,
    confirmations: Vec<(Listed, Option<Confirmation>)>,
    sessions: Vec<Session>,
    /// Attempts in this hour.
    attempts: u32,
}

impl Stored {
    fn exported(&self) -> Value {
        json!({
            "program": self.program,
            "cards": self.cards.iter().map(card).collect::<Vec<_>>(),
            "consents": self.consents,
            "interactions": self.intents.iter().map(interaction).collect::<Vec<_>>(),
            "confirmations": self.confirmations.iter().map(confirmation).collect::<Vec<_>>(),
            "sessions": self.sessions.iter().map(session).collect::<Vec<_>>(),
            "attemptsThisHour": self.attempts,
        })
    }
}

fn card(card: &Card) -> Value {
    json!({
        "card": card.masked(),
        "bin": card.bin.as_str(),
        "last4": card.last4.as_str(),
        "designCode": card.design_code,
        "ranac": card.ranac.expose(),
        "bankCustomerNumber": card.bank_customer_number.expose(),
        "state": state(card),
        "enrolledAt": card.enrolled_at,
    })
}

fn interaction(intent: &Intent) -> Value {
    let outcome = intent.outcome();
    json!({
        "at": intent.created_at,
        "finishedAt": outcome.map(|outcome| outcome.at),
        "actionCode": intent.action.as_str(),
        "status": outcome.map(|outcome| outcome.status),
        "statusCode": outcome.and_then(|outcome| outcome.code),
        "incident": intent.incident,
        "bin": intent.bin.as_str(),
        "last4": intent.last4.as_str(),
        "designCode": intent.design_code,
        "bankCustomerNumber": intent.bank_customer_number.expose(),
        "ranac": outcome.and_then(|outcome| outcome.ranac.as_ref()).map(Ranac::expose),
        "oldCard": intent.old_card.as_ref().map(old_card),
        "consents": intent.consents,
        "confirmationUrl": intent.confirmation_url.as_ref().map(url::Url::as_str),
    })
}

fn old_card(card: &OldCard) -> Value {
    json!({
        "ranac": card.ranac.expose(),
        "bankCustomerNumber": card.bank_customer_number.expose(),
    })
}

fn session(session: &Session) -> Value {
    json!({
        "actionCode": session.action.as_str(),
        "language": session.language.as_str(),
        "last4": session.last4.as_ref().map(Last4::as_str),
        "confirmationUrl": session.confirmation_url.as_ref().map(url::Url::as_str),
        "returnUrl": session.return_url.as_ref().map(url::Url::as_str),
        "expiresAt": session.expires_at,
        "failures": session.failures,
        "finished": session.finished,
    })
}

fn confirmation((listed, revealed): &(Listed, Option<Confirmation>)) -> Value {
    json!({
        "id": listed.id.as_str(),
        "state": word(&listed.state),
        "url": revealed.as_ref().map(|confirmation| confirmation.url.as_str()),
        "body": revealed.as_ref().map(|confirmation| confirmation.body.as_str()),
    })
}

fn state(card: &Card) -> String {
    match card.state {
        CardState::Active => "active".into(),
        CardState::Locked => "being changed".into(),
        CardState::PendingCancellation => "replaced, to be cancelled at Mastercard".into(),
        CardState::Cancelled { at } => format!("cancelled {at}"),
    }
}

fn word(state: &State) -> &'static str {
    match state {
        State::Due { .. } => "due",
        State::Parked { .. } => "parked",
        State::Delivered { .. } => "delivered",
    }
}

fn counts(found: &[(ProgramId, Record)]) -> String {
    let sum = |of: fn(&Record) -> usize| found.iter().map(|(_, record)| of(record)).sum::<usize>();
    format!(
        "cards {}, interactions {}, confirmations {}, sessions {}",
        sum(|record| record.cards.len()),
        sum(|record| record.intents.len()),
        sum(|record| record.confirmations.len()),
        sum(|record| record.sessions.len()),
    )
}

fn programs(client: &Client, named: Option<&str>) -> Result<Vec<ProgramId>> {
    let all = client.retentions().map(|(id, _)| id.clone());
    let Some(named) = named else {
        return Ok(all.collect());
    };
    let named = ProgramId::parse(named)?;
    match all.into_iter().find(|id| *id == named) {
        Some(id) => Ok(vec![id]),
        None => bail!("client '{}' has never had the program '{named}'", client.id),
    }
}

/// Whether a text contains a customer's id. A short id counts as a whole word only.
fn names(text: &str, id: &str) -> bool {
    const SHORT: usize = 4;
    let is_word = |at: usize| {
        let before = text[..at].chars().next_back();
        let after = text[at + id.len()..].chars().next();
        [before, after]
            .into_iter()
            .flatten()
            .all(|beside| !beside.is_alphanumeric())
    };
    let is_short = id.chars().count() < SHORT;
    text.match_indices(id).any(|(at, _)| !is_short || is_word(at))
}

fn read_customer(file: &Path) -> Result<CustomerId> {
    let what = || format!("the customer's id in {}", file.display());
    let id = files::line(file).with_context(what)?;
    CustomerId::parse(&id).with_context(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reference_does_not_name_the_person() {
        for (reference, id, named) in [
            ("request 7", "7", true),
            ("request 17", "7", false),
            ("7", "7", true),
            ("(7)", "7", true),
            ("77 and 7", "7", true),
            ("REQ-2026-maria.7", "maria.7", true),
            ("maria's", "mari", true),
            ("Größe ß1", "ß", false),
        ] {
            assert_eq!(names(reference, id), named, "{reference:?} and {id:?}");
        }
    }

    #[test]
    fn customer_id_is_the_only_line_of_its_file() {
        let file = std::env::temp_dir().join(format!("customer-id-{}", std::process::id()));
        for (text, id) in [
            ("maria 7\n", Some("maria 7")),
            ("maria\r\n", Some("maria")),
            ("\u{feff}maria\r\n", Some("maria")),
            ("\u{a0}maria \t\n\n", Some("maria")),
            ("maria\npeter\n", None),
            ("\u{feff}", None),
            ("\n", None),
        ] {
            std::fs::write(&file, text).unwrap();
            let read = read_customer(&file).ok();
            assert_eq!(read.as_ref().map(CustomerId::expose), id, "{text:?}");
        }
        std::fs::remove_file(&file).unwrap();
        assert!(read_customer(&file).is_err());
    }
}

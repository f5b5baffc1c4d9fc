//! Exchange with the service: sends prepared batches, asks for their results, notes both in the journals.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use enrollment::randomness::Randomness as _;
use platform::SystemRandomness;
use serde::Deserialize;
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::folder::{Folder, Run, Totals, WindowFiles, totals_at_end, totals_of};
use super::journal::{BatchState, Journal, PreparedBatch};
use super::progress::{Progress, grouped};
use super::service::{CardAnswer, CardStatus, Polled, Problem, Results, Service, Submitted};

/// Windows whose journals may be open. Preparation waits beyond that, so that memory and disk do not grow with the file.
const MAX_OPEN_WINDOWS: usize = 500;
/// Batches that may wait to be sent before another window is taken.
const MAX_QUEUED: usize = 200;
/// First and longest wait between two questions for a batch.
const FIRST_POLL: Duration = Duration::from_secs(2);
const LONGEST_POLL: Duration = Duration::from_mins(5);
/// Wait after a failure, whatever the service says.
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);
/// First and longest wait after a failure for which the service gives none, before jitter.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// Time without any success after which the exchange ends, to be resumed.
const PATIENCE: Duration = Duration::from_mins(15);
/// Answers "not found" in succession, and the time from the first to the last, after which the results of a batch are taken as deleted.
const NOT_FOUND_ANSWERS: u32 = 3;
const NOT_FOUND_SPAN: Duration = Duration::from_hours(1);

/// A batch of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct BatchAt {
    window: u32,
    batch: u32,
}

/// Amount of work of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Submit every batch, then end.
    Submit,
    /// Submit every batch, and wait for every result.
    SubmitAndWait,
    /// Wait for the results of what was accepted.
    Wait,
    /// Ask once for each accepted batch.
    AskOnce,
}

/// Reason for which an exchange ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// Its work is done.
    Done,
    /// The service could not be reached for too long; the last problem.
    GaveUp(String),
}

/// Exchange of one process.
pub(crate) struct Exchange<'a> {
    service: Arc<Service>,
    folder: &'a Folder,
    extent: Extent,
    parallel: usize,
    open: BTreeMap<u32, Journal>,
    queue: VecDeque<BatchAt>,
    polls: BinaryHeap<Reverse<(Instant, BatchAt)>>,
    waits: HashMap<BatchAt, Duration>,
    not_found: HashMap<BatchAt, NotFoundAnswers>,
    running: JoinSet<(BatchAt, Answered)>,
    pause: Pause,
    pub(crate) tally: Tally,
}

/// Cards by their state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Accepted by the service, those with results among them.
    pub(crate) submitted: u64,
    /// Results.
    pub(crate) results: Totals,
}

enum Answered {
    Submitted(Submitted),
    Polled(PreparedBatch, Polled),
}

/// Answers "not found" for one batch, with no other answer between them.
struct NotFoundAnswers {
    count: u32,
    first: Instant,
}

struct Pause {
    until: Option<Instant>,
    length: Duration,
    last_success: Instant,
    last_problem: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    external_batch_id: String,
    manifest: Manifest,
}

#[derive(Deserialize)]
struct Manifest {
    profiles: Vec<ManifestProfile>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ManifestProfile {
    external_consumer_id: String,
    cards: Vec<ManifestCard>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ManifestCard {
    external_card_id: String,
}

impl<'a> Exchange<'a> {
    /// Reads how far the run is.
    pub(crate) fn resume(
        service: Service,
        folder: &'a Folder,
        run: &Run,
        extent: Extent,
        parallel: usize,
    ) -> Result<Self> {
        let mut exchange = Self {
            service: Arc::new(service),
            folder,
            extent,
            parallel,
            open: BTreeMap::new(),
            queue: VecDeque::new(),
            polls: BinaryHeap::new(),
            waits: HashMap::new(),
            not_found: HashMap::new(),
            running: JoinSet::new(),
            pause: Pause {
                until: None,
                length: FIRST_PAUSE,
                last_success: Instant::now(),
                last_problem: String::new(),
            },
            tally: Tally::default(),
        };
        for window in 0..run.windows {
            match folder.window(window)? {
                WindowFiles::Absent => {}
                WindowFiles::Finished(results) => {
                    folder.drop_journal(window)?;
                    let totals = totals_at_end(&results).with_context(|| results.display().to_string())?;
                    exchange.tally.results.add(totals);
                    exchange.tally.submitted += totals.sum();
                }
                WindowFiles::Open(path) => {
                    Journal::repair(&path).with_context(|| path.display().to_string())?;
                    exchange.open_window(window)?;
                }
            }
        }
        Ok(exchange)
    }

    /// Works until everything is done, the service can't be reached, or it refuses. `prepared` gives numbers of new windows.
    pub(crate) async fn run(
        &mut self,
        mut prepared: Receiver<Result<u32>>,
        progress: &mut Progress,
    ) -> Result<End> {
        let mut is_preparing = true;
        loop {
            self.start_requests()?;
            let may_take =
                is_preparing && self.queue.len() < MAX_QUEUED && self.open.len() < MAX_OPEN_WINDOWS;
            if !may_take && self.running.is_empty() && self.is_done(is_preparing) {
                return Ok(End::Done);
            }
            if self.pause.last_success.elapsed() > PATIENCE && !self.pause.last_problem.is_empty() {
                return Ok(End::GaveUp(self.pause.last_problem.clone()));
            }
            let wake_up = self.wake_up();
            tokio::select! {
                window = prepared.recv(), if may_take => match window {
                    Some(window) => self.open_window(window?)?,
                    None => is_preparing = false,
                },
                Some(answered) = self.running.join_next() => {
                    let (at, answered) = answered?;
                    self.note(at, answered)?;
                }
                () = tokio::time::sleep_until(wake_up) => {}
            }
            progress.show(self.shown(), &self.note_of_progress());
        }
    }

    /// Cards that count as done in the progress of this exchange.
    pub(crate) fn shown(&self) -> u64 {
        match self.extent {
            Extent::Submit => self.tally.submitted,
            _ => self.tally.results.sum(),
        }
    }

    /// The problem that kept something from being asked, if the last request had one.
    pub(crate) fn problem(&self, end: &End) -> Option<String> {
        match end {
            End::GaveUp(problem) => Some(problem.clone()),
            End::Done => Some(self.pause.last_problem.clone()).filter(|problem| !problem.is_empty()),
        }
    }

    /// Whether results are asked for: without waiting for them only where no other window could be opened.
    fn may_ask(&self) -> bool {
        self.extent != Extent::Submit || self.open.len() >= MAX_OPEN_WINDOWS
    }

    fn submits(&self) -> bool {
        matches!(self.extent, Extent::Submit | Extent::SubmitAndWait)
    }

    fn is_done(&self, is_preparing: bool) -> bool {
        let is_submitted = !self.submits() || (self.queue.is_empty() && !is_preparing);
        is_submitted && (self.extent == Extent::Submit || self.polls.is_empty())
    }

    /// Starts as many requests as may run. Batches that are to be sent go before questions.
    fn start_requests(&mut self) -> Result<()> {
        let now = Instant::now();
        if self.pause.is_on() {
            return Ok(());
        }
        while self.running.len() < self.parallel {
            let due = self.polls.peek().is_some_and(|Reverse((at, _))| *at <= now);
            if self.submits()
                && let Some(at) = self.queue.pop_front()
            {
                self.start_submission(at)?;
            } else if due && self.may_ask() {
                let Some(Reverse((_, at))) = self.polls.pop() else {
                    break;
                };
                self.start_question(at)?;
            } else {
                break;
            }
        }
        Ok(())
    }

    fn start_submission(&mut self, at: BatchAt) -> Result<()> {
        let prepared = self.journal(at)?.prepared(at.batch as usize)?;
        let external_id = body_of(&prepared)?.external_batch_id;
        let service = Arc::clone(&self.service);
        self.running.spawn(async move {
            let answer = service.submit(&external_id, prepared.body).await;
            (at, Answered::Submitted(answer))
        });
        Ok(())
    }

    fn start_question(&mut self, at: BatchAt) -> Result<()> {
        let journal = self.journal(at)?;
        let BatchState::Accepted(id) = journal.batches[at.batch as usize].state.clone() else {
            return Ok(());
        };
        let prepared = journal.prepared(at.batch as usize)?;
        let service = Arc::clone(&self.service);
        self.running
            .spawn(async move { (at, Answered::Polled(prepared, service.poll(&id).await)) });
        Ok(())
    }

    fn note_of_progress(&self) -> String {
        let mut note = String::new();
        if self.extent == Extent::SubmitAndWait {
            let _ = write!(note, "  {} submitted", grouped(self.tally.submitted));
        }
        if self.pause.is_on() {
            note.push_str("  (waiting for the service)");
        }
        note
    }

    fn note(&mut self, at: BatchAt, answered: Answered) -> Result<()> {
        if !matches!(answered, Answered::Polled(_, Polled::Problem(Problem::NotFound))) {
            self.not_found.remove(&at);
        }
        match answered {
            Answered::Submitted(Submitted::Accepted(id)) => {
                self.pause.end();
                let journal = self.journal(at)?;
                journal.note_accepted(at.batch as usize, &id)?;
                let cards = journal.batches[at.batch as usize].place.cards;
                self.tally.submitted += u64::from(cards);
                self.schedule_poll(at, None);
            }
            Answered::Submitted(Submitted::Problem(Problem::Passing {
                after,
                is_throttled,
                told,
            })) => {
                self.queue.push_front(at);
                self.pause.begin(after, is_throttled, told);
            }
            Answered::Polled(prepared, Polled::Final(results)) => {
                self.pause.end();
                self.finish_batch(at, &prepared, &results)?;
            }
            Answered::Polled(_, Polled::InProgress(after)) => {
                self.pause.end();
                self.schedule_poll(at, after);
            }
            Answered::Polled(prepared, Polled::Problem(Problem::NotFound)) => {
                self.pause.end();
                let now = Instant::now();
                let answers = self.not_found.entry(at).or_insert(NotFoundAnswers::since(now));
                if self.extent == Extent::AskOnce {
                    // One answer is not enough to give results up. Asking again is for those who wait.
                    self.pause.last_problem = named(&prepared, &Problem::NotFound)?;
                } else if answers.add(now) {
                    self.finish_batch(at, &prepared, &Results::default())?;
                } else {
                    self.schedule_poll(at, None);
                }
            }
            Answered::Polled(
                _,
                Polled::Problem(Problem::Passing {
                    after,
                    is_throttled,
                    told,
                }),
            ) => {
                // The pause is wait enough.
                if self.extent != Extent::AskOnce {
                    self.polls.push(Reverse((Instant::now(), at)));
                }
                self.pause.begin(after, is_throttled, told);
            }
            Answered::Submitted(Submitted::Problem(problem)) => {
                let prepared = self.journal(at)?.prepared(at.batch as usize)?;
                bail!(named(&prepared, &problem)?)
            }
            Answered::Polled(prepared, Polled::Problem(problem)) => bail!(named(&prepared, &problem)?),
        }
        Ok(())
    }

    fn finish_batch(&mut self, at: BatchAt, prepared: &PreparedBatch, results: &Results) -> Result<()> {
        let rows = rows(prepared, results)?;
        self.waits.remove(&at);
        self.not_found.remove(&at);
        let journal = self.journal(at)?;
        journal.note_final(at.batch as usize, &rows)?;
        let is_finished = journal.is_finished();
        let rows: Vec<String> = rows.lines().map(str::to_owned).collect();
        self.tally.results.add(totals_of(&rows));
        if is_finished && let Some(journal) = self.open.remove(&at.window) {
            self.folder.finish(at.window, &journal)?;
        }
        Ok(())
    }

    fn open_window(&mut self, window: u32) -> Result<()> {
        let path = self.folder.journal_path(window);
        let journal = Journal::open(&path).with_context(|| path.display().to_string())?;
        if journal.is_finished() {
            let totals = totals_of(&super::folder::sorted_rows(&journal)?);
            self.tally.results.add(totals);
            self.tally.submitted += totals.sum();
            return Ok(self.folder.finish(window, &journal)?);
        }
        for (batch, number) in journal.batches.iter().zip(0..) {
            let at = BatchAt {
                window,
                batch: number,
            };
            match batch.state {
                BatchState::Prepared => self.queue.push_back(at),
                BatchState::Accepted(_) => {
                    self.tally.submitted += u64::from(batch.place.cards);
                    self.polls.push(Reverse((Instant::now(), at)));
                }
                BatchState::Final => self.tally.submitted += u64::from(batch.place.cards),
            }
        }
        self.tally
            .results
            .add(totals_of(&super::folder::sorted_rows(&journal)?));
        self.open.insert(window, journal);
        Ok(())
    }

    fn journal(&mut self, at: BatchAt) -> Result<&mut Journal> {
        self.open.get_mut(&at.window).context("a window is not open")
    }

    /// Plans the next question for a batch, later each time.
    fn schedule_poll(&mut self, at: BatchAt, after: Option<Duration>) {
        if self.extent == Extent::AskOnce {
            return;
        }
        let wait = self.waits.entry(at).or_insert(FIRST_POLL);
        let next = after.unwrap_or_default().max(*wait);
        *wait = (*wait * 2).min(LONGEST_POLL);
        self.polls.push(Reverse((Instant::now() + jittered(next), at)));
    }

    fn wake_up(&self) -> Instant {
        let now = Instant::now();
        let poll = self.polls.peek().map(|Reverse((at, _))| *at);
        let next = match self.pause.until {
            Some(until) if until > now => Some(until),
            _ => poll,
        };
        next.unwrap_or(now + Duration::from_secs(1))
            .clamp(now + Duration::from_millis(5), now + Duration::from_secs(1))
    }
}

impl NotFoundAnswers {
    fn since(first: Instant) -> Self {
        Self { count: 0, first }
    }

    /// Counts an answer. Returns whether they are many enough, over a time that is long enough.
    fn add(&mut self, now: Instant) -> bool {
        self.count += 1;
        self.count >= NOT_FOUND_ANSWERS && now.duration_since(self.first) >= NOT_FOUND_SPAN
    }
}

impl Pause {
    /// Begins or prolongs the pause after a failure.
    fn begin(&mut self, after: Option<Duration>, is_throttled: bool, told: String) {
        let length = after.unwrap_or_else(|| jittered(self.length)).max(SHORTEST_PAUSE);
        self.length = (self.length * 2).min(LONGEST_PAUSE);
        let until = Instant::now() + length;
        self.until = Some(self.until.map_or(until, |earlier| earlier.max(until)));
        // A service that throttles works. A failing one may send `Retry-After` too.
        if is_throttled && after.is_some() {
            self.last_success = self.last_success.max(Instant::now() + length);
        }
        self.last_problem = told;
    }

    fn end(&mut self) {
        self.length = FIRST_PAUSE;
        self.last_success = Instant::now();
        self.last_problem.clear();
    }

    fn is_on(&self) -> bool {
        self.until.is_some_and(|until| until > Instant::now())
    }
}

/// Results of a batch as lines of the result file: each card of the manifest once, whatever the answer has.
fn rows(prepared: &PreparedBatch, results: &Results) -> Result<String> {
    let answers: HashMap<(&str, &str), &CardAnswer> = results
        .cards
        .iter()
        .map(|card| ((card.consumer.as_str(), card.card.as_str()), card))
        .collect();
    let body = body_of(prepared)?;
    let ids = body.manifest.profiles.iter().flat_map(|profile| {
        let consumer = profile.external_consumer_id.as_str();
        profile
            .cards
            .iter()
            .map(move |card| (consumer, card.external_card_id.as_str()))
    });
    let mut rows = String::new();
    for (line, (consumer, card)) in prepared.lines.iter().zip(ids) {
        let row = match answers.get(&(consumer, card)) {
            Some(answer) => format!(
                "{line},{consumer},{card},{},{},{},{},{}\n",
                answer.status.as_str(),
                reason_of(answer, results),
                answer.retry,
                answer.retry_after,
                answer.sibling
            ),
            None => format!(
                "{line},{consumer},{card},{},{},,,\n",
                CardStatus::Unknown.as_str(),
                if results.reason.is_empty() {
                    "NOT_ANSWERED"
                } else {
                    &results.reason
                }
            ),
        };
        rows.push_str(&row);
    }
    Ok(rows)
}

/// Reason of a card that is not accepted: its own, or the batch's.
fn reason_of<'a>(answer: &'a CardAnswer, results: &'a Results) -> &'a str {
    if answer.reason.is_empty() && answer.status != CardStatus::Accepted {
        &results.reason
    } else {
        &answer.reason
    }
}

/// The problem of a batch, with the batch's id and the lines of the card file that it has.
fn named(prepared: &PreparedBatch, problem: &Problem) -> Result<String> {
    let id = body_of(prepared)?.external_batch_id;
    let first = prepared.lines.iter().min().copied().unwrap_or_default();
    let last = prepared.lines.iter().max().copied().unwrap_or_default();
    Ok(format!(
        "batch {id} (between lines {first} and {last}): {problem}"
    ))
}

fn body_of(prepared: &PreparedBatch) -> Result<Body> {
    serde_json::from_slice(&prepared.body).context("a prepared batch is damaged")
}

/// Between half and the whole of a wait, so that many do not come back at once.
fn jittered(wait: Duration) -> Duration {
    let mut bytes = [0; 2];
    SystemRandomness.fill(&mut bytes);
    let half = wait / 2;
    half + half * u32::from(u16::from_be_bytes(bytes)) / u32::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_given_up_after_an_hour_of_not_found() {
        let first = Instant::now();
        let minutes = |minutes| first + Duration::from_mins(minutes);
        let mut answers = NotFoundAnswers::since(first);
        let given_up = [0, 1, 2, 59, 60].map(|at| answers.add(minutes(at)));
        assert_eq!(given_up, [false, false, false, false, true]);
        let mut rare = NotFoundAnswers::since(first);
        assert_eq!([0, 90, 91].map(|at| rare.add(minutes(at))), [false, false, true]);
    }

    #[test]
    fn only_throttling_prolongs_the_patience() {
        let begun = Instant::now();
        let mut pause = Pause {
            until: None,
            length: FIRST_PAUSE,
            last_success: begun,
            last_problem: String::new(),
        };
        pause.begin(Some(Duration::from_secs(5)), false, "503".to_owned());
        assert_eq!(pause.last_success, begun);
        pause.begin(None, true, "429".to_owned());
        assert_eq!(pause.last_success, begun);
        pause.begin(Some(Duration::from_secs(5)), true, "429".to_owned());
        assert!(pause.last_success >= begun + Duration::from_secs(5));
    }
}

//! Log of a function: one line of JSON per event, on the standard output, which Lambda collects.
//!
//! A line has `timestamp`, `level`, `target` and `message`, the fields of the spans around the event, from the
//! outermost to the innermost (a span with `incident` marks every line of a request), and the event's own fields, which
//! take precedence.
//!
//! This product's crates log at `LOG_LEVEL`, in values of closed types (`enrollment::log`). Other crates log at INFO or
//! above, whatever the level is, and only level, crate and module of their events are written: their messages quote
//! requests, errors and panics. Of their spans, the id of the invocation and the root of its trace are written, and
//! only if they have the expected form, since a caller of the API may put any text into a trace header. No setting can
//! change this.
//!
//! A panic is one line with its location in the source. Its message is not logged, since it may contain a value.

use std::fmt;
use std::io::Write as _;
use std::panic::{Location, PanicHookInfo};
use std::sync::Arc;

use enrollment::clock::Clock;
use enrollment::log::{LogText, by_display, error};
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{FilterFn, filter_fn};
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::registry::{LookupSpan, Registry, Scope};

/// Crates of this product beside the function's own.
const OWN_CRATES: [&str; 4] = ["enrollment", "mastercard", "page_api", "platform"];

/// Starts logging for this process. `own_crate` is the name of the function's crate, `level` the level of this
/// product's crates. A second call changes nothing.
pub fn install(level: Level, own_crate: &'static str, clock: Arc<dyn Clock>) {
    let subscriber = Registry::default()
        .with(JsonLines::to_stdout(clock, own_crate).with_filter(filter(level, own_crate)));
    // A subscriber that is set already is this one, as in a test process with several functions.
    let _ = tracing::subscriber::set_global_default(subscriber);
    std::panic::set_hook(Box::new(log_panic));
}

/// Logs a panic. Replaces the standard hook, which writes the message to standard error and so into the log.
fn log_panic(panic: &PanicHookInfo<'_>) {
    error!(place = panic.location().map(SourceLocation), "function panicked");
}

/// Location in the source, without the directories of the machine that compiled it.
struct SourceLocation<'a>(&'a Location<'a>);

impl fmt::Display for SourceLocation<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const PARTS: usize = 4;
        let path = self.0.file();
        let from = path
            .rmatch_indices('/')
            .nth(PARTS - 1)
            .map_or(0, |(at, _)| at + 1);
        write!(formatter, "{}:{}", &path[from..], self.0.line())
    }
}

by_display!(SourceLocation<'_>);

fn filter(level: Level, own_crate: &'static str) -> FilterFn<impl Fn(&Metadata<'_>) -> bool> {
    filter_fn(move |metadata| {
        // A more verbose level is the greater one.
        let most = if is_own(metadata, own_crate) {
            level
        } else {
            level.min(Level::INFO)
        };
        *metadata.level() <= most
    })
    .with_max_level_hint(level)
}

fn is_own(metadata: &Metadata<'_>, own_crate: &str) -> bool {
    let name = metadata.target().split("::").next().unwrap_or_default();
    name == own_crate || OWN_CRATES.contains(&name)
}

/// Message of every event of another crate.
const FOREIGN_MESSAGE: &str = "message of another crate omitted";

struct JsonLines<W> {
    clock: Arc<dyn Clock>,
    own_crate: &'static str,
    write: W,
}

impl JsonLines<fn(&str)> {
    fn to_stdout(clock: Arc<dyn Clock>, own_crate: &'static str) -> Self {
        // A failed write can't be reported anywhere.
        Self {
            clock,
            own_crate,
            write: |line| drop(std::io::stdout().lock().write_all(line.as_bytes())),
        }
    }
}

impl<S, W> Layer<S> for JsonLines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: Fn(&str) + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        if is_own(attributes.metadata(), self.own_crate) {
            attributes.record(&mut fields);
        } else {
            attributes.record(&mut Invocation(&mut fields));
        }
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && is_own(span.metadata(), self.own_crate)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut line = Map::new();
        line.insert("timestamp".into(), format!("{:.3}", self.clock.now()).into());
        line.insert("level".into(), event.metadata().level().as_str().into());
        line.insert("target".into(), event.metadata().target().into());
        // Placeholder, so that the fields keep their order.
        line.insert("message".into(), Value::Null);
        for span in context.event_scope(event).into_iter().flat_map(Scope::from_root) {
            if let Some(fields) = span.extensions().get::<Fields>() {
                line.extend(fields.0.clone());
            }
        }
        if is_own(event.metadata(), self.own_crate) {
            let mut own = Fields::default();
            event.record(&mut own);
            line.extend(own.0);
        } else {
            line.insert("message".into(), FOREIGN_MESSAGE.into());
            line.insert("line".into(), event.metadata().line().into());
        }
        (self.write)(&format!("{}\n", Value::Object(line)));
    }
}

/// Fields as JSON values.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0
            .insert(field.name().to_owned(), format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

/// Fields that are kept of another crate's spans: `requestId` and `xrayTraceId` of the Lambda runtime, in their
/// expected forms.
struct Invocation<'a>(&'a mut Fields);

impl Visit for Invocation<'_> {
    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}

    fn record_str(&mut self, field: &Field, value: &str) {
        let kept = match field.name() {
            "requestId" => LogText::correlation(value),
            "xrayTraceId" => trace_root(value),
            _ => None,
        };
        if let Some(kept) = kept {
            self.0.record_str(field, kept.as_str());
        }
    }
}

/// Root of a trace without its version (`Root=1-5759e988-bd862e3fe1be46a994272793;…`: AWS X-Ray Developer Guide,
/// "Tracing header"). The rest of the header is chosen by the caller.
fn trace_root(header: &str) -> Option<LogText> {
    let root = header
        .split(';')
        .find_map(|part| part.trim().strip_prefix("Root=1-"))?;
    let (time, unique) = root.split_once('-')?;
    (time.len() == 8 && unique.len() == 24)
        .then(|| LogText::correlation(&[time, unique].concat()))
        .flatten()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tracing::{debug, info, info_span, trace, warn};

    use std::path::Path;

    use super::*;
    use crate::clock::ManualClock;

    fn lines(level: Level, log: impl FnOnce()) -> Vec<Value> {
        let written = Arc::new(Mutex::new(String::new()));
        let sink = Arc::clone(&written);
        let layer = JsonLines {
            clock: Arc::new(ManualClock::default()),
            own_crate: "widget_init",
            write: move |line: &str| sink.lock().unwrap().push_str(line),
        };
        let subscriber = Registry::default().with(layer.with_filter(filter(level, "widget_init")));
        tracing::subscriber::with_default(subscriber, log);
        let written = written.lock().unwrap();
        written
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[test]
    fn event_is_one_line_with_the_fields_of_its_spans() {
        let lines = lines(Level::INFO, || {
            let outer = info_span!(
                "request",
                incident = "AAAA-BBBB-CCCC",
                client = tracing::field::Empty
            );
            outer.record("client", "demo");
            outer.in_scope(|| {
                info_span!("mrs", operation = "enroll")
                    .in_scope(|| warn!(code = -45, "MRS declined\nthe card"));
            });
        });
        let expected = serde_json::json!({
            "timestamp": "2026-11-21T10:00:00.000Z",
            "level": "WARN",
            "target": "platform::logs::tests",
            "message": "MRS declined\nthe card",
            "incident": "AAAA-BBBB-CCCC",
            "client": "demo",
            "operation": "enroll",
            "code": -45,
        });
        assert_eq!(lines, [expected]);
    }

    #[test]
    fn foreign_events_below_info_are_never_written() {
        for level in [Level::TRACE, Level::DEBUG, Level::INFO] {
            let lines = lines(level, || {
                trace!(target: "aws_smithy_runtime::client", "body");
                debug!(target: "aws_sdk_dynamodb", "request");
                debug!(target: "hyper_util::client::legacy", "request");
                debug!(target: "hyper::proto", "request");
                debug!(target: "reqwest::connect", "request");
                trace!(target: "rustls::client", "handshake");
                debug!(target: "h2::codec", "frame");
                debug!(target: "lambda_runtime", "payload");
                // A crate whose name only starts like one of ours is a foreign one.
                debug!(target: "platform_verifier", "x");
                info!(target: "lambda_runtime", "kept");
            });
            assert_eq!(lines.len(), 1, "{level}: {lines:?}");
        }
    }

    #[test]
    fn every_shared_crate_that_logs_is_listed() {
        let shared = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut logging: Vec<String> = Vec::new();
        for entry in std::fs::read_dir(shared).unwrap() {
            let folder = entry.unwrap();
            let Ok(manifest) = std::fs::read_to_string(folder.path().join("Cargo.toml")) else {
                continue;
            };
            // The macros come from tracing, or from the domain's `log`.
            let brings_macros = |line: &str| line.starts_with("tracing") || line.starts_with("enrollment");
            if manifest.lines().any(brings_macros) {
                logging.push(folder.file_name().to_str().unwrap().replace('-', "_"));
            }
        }
        logging.sort();
        assert_eq!(logging, OWN_CRATES);
    }

    #[test]
    fn foreign_event_has_only_name_and_location() {
        let lines = lines(Level::INFO, || {
            tracing::info_span!(
                target: "lambda_runtime::layers::trace",
                "Lambda runtime invoke",
                requestId = "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
                xrayTraceId = "Root=1-5759e988-bd862e3fe1be46a994272793;Card=5234000000000015;Sampled=1",
                tenantId = "5234000000000015"
            )
            .in_scope(|| {
                tracing::error!(target: "lambda_runtime::layers::panic", error = "5234000000000015", "maria@bank.example");
            });
        });
        let line = lines[0].as_object().unwrap();
        assert_eq!(line["requestId"], "8476a536-e9f4-11e8-9739-2dfe598c3fcd");
        assert_eq!(line["xrayTraceId"], "5759e988bd862e3fe1be46a994272793");
        assert_eq!(line["target"], "lambda_runtime::layers::panic");
        let text = lines[0].to_string();
        for foreign in ["5234", "maria", "tenantId"] {
            assert!(!text.contains(foreign), "{text}");
        }
    }

    #[test]
    fn malformed_id_is_left_out() {
        for (request, trace) in [
            ("5234000000000015", "Root=1-52340000-000000155234000000000015"),
            ("maria@bank.example", "Root=1-5759e988-maria;Sampled=1"),
            ("", "5234000000000015"),
        ] {
            let lines = lines(Level::INFO, || {
                tracing::info_span!(target: "lambda_runtime", "invoke", requestId = request, xrayTraceId = trace)
                    .in_scope(|| info!(target: "lambda_runtime", "x"));
            });
            let line = lines[0].as_object().unwrap();
            assert!(
                !line.contains_key("requestId") && !line.contains_key("xrayTraceId"),
                "{line:?}"
            );
        }
    }

    #[test]
    fn panic_is_a_line_without_its_message() {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _alone = ONE_AT_A_TIME
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(log_panic));
        let lines = lines(Level::INFO, || {
            let caught = std::panic::catch_unwind(|| panic!("card 5234000000000015"));
            assert!(caught.is_err());
        });
        std::panic::set_hook(before);
        let line = lines
            .iter()
            .find(|line| line["message"] == "function panicked")
            .unwrap();
        let place = line["place"].as_str().unwrap();
        assert!(place.starts_with("shared/platform/src/logs.rs:"), "{place}");
        assert!(!line.to_string().contains("5234"), "{line}");
    }

    #[test]
    fn own_events_follow_the_level() {
        let log = || {
            debug!(target: "widget_init::handler", "ours");
            debug!(target: "enrollment::flows::open", "ours");
            info!(target: "hyper", "theirs");
        };
        assert_eq!(lines(Level::DEBUG, log).len(), 3);
        assert_eq!(lines(Level::INFO, log).len(), 1);
        assert_eq!(lines(Level::ERROR, log).len(), 0);
    }
}

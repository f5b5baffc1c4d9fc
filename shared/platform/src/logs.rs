//! One line of JSON for each event, to standard output, where Lambda takes it up.
//!
//! A line has `timestamp`, `level`, `target` and `message`, the fields of the spans around the event, the outermost first
//! (so a span that is opened with `incident` marks every line of a request), and the event's own fields, which win.
//!
//! Our own code says as much as `LOG_LEVEL` wants. Everybody else's says no more than INFO, whatever is set: below that,
//! HTTP and AWS libraries write out requests, with what is secret in them. That is decided here, in code, so that nobody
//! can switch it on in a hurry.

use std::fmt;
use std::io::Write as _;
use std::sync::Arc;

use enrollment::ports::Clock;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{FilterFn, filter_fn};
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::registry::{LookupSpan, Registry, Scope};

/// Our own crates beside the function's.
const OWN_CRATES: [&str; 3] = ["enrollment", "mastercard", "platform"];

/// Starts logging for this process: `own_crate` is the function's crate name, `level` how much our own code says.
/// A second call changes nothing.
pub fn install(level: Level, own_crate: &'static str, clock: Arc<dyn Clock>) {
    let subscriber =
        Registry::default().with(JsonLines::to_stdout(clock).with_filter(filter(level, own_crate)));
    // Set already means that it runs already, as in a test process with several of them.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

fn filter(level: Level, own_crate: &'static str) -> FilterFn<impl Fn(&Metadata<'_>) -> bool> {
    filter_fn(move |metadata| {
        let name = metadata.target().split("::").next().unwrap_or_default();
        let own = name == own_crate || OWN_CRATES.contains(&name);
        // Levels compare by how much they let through.
        *metadata.level() <= if own { level } else { level.min(Level::INFO) }
    })
    .with_max_level_hint(level)
}

struct JsonLines<W> {
    clock: Arc<dyn Clock>,
    write: W,
}

impl JsonLines<fn(&str)> {
    fn to_stdout(clock: Arc<dyn Clock>) -> Self {
        // A log that can't be written has nowhere to be complained about.
        Self {
            clock,
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
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
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
        // Its place; the event's own field fills it.
        line.insert("message".into(), Value::Null);
        for span in context.event_scope(event).into_iter().flat_map(Scope::from_root) {
            if let Some(fields) = span.extensions().get::<Fields>() {
                line.extend(fields.0.clone());
            }
        }
        let mut own = Fields::default();
        event.record(&mut own);
        line.extend(own.0);
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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tracing::{debug, info, info_span, trace, warn};

    use super::*;
    use crate::clock::ManualClock;

    fn lines(level: Level, log: impl FnOnce()) -> Vec<Value> {
        let written = Arc::new(Mutex::new(String::new()));
        let sink = Arc::clone(&written);
        let layer = JsonLines {
            clock: Arc::new(ManualClock::default()),
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
    fn an_event_is_one_flat_line_with_the_fields_of_its_spans() {
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
    fn nothing_of_third_parties_below_info_is_written_whatever_the_level_is() {
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
                // A name that only starts like ours is not ours.
                debug!(target: "platform_verifier", "x");
                info!(target: "lambda_runtime", "kept");
            });
            assert_eq!(lines.len(), 1, "{level}: {lines:?}");
        }
    }

    #[test]
    fn our_own_code_says_as_much_as_is_wanted() {
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

//! Formats log lines as JSON: time, level and the fields of the event. The JSON formatter of the subscriber
//! builds a tree of values for each line, which costs a request several microseconds. This one writes
//! directly into a buffer.

use std::cell::Cell;
use std::fmt::{self, Debug, Display, Write as _};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;
use values::Timestamp;

use crate::clock;

/// `{"timestamp":…,"level":…,"target":…, the event's fields}`.
pub(crate) struct JsonLines;

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        thread_local! {
            static BUFFER: Cell<String> = const { Cell::new(String::new()) };
        }
        let mut line = JsonLine(BUFFER.take());
        line.0.clear();
        line.0.push_str("{\"timestamp\":\"");
        line.time();
        line.0.push('"');
        line.text_member("level", event.metadata().level().as_str());
        line.text_member("target", event.metadata().target());
        event.record(&mut line);
        line.0.push_str("}\n");
        let written = out.write_str(&line.0);
        BUFFER.set(line.0);
        written
    }
}

/// A line under construction. Writing into a `String` never fails.
struct JsonLine(String);

impl JsonLine {
    /// The current time with microseconds (RFC 3339 §5.6). Each thread formats a second only once.
    fn time(&mut self) {
        const LENGTH: usize = "2027-01-31T12:00:00".len();
        thread_local! {
            static LAST: Cell<(u64, [u8; LENGTH])> = const { Cell::new((u64::MAX, [0; LENGTH])) };
        }
        let now = clock::since_epoch();
        let (mut seconds, mut text) = LAST.get();
        if seconds != now.as_secs() {
            seconds = now.as_secs();
            text.copy_from_slice(&Timestamp::from_seconds(seconds).to_rfc3339().as_bytes()[..LENGTH]);
            LAST.set((seconds, text));
        }
        self.0.push_str(std::str::from_utf8(&text).unwrap_or_default());
        // Formats six digits with leading zeros: a seven-digit number without its first digit.
        let mut digits = itoa::Buffer::new();
        self.0.push('.');
        self.0.push_str(&digits.format(1_000_000 + now.subsec_micros())[1..]);
        self.0.push('Z');
    }

    /// A field name is a constant of the program, so it needs no escapes.
    fn name(&mut self, name: &'static str) {
        self.0.push_str(",\"");
        self.0.push_str(name);
        self.0.push_str("\":");
    }

    fn text_member(&mut self, name: &'static str, value: &str) {
        self.name(name);
        self.text(value);
    }

    fn number_member(&mut self, name: &'static str, value: impl itoa::Integer) {
        self.name(name);
        self.0.push_str(itoa::Buffer::new().format(value));
    }

    /// Adds a value whose text is already JSON.
    fn plain_member(&mut self, name: &'static str, value: impl Display) {
        self.name(name);
        let _ = write!(self.0, "{value}");
    }

    /// A JSON string. Most texts need no escapes.
    fn text(&mut self, text: &str) {
        let is_escaped = |byte: u8| byte < b' ' || byte == b'"' || byte == b'\\';
        if text.bytes().fold(false, |found, byte| found | is_escaped(byte)) {
            self.0.push_str(&serde_json::to_string(text).unwrap_or_default());
        } else {
            self.0.push('"');
            self.0.push_str(text);
            self.0.push('"');
        }
    }
}

impl Visit for JsonLine {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.text_member(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.number_member(field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.number_member(field.name(), value);
    }

    /// JSON has no infinities. They are written as null, as serde_json does.
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.plain_member(field.name(), serde_json::Value::from(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.plain_member(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.text_member(field.name(), &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Captured(Arc<Mutex<Vec<u8>>>);

    impl Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn each_line_is_one_json_object() {
        let captured = Captured::default();
        let writer = captured.clone();
        let subscriber =
            tracing_subscriber::fmt().event_format(JsonLines).with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(target: "t", text = "a\"b\n\u{7}", n = 7_u64, minus = -1_i64, yes = true, shown = %"x", "said");
        });
        let bytes = captured.0.lock().unwrap().clone();
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(text.matches('\n').count(), 1);
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        let expected = serde_json::json!({
            "timestamp": line["timestamp"], "level": "INFO", "target": "t", "message": "said",
            "text": "a\"b\n\u{7}", "n": 7, "minus": -1, "yes": true, "shown": "x",
        });
        assert_eq!(line, expected);
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
    }
}

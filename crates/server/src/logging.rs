//! Writes log lines through a bounded buffer to standard output, from a separate thread.
//!
//! The usual non-blocking writer wakes its thread for each line: on one core these are two context switches a
//! request. This one loses at most 50 ms of lines when the process is killed.

use std::convert::Infallible;
use std::io::{self, IsTerminal as _, Write};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use administration::documents::nearest;
use parking_lot::{Condvar, Mutex, MutexGuard};
use settings::{Diagnostic, Environment, ExplainedError};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::json_lines::JsonLines;
use crate::terminal_lines::TerminalLines;

/// The longest delay of a line. After each write the writer sleeps for this time. A new line wakes it only if
/// it is idle, because waking it costs a request on the same core more than the line itself.
const FLUSH_EVERY: Duration = Duration::from_millis(50);
/// The size of the buffer. If nobody reads the log, lines are lost, but no request waits.
const CAPACITY: usize = 4 * 1024 * 1024;
/// How long the program waits at its end for its last lines to be read: a full pipe must not keep it running.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Lines of libraries that are useless for operators are disabled. During an outage of the store the pool
/// would log one line for each connection.
const DEFAULT: &str = "info,actix_server=warn,sqlx::pool=error,sqlx::postgres=error,sqlx_core::pool=error";
/// The environment variable with the filter.
const VARIABLE: &str = "LATCHKEY_LOG";
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Writes the remaining lines when it is dropped, as far as the output accepts them.
pub struct LogGuard {
    buffer: Arc<Buffer>,
    /// Disconnected when everything is written.
    writer: mpsc::Receiver<Infallible>,
}

#[derive(Default)]
struct Buffer {
    pending: Mutex<Pending>,
    changed: Condvar,
}

#[derive(Default)]
struct Pending {
    lines: Vec<u8>,
    dropped: u64,
    has_ended: bool,
    /// Whether the writer waits for a line.
    is_idle: bool,
}

struct BufferWriter(Arc<Buffer>);

/// Starts logging at `info` and above, unless the filter says otherwise: as text at a terminal, otherwise as
/// JSON lines.
pub fn start(filter: Option<&str>) -> LogGuard {
    let buffer = Arc::new(Buffer::default());
    let filter =
        filter.and_then(|filter| EnvFilter::try_new(filter).ok()).unwrap_or_else(|| EnvFilter::new(DEFAULT));
    let lines = Arc::clone(&buffer);
    let writer = move || BufferWriter(Arc::clone(&lines));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    if io::stdout().is_terminal() {
        subscriber.event_format(TerminalLines::of_stdout()).init();
    } else {
        subscriber.event_format(JsonLines).init();
    }
    let (writing, writer) = mpsc::channel();
    let of_writer = Arc::clone(&buffer);
    // If the thread cannot be started, the program runs without a log.
    let _ = thread::Builder::new().name("log-writer".to_owned()).spawn(move || {
        of_writer.write_until_ended(&mut io::stdout());
        drop(writing);
    });
    LogGuard { buffer, writer }
}

/// The error in the filter of the environment, if there is one. The start continues with the default filter,
/// or logs less than the operator wanted.
pub fn check_filter(environment: &Environment) -> Option<Diagnostic> {
    let explanation = unknown_filter(environment.text(VARIABLE)?)?;
    Some(Diagnostic::about_variable(VARIABLE, String::new(), explanation))
}

/// A directive is a level, `target=level`, or only a target. Only a target disables all other lines, so it is
/// probably a misspelled level.
fn unknown_filter(filter: &str) -> Option<ExplainedError> {
    let levels = || format!("write one of {}, or a filter such as `info,storage=debug`", LEVELS.join(", "));
    let is_level = |text: &str| text.parse::<LevelFilter>().is_ok();
    let alone = |directive: &&str| !directive.is_empty() && !directive.contains(['=', '[', ':']);
    if let Some(word) = filter.split(',').map(str::trim).filter(alone).find(|word| !is_level(word)) {
        let hint = nearest(word, LEVELS).map_or_else(levels, |meant| format!("did you mean `{meant}`?"));
        let problem = "this filter contains a word that is not a level, so it disables all log lines except those of a target with this name";
        return Some(ExplainedError::new(problem, hint));
    }
    let problem = "not a valid log filter; the server uses info instead";
    EnvFilter::try_new(filter).is_err().then(|| ExplainedError::new(problem, levels()))
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        self.buffer.end();
        let _ = self.writer.recv_timeout(LAST_LINES);
    }
}

impl Buffer {
    fn write_until_ended(&self, out: &mut impl Write) {
        let mut batch = Vec::new();
        loop {
            let mut pending = self.wait_for_lines();
            let (has_ended, dropped) = (pending.has_ended, std::mem::take(&mut pending.dropped));
            std::mem::swap(&mut pending.lines, &mut batch);
            drop(pending);
            if dropped > 0 {
                let _ = writeln!(
                    batch,
                    "{{\"level\":\"WARN\",\"message\":\"log lines dropped\",\"count\":{dropped}}}"
                );
            }
            // If the output is closed, the platform continues without a log.
            let _ = out.write_all(&batch).and_then(|()| out.flush());
            batch.clear();
            if has_ended {
                return;
            }
            self.rest();
        }
    }

    fn wait_for_lines(&self) -> MutexGuard<'_, Pending> {
        let mut pending = self.pending.lock();
        while pending.lines.is_empty() && !pending.has_ended {
            pending.is_idle = true;
            self.changed.wait(&mut pending);
        }
        pending.is_idle = false;
        pending
    }

    /// Sleeps for the flush interval, or until the program ends.
    fn rest(&self) {
        let is_needed = |pending: &mut Pending| !pending.has_ended;
        self.changed.wait_while_for(&mut self.pending.lock(), is_needed, FLUSH_EVERY);
    }

    fn push(&self, line: &[u8]) {
        let mut pending = self.pending.lock();
        if pending.lines.len() + line.len() > CAPACITY {
            pending.dropped += 1;
        } else {
            pending.lines.extend_from_slice(line);
        }
        let wakes = std::mem::take(&mut pending.is_idle);
        drop(pending);
        if wakes {
            self.changed.notify_one();
        }
    }

    fn end(&self) {
        self.pending.lock().has_ended = true;
        self.changed.notify_one();
    }
}

/// Accepts complete lines from the formatter. Drops and counts a line that does not fit.
impl Write for BufferWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_log_level_is_reported() {
        for (filter, problem) in [
            ("", None),
            ("info", None),
            ("WARN,storage=debug", None),
            ("info,gateway::routes=trace,sqlx=off", None),
            ("latchkey[request{id=1}]=debug", None),
            ("inof", Some("did you mean `info`?")),
            ("info, garbage", Some("write one of off, error")),
            ("storage=loud", Some("write one of off, error")),
        ] {
            let found = unknown_filter(filter);
            assert_eq!(found.is_some(), problem.is_some(), "{filter}");
            for (found, hint) in found.iter().zip(problem) {
                assert!(found.hint.starts_with(hint), "{filter}: {found:?}");
            }
        }
    }

    // [limits #43]: unread log lines | a bounded buffer | lines are dropped and counted; no request waits
    #[test]
    fn full_buffer_drops_and_counts_lines() {
        let buffer = Arc::new(Buffer::default());
        let mut writer = BufferWriter(Arc::clone(&buffer));
        let line = vec![b'x'; CAPACITY / 2];
        for _ in 0..5 {
            writer.write_all(&line).unwrap();
        }
        buffer.end();
        let mut out = Vec::new();
        buffer.write_until_ended(&mut out);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.matches('x').count(), CAPACITY);
        assert!(text.ends_with("\"count\":3}\n"));
    }

    struct Sent(mpsc::Sender<Vec<u8>>);

    impl Write for Sent {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.send(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn idle_writer_wakes_and_shutdown_writes_the_rest() {
        let buffer = Arc::new(Buffer::default());
        let (written, batches) = mpsc::channel();
        let of_writer = Arc::clone(&buffer);
        let thread = thread::spawn(move || of_writer.write_until_ended(&mut Sent(written)));
        for line in ["first\n", "second\n"] {
            while !buffer.pending.lock().is_idle {
                thread::yield_now();
            }
            buffer.push(line.as_bytes());
            let batch = batches.recv_timeout(Duration::from_secs(60)).unwrap();
            assert_eq!(batch, line.as_bytes());
        }
        // The writer is sleeping.
        buffer.push(b"third\n");
        buffer.push(b"fourth\n");
        buffer.end();
        thread.join().unwrap();
        assert_eq!(batches.iter().flatten().collect::<Vec<_>>(), b"third\nfourth\n");
    }
}

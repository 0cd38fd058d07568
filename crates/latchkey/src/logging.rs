//! Writes log lines through a bounded buffer to standard output, from a separate thread.

use std::convert::Infallible;
use std::io::{self, IsTerminal as _, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use tracing_subscriber::EnvFilter;

use crate::json_lines::JsonLines;

/// The longest delay of a line. The writer sleeps and polls instead of being woken by each line: a wake-up costs a request on the same core
/// more than the line itself.
const FLUSH_EVERY: Duration = Duration::from_millis(50);
/// The size of the buffer. A stalled reader of the log costs lines, never requests.
const CAPACITY: usize = 4 * 1024 * 1024;
/// How long the program waits at its end for its last lines to be read: a full pipe must not keep it alive.
const LAST_LINES: Duration = Duration::from_secs(1);

/// The HTTP library's own lines add nothing to ours for operators.
const DEFAULT: &str = "info,actix_server=warn";

/// Writes the remaining lines when it is dropped, as far as the output accepts them.
pub(crate) struct LogGuard {
    buffer: Arc<Buffer>,
    /// Disconnected when everything is written.
    writer: mpsc::Receiver<Infallible>,
}

#[derive(Default)]
struct Buffer {
    lines: Mutex<Vec<u8>>,
    dropped: AtomicU64,
    ended: AtomicBool,
}

struct BufferWriter(Arc<Buffer>);

/// Starts logging at `info` and above unless the filter says otherwise: as text on a terminal, else as JSON lines.
pub(crate) fn start(filter: Option<&str>) -> LogGuard {
    let buffer = Arc::new(Buffer::default());
    let filter =
        filter.and_then(|filter| EnvFilter::try_new(filter).ok()).unwrap_or_else(|| EnvFilter::new(DEFAULT));
    let lines = Arc::clone(&buffer);
    let writer = move || BufferWriter(Arc::clone(&lines));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    if io::stdout().is_terminal() {
        subscriber.with_target(false).init();
    } else {
        subscriber.event_format(JsonLines).init();
    }
    let (writing, writer) = mpsc::channel();
    let of_writer = Arc::clone(&buffer);
    // If the thread cannot start, the program runs without a log.
    let _ = thread::Builder::new().name("log-writer".to_owned()).spawn(move || {
        of_writer.write_until_ended(&mut io::stdout());
        drop(writing);
    });
    LogGuard { buffer, writer }
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        self.buffer.ended.store(true, Ordering::Release);
        let _ = self.writer.recv_timeout(LAST_LINES);
    }
}

impl Buffer {
    fn write_until_ended(&self, out: &mut impl Write) {
        let mut batch = Vec::new();
        loop {
            let ended = self.ended.load(Ordering::Acquire);
            std::mem::swap(&mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner), &mut batch);
            let dropped = self.dropped.swap(0, Ordering::Relaxed);
            if dropped > 0 {
                let _ = writeln!(
                    batch,
                    "{{\"level\":\"WARN\",\"message\":\"log lines dropped\",\"count\":{dropped}}}"
                );
            }
            // The platform serves on without a log when the output is closed.
            let _ = out.write_all(&batch).and_then(|()| out.flush());
            batch.clear();
            if ended {
                return;
            }
            thread::sleep(FLUSH_EVERY);
        }
    }
}

/// Takes whole lines from the formatter; drops and counts a line that does not fit.
impl Write for BufferWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut lines = self.0.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() + line.len() > CAPACITY {
            self.0.dropped.fetch_add(1, Ordering::Relaxed);
        } else {
            lines.extend_from_slice(line);
        }
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
    fn a_full_buffer_drops_lines_counts_them_and_never_blocks() {
        let buffer = Arc::new(Buffer::default());
        let mut writer = BufferWriter(Arc::clone(&buffer));
        let line = vec![b'x'; CAPACITY / 2];
        for _ in 0..5 {
            writer.write_all(&line).unwrap();
        }
        buffer.ended.store(true, Ordering::Release);
        let mut out = Vec::new();
        buffer.write_until_ended(&mut out);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.matches('x').count(), CAPACITY);
        assert!(text.ends_with("\"count\":3}\n"));
    }
}

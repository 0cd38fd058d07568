//! The progress of a command, as a bar at a terminal.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::time::Duration;

use administration::declaration::outcome::Progress;
use indicatif::{ProgressBar, ProgressStyle};
use parking_lot::Mutex;
use storage::store_copy::CopyStep;

/// The progress bar of applying. It is shown on the standard error if that is a terminal.
pub(crate) struct ApplyBar(ProgressBar);

/// The progress bar of copying a store, of a backup and of a restore.
struct CopyBar {
    bar: ProgressBar,
    /// Whether each kind of step is printed as a line, if the standard error is not a terminal.
    has_lines: bool,
    /// The kind of the last printed line.
    printed: Mutex<Option<&'static str>>,
}

/// Copies, and shows each step until the copy ends. `has_lines` also prints lines.
pub(crate) async fn copying<T>(
    has_lines: bool,
    copy: impl AsyncFnOnce(&(dyn Fn(CopyStep<'_>) + Sync)) -> T,
) -> T {
    let bar = ProgressBar::new(0);
    bar.set_style(waiting());
    bar.enable_steady_tick(Duration::from_millis(100));
    let bar = CopyBar { bar, has_lines, printed: Mutex::new(None) };
    let copied = copy(&|step| bar.show(step)).await;
    bar.bar.finish_and_clear();
    copied
}

impl CopyBar {
    fn show(&self, step: CopyStep<'_>) {
        let (kind, message, at) = match step {
            CopyStep::Copying { table, place, of, rows } => {
                ("copying", format!("copying {table}, {rows} rows"), Some((place, of)))
            }
            CopyStep::Comparing { table, place, of } => {
                ("comparing", format!("comparing {table}"), Some((place, of)))
            }
            CopyStep::Verifying { table, place, of } => {
                ("verifying", format!("verifying {table}"), Some((place, of)))
            }
            CopyStep::RefusingWrites => {
                let message = "the source refuses writes";
                (message, message.to_owned(), None)
            }
        };
        if !stderr().is_terminal() {
            let last = self.printed.lock().replace(kind);
            if self.has_lines && last != Some(kind) {
                let line = at.map_or_else(|| kind.to_owned(), |(_, of)| format!("{kind} {of} tables"));
                // A closed pipe must not stop the copy.
                let _ = writeln!(stderr(), "{line}");
            }
            return;
        }
        if let Some((place, of)) = at {
            self.bar.set_length(of as u64);
            self.bar.set_style(counting());
            self.bar.set_position(place as u64);
        }
        self.bar.set_message(message);
    }
}

impl ApplyBar {
    /// A bar for the first step, which is reading.
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        bar.set_style(waiting());
        bar.set_message("reading");
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }

    pub(crate) fn show(&self, progress: Progress) {
        match progress {
            Progress::Comparing => self.0.set_message("comparing"),
            Progress::Hashing { done, of } => {
                if self.0.length() != Some(of as u64) {
                    self.0.set_length(of as u64);
                    self.0.set_style(counting());
                    self.0.set_message("hashing");
                }
                self.0.set_position(done as u64);
            }
            Progress::Writing { changes } => {
                self.0.set_style(waiting());
                self.0.set_message(format!("writing {changes} changes"));
            }
        }
    }

    /// Removes the bar from the screen.
    pub(crate) fn end(&self) {
        self.0.finish_and_clear();
    }
}

fn waiting() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner())
}

fn counting() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {msg} {pos} of {len} [{wide_bar}] {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

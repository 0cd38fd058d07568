//! The progress of a command, as a bar for a person at a terminal.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::time::Duration;

use administration::Progress;
use indicatif::{ProgressBar, ProgressStyle};
use storage::store_copy::CopyStep;

/// The bar of applying. It is on the standard error, and only where that is a terminal.
pub(crate) struct ApplyBar(ProgressBar);

/// The bar of copying a store, of a backup and of a restore.
pub(crate) struct CopyBar {
    bar: ProgressBar,
    /// Whether each step is a line where the standard error is no terminal.
    has_lines: bool,
}

impl CopyBar {
    pub(crate) fn new(has_lines: bool) -> Self {
        let bar = ProgressBar::new(0);
        bar.set_style(waiting());
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { bar, has_lines }
    }

    /// Shows the next step.
    pub(crate) fn show(&self, step: CopyStep<'_>) {
        let (message, at) = match step {
            CopyStep::Copying { table, place, of, rows } => {
                (format!("copying {table}, {rows} rows"), Some((place, of)))
            }
            CopyStep::Comparing { table, place, of } => (format!("comparing {table}"), Some((place, of))),
            CopyStep::Verifying { table, place, of } => (format!("verifying {table}"), Some((place, of))),
            CopyStep::RefusingWrites => ("the source refuses writes".to_owned(), None),
        };
        if !stderr().is_terminal() {
            if self.has_lines {
                // A pipe without a reader does not stop the copy.
                let _ = writeln!(stderr(), "{message}");
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

    /// Leaves nothing on the screen.
    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

impl ApplyBar {
    /// Begins with the reading.
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        bar.set_style(waiting());
        bar.set_message("reading");
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }

    /// Shows the next step.
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

    /// Leaves nothing on the screen.
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

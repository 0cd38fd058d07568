//! How far applying has come, as a bar for a person at a terminal. A pipe gets none.

use std::time::Duration;

use administration::Progress;
use indicatif::{ProgressBar, ProgressStyle};

/// On the standard error, and only where that is a terminal.
pub(crate) struct Bar(ProgressBar);

impl Bar {
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

//! All errors of a configuration, as one error.

use std::fmt;

use super::diagnostic::Diagnostic;

/// All errors, each with its place and hint.
#[derive(Debug, thiserror::Error)]
pub struct ReadError {
    /// Contains at least one error.
    pub faults: Vec<Diagnostic>,
    /// The warnings that were found until then. `check` shows them.
    pub warnings: Vec<Diagnostic>,
}

impl From<Vec<Diagnostic>> for ReadError {
    fn from(faults: Vec<Diagnostic>) -> Self {
        Self { faults, warnings: Vec::new() }
    }
}

impl From<Diagnostic> for ReadError {
    fn from(fault: Diagnostic) -> Self {
        vec![fault].into()
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 20;
        for (index, fault) in self.faults.iter().take(SHOWN).enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            fault.fmt(f)?;
        }
        match self.faults.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "\n\nand {more} more"),
        }
    }
}

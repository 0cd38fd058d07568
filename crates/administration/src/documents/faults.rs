//! What is wrong with a document, as far as it is told: a body of 64 KiB could have thousands of faults.

use protocol::steps;

use super::Pointer;
use crate::Fault;

/// So many faults are told at once.
pub const MOST_FAULTS: usize = 32;
/// Their places are no longer than this in all; the last one may go beyond it.
const LONGEST_PLACES: usize = 4 * 1024;

/// Faults in the order in which they were found.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    found: Vec<Fault>,
    places: usize,
}

impl Faults {
    /// Adds one, unless enough has been told.
    pub(crate) fn add(&mut self, at: &Pointer<'_>, detail: impl Into<String>) {
        if !self.is_full() {
            let fault = Fault::at(at.to_string(), detail);
            steps::note(fault.pointer.len());
            self.places += fault.pointer.len();
            self.found.push(fault);
        }
    }

    /// Whether looking on is of no use.
    pub(crate) fn is_full(&self) -> bool {
        self.found.len() >= MOST_FAULTS || self.places >= LONGEST_PLACES
    }

    /// All of them, if there is one.
    pub(crate) fn into_result(self) -> Result<(), Vec<Fault>> {
        if self.found.is_empty() { Ok(()) } else { Err(self.found) }
    }
}

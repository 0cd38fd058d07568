//! The errors of a document. The number of reported errors is limited, because a body of 64 KiB could contain
//! thousands.

use protocol::steps;
use serde::{Deserialize, Serialize};

use super::Pointer;
use super::schema::JsonSchema;
use crate::edit::FieldError;

pub const MOST_FIELD_ERRORS: usize = 32;
/// The most bytes of all pointers together. The last pointer may exceed the limit.
const LONGEST_PLACES: usize = 4 * 1024;

/// What is wrong, or has no effect, at one location of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldErrorView {
    /// The location in the document (RFC 6901).
    #[schemars(example = &"/email")]
    pub pointer: String,
    /// What is wrong, and what to do about it.
    pub detail: String,
}

impl From<FieldError> for FieldErrorView {
    fn from(error: FieldError) -> Self {
        Self { detail: error.message(), pointer: error.pointer }
    }
}

/// Errors in the order in which they were found.
#[derive(Debug, Default)]
pub(crate) struct BoundedErrors {
    found: Vec<FieldError>,
    places: usize,
}

impl BoundedErrors {
    /// Adds an error, unless the limit is reached.
    pub(crate) fn add(&mut self, at: &Pointer<'_>, detail: impl Into<String>) {
        if !self.is_full() {
            let error = FieldError::at(at.to_string(), detail);
            steps::note(error.pointer.len());
            self.places += error.pointer.len();
            self.found.push(error);
        }
    }

    /// Whether the limit is reached, so that further checks are useless.
    pub(crate) fn is_full(&self) -> bool {
        self.found.len() >= MOST_FIELD_ERRORS || self.places >= LONGEST_PLACES
    }

    /// Fails with all errors if there are any.
    pub(crate) fn into_result(self) -> Result<(), Vec<FieldError>> {
        if self.found.is_empty() { Ok(()) } else { Err(self.found) }
    }
}

//! Where each tenant is declared, kept for faults that show only once the store is asked.

use std::fmt;

use super::{
    diagnostic::Diagnostic,
    findings::{Findings, Location},
    layers::Overridden,
    read::located,
    read_error::ReadError,
    source::Source,
};

/// The files as they were read.
pub(crate) struct Locations {
    pub(super) sources: Vec<Source>,
    pub(super) overridden: Overridden,
}

impl Locations {
    /// Where a tenant of this id is declared, or would be.
    pub(crate) fn tenant(&self, id: &str) -> Location {
        // Each of the others is named for its tenant.
        let of_folder = self
            .sources
            .iter()
            .skip(1)
            .position(|source| source.path.file_stem().is_some_and(|stem| stem.to_str() == Some(id)));
        match of_folder {
            Some(index) => Location::file(index + 1),
            None => Location::file(0).key("tenants").key(id),
        }
    }

    /// What was found, each with its line.
    pub(crate) fn faults(&self, findings: Findings) -> ReadError {
        let faults: Vec<Diagnostic> = located(findings.errors, &self.sources, &self.overridden);
        ReadError { faults }
    }
}

/// The files hold secrets.
impl fmt::Debug for Locations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.sources.iter().map(|source| &source.path)).finish()
    }
}

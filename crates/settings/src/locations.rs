//! The places that declare each tenant, for errors that only a comparison with the store finds.

use std::{fmt, path::Path};

use super::{
    diagnostic::{Diagnostic, ExplainedError, written},
    findings::{Finding, Findings, Location},
    layers::Overridden,
    read_error::ReadError,
    source::SourceFile,
};

/// The files as they were read.
pub struct Locations {
    pub(super) sources: Vec<SourceFile>,
    pub(super) overridden: Overridden,
}

impl Locations {
    /// The place that declares a tenant of this id, or would declare it.
    pub fn tenant(&self, id: &str) -> Location {
        // Each of the others is named for its tenant.
        let of_folder = self
            .sources
            .iter()
            .skip(1)
            .position(|source| source.path.file_stem().is_some_and(|stem| stem.to_str() == Some(id)));
        match of_folder {
            Some(index) => Location::file(index + 1),
            None => Location::section("tenants").key(id),
        }
    }

    /// The folder that a path at this key is relative to. A path from a variable has no file, so it is
    /// relative to the working directory.
    pub(super) fn folder(&self, at: &Location) -> &Path {
        match self.variable(at) {
            Some(_) => Path::new(""),
            None => self.sources[at.source].folder(),
        }
    }

    /// The variable that the value at this key came from.
    fn variable(&self, at: &Location) -> Option<&String> {
        self.overridden.get(&at.path).filter(|_| at.source == 0)
    }

    /// Finds the lines of all findings together. Ten thousand tenants may have the same error, and finding
    /// the line of each separately would take longer than reading them.
    pub(super) fn located(&self, findings: Vec<Finding>) -> Vec<Diagnostic> {
        const MOST: usize = 100;
        let more = findings.len().saturating_sub(MOST);
        let first = findings.into_iter().take(MOST).map(|finding| self.locate(finding));
        let rest = ExplainedError::new(format!("{more} more are not listed"), "fix these first");
        let rest = Diagnostic::about_path(&self.sources[0].path, rest);
        first.chain((more > 0).then_some(rest)).collect()
    }

    /// Finds the line, or the variable that the value came from.
    fn locate(&self, Finding { at, explanation, .. }: Finding) -> Diagnostic {
        match self.variable(&at) {
            Some(variable) => Diagnostic::about_variable(variable, written(&at.path), explanation),
            None => self.sources[at.source].diagnostic(&at, explanation),
        }
    }

    /// The errors, each with its line.
    pub fn faults(&self, findings: Findings) -> ReadError {
        ReadError { faults: self.located(findings.errors) }
    }
}

/// The files hold secrets.
impl fmt::Debug for Locations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.sources.iter().map(|source| &source.path)).finish()
    }
}

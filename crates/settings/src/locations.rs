//! The places that declare each tenant, for errors that only a comparison with the store finds.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use super::{
    diagnostic::{Diagnostic, ExplainedError, written},
    findings::{Finding, Findings, Location},
    layers::Overridden,
    read_error::ReadError,
    sections::Server,
    source::{SourceFile, without_quotations},
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

    /// The folder of `tenants_dir`.
    pub(super) fn tenants_dir(&self, setting: Option<&Path>) -> Option<PathBuf> {
        setting.map(|path| self.folder(&Location::section("tenants_dir")).join(path))
    }

    /// Resolves the paths of certificates and of the audit file against the folders of their settings files.
    pub(super) fn find_files_of(&self, server: &mut Server) {
        let at = Location::section("server");
        server.find_files_in(self.folder(&at.key("listeners")), self.folder(&at.key("audit").key("stream")));
    }

    /// The variable that set the value of this key, or an object or list that contains the value.
    fn variable(&self, at: &Location) -> Option<&String> {
        let around = (1..=at.path.len()).rev().map(|length| &at.path[..length]);
        around.filter(|_| at.source == 0).find_map(|path| self.overridden.get(path))
    }

    /// Finds the lines of all findings together. Ten thousand tenants may have the same error, and finding
    /// the line of each separately would take longer than reading them.
    pub(super) fn located(&self, findings: Vec<Finding>) -> Vec<Diagnostic> {
        const MOST: usize = 100;
        let more = findings.len().saturating_sub(MOST);
        let first = findings.into_iter().take(MOST).map(|finding| self.locate(finding));
        let rest = ExplainedError::new(
            format!("{more} more problems are not shown"),
            "fix the problems above first",
        );
        let rest = Diagnostic::about_path(&self.sources[0].path, rest);
        first.chain((more > 0).then_some(rest)).collect()
    }

    /// Finds the line, or the variable that the value came from.
    fn locate(&self, Finding { at, explanation, .. }: Finding) -> Diagnostic {
        match self.variable(&at) {
            Some(variable) => {
                let problem = without_quotations(&explanation.problem);
                let explanation = ExplainedError { problem, ..explanation };
                Diagnostic::about_variable(variable, written(&at.path), explanation)
            }
            None => self.sources[at.source].diagnostic(&at, explanation),
        }
    }

    pub fn faults(&self, findings: Findings) -> ReadError {
        self.located(findings.errors).into()
    }
}

/// The files hold secrets.
impl fmt::Debug for Locations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.sources.iter().map(|source| &source.path)).finish()
    }
}

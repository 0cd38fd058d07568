//! Errors in the form of files and variables. They decide which errors of the rules can be reported as well:
//! if a part of a tenant or section was dropped because of its form, the rules must not report it as missing.

use super::{
    diagnostic::Diagnostic,
    findings::{Findings, Location},
    locations::Locations,
    read_error::ReadError,
    source_map::KeyPath,
};

/// The errors that were found while files and variables were read.
#[derive(Default)]
pub(crate) struct FormFaults {
    faults: Vec<Diagnostic>,
    /// The dropped entries, with the number of their file.
    left_out: Vec<(usize, KeyPath)>,
    /// Whether a variable has an error, or a whole tenant is missing.
    hides_all: bool,
}

/// Sections that refer to tenants.
const REFERRING: [&str; 2] = ["server", "protected_resource"];

impl FormFaults {
    pub(crate) fn of_main(faults: Vec<Diagnostic>, left_out: Vec<KeyPath>) -> Self {
        let mut form = Self::default();
        form.add(0, faults, left_out);
        form
    }

    /// Adds the errors of the file with this number.
    pub(crate) fn add(&mut self, source: usize, faults: Vec<Diagnostic>, left_out: Vec<KeyPath>) {
        self.faults.extend(faults);
        self.left_out.extend(left_out.into_iter().map(|path| (source, path)));
    }

    /// Adds the errors of variables. The file's own values may differ from those of the variables.
    pub(crate) fn add_of_variables(&mut self, faults: Vec<Diagnostic>) {
        self.faults.extend(faults);
        self.hides_all = true;
    }

    /// Adds the errors of a tenant's file that cannot be read at all.
    pub(crate) fn add_of_missing_tenant(&mut self, faults: Vec<Diagnostic>) {
        self.faults.extend(faults);
        self.hides_all = true;
    }

    /// Whether there are no errors in the form.
    pub(crate) fn is_empty(&self) -> bool {
        self.faults.is_empty()
    }

    /// Whether no error of the rules would be certain. A dropped top-level section may be any section with a
    /// misspelled key.
    pub(crate) fn hides_all(&self) -> bool {
        self.hides_all || self.left_out.iter().any(|(source, path)| *source == 0 && path.len() == 1)
    }

    /// Only these errors.
    pub(crate) fn into_error(self) -> ReadError {
        self.faults.into()
    }

    /// These errors, and the errors of the rules that cannot be a consequence of them.
    pub(crate) fn with_findings(mut self, mut findings: Findings, locations: &Locations) -> ReadError {
        findings.errors.retain(|finding| finding.is_of_value || !self.may_have_caused(&finding.at));
        findings.warnings.retain(|finding| !self.may_have_caused(&finding.at));
        let warnings = locations.located(std::mem::take(&mut findings.warnings));
        self.faults.extend(locations.faults(findings).faults);
        ReadError { warnings, ..self.into_error() }
    }

    fn may_have_caused(&self, at: &Location) -> bool {
        let unit = unit(at.source, &at.path);
        let refers =
            at.source == 0 && at.path.first().is_some_and(|section| REFERRING.contains(&section.as_str()));
        refers && !self.left_out.is_empty()
            || self.left_out.iter().any(|(source, path)| self::unit(*source, path) == unit)
    }
}

/// The section, tenant or file that the rules check as a whole.
fn unit(source: usize, path: &[String]) -> (usize, &[String]) {
    let length = match (source, path.first().map(String::as_str)) {
        (0, Some("tenants")) => 2,
        (0, _) => 1,
        _ => 0,
    };
    (source, &path[..length.min(path.len())])
}

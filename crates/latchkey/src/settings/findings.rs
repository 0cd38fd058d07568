//! What the rules have found so far: faults, warnings, and what may not be reached from beyond loopback.

use super::{
    diagnostic::{Diagnostic, written},
    layers::Overridden,
    source::{KeyOrValue, Source},
    source_map::KeyPath,
};

/// A key of one of the files that were read.
#[derive(Clone, Debug)]
pub(crate) struct Location {
    source: usize,
    path: KeyPath,
}

/// Faults and warnings, each where it belongs.
#[derive(Default)]
pub(crate) struct Findings {
    pub(crate) errors: Vec<Finding>,
    pub(crate) warnings: Vec<Finding>,
    /// Harmless on loopback, refused beyond it.
    pub(crate) exposed: Vec<Finding>,
}

/// One fault or warning, not yet ready to be printed.
pub(crate) struct Finding {
    at: Location,
    on_key: bool,
    problem: String,
    hint: String,
}

impl Location {
    /// The whole of a file.
    pub(crate) fn file(source: usize) -> Self {
        Self { source, path: KeyPath::new() }
    }

    pub(crate) fn key(&self, key: &str) -> Self {
        let mut path = self.path.clone();
        path.push(key.to_owned());
        Self { source: self.source, path }
    }

    /// An item of the list under this key.
    pub(crate) fn item(&self, key: &str, index: usize) -> Self {
        self.key(key).key(&format!("[{index}]"))
    }

    pub(crate) fn source(&self) -> usize {
        self.source
    }
}

impl Findings {
    /// Something is wrong with the value at this key.
    pub(crate) fn error(&mut self, at: Location, problem: impl Into<String>, hint: impl Into<String>) {
        self.errors.push(Finding::new(at, false, problem, hint));
    }

    /// Something is wrong with the key itself.
    pub(crate) fn key_error(&mut self, at: Location, problem: impl Into<String>, hint: impl Into<String>) {
        self.errors.push(Finding::new(at, true, problem, hint));
    }

    pub(crate) fn warning(&mut self, at: Location, problem: impl Into<String>, hint: impl Into<String>) {
        self.warnings.push(Finding::new(at, false, problem, hint));
    }

    pub(crate) fn exposed(&mut self, at: Location, problem: impl Into<String>, hint: impl Into<String>) {
        self.exposed.push(Finding::new(at, false, problem, hint));
    }
}

impl Finding {
    fn new(at: Location, on_key: bool, problem: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { at, on_key, problem: problem.into(), hint: hint.into() }
    }

    /// Finds the line, or the variable that the value came from.
    pub(crate) fn locate(self, sources: &[Source], overridden: &Overridden) -> Diagnostic {
        let Self { at, on_key, problem, hint } = self;
        if at.source == 0
            && let Some(variable) = overridden.get(&at.path)
        {
            return Diagnostic::about_variable(variable, written(&at.path), problem, hint);
        }
        let key_or_value = if on_key { KeyOrValue::Key(at.path) } else { KeyOrValue::Value(at.path) };
        sources[at.source].diagnostic(&key_or_value, problem, hint)
    }
}

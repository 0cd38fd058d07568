//! What the rules have found so far: faults, warnings, and what may not be reached from beyond loopback.

use administration::{FieldError, FieldErrors};

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

    /// The member of a tenant or a client here that a JSON pointer names, and whether its key is meant rather than its value: so with
    /// the document as a whole, with an id, and with a name that is a key.
    pub(crate) fn pointed(&self, pointer: &str) -> (Self, bool) {
        let mut path = self.path.clone();
        if pointer == "/client_id" {
            return (self.clone(), true);
        }
        let mut names_follow = false;
        for segment in pointer.split('/').skip(1) {
            let is_index = !names_follow && segment.bytes().all(|byte| byte.is_ascii_digit());
            names_follow = path.len() == self.path.len() && segment == "resource_servers";
            path.push(match is_index && !segment.is_empty() {
                true => format!("[{segment}]"),
                false => segment.replace("~1", "/").replace("~0", "~"),
            });
        }
        let is_name = pointer.strip_prefix("/resource_servers/").is_some_and(|name| !name.contains('/'));
        (Self { source: self.source, path }, pointer.is_empty() || is_name)
    }

    pub(crate) fn source(&self) -> usize {
        self.source
    }
}

impl Findings {
    /// What is wrong with a document that begins at this key.
    pub(crate) fn extend(&mut self, at: &Location, errors: FieldErrors) {
        let located = |FieldError { pointer, detail, hint }| {
            let (at, on_key) = at.pointed(&pointer);
            Finding::new(at, on_key, detail, hint.unwrap_or_else(|| "see docs/configuration.md".to_owned()))
        };
        let (errors, warnings) = errors.into_parts();
        self.errors.extend(errors.into_iter().map(located));
        self.warnings.extend(warnings.into_iter().map(located));
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_json_pointer_names_a_key_path() {
        for (pointer, path, on_key) in [
            ("", "", true),
            ("/client_id", "", true),
            ("/name", "name", false),
            ("/scopes/1", "scopes[1]", false),
            ("/token/issuer", "token.issuer", false),
            ("/resource_servers/7", "resource_servers.7", true),
            ("/resource_servers/7/scopes/0", "resource_servers.7.scopes[0]", false),
            ("/resource_servers/a~1b~0/clients/10", "resource_servers.\"a/b~\".clients[10]", false),
        ] {
            let (at, is_key) = Location::file(0).pointed(pointer);
            assert_eq!((written(&at.path).as_str(), is_key), (path, on_key), "{pointer}");
        }
    }
}

//! The findings of the rules: errors, warnings, and settings that are only refused if other machines can
//! reach the server.

use administration::documents::pointer_names;
use administration::edit::FieldError;
use administration::rules::FieldErrors;

use super::{diagnostic::ExplainedError, source_map::KeyPath};

/// A key in one of the settings files.
#[derive(Clone, Debug)]
pub struct Location {
    pub(super) source: usize,
    pub(super) path: KeyPath,
    /// Whether the key itself is meant, and not its value.
    pub(super) on_key: bool,
}

#[derive(Default)]
pub struct Findings {
    /// Errors, which must be fixed.
    pub errors: Vec<Finding>,
    /// Warnings, which should be fixed.
    pub warnings: Vec<Finding>,
    /// Settings that are harmless on loopback, but refused if other machines can reach the server.
    pub exposed: Vec<Finding>,
}

/// One error or warning. Its line is not known yet.
#[derive(Clone, Debug)]
pub struct Finding {
    pub(super) at: Location,
    pub(super) explanation: ExplainedError,
    /// Whether the value is wrong regardless of the rest of the document.
    pub(super) is_of_value: bool,
}

impl Location {
    pub fn section(key: &str) -> Self {
        Self::file(0).key(key)
    }

    pub fn file(source: usize) -> Self {
        Self { source, path: KeyPath::new(), on_key: false }
    }

    pub fn key(&self, key: &str) -> Self {
        let mut path = self.path.clone();
        path.push(key.to_owned());
        Self { path, ..*self }
    }

    pub fn item(&self, key: &str, index: usize) -> Self {
        self.key(key).key(&format!("[{index}]"))
    }

    /// The member of a tenant or client that a JSON pointer names. This key itself for an error of the whole
    /// document, of an id, or of a name that is a key.
    pub fn pointed(&self, pointer: &str) -> Self {
        let pointer = pointer.strip_prefix("/client_id").unwrap_or(pointer);
        let is_name = pointer.strip_prefix("/resource_servers/").is_some_and(|name| !name.contains('/'));
        let mut at = Self { on_key: pointer.is_empty() || is_name, ..self.clone() };
        let mut names_follow = false;
        for segment in pointer_names(pointer) {
            let is_index = !names_follow && segment.bytes().all(|byte| byte.is_ascii_digit());
            names_follow = at.path.len() == self.path.len() && segment == "resource_servers";
            at.path.push(match is_index && !segment.is_empty() {
                true => format!("[{segment}]"),
                false => segment,
            });
        }
        at
    }
}

impl Finding {
    /// Converts an error of a document that begins at this key.
    fn pointed(at: &Location, FieldError { pointer, detail, hint, is_of_value }: FieldError) -> Self {
        let hint = hint.unwrap_or_else(|| "see docs/configuration.md".to_owned());
        Self { at: at.pointed(&pointer), explanation: ExplainedError { problem: detail, hint }, is_of_value }
    }

    fn new(at: Location, problem: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { at, explanation: ExplainedError::new(problem, hint), is_of_value: false }
    }
}

impl Findings {
    /// Adds the errors of a document that begins at this key.
    pub fn extend(&mut self, at: &Location, errors: FieldErrors) {
        let (errors, warnings) = errors.into_parts();
        self.errors.extend(errors.into_iter().map(|error| Finding::pointed(at, error)));
        self.warn(at, warnings);
    }

    /// Adds the warnings of a document that begins at this key.
    pub(crate) fn warn(&mut self, at: &Location, warnings: Vec<FieldError>) {
        self.warnings.extend(warnings.into_iter().map(|warning| Finding::pointed(at, warning)));
    }

    /// The value that was read for a key. If reading failed, adds the error at this key.
    pub fn found<T>(&mut self, read: Result<T, ExplainedError>, at: Location) -> Option<T> {
        let unread = |explanation| Finding { at, explanation, is_of_value: true };
        read.map_err(|explanation| self.errors.push(unread(explanation))).ok()
    }

    /// Adds an error in the value of this key.
    pub fn error(&mut self, at: Location, problem: impl Into<String>, hint: impl Into<String>) {
        self.errors.push(Finding::new(at, problem, hint));
    }

    /// Adds an error in the value of this key, which cannot be used.
    pub(crate) fn refuse<T>(
        &mut self,
        at: Location,
        problem: impl Into<String>,
        hint: impl Into<String>,
    ) -> Option<T> {
        self.error(at, problem, hint);
        None
    }

    pub fn key_error(&mut self, at: Location, problem: impl Into<String>, hint: impl Into<String>) {
        self.error(Location { on_key: true, ..at }, problem, hint);
    }

    pub(crate) fn warning(&mut self, at: Location, problem: impl Into<String>, hint: impl Into<String>) {
        self.warnings.push(Finding::new(at, problem, hint));
    }

    pub(crate) fn exposed(&mut self, at: Location, problem: impl Into<String>, hint: impl Into<String>) {
        self.exposed.push(Finding::new(at, problem, hint));
    }
}

#[cfg(test)]
mod tests {
    use super::super::diagnostic::written;
    use super::*;

    #[test]
    fn json_pointer_converts_to_key_path() {
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
            let at = Location::file(0).pointed(pointer);
            assert_eq!((written(&at.path).as_str(), at.on_key), (path, on_key), "{pointer}");
        }
    }
}

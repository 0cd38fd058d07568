//! Collects all errors of a document, each with its pointer, which may be relative to a common one. Also
//! contains the rules that many members share.

use std::collections::BTreeSet;

use protocol::ScopeToken;
use registry::ClientId;
use tenancy::{ReuseWindow, TokenFormat};
use values::{Lifetime, cropped, invisible_in_id};

use super::Interface;
use super::text::{LONGEST_ID, LONGEST_URI, is_absolute_uri, unfit};
use crate::documents::nearest;
use crate::edit::FieldError;

/// Errors and warnings of one document.
#[derive(Debug, Default)]
pub struct FieldErrors {
    interface: Interface,
    base: String,
    found: Vec<FieldError>,
    warnings: Vec<FieldError>,
}

impl FieldErrors {
    /// The errors of a document that came through this interface.
    #[must_use]
    pub fn from_interface(interface: Interface) -> Self {
        Self { interface, ..Self::default() }
    }

    /// Collects the errors of a part of a document. `base` is the pointer to the part.
    #[must_use]
    pub(crate) fn below(base: &str) -> Self {
        Self { base: base.to_owned(), ..Self::default() }
    }

    /// The interface that the document came through.
    pub(super) const fn interface(&self) -> Interface {
        self.interface
    }

    pub(crate) fn add(&mut self, at: &str, detail: impl Into<String>) {
        self.found.push(FieldError::at(format!("{}{at}", self.base), detail));
    }

    /// Adds an error, and what to do about it.
    pub(crate) fn refuse(&mut self, at: &str, detail: impl Into<String>, hint: impl Into<String>) {
        self.found.push(FieldError::at(format!("{}{at}", self.base), detail).with_hint(hint));
    }

    /// Adds an error that is independent of the rest of the document.
    fn refuse_value(&mut self, at: &str, detail: impl Into<String>, hint: impl Into<String>) {
        let error = FieldError::at(format!("{}{at}", self.base), detail).with_hint(hint);
        self.found.push(FieldError { is_of_value: true, ..error });
    }

    /// Reports a valid value that is not supported yet: as an error over the API, as a warning in a file.
    pub(super) fn unsupported(&mut self, at: &str, what: &str, instead: &str, effect: &str) {
        match self.interface {
            Interface::Api => self.refuse(at, format!("{what} is not supported"), instead),
            Interface::File | Interface::Adapter => {
                let detail = format!("{what} is recognized, but this version does not implement it");
                self.warnings.push(FieldError::at(format!("{}{at}", self.base), detail).with_hint(effect));
            }
        }
    }

    pub(super) fn warn(&mut self, warning: FieldError) {
        self.warnings.push(FieldError { pointer: format!("{}{}", self.base, warning.pointer), ..warning });
    }

    /// Adds errors that were found elsewhere. Their pointers continue the same pointer.
    pub fn extend(&mut self, errors: Vec<FieldError>) {
        let base = &self.base;
        let below = |error: FieldError| FieldError { pointer: format!("{base}{}", error.pointer), ..error };
        self.found.extend(errors.into_iter().map(below));
    }

    #[must_use]
    pub(crate) fn into_vec(self) -> Vec<FieldError> {
        self.found
    }

    #[must_use]
    pub fn into_parts(self) -> (Vec<FieldError>, Vec<FieldError>) {
        (self.found, self.warnings)
    }

    /// Checks a name for people.
    pub(crate) fn check_title(&mut self, at: &str, name: &str) {
        if let Some(why) = unfit(name, LONGEST_ID) {
            self.refuse_value(at, format!("the name {why}"), "use a readable name");
        }
    }

    /// Checks a description: one line of at most `longest` characters, because lists, audit records,
    /// terminals and pages show it unchanged.
    pub(super) fn check_description(&mut self, at: &str, description: &str, longest: usize) {
        let is_long = description.chars().count() > longest;
        let too_long = is_long.then(|| format!("is longer than {longest} characters"));
        if let Some(why) = too_long.or_else(|| unfit(description, usize::MAX)) {
            self.refuse_value(at, format!("the description {why}"), "use one line, or remove it");
        }
    }

    /// Checks a name that is used as `iss`, `aud` or `client_id`. `what` begins the sentence of an error.
    pub fn check_name(&mut self, at: &str, what: &str, name: &str, longest: usize) {
        const HINT: &str = "choose another name";
        if let Some(why) = unfit(name, longest) {
            self.refuse_value(at, format!("{what} {why}"), HINT);
        } else if name.starts_with(ClientId::RESERVED_PREFIX) {
            let prefix = ClientId::RESERVED_PREFIX;
            self.refuse_value(
                at,
                format!("{what} begins with `{prefix}`, which is reserved for the platform"),
                HINT,
            );
        }
    }

    /// Checks an absolute URI for `resource` (RFC 8707 §2).
    pub(super) fn check_resource(&mut self, at: &str, uri: &str) {
        if is_absolute_uri(uri) {
            self.check_name(at, "the resource", uri, LONGEST_URI);
        } else {
            let detail =
                format!("`{}` is not an absolute URI without a fragment (RFC 8707 §2)", cropped(uri));
            self.refuse_value(at, detail, "include the scheme, such as https://api.example.com");
        }
    }

    pub(crate) fn check_text(&mut self, at: &str, what: &str, text: &str, longest: usize) {
        if let Some(why) = unfit(text, longest) {
            self.add(at, format!("{what} {why}"));
        } else if invisible_in_id(text).is_some() {
            self.refuse(at, format!("{what} contains an invisible character"), "remove it");
        }
    }

    /// Refuses items that occur more than once.
    pub fn check_distinct(&mut self, at: &str, items: &[String]) {
        let mut seen = BTreeSet::new();
        for (index, item) in items.iter().enumerate() {
            if !seen.insert(item) {
                let at = format!("{at}/{index}");
                self.refuse_value(&at, "the list contains this value twice", "remove one of the two");
            }
        }
    }

    pub fn check_scope(&mut self, at: &str, text: &str) -> Option<ScopeToken> {
        let token = ScopeToken::parse(text);
        if token.is_err() {
            let detail = format!("`{}` is not a valid scope", cropped(&text.escape_debug().to_string()));
            let hint =
                "use printable ASCII without blanks, quotes and backslashes, and list each scope separately";
            self.refuse_value(at, detail, hint);
        }
        token.ok()
    }

    pub fn refuse_reserved_scope(&mut self, at: &str, scope: &str) {
        if !scope.starts_with(ScopeToken::RESERVED_PREFIX) {
            return;
        }
        let scope = cropped(scope);
        match self.interface {
            Interface::Api | Interface::Adapter => {
                let detail = format!(
                    "`{scope}` is an administrator permission and cannot belong to a resource server"
                );
                self.refuse_value(at, detail, "remove it");
            }
            Interface::File => {
                let detail =
                    format!("`{scope}` is an administrator permission, and you cannot grant it in a file");
                self.refuse_value(
                    at,
                    detail,
                    "remove it; `latchkey admin init` creates the first administrator",
                );
            }
        }
    }

    /// Parses the scopes of a list. Invalid items are reported and left out.
    pub(crate) fn check_scopes(&mut self, at: &str, items: &[String]) -> Vec<ScopeToken> {
        self.check_distinct(at, items);
        let tokens = items.iter().enumerate();
        tokens.filter_map(|(index, item)| self.check_scope(&format!("{at}/{index}"), item)).collect()
    }

    /// Finds the value of one of these names.
    pub(crate) fn check_one_of<T>(&mut self, at: &str, name: &str, named: &[(&str, T)]) -> Option<T>
    where
        T: Copy,
    {
        let found = named.iter().find(|(one, _)| *one == name).map(|(_, value)| *value);
        if found.is_none() {
            let names = || named.iter().map(|(one, _)| *one);
            let hint = match nearest(name, names()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("use one of {}", names().collect::<Vec<_>>().join(", ")),
            };
            self.refuse_value(at, "this value is not allowed", hint);
        }
        found
    }

    /// The format of access tokens, if the document at this pointer has its own.
    pub(super) fn check_format(&mut self, at: &str, format: Option<&str>) -> Option<TokenFormat> {
        self.check_one_of(&format!("{at}/access_token/format"), format?, &TokenFormat::NAMED)
    }

    pub(super) fn check_reuse(&mut self, reuse: &str) -> Option<ReuseWindow> {
        let window = ReuseWindow::parse(reuse);
        if window.is_none() {
            let detail = "this is not a percentage from 0% to 50%";
            self.refuse_value("/access_token/reuse", detail, "use a percentage such as 20%");
        }
        window
    }

    /// Requires a duration of at least a second.
    pub(super) fn check_span(&mut self, at: &str, span: Lifetime) {
        if span.seconds() == 0 {
            self.refuse_value(at, "this duration must be at least 1s", "use a longer duration");
        }
    }

    pub(super) fn check_token_lifetime(&mut self, at: &str, lifetime: Lifetime) {
        if lifetime.seconds() == 0 {
            self.refuse_value(at, "a token must be valid for at least 1s", "use 1s or more");
        }
    }
}

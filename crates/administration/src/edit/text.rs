//! The shapes of names, lists and spans of time that doors are sent: the same that config.yaml is held to.

use std::collections::BTreeSet;

use protocol::{Lifetime, ResourceIndicator, ScopeToken};
use registry::ClientId;
use url::Url;

use crate::FieldError;
use crate::documents::escaped;
use crate::new_names::UnseenName;

pub(super) const LONGEST_ID: usize = 255;
pub(super) const LONGEST_URI: usize = 2048;
/// A longer span, of a hundred years, is a slip of the pen.
const LONGEST: u64 = 36_525 * 86_400;

/// Collects everything that is wrong, each at its place below a common pointer.
#[derive(Debug, Default)]
pub(super) struct FieldErrors {
    base: String,
    found: Vec<FieldError>,
}

impl FieldErrors {
    pub(super) fn below(base: &str) -> Self {
        Self { base: base.to_owned(), found: Vec::new() }
    }

    pub(super) fn add(&mut self, at: &str, detail: impl Into<String>) {
        self.found.push(FieldError::at(format!("{}{at}", self.base), detail));
    }

    /// Those that were found elsewhere, below the same pointer.
    pub(super) fn extend(&mut self, errors: Vec<FieldError>) {
        for FieldError { pointer, detail } in errors {
            self.add(&pointer, detail);
        }
    }

    pub(super) fn into_vec(self) -> Vec<FieldError> {
        self.found
    }

    /// New names that hold what people do not see.
    pub(super) fn add_unseen(&mut self, found: Vec<UnseenName>) {
        for name in found {
            self.add(&name.pointer, name.detail());
        }
    }

    /// A name for people.
    pub(super) fn check_title(&mut self, at: &str, name: &str) {
        if let Some(why) = unfit(name, LONGEST_ID) {
            self.add(at, format!("the name {why}"));
        }
    }

    /// A name that stands as `iss`, `aud` or `client_id`; `what` begins the sentence.
    pub(super) fn check_name(&mut self, at: &str, what: &str, name: &str, longest: usize) {
        if let Some(why) = unfit(name, longest) {
            self.add(at, format!("{what} {why}"));
        } else if name.starts_with(ClientId::RESERVED_PREFIX) {
            let prefix = ClientId::RESERVED_PREFIX;
            self.add(at, format!("{what} begins `{prefix}`, which is kept for the platform"));
        }
    }

    /// Every item of a list once.
    pub(super) fn check_distinct(&mut self, at: &str, items: &[String]) {
        let mut seen = BTreeSet::new();
        for (index, item) in items.iter().enumerate() {
            if !seen.insert(item) {
                self.add(&format!("{at}/{index}"), "this stands in the list twice");
            }
        }
    }

    /// The scopes of a list, or those of them that are ones.
    pub(super) fn scopes(&mut self, at: &str, items: &[String]) -> Vec<ScopeToken> {
        self.check_distinct(at, items);
        let mut tokens = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            match ScopeToken::parse(item) {
                Ok(token) => tokens.push(token),
                Err(_) => self.add(
                    &format!("{at}/{index}"),
                    "a scope is printable ASCII without blanks, quotes and backslashes",
                ),
            }
        }
        tokens
    }

    /// A span of time in seconds.
    pub(super) fn span(&mut self, at: &str, seconds: u64, least: u64) -> Lifetime {
        if seconds < least {
            self.add(at, format!("this must be at least {least} s"));
        } else if seconds > LONGEST {
            self.add(at, "this is longer than 36525 days");
        }
        Lifetime::from_seconds(seconds)
    }
}

/// Why a text cannot be a name, if it cannot: any UTF-8 without control characters will do.
pub(super) fn unfit(text: &str, longest: usize) -> Option<String> {
    if text.is_empty() {
        Some("is empty".to_owned())
    } else if text.len() > longest {
        Some(format!("is longer than {longest} bytes"))
    } else if text.chars().any(char::is_control) {
        Some("holds a control character".to_owned())
    } else {
        None
    }
}

/// The pointer of a member of this name.
pub(super) fn member(at: &str, name: &str) -> String {
    format!("{at}/{}", escaped(name))
}

/// RFC 8707 §2: an absolute URI (RFC 3986 §4.3), which has no fragment.
pub(super) fn is_absolute_uri(text: &str) -> bool {
    text.len() <= LONGEST_URI && ResourceIndicator::parse(text).is_ok()
}

/// An http or https URL that can name an issuer (RFC 8414 §2): no query and no fragment.
pub(super) fn is_issuer_url(text: &str) -> bool {
    let http = |url: Url| matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none();
    ResourceIndicator::parse(text).is_ok() && Url::parse(text).is_ok_and(http)
}

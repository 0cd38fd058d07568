//! The shapes of names, scopes, URIs and hashes, shared by the rules of this folder.

use std::collections::BTreeSet;

use protocol::{ResourceIndicator, ScopeToken};
use registry::ClientId;
use url::Url;

use super::super::{
    findings::{Findings, Location},
    scalar::cropped,
};

pub(super) const LONGEST_ID: usize = 255;
pub(super) const LONGEST_SECRET: usize = 1024;
pub(super) const LONGEST_URI: usize = 2048;

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

/// A name that stands as `iss`, `aud` or `client_id`; `what` begins the sentence.
pub(super) fn check_name(findings: &mut Findings, at: Location, on_key: bool, what: &str, name: &str) {
    let fault = match unfit(name, if on_key { LONGEST_ID } else { LONGEST_URI }) {
        Some(why) => Some((format!("{what} {why}"), "choose another name")),
        None if name.starts_with(ClientId::RESERVED_PREFIX) => Some((
            format!("{what} begins `{}`, which is kept for the platform", ClientId::RESERVED_PREFIX),
            "choose another name",
        )),
        None => None,
    };
    match fault {
        Some((problem, hint)) if on_key => findings.key_error(at, problem, hint),
        Some((problem, hint)) => findings.error(at, problem, hint),
        None => {}
    }
}

/// RFC 6749 §3.3.
pub(super) fn is_scope_token(text: &str) -> bool {
    ScopeToken::parse(text).is_ok()
}

/// A scope that config.yaml may name.
pub(super) fn check_scope(findings: &mut Findings, at: Location, scope: &str) {
    if !is_scope_token(scope) {
        let problem = format!("`{}` is not a scope", cropped(&scope.escape_debug().to_string()));
        findings.error(
            at,
            problem,
            "write printable ASCII without blanks, quotes and backslashes, one scope an item",
        );
    } else if scope.starts_with(ScopeToken::RESERVED_PREFIX) {
        findings.error(
            at,
            format!("`{}` says who may administer, and is not granted by a file", cropped(scope)),
            "leave it out; `latchkey admin init` makes the first administrator",
        );
    }
}

/// Every item of a list once.
pub(super) fn check_distinct<T: Ord>(findings: &mut Findings, at: &Location, key: &str, items: &[T]) {
    let mut seen = BTreeSet::new();
    for (index, item) in items.iter().enumerate() {
        if !seen.insert(item) {
            findings.error(at.item(key, index), "this stands in the list twice", "leave one of the two out");
        }
    }
}

/// RFC 8707 §2: an absolute URI (RFC 3986 §4.3), which has no fragment.
pub(super) fn is_absolute_uri(text: &str) -> bool {
    ResourceIndicator::parse(text).is_ok()
}

/// An http or https URL that can name an issuer (RFC 8414 §2): no query and no fragment.
pub(super) fn is_issuer_url(text: &str) -> bool {
    let http = |url: Url| matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none();
    is_absolute_uri(text) && Url::parse(text).is_ok_and(http)
}

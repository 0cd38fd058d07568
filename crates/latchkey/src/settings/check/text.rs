//! The shapes of names, scopes, URIs and hashes, shared by the rules of this folder.

use std::collections::BTreeSet;

use url::Url;

use super::super::{
    findings::{Findings, Location},
    scalar::cropped,
};

pub(super) const LONGEST_ID: usize = 255;
pub(super) const LONGEST_SECRET: usize = 1024;
pub(super) const LONGEST_URI: usize = 2048;

/// Names that begin so are the platform's own audiences.
const RESERVED_NAME: &str = "urn:latchkey:";
/// Scopes that begin so say who may administer; they are granted through the admin API only.
const RESERVED_SCOPE: &str = "latchkey:";

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
        None if name.starts_with(RESERVED_NAME) => Some((
            format!("{what} begins `{RESERVED_NAME}`, which is kept for the platform"),
            "choose another name",
        )),
        None => None,
    };
    match fault {
        Some((problem, mend)) if on_key => findings.key_error(at, problem, mend),
        Some((problem, mend)) => findings.error(at, problem, mend),
        None => {}
    }
}

/// RFC 6749 §3.3: `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )`.
pub(super) fn is_scope_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
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
    } else if scope.starts_with(RESERVED_SCOPE) {
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
    let exact = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte));
    exact && !text.contains('#') && Url::parse(text).is_ok()
}

/// An http or https URL that can name an issuer (RFC 8414 §2): no query and no fragment.
pub(super) fn is_issuer_url(text: &str) -> bool {
    let http = |url: Url| matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none();
    is_absolute_uri(text) && Url::parse(text).is_ok_and(http)
}

/// An argon2id PHC string with this server's parameters, since a client's chosen secrets are compared by one hash.
pub(super) fn is_our_argon2id(text: &str) -> bool {
    let mut parts = text.split('$');
    let base64 = |text: &str, least: usize| {
        text.len() >= least
            && text.len() <= 128
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/')
    };
    parts.next() == Some("")
        && parts.next() == Some("argon2id")
        && parts.next() == Some("v=19")
        && parts.next() == Some("m=19456,t=2,p=1")
        && parts.next().is_some_and(|salt| base64(salt, 11))
        && parts.next().is_some_and(|hash| base64(hash, 22))
        && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_a_scope_token() {
        for (text, is) in [
            ("api:read", true),
            ("https://a/b#c", true),
            ("", false),
            ("a b", false),
            ("a\"b", false),
            ("a\\b", false),
            ("é", false),
        ] {
            assert_eq!(is_scope_token(text), is, "{text}");
        }
    }

    #[test]
    fn a_resource_is_an_absolute_uri_without_a_fragment() {
        for (text, is) in [
            ("https://api.example.com", true),
            ("https://api.example.com/a?b", true),
            ("urn:example:api", true),
            ("api", false),
            ("/api", false),
            ("https://api.example.com#a", false),
            ("https://api.example.com/a b", false),
            ("https://", false),
        ] {
            assert_eq!(is_absolute_uri(text), is, "{text}");
        }
    }

    #[test]
    fn an_imported_hash_has_our_parameters() {
        let salt_and_hash = "c29tZXNhbHRzb21lc2FsdA$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ";
        for (head, is) in [
            ("$argon2id$v=19$m=19456,t=2,p=1$", true),
            ("$argon2i$v=19$m=19456,t=2,p=1$", false),
            ("$argon2id$v=16$m=19456,t=2,p=1$", false),
            ("$argon2id$v=19$m=65536,t=2,p=1$", false),
            ("$argon2id$m=19456,t=2,p=1$", false),
            ("$lk1$", false),
            ("", false),
        ] {
            assert_eq!(is_our_argon2id(&format!("{head}{salt_and_hash}")), is, "{head}");
        }
    }
}

//! The shapes of names and URIs.

use protocol::ResourceIndicator;
use url::{Host, Url};

use crate::documents::escaped;

/// The most bytes of an id or a name.
pub const LONGEST_ID: usize = 255;
pub const LONGEST_URI: usize = 2048;

/// Why a text cannot be a name. A name is UTF-8 without control characters.
#[must_use]
pub fn unfit(text: &str, longest: usize) -> Option<String> {
    if text.is_empty() {
        Some("is empty".to_owned())
    } else if text.len() > longest {
        Some(format!("is longer than {longest} bytes"))
    } else if text.chars().any(char::is_control) {
        Some("contains a control character".to_owned())
    } else {
        None
    }
}

pub(crate) fn member(at: &str, name: &str) -> String {
    format!("{at}/{}", escaped(name))
}

/// An absolute URI (RFC 3986 §4.3), so without a fragment (RFC 8707 §2).
pub(super) fn is_absolute_uri(text: &str) -> bool {
    text.len() <= LONGEST_URI && ResourceIndicator::parse(text).is_ok()
}

/// A URL from which keys are fetched: https, or http with a loopback address, without user and fragment.
/// Whether the address is allowed is only checked when keys are fetched.
pub(super) fn is_key_set_url(text: &str) -> bool {
    let is_fetched = |url: Url| {
        (url.scheme() == "https" || (url.scheme() == "http" && is_loopback_address(&url)))
            && url.username().is_empty()
            && url.password().is_none()
    };
    is_absolute_uri(text) && Url::parse(text).is_ok_and(is_fetched)
}

fn is_loopback_address(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(_)) | None => false,
    }
}

/// The URL of a page that people open: https, without user and fragment.
pub(super) fn is_https_url(text: &str) -> bool {
    text.starts_with("https://") && is_key_set_url(text)
}

/// An http or https URL that can be an issuer (RFC 8414 §2), so without query and fragment.
pub(super) fn is_issuer_url(text: &str) -> bool {
    let http = |url: Url| matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none();
    ResourceIndicator::parse(text).is_ok() && Url::parse(text).is_ok_and(http)
}

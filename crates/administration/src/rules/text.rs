//! The shapes of names and URIs.

use protocol::ResourceIndicator;
use url::{Host, Url};

use crate::documents::escaped;

/// How many bytes an id or a name may have.
pub const LONGEST_ID: usize = 255;
/// How many bytes a URI may have.
pub const LONGEST_URI: usize = 2048;

/// Why a text cannot be a name, if it cannot: any UTF-8 without control characters can.
#[must_use]
pub fn unfit(text: &str, longest: usize) -> Option<String> {
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
pub(crate) fn member(at: &str, name: &str) -> String {
    format!("{at}/{}", escaped(name))
}

/// RFC 8707 §2: an absolute URI (RFC 3986 §4.3), which has no fragment.
pub(super) fn is_absolute_uri(text: &str) -> bool {
    text.len() <= LONGEST_URI && ResourceIndicator::parse(text).is_ok()
}

/// A URL that keys are fetched from: https, or http on this machine's own addresses, without a user and a
/// fragment. The fetch decides which addresses may be connected to.
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

/// A page that people open: https, without a user and a fragment.
pub(super) fn is_https_url(text: &str) -> bool {
    text.starts_with("https://") && is_key_set_url(text)
}

/// An http or https URL that can name an issuer (RFC 8414 §2): no query and no fragment.
pub(super) fn is_issuer_url(text: &str) -> bool {
    let http = |url: Url| matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none();
    ResourceIndicator::parse(text).is_ok() && Url::parse(text).is_ok_and(http)
}

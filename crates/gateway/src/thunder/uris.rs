//! Rules for members that contain URIs.

use protocol::ResourceIndicator;
use serde_json::Value;

use super::code::Code;
use super::code::{
    INVALID_CERTIFICATE_TYPE, INVALID_CERTIFICATE_VALUE, INVALID_JWKS_URI, INVALID_LOGO_URL, INVALID_URL,
    JWKS_URI_NOT_HTTPS,
};
use super::document::{ApplicationDocument, Certificate};
use super::{ThunderError, ThunderResult};

pub(super) fn check(document: &ApplicationDocument) -> ThunderResult<()> {
    let links = [("url", &document.url, INVALID_URL), ("logo_url", &document.logo_url, INVALID_LOGO_URL)];
    for (member, value, code) in links {
        if let Some(value) = value.as_deref().filter(|value| !value.is_empty() && !is_web_address(value)) {
            return Err(ThunderError::new(code, format!("{member} is not an http or https URL: {value:?}")));
        }
    }
    document.certificate.as_ref().map_or(Ok(()), check_certificate)
}

/// An absolute URI without a fragment: "The endpoint URI MUST NOT include a fragment
/// component" (RFC 6749 §3.1.2).
pub(super) fn is_redirect_uri(text: &str) -> bool {
    ResourceIndicator::parse(text).is_ok()
}

fn is_web_address(text: &str) -> bool {
    let before_fragment = text.split_once('#').map_or(text, |(before, _)| before);
    let scheme = before_fragment.split_once(':').map_or("", |(scheme, _)| scheme);
    (scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http"))
        && ResourceIndicator::parse(before_fragment).is_ok()
}

fn check_certificate(certificate: &Certificate) -> ThunderResult<()> {
    let refused = |code: &'static Code, why: &str| Err(ThunderError::new(code, why));
    let value = certificate.value.as_deref().unwrap_or_default();
    match certificate.r#type.as_str() {
        "" | "NONE" => Ok(()),
        "JWKS" => {
            let set = serde_json::from_str::<Value>(value).unwrap_or_default();
            if set["keys"].is_array() {
                Ok(())
            } else {
                refused(INVALID_CERTIFICATE_VALUE, "certificate.value must be a JWK set as text (RFC 7517)")
            }
        }
        "JWKS_URI" if !is_web_address(value) => refused(INVALID_JWKS_URI, "certificate.value must be a URL"),
        "JWKS_URI" if !value.starts_with("https://") => {
            refused(JWKS_URI_NOT_HTTPS, "certificate.value must begin with https://")
        }
        "JWKS_URI" => Ok(()),
        _ => refused(INVALID_CERTIFICATE_TYPE, "certificate.type must be NONE, JWKS or JWKS_URI"),
    }
}

//! Which texts of a document are URIs.

use protocol::ResourceIndicator;
use serde_json::Value;

use super::ApplicationCode::{
    InvalidCertificateType, InvalidCertificateValue, InvalidJwksUri, InvalidLogoUrl, InvalidUrl,
    JwksUriNotHttps,
};
use super::document::{ApplicationDocument, Certificate};
use super::{ApplicationCode, RejectedApplication};

/// `url`, `logo_url` and the certificate.
pub(super) fn check(document: &ApplicationDocument) -> Result<(), RejectedApplication> {
    let links = [("url", &document.url, InvalidUrl), ("logo_url", &document.logo_url, InvalidLogoUrl)];
    for (member, value, code) in links {
        if let Some(value) = value.as_deref().filter(|value| !value.is_empty() && !is_web_address(value)) {
            return Err(RejectedApplication::new(
                code,
                format!("{member} is no http or https URL: {value:?}"),
            ));
        }
    }
    document.certificate.as_ref().map_or(Ok(()), check_certificate)
}

/// An absolute URI without a fragment: "The endpoint URI MUST NOT include a fragment component" (RFC 6749 §3.1.2).
pub(super) fn is_redirect_uri(text: &str) -> bool {
    ResourceIndicator::parse(text).is_ok()
}

fn is_web_address(text: &str) -> bool {
    let before_fragment = text.split_once('#').map_or(text, |(before, _)| before);
    let scheme = before_fragment.split_once(':').map_or("", |(scheme, _)| scheme);
    (scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http"))
        && ResourceIndicator::parse(before_fragment).is_ok()
}

fn check_certificate(certificate: &Certificate) -> Result<(), RejectedApplication> {
    let refused = |code: ApplicationCode, why: &str| Err(RejectedApplication::new(code, why));
    let value = certificate.value.as_deref().unwrap_or_default();
    match certificate.r#type.as_str() {
        "" | "NONE" => Ok(()),
        "JWKS" => {
            let set = serde_json::from_str::<Value>(value).unwrap_or_default();
            if set["keys"].is_array() {
                Ok(())
            } else {
                refused(InvalidCertificateValue, "certificate.value must be a JWK set as text (RFC 7517)")
            }
        }
        "JWKS_URI" if !is_web_address(value) => refused(InvalidJwksUri, "certificate.value must be a URL"),
        "JWKS_URI" if !value.starts_with("https://") => {
            refused(JwksUriNotHttps, "certificate.value must begin with https://")
        }
        "JWKS_URI" => Ok(()),
        _ => refused(InvalidCertificateType, "certificate.type must be NONE, JWKS or JWKS_URI"),
    }
}

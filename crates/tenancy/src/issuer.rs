//! Issuer identifiers, compared as exact strings (RFC 8414 §2, RFC 7519 §4.1.1).

use std::sync::Arc;

use derive_more::Display;
use serde::{Deserialize, Serialize};
use values::AsStr;

/// The value of `iss`, usually a URL. Aliases of a tenant may also be plain words, because `iss` is a
/// `StringOrURI`.
#[derive(AsStr, Clone, Debug, Display, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Issuer(Arc<str>);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an issuer is 1 to 255 printable ASCII characters without spaces, quotes or backslashes")]
pub struct InvalidIssuer;

impl Issuer {
    /// 1 to 255 visible ASCII characters without quotes and backslashes, because an issuer is also quoted in
    /// `WWW-Authenticate`.
    ///
    /// # Errors
    /// [`InvalidIssuer`].
    pub fn parse(text: &str) -> Result<Self, InvalidIssuer> {
        let allowed = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E);
        let fits = (1..=255).contains(&text.len()) && text.bytes().all(allowed);
        if fits { Ok(Self(text.into())) } else { Err(InvalidIssuer) }
    }

    /// The default issuer of a tenant: its path under the public URL. The `Host` header is never used.
    #[must_use]
    pub fn derived(public_url: &str, tenant: &crate::TenantId) -> Self {
        Self(format!("{}/api/v1/tenant/{tenant}", public_url.trim_end_matches('/')).into())
    }
}

impl TryFrom<String> for Issuer {
    type Error = InvalidIssuer;

    fn try_from(text: String) -> Result<Self, InvalidIssuer> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TenantId;

    // [metadata RFC 8414 §2]
    #[test]
    fn issuers_are_urls_or_bare_words() {
        for good in ["https://auth.example.com", "thunder", "http://localhost:3000/api/v1/tenant/acme"] {
            assert_eq!(Issuer::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "a b", "a\"b", "a\\b", "\u{e9}", &"a".repeat(256)] {
            assert_eq!(Issuer::parse(bad), Err(InvalidIssuer), "{bad}");
        }
    }

    // [metadata RFC 8414 §2 f]: Endpoints are URLs that the operator configured, never built from a request's
    //   `Host`
    #[test]
    fn derived_issuer_has_the_tenant_path() {
        let acme = TenantId::parse("acme").unwrap();
        let expected = "http://localhost:3000/api/v1/tenant/acme";
        assert_eq!(Issuer::derived("http://localhost:3000", &acme).as_str(), expected);
        assert_eq!(Issuer::derived("http://localhost:3000/", &acme).as_str(), expected);
    }
}

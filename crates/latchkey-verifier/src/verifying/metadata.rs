//! The metadata of an issuer (RFC 8414), with the URLs of its keys and its revocations.

use serde::Deserialize;
use url::Url;

use crate::verifying::service_url::service_url;

/// A metadata document is a few KiB.
pub(crate) const LARGEST: usize = 64 * 1024;

/// The members that the verifier needs.
#[derive(Debug)]
pub(crate) struct Metadata {
    pub(crate) jwks_uri: Url,
    pub(crate) revocations_uri: Option<Url>,
}

/// Why a document is not the metadata of the issuer.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidMetadata {
    #[error("the metadata is no JSON object with `issuer` and `jwks_uri`")]
    Malformed,
    #[error("the metadata is of another issuer")]
    OtherIssuer,
    #[error("`jwks_uri` or `revocations_uri` of the metadata is neither https nor this machine")]
    UnsafeUrl,
}

#[derive(Deserialize)]
struct MetadataDocument {
    issuer: String,
    jwks_uri: String,
    revocations_uri: Option<String>,
}

impl Metadata {
    /// The URLs of an issuer's metadata: the well-known name between host and path (RFC 8414 §3.1), then
    /// after the path.
    pub(crate) fn places(issuer: &Url) -> [Url; 2] {
        const NAME: &str = "/.well-known/oauth-authorization-server";
        let path = issuer.path().trim_end_matches('/');
        let at = |path: String| {
            let mut url = issuer.clone();
            url.set_path(&path);
            url
        };
        [at(format!("{NAME}{path}")), at(format!("{path}{NAME}"))]
    }

    pub(crate) fn read(json: &str, issuer: &str) -> Result<Self, InvalidMetadata> {
        let document: MetadataDocument =
            serde_json::from_str(json).map_err(|_| InvalidMetadata::Malformed)?;
        // RFC 8414 §3.3: if `issuer` differs from the identifier in the well-known URL, the document is not
        // used.
        if document.issuer != issuer {
            return Err(InvalidMetadata::OtherIssuer);
        }
        let url = |text: String| service_url(&text).ok_or(InvalidMetadata::UnsafeUrl);
        Ok(Self {
            jwks_uri: url(document.jwks_uri)?,
            revocations_uri: document.revocations_uri.map(url).transpose()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_looked_up_at_two_urls() {
        const NAME: &str = "/.well-known/oauth-authorization-server";
        for path in ["/api/v1/tenant/acme", ""] {
            let origin = "https://id.example.com";
            let places = Metadata::places(&Url::parse(&format!("{origin}{path}")).unwrap());
            let expected = [format!("{origin}{NAME}{path}"), format!("{origin}{path}{NAME}")];
            assert_eq!(places.map(String::from), expected);
        }
    }

    #[test]
    fn issuer_is_compared_exactly_and_urls_need_https() {
        const ISSUER: &str = "https://id.example.com";
        let read = |json: &str| Metadata::read(json, ISSUER).map(|metadata| String::from(metadata.jwks_uri));
        let with = |issuer: &str, url: &str| format!(r#"{{"issuer":"{issuer}","jwks_uri":"{url}"}}"#);
        assert_eq!(read(&with(ISSUER, "https://a.example/k")).unwrap(), "https://a.example/k");
        for (json, error) in [
            (with("https://id.example.com/", "https://a.example/k"), InvalidMetadata::OtherIssuer),
            (with("https://ID.example.com", "https://a.example/k"), InvalidMetadata::OtherIssuer),
            (with(ISSUER, "http://a.example/k"), InvalidMetadata::UnsafeUrl),
            (format!(r#"{{"issuer":"{ISSUER}"}}"#), InvalidMetadata::Malformed),
            ("[]".to_owned(), InvalidMetadata::Malformed),
        ] {
            assert_eq!(read(&json).unwrap_err(), error, "{json}");
        }
    }
}

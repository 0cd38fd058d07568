//! Where the server finds the key set to verify another party's signatures.

use std::borrow::Cow;

use keys::{InvalidKeySet, PublicKeys};
use serde::Deserialize;
use tenancy::{IssuerKeys, TrustedIssuer};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeySource<'a> {
    pub place: KeyPlace,
    /// A URL, an issuer or a JWKS document, depending on `place`.
    pub text: Cow<'a, str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyPlace {
    /// The `jwks_uri` of a client.
    OfClient,
    /// The configured URL of another issuer's keys.
    OfIssuer,
    /// The metadata of another issuer contain the URL.
    Discovery,
    /// The document itself is configured. Nothing is fetched.
    Document,
}

impl<'a> KeySource<'a> {
    #[must_use]
    pub const fn of_client(url: &'a str) -> Self {
        Self { place: KeyPlace::OfClient, text: Cow::Borrowed(url) }
    }

    #[must_use]
    pub fn of_issuer(issuer: &'a TrustedIssuer) -> Self {
        let (place, text) = match &issuer.keys {
            IssuerKeys::Discovery => (KeyPlace::Discovery, &issuer.issuer),
            IssuerKeys::Url(url) => (KeyPlace::OfIssuer, url),
            IssuerKeys::Document(document) => (KeyPlace::Document, document),
        };
        Self { place, text: Cow::Borrowed(text) }
    }

    #[must_use]
    pub fn into_owned(self) -> KeySource<'static> {
        KeySource { place: self.place, text: Cow::Owned(self.text.into_owned()) }
    }

    /// The URL that is requested first. `None` for a document.
    #[must_use]
    pub fn url(&self) -> Option<Cow<'_, str>> {
        match self.place {
            KeyPlace::OfClient | KeyPlace::OfIssuer => Some(Cow::Borrowed(&self.text)),
            // OpenID Connect Discovery §4: "If the Issuer value contains a path component, any terminating /
            // MUST be removed before appending /.well-known/openid-configuration."
            KeyPlace::Discovery => Some(Cow::Owned(format!(
                "{}/.well-known/openid-configuration",
                self.text.trim_end_matches('/')
            ))),
            KeyPlace::Document => None,
        }
    }

    pub fn read(&self, document: &str) -> Result<PublicKeys, InvalidKeySet> {
        match self.place {
            KeyPlace::OfClient => PublicKeys::read_of_client(document),
            KeyPlace::OfIssuer | KeyPlace::Discovery | KeyPlace::Document => {
                PublicKeys::read_of_issuer(document)
            }
        }
    }
}

/// Reads `jwks_uri` from the metadata of this issuer.
///
/// # Errors
/// If the document is not valid metadata, or is the metadata of another issuer.
pub fn jwks_uri_of(metadata: &str, issuer: &str) -> Result<String, String> {
    #[derive(Deserialize)]
    struct SourceMetadata {
        issuer: String,
        jwks_uri: String,
    }
    let read = serde_json::from_str::<SourceMetadata>(metadata);
    let SourceMetadata { issuer: named, jwks_uri } =
        read.map_err(|_| "the issuer's metadata has no issuer or no jwks_uri".to_owned())?;
    // OpenID Connect Discovery §4.3: "The issuer value returned MUST be identical to the
    // Issuer URL that was used".
    if named == issuer { Ok(jwks_uri) } else { Err("the metadata belongs to another issuer".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    // [federation OIDC Discovery §4.3]: The `issuer` of the metadata is the issuer for which they were
    //   fetched
    #[test]
    fn metadata_is_below_its_issuer_and_names_it() {
        for (issuer, expected) in [
            ("https://ci.example", "https://ci.example/.well-known/openid-configuration"),
            ("https://ci.example/", "https://ci.example/.well-known/openid-configuration"),
            ("https://ci.example/a", "https://ci.example/a/.well-known/openid-configuration"),
            ("https://ci.example/a/", "https://ci.example/a/.well-known/openid-configuration"),
        ] {
            assert_eq!(KeySource::of_issuer(&TrustedIssuer::of_url(issuer)).url().as_deref(), Some(expected));
        }
        let metadata = r#"{"issuer":"https://ci.example","jwks_uri":"https://keys.example","more":1}"#;
        assert_eq!(jwks_uri_of(metadata, "https://ci.example").as_deref(), Ok("https://keys.example"));
        for (metadata, issuer) in [
            (metadata, "https://ci.example/"),
            (r#"{"issuer":"https://ci.example"}"#, "https://ci.example"),
            ("[]", "https://ci.example"),
            ("", "https://ci.example"),
        ] {
            assert!(jwks_uri_of(metadata, issuer).is_err(), "{metadata}");
        }
    }

    // [federation SPIFFE draft §5]: Bundles are keyed by the trust domain; the endpoint is configured, and
    //   not derived
    #[test]
    fn bundle_gives_only_its_jwt_svid_keys() {
        let bundle = r#"{"spiffe_sequence":1,"keys":[
            {"use":"jwt-svid","kid":"a","kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"},
            {"use":"x509-svid","kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}"#;
        let kids = |place| {
            let source = KeySource { place, text: Cow::Borrowed("") };
            source.read(bundle).unwrap().iter().map(|(kid, _)| kid.to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(kids(KeyPlace::OfIssuer), ["a"]);
        assert_eq!(kids(KeyPlace::OfClient), [""; 0]);
    }
}

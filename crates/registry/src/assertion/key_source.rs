//! Where the server finds a key set that verifies the signatures of another party.

use std::borrow::Cow;

use keys::{InvalidKeySet, PublicKeys};
use serde::Deserialize;
use tenancy::{IssuerKeys, TrustedIssuer};

/// A place of keys.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeySource<'a> {
    /// The kind of place that the text names.
    pub place: KeyPlace,
    /// A URL, an issuer, or a document.
    pub text: Cow<'a, str>,
}

/// The kind of place that has the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyPlace {
    /// The `jwks_uri` of a client.
    OfClient,
    /// The URL of another issuer's keys.
    OfIssuer,
    /// Another issuer. Its metadata has the URL.
    Discovery,
    /// A document, which is not fetched.
    Document,
}

impl<'a> KeySource<'a> {
    /// The `jwks_uri` of a client.
    #[must_use]
    pub const fn of_client(url: &'a str) -> Self {
        Self { place: KeyPlace::OfClient, text: Cow::Borrowed(url) }
    }

    /// The source of a trusted issuer's keys.
    #[must_use]
    pub fn of_issuer(issuer: &'a TrustedIssuer) -> Self {
        let (place, text) = match &issuer.keys {
            IssuerKeys::Discovery => (KeyPlace::Discovery, &issuer.issuer),
            IssuerKeys::Url(url) => (KeyPlace::OfIssuer, url),
            IssuerKeys::Document(document) => (KeyPlace::Document, document),
        };
        Self { place, text: Cow::Borrowed(text) }
    }

    /// The source for longer than its text is borrowed.
    #[must_use]
    pub fn into_owned(self) -> KeySource<'static> {
        KeySource { place: self.place, text: Cow::Owned(self.text.into_owned()) }
    }

    /// The URL that is requested first; none for a document.
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

    /// Reads the key set of this source.
    ///
    /// # Errors
    /// [`InvalidKeySet`].
    pub fn read(&self, document: &str) -> Result<PublicKeys, InvalidKeySet> {
        match self.place {
            KeyPlace::OfClient => PublicKeys::read_of_client(document),
            KeyPlace::OfIssuer | KeyPlace::Discovery | KeyPlace::Document => {
                PublicKeys::read_of_issuer(document)
            }
        }
    }
}

/// Reads the URL of the keys from the metadata of this issuer.
///
/// # Errors
/// When the document is no metadata, or is the metadata of another issuer.
pub fn jwks_uri_of(metadata: &str, issuer: &str) -> Result<String, String> {
    #[derive(Deserialize)]
    struct SourceMetadata {
        issuer: String,
        jwks_uri: String,
    }
    let read = serde_json::from_str::<SourceMetadata>(metadata);
    let SourceMetadata { issuer: named, jwks_uri } =
        read.map_err(|_| "the metadata of the issuer have no issuer or no jwks_uri".to_owned())?;
    // OpenID Connect Discovery §4.3: "The issuer value returned MUST be identical to the
    // Issuer URL that was used".
    if named == issuer { Ok(jwks_uri) } else { Err("the metadata are of another issuer".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    // [federation OIDC Discovery §4.3]: The `issuer` of the metadata is the issuer for which they were
    //   fetched
    #[test]
    fn metadata_stand_below_the_issuer_and_name_it() {
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
    fn the_bundle_of_a_trust_domain_has_keys_for_svids() {
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

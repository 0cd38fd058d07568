//! Where tokens are requested: at the endpoint that was configured, or at the one that the issuer's metadata name (RFC 8414).

use reqwest::header::ACCEPT;
use reqwest::{Client, Url};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::config_error::ConfigError;
use crate::error::{TokenError, printable};
use crate::exchange::{Answer, unusable};
use crate::urls::{is_loopback, server_url};

/// An authorization server.
pub(crate) struct Server {
    place: Place,
    allow_plain_http: bool,
}

enum Place {
    TokenEndpoint(Url),
    /// The token endpoint is in the metadata of this issuer.
    Issuer {
        issuer: String,
        metadata: Url,
        found: Mutex<Option<Found>>,
    },
}

/// The token endpoint of the metadata.
struct Found {
    url: Url,
    for_certificates: bool,
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    token_endpoint: String,
    #[serde(default)]
    mtls_endpoint_aliases: Aliases,
}

/// RFC 8705 §5.
#[derive(Deserialize, Default)]
struct Aliases {
    token_endpoint: Option<String>,
}

impl Server {
    pub(crate) fn new(
        issuer: Option<String>,
        endpoint: Option<String>,
        allow_plain_http: bool,
    ) -> Result<Self, ConfigError> {
        let place = match (issuer, endpoint) {
            (Some(issuer), None) => {
                let url = server_url("issuer", &issuer, allow_plain_http)?;
                Place::Issuer { metadata: metadata_url(url), issuer, found: Mutex::default() }
            }
            (None, Some(url)) => Place::TokenEndpoint(server_url("token_endpoint", &url, allow_plain_http)?),
            (Some(_), Some(_)) => {
                return Err(ConfigError::Both("issuer".to_owned(), "token_endpoint".to_owned()));
            }
            (None, None) => {
                return Err(ConfigError::missing("issuer", "give the issuer's URL, or `token_endpoint`"));
            }
        };
        Ok(Self { place, allow_plain_http })
    }

    /// The token endpoint for clients with a certificate, or for those without one.
    pub(crate) async fn token_endpoint(
        &self,
        http: &Client,
        for_certificates: bool,
    ) -> Result<Url, TokenError> {
        let (issuer, metadata, found) = match &self.place {
            Place::TokenEndpoint(url) => return Ok(url.clone()),
            Place::Issuer { issuer, metadata, found } => (issuer, metadata, found),
        };
        let mut found = found.lock().await;
        if let Some(found) = found.as_ref().filter(|found| found.for_certificates == for_certificates) {
            return Ok(found.url.clone());
        }
        let response = http.get(metadata.clone()).header(ACCEPT, "application/json").send().await;
        let answer = Answer::of(response.map_err(TokenError::unavailable)?).await?;
        match answer.status {
            200 => {}
            408 | 425 | 429 | 500..=599 => {
                return Err(TokenError::unavailable(format!("{metadata} answered {}", answer.status)));
            }
            status => return Err(unusable(metadata, format!("it answered {status}"))),
        }
        let url = self.named(&answer.body, issuer, for_certificates);
        let url = url.map_err(|why| unusable(metadata, why))?;
        *found = Some(Found { url: url.clone(), for_certificates });
        Ok(url)
    }

    /// The endpoint that a document names, if it is the issuer's.
    fn named(&self, document: &[u8], issuer: &str, for_certificates: bool) -> Result<Url, String> {
        let document: Metadata = serde_json::from_slice(document)
            .map_err(|error| format!("it is no metadata of an authorization server: {error}"))?;
        // RFC 8414 §3.3: the issuer in the metadata must be identical to the one that was asked.
        if document.issuer != issuer {
            let other = printable(&document.issuer);
            return Err(format!("it is about the issuer `{other}`, not `{issuer}`"));
        }
        // RFC 8705 §5: without an alias the same endpoint takes certificates.
        let alias = document.mtls_endpoint_aliases.token_endpoint.filter(|_| for_certificates);
        let url = alias.unwrap_or(document.token_endpoint);
        server_url("token_endpoint", &url, self.allow_plain_http).map_err(|error| error.to_string())
    }

    /// Reads the metadata again next time: the endpoint's answer is not one of a token endpoint.
    pub(crate) async fn forget_endpoint(&self) {
        if let Place::Issuer { found, .. } = &self.place {
            *found.lock().await = None;
        }
    }

    pub(crate) fn is_on_this_machine(&self) -> bool {
        match &self.place {
            Place::TokenEndpoint(url) => is_loopback(url),
            Place::Issuer { metadata, .. } => is_loopback(metadata),
        }
    }

    pub(crate) fn issuer(&self) -> Option<&str> {
        match &self.place {
            Place::TokenEndpoint(_) => None,
            Place::Issuer { issuer, .. } => Some(issuer),
        }
    }
}

/// RFC 8414 §3.1: the well-known path stands between the issuer's host and its path.
fn metadata_url(mut issuer: Url) -> Url {
    let path = format!("/.well-known/oauth-authorization-server{}", issuer.path().trim_end_matches('/'));
    issuer.set_path(&path);
    issuer.set_query(None);
    issuer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metadata_stand_between_host_and_path() {
        for (issuer, metadata) in [
            ("https://id.example.com", "https://id.example.com/.well-known/oauth-authorization-server"),
            ("https://id.example.com/", "https://id.example.com/.well-known/oauth-authorization-server"),
            (
                "https://id.example.com/api/v1/tenant/acme",
                "https://id.example.com/.well-known/oauth-authorization-server/api/v1/tenant/acme",
            ),
        ] {
            assert_eq!(metadata_url(issuer.parse().unwrap()).as_str(), metadata);
        }
    }

    #[test]
    fn clients_with_a_certificate_have_an_alias_where_there_is_one() {
        let issuer = "https://id.example.com";
        let server = Server::new(Some(issuer.to_owned()), None, false).unwrap();
        let plain = r#""issuer":"https://id.example.com","token_endpoint":"https://id.example.com/t""#;
        let aliased =
            format!(r#"{plain},"mtls_endpoint_aliases":{{"token_endpoint":"https://mtls.example.com/t"}}"#);
        let other = format!(r#"{plain},"mtls_endpoint_aliases":{{"revocation_endpoint":"https://x/r"}}"#);
        for (document, for_certificates, url) in [
            (plain, true, "https://id.example.com/t"),
            (&aliased, true, "https://mtls.example.com/t"),
            (&aliased, false, "https://id.example.com/t"),
            (&other, true, "https://id.example.com/t"),
        ] {
            let named = server.named(format!("{{{document}}}").as_bytes(), issuer, for_certificates);
            assert_eq!(named.unwrap().as_str(), url);
        }
        let plain_http = aliased.replace("https://mtls", "http://mtls");
        assert!(server.named(format!("{{{plain_http}}}").as_bytes(), issuer, true).is_err());
        assert!(server.named(format!("{{{plain_http}}}").as_bytes(), issuer, false).is_ok());
    }
}

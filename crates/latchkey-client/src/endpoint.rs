//! The endpoints at which a client authenticates: the configured ones, or those in the issuer's metadata (RFC
//! 8414).

use reqwest::header::ACCEPT;
use reqwest::{Client, Url};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::config_error::ConfigError;
use crate::error::{TokenError, printable};
use crate::http_answer::{Answer, unusable};
use crate::urls::{is_loopback, server_url};

/// An endpoint at which clients authenticate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Token,
    /// RFC 7009.
    Revocation,
    /// RFC 7662.
    Introspection,
}

/// A text for each endpoint: its URL, if it is known.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Endpoints {
    pub(crate) token_endpoint: Option<String>,
    pub(crate) revocation_endpoint: Option<String>,
    pub(crate) introspection_endpoint: Option<String>,
}

/// An authorization server.
pub(crate) struct AuthorizationServer {
    /// Checked when the source was built.
    configured: Endpoints,
    issuer: Option<DiscoveredIssuer>,
    allow_plain_http: bool,
}

/// An issuer, whose metadata name the endpoints that are not configured.
struct DiscoveredIssuer {
    name: String,
    metadata: Url,
    found: Mutex<Option<IssuerMetadata>>,
}

#[derive(Clone, Deserialize)]
struct IssuerMetadata {
    issuer: String,
    #[serde(flatten)]
    endpoints: Endpoints,
    /// RFC 8705 §5.
    #[serde(default)]
    mtls_endpoint_aliases: Endpoints,
}

impl Endpoint {
    /// Its name in metadata.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Token => "token_endpoint",
            Self::Revocation => "revocation_endpoint",
            Self::Introspection => "introspection_endpoint",
        }
    }
}

impl Endpoints {
    fn of(&self, endpoint: Endpoint) -> Option<&str> {
        let url = match endpoint {
            Endpoint::Token => &self.token_endpoint,
            Endpoint::Revocation => &self.revocation_endpoint,
            Endpoint::Introspection => &self.introspection_endpoint,
        };
        url.as_deref()
    }
}

impl AuthorizationServer {
    pub(crate) fn new(
        issuer: Option<String>,
        configured: Endpoints,
        allow_plain_http: bool,
    ) -> Result<Self, ConfigError> {
        for endpoint in [Endpoint::Token, Endpoint::Revocation, Endpoint::Introspection] {
            if let Some(url) = configured.of(endpoint) {
                server_url(endpoint.name(), url, allow_plain_http)?;
            }
        }
        let issuer = match (issuer, &configured.token_endpoint) {
            (Some(name), None) => {
                let url = server_url("issuer", &name, allow_plain_http)?;
                Some(DiscoveredIssuer { metadata: metadata_url(url), name, found: Mutex::default() })
            }
            (None, Some(_)) => None,
            (Some(_), Some(_)) => {
                return Err(ConfigError::Both("issuer".to_owned(), "token_endpoint".to_owned()));
            }
            (None, None) => {
                return Err(ConfigError::missing("issuer", "give the issuer's URL, or `token_endpoint`"));
            }
        };
        Ok(Self { configured, issuer, allow_plain_http })
    }

    /// The endpoint for clients with a certificate, or for those without one.
    pub(crate) async fn endpoint(
        &self,
        endpoint: Endpoint,
        http: &Client,
        for_certificates: bool,
    ) -> Result<Url, TokenError> {
        let missing = || TokenError::NoEndpoint { name: endpoint.name() };
        if let Some(url) = self.configured.of(endpoint) {
            return server_url(endpoint.name(), url, self.allow_plain_http).map_err(|_| missing());
        }
        let issuer = self.issuer.as_ref().ok_or_else(missing)?;
        let metadata = self.metadata(issuer, http).await?;
        let url = metadata.url(endpoint, for_certificates).ok_or_else(missing)?;
        let url = server_url(endpoint.name(), url, self.allow_plain_http);
        url.map_err(|error| unusable(&issuer.metadata, error.to_string()))
    }

    /// The issuer's metadata, which are read once.
    async fn metadata(&self, issuer: &DiscoveredIssuer, http: &Client) -> Result<IssuerMetadata, TokenError> {
        let DiscoveredIssuer { name, metadata, found } = issuer;
        let mut found = found.lock().await;
        if let Some(found) = &*found {
            return Ok(found.clone());
        }
        let response = http.get(metadata.clone()).header(ACCEPT, "application/json").send().await;
        let answer = Answer::from_response(response.map_err(TokenError::unavailable)?).await?;
        match answer.status {
            200 => {}
            408 | 425 | 429 | 500..=599 => {
                return Err(TokenError::unavailable(format!("{metadata} answered {}", answer.status)));
            }
            status => return Err(unusable(metadata, format!("it answered {status}"))),
        }
        let document = of_issuer(&answer.body, name).map_err(|why| unusable(metadata, why))?;
        Ok(found.insert(document).clone())
    }

    /// Makes the next call read the metadata again, because the answer was not that of a token endpoint.
    pub(crate) async fn forget_endpoint(&self) {
        if let Some(issuer) = &self.issuer {
            *issuer.found.lock().await = None;
        }
    }

    pub(crate) fn is_on_this_machine(&self) -> bool {
        let configured = || self.configured.token_endpoint.as_ref()?.parse().ok();
        let url = self.issuer.as_ref().map(|issuer| issuer.metadata.clone()).or_else(configured);
        url.is_some_and(|url| is_loopback(&url))
    }

    pub(crate) fn issuer(&self) -> Option<&str> {
        self.issuer.as_ref().map(|issuer| issuer.name.as_str())
    }
}

impl IssuerMetadata {
    fn url(&self, endpoint: Endpoint, for_certificates: bool) -> Option<&str> {
        // RFC 8705 §5: without an alias, the same endpoint accepts certificates.
        let alias = self.mtls_endpoint_aliases.of(endpoint).filter(|_| for_certificates);
        alias.or(self.endpoints.of(endpoint))
    }
}

/// The metadata, if they are this issuer's.
fn of_issuer(document: &[u8], issuer: &str) -> Result<IssuerMetadata, String> {
    let document: IssuerMetadata = serde_json::from_slice(document)
        .map_err(|error| format!("it is no metadata of an authorization server: {error}"))?;
    // RFC 8414 §3.3: the issuer in the metadata must be identical to the configured one.
    if document.issuer != issuer {
        let other = printable(&document.issuer);
        return Err(format!("it is about the issuer `{other}`, not `{issuer}`"));
    }
    Ok(document)
}

/// RFC 8414 §3.1: the well-known path is between the issuer's host and its path.
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
    fn metadata_path_is_inserted_before_the_issuer_path() {
        let found = |issuer: &str| metadata_url(issuer.parse().unwrap()).to_string();
        let metadata = "https://id.example.com/.well-known/oauth-authorization-server";
        assert_eq!(found("https://id.example.com"), metadata);
        assert_eq!(found("https://id.example.com/"), metadata);
        let path = "/api/v1/tenant/acme";
        assert_eq!(found(&format!("https://id.example.com{path}")), format!("{metadata}{path}"));
    }

    #[test]
    fn mtls_clients_use_endpoint_aliases_if_present() {
        let issuer = "https://id.example.com";
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
            let metadata = of_issuer(format!("{{{document}}}").as_bytes(), issuer).unwrap();
            assert_eq!(metadata.url(Endpoint::Token, for_certificates), Some(url));
        }
        let metadata = of_issuer(format!("{{{other}}}").as_bytes(), issuer).unwrap();
        assert_eq!(metadata.url(Endpoint::Revocation, true), Some("https://x/r"));
        assert_eq!(metadata.url(Endpoint::Revocation, false), None);
    }
}

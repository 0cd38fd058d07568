//! A profile: a client at a server, and the scopes and resources of its tokens. It contains no secret.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tenancy::TenantId;
use url::Url;

use super::credential::CredentialStore;
use super::trust::Trust;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Profile {
    /// Where its tokens come from.
    #[serde(flatten)]
    pub(crate) endpoint: TokenEndpoint,
    pub(crate) client_id: String,
    pub(crate) credential: CredentialKind,
    pub(crate) store: CredentialStore,
    /// The `kid` of the key, if the key itself contains none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key_id: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) scopes: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) resources: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) origins: Vec<String>,
    /// Additional trusted certificates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ca: Option<PathBuf>,
}

/// Where tokens are requested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum TokenEndpoint {
    /// A tenant of a Latchkey server.
    Tenant {
        server: Url,
        /// The tenant of the client.
        tenant: TenantId,
    },
    /// An issuer, whose metadata contains the token endpoint.
    Issuer {
        issuer: String,
    },
    Direct {
        token_endpoint: String,
    },
}

/// The credential that authenticates the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CredentialKind {
    Secret,
    /// A command that prints the secret.
    Command,
    /// A private key, which signs assertions.
    Key,
    /// Certificates with their private key, which connections present (RFC 8705).
    Certificate,
}

impl Profile {
    /// A profile with the default settings.
    pub(crate) const fn new(endpoint: TokenEndpoint, client_id: String, credential: CredentialKind) -> Self {
        Self {
            endpoint,
            client_id,
            credential,
            store: CredentialStore::File,
            key_id: None,
            scopes: Vec::new(),
            resources: Vec::new(),
            origins: Vec::new(),
            ca: None,
        }
    }

    pub(crate) fn trust(&self) -> Trust {
        Trust::from_file(self.ca.as_ref())
    }

    /// Whether the profile can be used for the administration of this server.
    pub(crate) fn is_of(&self, url: &Url) -> bool {
        let base = |url: &Url| url.as_str().trim_end_matches('/').to_owned();
        matches!(&self.endpoint, TokenEndpoint::Tenant { server, .. } if base(server) == base(url))
    }

    /// The tenant of the client. `None` if the endpoint is not a Latchkey server.
    pub(crate) fn tenant(&self) -> Option<&TenantId> {
        match &self.endpoint {
            TokenEndpoint::Tenant { tenant, .. } => Some(tenant),
            TokenEndpoint::Issuer { .. } | TokenEndpoint::Direct { .. } => None,
        }
    }
}

impl TokenEndpoint {
    /// The audience of assertions: the issuer, or the token endpoint if the issuer is unknown.
    pub(crate) fn audience(&self) -> String {
        match self {
            Self::Tenant { .. } => format!("{self}/oauth/token"),
            Self::Issuer { .. } | Self::Direct { .. } => self.to_string(),
        }
    }
}

impl fmt::Display for TokenEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tenant { server, tenant } => {
                write!(f, "{}/api/v1/tenant/{tenant}", server.as_str().trim_end_matches('/'))
            }
            Self::Issuer { issuer } => f.write_str(issuer),
            Self::Direct { token_endpoint } => f.write_str(token_endpoint),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profile_belongs_to_its_server() {
        let endpoint = TokenEndpoint::Tenant {
            server: "https://id.example.com/".parse().unwrap(),
            tenant: TenantId::parse("acme").unwrap(),
        };
        assert_eq!(endpoint.to_string(), "https://id.example.com/api/v1/tenant/acme");
        let profile = Profile {
            scopes: vec!["a".to_owned()],
            ..Profile::new(endpoint, "billing".to_owned(), CredentialKind::Secret)
        };
        assert!(profile.is_of(&"https://id.example.com".parse().unwrap()));
        assert!(!profile.is_of(&"https://id.example.com.evil.example".parse().unwrap()));
        assert!(!profile.is_of(&"http://id.example.com".parse().unwrap()));
        let text = serde_json::to_string(&profile).unwrap();
        assert_eq!(
            text,
            r#"{"server":"https://id.example.com/","tenant":"acme","client_id":"billing","credential":"secret","store":"file","scopes":["a"]}"#
        );
        assert_eq!(serde_json::from_str::<Profile>(&text).unwrap(), profile);
    }
}

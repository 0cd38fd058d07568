//! The registration of a client for the authorization endpoint (RFC 7591 §2, OpenID Connect RP-Initiated
//! Logout §3.1, OpenID Connect Dynamic Client Registration §2).

use protocol::{SubjectType, uri_host};
use serde::{Deserialize, Serialize};
use tenancy::{OwnRefreshTokenPolicy, UserinfoTokens};
use values::Lifetime;

/// The registration of a client that signs people in. A member that a row lacks has its default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CodeFlow {
    /// The redirect URIs that the client may request.
    pub redirect_uris: Vec<String>,
    /// The URIs that a person may be sent to after signing out.
    pub post_logout_redirect_uris: Vec<String>,
    /// Whether the client and its tenant are one party, so that no consent is requested.
    pub first_party: bool,
    /// Whether each request has a code challenge (RFC 7636).
    pub require_pkce: bool,
    /// Whether each request is pushed (RFC 9126 §6).
    pub require_par: bool,
    /// The URI that is notified when a session ends (OpenID Connect Back-Channel Logout §2.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<String>,
    /// Whether it needs `sid` in logout tokens. They always have it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub backchannel_logout_session_required: bool,
    /// Whether the client's `sub` of a person is public or pairwise. If it is not set, the tenant decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_type: Option<SubjectType>,
    /// The URI whose host is the client's sector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sector_identifier_uri: Option<String>,
    /// Whether ID tokens have the claims of the granted scopes as well, which userinfo returns (OpenID
    /// Connect Core §5.4).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub claims_in_id_token: bool,
    /// Whether its access tokens for userinfo are for its audiences, too. If it is not set, the tenant
    /// decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo: Option<UserinfoTokens>,
    /// How long ago a person may have signed in for a request without `max_age`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_max_age: Option<Lifetime>,
    /// The differences from the tenant's policy of refresh tokens.
    #[serde(skip_serializing_if = "is_default")]
    pub refresh_token: OwnRefreshTokenPolicy,
    /// Whether it opens pages in popups, and they may know the window that opened them.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub popup: bool,
}

fn is_default(own: &OwnRefreshTokenPolicy) -> bool {
    *own == OwnRefreshTokenPolicy::default()
}

impl CodeFlow {
    /// The host that determines the pairwise `sub` of a person: clients of one host get the same one. It is
    /// the host of `sector_identifier_uri`, or the host that all redirect URIs have (OpenID Connect Core
    /// §8.1).
    #[must_use]
    pub fn sector(&self) -> Option<String> {
        let host = |uri: &String| uri_host(uri).map(str::to_ascii_lowercase);
        if let Some(uri) = &self.sector_identifier_uri {
            return host(uri);
        }
        let mut hosts = self.redirect_uris.iter().map(host);
        let first = hosts.next()??;
        hosts.all(|other| other.as_deref() == Some(&first)).then_some(first)
    }
}

/// A client that signs no people in.
impl Default for CodeFlow {
    fn default() -> Self {
        Self {
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            first_party: false,
            require_pkce: true,
            require_par: false,
            backchannel_logout_uri: None,
            backchannel_logout_session_required: false,
            subject_type: None,
            sector_identifier_uri: None,
            claims_in_id_token: false,
            userinfo: None,
            default_max_age: None,
            refresh_token: OwnRefreshTokenPolicy::default(),
            popup: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sector_is_one_host_or_is_named() {
        for (uri, redirect_uris, expected) in [
            (None, &[] as &[&str], None),
            (None, &["https://App.example/a"], Some("app.example")),
            (None, &["https://app.example/a", "https://app.example:8443/b"], Some("app.example")),
            (None, &["https://app.example/a", "https://b.example/a"], None),
            (None, &["https://app.example/a", "http://127.0.0.1/a"], None),
            (None, &["http://127.0.0.1/a", "http://127.0.0.1:3000/b"], Some("127.0.0.1")),
            (None, &["com.example.app:/cb"], None),
            (
                Some("https://Sector.example/clients.json"),
                &["https://a.example/", "com.example.app:/cb"],
                Some("sector.example"),
            ),
            (Some("https://sector.example"), &[], Some("sector.example")),
        ] {
            let flow = CodeFlow {
                redirect_uris: redirect_uris.iter().map(|uri| (*uri).to_owned()).collect(),
                sector_identifier_uri: uri.map(str::to_owned),
                ..CodeFlow::default()
            };
            assert_eq!(flow.sector().as_deref(), expected, "{uri:?} {redirect_uris:?}");
        }
    }
}

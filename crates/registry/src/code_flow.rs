//! The registration of a client for the authorization endpoint (RFC 7591 §2, OpenID Connect RP-Initiated
//! Logout §3.1, OpenID Connect Dynamic Client Registration §2).

use protocol::{SubjectType, uri_host};
use serde::{Deserialize, Serialize};
use tenancy::{OwnRefreshTokenPolicy, UserinfoTokens};
use values::Lifetime;

use crate::GroupsClaim;

/// The registration of a client that signs people in. Members that a stored row lacks have their defaults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CodeFlow {
    pub redirect_uris: Vec<String>,
    /// The URIs that a person may be redirected to after signing out.
    pub post_logout_redirect_uris: Vec<String>,
    /// Whether the client belongs to the tenant's own organisation. If so, people are not asked for consent.
    pub first_party: bool,
    /// Whether each request must have a code challenge (RFC 7636).
    pub require_pkce: bool,
    /// Whether each request must be pushed (RFC 9126 §6).
    pub require_par: bool,
    /// The URI that is notified when a session ends (OpenID Connect Back-Channel Logout §2.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<String>,
    /// Whether the client requires `sid` in logout tokens. They always contain it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub backchannel_logout_session_required: bool,
    /// Whether the client receives a public or a pairwise `sub`. If it is not set, the tenant's setting
    /// applies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_type: Option<SubjectType>,
    /// The URI whose host is the client's sector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sector_identifier_uri: Option<String>,
    /// Whether ID tokens also contain the claims of the granted scopes, which userinfo returns otherwise
    /// (OpenID Connect Core §5.4).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub claims_in_id_token: bool,
    /// The claim with the person's groups, for grants with the scope `groups`.
    #[serde(skip_serializing_if = "is_default")]
    pub groups: GroupsClaim,
    /// Whether access tokens for userinfo are also for the client's audiences. If it is not set, the tenant's
    /// setting applies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo: Option<UserinfoTokens>,
    /// The maximum time since sign-in, for requests without `max_age`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_max_age: Option<Lifetime>,
    /// Overrides of the tenant's policy for refresh tokens.
    #[serde(skip_serializing_if = "is_default")]
    pub refresh_token: OwnRefreshTokenPolicy,
    /// Whether the client opens sign-in pages in popups that may access the window that opened them.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub popup: bool,
}

fn is_default<T: Default + PartialEq>(own: &T) -> bool {
    *own == T::default()
}

impl CodeFlow {
    /// The host that determines the pairwise `sub`: clients with the same host receive the same `sub`. It is
    /// the host of `sector_identifier_uri`, or the common host of all redirect URIs (OpenID Connect Core
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

/// The settings of a client that does not sign people in.
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
            groups: GroupsClaim::default(),
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
    fn sector_is_the_only_host_or_configured() {
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

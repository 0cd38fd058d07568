//! What a client is registered for at the authorization endpoint (RFC 7591 §2, OpenID Connect RP-Initiated Logout §3.1,
//! OpenID Connect Dynamic Client Registration §2).

use protocol::{Lifetime, SubjectType, uri_host};
use serde::{Deserialize, Serialize};
use tenancy::OwnRefreshTokenPolicy;

/// The registration of a client that signs people in. A row without a member has its default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CodeFlow {
    /// Where answers may go.
    pub redirect_uris: Vec<String>,
    /// Where people may go after they have signed out.
    pub post_logout_redirect_uris: Vec<String>,
    /// Whether people are not asked for consent, because client and tenant are one party to them.
    pub first_party: bool,
    /// Whether each request has a code challenge (RFC 7636).
    pub require_pkce: bool,
    /// Whether each request is pushed (RFC 9126 §6).
    pub require_par: bool,
    /// Where it is told that a session has ended (OpenID Connect Back-Channel Logout §2.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<String>,
    /// Whether it needs `sid` in logout tokens. They always have it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub backchannel_logout_session_required: bool,
    /// Whether other clients know a person by the same `sub`; none where the tenant decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_type: Option<SubjectType>,
    /// The URI whose host is the client's sector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sector_identifier_uri: Option<String>,
    /// Whether ID tokens have the claims of the granted scopes, too, which userinfo answers (OpenID Connect Core §5.4).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub claims_in_id_token: bool,
    /// How long ago a person may have signed in for a request without `max_age`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_max_age: Option<Lifetime>,
    /// What differs from the tenant's policy of refresh tokens.
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
    /// The host whose clients know a person by the same pairwise `sub`: that of `sector_identifier_uri`, or the one that all redirect URIs have
    /// (OpenID Connect Core §8.1).
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

/// A client that signs nobody in.
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

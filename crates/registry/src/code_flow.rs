//! What a client is registered for at the authorization endpoint (RFC 7591 §2, OpenID Connect RP-Initiated Logout §3.1).

use serde::{Deserialize, Serialize};

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
        }
    }
}

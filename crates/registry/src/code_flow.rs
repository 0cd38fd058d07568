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
        }
    }
}

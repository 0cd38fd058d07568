//! Sessions, consents and failed sign-ins of an account, as interfaces show them.

use accounts::Throttled;
use serde::{Deserialize, Serialize};
use sessions::Session;
use tenancy::SessionPolicy;

use super::Instant;
use super::schema::JsonSchema;
use crate::kinds::state::ConsentState;

/// Whether wrong passwords have caused an account to refuse unknown browsers, according to the replica that
/// answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ThrottlingView {
    /// Whether the account refuses them.
    pub throttled: bool,
    /// Since when.
    pub since: Option<Instant>,
    /// Until when the account counts as throttled, if nobody tries again from an unknown browser.
    pub until: Option<Instant>,
    /// How many consecutive passwords from unknown browsers were wrong. The count goes down by one every half
    /// hour.
    pub failures: u64,
}

/// A session of an account: one browser where the person is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionView {
    /// Its id: the claim `sid` of ID tokens.
    #[schemars(example = &"Qm9va3MgYXJlIGdvb2QuLg", extend("pattern" = "^[A-Za-z0-9_-]{22}$"))]
    pub session_id: String,
    /// When the person last authenticated.
    pub authenticated_at: Instant,
    /// The authentication level.
    pub acr: String,
    /// The authentication methods (RFC 8176).
    pub amr: Vec<String>,
    /// When it started.
    pub created_at: Instant,
    /// When it was last used, approximately.
    pub last_seen_at: Instant,
    /// When it ends at the latest.
    pub expires_at: Instant,
    /// Whether the person chose to stay signed in after closing the browser.
    pub remembered: bool,
    /// The browser's own name for itself.
    pub user_agent: String,
    /// The address from which the person signed in. Null: unknown.
    pub source: Option<String>,
}

/// A person's consent for a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConsentView {
    /// The client.
    pub client_id: String,
    /// The scopes that it can request without asking the person again.
    pub scopes: Vec<String>,
    /// The resources (RFC 8707) to which the consent applies. Empty for a client without audiences, and for
    /// consents from before Latchkey stored resources.
    #[serde(default)]
    pub resources: Vec<String>,
    /// When the person last gave consent.
    pub granted_at: Instant,
}

impl ThrottlingView {
    pub(crate) fn new(throttled: Option<Throttled>, failures: u64) -> Self {
        Self {
            throttled: throttled.is_some(),
            since: throttled.map(|throttled| throttled.since.into()),
            until: throttled.map(|throttled| throttled.until.into()),
            failures,
        }
    }
}

impl SessionView {
    /// The view of a session. `policy` is the policy of its tenant.
    #[must_use]
    pub fn new(session: Session, policy: SessionPolicy) -> Self {
        Self {
            expires_at: session.expires_under(policy).into(),
            session_id: session.id.to_string(),
            authenticated_at: session.authenticated_at.into(),
            acr: session.acr,
            amr: session.amr,
            created_at: session.created_at.into(),
            last_seen_at: session.last_seen_at.into(),
            remembered: session.remembered,
            user_agent: session.user_agent,
            source: session.source,
        }
    }
}

impl From<ConsentState> for ConsentView {
    fn from(consent: ConsentState) -> Self {
        let ConsentState { client, scopes, resources, granted_at } = consent;
        Self { client_id: client.to_string(), scopes, resources, granted_at: granted_at.into() }
    }
}

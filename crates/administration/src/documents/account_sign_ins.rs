//! Sessions, consents and failed sign-ins of an account, as interfaces show them.

use accounts::Throttled;
use serde::{Deserialize, Serialize};
use sessions::Session;
use tenancy::SessionPolicy;

use super::Instant;
use super::schema::JsonSchema;
use crate::ConsentState;

/// Whether wrong passwords have made an account refuse browsers that it does not know, as far as the
/// replica that answers knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ThrottlingView {
    /// Whether it does.
    pub throttled: bool,
    /// Since when it does.
    pub since: Option<Instant>,
    /// Until when it counts as throttled, if it refuses no more of them.
    pub until: Option<Instant>,
    /// How many passwords in a row were wrong, from browsers that it does not know; one is
    /// forgotten every half hour.
    pub failures: u64,
}

/// A session of an account: one browser where the person is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionView {
    /// Its id: the claim `sid` of ID tokens.
    #[schemars(example = &"Qm9va3MgYXJlIGdvb2QuLg", extend("pattern" = "^[A-Za-z0-9_-]{22}$"))]
    pub session_id: String,
    /// When the person last proved who it is.
    pub authenticated_at: Instant,
    /// How well it was proven.
    pub acr: String,
    /// By what it was proven (RFC 8176).
    pub amr: Vec<String>,
    /// When it began.
    pub created_at: Instant,
    /// When it was used last, a little before or later.
    pub last_seen_at: Instant,
    /// When it ends at the latest.
    pub expires_at: Instant,
    /// Whether the person chose to stay signed in after the browser has closed.
    pub remembered: bool,
    /// The browser, as it calls itself.
    pub user_agent: String,
    /// The address from which the person signed in. Null: it is not known.
    pub source: Option<String>,
}

/// What a person has allowed a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConsentView {
    /// The client.
    pub client_id: String,
    /// What it may ask for without asking the person again.
    pub scopes: Vec<String>,
    /// The resources (RFC 8707) at which it may do so. Empty for a client without audiences, and where the
    /// person allowed it before they were kept.
    #[serde(default)]
    pub resources: Vec<String>,
    /// When the person last allowed something.
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
    /// The view of a session at a tenant with this policy.
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

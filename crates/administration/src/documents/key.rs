//! Signing keys as interfaces show them, without the private half.

use std::collections::BTreeMap;
use std::fmt;

use protocol::SigningAlgorithm;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Instant;
use super::schema::JsonSchema;

/// A signing key of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyView {
    /// Its identifier, as in the header of tokens: `oauth2-key-1`.
    #[schemars(example = &"oauth2-key-1")]
    pub kid: String,
    /// What it signs with (RFC 7518 §3.1).
    #[schemars(example = &"RS256", extend("enum" = SigningAlgorithm::ALL.map(SigningAlgorithm::as_str)))]
    pub algorithm: String,
    /// Announced: published, and not signing yet. Active: it signs, or may. Retiring: it only verifies.
    /// Removed: it is published no more.
    #[schemars(example = &"active", extend("enum" = ["announced", "active", "retiring", "removed"]))]
    pub state: String,
    /// Of its public half (RFC 7638).
    pub thumbprint: String,
    /// From when on it is published.
    pub announced_at: Instant,
    /// From when on it signs.
    pub active_from: Instant,
    /// From when on it no longer signs.
    pub retiring_from: Option<Instant>,
    /// From when on it is no longer published.
    pub removed_at: Option<Instant>,
    /// Whether its private half has been wiped.
    pub destroyed: bool,
}

/// The public half of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PublicKeyView {
    /// As a member of the key set (RFC 7517 §4).
    #[schemars(with = "BTreeMap<String, String>")]
    pub jwk: Value,
    /// As SubjectPublicKeyInfo in PEM (RFC 7468 §13).
    pub pem: String,
}

/// What taking a key away breaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BrokenTokensView {
    /// Tokens that this key signed are refused from then on.
    #[schemars(example = &"oauth2-key-1")]
    pub kid: String,
    /// Until then such tokens would have lived.
    pub until: Instant,
}

/// What a rotation or a revocation has done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeysChanged {
    /// The tenant's keys as they are now.
    pub items: Vec<KeyView>,
    /// What it broke; empty for an orderly rotation.
    pub breaks: Vec<BrokenTokensView>,
}

/// A key that is to be brought in.
#[derive(Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["key"]))]
pub struct ImportSettings {
    /// A private key in PEM or as a JWK.
    #[schemars(extend("format" = "password"))]
    pub key: String,
    /// What it is to sign with; absent where the JWK says it.
    #[schemars(example = &"RS256")]
    pub algorithm: Option<String>,
}

/// Whether a new key can sign safely.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyStatusView {
    /// The key that signs now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing: Option<KeyView>,
    /// The key that is announced, if one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announced: Option<KeyView>,
    /// Whether all verifiers that poll have fetched the announced key; absent where none is
    /// announced or nobody polls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_by_all: Option<bool>,
    /// When the next automatic step of the keys is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Instant>,
    /// The keys that cannot be opened. While one of them should sign, no token is issued.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unopened: Vec<UnopenedKeyView>,
    /// The verifiers that poll, the latest first.
    pub verifiers: Vec<VerifierView>,
}

/// A key whose private half is sealed, and stays so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnopenedKeyView {
    /// Which.
    #[schemars(example = &"oauth2-key-1")]
    pub kid: String,
    /// The reason; and for administrators of the platform, how to fix it.
    pub problem: String,
}

/// A verifier that fetches the key set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VerifierView {
    /// User agent and address group.
    pub verifier: String,
    /// When it came last.
    pub last_fetch_at: Instant,
    /// The newest key that it was given.
    #[schemars(example = &"oauth2-key-1")]
    pub newest_kid: String,
    /// Whether it has the announced key; where none is announced, the one that signs.
    pub has_announced: bool,
}

impl fmt::Debug for ImportSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &mut f.debug_struct("ImportSettings");
        shown.field("key", &"[redacted]").field("algorithm", &self.algorithm).finish()
    }
}

//! Keys of tenants as interfaces show them, without the private half.

use std::collections::BTreeMap;
use std::fmt;

use keys::KeyAlgorithm;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Instant;
use super::schema::JsonSchema;

/// A key of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyView {
    /// Its identifier in the header of tokens, such as `oauth2-key-1`.
    #[schemars(example = &"oauth2-key-1")]
    pub kid: String,
    /// Its signing algorithm (RFC 7518 §3.1), or `AES-256-GCM-SIV` (RFC 8452) for a key that encrypts opaque
    /// access tokens. That key is not published.
    #[schemars(example = &"RS256", extend("enum" = KeyAlgorithm::all().map(KeyAlgorithm::as_str).collect::<Vec<_>>()))]
    pub algorithm: String,
    /// Announced: published, but not signing yet. Active: it signs or may sign. Retiring: it only verifies.
    /// Removed: it is no longer published.
    #[schemars(example = &"active", extend("enum" = ["announced", "active", "retiring", "removed"]))]
    pub state: String,
    /// The thumbprint of its public key (RFC 7638), or a digest of a key without one.
    pub thumbprint: String,
    /// When it is published.
    pub announced_at: Instant,
    /// When it starts to sign.
    pub active_from: Instant,
    /// When it stops signing.
    pub retiring_from: Option<Instant>,
    /// When it is no longer published.
    pub removed_at: Option<Instant>,
    /// Whether its private key was destroyed.
    pub destroyed: bool,
}

/// The public half of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PublicKeyView {
    /// The public key as in the key set (RFC 7517 §4).
    #[schemars(with = "BTreeMap<String, String>")]
    pub jwk: Value,
    /// The public key as SubjectPublicKeyInfo in PEM (RFC 7468 §13).
    pub pem: String,
}

/// What removing a key breaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BrokenTokensView {
    /// Verifiers refuse tokens signed with this key from now on.
    #[schemars(example = &"oauth2-key-1")]
    pub kid: String,
    /// When the last of these tokens would have expired.
    pub until: Instant,
}

/// The result of a rotation or a revocation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeysChanged {
    /// The tenant's keys with their new state.
    pub items: Vec<KeyView>,
    /// What it broke; empty for a normal rotation.
    pub breaks: Vec<BrokenTokensView>,
}

/// A key to import.
#[derive(Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["key"]))]
pub struct ImportSettings {
    /// A private key in PEM or as a JWK.
    #[schemars(extend("format" = "password"))]
    pub key: String,
    /// The signing algorithm; absent if the JWK contains it.
    #[schemars(example = &"RS256")]
    pub algorithm: Option<String>,
}

/// Whether a new key can start to sign safely.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyStatusView {
    /// The current signing key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing: Option<KeyView>,
    /// The announced key, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announced: Option<KeyView>,
    /// Whether all verifiers that poll have fetched the announced key; absent if no key is announced or
    /// nobody polls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_by_all: Option<bool>,
    /// When the next automatic step of the keys is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Instant>,
    /// The keys that Latchkey cannot open. If such a key is due to sign, Latchkey issues no tokens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unopened: Vec<UnopenedKeyView>,
    /// The verifiers that poll, latest first.
    pub verifiers: Vec<VerifierView>,
}

/// A signing key whose private part Latchkey cannot decrypt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnopenedKeyView {
    /// The key.
    #[schemars(example = &"oauth2-key-1")]
    pub kid: String,
    /// The reason; for administrators of the platform, also how to fix it.
    pub problem: String,
}

/// A verifier that fetches the key set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VerifierView {
    /// User agent and address group.
    pub verifier: String,
    /// When it last fetched the key set.
    pub last_fetch_at: Instant,
    /// The newest key that it received.
    #[schemars(example = &"oauth2-key-1")]
    pub newest_kid: String,
    /// Whether it has the announced key; if no key is announced, the key that signs.
    pub has_announced: bool,
}

impl fmt::Debug for ImportSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &mut f.debug_struct("ImportSettings");
        shown.field("key", &"[redacted]").field("algorithm", &self.algorithm).finish()
    }
}

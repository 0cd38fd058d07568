//! API keys as documents. The key itself is shown only in the answer that creates it, and the hash is never
//! shown.

use std::fmt;

use protocol::LONGEST_BRAND;
use registry::ApiKey;
use serde::{Deserialize, Serialize};
use tenancy::ApiKeyPolicy;
use values::{Lifetime, Timestamp};

use super::read::documents;
use super::schema::{self, JsonSchema, Span};
use super::{Instant, UsedFrom};
use crate::kinds;

/// The API keys of a tenant's clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ApiKeysSettings {
    /// The maximum duration of a key: at most ten years.
    #[schemars(with = "schema::Span", example = 31_536_000, extend("pattern" = schema::SOME_TIME, "minimum" = 1))]
    pub max_lifetime: Lifetime,
    /// The duration of a key if the request sets no expiry: at most `max_lifetime`.
    #[schemars(with = "schema::Span", example = 7_776_000, extend("pattern" = schema::SOME_TIME, "minimum" = 1))]
    pub default_lifetime: Lifetime,
    /// A brand in front of the keys, followed by `_`: `your_brand` makes `your_brand_lkk_…`. Default: none.
    #[schemars(extend("minLength" = 1, "maxLength" = LONGEST_BRAND, "pattern" = "^[a-z0-9_]+$"))]
    pub prefix: Option<String>,
}

/// An API key of a client.
//
// A PATCH is a merge patch of this.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ApiKeySettings {
    /// A name for people; required.
    #[schemars(extend("minLength" = 1, "maxLength" = 255, "pattern" = schema::NAME))]
    pub name: Option<String>,
    /// At most 16 labels of at most 64 bytes each. Introspection returns them.
    #[schemars(extend("items" = schema::names(schema::NAME), "uniqueItems" = true, "maxItems" = 16))]
    pub labels: Vec<String>,
    /// The customer for whom the client created the key: the client's own id for the customer. Introspection
    /// returns it.
    #[schemars(extend("minLength" = 1, "maxLength" = 255, "pattern" = schema::NAME))]
    pub owner: Option<String>,
    /// A part of the client's scopes. Default: all of them. A PATCH can remove scopes.
    #[schemars(extend("items" = schema::texts(schema::SCOPE), "uniqueItems" = true))]
    pub scopes: Option<Vec<String>>,
    /// A part of the client's audiences and resources. Default: its audiences. A PATCH can remove some.
    #[schemars(extend("items" = schema::names(schema::NAME), "uniqueItems" = true))]
    pub audiences: Option<Vec<String>>,
    /// When it expires. Default: after the tenant's `api_keys.default_lifetime`. A PATCH can set an earlier
    /// time.
    pub expires_at: Option<Instant>,
}

/// An API key with its current state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ApiKeyView {
    /// Its id: the 12 characters after `lkk_`.
    #[schemars(example = &"4fT9xQ2bV7mK", extend("pattern" = "^[0-9A-Za-z]{12}$"))]
    pub id: String,
    /// The client to which the key belongs.
    pub client_id: String,
    /// Its last four characters.
    pub hint: String,
    /// Whether it is valid now.
    #[schemars(example = &"live", extend("enum" = ["live", "expired", "revoked"]))]
    pub status: String,
    /// When it was created.
    pub created_at: Instant,
    /// When it last changed.
    pub updated_at: Instant,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Instant>,
    /// The key that replaced it in a rotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<String>,
    /// When it was last used; null if never. At most one flush interval late.
    pub last_used_at: Option<Instant>,
    /// When it was last presented after it expired or was revoked, and refused. This does not count as use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presented_after_end_at: Option<Instant>,
    /// The addresses that presented it, latest first: the last 8 that used it and the last 8 that were
    /// refused. For an introspection, the address is the resource server's.
    #[serde(default)]
    pub used_from: Vec<UsedFrom>,
    /// All else.
    #[serde(flatten)]
    pub settings: ApiKeySettings,
}

/// Settings for the rotation of a key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RotateApiKeySettings {
    /// How long the old key stays valid, unless it expires earlier. Default: one day.
    #[schemars(with = "Option<Span>", example = 86400)]
    pub grace: Option<Lifetime>,
}

/// A new key. This is the only response that contains it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CreatedApiKey {
    /// The key.
    #[schemars(extend("format" = "password"))]
    pub api_key: String,
    /// Everything else.
    #[serde(flatten)]
    pub key: ApiKeyView,
}

impl fmt::Debug for CreatedApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &mut f.debug_struct("CreatedApiKey");
        shown.field("api_key", &"[redacted]").field("key", &self.key).finish()
    }
}

impl From<&ApiKeyPolicy> for ApiKeysSettings {
    fn from(policy: &ApiKeyPolicy) -> Self {
        let ApiKeyPolicy { max_lifetime, default_lifetime, prefix } = policy.clone();
        Self { max_lifetime, default_lifetime, prefix }
    }
}

impl Default for ApiKeysSettings {
    fn default() -> Self {
        Self::from(&ApiKeyPolicy::default())
    }
}

impl From<&ApiKey> for ApiKeySettings {
    fn from(key: &ApiKey) -> Self {
        Self {
            name: Some(key.name.clone()),
            labels: key.labels.clone(),
            owner: key.owner.clone(),
            scopes: Some(key.scope.iter().map(|token| token.as_str().to_owned()).collect()),
            audiences: Some(key.audiences.clone()),
            expires_at: Some(key.expires_at.into()),
        }
    }
}

impl ApiKeyView {
    /// The view of a row at this time.
    #[must_use]
    pub fn new(state: &kinds::api_key::State, now: Timestamp) -> Self {
        let kinds::api_key::State { key, lifecycle, used_from, .. } = state;
        let status = match key.revoked_at {
            Some(_) => "revoked",
            None if key.is_live(now) => "live",
            None => "expired",
        };
        let [last_used_at, presented_after_end_at] = UsedFrom::last(used_from);
        Self {
            id: key.id.to_string(),
            client_id: key.client.to_string(),
            hint: key.hint.clone(),
            status: status.to_owned(),
            created_at: key.created_at.into(),
            updated_at: lifecycle.updated_at.into(),
            revoked_at: key.revoked_at.map(Instant),
            replaced_by: key.replaced_by.as_ref().map(ToString::to_string),
            last_used_at,
            presented_after_end_at,
            used_from: used_from.clone(),
            settings: key.into(),
        }
    }
}

documents!(API_KEY: ApiKeySettings, API_KEY_ROTATION: RotateApiKeySettings);

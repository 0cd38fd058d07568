//! Clients as doors show and take them.

use std::fmt;

use protocol::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::CreatedSecret;
use super::instant::Instant;

/// What a door may set of a client. A PATCH is a merge patch of this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClientSettings {
    /// For people. Default: the id.
    pub name: Option<String>,
    /// `any`, `client_secret_basic` or `client_secret_post` (RFC 7591 §2).
    #[schemars(example = &"any")]
    pub token_endpoint_auth_method: String,
    /// RFC 7591 §2. Default: `client_credentials`.
    pub grant_types: Vec<String>,
    /// Put in `aud` when the request names no resource.
    pub audiences: Vec<String>,
    /// May be asked for with `resource` (RFC 8707).
    pub resources: Vec<String>,
    /// What it may be granted.
    pub scopes: Vec<String>,
    /// Seconds; null: the tenant's.
    pub access_token_lifetime: Option<u64>,
    /// What its tokens say otherwise.
    pub token: TokenSettings,
    /// Whose tokens it may introspect: `own`, `audience` or `tenant`.
    #[schemars(example = &"own")]
    pub introspection: String,
}

/// What a client's tokens say otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TokenSettings {
    /// `iss`: the tenant's issuer or one of its aliases; null: the tenant's issuer.
    pub issuer: Option<String>,
}

/// A client that is to be made.
#[derive(Clone, Default, PartialEq, Eq, JsonSchema)]
pub struct NewClient {
    /// Its id; made where there is none.
    pub client_id: Option<String>,
    /// A secret that a person chose; made where there is none.
    #[schemars(with = "Option<String>", extend("format" = "password"))]
    pub client_secret: Option<Zeroizing<String>>,
    /// All else.
    #[schemars(flatten)]
    pub settings: ClientSettings,
}

/// A client as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClientView {
    /// Its id.
    pub client_id: String,
    /// `active`, `suspended` or `retired`.
    #[schemars(example = &"active")]
    pub status: String,
    /// `config` or `api`.
    #[schemars(example = &"api")]
    pub managed_by: String,
    /// When it was made.
    #[serde(with = "protocol::rfc3339")]
    #[schemars(with = "Instant")]
    pub created_at: Timestamp,
    /// When its row last changed.
    #[serde(with = "protocol::rfc3339")]
    #[schemars(with = "Instant")]
    pub updated_at: Timestamp,
    /// How many secrets it has that count now.
    pub live_secrets: u32,
    /// All else.
    #[serde(flatten)]
    pub settings: ClientSettings,
}

/// A client that has just been made, with its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CreatedClient {
    /// The client.
    #[serde(flatten)]
    pub client: ClientView,
    /// Its first secret: the only moment in which a generated value is shown. Absent for a method without a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<CreatedSecret>,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            name: None,
            token_endpoint_auth_method: "any".to_owned(),
            grant_types: vec!["client_credentials".to_owned()],
            audiences: Vec::new(),
            resources: Vec::new(),
            scopes: Vec::new(),
            access_token_lifetime: None,
            token: TokenSettings::default(),
            introspection: "own".to_owned(),
        }
    }
}

impl fmt::Debug for NewClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { client_id, client_secret, settings } = self;
        let client_secret = client_secret.as_ref().map(|_| "[redacted]");
        let mut shown = f.debug_struct("NewClient");
        shown.field("client_id", client_id).field("client_secret", &client_secret);
        shown.field("settings", settings).finish()
    }
}

//! Tenants as doors show and take them.

use std::collections::BTreeMap;

use protocol::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::instant::Instant;
use super::{CreatedClient, NewClient};

/// What a door may set of a tenant. A PATCH is a merge patch of this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TenantSettings {
    /// For people. Default: the id.
    pub name: Option<String>,
    /// `iss` of its tokens. Default: its own path under the public URL.
    pub issuer: Option<String>,
    /// Other `iss` values that a client may be given.
    pub issuer_aliases: Vec<String>,
    /// What it offers. Over this door oauth2 is enabled unless it says otherwise.
    pub strategies: StrategiesSettings,
    /// Seconds for which cached clients get tokens while the store is down.
    #[schemars(example = 900)]
    pub stale_if_error: u64,
    /// How it signs.
    pub signing: SigningSettings,
    /// How its tokens look.
    pub access_token: AccessTokenSettings,
    /// Its audiences.
    pub resource_servers: BTreeMap<String, ResourceServerSettings>,
}

/// What a tenant offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StrategiesSettings {
    /// The token endpoint and all that belongs to it.
    pub oauth2: StrategySettings,
    /// OpenID Connect.
    pub oidc: StrategySettings,
}

/// One thing that a tenant may offer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StrategySettings {
    /// Whether it does.
    pub enabled: bool,
}

/// How a tenant signs; durations in seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SigningSettings {
    /// RFC 7518 §3.1.
    #[schemars(example = &"RS256")]
    pub algorithm: String,
    /// How long a key signs.
    pub rotate_every: u64,
    /// How long it is published before.
    pub publish_before: u64,
    /// `max-age` of the key set.
    pub jwks_max_age: u64,
    /// `stale-while-revalidate` of the key set.
    pub jwks_stale: u64,
    /// By how much clocks may differ.
    pub skew: u64,
    /// Of new RSA keys: 2048, 3072 or 4096.
    #[schemars(example = 2048)]
    pub rsa_bits: u32,
    /// For how long a key may wait to sign until verifiers that poll have it; null: it waits for nobody.
    pub hold_activation: Option<u64>,
}

/// How a tenant's tokens look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AccessTokenSettings {
    /// Seconds.
    #[schemars(example = 3600)]
    pub lifetime: u64,
    /// `jwt` or `opaque`.
    #[schemars(example = &"jwt")]
    pub format: String,
    /// `typ` of the header.
    #[schemars(example = &"at+jwt")]
    pub typ: String,
}

/// An audience.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ResourceServerSettings {
    /// Scopes that mean something there.
    pub scopes: Vec<String>,
    /// Clients that may introspect tokens for it.
    pub clients: Vec<String>,
}

/// A tenant that is to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema)]
pub struct NewTenant {
    /// Its id.
    #[schemars(example = &"your-tenant")]
    pub id: String,
    /// Its first client, made together with it.
    pub client: Option<NewClient>,
    /// All else.
    #[schemars(flatten)]
    pub settings: TenantSettings,
}

/// How a tenant stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TenantStatusView {
    /// It serves.
    Active,
    /// A door suspended it.
    Suspended,
    /// It is no longer declared.
    Retired,
    /// It is to be deleted and can still be restored.
    Deleting,
    /// It is gone; its id stays reserved.
    Deleted,
}

/// A tenant as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TenantView {
    /// Its id.
    #[schemars(example = &"your-tenant")]
    pub id: String,
    /// How it stands.
    #[schemars(with = "String", example = &"active")]
    pub status: TenantStatusView,
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
    /// Until when its deletion can be taken back.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "protocol::rfc3339::option")]
    #[schemars(with = "Option<Instant>")]
    pub deletion_due_at: Option<Timestamp>,
    /// Where verifiers find its keys.
    pub jwks_uri: String,
    /// Where its clients fetch tokens.
    pub token_endpoint: String,
    /// All else.
    #[serde(flatten)]
    pub settings: TenantSettings,
}

/// A tenant that has just been made, with its first client if one was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CreatedTenant {
    /// The tenant.
    #[serde(flatten)]
    pub tenant: TenantView,
    /// Its first client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<CreatedClient>,
}

impl Default for TenantSettings {
    fn default() -> Self {
        Self {
            name: None,
            issuer: None,
            issuer_aliases: Vec::new(),
            strategies: StrategiesSettings::default(),
            stale_if_error: 15 * 60,
            signing: SigningSettings::default(),
            access_token: AccessTokenSettings::default(),
            resource_servers: BTreeMap::new(),
        }
    }
}

impl Default for StrategiesSettings {
    fn default() -> Self {
        Self { oauth2: StrategySettings { enabled: true }, oidc: StrategySettings::default() }
    }
}

impl Default for SigningSettings {
    fn default() -> Self {
        let policy = tenancy::SigningPolicy::default();
        Self {
            algorithm: policy.algorithm.to_string(),
            rotate_every: policy.rotate_every.seconds(),
            publish_before: policy.publish_before.seconds(),
            jwks_max_age: policy.jwks_max_age.seconds(),
            jwks_stale: policy.jwks_stale.seconds(),
            skew: policy.skew.seconds(),
            rsa_bits: policy.rsa_bits,
            hold_activation: policy.hold_activation.map(protocol::Lifetime::seconds),
        }
    }
}

impl Default for AccessTokenSettings {
    fn default() -> Self {
        let policy = tenancy::AccessTokenPolicy::default();
        Self {
            lifetime: policy.lifetime.seconds(),
            format: policy.format.as_str().to_owned(),
            typ: policy.typ,
        }
    }
}

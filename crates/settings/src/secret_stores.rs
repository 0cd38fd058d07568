//! The secret stores for secrets in the settings: their addresses, how the program authenticates, and which
//! paths tenants may use.

mod check;
mod known_stores;
mod passwords;
mod reader;
mod reference;

use std::collections::BTreeMap;
use std::path::PathBuf;

use administration::documents::schema::{JsonSchema, SOME_TIME, STORE_PATH};
use serde::{Deserialize, Serialize};
use values::Lifetime;

use super::{schema, sections::TokenSetting};

pub use passwords::Passwords;
pub use reader::SecretStores;
pub(crate) use reader::StoredValues;
pub(crate) use reference::{of_clients, of_server};

/// A secret store: exactly one of `vault` and `aws`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(transform = |schema: &mut schemars::Schema| administration::documents::schema::exactly_one(schema, ["vault", "aws"]))]
pub(crate) struct SecretStoreSetting {
    /// After what time a secret is read again, 1s or more, with a tenth more or less.
    #[schemars(with = "schema::Span", extend("pattern" = SOME_TIME, "minimum" = 1))]
    pub refresh: Lifetime,
    /// The KV engine, version 2, of HashiCorp Vault or OpenBao.
    pub vault: Option<VaultStoreSetting>,
    /// AWS Secrets Manager.
    pub aws: Option<AwsStoreSetting>,
    /// Where tenants' own administrators may have secrets written, by tenant: beginnings of
    /// paths. Default: nowhere.
    #[schemars(extend(
        "propertyNames" = { "pattern": schema::TENANT_ID },
        "additionalProperties" = { "type": "array", "items": { "type": "string", "pattern": STORE_PATH.replace("$", "/?$") } }
    ))]
    pub tenant_prefixes: BTreeMap<String, Vec<String>>,
}

/// The KV engine of a Vault. It is signed in to by exactly one of `token`, `kubernetes` and `approle`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = |schema: &mut schemars::Schema| administration::documents::schema::exactly_one(schema, ["token", "kubernetes", "approle"]))]
pub(crate) struct VaultStoreSetting {
    /// Where Vault answers: an https URL, or http on this machine.
    #[schemars(extend("pattern" = schema::SERVICE))]
    pub address: String,
    /// Where the KV engine is mounted. Default: `secret`.
    #[serde(default)]
    #[schemars(extend("pattern" = "^[A-Za-z0-9._/-]+$"))]
    pub mount: Option<String>,
    /// The namespace of Vault Enterprise or OpenBao. Default: none.
    #[serde(default)]
    #[schemars(extend("pattern" = "^[A-Za-z0-9._/-]+$"))]
    pub namespace: Option<String>,
    /// The certificates to trust, in PEM, and no others, relative to the file that names it. Default: those
    /// that the machine trusts.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// A token. The program does not renew it.
    #[serde(default)]
    pub token: Option<TokenSetting>,
    /// Sign in with the token of a Kubernetes service account.
    #[serde(default)]
    pub kubernetes: Option<KubernetesSetting>,
    /// Sign in with an AppRole.
    #[serde(default)]
    pub approle: Option<AppRoleSetting>,
}

/// A sign-in with the token of a Kubernetes service account.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KubernetesSetting {
    /// The role.
    #[schemars(extend("pattern" = "^[A-Za-z0-9._-]+$"))]
    pub role: String,
    /// Where the auth method is mounted. Default: `kubernetes`.
    #[serde(default)]
    #[schemars(extend("pattern" = "^[A-Za-z0-9._/-]+$"))]
    pub mount: Option<String>,
    /// The file with the service account's token, read at each sign-in. Default: where Kubernetes mounts it.
    #[serde(default)]
    pub token_file: Option<PathBuf>,
}

/// A sign-in with an AppRole.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AppRoleSetting {
    /// The role id.
    #[schemars(extend("pattern" = "^[A-Za-z0-9._-]+$"))]
    pub role_id: String,
    /// The secret id: one of `env` and `file`.
    pub secret_id: TokenSetting,
    /// Where the auth method is mounted. Default: `approle`.
    #[serde(default)]
    #[schemars(extend("pattern" = "^[A-Za-z0-9._/-]+$"))]
    pub mount: Option<String>,
}

/// AWS Secrets Manager. Credentials are found as by the AWS command line: variables,
/// profiles, web identity, instance.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AwsStoreSetting {
    /// Its region. Default: as the AWS command line finds it.
    #[schemars(extend("maxLength" = 64, "pattern" = "^[A-Za-z0-9-]+$"))]
    pub region: Option<String>,
    /// Another address than the region's: an https URL, or http on this machine. Default: the region's.
    #[schemars(extend("pattern" = schema::SERVICE))]
    pub endpoint: Option<String>,
}

impl Default for SecretStoreSetting {
    fn default() -> Self {
        Self { refresh: Lifetime::from_seconds(60), vault: None, aws: None, tenant_prefixes: BTreeMap::new() }
    }
}

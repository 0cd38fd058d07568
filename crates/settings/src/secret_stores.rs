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
pub(crate) use reference::{of_clients, of_mail, of_server};

/// A secret store: exactly one of `vault` and `aws`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(transform = |schema: &mut schemars::Schema| administration::documents::schema::exactly_one(schema, ["vault", "aws"]))]
pub(crate) struct SecretStoreSetting {
    /// How often Latchkey reads a secret again: 1s or more, varied by a tenth.
    #[schemars(with = "schema::Span", extend("pattern" = SOME_TIME, "minimum" = 1))]
    pub refresh: Lifetime,
    /// The KV engine, version 2, of HashiCorp Vault or OpenBao.
    pub vault: Option<VaultStoreSetting>,
    /// AWS Secrets Manager.
    pub aws: Option<AwsStoreSetting>,
    /// The paths to which a tenant's own administrators can have secrets written: path prefixes by tenant.
    /// Default: none.
    #[schemars(extend(
        "propertyNames" = { "pattern": schema::TENANT_ID },
        "additionalProperties" = { "type": "array", "items": { "type": "string", "pattern": STORE_PATH.replace("$", "/?$") } }
    ))]
    pub tenant_prefixes: BTreeMap<String, Vec<String>>,
}

/// The KV engine of a Vault. Set exactly one of `token`, `kubernetes` and `approle` to sign in.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = |schema: &mut schemars::Schema| administration::documents::schema::exactly_one(schema, ["token", "kubernetes", "approle"]))]
pub(crate) struct VaultStoreSetting {
    /// The address of Vault: an https URL, or http on this machine.
    #[schemars(extend("pattern" = schema::SERVICE))]
    pub address: String,
    /// The mount path of the KV engine. Default: `secret`.
    #[schemars(extend("pattern" = "^[A-Za-z0-9._/-]+$"))]
    pub mount: Option<String>,
    /// The namespace of Vault Enterprise or OpenBao. Default: none.
    #[schemars(extend("pattern" = "^[A-Za-z0-9._/-]+$"))]
    pub namespace: Option<String>,
    /// The only certificates to trust, in PEM. The path is relative to the file that contains it. Default:
    /// the certificates that the machine trusts.
    pub ca: Option<PathBuf>,
    /// A token. Latchkey does not renew it.
    pub token: Option<TokenSetting>,
    /// Sign in with the token of a Kubernetes service account.
    pub kubernetes: Option<KubernetesSetting>,
    /// Sign in with an AppRole.
    pub approle: Option<AppRoleSetting>,
}

/// A sign-in with the token of a Kubernetes service account.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KubernetesSetting {
    /// The role.
    #[schemars(extend("pattern" = "^[A-Za-z0-9._-]+$"))]
    pub role: String,
    /// The mount path of the auth method. Default: `kubernetes`.
    #[schemars(extend("pattern" = "^[A-Za-z0-9._/-]+$"))]
    pub mount: Option<String>,
    /// The file with the service account's token, which Latchkey reads at each sign-in. Default: the path
    /// where Kubernetes mounts it.
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
    /// The mount path of the auth method. Default: `approle`.
    #[schemars(extend("pattern" = "^[A-Za-z0-9._/-]+$"))]
    pub mount: Option<String>,
}

/// AWS Secrets Manager. Latchkey finds credentials like the AWS command line: variables, profiles, web
/// identity, instance.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AwsStoreSetting {
    /// Its region. Default: the region that the AWS command line would use.
    #[schemars(extend("maxLength" = 64, "pattern" = "^[A-Za-z0-9-]+$"))]
    pub region: Option<String>,
    /// An address to use instead of the region's: an https URL, or http on this machine. Default: the
    /// region's.
    #[schemars(extend("pattern" = schema::SERVICE))]
    pub endpoint: Option<String>,
}

impl Default for SecretStoreSetting {
    fn default() -> Self {
        Self { refresh: Lifetime::from_seconds(60), vault: None, aws: None, tenant_prefixes: BTreeMap::new() }
    }
}

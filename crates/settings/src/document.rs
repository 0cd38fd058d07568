//! config.yaml as a whole, and a file of `tenants_dir`, as they are read.

use std::{collections::BTreeMap, path::PathBuf};

use administration::documents::TenantSettings;
use administration::documents::schema::JsonSchema;
use serde::Deserialize;

use super::{
    schema,
    secret_stores::SecretStoreSetting,
    sections::{Admin, Cache, Keys, Limits, Mail, ProtectedResource, Reconcile, Server, Storage},
};

/// The settings of a Latchkey server.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "Latchkey settings")]
pub(crate) struct Document {
    /// The addresses that the server listens on, and its public URL.
    pub server: Server,
    /// The database.
    pub storage: Storage,
    /// The cache that replicas share.
    pub cache: Cache,
    /// How much a start or a reload may retire when the files no longer declare it.
    pub reconcile: Reconcile,
    /// The server's own keys.
    pub keys: Keys,
    /// Secret stores by name, for references from clients' secrets.
    pub secret_stores: BTreeMap<String, SecretStoreSetting>,
    /// Mail to people: to reset passwords and to verify addresses. Default: Latchkey sends no mail.
    pub mail: Mail,
    /// The sample resource server. Default: none.
    pub protected_resource: Option<ProtectedResource>,
    /// Rate limits and other limits.
    pub limits: Limits,
    /// Who can sign in at `/flow/execute`. Default: no one.
    pub admin: Admin,
    /// A folder with more tenants, one file each: `initech.yaml` declares the tenant
    /// `initech`. Relative to this file.
    pub tenants_dir: Option<PathBuf>,
    /// Tenants by id: `[a-z0-9][a-z0-9-]{0,62}`.
    #[schemars(extend("propertyNames" = { "pattern": schema::TENANT_ID, "not": { "const": "platform" } }))]
    pub tenants: BTreeMap<String, TenantSettings>,
}

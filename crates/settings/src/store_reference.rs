//! A reference of the settings to a secret in a secret store.

use administration::documents::schema::{JsonSchema, STORE_PATH};
use serde::Deserialize;

use crate::schema;

/// A secret in a secret store.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoreReference {
    /// The name of the secret store, as `secret_stores` has it.
    pub store: String,
    /// Where the secret is in that store: the path in Vault's KV engine, or the name or
    /// ARN in AWS Secrets Manager.
    #[schemars(extend("minLength" = 1, "maxLength" = 1024, "pattern" = STORE_PATH))]
    pub path: String,
    /// The member of the stored JSON object that is the secret. Default: the whole text, in
    /// AWS Secrets Manager only.
    #[serde(default)]
    #[schemars(extend("minLength" = 1, "maxLength" = 256, "pattern" = schema::NAME))]
    pub key: Option<String>,
}

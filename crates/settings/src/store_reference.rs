//! A reference of the settings to a secret in a secret store.

use administration::documents::schema::{JsonSchema, STORE_PATH};
use serde::Deserialize;

use crate::schema;

/// A secret in a secret store.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoreReference {
    /// The name of the secret store in `secret_stores`.
    pub store: String,
    /// The location of the secret in that store: the path in Vault's KV engine, or the name or ARN in AWS
    /// Secrets Manager.
    #[schemars(extend("minLength" = 1, "maxLength" = 1024, "pattern" = STORE_PATH))]
    pub path: String,
    /// The member of the stored JSON object that contains the secret. Default: the whole text, which is
    /// possible only in AWS Secrets Manager.
    #[schemars(extend("minLength" = 1, "maxLength" = 256, "pattern" = schema::NAME))]
    pub key: Option<String>,
}

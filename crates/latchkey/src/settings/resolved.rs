//! What the settings come to once files and environment are read: tenants and clients with every default filled in
//! and every secret at hand.

use std::{collections::BTreeMap, path::PathBuf};

use super::{
    client::{AuthMethod, GrantType, Introspection, Jwk},
    scalar::{Instant, Lifetime},
    secret::Secret,
    tenant::{AccessToken, Algorithm, ResourceServer, Strategies},
};

/// A tenant as declared.
#[derive(Debug)]
pub(crate) struct ResolvedTenant {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) issuer: String,
    pub(crate) issuer_aliases: Vec<String>,
    pub(crate) strategies: Strategies,
    pub(crate) stale_if_error: Lifetime,
    pub(crate) signing: ResolvedSigning,
    pub(crate) access_token: AccessToken,
    pub(crate) resource_servers: BTreeMap<String, ResourceServer>,
    pub(crate) clients: BTreeMap<String, ResolvedClient>,
}

/// How a tenant signs.
#[derive(Debug)]
pub(crate) struct ResolvedSigning {
    pub(crate) algorithm: Algorithm,
    pub(crate) rotate_every: Lifetime,
    pub(crate) publish_before: Lifetime,
    pub(crate) jwks_max_age: Lifetime,
    pub(crate) jwks_stale: Lifetime,
    pub(crate) skew: Lifetime,
    pub(crate) rsa_bits: u32,
    pub(crate) hold_activation: Option<Lifetime>,
    /// A key in PEM.
    pub(crate) first_key: Option<Secret>,
}

/// A client as declared.
#[derive(Debug)]
pub(crate) struct ResolvedClient {
    pub(crate) name: String,
    pub(crate) secrets: Vec<ResolvedSecret>,
    pub(crate) token_endpoint_auth_method: AuthMethod,
    pub(crate) grant_types: Vec<GrantType>,
    pub(crate) audiences: Vec<String>,
    pub(crate) resources: Vec<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) access_token_lifetime: Option<Lifetime>,
    /// One of the tenant's aliases, or its issuer, or not said.
    pub(crate) token_issuer: Option<String>,
    pub(crate) jwks: Option<Vec<Jwk>>,
    pub(crate) jwks_uri: Option<String>,
    pub(crate) redirect_uris: Vec<String>,
    pub(crate) introspection: Introspection,
}

/// A secret of a client.
#[derive(Debug)]
pub(crate) struct ResolvedSecret {
    pub(crate) secret: SecretText,
    pub(crate) expires: Option<Instant>,
}

/// A secret, or what proves it.
#[derive(Debug)]
pub(crate) enum SecretText {
    /// The secret itself.
    Value(Secret),
    /// An argon2id PHC string with the parameters of this server.
    Hash(Secret),
}

/// An administrator as declared.
#[derive(Debug)]
pub(crate) struct ResolvedAdmin {
    pub(crate) name: String,
    pub(crate) password: SecretText,
    pub(crate) permissions: Vec<String>,
}

/// Where rows are kept.
#[derive(Debug)]
pub(crate) enum StorageLocation {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// The URL of a PostgreSQL database.
    Postgres(Secret),
}

/// The keys that seal private keys and the pepper at rest.
#[derive(Debug)]
pub(crate) struct SealingKeys {
    /// The one that seals.
    pub(crate) writing: SealingKeySource,
    /// Those that only open.
    pub(crate) former: Vec<SealingKeySource>,
}

/// Where a key that seals is.
#[derive(Debug)]
pub(crate) enum SealingKeySource {
    /// The file that holds it in base64, or is to hold it: it may be made at the first start.
    File(PathBuf),
    /// The key in base64, from the environment.
    Text(Secret),
    /// In Vault.
    Vault(VaultKey),
    /// In AWS KMS.
    AwsKms(KmsKey),
}

/// A key of Vault's transit engine.
#[derive(Debug)]
pub(crate) struct VaultKey {
    pub(crate) address: String,
    pub(crate) namespace: Option<String>,
    pub(crate) mount: String,
    pub(crate) transit_key: String,
    pub(crate) token: Token,
    pub(crate) ca: Option<PathBuf>,
}

/// A token, or the file that it is read from when the key is opened.
#[derive(Debug)]
pub(crate) enum Token {
    Text(Secret),
    File(PathBuf),
}

/// A key of AWS KMS.
#[derive(Debug)]
pub(crate) struct KmsKey {
    pub(crate) key_id: String,
    pub(crate) region: Option<String>,
    pub(crate) endpoint: Option<String>,
}

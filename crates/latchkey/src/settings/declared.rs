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
pub(crate) struct DeclaredTenant {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) issuer: String,
    pub(crate) issuer_aliases: Vec<String>,
    pub(crate) strategies: Strategies,
    pub(crate) stale_if_error: Lifetime,
    pub(crate) signing: DeclaredSigning,
    pub(crate) access_token: AccessToken,
    pub(crate) resource_servers: BTreeMap<String, ResourceServer>,
    pub(crate) clients: BTreeMap<String, DeclaredClient>,
}

/// How a tenant signs.
#[derive(Debug)]
pub(crate) struct DeclaredSigning {
    pub(crate) algorithm: Algorithm,
    pub(crate) rotate_every: Lifetime,
    pub(crate) publish_before: Lifetime,
    pub(crate) jwks_max_age: Lifetime,
    pub(crate) jwks_stale: Lifetime,
    pub(crate) skew: Lifetime,
    /// A key in PEM.
    pub(crate) first_key: Option<Secret>,
}

/// A client as declared.
#[derive(Debug)]
pub(crate) struct DeclaredClient {
    pub(crate) name: String,
    pub(crate) secrets: Vec<DeclaredSecret>,
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
pub(crate) struct DeclaredSecret {
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
pub(crate) struct DeclaredAdmin {
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

/// The key that seals private keys and the pepper at rest, 32 bytes in base64.
#[derive(Debug)]
pub(crate) enum SealingKey {
    /// The file that holds it, or is to hold it: it may be made at the first start.
    File(PathBuf),
    /// The key, from the environment.
    Text(Secret),
}

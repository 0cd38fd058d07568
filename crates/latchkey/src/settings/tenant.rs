//! A tenant as config.yaml, or a file of `tenants_dir`, declares it: issuer, signing, tokens and resource servers.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{client::Client, scalar::Lifetime, schema, secret::PrivateKeySetting};

/// One isolated authorization server.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Tenant {
    /// The name that people read. Default: the tenant's id.
    #[schemars(extend("minLength" = 1, "maxLength" = 255, "pattern" = schema::NAME))]
    pub(crate) name: Option<String>,
    /// The issuer, put in `iss`. Default: `{public_url}/api/v1/tenant/{id}`.
    #[schemars(extend("maxLength" = 255, "pattern" = schema::PLAIN_URL))]
    pub(crate) issuer: Option<String>,
    /// Other `iss` values that a client of this tenant may be given.
    #[schemars(extend("items" = schema::names(schema::SCOPE), "uniqueItems" = true))]
    pub(crate) issuer_aliases: Vec<String>,
    /// What the tenant offers.
    pub(crate) strategies: Strategies,
    /// How long cached clients get tokens while the store is down; `0s`: not at all.
    pub(crate) stale_if_error: Lifetime,
    /// How tokens are signed, and how the keys live.
    pub(crate) signing: Signing,
    /// How access tokens look.
    pub(crate) access_token: AccessToken,
    /// Audiences, and the scopes that belong to them.
    #[schemars(extend("propertyNames" = schema::ids()))]
    pub(crate) resource_servers: BTreeMap<String, ResourceServer>,
    /// Clients by `client_id`: any UTF-8 without control characters, up to 255 bytes.
    #[schemars(extend("propertyNames" = schema::ids()))]
    pub(crate) clients: BTreeMap<String, Client>,
}

/// What the tenant offers; all disabled unless enabled here.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Strategies {
    /// The token endpoint, introspection, revocation and metadata.
    pub(crate) oauth2: Strategy,
    /// OpenID Connect.
    pub(crate) oidc: Strategy,
}

/// One thing that a tenant may offer.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Strategy {
    /// Whether it is offered.
    pub(crate) enabled: bool,
}

/// How tokens are signed, and how the keys live.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Signing {
    /// The algorithm of new keys.
    pub(crate) algorithm: Algorithm,
    /// How long a key signs before the next one takes over. Default: `90d`.
    #[schemars(extend("pattern" = schema::SOME_TIME))]
    pub(crate) rotate_every: Option<Lifetime>,
    /// How long a key is published before it signs: at least `jwks_max_age + jwks_stale + skew` and 10 s.
    #[schemars(extend("pattern" = schema::SOME_TIME))]
    pub(crate) publish_before: Lifetime,
    /// How long verifiers may keep the key set (`max-age`).
    pub(crate) jwks_max_age: Lifetime,
    /// How long they may use it after that while they fetch it again (`stale-while-revalidate`).
    pub(crate) jwks_stale: Lifetime,
    /// How far clocks may be apart.
    pub(crate) skew: Lifetime,
    /// How long new RSA keys are, in bits: 2048, 3072 or 4096.
    #[schemars(extend("enum" = [2048, 3072, 4096]))]
    pub(crate) rsa_bits: u32,
    /// For how long a key may wait to sign until the verifiers that poll have fetched it. Default: it waits for nobody.
    #[schemars(extend("pattern" = schema::SOME_TIME))]
    pub(crate) hold_activation: Option<Lifetime>,
    /// A key in PEM to import as `oauth2-key-1`, only when the tenant has never had a key. Default: one is made.
    pub(crate) first_key: Option<PrivateKeySetting>,
}

/// A signature algorithm (RFC 7518 §3.1, RFC 8037).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) enum Algorithm {
    /// RSA with PKCS #1 v1.5 and SHA-256.
    #[default]
    RS256,
    /// RSA with PKCS #1 v1.5 and SHA-384.
    RS384,
    /// RSA with PKCS #1 v1.5 and SHA-512.
    RS512,
    /// RSA with PSS and SHA-256.
    PS256,
    /// ECDSA with P-256 and SHA-256.
    ES256,
    /// ECDSA with P-384 and SHA-384.
    ES384,
    /// Ed25519.
    EdDSA,
}

/// How access tokens look.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AccessToken {
    /// How long a token is valid, unless its client says otherwise.
    #[schemars(extend("pattern" = schema::SOME_TIME))]
    pub(crate) lifetime: Lifetime,
    /// Whether a token can be read by itself.
    pub(crate) format: TokenFormat,
    /// The `typ` of the token's header; `at+jwt` is RFC 9068's.
    #[schemars(extend("maxLength" = 255, "pattern" = "^[A-Za-z0-9!#$&^_.+/-]+$"))]
    pub(crate) typ: String,
}

/// Whether a token can be read by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TokenFormat {
    /// A signed JWT (RFC 9068), verified offline.
    #[default]
    Jwt,
    /// A reference, to be introspected.
    Opaque,
}

/// An audience, and the scopes that belong to it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ResourceServer {
    /// The scopes that belong to this audience.
    #[schemars(extend("items" = schema::scopes(), "uniqueItems" = true))]
    pub(crate) scopes: Vec<String>,
    /// The clients, by id, that may introspect tokens for it.
    #[schemars(extend("uniqueItems" = true))]
    pub(crate) clients: Vec<String>,
}

impl Signing {
    /// How long a key signs, said or not.
    pub(crate) fn rotation(&self) -> Lifetime {
        self.rotate_every.unwrap_or(Lifetime::from_secs(90 * 86_400))
    }
}

impl Default for Tenant {
    fn default() -> Self {
        Self {
            name: None,
            issuer: None,
            issuer_aliases: Vec::new(),
            strategies: Strategies::default(),
            stale_if_error: Lifetime::from_secs(15 * 60),
            signing: Signing::default(),
            access_token: AccessToken::default(),
            resource_servers: BTreeMap::new(),
            clients: BTreeMap::new(),
        }
    }
}

impl Default for Signing {
    fn default() -> Self {
        Self {
            algorithm: Algorithm::default(),
            rotate_every: None,
            publish_before: Lifetime::from_secs(86_400),
            jwks_max_age: Lifetime::from_secs(5 * 60),
            jwks_stale: Lifetime::from_secs(60),
            skew: Lifetime::from_secs(60),
            rsa_bits: 2048,
            hold_activation: None,
            first_key: None,
        }
    }
}

impl Default for AccessToken {
    fn default() -> Self {
        Self { lifetime: Lifetime::from_secs(3600), format: TokenFormat::default(), typ: "at+jwt".to_owned() }
    }
}

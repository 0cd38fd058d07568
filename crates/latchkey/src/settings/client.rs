//! A client as config.yaml declares it, in the words of RFC 7591 §2 where that has one.

use std::path::PathBuf;

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::{scalar::Lifetime, schema, secret::ClientSecretSetting};

/// A registered application.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Client {
    /// The name that people read. Default: the client's id.
    #[schemars(extend("minLength" = 1, "maxLength" = 255, "pattern" = schema::NAME))]
    pub(crate) name: Option<String>,
    /// The secret, if it has one.
    pub(crate) client_secret: Option<ClientSecretSetting>,
    /// The secrets, if it has several. All are live until they expire.
    pub(crate) client_secrets: Vec<ClientSecretSetting>,
    /// How the client authenticates.
    pub(crate) token_endpoint_auth_method: AuthMethod,
    /// The grants that the client may use.
    #[schemars(extend("uniqueItems" = true))]
    pub(crate) grant_types: Vec<GrantType>,
    /// Put in `aud` when the request names no resource. Default: `aud` is the client's id.
    #[schemars(extend("items" = schema::names(schema::NAME), "uniqueItems" = true))]
    pub(crate) audiences: Vec<String>,
    /// What the client may ask for with `resource` (RFC 8707), beyond the audiences: absolute URIs without a fragment.
    #[schemars(extend("items" = schema::names(schema::ABSOLUTE_URI), "uniqueItems" = true))]
    pub(crate) resources: Vec<String>,
    /// The scopes that the client may be granted.
    #[schemars(extend("items" = schema::scopes(), "uniqueItems" = true))]
    pub(crate) scopes: Vec<String>,
    /// Overrides the tenant's `access_token.lifetime`. Default: the tenant's.
    #[schemars(extend("pattern" = schema::SOME_TIME))]
    pub(crate) access_token_lifetime: Option<Lifetime>,
    /// What this client's tokens say differently.
    pub(crate) token: ClientToken,
    /// The public keys that the client signs its assertions with.
    pub(crate) jwks: Option<Jwks>,
    /// The https URL where those keys are published; not beside `jwks`.
    #[schemars(extend("pattern" = r"^https://[^#\s]+$"))]
    pub(crate) jwks_uri: Option<String>,
    /// Where people are sent back to.
    #[schemars(extend("items" = schema::texts(schema::ABSOLUTE_URI), "uniqueItems" = true))]
    pub(crate) redirect_uris: Vec<String>,
    /// Which tokens the client may introspect.
    pub(crate) introspection: Introspection,
}

/// How a client authenticates (RFC 7591 §2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AuthMethod {
    /// Whatever the client has been given proof for: a secret by either way, or an assertion.
    #[default]
    Any,
    /// A secret, in the header or in the body.
    ClientSecretBasic,
    /// The same as `client_secret_basic`.
    ClientSecretPost,
    /// An assertion signed with a key of `jwks` (RFC 7523).
    PrivateKeyJwt,
    /// A certificate of a trusted authority (RFC 8705 §2.1).
    TlsClientAuth,
    /// A certificate whose key is in `jwks` (RFC 8705 §2.2).
    SelfSignedTlsClientAuth,
    /// A public client.
    None,
}

/// How a client comes to a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub(crate) enum GrantType {
    /// RFC 6749 §4.4.
    #[serde(rename = "client_credentials")]
    ClientCredentials,
    /// RFC 6749 §4.1.
    #[serde(rename = "authorization_code")]
    AuthorizationCode,
    /// RFC 6749 §6.
    #[serde(rename = "refresh_token")]
    RefreshToken,
    /// RFC 8628.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:device_code")]
    DeviceCode,
    /// RFC 8693.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:token-exchange")]
    TokenExchange,
    /// RFC 7523.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:jwt-bearer")]
    JwtBearer,
}

/// What a client's tokens say differently.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ClientToken {
    /// The `iss` of this client's tokens: the tenant's issuer or one of its aliases. Default: the tenant's issuer.
    pub(crate) issuer: Option<String>,
}

/// Public keys: one of `file` and `keys`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(transform = |schema: &mut Schema| schema::exactly_one(schema, ["file", "keys"]))]
pub(crate) struct Jwks {
    /// A file with a JWK set, relative to the file that names it.
    pub(crate) file: Option<PathBuf>,
    /// The keys themselves.
    pub(crate) keys: Option<Vec<Jwk>>,
}

/// A public key (RFC 7517 §4); members not listed here are ignored, as §4 says.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("required" = ["kty"]))]
pub(crate) struct Jwk {
    /// Key type: RSA, EC or OKP.
    #[schemars(extend("enum" = ["RSA", "EC", "OKP"]))]
    pub(crate) kty: String,
    /// Key id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) kid: Option<String>,
    /// Algorithm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) alg: Option<String>,
    /// Public key use.
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    pub(crate) public_key_use: Option<String>,
    /// Key operations.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) key_ops: Vec<String>,
    /// RSA modulus.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) n: Option<String>,
    /// RSA exponent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) e: Option<String>,
    /// Curve.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) crv: Option<String>,
    /// X coordinate, or an OKP key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) x: Option<String>,
    /// Y coordinate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) y: Option<String>,
    /// Certificate chain.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) x5c: Vec<String>,
    /// Thumbprint of the certificate.
    #[serde(rename = "x5t#S256", skip_serializing_if = "Option::is_none")]
    pub(crate) x5t_s256: Option<String>,
    /// A private exponent does not belong here; it is read only to be refused.
    #[serde(skip_serializing)]
    #[schemars(skip)]
    pub(crate) d: Option<String>,
    /// A symmetric key does not belong here; it is read only to be refused.
    #[serde(skip_serializing)]
    #[schemars(skip)]
    pub(crate) k: Option<String>,
}

/// Which tokens a client may introspect (RFC 7662).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Introspection {
    /// Those issued to itself.
    #[default]
    Own,
    /// Those for a resource server that lists the client, too.
    Audience,
    /// Every token of its tenant.
    Tenant,
}

impl Default for Client {
    fn default() -> Self {
        Self {
            name: None,
            client_secret: None,
            client_secrets: Vec::new(),
            token_endpoint_auth_method: AuthMethod::default(),
            grant_types: vec![GrantType::ClientCredentials],
            audiences: Vec::new(),
            resources: Vec::new(),
            scopes: Vec::new(),
            access_token_lifetime: None,
            token: ClientToken::default(),
            jwks: None,
            jwks_uri: None,
            redirect_uris: Vec::new(),
            introspection: Introspection::default(),
        }
    }
}

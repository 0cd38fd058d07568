//! The explanation of a token request: the answer of the token endpoint, and the reasons for it. It never
//! contains a usable token or a secret.

use std::fmt;

use keys::KeyAlgorithm;
use protocol::{ClientAuthenticationMethod, Credential};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use values::Lifetime;

use super::Instant;
use super::schema::{JsonSchema, Span};

/// The parameters of a token request to explain. The client is the client in the path.
#[derive(Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExplainSettings {
    /// The parameter `grant_type`. Default: `client_credentials`.
    #[schemars(example = &"client_credentials")]
    pub grant_type: Option<String>,
    /// The parameter `scope`: scopes separated by blanks. Default: not sent, which
    /// requests all registered scopes.
    #[schemars(example = &"orders:read")]
    pub scope: Option<String>,
    /// The parameters `resource`.
    pub resource: Vec<String>,
    /// The parameter `audience`. Latchkey treats it like `resource`, but it does not have to be a URI.
    pub audience: Option<String>,
    /// How the request authenticates the client. Default: `client_secret_basic`.
    #[schemars(example = &"client_secret_basic", extend("enum" = ExplainSettings::METHODS))]
    pub token_endpoint_auth_method: Option<String>,
    /// The presented secret or API key. If absent, the explanation assumes a correct secret.
    #[schemars(extend("format" = "password"))]
    pub client_secret: Option<String>,
    /// The presented assertion (RFC 7523 section 2.2). Latchkey verifies it without using it up. If absent,
    /// the explanation assumes a correct assertion.
    #[schemars(extend("format" = "password"))]
    pub client_assertion: Option<String>,
    /// The presented certificate in PEM (RFC 8705), followed by the intermediate certificates. Latchkey
    /// checks the chain like each listener with a `client_ca` does. If absent, the explanation assumes a
    /// correct certificate.
    pub client_certificate: Option<String>,
    /// The DPoP proof of a request (RFC 9449). Latchkey checks it without using it up. If absent, the
    /// explanation assumes a correct proof where one is required. Together with `access_token`, this is the
    /// proof of a request to a resource; otherwise, of the token request.
    #[schemars(extend("format" = "password"))]
    pub dpop_proof: Option<String>,
    /// The method of the request with the proof. Default: `POST`.
    #[schemars(example = &"POST")]
    pub dpop_method: Option<String>,
    /// The URL of the request with the proof, as the client sends it. Default: the tenant's token endpoint.
    pub dpop_url: Option<String>,
    /// An access token of the client. The explanation says whether it is valid, what revoked it, and whether
    /// the proof was signed with its key.
    #[schemars(extend("format" = "password"))]
    pub access_token: Option<String>,
}

/// How the token endpoint would answer a request, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExplanationView {
    /// The response as the caller would see it.
    pub result: ExplainedResult,
    /// The checks of the tenant, the parameters and the grant. They continue after a refusal.
    pub checks: Vec<ExplainedCheck>,
    /// The client authentication, which the token endpoint checks after the parameters.
    pub credential: ExplainedCredential,
    /// Each requested scope; if none was requested, each scope that the client is registered for.
    pub scopes: Vec<ExplainedScope>,
    /// The content of the token. Absent if the rules of the grant refuse the request; present if only the
    /// client authentication fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<ExplainedToken>,
    /// The checks of the presented DPoP proof, in order. Absent without a proof.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dpop_proof: Vec<ExplainedCheck>,
    /// The checks of the presented access token, in order. Absent without a token.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub access_token: Vec<ExplainedCheck>,
}

/// A response of the token endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExplainedResult {
    /// The HTTP status.
    #[schemars(example = 200)]
    pub status: u16,
    /// The error code (RFC 6749 section 5.2); absent for 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The description that accompanies the error code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
    /// The reason as the access log would show it. Absent if it depends on the secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The name of the check that refuses the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// The section of the documentation that explains the error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// One check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExplainedCheck {
    /// The subject of the check, such as `tenant`, `secret`, `api_key` or `audience`. Later versions may add
    /// names.
    #[schemars(example = &"secret")]
    pub name: String,
    /// The result. `not_checked`: it depends on something that is unknown or refused.
    #[schemars(example = &"passed", extend("enum" = ["passed", "refused", "not_checked"]))]
    pub result: String,
    /// The reason for a refusal, as in the access log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the check found.
    pub detail: String,
    /// What to do about a refusal, or what to consider if the check passes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// The client authentication of the request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExplainedCredential {
    /// How the request authenticates the client.
    #[schemars(example = &"client_secret_basic", extend("enum" = ExplainSettings::METHODS))]
    pub method: String,
    /// The identifier of the matching credential of the client; absent if none matches or none was presented.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched: Option<String>,
    /// Its checks, in order.
    pub checks: Vec<ExplainedCheck>,
    /// The credentials of the client, without their values.
    pub registered: Vec<RegisteredCredential>,
}

/// A credential of a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RegisteredCredential {
    /// Its kind. Later versions may add kinds.
    #[schemars(example = &"client_secret")]
    pub kind: String,
    /// Its identifier, such as `s1`.
    #[schemars(example = &"s1")]
    pub id: String,
    /// Whether it is valid now.
    #[schemars(example = &"live", extend("enum" = ["live", "expired", "revoked"]))]
    pub status: String,
    /// When it expires.
    pub expires_at: Option<Instant>,
    /// When it was revoked.
    pub revoked_at: Option<Instant>,
}

/// A scope of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExplainedScope {
    /// The scope.
    #[schemars(example = &"orders:read")]
    pub scope: String,
    /// `left_out`: the request did not name it, and the token does not contain it. `refused`: the request is
    /// refused because of it. `not_checked`: it depends on the audience, which is refused.
    #[schemars(example = &"granted", extend("enum" = ["granted", "left_out", "refused", "not_checked"]))]
    pub result: String,
    /// Why it is omitted or refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// The content of a token. Latchkey does not sign anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExplainedToken {
    /// `typ` of its header; absent for an opaque token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"at+jwt")]
    pub typ: Option<String>,
    /// `alg` of its header, or the algorithm of an opaque token.
    #[schemars(example = &"RS256", extend("enum" = KeyAlgorithm::all().map(KeyAlgorithm::as_str).collect::<Vec<_>>()))]
    pub algorithm: String,
    /// `kid` of its header, or of the key of an opaque token; absent if the first token creates the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"oauth2-key-1")]
    pub kid: Option<String>,
    /// How long it would be valid.
    #[schemars(with = "Span", example = 3600)]
    pub lifetime: Lifetime,
    /// Its claims, without `jti` and times.
    pub claims: ExplainedClaims,
}

/// Claims of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExplainedClaims {
    /// The issuer.
    pub iss: String,
    /// The subject.
    pub sub: String,
    /// The audience in the token's form: a string or a list.
    #[schemars(with = "AudienceSchema")]
    pub aud: Value,
    /// The client.
    pub client_id: String,
    /// The granted scope; absent if empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"orders:read")]
    pub scope: Option<String>,
    /// The API key for which the token would be issued; absent for other credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"4fT9xQ2bV7mK")]
    pub api_key: Option<String>,
    /// What all tokens of the client or the tenant say.
    #[serde(flatten, serialize_with = "super::json::claims")]
    pub more: Map<String, Value>,
}

/// The schema of an audience.
#[derive(JsonSchema)]
#[schemars(untagged, inline)]
#[expect(dead_code, reason = "only its schema is used")]
enum AudienceSchema {
    One(String),
    Many(Vec<String>),
}

impl ExplainSettings {
    /// How a request may authenticate a client (RFC 7591 section 2).
    pub const METHODS: [&str; 6] = {
        let [_any, presented @ ..] = ClientAuthenticationMethod::NAMES;
        presented
    };

    /// The requested method of client authentication, or the default.
    #[must_use]
    pub fn method(&self) -> &str {
        self.token_endpoint_auth_method.as_deref().unwrap_or(Self::METHODS[0])
    }

    /// The path in the URL of the request with the proof, if `dpop_url` is set (RFC 3986 section 3.3).
    #[must_use]
    pub fn dpop_path(&self) -> Option<&str> {
        let (_, rest) = self.dpop_url.as_deref()?.split_once("://")?;
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        Some(rest.find('/').map_or("/", |start| &rest[start..]))
    }

    /// The credential that a request with this method contains.
    #[must_use]
    pub fn credential(method: &str) -> Option<Credential> {
        method.parse().ok().and_then(ClientAuthenticationMethod::credential)
    }
}

impl fmt::Debug for ExplainSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &mut f.debug_struct("ExplainSettings");
        shown.field("grant_type", &self.grant_type).field("scope", &self.scope).finish_non_exhaustive()
    }
}

//! The explanation of a token request: the answer of the token endpoint, and its reasons. It never contains a
//! usable token or a secret.

use std::fmt;

use protocol::{ClientAuthenticationMethod, Credential, SigningAlgorithm};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use values::Lifetime;

use super::Instant;
use super::schema::{JsonSchema, Span};

/// The parameters of a token request that is to be explained. The client is the one of the path.
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
    /// The parameter `audience`, which is taken as `resource` is, and need be no URI.
    pub audience: Option<String>,
    /// How the request authenticates the client. Default: `client_secret_basic`.
    #[schemars(example = &"client_secret_basic", extend("enum" = ExplainSettings::METHODS))]
    pub token_endpoint_auth_method: Option<String>,
    /// The presented secret, or API key. Without one, the explanation assumes a right secret.
    #[schemars(extend("format" = "password"))]
    pub client_secret: Option<String>,
    /// The presented assertion (RFC 7523 section 2.2). It is verified and not used up. Without one, the
    /// explanation assumes a right one.
    #[schemars(extend("format" = "password"))]
    pub client_assertion: Option<String>,
    /// The presented certificate in PEM (RFC 8705), and after it those between it and an authority. Its
    /// chain is checked as each listener with a `client_ca` checks it. Without a certificate, the
    /// explanation assumes a right one.
    pub client_certificate: Option<String>,
    /// The DPoP proof of a request (RFC 9449). It is checked and not used up. Without one, the explanation
    /// assumes a right one where a proof is needed. Beside `access_token` it is the proof of a request to a
    /// resource, else that of the token request.
    #[schemars(extend("format" = "password"))]
    pub dpop_proof: Option<String>,
    /// The method of the request with the proof. Default: `POST`.
    #[schemars(example = &"POST")]
    pub dpop_method: Option<String>,
    /// The URL of the request with the proof, as the client sends it. Default: the
    /// token endpoint of the tenant.
    pub dpop_url: Option<String>,
    /// An access token of the client. The explanation says whether it is valid, what has revoked it, and
    /// whether the proof beside it is of its key.
    #[schemars(extend("format" = "password"))]
    pub access_token: Option<String>,
}

/// What the token endpoint would answer to a request, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExplanationView {
    /// The answer as its caller would see it.
    pub result: ExplainedResult,
    /// The checks of the tenant, the parameters and the grant. They go on after a refusal.
    pub checks: Vec<ExplainedCheck>,
    /// The client authentication, which the token endpoint checks after the parameters.
    pub credential: ExplainedCredential,
    /// Each requested scope; without a requested one, each that the client is registered for.
    pub scopes: Vec<ExplainedScope>,
    /// What a token would say. Absent where the rules of the grant refuse it; there where only the
    /// client authentication fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<ExplainedToken>,
    /// The checks of the presented DPoP proof, in their order. Absent without one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dpop_proof: Vec<ExplainedCheck>,
    /// The checks of the presented access token, in their order. Absent without one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub access_token: Vec<ExplainedCheck>,
}

/// An answer of the token endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExplainedResult {
    /// The HTTP status.
    #[schemars(example = 200)]
    pub status: u16,
    /// The error code (RFC 6749 section 5.2); absent for 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The sentence beside the error code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
    /// The reason that the access log would have. Absent where it depends on the secret.
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
    /// What is checked, such as `tenant`, `secret`, `api_key` or `audience`. Later versions add names.
    #[schemars(example = &"secret")]
    pub name: String,
    /// Whether it passes. `not_checked`: it depends on what is not known or is refused.
    #[schemars(example = &"passed", extend("enum" = ["passed", "refused", "not_checked"]))]
    pub result: String,
    /// The reason of a refusal, as the access log names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What was found.
    pub detail: String,
    /// What to do about a refusal; of a check that passes, what to consider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// The client authentication of the request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExplainedCredential {
    /// How the request authenticates the client.
    #[schemars(example = &"client_secret_basic", extend("enum" = ExplainSettings::METHODS))]
    pub method: String,
    /// The identifier of the client's credential that matches; absent where none does or none was presented.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched: Option<String>,
    /// Its checks, in their order.
    pub checks: Vec<ExplainedCheck>,
    /// The credentials of the client, never their values.
    pub registered: Vec<RegisteredCredential>,
}

/// A credential of a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RegisteredCredential {
    /// What it is. Later versions add kinds.
    #[schemars(example = &"client_secret")]
    pub kind: String,
    /// Its identifier, as `s1`.
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
    /// `left_out`: it was not requested by name, and the token does not have it. `refused`: it refuses the
    /// request. `not_checked`: it depends on the audience, which is refused.
    #[schemars(example = &"granted", extend("enum" = ["granted", "left_out", "refused", "not_checked"]))]
    pub result: String,
    /// Why it is left out or refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// What a token would say. Nothing is signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExplainedToken {
    /// `typ` of its header.
    #[schemars(example = &"at+jwt")]
    pub typ: String,
    /// `alg` of its header.
    #[schemars(example = &"RS256", extend("enum" = SigningAlgorithm::ALL.map(SigningAlgorithm::as_str)))]
    pub algorithm: String,
    /// `kid` of its header; absent where the first token creates the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"oauth2-key-1")]
    pub kid: Option<String>,
    /// How long it would be valid.
    #[schemars(with = "Span", example = 3600)]
    pub lifetime: Lifetime,
    /// Its claims, without `jti` and the times.
    pub claims: ExplainedClaims,
}

/// Claims of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExplainedClaims {
    /// The issuer.
    pub iss: String,
    /// The subject.
    pub sub: String,
    /// The audience, in the form in which the token has it: a string or a list.
    #[schemars(with = "AudienceSchema")]
    pub aud: Value,
    /// The client.
    pub client_id: String,
    /// The granted scope; absent where it is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"orders:read")]
    pub scope: Option<String>,
    /// The API key that the token would be for; absent for another credential.
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

    /// How the request authenticates the client.
    #[must_use]
    pub fn method(&self) -> &str {
        self.token_endpoint_auth_method.as_deref().unwrap_or(Self::METHODS[0])
    }

    /// The path of the request with the proof, where its URL is given (RFC 3986 section 3.3).
    #[must_use]
    pub fn dpop_path(&self) -> Option<&str> {
        let (_, rest) = self.dpop_url.as_deref()?.split_once("://")?;
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        Some(rest.find('/').map_or("/", |start| &rest[start..]))
    }

    /// The credential of a request with this method.
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

//! Other issuers whose assertions authenticate clients, as documents.

use std::collections::BTreeMap;

use registry::{TrustRule, TrustRules};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tenancy::{IssuerKeys, TrustedIssuer};
use values::Lifetime;

use super::schema::{self, JsonSchema};
use super::source::Jwks;

/// Another issuer whose assertions authenticate clients of the tenant (RFC 7523 §2.2). Latchkey finds its
/// keys through discovery, unless you set `jwks_uri` or `jwks`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["issuer"]))]
pub struct TrustedIssuerSettings {
    /// The `iss` of its assertions: an https URL or a SPIFFE trust domain.
    #[schemars(example = &"https://token.actions.githubusercontent.com", extend("minLength" = 1, "maxLength" = 2048, "pattern" = schema::TRUSTED_ISSUER))]
    pub issuer: String,
    /// The https URL of its keys; for a trust domain, the URL of its bundle (SPIFFE Federation §5.2).
    #[schemars(extend("maxLength" = 2048, "pattern" = schema::KEY_SET_URL))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// Its keys, if Latchkey cannot fetch them: at most ten.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Jwks>,
    /// The algorithms that it signs with. Default: any asymmetric algorithm.
    #[schemars(extend("items" = schema::one_of(&schema::ASSERTION_ALGORITHMS), "uniqueItems" = true))]
    pub algorithms: Vec<String>,
}

/// Which assertions from another issuer authenticate the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["issuer", "subject"]))]
pub struct TrustRuleSettings {
    /// The name of one of the tenant's `trusted_issuers`, or the https URL of an issuer with discovery.
    #[schemars(example = &"https://token.actions.githubusercontent.com", extend("minLength" = 1, "maxLength" = 2048))]
    pub issuer: String,
    /// The value of `sub`. `*` matches any characters except `:` and `/`, `**` matches any characters. A new
    /// pattern can have at most four stars and 256 bytes, and needs a `:` or `/` before the first star.
    #[schemars(example = &"repo:example/billing:ref:refs/heads/main", extend("minLength" = 1, "maxLength" = 1024, "pattern" = schema::NAME))]
    pub subject: String,
    /// A value of `aud`. Default: the tenant's issuer.
    #[schemars(extend("minLength" = 1, "maxLength" = 2048, "pattern" = schema::NAME))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// Values of other claims, by name or by JSON pointer (RFC 6901): a string (with `*` as in `subject`), a
    /// number or a boolean, or a list of which one must match. Types must match. If the claim is a list, one
    /// matching item is enough.
    #[schemars(extend("additionalProperties" = schema::compared_values()))]
    pub claims: Map<String, Value>,
    /// The maximum age of the assertion: up to one day.
    #[schemars(with = "schema::Span", example = 3600, extend("pattern" = schema::SOME_TIME, "minimum" = 1, "maximum" = 86_400))]
    pub max_age: Lifetime,
    /// Whether each assertion can be used only once.
    pub once: bool,
}

/// Issuer and subject have no default, so they are left out.
impl Default for TrustRuleSettings {
    fn default() -> Self {
        Self::from(&TrustRule::new("", ""))
    }
}

impl From<&TrustedIssuer> for TrustedIssuerSettings {
    fn from(TrustedIssuer { name: _, issuer, keys, algorithms }: &TrustedIssuer) -> Self {
        let (jwks_uri, jwks) = match keys {
            IssuerKeys::Discovery => (None, None),
            IssuerKeys::Url(url) => (Some(url.clone()), None),
            IssuerKeys::Document(document) => (None, serde_json::from_str(document).ok()),
        };
        Self { issuer: issuer.clone(), jwks_uri, jwks, algorithms: algorithms.clone() }
    }
}

pub(super) fn trusted_issuers(all: &[TrustedIssuer]) -> BTreeMap<String, TrustedIssuerSettings> {
    all.iter().map(|issuer| (issuer.name.clone(), issuer.into())).collect()
}

impl From<&TrustRule> for TrustRuleSettings {
    fn from(TrustRule { issuer, subject, audience, claims, max_age, once }: &TrustRule) -> Self {
        Self {
            issuer: issuer.clone(),
            subject: subject.as_str().to_owned(),
            audience: audience.clone(),
            claims: claims.iter().map(|(name, accepted)| (name.clone(), accepted.written())).collect(),
            max_age: *max_age,
            once: *once,
        }
    }
}

pub(super) fn trust_rules(TrustRules(all): &TrustRules) -> Vec<TrustRuleSettings> {
    all.iter().map(Into::into).collect()
}

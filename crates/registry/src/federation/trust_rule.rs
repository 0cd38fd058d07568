//! Rules that authenticate a client by the assertions of another issuer (RFC 7523 §2.2).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tenancy::TenantId;
use values::Lifetime;

use crate::{ClaimRule, ClientId, CredentialTag, TextPattern};

/// Which assertions of one issuer authenticate a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustRule {
    /// The name of an issuer that the tenant trusts, or the URL of an issuer whose keys are found by
    /// discovery.
    pub issuer: String,
    /// The accepted `sub`.
    pub subject: TextPattern,
    /// A value that `aud` must contain. Without it, the issuer of the tenant.
    pub audience: Option<String>,
    /// The accepted values of other claims, by name or by a JSON pointer (RFC 6901) that begins with `/`.
    pub claims: BTreeMap<String, ClaimRule>,
    /// How old an assertion may be.
    pub max_age: Lifetime,
    /// Whether an assertion counts once.
    pub once: bool,
}

/// The rules of a client. One of them must accept the assertion.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TrustRules(pub Vec<TrustRule>);

impl TrustRule {
    /// The age that a rule allows by default: most platforms renew the tokens of a workload sooner.
    pub const MAX_AGE: Lifetime = Lifetime::from_seconds(3_600);
    /// The greatest age that a rule may allow.
    pub const GREATEST_MAX_AGE: Lifetime = Lifetime::from_seconds(86_400);

    /// A rule with only an issuer and a subject.
    #[must_use]
    pub fn new(issuer: &str, subject: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            subject: TextPattern::new(subject),
            audience: None,
            claims: BTreeMap::new(),
            max_age: Self::MAX_AGE,
            once: false,
        }
    }

    #[must_use]
    pub fn tag(&self, tenant: &TenantId, client: &ClientId) -> CredentialTag {
        let id = format!("{}\0{}", self.issuer, self.subject.as_str());
        CredentialTag::new(tenant, client, b"trust_rule", id.as_bytes())
    }
}

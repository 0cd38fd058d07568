//! Rules that authenticate a client with assertions of another issuer (RFC 7523 §2.2).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tenancy::TenantId;
use values::Lifetime;

use crate::{ClaimRule, ClientId, CredentialTag, TextPattern};

/// Which assertions of one issuer authenticate a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustRule {
    /// The name of a trusted issuer of the tenant, or the URL of an issuer whose keys are found by discovery.
    pub issuer: String,
    /// The accepted `sub`.
    pub subject: TextPattern,
    /// A value that `aud` must contain. By default the tenant's issuer.
    pub audience: Option<String>,
    /// The accepted values of other claims, by name or by a JSON pointer (RFC 6901) that begins with `/`.
    pub claims: BTreeMap<String, ClaimRule>,
    /// The maximum age of an assertion.
    pub max_age: Lifetime,
    /// Whether an assertion can be used only once.
    pub once: bool,
}

/// The rules of a client. At least one must accept the assertion.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TrustRules(pub Vec<TrustRule>);

impl TrustRule {
    /// The default maximum age. Most platforms renew the tokens of a workload sooner.
    pub const MAX_AGE: Lifetime = Lifetime::from_seconds(3_600);
    /// The largest maximum age that a rule may have.
    pub const GREATEST_MAX_AGE: Lifetime = Lifetime::from_seconds(86_400);

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

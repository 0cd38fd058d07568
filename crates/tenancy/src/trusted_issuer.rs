//! Other issuers whose assertions authenticate clients of a tenant (RFC 7523 §2.2), such as platforms that
//! run workloads.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// An issuer that one tenant trusts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustedIssuer {
    /// The name in the rules of clients.
    pub name: String,
    /// `iss` of the assertions, or the trust domain of their subjects: `spiffe://example.org`.
    pub issuer: String,
    pub keys: IssuerKeys,
    /// The allowed algorithms. Empty allows all asymmetric algorithms.
    pub algorithms: Vec<String>,
}

/// Where another issuer's keys are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IssuerKeys {
    /// The issuer's metadata contain the URL (OpenID Connect Discovery §4).
    Discovery,
    Url(String),
    /// The JWKS document itself.
    Document(String),
}

impl TrustedIssuer {
    /// The scheme of trust domains.
    pub const SPIFFE: &str = "spiffe://";

    /// An undeclared issuer that a client's rule names by its URL.
    #[must_use]
    pub fn of_url(issuer: &str) -> Self {
        let (name, keys) = (String::new(), IssuerKeys::Discovery);
        Self { name, issuer: issuer.to_owned(), keys, algorithms: Vec::new() }
    }

    /// The issuer that a rule refers to by name or `iss`. The keys of an undeclared issuer are found by
    /// discovery.
    #[must_use]
    pub fn find<'i>(declared: &'i [Self], named: &str) -> Option<Cow<'i, Self>> {
        let found = declared.iter().find(|issuer| issuer.name == named || issuer.issuer == named);
        match found {
            Some(issuer) => Some(Cow::Borrowed(issuer)),
            None => named.contains("://").then(|| Cow::Owned(Self::of_url(named))),
        }
    }

    /// Whether the issuer's assertions are JWT-SVIDs. Their issuer is the trust domain of their subject.
    #[must_use]
    pub fn is_trust_domain(&self) -> bool {
        self.issuer.starts_with(Self::SPIFFE)
    }

    /// Whether an assertion with this `iss` and `sub` is of this issuer.
    #[must_use]
    pub fn is_named(&self, iss: Option<&str>, sub: &str) -> bool {
        if self.is_trust_domain() {
            trust_domain(sub) == Some(&*self.issuer)
        } else {
            iss == Some(&*self.issuer)
        }
    }

    #[must_use]
    pub fn allows(&self, algorithm: &str) -> bool {
        self.algorithms.is_empty() || self.algorithms.iter().any(|allowed| allowed == algorithm)
    }
}

/// Returns `spiffe://example.org` for `spiffe://example.org/workload` (SPIFFE-ID §2.1).
#[must_use]
pub fn trust_domain(spiffe_id: &str) -> Option<&str> {
    let rest = spiffe_id.strip_prefix(TrustedIssuer::SPIFFE)?;
    let length = rest.find('/')?;
    (length > 0).then(|| &spiffe_id[..TrustedIssuer::SPIFFE.len() + length])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(name: &str, issuer: &str) -> TrustedIssuer {
        TrustedIssuer { name: name.to_owned(), ..TrustedIssuer::of_url(issuer) }
    }

    #[test]
    fn issuer_is_found_by_name_or_url() {
        let all = [declared("ci", "https://ci.example"), declared("mesh", "spiffe://example.org")];
        let found =
            |named| TrustedIssuer::find(&all, named).map(|found| (found.name.clone(), found.issuer.clone()));
        let of = |name: &str, issuer: &str| Some((name.to_owned(), issuer.to_owned()));
        assert_eq!(found("ci"), of("ci", "https://ci.example"));
        assert_eq!(found("https://ci.example"), of("ci", "https://ci.example"));
        assert_eq!(found("https://other.example"), of("", "https://other.example"));
        assert_eq!(found("unknown"), None);
    }

    #[test]
    fn issuer_is_matched_by_iss_or_svid_subject() {
        let (ci, mesh) = (declared("ci", "https://ci.example"), declared("mesh", "spiffe://example.org"));
        for (iss, sub, expected) in [
            (Some("https://ci.example"), "repo:a", (true, false)),
            (Some("https://ci.example/"), "repo:a", (false, false)),
            (None, "spiffe://example.org/web", (false, true)),
            (Some("https://ci.example"), "spiffe://example.org/web", (true, true)),
            (Some("spiffe://example.org"), "web", (false, false)),
            (None, "spiffe://example.org.evil/web", (false, false)),
            (None, "spiffe://example.org", (false, false)),
            (None, "spiffe:///web", (false, false)),
        ] {
            assert_eq!((ci.is_named(iss, sub), mesh.is_named(iss, sub)), expected, "{iss:?} {sub}");
        }
    }

    #[test]
    fn listed_algorithms_exclude_others() {
        let any = declared("ci", "https://ci.example");
        let pinned = TrustedIssuer { algorithms: vec!["ES256".to_owned()], ..any.clone() };
        assert!(any.allows("RS256") && pinned.allows("ES256") && !pinned.allows("RS256"));
    }
}

//! Finds the clients of a tenant that an assertion of another issuer may authenticate, for requests without
//! `client_id`. The assertion is not verified at this point, so the cost of the search is limited.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use keys::SignedJwt;
use protocol::AssertionKind;
use tenancy::{Stored, Tenant, TenantId, TrustedIssuer};

use crate::{ClientId, TextPattern};

/// The issuer and the subject of an assertion that is not verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignSubject {
    issuers: Vec<String>,
    subject: String,
    /// Issuer and subject in one text, as a cache key.
    name: String,
}

/// One client, and its rules that may match: the issuer and the subject of each.
pub type CandidateRules = (ClientId, Vec<(String, TextPattern)>);

/// The result of a search.
#[derive(Debug, PartialEq, Eq)]
pub struct FederatedClients {
    /// The tenant. Detects a store that returns another tenant's clients.
    pub tenant: TenantId,
    /// The client. `None` if several clients match, or if there are too many candidates.
    pub client: Option<ClientId>,
    pub rows: usize,
    /// The number of steps that the comparison of patterns took.
    pub steps: usize,
}

#[async_trait]
pub trait FederatedClientStore: Send + Sync {
    /// The clients of this tenant whose rules match this subject. `None` if no rule matches.
    async fn find_federated_clients(
        &self,
        tenant: &TenantId,
        subject: &ForeignSubject,
    ) -> Stored<Option<Arc<FederatedClients>>>;
}

impl ForeignSubject {
    /// The maximum length of an issuer and of a subject in bytes. Longer ones match no rule.
    const LONGEST: [usize; 2] = [2_048, 1_024];
    /// The number of characters of an issuer and of a pattern's beginning in a store's index. Migration 57
    /// contains the same numbers.
    const FOUND_BY: [usize; 2] = [200, 255];

    /// The issuer and subject of an assertion. `None` if no rule of the tenant can match.
    pub(crate) fn new(tenant: &Tenant, jwt: &SignedJwt<'_>, kind: AssertionKind) -> Option<Self> {
        let (iss, sub) = (issuer_of(jwt, kind), jwt.unverified_subject()?);
        let declared = tenant.trusted_issuers.iter().filter(|issuer| issuer.is_named(iss, sub));
        let names = declared.flat_map(|issuer| [issuer.name.as_str(), issuer.issuer.as_str()]);
        // An issuer that the tenant has not declared, but whose keys can be found by discovery.
        let undeclared = iss.filter(|iss| TrustedIssuer::find(&tenant.trusted_issuers, iss).is_some());
        let names: BTreeSet<&str> = names.chain(undeclared).collect();
        Self::of(names, sub)
    }

    #[must_use]
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>, subject: &str) -> Option<Self> {
        let [longest_issuer, longest_subject] = Self::LONGEST;
        let names = names.into_iter().filter(|name| name.len() <= longest_issuer);
        let issuers: Vec<String> = names.map(str::to_owned).collect();
        let name = format!("{}\n\n{subject}", issuers.join("\n"));
        let is_possible = !issuers.is_empty() && subject.len() <= longest_subject;
        is_possible.then(|| Self { issuers, subject: subject.to_owned(), name })
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The issuers of rows that may match, cut to the length in the index.
    pub fn issuers(&self) -> impl Iterator<Item = String> {
        self.issuers.iter().map(|issuer| issuer.chars().take(Self::FOUND_BY[0]).collect())
    }

    /// The keys of rows that may match: `=` and the subject, or `*` and the beginning of a pattern. A
    /// beginning without `:` and `/` counts as empty.
    #[must_use]
    pub fn places(&self) -> Vec<String> {
        let subject = self.subject.as_str();
        let mut places = vec![format!("={subject}"), "*".to_owned()];
        let ends = subject.char_indices().take(Self::FOUND_BY[1]).map(|(at, char)| at + char.len_utf8());
        let ends = ends.skip_while(|end| !subject[..*end].ends_with([':', '/']));
        places.extend(ends.map(|end| format!("*{}", &subject[..end])));
        places
    }
}

impl FederatedClients {
    /// A store first reads one row more than this. Each row has the rules of one client.
    pub const FIRST_ROWS: u32 = 10;
    /// The maximum number of clients, and of patterns, that are compared.
    pub const MOST_ROWS: u32 = 100;
    /// The maximum number of steps to compare patterns for one request.
    pub const MOST_STEPS: usize = 100_000;

    /// Whether a store that has read one row more than [`FederatedClients::FIRST_ROWS`] must read again, up
    /// to one row more than [`FederatedClients::MOST_ROWS`]. Not necessary if the rows already contain too
    /// many patterns.
    #[must_use]
    pub fn needs_more(subject: &ForeignSubject, rows: &[CandidateRules]) -> bool {
        rows.len() > Self::FIRST_ROWS as usize && !Self::are_too_many(subject, rows)
    }

    /// Compares rows with the subject. `rows` has at most one row more than [`FederatedClients::MOST_ROWS`],
    /// which means that there are too many. `read` is the number of rows that the store read in all attempts.
    /// Returns `None` if no rule matches.
    #[must_use]
    pub fn new(
        tenant: TenantId,
        subject: &ForeignSubject,
        rows: &[CandidateRules],
        read: usize,
    ) -> Option<Self> {
        let mut left = Self::MOST_STEPS;
        let client = Self::compare(subject, rows, &mut left)?;
        Some(Self { tenant, client: client.cloned(), rows: read, steps: Self::MOST_STEPS - left })
    }

    /// The rules with an issuer of the subject, each with its client.
    fn candidates<'a>(
        subject: &ForeignSubject,
        rows: &'a [CandidateRules],
    ) -> impl Iterator<Item = (&'a ClientId, &'a TextPattern)> {
        rows.iter().flat_map(move |(client, rules)| {
            let named = rules.iter().filter(move |(issuer, _)| subject.issuers.contains(issuer));
            named.map(move |(_, pattern)| (client, pattern))
        })
    }

    fn are_too_many(subject: &ForeignSubject, rows: &[CandidateRules]) -> bool {
        let most = Self::MOST_ROWS as usize;
        let patterns = Self::candidates(subject, rows).filter(|(_, pattern)| !pattern.is_exact());
        rows.len() > most || patterns.count() > most
    }

    fn compare<'a>(
        subject: &ForeignSubject,
        rows: &'a [CandidateRules],
        left: &mut usize,
    ) -> Option<Option<&'a ClientId>> {
        if Self::are_too_many(subject, rows) {
            return Some(None);
        }
        let mut found = None;
        for (client, pattern) in Self::candidates(subject, rows) {
            match pattern.matches_within(&subject.subject, left) {
                Some(true) if found.is_some_and(|found| found != client) => return Some(None),
                Some(true) => found = Some(client),
                Some(false) => {}
                None => return Some(None),
            }
        }
        found.map(Some)
    }
}

/// The issuer of an assertion. By the draft for SPIFFE, the issuer of an SVID is the trust domain of `sub`,
/// and `iss` does not count.
pub(crate) fn issuer_of<'a>(jwt: &'a SignedJwt<'_>, kind: AssertionKind) -> Option<&'a str> {
    if kind == AssertionKind::JwtSvid { None } else { jwt.unverified_issuer() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(subject: &str, rows: &[(&str, &[&str])]) -> Option<FederatedClients> {
        let tenant = TenantId::parse("acme").unwrap();
        let rules = |subjects: &[&str]| {
            subjects.iter().map(|subject| ("ci".to_owned(), TextPattern::new(subject))).collect()
        };
        let rows: Vec<_> =
            rows.iter().map(|(id, subjects)| (ClientId::parse(id).unwrap(), rules(subjects))).collect();
        FederatedClients::new(tenant, &ForeignSubject::of(["ci"], subject).unwrap(), &rows, rows.len())
    }

    // [third 2]
    #[test]
    fn unverified_subject_is_compared_within_its_budget() {
        let long = format!("x:{}", "a".repeat(1_022));
        let patterns: Vec<_> = (0..101).map(|nth| format!("x:**{nth}")).collect();
        let patterns: Vec<_> = patterns.iter().map(String::as_str).collect();
        let many: Vec<(String, [&str; 1])> = (0..101).map(|nth| (format!("c{nth}"), ["x:**b"])).collect();
        let many: Vec<(&str, &[&str])> = many.iter().map(|(id, all)| (id.as_str(), &all[..])).collect();
        let worst = format!("x:**{}b**", "a".repeat(249));
        let worst: Vec<&str> = vec![&worst; 20];
        for (rows, expected) in [
            (vec![("a", &["x:**"][..])], Some(Some("a"))),
            (vec![("a", &["x:**"][..]), ("b", &["x:*"])], Some(None)),
            (vec![("a", &["x:**", "x:*"][..])], Some(Some("a"))),
            (vec![("a", &["y:**"][..])], None),
            (vec![("a", &patterns[..100])], None),
            (vec![("a", &patterns[..])], Some(None)),
            (many[..100].to_vec(), None),
            (many, Some(None)),
            (vec![("a", &worst[..])], Some(None)),
        ] {
            let found = find(&long, &rows);
            let client = found.as_ref().map(|found| found.client.as_ref().map(ClientId::as_str));
            assert_eq!(client, expected, "{} rows", rows.len());
            assert!(found.is_none_or(|found| found.steps <= FederatedClients::MOST_STEPS));
        }
    }

    #[test]
    fn places_are_the_subject_and_its_prefixes() {
        let places = |subject| ForeignSubject::of(["ci"], subject).unwrap().places();
        assert_eq!(places("ab"), ["=ab", "*"]);
        assert_eq!(places("é:b/"), ["=é:b/", "*", "*é:", "*é:b", "*é:b/"]);
        assert_eq!(places(&":".repeat(1_024)).len(), 257);
        assert!(ForeignSubject::of(["ci"], &"a".repeat(1_025)).is_none());
        assert!(ForeignSubject::of([], "a").is_none());
    }
}

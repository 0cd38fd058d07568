//! Finds the clients of a tenant that an assertion of another issuer may authenticate, for requests without
//! `client_id`. Nothing is verified yet, so the search has a budget.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use keys::SignedJwt;
use protocol::AssertionKind;
use tenancy::{Stored, Tenant, TenantId, TrustedIssuer};

use crate::{ClientId, TextPattern};

/// Issuer and subject of an assertion that is not verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignSubject {
    issuers: Vec<String>,
    subject: String,
    /// All of it, as the key of a cache.
    name: String,
}

/// The rules of one client that may match: each with its issuer and its subject.
pub type CandidateRules = (ClientId, Vec<(String, TextPattern)>);

/// The clients of a tenant whose rules match an issuer and a subject.
#[derive(Debug, PartialEq, Eq)]
pub struct FederatedClients {
    /// Its tenant; detects a store that returns another tenant's.
    pub tenant: TenantId,
    /// The client, or `None` when there are several, or too many candidates to tell.
    pub client: Option<ClientId>,
    /// How many rows were read.
    pub rows: usize,
    /// How many steps the comparison of patterns took.
    pub steps: usize,
}

/// Finds them.
#[async_trait]
pub trait FederatedClientStore: Send + Sync {
    /// The clients of this tenant whose rules match this subject, if there are any.
    async fn find_federated_clients(
        &self,
        tenant: &TenantId,
        subject: &ForeignSubject,
    ) -> Stored<Option<Arc<FederatedClients>>>;
}

impl ForeignSubject {
    /// The most bytes of an issuer and of a subject in a rule. Longer ones match none.
    const LONGEST: [usize; 2] = [2_048, 1_024];
    /// The characters of an issuer and of a beginning by which a store finds rows. Migration 57 has the same
    /// numbers.
    const FOUND_BY: [usize; 2] = [200, 255];

    /// What the assertion claims to be, if rules of the tenant can match it.
    pub(crate) fn new(tenant: &Tenant, jwt: &SignedJwt<'_>, kind: AssertionKind) -> Option<Self> {
        let (iss, sub) = (issuer_of(jwt, kind), jwt.unverified_subject()?);
        let declared = tenant.trusted_issuers.iter().filter(|issuer| issuer.is_named(iss, sub));
        let names = declared.flat_map(|issuer| [issuer.name.as_str(), issuer.issuer.as_str()]);
        // An issuer that is found by discovery, and that the tenant has not declared.
        let undeclared = iss.filter(|iss| TrustedIssuer::find(&tenant.trusted_issuers, iss).is_some());
        let names: BTreeSet<&str> = names.chain(undeclared).collect();
        Self::of(names, sub)
    }

    /// A subject of an issuer with these names.
    #[must_use]
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>, subject: &str) -> Option<Self> {
        let [longest_issuer, longest_subject] = Self::LONGEST;
        let names = names.into_iter().filter(|name| name.len() <= longest_issuer);
        let issuers: Vec<String> = names.map(str::to_owned).collect();
        let name = format!("{}\n\n{subject}", issuers.join("\n"));
        let is_possible = !issuers.is_empty() && subject.len() <= longest_subject;
        is_possible.then(|| Self { issuers, subject: subject.to_owned(), name })
    }

    /// All of it as one text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The issuers of rows that may match.
    pub fn issuers(&self) -> impl Iterator<Item = String> {
        self.issuers.iter().map(|issuer| issuer.chars().take(Self::FOUND_BY[0]).collect())
    }

    /// The places of rows that may match: `=` and the subject, or `*` and the beginning of a pattern. A
    /// beginning without `:` and `/` is the empty one.
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
    /// A store first reads one row more than these. A row is of one client.
    pub const FIRST_ROWS: u32 = 10;
    /// More clients, and more patterns, than these are not compared.
    pub const MOST_ROWS: u32 = 100;
    /// The comparison of a request takes at most this number of steps.
    pub const MOST_STEPS: usize = 100_000;

    /// Whether a store that has read one row more than [`FederatedClients::FIRST_ROWS`] reads again, one row
    /// more than [`FederatedClients::MOST_ROWS`]. It does not if these rows already have too many patterns.
    #[must_use]
    pub fn needs_more(subject: &ForeignSubject, rows: &[CandidateRules]) -> bool {
        rows.len() > Self::FIRST_ROWS as usize && !Self::are_too_many(subject, rows)
    }

    /// Compares the rows of a store with the subject. The rows are at most one more than
    /// [`FederatedClients::MOST_ROWS`], which shows that there are too many. `read` is how many rows the
    /// store read, those of the first reading included. `None` if no rule matches.
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

/// The issuer that an assertion names. The draft for SPIFFE: the trust domain of `sub` is the issuer of an
/// SVID, and `iss` decides nothing.
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
    fn places_are_the_subject_and_its_beginnings() {
        let places = |subject| ForeignSubject::of(["ci"], subject).unwrap().places();
        assert_eq!(places("ab"), ["=ab", "*"]);
        assert_eq!(places("é:b/"), ["=é:b/", "*", "*é:", "*é:b", "*é:b/"]);
        assert_eq!(places(&":".repeat(1_024)).len(), 257);
        assert!(ForeignSubject::of(["ci"], &"a".repeat(1_025)).is_none());
        assert!(ForeignSubject::of([], "a").is_none());
    }
}

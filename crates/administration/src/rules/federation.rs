//! The rules for trusted issuers, and for the trust rules of clients, which say which assertions of these
//! issuers authenticate a client.

use std::collections::{BTreeMap, BTreeSet};

use registry::{ClaimRule, ClientId, ClientKeys, TextPattern, TrustRule, TrustRules};
use serde_json::Value;
use tenancy::{IssuerKeys, Tenant, TrustedIssuer, trust_domain};

use super::FieldErrors;
use super::key_set::check_keys;
use super::text::{LONGEST_ID, LONGEST_URI, is_key_set_url, member, unfit};
use crate::documents;
use crate::documents::TrustRuleSettings;
use crate::edit::FieldError;

const MOST_RULES: usize = 20;
const LONGEST_SUBJECT: usize = 1_024;
/// The most bytes of a subject with a star.
const LONGEST_PATTERN: usize = 256;
const MOST_STARS: usize = 4;
/// The most steps for comparing patterns with each other: in an answer, and in `check`.
const STEPS_OF_ANSWER: usize = 1_000_000;
const STEPS_OF_CHECK: usize = 20_000_000;
/// The claims that have a member of their own in a trust rule.
const OF_RULES: [&str; 6] = ["iss", "sub", "aud", "exp", "nbf", "iat"];

pub(super) fn check_trusted_issuers(
    errors: &mut FieldErrors,
    all: &BTreeMap<String, documents::TrustedIssuerSettings>,
) -> Vec<TrustedIssuer> {
    let mut seen = BTreeSet::new();
    let mut issuers = Vec::with_capacity(all.len());
    for (name, settings) in all {
        let at = member("/trusted_issuers", name);
        errors.check_name(&at, "the name of the issuer", name, LONGEST_ID);
        if name.contains("://") {
            errors.refuse(
                &at,
                "this is a URL, but client rules refer to the issuer by a name",
                "choose a short name, such as github",
            );
        }
        if !seen.insert(&settings.issuer) {
            let detail = "another trusted issuer of this tenant has the same value";
            errors.refuse(&format!("{at}/issuer"), detail, "remove one of the two");
        }
        issuers.push(TrustedIssuer {
            name: name.clone(),
            issuer: check_issuer(errors, &at, &settings.issuer),
            keys: check_issuer_keys(errors, &at, settings),
            algorithms: check_algorithms(errors, &at, &settings.algorithms),
        });
    }
    issuers
}

fn check_issuer(errors: &mut FieldErrors, at: &str, issuer: &str) -> String {
    let is_trust_domain = issuer.starts_with(TrustedIssuer::SPIFFE);
    let is_issuer = match is_trust_domain {
        true => trust_domain(&format!("{issuer}/")) == Some(issuer) && issuer.len() <= LONGEST_ID,
        false => is_key_set_url(issuer) && issuer.len() <= LONGEST_URI,
    };
    if !is_issuer {
        let hint =
            "use the `iss` of its assertions: an https URL, or a trust domain such as spiffe://example.org";
        errors.refuse(&format!("{at}/issuer"), "this is not a valid issuer of assertions", hint);
    }
    issuer.to_owned()
}

fn check_issuer_keys(
    errors: &mut FieldErrors,
    at: &str,
    settings: &documents::TrustedIssuerSettings,
) -> IssuerKeys {
    match (&settings.jwks_uri, &settings.jwks) {
        (Some(_), Some(_)) => {
            errors.refuse(&format!("{at}/jwks_uri"), "`jwks` is also set", "remove one of the two");
            IssuerKeys::Discovery
        }
        (Some(url), None) => {
            if !is_key_set_url(url) {
                let hint = "use the https URL that publishes the keys, without a user and a fragment";
                errors.refuse(&format!("{at}/jwks_uri"), "this is not an https URL", hint);
            }
            IssuerKeys::Url(url.clone())
        }
        (None, Some(jwks)) => {
            let keys = check_keys(errors, &format!("{at}/jwks"), jwks, ClientKeys::parse_of_issuer);
            IssuerKeys::Document(keys.map(String::from).unwrap_or_default())
        }
        (None, None) => {
            if settings.issuer.starts_with(TrustedIssuer::SPIFFE) {
                // The SPIFFE draft says that the bundle endpoint "cannot be derived … and MUST be
                // configured".
                let detail = "Latchkey cannot find the keys of a trust domain by its name";
                errors.refuse(at, detail, "set `jwks_uri`, the URL of its bundle, or `jwks`");
            }
            IssuerKeys::Discovery
        }
    }
}

fn check_algorithms(errors: &mut FieldErrors, at: &str, names: &[String]) -> Vec<String> {
    let at = format!("{at}/algorithms");
    errors.check_distinct(&at, names);
    let all = documents::schema::ASSERTION_ALGORITHMS.map(|name| (name, name));
    for (index, name) in names.iter().enumerate() {
        let _ = errors.check_one_of(&format!("{at}/{index}"), name, &all);
    }
    names.to_vec()
}

pub(super) fn check_trust_rules(
    errors: &mut FieldErrors,
    tenant: &Tenant,
    all: &[TrustRuleSettings],
) -> TrustRules {
    if all.len() > MOST_RULES {
        let detail = format!("there are {} rules", all.len());
        errors.refuse(
            "/federated",
            detail,
            format!("use at most {MOST_RULES}; one pattern can replace several rules"),
        );
    }
    let rules = all.iter().enumerate();
    TrustRules(
        rules.map(|(index, rule)| check_rule(errors, tenant, &format!("/federated/{index}"), rule)).collect(),
    )
}

fn check_rule(
    errors: &mut FieldErrors,
    tenant: &Tenant,
    at: &str,
    settings: &TrustRuleSettings,
) -> TrustRule {
    let TrustRuleSettings { issuer, subject, audience, claims, max_age, once } = settings;
    let found = TrustedIssuer::find(&tenant.trusted_issuers, issuer);
    let is_found = found.as_ref().is_some_and(|found| !found.name.is_empty() || is_key_set_url(issuer));
    if !is_found {
        let hint =
            "use a name from the tenant's `trusted_issuers`, or the https URL in the assertion's `iss`";
        errors.refuse(&format!("{at}/issuer"), "the tenant trusts no issuer with this name", hint);
    }
    let pattern = TextPattern::new(subject);
    let at_subject = format!("{at}/subject");
    if let Some(why) = unfit(subject, LONGEST_SUBJECT) {
        errors.refuse(&at_subject, format!("the subject {why}"), "write `sub` as the issuer sends it");
    }
    if pattern.is_open() {
        let hint = "use the `sub` of the workload, such as repo:example/billing:ref:refs/heads/main";
        errors.refuse(&at_subject, "this pattern lets any workload of the issuer act as the client", hint);
    }
    if let Some(domain) = found.filter(|found| found.is_trust_domain())
        && trust_domain(subject) != Some(&domain.issuer)
    {
        let hint = format!("use a SPIFFE ID such as {}/ns/prod/sa/billing", domain.issuer);
        errors.refuse(&at_subject, "this is outside the issuer's trust domain", hint);
    }
    if let Some(why) = audience.as_ref().and_then(|audience| unfit(audience, LONGEST_URI)) {
        let hint = "use the `aud` of the assertions";
        errors.refuse(&format!("{at}/audience"), format!("the audience {why}"), hint);
    }
    let claims = claims.iter().map(|(name, value)| check_claim(errors, at, name, value)).collect();
    if !(1..=TrustRule::GREATEST_MAX_AGE.seconds()).contains(&max_age.seconds()) {
        let hint = "use a duration in this range, such as 1h";
        errors.refuse(&format!("{at}/max_age"), "max_age must be from 1 s to one day", hint);
    }
    TrustRule {
        issuer: issuer.clone(),
        subject: pattern,
        audience: audience.clone(),
        claims,
        max_age: *max_age,
        once: *once,
    }
}

fn check_claim(errors: &mut FieldErrors, at: &str, name: &str, value: &Value) -> (String, ClaimRule) {
    let at = member(&format!("{at}/claims"), name);
    errors.check_title(&at, name);
    if OF_RULES.contains(&name) {
        let hint = "set `issuer`, `subject`, `audience` or `max_age` in the rule";
        errors.refuse(&at, "this claim has its own member in a rule", hint);
    }
    let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    let is_value = |value: &Value| match value {
        Value::String(text) => !text.is_empty() && text.len() <= LONGEST_URI,
        value => value.is_number() || value.is_boolean(),
    };
    if values.is_empty() || !values.iter().all(is_value) {
        let detail =
            "a rule can compare a claim with a string, a number, true or false, or with a list of these";
        errors.refuse(&at, detail, "use one of these; to name a claim inside an object, use a JSON pointer");
    }
    (name.to_owned(), ClaimRule::OneOf(values))
}

/// Refuses new patterns of a client that are too broad or too costly. Patterns that the client already had
/// `before` stay.
pub(crate) fn check_patterns(before: &TrustRules, after: &TrustRules) -> Vec<FieldError> {
    let mut found = Vec::new();
    for (index, rule) in after.0.iter().enumerate() {
        let is_old = |old: &&TrustRule| old.issuer == rule.issuer && old.subject == rule.subject;
        let old = before.0.iter().find(is_old);
        if let Some((detail, hint)) = unfit_pattern(&rule.subject).filter(|_| old.is_none()) {
            found.push(FieldError::at(format!("/federated/{index}/subject"), detail).with_hint(hint));
        }
        for (name, accepted) in &rule.claims {
            let ClaimRule::OneOf(values) = accepted else { continue };
            let is_old = old.is_some_and(|old| old.claims.get(name) == Some(accepted));
            let stars = values.iter().filter_map(Value::as_str).map(|text| TextPattern::new(text).stars());
            if !is_old && stars.max() > Some(MOST_STARS) {
                let at = member(&format!("/federated/{index}/claims"), name);
                let detail = format!("a pattern can have at most {MOST_STARS} stars");
                found.push(FieldError::at(at, detail).with_hint("use fewer stars"));
            }
        }
    }
    found
}

/// Why a subject cannot be the pattern of a new rule, and what to write instead. Requests are compared with
/// the pattern before anything is verified.
fn unfit_pattern(subject: &TextPattern) -> Option<(String, &'static str)> {
    if subject.is_exact() {
        return None;
    }
    if subject.as_str().len() > LONGEST_PATTERN {
        let detail = format!("a subject with a star can have at most {LONGEST_PATTERN} bytes");
        return Some((detail, "use a shorter pattern"));
    }
    if subject.stars() > MOST_STARS {
        let detail = format!("a subject can have at most {MOST_STARS} stars; `**` counts as one");
        return Some((detail, "use fewer stars, or several rules"));
    }
    let hint = "write the text before the first star at least up to a `:` or `/`, such as repo:acme/*";
    let detail = "the first star comes before the first `:` or `/`".to_owned();
    (!subject.beginning().contains([':', '/'])).then_some((detail, hint))
}

/// A rule of one client: its issuer as `iss` has it, and its subject.
struct RegisteredRule<'a> {
    client: &'a str,
    index: usize,
    issuer: &'a str,
    subject: TextPattern,
}

impl RegisteredRule<'_> {
    /// Warns of a trust rule of another client for the same subjects.
    fn shared<'a>(
        &self,
        others: impl IntoIterator<Item = &'a RegisteredRule<'a>>,
        steps: &mut usize,
    ) -> Option<FieldError> {
        let other = others.into_iter().find(|other| {
            let may = other.client != self.client && other.issuer == self.issuer;
            may && other.subject.overlaps(&self.subject, steps)
        })?;
        let detail = format!(
            "client {} has a rule for the same subjects, so their assertions need client_id",
            other.client
        );
        let hint = "send `client_id` with the assertions, or use narrower subjects";
        Some(FieldError::at(format!("/federated/{}/subject", self.index), detail).with_hint(hint))
    }
}

/// Finds subjects that match trust rules of two clients. A request with an assertion of such a subject must
/// contain `client_id`.
#[must_use]
pub fn overlapping_subjects(tenant: &documents::TenantSettings) -> Vec<(String, FieldError)> {
    let rules = tenant.clients.iter().flat_map(|(id, client)| {
        client.federated.iter().enumerate().map(|(index, rule)| {
            let declared = tenant.trusted_issuers.get(&rule.issuer);
            let issuer = declared.map_or(rule.issuer.as_str(), |declared| declared.issuer.as_str());
            RegisteredRule { client: id, index, issuer, subject: TextPattern::new(&rule.subject) }
        })
    });
    overlaps(rules.collect())
}

/// Finds subjects that match trust rules of two clients of a stored tenant.
pub(crate) fn overlapping_rows<'a>(
    tenant: &'a Tenant,
    clients: impl Iterator<Item = (&'a ClientId, &'a TrustRules)>,
) -> Vec<(String, FieldError)> {
    overlaps(clients.flat_map(|(id, rules)| of_row(tenant, id, rules)).collect())
}

/// Finds subjects that match a trust rule of this client and a trust rule of another one.
pub(crate) fn overlaps_of(
    tenant: &Tenant,
    (client, rules): (&ClientId, &TrustRules),
    all: &[(ClientId, TrustRules)],
) -> Vec<FieldError> {
    let others: Vec<_> = all.iter().flat_map(|(id, rules)| of_row(tenant, id, rules)).collect();
    let mut steps = STEPS_OF_ANSWER;
    of_row(tenant, client, rules).filter_map(|rule| rule.shared(&others, &mut steps)).collect()
}

fn of_row<'a>(
    tenant: &'a Tenant,
    client: &'a ClientId,
    rules: &'a TrustRules,
) -> impl Iterator<Item = RegisteredRule<'a>> {
    rules.0.iter().enumerate().map(move |(index, rule)| {
        let declared = tenant.trusted_issuers.iter().find(|issuer| issuer.name == rule.issuer);
        let issuer = declared.map_or(rule.issuer.as_str(), |declared| declared.issuer.as_str());
        RegisteredRule { client: client.as_str(), index, issuer, subject: rule.subject.clone() }
    })
}

fn overlaps(rules: Vec<RegisteredRule<'_>>) -> Vec<(String, FieldError)> {
    let mut by_issuer = BTreeMap::<&str, Vec<RegisteredRule<'_>>>::new();
    for rule in rules {
        by_issuer.entry(rule.issuer).or_default().push(rule);
    }
    let (mut found, mut steps) = (Vec::new(), STEPS_OF_CHECK);
    for rules in by_issuer.values() {
        for (nth, rule) in rules.iter().enumerate() {
            let shared = rule.shared(&rules[..nth], &mut steps);
            found.extend(shared.map(|error| (rule.client.to_owned(), error)));
        }
    }
    found
}

//! The rules for other issuers, and for the clients' rules over assertions of these issuers.

use std::collections::{BTreeMap, BTreeSet};

use registry::{ClientKeys, TextPattern, TrustRule, TrustRules};
use serde_json::Value;
use tenancy::{IssuerKeys, Tenant, TrustedIssuer, trust_domain};

use super::FieldErrors;
use super::key_set::check_keys;
use super::text::{LONGEST_ID, LONGEST_URI, is_key_set_url, member, unfit};
use crate::documents::schema;
use crate::{FieldError, TenantSettings, TrustRuleSettings, TrustedIssuerSettings};

/// The most rules of a client.
const MOST_RULES: usize = 20;
/// The most bytes of a subject.
const LONGEST_SUBJECT: usize = 1_024;
/// The claims that a rule has members for.
const OF_RULES: [&str; 6] = ["iss", "sub", "aud", "exp", "nbf", "iat"];

/// The issuers that a tenant trusts, ordered by name.
pub(super) fn check_trusted_issuers(
    errors: &mut FieldErrors,
    all: &BTreeMap<String, TrustedIssuerSettings>,
) -> Vec<TrustedIssuer> {
    let mut seen = BTreeSet::new();
    let mut issuers = Vec::with_capacity(all.len());
    for (name, settings) in all {
        let at = member("/trusted_issuers", name);
        errors.check_name(&at, "the name of the issuer", name, LONGEST_ID);
        if name.contains("://") {
            errors.refuse(
                &at,
                "this is a URL, and the rules of clients need a name",
                "choose a short name, such as github",
            );
        }
        if !seen.insert(&settings.issuer) {
            let detail = "another trusted issuer of this tenant is the same";
            errors.refuse(&format!("{at}/issuer"), detail, "leave one of the two out");
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
        let hint = "write `iss` as its assertions have it, an https URL, or a trust domain such as spiffe://example.org";
        errors.refuse(&format!("{at}/issuer"), "this is no issuer of assertions", hint);
    }
    issuer.to_owned()
}

fn check_issuer_keys(errors: &mut FieldErrors, at: &str, settings: &TrustedIssuerSettings) -> IssuerKeys {
    match (&settings.jwks_uri, &settings.jwks) {
        (Some(_), Some(_)) => {
            errors.refuse(&format!("{at}/jwks_uri"), "`jwks` is given, too", "leave one of the two out");
            IssuerKeys::Discovery
        }
        (Some(url), None) => {
            if !is_key_set_url(url) {
                let hint = "write the https URL where the keys are published, without a user and a fragment";
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
                // The draft for SPIFFE: the bundle endpoint "cannot be derived … and MUST be configured".
                let detail = "the keys of a trust domain are not found by its name";
                errors.refuse(at, detail, "give `jwks_uri`, the URL of its bundle, or `jwks`");
            }
            IssuerKeys::Discovery
        }
    }
}

fn check_algorithms(errors: &mut FieldErrors, at: &str, names: &[String]) -> Vec<String> {
    let at = format!("{at}/algorithms");
    errors.check_distinct(&at, names);
    let all = schema::ASSERTION_ALGORITHMS.map(|name| (name, name));
    for (index, name) in names.iter().enumerate() {
        let _ = errors.check_one_of(&format!("{at}/{index}"), name, &all);
    }
    names.to_vec()
}

/// Checks the rules of a client over assertions of other issuers.
pub(super) fn check_trust_rules(
    errors: &mut FieldErrors,
    tenant: &Tenant,
    all: &[TrustRuleSettings],
) -> TrustRules {
    if all.len() > MOST_RULES {
        let detail = format!("these are {} rules", all.len());
        errors.refuse(
            "/federated",
            detail,
            format!("write up to {MOST_RULES}; one pattern can serve several"),
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
        let hint = "name one of the tenant's `trusted_issuers`, or write the https URL that `iss` has";
        errors.refuse(&format!("{at}/issuer"), "the tenant trusts no issuer of this name", hint);
    }
    let pattern = TextPattern::new(subject);
    let at_subject = format!("{at}/subject");
    if let Some(why) = unfit(subject, LONGEST_SUBJECT) {
        errors.refuse(&at_subject, format!("the subject {why}"), "write `sub` as the issuer has it");
    }
    if pattern.is_open() {
        let hint = "write the `sub` of the workload, such as repo:example/billing:ref:refs/heads/main";
        errors.refuse(&at_subject, "any workload of the issuer could be the client", hint);
    }
    if let Some(domain) = found.filter(|found| found.is_trust_domain())
        && trust_domain(subject) != Some(&domain.issuer)
    {
        let hint = format!("write a SPIFFE ID such as {}/ns/prod/sa/billing", domain.issuer);
        errors.refuse(&at_subject, "this is not of the trust domain of the issuer", hint);
    }
    if let Some(why) = audience.as_ref().and_then(|audience| unfit(audience, LONGEST_URI)) {
        let hint = "write what `aud` of the assertions has";
        errors.refuse(&format!("{at}/audience"), format!("the audience {why}"), hint);
    }
    let claims = claims.iter().map(|(name, value)| check_claim(errors, at, name, value)).collect();
    if !(1..=TrustRule::GREATEST_MAX_AGE.seconds()).contains(&max_age.seconds()) {
        let hint = "write a span of time between them, such as 1h";
        errors.refuse(&format!("{at}/max_age"), "an assertion may be 1 s to a day old", hint);
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

fn check_claim(errors: &mut FieldErrors, at: &str, name: &str, value: &Value) -> (String, TextPattern) {
    let at = member(&format!("{at}/claims"), name);
    errors.check_title(&at, name);
    if OF_RULES.contains(&name) {
        let hint = "write `issuer`, `subject`, `audience` or `max_age` in the rule";
        errors.refuse(&at, "a rule has a member of its own for this claim", hint);
    }
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        _ => String::new(),
    };
    let pattern = TextPattern::new(&text);
    if text.is_empty() || text.len() > LONGEST_URI {
        let detail = "a rule compares a claim with a text, a number, true or false";
        errors.refuse(
            &at,
            detail,
            "write one of them; a claim within an object has a JSON pointer as its name",
        );
    }
    (name.to_owned(), pattern)
}

/// Subjects that rules of two clients have in common. An assertion with such a subject needs `client_id` in
/// its request.
#[must_use]
pub fn overlapping_subjects(tenant: &TenantSettings) -> Vec<(String, FieldError)> {
    type OfIssuer<'a> = BTreeMap<&'a str, Vec<(&'a str, usize, TextPattern)>>;
    let mut by_issuer = OfIssuer::new();
    for (id, client) in &tenant.clients {
        for (index, rule) in client.federated.iter().enumerate() {
            let declared = tenant.trusted_issuers.get(&rule.issuer);
            let issuer = declared.map_or(rule.issuer.as_str(), |declared| declared.issuer.as_str());
            by_issuer.entry(issuer).or_default().push((id, index, TextPattern::new(&rule.subject)));
        }
    }
    let mut found = Vec::new();
    for rules in by_issuer.values() {
        for (nth, (client, index, subject)) in rules.iter().enumerate() {
            let is_shared = |(other, _, pattern): &&(&str, usize, TextPattern)| {
                other != client && pattern.overlaps(subject)
            };
            if let Some((other, ..)) = rules[..nth].iter().find(is_shared) {
                let detail = format!(
                    "client {other} has a rule for the same subjects, so their assertions need client_id"
                );
                let hint = "send `client_id` with them, or write narrower subjects";
                let at = format!("/federated/{index}/subject");
                found.push(((*client).to_owned(), FieldError::at(at, detail).with_hint(hint)));
            }
        }
    }
    found
}

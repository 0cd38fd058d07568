//! Checks the assertion of another issuer against each rule of a client, without the issuer's keys. Shows the
//! checks that each rule passes, and the claims that differ.

use std::borrow::Cow;

use protocol::AssertionKind;
use serde_json::Value;
use tenancy::{Tenant, TrustedIssuer};
use values::Timestamp;

use crate::assertion::client_assertion::read;
use crate::federation::federated_assertion::{FederatedClaims, RulesOfIssuer};
use crate::federation::federated_clients::issuer_of;
use crate::{Client, FederationCheck, TrustRule};

/// The result of one rule for an assertion whose signature was not verified.
pub struct JudgedRule<'a> {
    /// The rule.
    pub rule: &'a TrustRule,
    /// The issuer of the rule, as the tenant trusts it.
    pub issuer: Option<TrustedIssuer>,
    /// The check that fails.
    pub failed: Option<FederationCheck>,
    /// Each claim of the rule that differs, with what the assertion has.
    pub differing: Vec<(&'a str, Option<Value>)>,
}

/// Checks an assertion against each rule of a client of this tenant. The assertion is read as in a request
/// with either assertion type.
///
/// # Errors
/// The check that fails before any rule.
pub fn judge_rules<'a>(
    tenant: &'a Tenant,
    client: &'a Client,
    assertion: &str,
    now: Timestamp,
) -> Result<Vec<JudgedRule<'a>>, FederationCheck> {
    let read = |kind| read(assertion, kind).map(|jwt| (jwt, kind));
    let read = read(AssertionKind::Jwt).or_else(|_| read(AssertionKind::JwtSvid));
    let (jwt, kind) = read.map_err(|_| FederationCheck::Claims)?;
    let declared = &tenant.trusted_issuers;
    let rules_of_issuer = RulesOfIssuer::new(client, declared, &jwt, kind);
    let claims = jwt.unverified_claims::<FederatedClaims>();
    let judged = |rule: &'a TrustRule| {
        let issuer = TrustedIssuer::find(declared, &rule.issuer).map(Cow::into_owned);
        let (iss, sub) = (issuer_of(&jwt, kind), jwt.unverified_subject().unwrap_or_default());
        let is_named = issuer.as_ref().is_some_and(|issuer| issuer.is_named(iss, sub));
        let failed = match (&rules_of_issuer, &claims) {
            _ if !is_named => Some(FederationCheck::Issuer),
            (Err(failed), _) => Some(*failed),
            (_, Err(_)) => Some(FederationCheck::Claims),
            (Ok(rules), Ok(claims)) => {
                let checked = rules.check_rule(rule, claims, tenant.issuer.as_str(), now);
                checked.and_then(|_| claims.check_restore(rule, tenant, now)).err()
            }
        };
        let differing = |claims: &FederatedClaims| {
            let found =
                rule.claims.iter().map(|(name, accepted)| (name.as_str(), accepted, claims.find(name)));
            let differing =
                found.filter(|(_, accepted, value)| !value.is_some_and(|value| accepted.fits(value)));
            differing.map(|(name, _, value)| (name, value.cloned())).collect()
        };
        JudgedRule { rule, issuer, failed, differing: claims.as_ref().map(differing).unwrap_or_default() }
    };
    Ok(client.federated.0.iter().map(judged).collect())
}

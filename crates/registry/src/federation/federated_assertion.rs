//! The rules for an assertion of another issuer (RFC 7521 §4.2, RFC 7523 §2.2 and §3,
//! draft-ietf-oauth-spiffe-client-auth). [`ClientJwt`] checks the form and the signature. `assertions.rs`
//! finds the keys and uses up the assertion.

use std::borrow::Cow;
use std::collections::BTreeMap;

use keys::SignedJwt;
use latchkey_verifier::rules::ensure;
use protocol::{AssertionKind, Audience, StaticClaims};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tenancy::{Tenant, TrustedIssuer};
use values::Timestamp;

use crate::assertion::client_assertion::{LEEWAY, numeric_date, optional_numeric_date};
use crate::assertion::single_use::{CLOCKS, is_made_since};
use crate::federation::federated_clients::issuer_of;
use crate::{Client, FederationCheck, SingleUseIdentifier, TrustRule};

/// The claims of an assertion of another issuer, and their JSON text, so that copied numbers keep their exact
/// characters.
#[derive(Debug)]
pub(crate) struct FederatedClaims {
    read: ReadClaims,
    text: Box<RawValue>,
}

#[derive(Debug, Deserialize)]
struct ReadClaims {
    // RFC 7523 §3 requires `sub`, `aud` and `exp`. The issuer was already found by `iss`, or by the trust
    // domain of `sub`.
    sub: String,
    aud: Audience<'static>,
    #[serde(deserialize_with = "numeric_date")]
    exp: Timestamp,
    #[serde(default, deserialize_with = "optional_numeric_date")]
    nbf: Option<Timestamp>,
    #[serde(default, deserialize_with = "optional_numeric_date")]
    iat: Option<Timestamp>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

impl<'de> Deserialize<'de> for FederatedClaims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        Ok(Self { read: serde_json::from_str(text.get()).map_err(D::Error::custom)?, text })
    }
}

/// The JSON text of a claim, found by its name or by a JSON pointer.
fn text_at<'t>(text: &'t RawValue, name: &str) -> Option<&'t RawValue> {
    let names: Vec<String> = match name.strip_prefix('/') {
        None => vec![name.to_owned()],
        Some(pointer) => pointer.split('/').map(unescaped).collect(),
    };
    names.iter().try_fold(text, |text, name| {
        let members = serde_json::from_str::<BTreeMap<String, &RawValue>>(text.get());
        members.ok().map_or_else(
            || {
                serde_json::from_str::<Vec<&RawValue>>(text.get())
                    .ok()?
                    .get(name.parse::<usize>().ok()?)
                    .copied()
            },
            |mut members| members.remove(name),
        )
    })
}

/// Unescapes a reference token of a JSON pointer (RFC 6901 §4).
fn unescaped(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

pub(crate) struct RulesOfIssuer<'a> {
    pub(crate) issuer: Cow<'a, TrustedIssuer>,
    client: &'a Client,
    rules: Vec<&'a TrustRule>,
}

#[derive(Debug)]
pub(crate) struct AcceptedAssertion<'a> {
    pub(crate) rule: &'a TrustRule,
    /// The claims that the client's tokens copy from the assertion.
    pub(crate) copied: StaticClaims,
    /// The time until which any replica accepts the assertion.
    pub(crate) accepted_until: Timestamp,
}

/// The result of authentication with an assertion of another issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FederatedProof {
    /// The rule that accepted the assertion.
    pub rule: TrustRule,
    /// The claims that tokens copy from the assertion.
    pub copied: StaticClaims,
}

impl<'a> RulesOfIssuer<'a> {
    /// Finds the client's rules for the issuer of an assertion.
    ///
    /// # Errors
    /// If there are no such rules, or the issuer may not use this algorithm.
    pub(crate) fn new(
        client: &'a Client,
        declared: &'a [TrustedIssuer],
        jwt: &SignedJwt<'_>,
        kind: AssertionKind,
    ) -> Result<Self, FederationCheck> {
        let (iss, sub) = (issuer_of(jwt, kind), jwt.unverified_subject().unwrap_or_default());
        let named = |rule: &TrustRule| {
            TrustedIssuer::find(declared, &rule.issuer).filter(|issuer| issuer.is_named(iss, sub))
        };
        let issuer = client.federated.0.iter().find_map(named).ok_or(FederationCheck::Issuer)?;
        // RFC 8725 §3.1: the verifier decides which algorithms are acceptable.
        ensure(issuer.allows(jwt.algorithm.as_str()), FederationCheck::Algorithm)?;
        let is_for = |rule: &&TrustRule| named(rule).is_some_and(|found| found.issuer == issuer.issuer);
        Ok(Self { rules: client.federated.0.iter().filter(is_for).collect(), issuer, client })
    }

    /// Checks the claims of an assertion whose signature was verified, for a tenant with this issuer.
    ///
    /// # Errors
    /// The refusal by the rule that passes the most checks.
    pub(crate) fn check(
        &self,
        claims: &FederatedClaims,
        own_issuer: &str,
        now: Timestamp,
    ) -> Result<AcceptedAssertion<'a>, FederationCheck> {
        let mut furthest = FederationCheck::Subject;
        for rule in &self.rules {
            match self.check_rule(rule, claims, own_issuer, now) {
                Ok(accepted) => return Ok(accepted),
                Err(failed) => furthest = furthest.later(failed),
            }
        }
        Err(furthest)
    }

    pub(crate) fn check_rule(
        &self,
        rule: &'a TrustRule,
        claims: &FederatedClaims,
        own_issuer: &str,
        now: Timestamp,
    ) -> Result<AcceptedAssertion<'a>, FederationCheck> {
        let read = &claims.read;
        ensure(rule.subject.matches(&read.sub), FederationCheck::Subject)?;
        // RFC 7523 §3: "The JWT MUST contain an "aud" (audience) claim containing a value that identifies
        // the authorization server".
        let audience = rule.audience.as_deref().unwrap_or(own_issuer);
        let mut names = read.aud.iter();
        // The draft for SPIFFE requires the issuer identifier as "its sole value".
        let is_for_us = match self.issuer.is_trust_domain() {
            true => names.next() == Some(audience) && names.next().is_none(),
            false => names.any(|name| name == audience),
        };
        ensure(is_for_us, FederationCheck::Audience)?;
        ensure(now < read.exp + LEEWAY, FederationCheck::Expiry)?;
        let begins = [read.nbf, read.iat].into_iter().flatten().max();
        ensure(begins.is_none_or(|begins| begins <= now + LEEWAY), FederationCheck::Begin)?;
        // RFC 7523 §3: an `iat` "too far in the past", or an `exp` "unreasonably far in the
        // future", may be rejected.
        let (is_young, ends) = match read.iat.map(|issued| issued + rule.max_age) {
            Some(too_old_at) => (now < too_old_at + LEEWAY, too_old_at.min(read.exp)),
            None => (read.exp <= now + rule.max_age + LEEWAY, read.exp),
        };
        ensure(is_young, FederationCheck::Age)?;
        let mut required = rule.claims.iter();
        let holds =
            required.all(|(name, accepted)| claims.find(name).is_some_and(|value| accepted.fits(value)));
        ensure(holds, FederationCheck::Conditions)?;
        let copied = claims.copied(&self.client.copied_claims).ok_or(FederationCheck::Copied)?;
        let all = self.client.claims.with(&copied).length();
        ensure(all <= StaticClaims::LONGEST, FederationCheck::Copied)?;
        Ok(AcceptedAssertion { rule, copied, accepted_until: ends + LEEWAY + CLOCKS })
    }
}

impl AcceptedAssertion<'_> {
    /// The identifier to use up, if the rule requires single use. The signature is not part of the
    /// identifier, because a different signature of the same claims can be valid too.
    pub(crate) fn identifier(&self, client: &Client, jwt: &SignedJwt<'_>) -> Option<SingleUseIdentifier> {
        let identifier =
            || SingleUseIdentifier::of_foreign_assertion(&client.id, jwt.signed_part(), self.accepted_until);
        self.rule.once.then(identifier)
    }
}

impl FederatedClaims {
    /// If the rule requires single use, checks that the assertion was issued after the tenant's last restore.
    pub(crate) fn check_restore(
        &self,
        rule: &TrustRule,
        tenant: &Tenant,
        now: Timestamp,
    ) -> Result<(), FederationCheck> {
        let is_new = !rule.once || is_made_since(tenant.restored_at, self.read.iat, rule.max_age, now);
        ensure(is_new, FederationCheck::Restore)
    }

    /// Finds a claim by its name or by a JSON pointer.
    pub(crate) fn find(&self, name: &str) -> Option<&Value> {
        let others = &self.read.others;
        let Some(pointer) = name.strip_prefix('/') else { return others.get(name) };
        let (first, rest) = pointer.split_at(pointer.find('/').unwrap_or(pointer.len()));
        others.get(&unescaped(first))?.pointer(rest)
    }

    /// The claims that tokens copy. `None` if a claim is missing or cannot be copied.
    fn copied(&self, names: &BTreeMap<String, String>) -> Option<StaticClaims> {
        let values = names.iter().map(|(name, from)| {
            let value = StaticClaims::value(text_at(&self.text, from)?)?;
            StaticClaims::allows(&value).then(|| (name.clone(), value))
        });
        values.collect::<Option<_>>().map(StaticClaims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Without the JSON text, a copied `1e3` would become `1000.0`, and thirty digits `1.2345678901234568e29`.
    #[test]
    fn copied_numbers_keep_their_text() {
        const THIRTY: &str = "123456789012345678901234567890";
        let text = format!(
            r#"{{"sub":"a","aud":"b","exp":1,"n":1e3,"a/b":{{"list":[1.0, {THIRTY}, "x"],"o":{{}}}},"m":7,"n":2.50}}"#
        );
        let claims: FederatedClaims = serde_json::from_str(&text).unwrap();
        let copied = |from: &str| {
            let copied = claims.copied(&BTreeMap::from([("c".to_owned(), from.to_owned())]))?;
            let mut text = Vec::new();
            copied.write(&mut serde_json::Serializer::new(&mut text)).unwrap();
            Some(String::from_utf8(text).unwrap())
        };
        // Of repeated members the last one counts, as in the conditions of a rule.
        assert_eq!(copied("n").unwrap(), r#"{"c":2.50}"#);
        assert_eq!(copied("m").unwrap(), r#"{"c":7}"#);
        assert_eq!(copied("/a~1b/list").unwrap(), format!(r#"{{"c":[1.0,{THIRTY},"x"]}}"#));
        assert_eq!(copied("/a~1b/list/1").unwrap(), format!(r#"{{"c":{THIRTY}}}"#));
        for from in ["a/b", "/a~1b/o", "/a~1b/list/3", "/a~1b/list/x", "gone", "/gone/x"] {
            assert_eq!(copied(from), None, "{from}");
        }
    }
}

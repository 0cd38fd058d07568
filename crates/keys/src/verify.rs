//! Verifies a token of a tenant. The steps have the order of [`Check`], and each is a function of
//! `latchkey-verifier`. This file adds the tenant's part: its issuers, its keys, and the kind of token.

use base64::Engine as _;
use latchkey_verifier::rules::{
    Algorithms, BASE64URL, CheckObserver, Header, Members, NOT_ALLOWED, Parts, RegisteredClaims, Unobserved,
    ensure,
};
use serde::de::DeserializeOwned;
use tenancy::TenantId;
use values::{Lifetime, Timestamp};
use zeroize::Zeroizing;

use crate::token_key::decrypt;
use crate::verification_keys::{VerificationKey, VerificationKeys};
use crate::{Check, KeyRing, TokenError};

pub struct Expectations<'a> {
    /// Whether `iss` is an issuer of the tenant.
    pub is_issuer: &'a (dyn Fn(&str) -> bool + Sync),
    /// Whether `typ` is that of the expected kind of token.
    pub accepts_typ: &'a (dyn Fn(Option<&str>) -> bool + Sync),
    pub audience: Option<&'a str>,
    /// The maximum difference between the clocks of replicas, for keys that were just activated.
    pub skew: Lifetime,
}

/// The maximum difference between the clocks of replicas, for `iat` and `nbf`. `exp` has no leeway.
pub const LEEWAY: Lifetime = Lifetime::from_seconds(5);

pub(crate) struct Rules<'a> {
    pub(crate) now: Timestamp,
    pub(crate) leeway: Lifetime,
    pub(crate) expectations: &'a Expectations<'a>,
}

/// Verifies a token with the keys of the tenant that must have issued it, and returns its claims.
///
/// # Errors
/// The first [`TokenError`] in the order of the checks.
pub fn verify<C: DeserializeOwned>(
    token: &str,
    keys: &impl VerificationKeys,
    now: Timestamp,
    expectations: &Expectations<'_>,
) -> Result<C, TokenError> {
    verify_observed(token, keys, &Rules { now, leeway: LEEWAY, expectations }, &mut Unobserved)
}

/// Verifies for any observer. [`verify`] needs none, so its checks are recorded nowhere.
pub(crate) fn verify_observed<C: DeserializeOwned>(
    token: &str,
    keys: &impl VerificationKeys,
    rules: &Rules<'_>,
    observer: &mut impl CheckObserver,
) -> Result<C, TokenError> {
    let parts = Parts::split(token, observer)?;
    let (header, claims) = parts.members(observer)?;
    let header = header_of(&header, observer)?;
    rules.check_issuer(&claims, observer)?;
    let key = rules.check_key(&header, keys, observer)?;
    let is_signed = key.verifies(parts.signed.as_bytes(), &parts.signature);
    observer.check(Check::Signature, ensure(is_signed, TokenError::SignatureInvalid))?;
    rules.check_claims(&claims, Some(&header), observer)?;
    kind_claims(&parts, observer)
}

/// Decrypts an opaque token of the tenant that must have issued it, and checks its claims like those of a
/// JWT. It has no `typ`: only access tokens are opaque.
///
/// # Errors
/// The first [`TokenError`] in the order of the checks.
pub fn open_token<C: DeserializeOwned>(
    token: &str,
    tenant: &TenantId,
    ring: &KeyRing,
    now: Timestamp,
    expectations: &Expectations<'_>,
) -> Result<C, TokenError> {
    let claims = decrypt(token, tenant, ring, now)?;
    let claims = std::str::from_utf8(&claims).map_err(|_| TokenError::Malformed)?;
    let (members, rules) = (Members::parse(claims)?, Rules { now, leeway: LEEWAY, expectations });
    rules.check_issuer(&members, &mut Unobserved)?;
    rules.check_claims(&members, None, &mut Unobserved)?;
    serde_json::from_str(claims).map_err(|_| TokenError::Malformed)
}

/// The claims of an access token that has been verified, as JSON.
#[must_use]
pub fn payload(token: &str, tenant: &TenantId, ring: &KeyRing, now: Timestamp) -> Option<Zeroizing<Vec<u8>>> {
    match token.split('.').nth(1) {
        Some(part) => BASE64URL.decode(part).ok().map(Zeroizing::new),
        None => decrypt(token, tenant, ring, now).ok(),
    }
}

/// Runs the checks that need no keys. Does not return the claims, because anybody may have written them.
pub(crate) fn check_unsigned<C: DeserializeOwned>(
    token: &str,
    rules: &Rules<'_>,
    observer: &mut impl CheckObserver,
) -> Result<(), TokenError> {
    let parts = Parts::split(token, observer)?;
    let (header, claims) = parts.members(observer)?;
    let header = header_of(&header, observer)?;
    rules.check_issuer(&claims, observer)?;
    rules.check_claims(&claims, Some(&header), observer)?;
    kind_claims::<C>(&parts, observer).map(|_| ())
}

fn header_of<'a>(
    members: &'a Members<'_>,
    observer: &mut impl CheckObserver,
) -> Result<Header<'a>, TokenError> {
    Header::read(members, &NOT_ALLOWED, Algorithms::ALL, observer)
}

fn kind_claims<C: DeserializeOwned>(
    parts: &Parts<'_>,
    observer: &mut impl CheckObserver,
) -> Result<C, TokenError> {
    observer.check(Check::KindClaims, serde_json::from_str(&parts.claims).map_err(|_| TokenError::Malformed))
}

impl Rules<'_> {
    fn check_issuer(
        &self,
        claims: &Members<'_>,
        observer: &mut impl CheckObserver,
    ) -> Result<(), TokenError> {
        let is_expected = |iss| ensure((self.expectations.is_issuer)(iss), TokenError::ForeignIssuer);
        observer.check(Check::Issuer, claims.required("iss").and_then(is_expected))
    }

    /// Finds the tenant's key by its `kid`. The token's `alg` must be the key's algorithm: "each key MUST be
    /// used with exactly one algorithm" (RFC 8725 §3.1). Otherwise a public key could be used as an HMAC
    /// secret.
    fn check_key<'a>(
        &self,
        header: &Header<'_>,
        keys: &'a impl VerificationKeys,
        observer: &mut impl CheckObserver,
    ) -> Result<VerificationKey<'a>, TokenError> {
        let key = header.kid.and_then(|kid| keys.key(kid, self.expectations.skew, self.now));
        let key = observer.check(Check::Key, key.ok_or(TokenError::UnknownKey))?;
        let is_own = ensure(key.algorithm == header.algorithm, TokenError::AlgorithmNotAllowed);
        observer.check(Check::KeyAlgorithm, is_own)?;
        Ok(key)
    }

    fn check_claims(
        &self,
        claims: &Members<'_>,
        header: Option<&Header<'_>>,
        observer: &mut impl CheckObserver,
    ) -> Result<(), TokenError> {
        let Expectations { accepts_typ, audience, .. } = self.expectations;
        let registered = observer.check(Check::RegisteredClaims, RegisteredClaims::read(claims))?;
        registered.check_times(self.now.seconds(), self.leeway.seconds(), observer)?;
        let is_access_token = header.is_none_or(|header| accepts_typ(header.typ));
        observer.check(Check::Typ, ensure(is_access_token, TokenError::WrongTyp))?;
        let is_for = audience.is_none_or(|audience| registered.is_for(&[audience]));
        observer.check(Check::Audience, ensure(is_for, TokenError::WrongAudience))
    }
}

/// The vectors (`verification_vectors.rs`) have a token for each way to fail a check. These tests add cases
/// with key rings and policies.
#[cfg(test)]
mod tests {
    use std::sync::{Arc, LazyLock};

    use protocol::SigningAlgorithm;
    use serde::Deserialize;
    use serde_json::{Value, json};
    use tenancy::AccessTokenPolicy;

    use super::*;
    use crate::inspection::inspect_with;
    use crate::test_keys::{anything, at, forged, numbered, published, random, record, records, with};
    use crate::{KeyRecord, KeyRing, SigningKey, TenantKey, inspect};

    const NOW: u64 = 1_000_000;
    const ISSUER: &str = "https://auth.example.com";
    const AUDIENCE: &str = "your-api";

    /// Three published keys, and a removed key with the number 4.
    static ALGORITHMS: [SigningAlgorithm; 4] =
        [SigningAlgorithm::RS256, SigningAlgorithm::ES256, SigningAlgorithm::EdDSA, SigningAlgorithm::EdDSA];
    static RING: LazyLock<KeyRing> = LazyLock::new(|| ring(&ALGORITHMS));

    fn ring(algorithms: &[SigningAlgorithm]) -> KeyRing {
        let mut rows = Vec::new();
        let mut keys = Vec::new();
        for (number, algorithm) in (1..).zip(algorithms.iter().copied()) {
            let key = numbered(number, algorithm);
            rows.push(KeyRecord { removed_at: (number == 4).then(|| at(NOW)), ..record(&key) });
            keys.push(Arc::new(key));
        }
        KeyRing::new(Arc::new(records(rows)), keys)
    }

    fn key(number: u32) -> SigningKey {
        numbered(number, ALGORITHMS[number as usize - 1])
    }

    fn claims() -> Value {
        json!({
            "iss": ISSUER, "sub": "your-client-id", "aud": [AUDIENCE], "exp": NOW + 60, "iat": NOW, "nbf": NOW,
            "scope": "api:read", "client_id": "your-client-id", "jti": "1",
        })
    }

    fn good() -> String {
        key(1).sign("JWT", &claims()).unwrap()
    }

    fn verify_at(token: &str, ring: &KeyRing, now: u64) -> Result<Value, TokenError> {
        let policy = AccessTokenPolicy { typ: "JWT".to_owned(), ..AccessTokenPolicy::default() };
        let expectations = Expectations {
            is_issuer: &|iss| iss == ISSUER,
            accepts_typ: &|typ| policy.accepts_typ(typ, at(now)),
            audience: Some(AUDIENCE),
            skew: Lifetime::from_seconds(30),
        };
        let found = verify::<Value>(token, ring, at(now), &expectations);
        let verdict = found.as_ref().map(|_| ()).map_err(|error| *error);
        assert_inspected(token, ring, at(now), &expectations, verdict);
        found
    }

    /// Checks that an inspection has the same result as verification, with the ring and with its published
    /// keys.
    #[track_caller]
    fn assert_inspected(
        token: &str,
        ring: &KeyRing,
        now: Timestamp,
        expectations: &Expectations<'_>,
        verdict: Result<(), TokenError>,
    ) {
        let rules = Rules { now, leeway: LEEWAY, expectations };
        let inspection = inspect_with::<Value>(token, Some(ring), &rules);
        assert_eq!(inspection.verdict(), verdict, "{token}");
        let keys = published(&ring.jwk_set(now));
        assert!(keys.left_out.is_empty(), "{keys:?}");
        let inspection = inspect::<Value>(token, Some(&keys), now, LEEWAY, expectations);
        assert_eq!(inspection.verdict(), verdict, "{token}");
        assert_eq!(inspection.failed().is_some(), verdict.is_err());
    }

    // [keys RFC 7518 §3.1 b]
    #[test]
    fn valid_token_of_each_algorithm_is_accepted() {
        for number in 1..=3 {
            let verified = verify_at(&key(number).sign("JWT", &claims()).unwrap(), &RING, NOW);
            assert_eq!(verified.unwrap(), claims());
        }
        for algorithm in SigningAlgorithm::ALL {
            let token = numbered(1, algorithm).sign("JWT", &claims()).unwrap();
            assert!(verify_at(&token, &ring(&[algorithm]), NOW).is_ok(), "{algorithm}");
        }
    }

    #[test]
    fn unknown_and_removed_kids_are_refused() {
        for kid in ["oauth2-key-4", "oauth2-key-7", "oauth2-key-01", "../1", ""] {
            let header = format!(r#"{{"alg":"EdDSA","typ":"JWT","kid":"{kid}"}}"#);
            let found = verify_at(&forged(&header, claims().to_string(), &key(3)), &RING, NOW);
            assert_eq!(found, Err(TokenError::UnknownKey), "{kid}");
        }
    }

    // [jwt RFC 8725 §3.8], [rfc9700 §4.10.2], [V9 9.1.3]
    #[test]
    fn token_is_refused_by_another_tenants_ring() {
        // The other tenant has a key with the same number and algorithm.
        let key = Arc::new(random(SigningAlgorithm::ES256));
        let records = records(vec![record(&key)]);
        let other = KeyRing::new(Arc::new(records), vec![key.clone()]);
        let token = key.sign("JWT", &claims()).unwrap();
        assert!(verify_at(&token, &other, NOW).is_ok());
        let own = ring(&[SigningAlgorithm::ES256]);
        assert_eq!(verify_at(&token, &own, NOW).unwrap_err(), TokenError::SignatureInvalid);
        assert_eq!(verify_at(&good(), &own, NOW).unwrap_err(), TokenError::AlgorithmNotAllowed);
        let without_key = KeyRing::new(own.records.clone(), Vec::<TenantKey>::new());
        assert_eq!(verify_at(&good(), &without_key, NOW), Err(TokenError::UnknownKey));
    }

    /// The cache only contains the signature of the token. Everything else is checked again.
    #[test]
    fn cached_signature_does_not_skip_other_checks() {
        let (token, own) = (good(), ring(&ALGORITHMS));
        for _ in 0..2 {
            assert!(verify_at(&token, &own, NOW).is_ok());
        }
        let without_key = KeyRing::new(own.records.clone(), Vec::<TenantKey>::new());
        assert_eq!(verify_at(&token, &without_key, NOW), Err(TokenError::UnknownKey));
        assert_eq!(verify_at(&token, &own, NOW + 60), Err(TokenError::Expired));
        assert!(verify_at(&token, &own, NOW - 5).is_ok(), "clocks may differ by so much");
        assert_eq!(verify_at(&token, &own, NOW - 6), Err(TokenError::NotYetValid));
        let foreign = Expectations { is_issuer: &|_| false, ..anything() };
        let found = verify::<Value>(&token, &own, at(NOW), &foreign);
        assert_eq!(found, Err(TokenError::ForeignIssuer));
        let (signed, _) = token.rsplit_once('.').unwrap();
        let another = key(1).sign("JWT", &with(claims(), "jti", json!("2"))).unwrap();
        let (_, other) = another.rsplit_once('.').unwrap();
        assert_eq!(verify_at(&format!("{signed}.{other}"), &own, NOW), Err(TokenError::SignatureInvalid));
    }

    // [jwt RFC 8725 §3.8]: The issuer is checked, and the key belongs to that issuer
    // [access-tokens RFC 9068 §4 b]
    #[test]
    fn the_issuer_is_checked_before_the_key() {
        let header = r#"{"alg":"RS256","typ":"JWT","kid":"someone-elses"}"#;
        let foreign = with(claims(), "iss", json!("https://evil.example")).to_string();
        let found = verify_at(&forged(header, &foreign, &key(1)), &RING, NOW);
        assert_eq!(found, Err(TokenError::ForeignIssuer));
    }

    #[test]
    fn any_audience_is_accepted_if_none_is_expected() {
        let token = key(3).sign("x", &with(claims(), "aud", json!("anyone"))).unwrap();
        assert!(verify::<Value>(&token, &*RING, at(NOW), &anything()).is_ok());
    }

    #[test]
    fn unreadable_claims_are_malformed() {
        #[derive(Debug, Deserialize)]
        #[expect(dead_code, reason = "only read")]
        struct Strict {
            client_id: u64,
        }
        let found = verify::<Strict>(&good(), &*RING, at(NOW), &anything());
        assert_eq!(found.unwrap_err(), TokenError::Malformed);
    }
}

//! Is this a valid token of the tenant? The steps are in the order of [`Check`], and each check is made here and nowhere else.

use protocol::{Lifetime, SigningAlgorithm, Timestamp};
use serde::de::DeserializeOwned;

use crate::jose_header::JoseHeader;
use crate::observer::{Observer, Unobserved};
use crate::parts::Parts;
use crate::registered_claims::RegisteredClaims;
use crate::unique_members::UniqueMembers;
use crate::verification_keys::{VerificationKey, VerificationKeys};
use crate::{Check, TokenError};

/// The requirements of a token.
pub struct Expectations<'a> {
    /// Whether `iss` is one of the tenant's.
    pub is_issuer: &'a (dyn Fn(&str) -> bool + Sync),
    /// Whether the `typ` header is that of the expected kind of token.
    pub accepts_typ: &'a (dyn Fn(Option<&str>) -> bool + Sync),
    /// The required audience, if any.
    pub audience: Option<&'a str>,
    /// The difference between the clocks of replicas, for keys that were just activated.
    pub skew: Lifetime,
}

/// The difference between the clocks of replicas, for `iat` and `nbf`. `exp` has no leeway.
pub const LEEWAY: Lifetime = Lifetime::from_seconds(5);

/// When and for what a token must be valid.
pub(crate) struct Rules<'a> {
    pub(crate) now: Timestamp,
    pub(crate) leeway: Lifetime,
    pub(crate) expectations: &'a Expectations<'a>,
}

/// Verifies a token in compact form with the keys of the tenant that must have issued it, and returns its claims in the type of the caller.
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

/// The same with any keys and for any observer.
pub(crate) fn verify_observed<C: DeserializeOwned>(
    token: &str,
    keys: &impl VerificationKeys,
    rules: &Rules<'_>,
    observer: &mut impl Observer,
) -> Result<C, TokenError> {
    let parts = Parts::split(token, observer)?;
    let (header, claims) = parts.members(observer)?;
    let (header, algorithm) = check_header(&header, observer)?;
    rules.check_issuer(&claims, observer)?;
    let key = rules.check_key(&header, algorithm, keys, observer)?;
    let is_signed = key.verifies(parts.signed.as_bytes(), &parts.signature);
    observer.check(Check::Signature, ensure(is_signed, TokenError::SignatureInvalid))?;
    rules.check_claims(&claims, &header, observer)?;
    kind_claims(&parts, observer)
}

/// What can be said of a token without keys. Its claims are not returned, because their author is not known.
pub(crate) fn check_unsigned<C: DeserializeOwned>(
    token: &str,
    rules: &Rules<'_>,
    observer: &mut impl Observer,
) -> Result<(), TokenError> {
    let parts = Parts::split(token, observer)?;
    let (header, claims) = parts.members(observer)?;
    let (header, _) = check_header(&header, observer)?;
    rules.check_issuer(&claims, observer)?;
    rules.check_claims(&claims, &header, observer)?;
    kind_claims::<C>(&parts, observer).map(|_| ())
}

pub(crate) fn check_header<'a>(
    members: &'a UniqueMembers<'_>,
    observer: &mut impl Observer,
) -> Result<(JoseHeader<'a>, SigningAlgorithm), TokenError> {
    observer.check(Check::HeaderMembers, JoseHeader::check_members(members))?;
    let header = observer.check(Check::HeaderTypes, JoseHeader::from_members(members))?;
    let algorithm = header.alg.parse().map_err(|_| TokenError::AlgorithmNotAllowed);
    Ok((header, observer.check(Check::Algorithm, algorithm)?))
}

fn kind_claims<C: DeserializeOwned>(
    parts: &Parts<'_>,
    observer: &mut impl Observer,
) -> Result<C, TokenError> {
    observer.check(Check::KindClaims, serde_json::from_str(&parts.claims).map_err(|_| TokenError::Malformed))
}

impl Rules<'_> {
    fn check_issuer(
        &self,
        claims: &UniqueMembers<'_>,
        observer: &mut impl Observer,
    ) -> Result<(), TokenError> {
        let unverified = claims.text("iss").and_then(|iss| iss.ok_or(TokenError::Malformed));
        let is_expected = |iss| ensure((self.expectations.is_issuer)(iss), TokenError::ForeignIssuer);
        observer.check(Check::Issuer, unverified.and_then(is_expected))
    }

    /// Finds the key by its identifier among this tenant's; it verifies with its own algorithm. The token's `alg` must
    /// match: "each key MUST be used with exactly one algorithm" (RFC 8725 §3.1), otherwise a public key could be used as
    /// an HMAC secret.
    fn check_key<'a>(
        &self,
        header: &JoseHeader<'_>,
        algorithm: SigningAlgorithm,
        keys: &'a impl VerificationKeys,
        observer: &mut impl Observer,
    ) -> Result<VerificationKey<'a>, TokenError> {
        let key = header.kid.and_then(|kid| keys.key(kid, self.expectations.skew, self.now));
        let key = observer.check(Check::Key, key.ok_or(TokenError::UnknownKey))?;
        let is_own = ensure(key.algorithm == algorithm, TokenError::AlgorithmNotAllowed);
        observer.check(Check::KeyAlgorithm, is_own)?;
        Ok(key)
    }

    fn check_claims(
        &self,
        claims: &UniqueMembers<'_>,
        header: &JoseHeader<'_>,
        observer: &mut impl Observer,
    ) -> Result<(), TokenError> {
        let Expectations { accepts_typ, audience, .. } = self.expectations;
        let registered = observer.check(Check::RegisteredClaims, RegisteredClaims::from_members(claims))?;
        registered.check_times(self.now, self.leeway, observer)?;
        observer.check(Check::Typ, ensure(accepts_typ(header.typ), TokenError::WrongTyp))?;
        let is_for = audience.is_none_or(|audience| registered.is_for(audience));
        observer.check(Check::Audience, ensure(is_for, TokenError::WrongAudience))
    }
}

fn ensure(holds: bool, error: TokenError) -> Result<(), TokenError> {
    if holds { Ok(()) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, LazyLock};

    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
    use serde::Deserialize;
    use serde_json::{Value, json};
    use tenancy::AccessTokenPolicy;

    use super::*;
    use crate::inspection::inspect_with;
    use crate::{KeyId, KeyRecord, KeyRecords, KeyRing, PublicKeys, SigningKey, inspect, test_keys};

    const NOW: u64 = 1_000_000;
    const ISSUER: &str = "https://auth.example.com";
    const AUDIENCE: &str = "your-api";

    /// Three published keys, and a removed one under number 4.
    static ALGORITHMS: [SigningAlgorithm; 4] =
        [SigningAlgorithm::RS256, SigningAlgorithm::ES256, SigningAlgorithm::EdDSA, SigningAlgorithm::EdDSA];
    static RING: LazyLock<KeyRing> = LazyLock::new(|| ring(&ALGORITHMS));

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn ring(algorithms: &[SigningAlgorithm]) -> KeyRing {
        let mut rows = Vec::new();
        let mut keys = Vec::new();
        for (number, algorithm) in (1..).zip(algorithms.iter().copied()) {
            let key = Arc::new(test_keys::signing_key(KeyId::numbered(number), algorithm));
            rows.push(KeyRecord {
                id: key.id(),
                algorithm,
                sealed_private_key: Vec::new(),
                thumbprint: key.thumbprint.clone(),
                public_jwk: None,
                announced_at: at(0),
                active_from: at(0),
                retiring_from: None,
                removed_at: (number == 4).then(|| at(NOW)),
                shown: crate::ShownTimes::default(),
            });
            keys.push(key);
        }
        KeyRing::new(Arc::new(KeyRecords { next: KeyId::numbered(9), keys: rows }), keys)
    }

    fn key(number: u32) -> SigningKey {
        test_keys::signing_key(KeyId::numbered(number), ALGORITHMS[number as usize - 1])
    }

    fn claims() -> Value {
        json!({
            "iss": ISSUER, "sub": "your-client-id", "aud": [AUDIENCE], "exp": NOW + 60, "iat": NOW, "nbf": NOW,
            "scope": "api:read", "client_id": "your-client-id", "jti": "1",
        })
    }

    fn claims_with(name: &str, value: Value) -> Value {
        let mut claims = claims();
        claims[name] = value;
        claims
    }

    /// A token with a header and claims of one's own, signed by the key whatever they say.
    fn forged(header: &str, claims: &str, key: &SigningKey) -> String {
        let mut token = format!("{}.{}", BASE64URL.encode(header), BASE64URL.encode(claims)).into_bytes();
        key.append_signature(&mut token).unwrap();
        String::from_utf8(token).unwrap()
    }

    fn good() -> String {
        key(1).sign("JWT", &claims()).unwrap()
    }

    /// Of any type, for anybody.
    fn anything() -> Expectations<'static> {
        let skew = Lifetime::from_seconds(0);
        Expectations { is_issuer: &|_| true, accepts_typ: &|_| true, audience: None, skew }
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

    /// An inspection comes to the same verdict as verification, with the ring and with the ring's published keys.
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
        let published = ring.jwk_set(now);
        let keys = PublicKeys::read(str::from_utf8(&published.json).unwrap()).unwrap();
        assert!(keys.left_out.is_empty(), "{keys:?}");
        let inspection = inspect::<Value>(token, Some(&keys), now, LEEWAY, expectations);
        assert_eq!(inspection.verdict(), verdict, "{token}");
        assert_eq!(inspection.failed().is_some(), verdict.is_err());
    }

    #[track_caller]
    fn check(token: &str, expected: Result<(), TokenError>) {
        assert_eq!(verify_at(token, &RING, NOW).map(|_| ()), expected, "{token}");
    }

    #[track_caller]
    fn check_claims(claims: &Value, expected: Result<(), TokenError>) {
        let found = verify_at(&key(3).sign("JWT", claims).unwrap(), &RING, NOW).map(|_| ());
        assert_eq!(found, expected, "{claims}");
    }

    #[test]
    fn a_good_token_of_each_algorithm_is_accepted_with_its_claims() {
        for number in 1..=3 {
            let verified = verify_at(&key(number).sign("JWT", &claims()).unwrap(), &RING, NOW);
            assert_eq!(verified.unwrap(), claims());
        }
        for algorithm in SigningAlgorithm::ALL {
            let ring = ring(&[algorithm]);
            let key = test_keys::signing_key(KeyId::numbered(1), algorithm);
            let token = key.sign("JWT", &claims()).unwrap();
            assert!(verify_at(&token, &ring, NOW).is_ok(), "{algorithm}");
        }
    }

    #[test]
    fn every_proper_prefix_of_a_token_is_refused() {
        for token in [good(), key(2).sign("JWT", &claims()).unwrap(), key(3).sign("JWT", &claims()).unwrap()]
        {
            for end in 0..token.len() {
                assert!(verify_at(&token[..end], &RING, NOW).is_err(), "cut at {end}");
            }
            check(&token, Ok(()));
            for tail in ["A", "AA", "AAA", "AAAA", "."] {
                assert!(verify_at(&format!("{token}{tail}"), &RING, NOW).is_err(), "{tail:?} behind it");
            }
        }
    }

    #[test]
    fn a_token_with_any_changed_character_is_refused() {
        let token = key(3).sign("JWT", &claims()).unwrap();
        for at in 0..token.len() {
            for other in ["A", "B", ".", "=", "+", " "] {
                if &token[at..=at] == other {
                    continue;
                }
                let changed = format!("{}{other}{}", &token[..at], &token[at + 1..]);
                assert!(verify_at(&changed, &RING, NOW).is_err(), "{other:?} at {at}");
            }
        }
    }

    #[test]
    fn what_has_not_the_shape_of_a_token_is_malformed() {
        let token = good();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let (header, payload) = signed.split_once('.').unwrap();
        let long = format!("{header}.{}.{signature}", "A".repeat(16 * 1024));
        for shape in [
            String::new(),
            ".".to_owned(),
            "..".to_owned(),
            "a.b".to_owned(),
            "...".to_owned(),
            signed.to_owned(),
            format!("{token}."),
            format!(".{token}"),
            format!("{token}.{signature}"),
            format!("{header}=.{payload}.{signature}"),
            format!("{header}.{payload}.{signature}="),
            format!("{header}.{payload}. {signature}"),
            format!("{header}.{payload}.\u{e9}"),
            format!(" {token}"),
            format!("{token}\n"),
            long,
        ] {
            check(&shape, Err(TokenError::Malformed));
        }
        let alg = r#"{"alg":"EdDSA","typ":"JWT","kid":"oauth2-key-3"}"#;
        for payload in
            ["", "null", "7", "\"x\"", "[]", "{", "{}x", &format!(r#"["{ISSUER}"]"#), r#"{"iss":1}"#, "{}"]
        {
            check(&forged(alg, payload, &key(3)), Err(TokenError::Malformed));
        }
        check(&forged(r#"{"alg":"none","jwk":{}}"#, "[]", &key(3)), Err(TokenError::Malformed));
        for header in ["", "null", "[]", "{}", r#"["EdDSA","oauth2-key-3","JWT"]"#] {
            check(&forged(header, &claims().to_string(), &key(3)), Err(TokenError::Malformed));
        }
    }

    #[test]
    fn repeated_members_are_refused_even_when_they_are_signed() {
        let claims = claims().to_string();
        let body = claims.trim_start_matches('{');
        let header = r#"{"alg":"EdDSA","typ":"JWT","kid":"oauth2-key-3"}"#;
        for (header, claims) in [
            (r#"{"alg":"none","alg":"EdDSA","typ":"JWT","kid":"oauth2-key-3"}"#.to_owned(), claims.clone()),
            (r#"{"alg":"EdDSA","typ":"x","typ":"JWT","kid":"oauth2-key-3"}"#.to_owned(), claims.clone()),
            (
                r#"{"alg":"EdDSA","typ":"JWT","kid":"oauth2-key-1","kid":"oauth2-key-3"}"#.to_owned(),
                claims.clone(),
            ),
            (header.to_owned(), format!(r#"{{"iss":"{ISSUER}",{body}"#)),
            (header.to_owned(), format!(r#"{{"exp":9999999,{body}"#)),
            (header.to_owned(), format!(r#"{{"sub":"x",{body}"#)),
        ] {
            check(&forged(&header, &claims, &key(3)), Err(TokenError::Malformed));
        }
    }

    #[test]
    fn algorithms_that_need_no_private_key_are_not_allowed() {
        for alg in
            ["none", "None", "NONE", "HS256", "HS384", "HS512", "RS1", "rs256", "ES256K", "", "RSA-OAEP"]
        {
            let header = format!(r#"{{"alg":"{alg}","typ":"JWT","kid":"oauth2-key-1"}}"#);
            check(&forged(&header, &claims().to_string(), &key(1)), Err(TokenError::AlgorithmNotAllowed));
            let unsigned =
                format!("{}.{}.", BASE64URL.encode(&header), BASE64URL.encode(claims().to_string()));
            check(&unsigned, Err(TokenError::AlgorithmNotAllowed));
        }
    }

    #[test]
    fn a_token_that_is_signed_with_the_public_key_as_a_secret_is_refused() {
        let jwk = serde_json::to_vec(&key(1).jwk).unwrap();
        let pem = test_keys::RSA_2048_PUBLIC;
        let der: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let der = base64::engine::general_purpose::STANDARD.decode(der).unwrap();
        let modulus = match &key(1).jwk.parameters {
            crate::PublicParameters::Rsa { n, .. } => BASE64URL.decode(n).unwrap(),
            other => panic!("{other:?}"),
        };
        let set = RING.jwk_set(at(NOW)).json.to_vec();
        for secret in [pem.as_bytes(), pem.trim().as_bytes(), &der, &jwk, &modulus, &set, b""] {
            for (alg, hmac) in [
                ("HS256", aws_lc_rs::hmac::HMAC_SHA256),
                ("RS256", aws_lc_rs::hmac::HMAC_SHA256),
                ("HS512", aws_lc_rs::hmac::HMAC_SHA512),
            ] {
                let header = format!(r#"{{"alg":"{alg}","typ":"JWT","kid":"oauth2-key-1"}}"#);
                let signed =
                    format!("{}.{}", BASE64URL.encode(header), BASE64URL.encode(claims().to_string()));
                let tag = aws_lc_rs::hmac::sign(&aws_lc_rs::hmac::Key::new(hmac, secret), signed.as_bytes());
                let token = format!("{signed}.{}", BASE64URL.encode(tag));
                let expected = if alg == "RS256" {
                    TokenError::SignatureInvalid
                } else {
                    TokenError::AlgorithmNotAllowed
                };
                check(&token, Err(expected));
            }
        }
    }

    #[test]
    fn a_token_that_brings_its_own_key_is_refused() {
        let foreign_jwk = serde_json::to_string(&key(3).jwk).unwrap();
        for (name, value) in [
            ("jku", r#""https://evil.example/jwks.json""#),
            ("jwk", foreign_jwk.as_str()),
            ("x5u", r#""https://evil.example/cert""#),
            ("x5c", r#"["MIIB"]"#),
            ("x5t", r#""AAAA""#),
            ("x5t#S256", r#""AAAA""#),
            ("crit", r#"["exp"]"#),
            ("crit", "[]"),
            ("b64", "false"),
        ] {
            let header = format!(r#"{{"alg":"RS256","typ":"JWT","kid":"oauth2-key-1","{name}":{value}}}"#);
            check(&forged(&header, &claims().to_string(), &key(1)), Err(TokenError::HeaderNotAllowed));
            check(&forged(&header, &claims().to_string(), &key(3)), Err(TokenError::HeaderNotAllowed));
        }
    }

    #[test]
    fn the_key_is_chosen_by_its_identifier_and_keeps_its_own_algorithm() {
        let claims = claims().to_string();
        let header = |alg: &str, kid: &str| format!(r#"{{"alg":"{alg}","typ":"JWT","kid":{kid}}}"#);
        for kid in [r#""oauth2-key-4""#, r#""oauth2-key-7""#, r#""oauth2-key-01""#, r#""../1""#, r#""""#] {
            check(&forged(&header("EdDSA", kid), &claims, &key(3)), Err(TokenError::UnknownKey));
        }
        check(&forged(r#"{"alg":"EdDSA","typ":"JWT"}"#, &claims, &key(3)), Err(TokenError::UnknownKey));
        for (alg, number) in [("PS256", 1), ("RS384", 1), ("RS256", 3), ("ES384", 2), ("EdDSA", 1)] {
            let header = header(alg, &format!(r#""oauth2-key-{number}""#));
            check(&forged(&header, &claims, &key(number)), Err(TokenError::AlgorithmNotAllowed));
        }
        // The right identifier and algorithm, another key.
        let foreign = crate::PrivateKeyDocument::generate(SigningAlgorithm::ES256).unwrap();
        let foreign =
            SigningKey::parse(KeyId::numbered(2), SigningAlgorithm::ES256, foreign.expose()).unwrap();
        check(&foreign.sign("JWT", &self::claims()).unwrap(), Err(TokenError::SignatureInvalid));
    }

    #[test]
    fn a_token_does_not_pass_at_another_tenants_ring() {
        // The other tenant has a key of the same number and algorithm, as every tenant does.
        let document = crate::PrivateKeyDocument::generate(SigningAlgorithm::ES256).unwrap();
        let key = Arc::new(
            SigningKey::parse(KeyId::numbered(1), SigningAlgorithm::ES256, document.expose()).unwrap(),
        );
        let mut records = (*ring(&[SigningAlgorithm::ES256]).records).clone();
        records.keys[0].thumbprint = key.thumbprint.clone();
        let other = KeyRing::new(Arc::new(records), vec![key.clone()]);
        let token = key.sign("JWT", &claims()).unwrap();
        assert!(verify_at(&token, &other, NOW).is_ok());
        let own = ring(&[SigningAlgorithm::ES256]);
        assert_eq!(verify_at(&token, &own, NOW).unwrap_err(), TokenError::SignatureInvalid);
        assert_eq!(verify_at(&good(), &own, NOW).unwrap_err(), TokenError::AlgorithmNotAllowed);
        assert_eq!(
            verify_at(&good(), &KeyRing::new(own.records.clone(), vec![]), NOW),
            Err(TokenError::UnknownKey)
        );
    }

    /// Its signature is remembered, and nothing else.
    #[test]
    fn a_token_that_was_verified_before_is_judged_again() {
        let (token, own) = (good(), ring(&ALGORITHMS));
        for _ in 0..2 {
            assert!(verify_at(&token, &own, NOW).is_ok());
        }
        let without_key = KeyRing::new(own.records.clone(), vec![]);
        assert_eq!(verify_at(&token, &without_key, NOW), Err(TokenError::UnknownKey));
        assert_eq!(verify_at(&token, &own, NOW + 60), Err(TokenError::Expired));
        let foreign = Expectations { is_issuer: &|_| false, ..anything() };
        let found = verify::<Value>(&token, &own, at(NOW), &foreign);
        assert_eq!(found, Err(TokenError::ForeignIssuer));
        let (signed, _) = token.rsplit_once('.').unwrap();
        let another = key(1).sign("JWT", &claims_with("jti", json!("2"))).unwrap();
        let (_, other) = another.rsplit_once('.').unwrap();
        assert_eq!(verify_at(&format!("{signed}.{other}"), &own, NOW), Err(TokenError::SignatureInvalid));
    }

    #[test]
    fn the_issuer_is_checked_before_the_key() {
        for iss in ["https://evil.example", "https://auth.example.com/", "HTTPS://auth.example.com", ""] {
            check_claims(&claims_with("iss", json!(iss)), Err(TokenError::ForeignIssuer));
            let header = r#"{"alg":"RS256","typ":"JWT","kid":"someone-elses"}"#;
            let foreign = claims_with("iss", json!(iss)).to_string();
            check(&forged(header, &foreign, &key(1)), Err(TokenError::ForeignIssuer));
        }
    }

    #[test]
    fn every_required_claim_has_its_json_type() {
        let string_only: &[&str] = &["\"x\""];
        let number_only: &[&str] = &["0", "7", "18446744073709551615"];
        let string_or_strings: &[&str] = &["\"x\"", "[]", "[\"x\"]"];
        let values = [
            "null",
            "true",
            "false",
            "0",
            "7",
            "18446744073709551615",
            "18446744073709551616",
            "-1",
            "1.0",
            "1.5",
            "1e3",
            "\"x\"",
            "\"7\"",
            "[]",
            "[\"x\"]",
            "[7]",
            "[null]",
            "{}",
        ];
        for (name, good) in [
            ("iss", string_only),
            ("aud", string_or_strings),
            ("exp", number_only),
            ("iat", number_only),
            ("nbf", number_only),
        ] {
            let mut without = claims();
            without.as_object_mut().unwrap().remove(name);
            check_claims(&without, Err(TokenError::Malformed));
            for value in values {
                // As text: a JSON library would change the numbers that are too large.
                let body = without.to_string();
                let body = format!(r#"{{"{name}":{value},{}"#, body.trim_start_matches('{'));
                let header = r#"{"alg":"EdDSA","typ":"JWT","kid":"oauth2-key-3"}"#;
                let found = verify_at(&forged(header, &body, &key(3)), &RING, NOW).map(|_| ());
                let is_string = name == "iss" && value.starts_with('"');
                if good.contains(&value) || is_string || (name == "aud" && value.starts_with('"')) {
                    assert_ne!(found, Err(TokenError::Malformed), "{name}: {value}");
                } else {
                    assert_eq!(found, Err(TokenError::Malformed), "{name}: {value}");
                }
            }
        }
    }

    #[test]
    fn a_lifetime_ends_to_the_second_and_begins_with_a_little_leeway() {
        let token = |name: &str, value: u64| key(3).sign("JWT", &claims_with(name, json!(value))).unwrap();
        for (name, value, now, expected) in [
            ("exp", NOW + 1, NOW, Ok(())),
            ("exp", NOW, NOW, Err(TokenError::Expired)),
            ("exp", NOW - 1, NOW, Err(TokenError::Expired)),
            ("exp", 0, NOW, Err(TokenError::Expired)),
            ("exp", u64::MAX, NOW, Ok(())),
            ("nbf", NOW + 5, NOW, Ok(())),
            ("nbf", NOW + 6, NOW, Err(TokenError::NotYetValid)),
            ("nbf", u64::MAX, NOW, Err(TokenError::NotYetValid)),
            ("iat", NOW + 5, NOW, Ok(())),
            ("iat", NOW + 6, NOW, Err(TokenError::NotYetValid)),
            ("iat", 0, NOW, Ok(())),
        ] {
            let found = verify_at(&token(name, value), &RING, now).map(|_| ());
            assert_eq!(found, expected, "{name} {value} at {now}");
        }
        assert_eq!(TokenError::Expired.description(), "Token has expired");
    }

    #[test]
    fn a_token_of_another_type_or_audience_is_refused() {
        for (typ, expected) in [
            ("JWT", Ok(())),
            ("application/jwt", Ok(())),
            ("at+jwt", Err(TokenError::WrongTyp)),
            ("latchkey-admin+jwt", Err(TokenError::WrongTyp)),
        ] {
            check(&key(3).sign(typ, &claims()).unwrap(), expected);
        }
        let untyped = r#"{"alg":"EdDSA","kid":"oauth2-key-3"}"#;
        check(&forged(untyped, &claims().to_string(), &key(3)), Err(TokenError::WrongTyp));
        for (aud, expected) in [
            (json!(AUDIENCE), Ok(())),
            (json!(["other", AUDIENCE]), Ok(())),
            (json!("other"), Err(TokenError::WrongAudience)),
            (json!(["your-api/"]), Err(TokenError::WrongAudience)),
            (json!([]), Err(TokenError::WrongAudience)),
        ] {
            check_claims(&claims_with("aud", aud), expected);
        }
    }

    #[test]
    fn without_a_wanted_audience_any_will_do() {
        let expectations = anything();
        let token = key(3).sign("x", &claims_with("aud", json!("anyone"))).unwrap();
        assert!(verify::<Value>(&token, &*RING, at(NOW), &expectations).is_ok());
    }

    #[test]
    fn claims_that_the_caller_cannot_read_are_malformed() {
        #[derive(Debug, Deserialize)]
        #[expect(dead_code, reason = "only read")]
        struct Strict {
            client_id: u64,
        }
        let expectations = anything();
        assert_eq!(
            verify::<Strict>(&good(), &*RING, at(NOW), &expectations).unwrap_err(),
            TokenError::Malformed
        );
    }
}

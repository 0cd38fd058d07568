//! The checks of a client's assertion one by one, offline: with the functions of a request, and with what is known of the client and its tenant
//! (RFC 7523 §3).

use keys::{CheckTexts, DescribedCheck, PublicKeys, TokenError};
use protocol::{RefusalReason, Timestamp};
use tenancy::AssertionPolicy;

use crate::AssertionError;
use crate::client_assertion::{Accepted, AssertionClaims, client_of, read};

/// A check of an assertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssertionCheck {
    /// The compact form, header and claims as objects, and the types of their members.
    Form,
    /// What a header must not have.
    Header,
    /// `alg`.
    Algorithm,
    /// `typ`.
    Type,
    /// `sub`.
    Subject,
    /// A key of the client for `kid` and `alg`.
    Key,
    /// The third part.
    Signature,
    /// The claims that each assertion has.
    Claims,
    /// `iss`.
    Issuer,
    /// `aud`.
    Audience,
    /// `exp`.
    Expiry,
    /// `nbf` and `iat`.
    Begin,
    /// How long it is valid.
    Lifetime,
    /// `jti`.
    Identifier,
    /// Whether `jti` was used.
    Replay,
}

/// What is known of the client that an assertion is of, and of its tenant.
#[derive(Clone, Copy, Default)]
pub struct KnownClient<'a> {
    /// The `client_id` of the request.
    pub client_id: Option<&'a str>,
    /// The names of the tenant: its issuer, and its token endpoint.
    pub audiences: &'a [String],
    /// The client's key set.
    pub keys: Option<&'a PublicKeys>,
}

/// An assertion with the result of its checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssertionInspection {
    /// The check that failed, and the reason of a request.
    pub failed: Option<(AssertionCheck, RefusalReason)>,
    /// The thumbprint of the key that signed it, where there are keys and no check failed.
    pub key: Option<String>,
}

impl AssertionInspection {
    /// Inspects an assertion for a request of now, under the policy of a tenant that has set none.
    #[must_use]
    pub fn of(assertion: &str, known: &KnownClient<'_>, now: Timestamp) -> Self {
        match inspect(assertion, known, now) {
            Ok(key) => Self { failed: None, key },
            Err(failed) => Self { failed: Some(failed), key: None },
        }
    }
}

fn inspect(
    assertion: &str,
    known: &KnownClient<'_>,
    now: Timestamp,
) -> Result<Option<String>, (AssertionCheck, RefusalReason)> {
    use AssertionCheck as C;
    // What is no assertion of a client has the reason of any credentials that are none.
    let no_assertion = |check| (check, RefusalReason::MalformedCredentials);
    let failed = |error: AssertionError| (C::of(error), error.reason());
    let jwt = read(assertion).map_err(|error| no_assertion(C::of_form(error)))?;
    let client = client_of(&jwt, known.client_id).ok_or(no_assertion(C::Subject))?;
    let (claims, key) = match known.keys {
        Some(keys) => jwt.verify::<AssertionClaims>(keys).map(|(claims, key)| (claims, Some(key))),
        None => jwt.unverified_claims().map(|claims| (claims, None)),
    }
    .map_err(|error| failed(error.into()))?;
    // Where no name of the tenant is known, any that the assertion has will do.
    let audiences = match known.audiences {
        [] => claims.audiences().map(str::to_owned).collect(),
        audiences => audiences.to_vec(),
    };
    let accepted = Accepted { audiences, policy: AssertionPolicy::default() };
    claims.check(&client, &accepted, now).map_err(failed)?;
    Ok(key)
}

impl AssertionCheck {
    /// All of them, in their order.
    pub const ALL: [Self; 15] = [
        Self::Form,
        Self::Header,
        Self::Algorithm,
        Self::Type,
        Self::Subject,
        Self::Key,
        Self::Signature,
        Self::Claims,
        Self::Issuer,
        Self::Audience,
        Self::Expiry,
        Self::Begin,
        Self::Lifetime,
        Self::Identifier,
        Self::Replay,
    ];

    /// Of a JWT that cannot be read as an assertion.
    const fn of_form(error: TokenError) -> Self {
        match error {
            TokenError::HeaderNotAllowed => Self::Header,
            TokenError::AlgorithmNotAllowed => Self::Algorithm,
            TokenError::WrongTyp => Self::Type,
            _ => Self::Form,
        }
    }

    const fn of(error: AssertionError) -> Self {
        match error {
            AssertionError::Malformed => Self::Claims,
            AssertionError::KeyUnknown | AssertionError::KeysUnavailable => Self::Key,
            AssertionError::SignatureInvalid => Self::Signature,
            AssertionError::OfAnotherClient => Self::Issuer,
            AssertionError::ForAnotherAudience => Self::Audience,
            AssertionError::Expired => Self::Expiry,
            AssertionError::NotYetValid => Self::Begin,
            AssertionError::LivesTooLong => Self::Lifetime,
            AssertionError::NotIdentified => Self::Identifier,
            AssertionError::Replayed => Self::Replay,
        }
    }
}

impl DescribedCheck for AssertionCheck {
    fn texts(self) -> CheckTexts {
        match self {
            Self::Form => (
                "form",
                "one JWT of at most 16 KiB: three parts of base64url, header and claims with unique names; `alg`, `kid`, `typ` and `sub` are texts",
                "send the assertion as the library made it, once, as client_assertion",
            ),
            Self::Header => (
                "header",
                "none of jku, jwk, x5u, x5c, crit, b64",
                "leave these members out; the key is registered at the client",
            ),
            Self::Algorithm => (
                "alg",
                "RS256, RS384, RS512, PS256, ES256, ES384 or EdDSA",
                "sign with a private key by one of these algorithms; a client secret signs no assertion",
            ),
            Self::Type => (
                "typ",
                "JWT or client-authentication+jwt, or no `typ`",
                "write \"typ\":\"JWT\", or leave `typ` out",
            ),
            Self::Subject => (
                "sub",
                "the client's id, and the `client_id` of the request where it has one",
                "write the client's id into `sub` (RFC 7523 section 3)",
            ),
            Self::Key => (
                "kid",
                "a key of the client with this `kid`, or without one, and with this `alg`",
                "register the public key at the client, or write the `kid` that it has there",
            ),
            Self::Signature => (
                "signature",
                "made by a key of the client",
                "sign with the private key whose public key the client has, or register the new one",
            ),
            Self::Claims => (
                "claims",
                "`iss`, `sub` and `jti` are texts, `aud` is a text or a list, `exp`, `nbf` and `iat` are numbers of seconds",
                "write iss, sub, aud, exp and jti (RFC 7523 section 3)",
            ),
            Self::Issuer => ("iss", "the client's id, as in `sub`", "write the client's id into `iss`, too"),
            Self::Audience => (
                "aud",
                "the tenant's issuer, or its token endpoint unless assertions.audience is issuer",
                "write the issuer into `aud`, exactly as in the tenant's metadata, as a text",
            ),
            Self::Expiry => (
                "exp",
                "at most 60 seconds ago",
                "make an assertion for each request; if it is new, set the clock of the client",
            ),
            Self::Begin => (
                "nbf",
                "`nbf` and `iat`, where it has them, at most 60 seconds ahead",
                "leave `nbf` out; if it is right, set the clock of the client",
            ),
            Self::Lifetime => (
                "lifetime",
                "from `iat` to `exp` at most an hour and 60 seconds, or what assertions.max_lifetime of the tenant says",
                "write an `exp` that is a minute away, and the time of now into `iat`",
            ),
            Self::Identifier => {
                ("jti", "a text that is not empty", "write a new random text into `jti` of each assertion")
            }
            Self::Replay => ("replay", "`jti` was not used before", "make a new assertion for each request"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::ClientKeys;
    use keys::{KeyId, PrivateKeyDocument, SigningKey};
    use protocol::SigningAlgorithm::{self, ES256, EdDSA};

    const NOW: u64 = 1_000_000;
    const ISSUER: &str = "https://id.example.com";

    fn generated(algorithm: SigningAlgorithm) -> SigningKey {
        let document = PrivateKeyDocument::generate(algorithm).unwrap();
        SigningKey::parse(KeyId::numbered(1), algorithm, document.expose()).unwrap()
    }

    fn claims() -> Value {
        json!({ "iss": "svc", "sub": "svc", "aud": ISSUER, "exp": NOW + 60, "jti": "1" })
    }

    fn keys_of(key: &SigningKey) -> ClientKeys {
        ClientKeys::parse(&json!({ "keys": [key.jwk] }).to_string()).unwrap()
    }

    fn inspected(assertion: &str, client_id: Option<&str>, keys: Option<&ClientKeys>) -> AssertionInspection {
        let audiences = [ISSUER.to_owned()];
        let known = KnownClient { client_id, audiences: &audiences, keys: keys.map(ClientKeys::keys) };
        AssertionInspection::of(assertion, &known, Timestamp::from_seconds(NOW))
    }

    #[test]
    fn the_check_that_a_claim_fails_is_named() {
        use RefusalReason as R;
        let key = generated(ES256);
        let keys = keys_of(&key);
        for (name, value, failed) in [
            ("jti", json!("2"), None),
            ("sub", json!("other"), Some(("sub", R::MalformedCredentials))),
            ("sub", json!(7), Some(("form", R::MalformedCredentials))),
            ("iss", json!("other"), Some(("iss", R::AssertionOfAnotherClient))),
            ("iss", json!(7), Some(("claims", R::AssertionMalformed))),
            ("aud", json!("https://other.example.com"), Some(("aud", R::AssertionForAnotherAudience))),
            ("aud", json!([]), Some(("aud", R::AssertionForAnotherAudience))),
            ("exp", json!(NOW - 60), Some(("exp", R::AssertionExpired))),
            ("nbf", json!(NOW + 61), Some(("nbf", R::AssertionNotYetValid))),
            ("iat", json!(NOW + 61), Some(("nbf", R::AssertionNotYetValid))),
            ("exp", json!(NOW + 3_661), Some(("lifetime", R::AssertionLivesTooLong))),
            ("jti", json!(""), Some(("jti", R::AssertionNotIdentified))),
        ] {
            let mut claims = claims();
            claims[name] = value.clone();
            let assertion = key.sign("JWT", &claims).unwrap();
            let found = inspected(&assertion, Some("svc"), Some(&keys));
            assert_eq!(found.failed.map(|(check, reason)| (check.name(), reason)), failed, "{name} {value}");
            assert_eq!(found.key.is_some(), failed.is_none());
            // Without the keys all is the same but the key.
            let without = inspected(&assertion, Some("svc"), None);
            assert_eq!((without.failed, without.key), (found.failed, None), "{name} {value}");
        }
    }

    #[test]
    fn the_check_that_header_key_or_signature_fails_is_named() {
        use RefusalReason as R;
        let key = generated(ES256);
        let keys = keys_of(&key);
        let good = key.sign("JWT", &claims()).unwrap();
        let (signed, _) = good.rsplit_once('.').unwrap();
        let of_other_type = key.sign("at+jwt", &claims()).unwrap();
        let by_other_key = generated(EdDSA).sign("JWT", &claims()).unwrap();
        // {"alg":"HS256"} and {"alg":"ES256","jwk":{}}.
        let [of_secret, with_key] = ["eyJhbGciOiJIUzI1NiJ9", "eyJhbGciOiJFUzI1NiIsImp3ayI6e319"];
        let headed = |header: &str| format!("{header}.{}", good.split_once('.').unwrap().1);
        for (assertion, failed) in [
            (good.clone(), None),
            ("a.b.c".to_owned(), Some(("form", R::MalformedCredentials))),
            (headed(with_key), Some(("header", R::MalformedCredentials))),
            (headed(of_secret), Some(("alg", R::MalformedCredentials))),
            (of_other_type, Some(("typ", R::MalformedCredentials))),
            (by_other_key, Some(("kid", R::AssertionKeyUnknown))),
            (format!("{signed}.AAAA"), Some(("signature", R::AssertionSignatureInvalid))),
        ] {
            let found = inspected(&assertion, None, Some(&keys)).failed;
            assert_eq!(found.map(|(check, reason)| (check.name(), reason)), failed, "{assertion}");
        }
    }

    #[test]
    fn what_is_not_known_refuses_nothing() {
        let mut claims = claims();
        claims["aud"] = json!("https://other.example.com");
        let assertion = generated(ES256).sign("JWT", &claims).unwrap();
        let found =
            AssertionInspection::of(&assertion, &KnownClient::default(), Timestamp::from_seconds(NOW));
        assert_eq!(found, AssertionInspection { failed: None, key: None });
    }

    #[test]
    fn each_check_has_a_name_of_its_own_and_a_fix() {
        let names: std::collections::BTreeSet<_> =
            AssertionCheck::ALL.iter().map(|check| check.name()).collect();
        assert_eq!(names.len(), AssertionCheck::ALL.len());
        assert!(AssertionCheck::ALL.iter().all(|check| !check.rule().is_empty() && !check.fix().is_empty()));
    }
}

//! The checks of a client's assertion one by one, offline: with the functions of a request, and with what is known of the client and its tenant
//! (RFC 7523 §3).

use keys::PublicKeys;
use protocol::Timestamp;
use tenancy::AssertionPolicy;

use crate::AssertionCheck;
use crate::client_assertion::{Accepted, AssertionClaims, client_of, read};

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

impl KnownClient<'_> {
    /// Inspects an assertion for a request of now, under the policy of a tenant that has set none. Returns
    /// the thumbprint of the key that signed it, where there are keys.
    ///
    /// # Errors
    /// The check that fails.
    pub fn inspect(&self, assertion: &str, now: Timestamp) -> Result<Option<String>, AssertionCheck> {
        let jwt = read(assertion).map_err(AssertionCheck::of_form)?;
        let client = client_of(&jwt, self.client_id).ok_or(AssertionCheck::Subject)?;
        let (claims, key) = match self.keys {
            Some(keys) => jwt.verify::<AssertionClaims>(keys).map(|(claims, key)| (claims, Some(key))),
            None => jwt.unverified_claims().map(|claims| (claims, None)),
        }
        .map_err(AssertionCheck::of_signature)?;
        // Where no name of the tenant is known, any that the assertion has will do.
        let audiences = match self.audiences {
            [] => claims.audiences().map(str::to_owned).collect(),
            audiences => audiences.to_vec(),
        };
        let accepted = Accepted { audiences, policy: AssertionPolicy::default() };
        claims.check(&client, &accepted, now)?;
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::ClientKeys;
    use keys::{DescribedCheck as _, KeyId, PrivateKeyDocument, SigningKey};
    use protocol::SigningAlgorithm::{self, ES256, EdDSA};

    const NOW: u64 = 1_000_000;
    const ISSUER: &str = "https://id.example.com";

    type Inspected = Result<Option<String>, (&'static str, &'static str)>;

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

    fn inspected(assertion: &str, client_id: Option<&str>, keys: Option<&ClientKeys>) -> Inspected {
        let audiences = [ISSUER.to_owned()];
        let known = KnownClient { client_id, audiences: &audiences, keys: keys.map(ClientKeys::keys) };
        let found = known.inspect(assertion, Timestamp::from_seconds(NOW));
        found.map_err(|check| (check.name(), check.reason().code))
    }

    #[test]
    fn the_check_that_a_claim_fails_is_named() {
        let key = generated(ES256);
        let keys = keys_of(&key);
        for (name, value, failed) in [
            ("jti", json!("2"), None),
            ("sub", json!("other"), Some(("sub", "malformed_credentials"))),
            ("sub", json!(7), Some(("form", "malformed_credentials"))),
            ("iss", json!("other"), Some(("iss", "assertion_of_another_client"))),
            ("iss", json!(7), Some(("claims", "assertion_malformed"))),
            ("aud", json!("https://other.example.com"), Some(("aud", "assertion_for_another_audience"))),
            ("aud", json!([]), Some(("aud", "assertion_for_another_audience"))),
            ("exp", json!(NOW - 60), Some(("exp", "assertion_expired"))),
            ("nbf", json!(NOW + 61), Some(("nbf", "assertion_not_yet_valid"))),
            ("iat", json!(NOW + 61), Some(("nbf", "assertion_not_yet_valid"))),
            ("exp", json!(NOW + 3_661), Some(("lifetime", "assertion_lives_too_long"))),
            ("jti", json!(""), Some(("jti", "assertion_not_identified"))),
        ] {
            let mut claims = claims();
            claims[name] = value.clone();
            let assertion = key.sign("JWT", &claims).unwrap();
            let found = inspected(&assertion, Some("svc"), Some(&keys));
            assert_eq!(found.clone().err(), failed, "{name} {value}");
            assert_eq!(found.clone().is_ok_and(|key| key.is_some()), failed.is_none());
            // Without the keys all is the same but the key.
            let without = inspected(&assertion, Some("svc"), None);
            assert_eq!(without, found.map(|_| None), "{name} {value}");
        }
    }

    #[test]
    fn the_check_that_header_key_or_signature_fails_is_named() {
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
            ("a.b.c".to_owned(), Some(("form", "malformed_credentials"))),
            (headed(with_key), Some(("header", "malformed_credentials"))),
            (headed(of_secret), Some(("alg", "malformed_credentials"))),
            (of_other_type, Some(("typ", "malformed_credentials"))),
            (by_other_key, Some(("kid", "assertion_key_unknown"))),
            (format!("{signed}.AAAA"), Some(("signature", "assertion_signature_invalid"))),
        ] {
            assert_eq!(inspected(&assertion, None, Some(&keys)).err(), failed, "{assertion}");
        }
    }

    #[test]
    fn what_is_not_known_refuses_nothing() {
        let mut claims = claims();
        claims["aud"] = json!("https://other.example.com");
        let assertion = generated(ES256).sign("JWT", &claims).unwrap();
        assert_eq!(KnownClient::default().inspect(&assertion, Timestamp::from_seconds(NOW)), Ok(None));
    }
}

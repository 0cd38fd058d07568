//! Whether a removed key still verifies ID tokens that clients send as hints (OpenID Connect RP-Initiated
//! Logout 1.0 §2).

use serde_json::{Value, json};
use values::{Lifetime, Timestamp};

use crate::life_cycle::is_revoked;
use crate::{KeyRecord, PublicKeys, jwk_thumbprint};

/// The public key, if the key was removed at most `kept` ago after its last token had expired. A revoked key
/// verifies no hints, because an attacker may have the private key.
pub(crate) fn hint_key(key: &KeyRecord, kept: Lifetime, now: Timestamp) -> Option<PublicKeys> {
    key.removed_at.filter(|removed| *removed <= now && now < *removed + kept && !is_revoked(key))?;
    let mut jwk: Value = serde_json::from_str(key.public_jwk.as_deref()?).ok()?;
    if jwk_thumbprint(&jwk)? != key.thumbprint {
        return None;
    }
    (jwk["kid"], jwk["alg"]) = (key.id.to_string().into(), key.algorithm.as_str().into());
    PublicKeys::read(&json!({ "keys": [jwk] }).to_string()).ok()
}

#[cfg(test)]
mod tests {
    use protocol::SigningAlgorithm;

    use super::*;
    use crate::test_keys::{anything, at, numbered, record};
    use crate::{TokenError, verify};

    const DAY: u64 = 86_400;

    fn removed(
        algorithm: SigningAlgorithm,
        retiring_from: Option<u64>,
        removed_at: Option<u64>,
    ) -> KeyRecord {
        let key = numbered(3, algorithm);
        KeyRecord {
            public_jwk: Some(key.jwk.parameters.required_members()),
            retiring_from: retiring_from.map(at),
            removed_at: removed_at.map(at),
            ..record(&key)
        }
    }

    /// Whether the key verifies hints at `now`, if keys are kept for a day after their removal.
    fn is_kept(key: &KeyRecord, now: u64) -> bool {
        hint_key(key, Lifetime::from_seconds(DAY), at(now)).is_some()
    }

    #[test]
    fn removed_key_verifies_only_its_own_tokens() {
        let claims = json!({ "iss": "i", "aud": "a", "exp": 60, "iat": 50, "nbf": 50 });
        for algorithm in SigningAlgorithm::ALL {
            let key = removed(algorithm, Some(100), Some(200));
            let key = hint_key(&key, Lifetime::from_seconds(DAY), at(200)).unwrap();
            let verified = |number, algorithm| {
                let token = numbered(number, algorithm).sign("JWT", &claims).unwrap();
                verify::<Value>(&token, &key, at(50), &anything()).map(|_| ())
            };
            assert_eq!(verified(3, algorithm), Ok(()), "{algorithm}");
            assert_eq!(verified(1, algorithm), Err(TokenError::UnknownKey), "{algorithm}");
            for other in SigningAlgorithm::ALL.into_iter().filter(|other| *other != algorithm) {
                assert_eq!(verified(3, other), Err(TokenError::AlgorithmNotAllowed), "{algorithm} {other}");
            }
        }
    }

    #[test]
    fn hint_key_is_kept_after_removal_but_not_revocation() {
        let of = |retiring_from, removed_at| removed(SigningAlgorithm::ES256, retiring_from, removed_at);
        for (key, now, expected) in [
            (of(Some(100), Some(200)), 199, false),
            (of(Some(100), Some(200)), 200, true),
            (of(Some(100), Some(200)), 200 + DAY - 1, true),
            (of(Some(100), Some(200)), 200 + DAY, false),
            (of(Some(100), None), 200, false),
            (of(None, None), 200, false),
            // Keys that commands have removed: one that has signed, and one that has not.
            (of(Some(200), Some(200)), 200, false),
            (of(None, Some(200)), 200, false),
        ] {
            assert_eq!(is_kept(&key, now), expected, "{:?} {:?} {now}", key.retiring_from, key.removed_at);
        }
    }

    #[test]
    fn key_without_its_public_half_verifies_no_hints() {
        let key = removed(SigningAlgorithm::ES256, Some(100), Some(200));
        let other = removed(SigningAlgorithm::EdDSA, Some(100), Some(200)).public_jwk;
        for public_jwk in [None, Some(String::new()), Some("[]".to_owned()), Some("{}".to_owned()), other] {
            assert!(!is_kept(&KeyRecord { public_jwk, ..key.clone() }, 200));
        }
    }
}

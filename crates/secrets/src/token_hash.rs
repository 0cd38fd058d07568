//! Hashes of generated secrets and API keys, and digests that detect unchanged declared secrets. All are
//! keyed digests that take a microsecond.

use tenancy::TenantId;
use values::Secret;

use crate::{Pepper, PresentedSecret, SecretHash};

/// The purposes of the digests of generated secrets and of API keys.
const SECRET: &str = "generated secret";
const API_KEY: &str = "API key";

/// The hash of a generated secret, with the tenant's key. It includes the client, so a row that is copied to
/// another client or tenant matches nothing.
#[must_use]
pub fn hash_token(
    pepper: &Pepper,
    tenant: &TenantId,
    client: impl AsRef<str>,
    secret: &Secret,
) -> SecretHash {
    of_tenant(pepper, tenant, SECRET, [client.as_ref(), secret.expose()])
}

/// A presented secret, to compare with the stored hashes of a client.
#[must_use]
pub fn presented_token<'a>(
    pepper: &'a Pepper,
    tenant: &'a TenantId,
    client: &'a str,
    secret: &'a Secret,
) -> PresentedSecret<'a> {
    let earlier = (&pepper.generated_secrets, [tenant.as_str(), client, secret.expose()]);
    PresentedSecret { hash: hash_token(pepper, tenant, client, secret), earlier: Some(earlier) }
}

/// The hash of an API key, with the tenant's key. It includes the client, so a row that is copied to another
/// client or tenant matches nothing.
#[must_use]
pub fn hash_api_key(pepper: &Pepper, tenant: &TenantId, client: &str, key: &str) -> SecretHash {
    of_tenant(pepper, tenant, API_KEY, [client, key])
}

/// A presented API key, to compare with the stored hash of a key.
#[must_use]
pub fn presented_api_key<'a>(
    pepper: &'a Pepper,
    tenant: &'a TenantId,
    client: &'a str,
    key: &'a str,
) -> PresentedSecret<'a> {
    let earlier = (&pepper.api_keys, [tenant.as_str(), client, key]);
    PresentedSecret { hash: hash_api_key(pepper, tenant, client, key), earlier: Some(earlier) }
}

fn of_tenant(pepper: &Pepper, tenant: &TenantId, purpose: &str, texts: [&str; 2]) -> SecretHash {
    SecretHash::token(pepper.tenants.digest(tenant, purpose, texts.map(str::as_bytes)))
}

/// The digest that detects an unchanged declared secret, so that a restart computes no password hash.
///
/// Uses a different key than [`hash_token`]. So even if such a digest is stored as a hash, by mistake or by
/// an attacker, it matches no secret.
#[must_use]
pub fn declared_digest(
    pepper: &Pepper,
    tenant: &TenantId,
    client: impl AsRef<str>,
    secret: &Secret,
) -> [u8; 32] {
    pepper.declared_secrets.of([tenant.as_str(), client.as_ref(), secret.expose()].map(str::as_bytes))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD_NO_PAD;
    use proptest::prelude::*;
    use zeroize::Zeroizing;

    use super::*;
    use crate::KeyedDigest;

    fn digests(tenant: &str, client: &str, secret: &str) -> (SecretHash, SecretHash) {
        let pepper = Pepper::from_bytes(Zeroizing::new([1; 32]));
        let tenant = TenantId::parse(tenant).unwrap();
        let secret = Secret::new(secret.to_owned());
        let declared = declared_digest(&pepper, &tenant, client, &secret);
        (hash_token(&pepper, &tenant, client, &secret), SecretHash::token(declared))
    }

    #[test]
    fn earlier_hash_format_is_still_recognised() {
        let pepper = Pepper::from_bytes(Zeroizing::new([1; 32]));
        let [acme, globex] = ["acme", "globex"].map(|id| TenantId::parse(id).unwrap());
        let secret = Secret::new("secret".to_owned());
        let stored = |key: &KeyedDigest| -> SecretHash {
            let digest = key.of(["acme", "svc", "secret"].map(str::as_bytes));
            format!("$lk1$hmac-sha256${}", STANDARD_NO_PAD.encode(digest)).parse().unwrap()
        };
        let (of_secret, of_key) = (stored(&pepper.generated_secrets), stored(&pepper.api_keys));
        for (tenant, client, is_own) in [(&acme, "svc", true), (&acme, "web", false), (&globex, "svc", false)]
        {
            let token = presented_token(&pepper, tenant, client, &secret);
            let key = presented_api_key(&pepper, tenant, client, secret.expose());
            assert_eq!([of_secret.is_of(&token), of_key.is_of(&key)], [is_own; 2], "{tenant} {client}");
            assert!(!of_secret.is_of(&key) && !of_key.is_of(&token));
            let current = hash_token(&pepper, tenant, client, &secret);
            assert!(current.is_of(&token) && !current.is_of(&key));
        }
    }

    // [parties #13]
    #[test]
    fn hash_is_bound_to_tenant_client_secret_and_purpose() {
        let (hash, declared) = digests("acme", "billing", "secret");
        assert!(hash.matches(&digests("acme", "billing", "secret").0));
        assert!(!hash.matches(&declared));
        for (tenant, client, secret) in
            [("acm", "ebilling", "secret"), ("acme", "billin", "gsecret"), ("other", "billing", "secret")]
        {
            let (other_hash, other_declared) = digests(tenant, client, secret);
            assert!(!hash.matches(&other_hash), "{tenant} {client}");
            assert!(!declared.matches(&other_declared), "{tenant} {client}");
        }
    }

    proptest! {
        #[test]
        fn changed_byte_gives_another_hash(
            mut secret in proptest::collection::vec(0x20_u8..0x7f, 1..=512),
            at: proptest::sample::Index,
            to in 0x20_u8..0x7f,
        ) {
            let good = digests("acme", "billing", std::str::from_utf8(&secret).unwrap());
            let at = at.index(secret.len());
            prop_assume!(secret[at] != to);
            secret[at] = to;
            let changed = digests("acme", "billing", std::str::from_utf8(&secret).unwrap());
            prop_assert!(!good.0.matches(&changed.0));
            prop_assert!(!good.1.matches(&changed.1));
        }
    }
}

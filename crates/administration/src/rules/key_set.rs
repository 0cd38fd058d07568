//! The rules for the public keys of a client, or of an issuer that vouches for clients.

use keys::InvalidKeySet;
use registry::ClientKeys;
use serde_json::json;

use super::FieldErrors;
use crate::documents::Jwks;

/// The most keys of a client. Each key without a `kid` must be tried for an assertion.
const MOST_KEYS: usize = 10;

/// Parses public keys, and refuses keys that cannot be used.
pub(super) fn check_keys(
    errors: &mut FieldErrors,
    at: &str,
    jwks: &Jwks,
    parse: fn(&str) -> Result<ClientKeys, InvalidKeySet>,
) -> Option<ClientKeys> {
    const GIVE: &str = "give only the public key (RFC 7517 §4): `kty` with `n` and `e`, or with `crv`, `x` \
        and, for EC, `y`";
    let Some(keys) = &jwks.keys else {
        errors.refuse(at, "the list of keys is missing", "write `{\"keys\": […]}` (RFC 7517 §5)");
        return None;
    };
    if keys.is_empty() {
        errors.refuse(&format!("{at}/keys"), "the list of keys is empty", "add a key, or omit the member");
        return None;
    }
    if keys.len() > MOST_KEYS {
        let detail = format!("there are {} keys, but the maximum is {MOST_KEYS}", keys.len());
        errors.refuse(&format!("{at}/keys"), detail, "remove keys that no longer sign");
        return None;
    }
    let private = keys.iter().position(|key| key.d.is_some() || key.k.is_some());
    if let Some(index) = private {
        let detail = "this is a private key, which only its owner should have";
        errors.refuse(
            &format!("{at}/keys/{index}"),
            detail,
            "give the public key instead, and replace the \
            key pair, because the private key was exposed",
        );
        return None;
    }
    let Ok(keys) = parse(&json!(jwks).to_string()) else {
        errors.refuse(at, "this is not a JWK set", "write `{\"keys\": […]}` (RFC 7517 §5)");
        return None;
    };
    for left_out in &keys.keys().left_out {
        errors.refuse(&format!("{at}/keys/{}", left_out.number - 1), left_out.why.to_string(), GIVE);
    }
    for number in keys.keys().with_another_certificate() {
        // RFC 7517 §4.7: "The key in the first certificate MUST match the public key represented by
        // other members of the JWK."
        let detail = "the first certificate here is not a certificate of the key (RFC 7517 §4.7)";
        let hint = "give the certificate as DER in base64, or omit `x5c`";
        errors.refuse(&format!("{at}/keys/{}/x5c", number - 1), detail, hint);
    }
    Some(keys)
}

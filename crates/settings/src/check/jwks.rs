//! The rules over the public keys of a client.

use administration::Jwk;

use super::super::findings::{Findings, Location};

/// Each key is public and has the members of its type (RFC 7518 §6).
pub(crate) fn check(keys: &[Jwk], at: &Location, findings: &mut Findings) {
    for (index, key) in keys.iter().enumerate() {
        if let Some((problem, hint)) = unusable(key) {
            findings.error(at.item("keys", index), problem, hint);
        }
    }
}

fn unusable(key: &Jwk) -> Option<(&'static str, &'static str)> {
    if key.d.is_some() || key.k.is_some() {
        return Some((
            "this key is secret, and a client keeps its secret key to itself",
            "give its public key",
        ));
    }
    let complete = match key.kty.as_str() {
        "RSA" => key.n.is_some() && key.e.is_some(),
        "EC" => key.crv.is_some() && key.x.is_some() && key.y.is_some(),
        "OKP" => key.crv.is_some() && key.x.is_some(),
        _ => return Some(("this type of key is not known", "give a key whose `kty` is RSA, EC or OKP")),
    };
    (!complete).then_some((
        "this key lacks members of its type (RFC 7518 §6)",
        "give `n` and `e`, or `crv`, `x` and `y`",
    ))
}

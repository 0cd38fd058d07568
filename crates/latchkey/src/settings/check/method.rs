//! The rules over how a client proves who it is: the method, and the secret or the keys that it needs.

use super::{
    super::{
        client::{AuthMethod, GrantType, Jwk},
        findings::{Findings, Location},
        resolved::ResolvedClient,
    },
    text::is_absolute_uri,
};

/// The method and what proves it.
pub(super) fn check_method(client: &ResolvedClient, at: &Location, findings: &mut Findings) {
    let has_keys = client.jwks.is_some() || client.jwks_uri.is_some();
    let method = at.key("token_endpoint_auth_method");
    let give_secret = "give `client_secret: { env: NAME }`, or `file`, `hash` or `value` in place of `env`";
    match client.token_endpoint_auth_method {
        AuthMethod::Any if client.secrets.is_empty() && !has_keys => {
            let problem = "the client has nothing to prove who it is";
            findings.key_error(
                at.clone(),
                problem,
                format!("{give_secret}; a public client says `token_endpoint_auth_method: none`"),
            );
        }
        AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost if client.secrets.is_empty() => {
            findings.error(method, "this method needs a secret, and the client has none", give_secret);
        }
        AuthMethod::PrivateKeyJwt | AuthMethod::SelfSignedTlsClientAuth if !has_keys => {
            let problem = "this method needs the client's public keys, and there are none";
            findings.error(method, problem, "give `jwks` or `jwks_uri`");
        }
        AuthMethod::None if !client.secrets.is_empty() => {
            let problem = "a public client has no secret, and this one does";
            findings.error(method, problem, "leave the secret out, or choose another method");
        }
        AuthMethod::None if client.grant_types.contains(&GrantType::ClientCredentials) => {
            // RFC 6749 §4.4: "The client credentials grant type MUST only be used by confidential clients."
            let problem = "a public client cannot use client_credentials (RFC 6749 §4.4)";
            findings.error(method, problem, "say other `grant_types`, or choose another method");
        }
        AuthMethod::Any
        | AuthMethod::ClientSecretBasic
        | AuthMethod::ClientSecretPost
        | AuthMethod::PrivateKeyJwt
        | AuthMethod::TlsClientAuth
        | AuthMethod::SelfSignedTlsClientAuth
        | AuthMethod::None => {}
    }
    if client.jwks.is_some() && client.jwks_uri.is_some() {
        // RFC 7591 §2: "The "jwks_uri" and "jwks" parameters MUST NOT both be present".
        findings.error(at.key("jwks_uri"), "`jwks` is given, too (RFC 7591 §2)", "leave one of the two out");
    }
    if client.jwks_uri.as_ref().is_some_and(|uri| !uri.starts_with("https://") || !is_absolute_uri(uri)) {
        findings.error(at.key("jwks_uri"), "this is not an https URL", "write where the keys are published");
    }
    for (index, key) in client.jwks.iter().flatten().enumerate() {
        if let Some((problem, hint)) = unusable(key) {
            findings.error(at.key("jwks").item("keys", index), problem, hint);
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

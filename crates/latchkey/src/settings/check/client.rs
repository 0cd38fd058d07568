//! The rules over a tenant's clients: how they prove who they are, what they may ask for, and that no client's id can
//! be taken for an audience or an issuer.

use std::collections::HashMap;

use super::{
    super::{
        client::{AuthMethod, GrantType, Jwk},
        declared::{DeclaredAdmin, DeclaredClient, DeclaredTenant, SecretText},
        findings::{Findings, Location},
        scalar::{Lifetime, cropped},
    },
    text::{
        LONGEST_ID, LONGEST_SECRET, LONGEST_URI, check_distinct, check_name, check_scope, is_absolute_uri,
        is_our_argon2id, is_scope_token, unfit,
    },
};

/// Secrets that stand in public documents, and so are none.
const SAMPLE_SECRETS: [&str; 4] =
    ["your-client-secret", "acme-sample-secret", "YOUR_CLIENT_SECRET", "gX1fBat3bV"];
const NO_SUCH_HASH: &str = "an imported hash must be argon2id with the parameters of this server";
const IMPORTABLE: &str = "import `$argon2id$v=19$m=19456,t=2,p=1$…`; other formats, ours included, hold in the store they come from only";

/// Every client of a tenant.
pub(crate) fn check(tenant: &DeclaredTenant, at: &Location, findings: &mut Findings) {
    let taken = names_taken(tenant);
    for (id, client) in &tenant.clients {
        let at = at.key("clients").key(id);
        check_name(findings, at.clone(), true, "the client id", id);
        if let Some(what) = taken.get(id.as_str()) {
            // A token whose `aud` defaults to the client's id would be taken for a token to that audience.
            let problem = format!("the client id is {what} of this tenant, too");
            findings.key_error(at.clone(), problem, "choose another id for the client");
        }
        check_imported(client, &at, findings);
        check_method(client, &at, findings);
        check_reach(client, &at, findings);
        if let Some(why) = unfit(&client.name, LONGEST_ID) {
            findings.error(at.key("name"), format!("the name {why}"), "write a name that people can read");
        }
        if client.access_token_lifetime.is_some_and(|lifetime| lifetime < Lifetime::from_secs(1)) {
            let at = at.key("access_token_lifetime");
            findings.error(at, "a token must be valid for at least 1s", "write 1s or more");
        }
        let issuer = client.token_issuer.as_ref();
        if issuer.is_some_and(|issuer| *issuer != tenant.issuer && !tenant.issuer_aliases.contains(issuer)) {
            let problem = "this is neither the tenant's issuer nor one of its aliases";
            let mend = "add it to the tenant's `issuer_aliases`, or leave it out";
            findings.error(at.key("token").key("issuer"), problem, mend);
        }
    }
}

/// One secret or password, wherever it was found.
pub(crate) fn check_secret(secret: &SecretText, at: &Location, findings: &mut Findings) {
    match secret {
        SecretText::Value(value) => {
            if let Some(why) = unfit(value.expose(), LONGEST_SECRET) {
                let mend = "any UTF-8 without control characters will do, up to 1024 bytes";
                findings.error(at.clone(), format!("the secret {why}"), mend);
            }
            if SAMPLE_SECRETS.contains(&value.expose()) {
                let problem = "this is a sample secret that everyone knows, while a listener is beyond loopback";
                let mend = "choose another secret, or listen on 127.0.0.1 only";
                findings.exposed(at.clone(), problem, mend);
            }
        }
        SecretText::Hash(hash) if !is_our_argon2id(hash.expose()) => {
            findings.error(at.key("hash"), NO_SUCH_HASH, IMPORTABLE);
        }
        SecretText::Hash(_) => {}
    }
}

/// The users that may sign in at `/flow/execute`.
pub(crate) fn check_admins(admins: &[DeclaredAdmin], at: &Location, findings: &mut Findings) {
    for admin in admins {
        let at = at.key("users").key(&admin.name);
        if let Some(why) = unfit(&admin.name, LONGEST_ID) {
            findings.key_error(at.clone(), format!("the user name {why}"), "choose another name");
        }
        check_distinct(findings, &at, "permissions", &admin.permissions);
        for (index, permission) in admin.permissions.iter().enumerate() {
            if !is_scope_token(permission) {
                let problem = "this is not a permission";
                findings.error(at.item("permissions", index), problem, "write a scope, such as system");
            }
        }
    }
}

fn names_taken(tenant: &DeclaredTenant) -> HashMap<&str, &'static str> {
    let mut taken = HashMap::new();
    for client in tenant.clients.values() {
        taken.extend(client.resources.iter().map(|name| (name.as_str(), "a resource")));
        taken.extend(client.audiences.iter().map(|name| (name.as_str(), "an audience")));
    }
    taken.extend(tenant.resource_servers.keys().map(|name| (name.as_str(), "a resource server")));
    taken.extend(tenant.issuer_aliases.iter().map(|name| (name.as_str(), "an issuer alias")));
    taken.insert(&tenant.issuer, "the issuer");
    taken
}

fn check_imported(client: &DeclaredClient, at: &Location, findings: &mut Findings) {
    // A generated secret is recognised by its form and compared by HMAC; it is not a chosen one.
    let chosen = client.secrets.iter().filter(|secret| match &secret.secret {
        SecretText::Value(value) => !value.expose().starts_with("lk_"),
        SecretText::Hash(_) => true,
    });
    let imported = client.secrets.iter().any(|secret| matches!(secret.secret, SecretText::Hash(_)));
    if imported && chosen.count() > 1 {
        let problem = "an imported hash has a salt of its own, so it must be the client's only chosen secret";
        let mend = "leave the others out, or give all of them as `env`, `file` or `value`";
        findings.error(at.key("client_secrets"), problem, mend);
    }
}

fn check_method(client: &DeclaredClient, at: &Location, findings: &mut Findings) {
    let has_keys = client.jwks.is_some() || client.jwks_uri.is_some();
    let method = at.key("token_endpoint_auth_method");
    let give_secret = "give `client_secret: { env: NAME }`, or `file`, `hash` or `value` in place of `env`";
    match client.token_endpoint_auth_method {
        AuthMethod::Any if client.secrets.is_empty() && !has_keys => {
            let problem = "the client has nothing to prove who it is";
            findings.key_error(at.clone(), problem, format!("{give_secret}; a public client says `token_endpoint_auth_method: none`"));
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
        if let Some((problem, mend)) = unusable(key) {
            findings.error(at.key("jwks").item("keys", index), problem, mend);
        }
    }
}

fn unusable(key: &Jwk) -> Option<(&'static str, &'static str)> {
    if key.d.is_some() || key.k.is_some() {
        return Some(("this key is secret, and a client keeps its secret key to itself", "give its public key"));
    }
    let complete = match key.kty.as_str() {
        "RSA" => key.n.is_some() && key.e.is_some(),
        "EC" => key.crv.is_some() && key.x.is_some() && key.y.is_some(),
        "OKP" => key.crv.is_some() && key.x.is_some(),
        _ => return Some(("this type of key is not known", "give a key whose `kty` is RSA, EC or OKP")),
    };
    (!complete).then_some(("this key lacks members of its type (RFC 7518 §6)", "give `n` and `e`, or `crv`, `x` and `y`"))
}

fn check_reach(client: &DeclaredClient, at: &Location, findings: &mut Findings) {
    for (index, scope) in client.scopes.iter().enumerate() {
        check_scope(findings, at.item("scopes", index), scope);
    }
    for (index, audience) in client.audiences.iter().enumerate() {
        check_name(findings, at.item("audiences", index), false, "the audience", audience);
    }
    for (index, resource) in client.resources.iter().enumerate() {
        let at = at.item("resources", index);
        if resource.len() > LONGEST_URI || !is_absolute_uri(resource) {
            let problem = format!("`{}` is not an absolute URI without a fragment (RFC 8707 §2)", cropped(resource));
            findings.error(at, problem, "write it with its scheme, such as https://api.example.com");
        } else {
            check_name(findings, at, false, "the resource", resource);
        }
    }
    for (index, uri) in client.redirect_uris.iter().enumerate() {
        if !is_absolute_uri(uri) {
            let problem = "this is not an absolute URI without a fragment (RFC 6749 §3.1.2)";
            findings.error(at.item("redirect_uris", index), problem, "write it with its scheme");
        }
    }
    check_distinct(findings, at, "grant_types", &client.grant_types);
    for (key, items) in [
        ("scopes", &client.scopes),
        ("audiences", &client.audiences),
        ("resources", &client.resources),
        ("redirect_uris", &client.redirect_uris),
    ] {
        check_distinct(findings, at, key, items);
    }
}

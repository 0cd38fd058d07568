//! The rules over tenants: their ids, their issuers, which must be unique over all of them, their keys and scopes.

use std::collections::HashMap;

use tenancy::{Issuer, TenantId};

use crate::settings_to_declaration::algorithm;

use super::{
    super::{
        findings::{Findings, Location},
        resolved::{ResolvedSigning, ResolvedTenant},
        scalar::{Lifetime, PublicUrl},
    },
    text::{LONGEST_ID, check_distinct, check_name, check_scope, is_issuer_url, unfit},
};

const SECOND: Lifetime = Lifetime::from_secs(1);

/// Tenant ids are `[a-z0-9][a-z0-9-]{0,62}`.
pub(crate) fn is_tenant_id(text: &str) -> bool {
    TenantId::parse(text).is_ok()
}

/// What is wrong with an id, whichever file names it.
pub(crate) fn check_id(findings: &mut Findings, at: Location, id: &str) {
    if id == TenantId::PLATFORM {
        let problem = "`platform` is the tenant of platform administrators";
        findings.key_error(at, problem, "choose another id; `latchkey admin init` makes this one");
    } else if !is_tenant_id(id) {
        let hint = "write 1 to 63 of a-z, 0-9 and -, beginning with a letter or digit";
        findings.key_error(at, "this is not a tenant id", hint);
    }
}

/// One tenant by itself. `l1_lifetime` is for how long a replica may go on serving a key set from its own memory: published keys must
/// be older than that, too.
pub(crate) fn check(tenant: &ResolvedTenant, l1_lifetime: Lifetime, at: &Location, findings: &mut Findings) {
    if let Some(why) = unfit(&tenant.name, LONGEST_ID) {
        findings.error(at.key("name"), format!("the name {why}"), "write a name that people can read");
    }
    if !is_issuer_url(&tenant.issuer) {
        let hint = "write an http or https URL without query and fragment, such as https://auth.example.com";
        findings.error(at.key("issuer"), "this cannot be an issuer (RFC 8414 §2)", hint);
    }
    check_signing(&tenant.signing, l1_lifetime, &at.key("signing"), findings);
    let access_token = at.key("access_token");
    if tenant.access_token.lifetime < SECOND {
        let problem = "a token must be valid for at least 1s";
        findings.error(access_token.key("lifetime"), problem, "write 1s or more");
    }
    check_typ(&tenant.access_token.typ, access_token.key("typ"), findings);
    for (name, server) in &tenant.resource_servers {
        let at = at.key("resource_servers").key(name);
        check_name(findings, at.clone(), true, "the audience", name);
        check_distinct(findings, &at, "scopes", &server.scopes);
        check_distinct(findings, &at, "clients", &server.clients);
        for (index, scope) in server.scopes.iter().enumerate() {
            check_scope(findings, at.item("scopes", index), scope);
        }
        for (index, client) in server.clients.iter().enumerate() {
            if !tenant.clients.contains_key(client) {
                let problem = format!("tenant `{}` declares no client of this id", tenant.id);
                let hint = "declare it under `clients`, or leave it out here";
                findings.error(at.item("clients", index), problem, hint);
            }
        }
    }
}

/// Issuers, aliases and derived issuers are unique over all tenants, and a derived one belongs to its id alone.
pub(crate) fn check_issuers(
    tenants: &[(ResolvedTenant, Location)],
    public_url: &PublicUrl,
    findings: &mut Findings,
) {
    let prefix = public_url.tenant_prefix();
    let mut owners: HashMap<&str, &str> = HashMap::new();
    for (tenant, at) in tenants {
        let aliases = tenant.issuer_aliases.iter().enumerate();
        let aliases = aliases.map(|(index, alias)| (at.item("issuer_aliases", index), alias.as_str()));
        for (at, issuer) in std::iter::once((at.key("issuer"), tenant.issuer.as_str())).chain(aliases) {
            if Issuer::parse(issuer).is_err() {
                let hint = "write 1 to 255 printable ASCII characters without blanks, quotes and backslashes";
                findings.error(at.clone(), "this cannot be an issuer", hint);
            } else {
                check_name(findings, at.clone(), false, "the issuer", issuer);
            }
            if let Some(owner) = owners.insert(issuer, &tenant.id) {
                let problem = if owner == tenant.id {
                    "this tenant has the same issuer or alias already".to_owned()
                } else {
                    format!("tenant `{owner}` has the same issuer or alias")
                };
                findings.error(at.clone(), problem, "give every tenant issuers of its own");
            }
            let belongs_to = issuer.strip_prefix(&prefix).map(|rest| rest.split('/').next().unwrap_or(rest));
            if let Some(id) = belongs_to.filter(|_| issuer != format!("{prefix}{}", tenant.id)) {
                let problem =
                    format!("an issuer under {prefix} belongs to the tenant of that id, here `{id}`");
                let hint = format!("write {prefix}{}, leave it out, or choose another issuer", tenant.id);
                findings.error(at, problem, hint);
            }
        }
    }
}

fn check_signing(signing: &ResolvedSigning, l1_lifetime: Lifetime, at: &Location, findings: &mut Findings) {
    if let Some(pem) = &signing.first_key
        && let Err(error) = keys::import(pem, algorithm(signing.algorithm))
    {
        let hint =
            "give a private key that fits `algorithm`: PEM (PKCS#8; PKCS#1 for RSA, SEC1 for EC) or a JWK";
        findings.error(at.key("first_key"), error.to_string(), hint);
    }
    let spans = [
        ("rotate_every", Some(signing.rotate_every)),
        ("publish_before", Some(signing.publish_before)),
        ("hold_activation", signing.hold_activation),
    ];
    for (key, lifetime) in spans {
        if lifetime.is_some_and(|lifetime| lifetime < SECOND) {
            findings.error(at.key(key), "this must be at least 1s", "write a longer span of time");
        }
    }
    if !matches!(signing.rsa_bits, 2048 | 3072 | 4096) {
        findings.error(
            at.key("rsa_bits"),
            "RSA keys are not made in this length",
            "write 2048, 3072 or 4096",
        );
    }
    let known_everywhere = [signing.jwks_max_age, signing.jwks_stale, l1_lifetime, signing.skew];
    let least = Lifetime::from_secs(known_everywhere.iter().map(|lifetime| lifetime.as_secs()).sum());
    if signing.publish_before < least {
        let problem = format!(
            "a key would sign before every verifier knows it: {} is less than jwks_max_age {} + jwks_stale {} + cache.l1_lifetime {l1_lifetime} + skew {}",
            signing.publish_before, signing.jwks_max_age, signing.jwks_stale, signing.skew
        );
        findings.error(
            at.key("publish_before"),
            problem,
            format!("write {least} or more, or shorten the others"),
        );
    }
    if signing.rotate_every <= signing.publish_before {
        let problem = format!(
            "keys would be published {} ahead but sign for {} only",
            signing.publish_before, signing.rotate_every
        );
        findings.error(at.key("rotate_every"), problem, "write a span longer than publish_before");
    }
}

fn check_typ(typ: &str, at: Location, findings: &mut Findings) {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+/".contains(&byte);
    if typ.is_empty() || typ.len() > LONGEST_ID || !typ.bytes().all(token) {
        findings.error(at, "this is not a media type", "write at+jwt (RFC 9068) or JWT");
    } else if typ.to_ascii_lowercase().trim_start_matches("application/").starts_with("latchkey-") {
        let problem = "a `typ` that begins `latchkey-` marks the platform's own tokens";
        findings.error(at, problem, "write at+jwt (RFC 9068) or JWT");
    }
}

//! The rules over a tenant's fields by themselves: from what a door was sent to a tenant without its clients.

use tenancy::{
    AccessTokenPolicy, Issuer, ResourceServer, Strategies, Tenant, TenantId, TenantStatus, TokenFormat,
};

use super::signing_fields;
use super::text::{FieldErrors, LONGEST_ID, LONGEST_URI, is_issuer_url, member};
use crate::{AccessTokenSettings, EditPolicy, ResourceServerSettings, TenantSettings};

/// The tenant, active and without a past, of no use where faults were found.
pub(super) fn read(
    errors: &mut FieldErrors,
    policy: &EditPolicy,
    id: &TenantId,
    settings: &TenantSettings,
) -> Tenant {
    let public_url = policy.public_url.as_str();
    let TenantSettings {
        name,
        issuer,
        issuer_aliases: _,
        strategies,
        stale_if_error,
        signing,
        access_token,
        resource_servers,
    } = settings;
    let name = name.clone().unwrap_or_else(|| id.to_string());
    errors.check_title("/name", &name);
    if id.as_str() == TenantId::PLATFORM && !strategies.oauth2.enabled {
        errors.add("/strategies/oauth2/enabled", "without it no administrator of the platform gets a token");
    }
    let derived = Issuer::derived(public_url, id);
    Tenant {
        id: id.clone(),
        name,
        issuer: read_issuer(errors, issuer.as_deref(), &derived, public_url),
        issuer_aliases: read_aliases(errors, settings, &derived, public_url),
        status: TenantStatus::Active,
        strategies: Strategies { oauth2: strategies.oauth2.enabled, oidc: strategies.oidc.enabled },
        stale_if_error: errors.span("/stale_if_error", *stale_if_error, 0),
        signing: signing_fields::read(errors, signing, policy.l1_lifetime),
        access_token: read_access_token(errors, access_token),
        resource_servers: resource_servers
            .iter()
            .map(|(audience, server)| read_resource_server(errors, audience, server))
            .collect(),
    }
}

fn read_issuer(errors: &mut FieldErrors, issuer: Option<&str>, derived: &Issuer, public_url: &str) -> Issuer {
    let Some(issuer) = issuer else { return derived.clone() };
    if !is_issuer_url(issuer) {
        errors.add("/issuer", "an issuer is an http or https URL without query and fragment (RFC 8414)");
        return derived.clone();
    }
    read_iss(errors, "/issuer", issuer, derived, public_url).unwrap_or_else(|| derived.clone())
}

fn read_aliases(
    errors: &mut FieldErrors,
    settings: &TenantSettings,
    derived: &Issuer,
    public_url: &str,
) -> Vec<Issuer> {
    let aliases = &settings.issuer_aliases;
    errors.check_distinct("/issuer_aliases", aliases);
    let mut read = Vec::with_capacity(aliases.len());
    for (index, alias) in aliases.iter().enumerate() {
        let at = format!("/issuer_aliases/{index}");
        if alias == settings.issuer.as_deref().unwrap_or(derived.as_str()) {
            errors.add(&at, "this is the tenant's issuer already");
        }
        read.extend(read_iss(errors, &at, alias, derived, public_url));
    }
    read
}

/// Any value of `iss`. One under the path of the tenants belongs to the tenant of that id alone.
fn read_iss(
    errors: &mut FieldErrors,
    at: &str,
    text: &str,
    derived: &Issuer,
    public_url: &str,
) -> Option<Issuer> {
    let prefix = format!("{}/api/v1/tenant/", public_url.trim_end_matches('/'));
    if text.starts_with(&prefix) && text != derived.as_str() {
        errors.add(at, format!("an issuer under {prefix} belongs to the tenant of that id; write {derived}"));
    }
    errors.check_name(at, "the issuer", text, LONGEST_URI);
    match Issuer::parse(text) {
        Ok(issuer) => Some(issuer),
        Err(error) => {
            errors.add(at, error.to_string());
            None
        }
    }
}

fn read_access_token(errors: &mut FieldErrors, settings: &AccessTokenSettings) -> AccessTokenPolicy {
    let AccessTokenSettings { lifetime, format, typ } = settings;
    if format != TokenFormat::Jwt.as_str() {
        let opaque = format == TokenFormat::Opaque.as_str();
        errors.add(
            "/access_token/format",
            if opaque { "opaque tokens are not served yet; write jwt" } else { "write jwt" },
        );
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+/".contains(&byte);
    let bare = typ.to_ascii_lowercase();
    if typ.is_empty() || typ.len() > LONGEST_ID || !typ.bytes().all(allowed) {
        errors.add("/access_token/typ", "this is not a media type; write at+jwt (RFC 9068) or JWT");
    } else if bare.trim_start_matches("application/").starts_with("latchkey-") {
        errors.add("/access_token/typ", "a `typ` that begins `latchkey-` marks the platform's own tokens");
    }
    AccessTokenPolicy {
        lifetime: errors.span("/access_token/lifetime", *lifetime, 1),
        format: TokenFormat::Jwt,
        typ: typ.clone(),
        previous_typs: Vec::new(),
    }
}

fn read_resource_server(
    errors: &mut FieldErrors,
    audience: &str,
    settings: &ResourceServerSettings,
) -> ResourceServer {
    let at = member("/resource_servers", audience);
    errors.check_name(&at, "the audience", audience, LONGEST_ID);
    let at_scopes = format!("{at}/scopes");
    let scopes = errors.scopes(&at_scopes, &settings.scopes);
    for (index, scope) in settings.scopes.iter().enumerate() {
        if scope.starts_with(protocol::ScopeToken::RESERVED_PREFIX) {
            errors.add(
                &format!("{at_scopes}/{index}"),
                "this scope says who may administer, and belongs to no resource server",
            );
        }
    }
    errors.check_distinct(&format!("{at}/clients"), &settings.clients);
    ResourceServer {
        audience: audience.to_owned(),
        scopes: scopes.into_iter().collect(),
        introspection_clients: settings.clients.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::test_states::policy;
    use super::*;

    fn check(id: &str, settings: Value, expected: &[&str]) -> Tenant {
        let described = settings.to_string();
        let mut errors = FieldErrors::default();
        let settings = TenantSettings::read(settings).unwrap();
        let policy = EditPolicy { public_url: "https://id.example.com/".to_owned(), ..policy() };
        let tenant = read(&mut errors, &policy, &TenantId::parse(id).unwrap(), &settings);
        let found: Vec<_> = errors.into_vec().into_iter().map(|error| error.pointer).collect();
        assert_eq!(found, expected, "{described}");
        tenant
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let tenant = check("acme", json!({}), &[]);
        assert_eq!(tenant.issuer.as_str(), "https://id.example.com/api/v1/tenant/acme");
        assert_eq!((tenant.name.as_str(), tenant.strategies.oauth2), ("acme", true));
        assert_eq!(TenantSettings::from(&tenant).signing, crate::SigningSettings::default());
    }

    #[test]
    fn each_field_has_its_rule() {
        let under = "https://id.example.com/api/v1/tenant/";
        for (settings, expected) in [
            (json!({ "name": "" }), "/name"),
            (json!({ "issuer": "thunder" }), "/issuer"),
            (json!({ "issuer": "ftp://a.example.com" }), "/issuer"),
            (json!({ "issuer": "https://a.example.com?x" }), "/issuer"),
            (json!({ "issuer": format!("{under}other") }), "/issuer"),
            (json!({ "issuer": format!("{under}acme/") }), "/issuer"),
            (json!({ "issuer_aliases": [format!("{under}other")] }), "/issuer_aliases/0"),
            (json!({ "issuer_aliases": [format!("{under}acme")] }), "/issuer_aliases/0"),
            (json!({ "issuer_aliases": ["a", "a"] }), "/issuer_aliases/1"),
            (json!({ "issuer_aliases": ["a b"] }), "/issuer_aliases/0"),
            (json!({ "issuer_aliases": ["urn:latchkey:admin"] }), "/issuer_aliases/0"),
            (json!({ "stale_if_error": u64::MAX }), "/stale_if_error"),
            (json!({ "access_token": { "lifetime": 0 } }), "/access_token/lifetime"),
            (json!({ "access_token": { "format": "opaque" } }), "/access_token/format"),
            (json!({ "access_token": { "format": "paseto" } }), "/access_token/format"),
            (json!({ "access_token": { "typ": "" } }), "/access_token/typ"),
            (json!({ "access_token": { "typ": "a b" } }), "/access_token/typ"),
            (json!({ "access_token": { "typ": "latchkey-admin+jwt" } }), "/access_token/typ"),
            (json!({ "access_token": { "typ": "Application/Latchkey-x" } }), "/access_token/typ"),
            (json!({ "signing": { "algorithm": "HS256" } }), "/signing/algorithm"),
            (json!({ "signing": { "publish_before": 429 } }), "/signing/publish_before"),
            (json!({ "signing": { "skew": 86_400 } }), "/signing/publish_before"),
            (json!({ "signing": { "rotate_every": 86_400 } }), "/signing/rotate_every"),
            (json!({ "resource_servers": { "urn:latchkey:x": {} } }), "/resource_servers/urn:latchkey:x"),
            (
                json!({ "resource_servers": { "a/b": { "scopes": ["x y"] } } }),
                "/resource_servers/a~1b/scopes/0",
            ),
            (
                json!({ "resource_servers": { "a": { "scopes": ["latchkey:keys"] } } }),
                "/resource_servers/a/scopes/0",
            ),
            (
                json!({ "resource_servers": { "a": { "clients": ["c", "c"] } } }),
                "/resource_servers/a/clients/1",
            ),
        ] {
            check("acme", settings, &[expected]);
        }
        for settings in [
            json!({ "issuer": format!("{under}acme"), "issuer_aliases": ["thunder", "https://b.example.com"] }),
            json!({ "issuer": "https://a.example.com", "issuer_aliases": [format!("{under}acme")] }),
            json!({ "signing": { "publish_before": 430, "rotate_every": 431 }, "stale_if_error": 0 }),
            json!({ "strategies": { "oauth2": { "enabled": false } } }),
        ] {
            check("acme", settings, &[]);
        }
        let off = json!({ "strategies": { "oauth2": { "enabled": false } } });
        check("platform", off, &["/strategies/oauth2/enabled"]);
    }
}

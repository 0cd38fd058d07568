//! The rules for a tenant without regard to its clients.

use std::collections::{BTreeMap, BTreeSet};

use protocol::{Scope, SubjectType};
use registry::count_certificates;
use tenancy::{
    AccessTokenPolicy, AssertionPolicy, Branding, Issuer, LeakAction, LeakPolicy, PasswordLimits,
    ResourceServer, Tenant, TenantId, TenantLimits, TenantStatus, TokenFormat, UserinfoTokens,
};
use values::Lifetime;

use super::federation::check_trusted_issuers;
use super::static_claims::{AUTHORIZATION_CLAIMS, check_static_claims};
use super::text::{LONGEST_ID, LONGEST_URI, is_issuer_url, member};
use super::{FieldErrors, branding, groups, refresh_token, sign_in, signing};
use crate::documents;
use crate::documents::{ResourceScopes, TenantSettings};
use crate::kinds;

/// The facts that the rules for a tenant need in addition to its document.
#[derive(Clone, Copy, Debug)]
pub struct TenantContext<'a> {
    /// The issuers of tenants are derived from this URL.
    pub public_url: &'a str,
    /// How long a replica may serve rows from its own memory.
    pub l1_lifetime: Lifetime,
    /// The current look of the tenant's pages, if the tenant exists. A document names existing logos by their
    /// digests.
    pub branding: Option<&'a Branding>,
}

/// Returns the tenant, active and without previous values. If there are errors, it must not be used.
pub fn check_tenant(
    errors: &mut FieldErrors,
    context: TenantContext<'_>,
    id: &TenantId,
    settings: &TenantSettings,
) -> Tenant {
    let name = settings.name.clone().unwrap_or_else(|| id.to_string());
    errors.check_title("/name", &name);
    let strategies = settings.strategies.resolved(errors.interface());
    if id.as_str() == TenantId::PLATFORM && !strategies.oauth2 {
        errors.add(
            "/strategies/oauth2/enabled",
            "without this, administrators of the platform cannot get tokens",
        );
    }
    let (issuer, issuer_aliases) = check_issuers(errors, context.public_url, id, settings);
    groups::check_declared(errors, settings.groups.as_ref());
    Tenant {
        id: id.clone(),
        name,
        issuer,
        issuer_aliases,
        status: TenantStatus::Active,
        strategies,
        stale_if_error: settings.stale_if_error,
        signing: signing::check(errors, &settings.signing, context),
        access_token: check_access_token(errors, &settings.access_token),
        assertions: check_assertions(errors, &settings.assertions),
        trusted_issuers: check_trusted_issuers(errors, &settings.trusted_issuers),
        client_ca: settings.client_ca.as_ref().and_then(|settings| check_client_ca(errors, settings)),
        api_keys: settings.api_keys.as_ref().map(|settings| kinds::api_key::check_policy(errors, settings)),
        leaks: check_leaks(errors, &settings.leaks),
        refresh_token: refresh_token::check(errors, &settings.refresh_token),
        sign_in: sign_in::check(errors, &settings.sign_in),
        subject: errors.check_one_of("/subject", &settings.subject, &SubjectType::NAMED).unwrap_or_default(),
        userinfo: errors
            .check_one_of("/userinfo", &settings.userinfo, &UserinfoTokens::NAMED)
            .unwrap_or_default(),
        groups: settings.groups.clone(),
        branding: branding::check(errors, &settings.branding, context.branding),
        resource_servers: settings
            .resource_servers
            .iter()
            .map(|(audience, server)| check_resource_server(errors, audience, server))
            .collect(),
        limits: check_limits(errors, id, settings.limits),
        restored_at: None,
        is_unreadable: false,
    }
}

/// A client that may introspect must exist. A client that was named before may be deleted in the meantime.
pub fn check_introspection_clients(
    errors: &mut FieldErrors,
    before: Option<&Tenant>,
    after: &Tenant,
    is_client: impl Fn(&str) -> bool,
) {
    for server in &after.resource_servers {
        let before = before.and_then(|before| before.resource_server(&server.audience));
        let was_named =
            |client: &String| before.is_some_and(|before| before.introspection_clients.contains(client));
        for (index, client) in server.introspection_clients.iter().enumerate() {
            if !was_named(client) && !is_client(client) {
                let at = format!("{}/clients/{index}", member("/resource_servers", &server.audience));
                let detail = format!("tenant `{}` has no client with this id", after.id);
                errors.refuse(&at, detail, "declare the client, or remove the id here");
            }
        }
    }
}

fn check_issuers(
    errors: &mut FieldErrors,
    public_url: &str,
    id: &TenantId,
    settings: &TenantSettings,
) -> (Issuer, Vec<Issuer>) {
    let derived = Issuer::derived(public_url, id);
    let issuer = settings.issuer.as_deref().unwrap_or(derived.as_str());
    if !is_issuer_url(issuer) {
        let hint = "use an http or https URL without query and fragment, such as https://auth.example.com";
        errors.refuse("/issuer", "this is not a valid issuer (RFC 8414 §2)", hint);
    }
    let mut seen = BTreeSet::from([issuer]);
    let mut aliases = Vec::with_capacity(settings.issuer_aliases.len());
    for (index, alias) in settings.issuer_aliases.iter().enumerate() {
        let at = format!("/issuer_aliases/{index}");
        if !seen.insert(alias) {
            let detail = "this tenant already has the same issuer or alias";
            errors.refuse(&at, detail, "remove one of the two");
        }
        aliases.extend(check_iss(errors, &at, alias, &derived, public_url));
    }
    let issuer =
        if is_issuer_url(issuer) { check_iss(errors, "/issuer", issuer, &derived, public_url) } else { None };
    (issuer.unwrap_or(derived), aliases)
}

/// Checks a value of `iss`. A value below the path of the tenants is reserved for the tenant with that id.
fn check_iss(
    errors: &mut FieldErrors,
    at: &str,
    text: &str,
    derived: &Issuer,
    public_url: &str,
) -> Option<Issuer> {
    let prefix = format!("{}/api/v1/tenant/", public_url.trim_end_matches('/'));
    if let Some(rest) = text.strip_prefix(&prefix)
        && text != derived.as_str()
    {
        let id = rest.split('/').next().unwrap_or(rest);
        let detail =
            format!("an issuer under {prefix} belongs to the tenant with that id, but this tenant is `{id}`");
        errors.refuse(at, detail, format!("use {derived}, remove it, or choose another issuer"));
    }
    match Issuer::parse(text) {
        Ok(issuer) => {
            errors.check_name(at, "the issuer", text, LONGEST_URI);
            Some(issuer)
        }
        Err(_) => {
            let hint = "use 1 to 255 printable ASCII characters without blanks, quotes and backslashes";
            errors.refuse(at, "this is not a valid issuer", hint);
            None
        }
    }
}

fn check_access_token(
    errors: &mut FieldErrors,
    settings: &documents::AccessTokenSettings,
) -> AccessTokenPolicy {
    const HINT: &str = "use at+jwt (RFC 9068) or JWT";
    let documents::AccessTokenSettings {
        lifetime,
        format,
        reuse,
        typ,
        require_sender_constraint,
        require_dpop_nonce,
        claims,
        claims_allow,
    } = settings;
    let allowed_claims = AUTHORIZATION_CLAIMS.map(|name| (name, name));
    errors.check_distinct("/access_token/claims_allow", claims_allow);
    for (index, name) in claims_allow.iter().enumerate() {
        errors.check_one_of(&format!("/access_token/claims_allow/{index}"), name, &allowed_claims);
    }
    errors.check_token_lifetime("/access_token/lifetime", *lifetime);
    let format = errors.check_one_of("/access_token/format", format, &TokenFormat::NAMED);
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+/".contains(&byte);
    let bare = typ.to_ascii_lowercase();
    if typ.is_empty() || typ.len() > LONGEST_ID || !typ.bytes().all(allowed) {
        errors.refuse("/access_token/typ", "this is not a valid media type", HINT);
    } else if bare.trim_start_matches("application/").starts_with("latchkey-") {
        let detail = "a `typ` that begins with `latchkey-` is reserved for the platform's own tokens";
        errors.refuse("/access_token/typ", detail, HINT);
    }
    AccessTokenPolicy {
        lifetime: *lifetime,
        format: format.unwrap_or(TokenFormat::Jwt),
        reuse: errors.check_reuse(reuse).unwrap_or_default(),
        typ: typ.clone(),
        require_sender_constraint: *require_sender_constraint,
        require_dpop_nonce: *require_dpop_nonce,
        claims: check_static_claims(errors, "/access_token/claims", claims),
        claims_allow: claims_allow.clone(),
        previous_typs: Vec::new(),
    }
}

fn check_assertions(errors: &mut FieldErrors, settings: &documents::AssertionSettings) -> AssertionPolicy {
    let documents::AssertionSettings { audience, max_lifetime } = settings;
    let audiences = [("any", false), ("issuer", true)];
    let issuer_only = errors.check_one_of("/assertions/audience", audience, &audiences).unwrap_or(true);
    let longest = AssertionPolicy::LONGEST;
    if !(1..=longest.seconds()).contains(&max_lifetime.seconds()) {
        let detail = "an assertion can be accepted for 1 s to one hour";
        errors.refuse("/assertions/max_lifetime", detail, "use a duration in this range, such as 5m");
    }
    AssertionPolicy { issuer_only, max_lifetime: *max_lifetime }
}

/// Checks certificates in PEM: the authorities at which a certificate chain can end.
fn check_client_ca(errors: &mut FieldErrors, settings: &documents::ClientCaSettings) -> Option<String> {
    const MOST: usize = 10;
    let pem = settings.pem.as_deref().unwrap_or_default();
    match count_certificates(pem) {
        Some(1..=MOST) => return Some(pem.to_owned()),
        Some(0) | None => {
            let hint = "paste them as `openssl x509` prints them, including the first and last lines";
            errors.refuse("/client_ca", "this text contains no valid PEM certificates", hint);
        }
        Some(count) => {
            let detail = format!("there are {count} certificates");
            errors.refuse("/client_ca", detail, format!("list at most {MOST} authorities"));
        }
    }
    None
}

fn check_leaks(
    errors: &mut FieldErrors,
    documents::LeaksSettings { action, grace }: &documents::LeaksSettings,
) -> LeakPolicy {
    if grace.seconds() == 0 {
        errors.refuse(
            "/leaks/grace",
            "this is not a valid duration",
            "use a duration such as 24h, or set action: revoke",
        );
    }
    let action = errors.check_one_of("/leaks/action", action, &LeakAction::NAMED).unwrap_or_default();
    LeakPolicy { action, grace: *grace }
}

fn check_resource_server(
    errors: &mut FieldErrors,
    audience: &str,
    settings: &documents::ResourceServerSettings,
) -> ResourceServer {
    let at = member("/resource_servers", audience);
    errors.check_name(&at, "the audience", audience, LONGEST_ID);
    let (scopes, scope_descriptions) = check_scopes(errors, &format!("{at}/scopes"), &settings.scopes);
    errors.check_distinct(&format!("{at}/clients"), &settings.clients);
    ResourceServer {
        audience: audience.to_owned(),
        scopes,
        scope_descriptions,
        introspection_clients: settings.clients.clone(),
        token_format: errors.check_format(&at, settings.access_token.format.as_deref()),
    }
}

/// Checks the scopes of a resource server and their descriptions.
fn check_scopes(
    errors: &mut FieldErrors,
    at: &str,
    scopes: &ResourceScopes,
) -> (Scope, BTreeMap<String, String>) {
    let mut descriptions = BTreeMap::new();
    let tokens = match scopes {
        ResourceScopes::Listed(names) => {
            for (index, name) in names.iter().enumerate() {
                errors.refuse_reserved_scope(&format!("{at}/{index}"), name);
            }
            errors.check_scopes(at, names)
        }
        ResourceScopes::Described(described) => {
            let faults = described.iter().filter_map(|(name, text)| {
                let (at, text) = (member(at, name), text.trim());
                errors.refuse_reserved_scope(&at, name);
                if !text.is_empty() {
                    errors.check_description(&at, text, documents::schema::LONGEST_SCOPE_DESCRIPTION);
                    descriptions.insert(name.clone(), text.to_owned());
                }
                errors.check_scope(&at, name)
            });
            faults.collect()
        }
    };
    (tokens.into_iter().collect(), descriptions)
}

fn check_limits(
    errors: &mut FieldErrors,
    id: &TenantId,
    settings: documents::LimitsSettings,
) -> TenantLimits {
    let documents::LimitsSettings { failed_attempts, clients, admin_writes, live_secrets, api_keys, sign_in } =
        settings;
    let documents::SignInLimitsSettings { account, known_browser, source } = sign_in;
    let sign_in = PasswordLimits { account, known_browser, source };
    for name in sign_in.excessive() {
        let detail = format!("at most {}", PasswordLimits::GREATEST);
        errors.refuse(&format!("/limits/sign_in/{name}"), &detail, "use a number from 1 to 100");
    }
    if id.as_str() == TenantId::PLATFORM && admin_writes.is_some() {
        let detail = "limits.platform_writes limits the writes of platform administrators";
        errors.refuse("/limits/admin_writes", detail, "set limits.platform_writes in config.yaml");
    }
    TenantLimits { failed_attempts, clients, admin_writes, live_secrets, api_keys, sign_in }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tenancy::{KidForm, SigningPolicy};

    use super::*;
    use crate::edit::test_states::pointers;

    const CONTEXT: TenantContext<'_> = TenantContext {
        public_url: "https://id.example.com/",
        l1_lifetime: Lifetime::from_seconds(10),
        branding: None,
    };

    fn check(id: &str, settings: Value, expected: &[&str]) -> Tenant {
        let described = settings.to_string();
        let mut errors = FieldErrors::default();
        let settings = TenantSettings::read(settings).unwrap();
        let tenant = check_tenant(&mut errors, CONTEXT, &TenantId::parse(id).unwrap(), &settings);
        assert_eq!(pointers(errors.into_vec()), expected, "{described}");
        tenant
    }

    #[test]
    fn missing_members_have_defaults() {
        let tenant = check("acme", json!({}), &[]);
        assert_eq!(tenant.issuer.as_str(), "https://id.example.com/api/v1/tenant/acme");
        assert_eq!((tenant.name.as_str(), tenant.strategies.oauth2), ("acme", true));
        let kid = KidForm::Thumbprint;
        assert_eq!(tenant.signing, SigningPolicy { kid, ..SigningPolicy::default() });
    }

    #[test]
    fn keys_are_numbered_on_loopback_or_on_request() {
        let (id, numbered) = (TenantId::parse("acme").unwrap(), json!({ "signing": { "kid": "numbered" } }));
        for (public_url, by_default) in [
            ("http://127.0.0.1:3000/", KidForm::Numbered),
            ("http://[::1]:3000/", KidForm::Numbered),
            ("https://localhost/", KidForm::Numbered),
            ("http://id.localhost:3000/", KidForm::Numbered),
            ("https://localhost.example.com/", KidForm::Thumbprint),
            ("http://10.0.0.1:3000/", KidForm::Thumbprint),
        ] {
            for (settings, expected) in [(&numbered, KidForm::Numbered), (&json!({}), by_default)] {
                let context = TenantContext { public_url, ..CONTEXT };
                let settings = TenantSettings::read(settings.clone()).unwrap();
                let tenant = check_tenant(&mut FieldErrors::default(), context, &id, &settings);
                assert_eq!(tenant.signing.kid, expected, "{public_url}");
            }
        }
        check("acme", json!({ "signing": { "kid": "uuid" } }), &["/signing/kid"]);
    }

    #[test]
    fn every_field_is_validated() {
        let under = "https://id.example.com/api/v1/tenant/";
        let server = |audience: &str, settings: Value| json!({ "resource_servers": { audience: settings } });
        let scopes = |scopes: Value| server("a", json!({ "scopes": scopes }));
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
            (json!({ "access_token": { "lifetime": 0 } }), "/access_token/lifetime"),
            (json!({ "access_token": { "reuse": "51%" } }), "/access_token/reuse"),
            (
                json!({ "resource_servers": { "a": { "access_token": { "format": "x" } } } }),
                "/resource_servers/a/access_token/format",
            ),
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
            (server("a/b", json!({ "scopes": ["x y"] })), "/resource_servers/a~1b/scopes/0"),
            (scopes(json!(["latchkey:keys"])), "/resource_servers/a/scopes/0"),
            (scopes(json!({ "x y": "" })), "/resource_servers/a/scopes/x y"),
            (scopes(json!({ "x/y": "a\nb" })), "/resource_servers/a/scopes/x~1y"),
            (scopes(json!({ "x": "ä".repeat(201) })), "/resource_servers/a/scopes/x"),
            (scopes(json!({ "latchkey:keys": "Keys" })), "/resource_servers/a/scopes/latchkey:keys"),
            (server("a", json!({ "clients": ["c", "c"] })), "/resource_servers/a/clients/1"),
            (json!({ "groups": ["a", "a"] }), "/groups/1"),
            (json!({ "groups": ["a", "b\n"] }), "/groups/1"),
            (json!({ "groups": ["a", "Latchkey:b"] }), "/groups/1"),
            (json!({ "groups": (0..=1_000).map(|nth| nth.to_string()).collect::<Vec<_>>() }), "/groups"),
        ] {
            check("acme", settings, &[expected]);
        }
        for settings in [
            json!({ "issuer": format!("{under}acme"), "issuer_aliases": ["thunder", "https://b.example.com"] }),
            json!({ "issuer": "https://a.example.com", "issuer_aliases": [format!("{under}acme")] }),
            json!({ "signing": { "publish_before": 430, "rotate_every": 431 }, "stale_if_error": 0 }),
            json!({ "strategies": { "oauth2": { "enabled": false } } }),
            scopes(json!({ "x": "ä".repeat(200) })),
            json!({ "groups": [] }),
            json!({ "groups": ["staff", "a b"] }),
        ] {
            check("acme", settings, &[]);
        }
        let off = json!({ "strategies": { "oauth2": { "enabled": false } } });
        check("platform", off, &["/strategies/oauth2/enabled"]);
        let writes = json!({ "limits": { "admin_writes": "1/s" } });
        check("platform", writes.clone(), &["/limits/admin_writes"]);
        let attempts =
            json!({ "limits": { "sign_in": { "account": 101, "known_browser": 100, "source": 200 } } });
        check("acme", attempts, &["/limits/sign_in/account", "/limits/sign_in/source"]);
        check("acme", writes, &[]);
    }

    #[test]
    fn scopes_with_descriptions_are_shown_as_object() {
        for (scopes, expected) in [
            (json!(["b", "a"]), json!(["b", "a"])),
            (json!({ "b": "", "a": null }), json!(["a", "b"])),
            (json!({ "b": " Read ", "a": null }), json!({ "a": "", "b": "Read" })),
            (json!({}), json!([])),
        ] {
            let settings = json!({ "resource_servers": { "api": { "scopes": scopes } } });
            let shown = json!(TenantSettings::from(&check("acme", settings, &[])));
            assert_eq!(shown["resource_servers"]["api"]["scopes"], expected);
            assert_eq!(json!(TenantSettings::from(&check("acme", shown.clone(), &[]))), shown);
        }
    }

    #[test]
    fn limits_round_trip_and_invalid_limits_are_refused() {
        let limits = json!({ "failed_attempts": "9/h", "clients": 2, "admin_writes": "3/s", "live_secrets": 4, "api_keys": 5,
                "sign_in": { "account": 3, "known_browser": 100, "source": null } });
        let tenant = check("acme", json!({ "limits": limits }), &[]);
        assert_eq!(json!(TenantSettings::from(&tenant))["limits"], limits);
        for (member, value) in [
            ("clients", json!(0)),
            ("clients", json!(-1)),
            ("live_secrets", json!("5")),
            ("api_keys", json!(0)),
            ("admin_writes", json!(600)),
            ("failed_attempts", json!("0/min")),
            ("platform_writes", json!("1/min")),
            ("deletion_grace", json!(60)),
        ] {
            let errors = TenantSettings::read(json!({ "limits": { member: value } })).unwrap_err();
            assert_eq!(errors[0].pointer, format!("/limits/{member}"), "{value}");
        }
    }
}

//! The rules for a client without regard to others: from a document to a registration (RFC 7591 §2).

use protocol::{ClientAuthenticationMethod, GrantType, ScopeToken};
use registry::{Client, ClientId, ClientKeys, ClientPurpose, ClientStatus, IntrospectionRight};
use tenancy::{Issuer, Tenant, TokenOverrides};

use super::certificate_subject::{check_certificate_subject, check_has_subject};
use super::code_flow::check_code_flow;
use super::federation::check_trust_rules;
use super::key_set::check_keys;
use super::secret_rotation::check_secret_rotation;
use super::static_claims::check_claims_of_client;
use super::text::{LONGEST_ID, LONGEST_URI, is_key_set_url};
use super::{FieldErrors, Interface};
use crate::documents::ClientSettings;
use crate::documents::schema;
use crate::kinds::Permission;

const METHOD: &str = "/token_endpoint_auth_method";

/// Checks the document and returns the registration without secrets. If there are errors, the registration
/// must not be used. In a file, the document also says how the client authenticates.
pub fn check_client(
    errors: &mut FieldErrors,
    tenant: &Tenant,
    id: &ClientId,
    settings: &ClientSettings,
) -> Client {
    let name = settings.name.clone().unwrap_or_else(|| id.to_string());
    errors.check_title("/name", &name);
    if let Some(description) = &settings.description {
        errors.check_description("/description", description, schema::LONGEST_DESCRIPTION);
    }
    let scope: protocol::Scope = errors.check_scopes("/scopes", &settings.scopes).into_iter().collect();
    if let Some(lifetime) = settings.access_token_lifetime {
        errors.check_token_lifetime("/access_token_lifetime", lifetime);
    }
    let method = check_method(errors, settings);
    let (claims, copied_claims) = check_claims_of_client(errors, settings);
    let client = Client {
        tenant: tenant.id.clone(),
        id: id.clone(),
        name,
        description: settings.description.clone(),
        contacts: check_contacts(errors, &settings.contacts),
        purpose: check_purpose(errors, settings.purpose.as_deref()),
        status: ClientStatus::Active,
        authentication_method: method,
        rotation: check_secret_rotation(errors, settings, method),
        grant_types: check_grant_types(errors, &settings.grant_types),
        audiences: check_audiences(errors, tenant, &settings.audiences, &scope),
        resources: check_resources(errors, tenant, &settings.resources),
        scope,
        access_token_lifetime: settings.access_token_lifetime,
        access_token: TokenOverrides {
            format: errors.check_format("", settings.access_token.format.as_deref()),
            reuse: settings.access_token.reuse.as_deref().and_then(|reuse| errors.check_reuse(reuse)),
        },
        claims,
        copied_claims,
        issuer: check_issuer(errors, tenant, settings.token.issuer.as_deref()),
        introspection: check_introspection(errors, &settings.introspection),
        dpop_bound_access_tokens: settings.dpop_bound_access_tokens,
        tls_client_certificate_bound_access_tokens: settings.tls_client_certificate_bound_access_tokens,
        keys: settings.jwks.as_ref().and_then(|jwks| check_keys(errors, "/jwks", jwks, ClientKeys::parse)),
        jwks_uri: check_jwks_uri(errors, settings),
        federated: check_trust_rules(errors, tenant, &settings.federated),
        certificate_subject: check_certificate_subject(errors, settings),
        code_flow: check_code_flow(errors, tenant, settings),
        secrets: Vec::new(),
    };
    match errors.interface() {
        Interface::Api => {
            check_grantable(errors, &client);
            check_needs_of_method(errors, settings, &client);
        }
        Interface::File => check_file(errors, settings, &client),
        Interface::Adapter => refuse_reserved_scopes(errors, &settings.scopes),
    }
    client
}

/// Checks which members a file must have and must not have.
fn check_file(errors: &mut FieldErrors, settings: &ClientSettings, client: &Client) {
    refuse_reserved_scopes(errors, &settings.scopes);
    check_proof(errors, settings, client);
    check_needs_of_method(errors, settings, client);
}

fn refuse_reserved_scopes(errors: &mut FieldErrors, scopes: &[String]) {
    for (index, scope) in scopes.iter().enumerate() {
        errors.refuse_reserved_scope(&format!("/scopes/{index}"), scope);
    }
}

fn check_contacts(errors: &mut FieldErrors, contacts: &[String]) -> Vec<String> {
    const MOST: usize = 10;
    errors.check_distinct("/contacts", contacts);
    for (index, contact) in contacts.iter().enumerate() {
        errors.check_name(&format!("/contacts/{index}"), "the contact", contact, LONGEST_ID);
    }
    if contacts.len() > MOST {
        errors.refuse("/contacts", format!("{} contacts", contacts.len()), format!("list at most {MOST}"));
    }
    contacts.to_vec()
}

fn check_purpose(errors: &mut FieldErrors, name: Option<&str>) -> Option<ClientPurpose> {
    errors.check_one_of("/purpose", name?, &ClientPurpose::NAMED)
}

/// Checks the URL of the client's keys. The keys are only fetched when an assertion needs them.
fn check_jwks_uri(errors: &mut FieldErrors, settings: &ClientSettings) -> Option<String> {
    let uri = settings.jwks_uri.as_ref()?;
    if settings.jwks.is_some() {
        // RFC 7591 §2: "The "jwks_uri" and "jwks" parameters MUST NOT both be present".
        errors.refuse("/jwks_uri", "`jwks` is also set (RFC 7591 §2)", "remove one of the two");
    }
    if !is_key_set_url(uri) {
        let hint = "use the https URL that publishes the keys, without a user and a fragment";
        errors.refuse("/jwks_uri", "this is not an https URL", hint);
    }
    Some(uri.clone())
}

/// Checks the members that a method needs, for every interface that creates clients with this method.
fn check_needs_of_method(errors: &mut FieldErrors, settings: &ClientSettings, client: &Client) {
    match client.authentication_method {
        ClientAuthenticationMethod::PrivateKeyJwt | ClientAuthenticationMethod::SelfSignedTlsClientAuth => {
            // RFC 8705 §2.2.2: the certificates of `self_signed_tls_client_auth` are
            // registered by `jwks` or `jwks_uri`.
            let may_be_federated = client.authentication_method == ClientAuthenticationMethod::PrivateKeyJwt;
            let has_rules = may_be_federated && !settings.federated.is_empty();
            if settings.jwks.is_none() && settings.jwks_uri.is_none() && !has_rules {
                let detail = "this method needs the client's public keys, and none are set";
                let give = if may_be_federated {
                    "set `jwks`, `jwks_uri` or `federated`"
                } else {
                    "set `jwks` or `jwks_uri`"
                };
                errors.refuse(METHOD, detail, give);
            }
        }
        ClientAuthenticationMethod::TlsClientAuth => check_has_subject(errors, METHOD, settings),
        // RFC 6749 §4.4: "The client credentials grant type MUST only be used by confidential clients."
        ClientAuthenticationMethod::None => {
            if client.grant_types.contains(&GrantType::ClientCredentials) {
                let detail = "a public client cannot use client_credentials (RFC 6749 §4.4)";
                errors.refuse(METHOD, detail, "set other `grant_types`, or choose another method");
            }
        }
        ClientAuthenticationMethod::Any | ClientAuthenticationMethod::ClientSecret => {}
    }
}

/// Checks that the client has a credential for its method.
fn check_proof(errors: &mut FieldErrors, settings: &ClientSettings, client: &Client) {
    const GIVE: &str =
        "set `client_secret: { env: NAME }`, or use `file`, `hash` or `value` instead of `env`";
    let has_secret = settings.client_secret.is_some() || !settings.client_secrets.is_empty();
    let has_keys = settings.jwks.is_some() || settings.jwks_uri.is_some() || !settings.federated.is_empty();
    match client.authentication_method {
        ClientAuthenticationMethod::Any if !has_secret && !has_keys => {
            let hint = format!("{GIVE}; for a public client, set `token_endpoint_auth_method: none`");
            errors.refuse("", "the client has no credential to authenticate with", hint);
        }
        ClientAuthenticationMethod::ClientSecret if !has_secret => {
            errors.refuse(METHOD, "this method needs a secret, and the client has none", GIVE);
        }
        ClientAuthenticationMethod::None if has_secret => {
            let detail = "a public client cannot have a secret, but this client has one";
            errors.refuse(METHOD, detail, "remove the secret, or choose another method");
        }
        ClientAuthenticationMethod::Any
        | ClientAuthenticationMethod::ClientSecret
        | ClientAuthenticationMethod::PrivateKeyJwt
        | ClientAuthenticationMethod::TlsClientAuth
        | ClientAuthenticationMethod::SelfSignedTlsClientAuth
        | ClientAuthenticationMethod::None => {}
    }
}

fn check_method(errors: &mut FieldErrors, settings: &ClientSettings) -> ClientAuthenticationMethod {
    let name = settings.token_endpoint_auth_method.as_str();
    let methods = ClientAuthenticationMethod::NAMES.map(|name| (name, name));
    // An unknown method is reported once. The other rules then use an arbitrary known method.
    let name = errors.check_one_of(METHOD, name, &methods);
    name.and_then(|name| name.parse().ok()).unwrap_or(ClientAuthenticationMethod::Any)
}

/// The API can also register a grant type that is not supported yet. The token endpoint refuses such a grant.
fn check_grant_types(errors: &mut FieldErrors, names: &[String]) -> Vec<GrantType> {
    errors.check_distinct("/grant_types", names);
    let all = GrantType::ALL.map(|grant_type| (grant_type.as_str(), grant_type));
    let mut known = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        let at = format!("/grant_types/{index}");
        let Some(grant_type) = errors.check_one_of(&at, name, &all) else { continue };
        if errors.interface() == Interface::File && !GrantType::SERVED.contains(&grant_type) {
            errors.unsupported(&at, name, "", "Latchkey does not grant it or advertise it");
        }
        known.push(grant_type);
    }
    known
}

/// The audience of administration must be the client's only one. Otherwise a resource server of another
/// audience could use the token for administration. Files must not name this audience. A client that only has
/// scopes of administration needs no other audience.
fn check_audiences(
    errors: &mut FieldErrors,
    tenant: &Tenant,
    audiences: &[String],
    scope: &protocol::Scope,
) -> Vec<String> {
    errors.check_distinct("/audiences", audiences);
    let own = tenant.id.admin_audience();
    for (index, audience) in audiences.iter().enumerate() {
        let at = format!("/audiences/{index}");
        if *audience != own || errors.interface() == Interface::File {
            errors.check_name(&at, "the audience", audience, LONGEST_URI);
        } else if audiences.len() > 1 {
            errors.add(&at, "a client that has the administration audience cannot have another audience");
        }
    }
    if audiences.is_empty() && !scope.is_empty() && scope.iter().all(ScopeToken::is_reserved) {
        return vec![own];
    }
    audiences.to_vec()
}

fn check_resources(errors: &mut FieldErrors, tenant: &Tenant, resources: &[String]) -> Vec<String> {
    errors.check_distinct("/resources", resources);
    let own = tenant.id.admin_audience();
    for (index, resource) in resources.iter().enumerate() {
        if *resource != own || errors.interface() == Interface::File {
            errors.check_resource(&format!("/resources/{index}"), resource);
        }
    }
    resources.to_vec()
}

fn check_issuer(errors: &mut FieldErrors, tenant: &Tenant, issuer: Option<&str>) -> Option<Issuer> {
    let issuer = issuer?;
    if !tenant.is_issuer(issuer) {
        let detail = "this is neither the tenant's issuer nor one of its aliases";
        errors.refuse("/token/issuer", detail, "add it to the tenant's `issuer_aliases`, or remove it");
    }
    Issuer::parse(issuer).ok()
}

fn check_introspection(errors: &mut FieldErrors, name: &str) -> IntrospectionRight {
    let all = [IntrospectionRight::Own, IntrospectionRight::Audience, IntrospectionRight::Tenant];
    let named = all.map(|right| (right.as_str(), right));
    errors.check_one_of("/introspection", name, &named).unwrap_or_default()
}

/// Refuses a scope that no actor can grant.
fn check_grantable(errors: &mut FieldErrors, client: &Client) {
    for (index, token) in client.scope.iter().enumerate().filter(|(_, token)| token.is_reserved()) {
        let at = format!("/scopes/{index}");
        match Permission::of_scope(token.as_str()) {
            None => errors.add(&at, "this scope is reserved for the platform and has no meaning yet"),
            Some(Permission::Tenants) if client.tenant.as_str() != tenancy::TenantId::PLATFORM => {
                errors.add(&at, "only clients of the tenant `platform` can have this scope");
            }
            Some(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::edit::test_states::{client_id, state};

    fn check(tenant: &str, settings: Value, expected: &[&str]) -> Client {
        let described = settings.to_string();
        let mut errors = FieldErrors::below("/client");
        let settings = ClientSettings::read(settings).unwrap();
        let client = check_client(&mut errors, &state(tenant).tenant, &client_id("svc"), &settings);
        let found = errors.into_vec().into_iter().map(|error| error.pointer.replacen("/client", "", 1));
        assert_eq!(found.collect::<Vec<_>>(), expected, "{described}");
        client
    }

    // [V10 10.4.11]: 2 | A client has only the scopes that it needs | A client has no scope by default; a
    //   scope that is not registered is refused, never dropped silently
    #[test]
    fn missing_members_have_defaults() {
        let client = check("t", json!({}), &[]);
        assert_eq!((client.name.as_str(), client.authentication_method.as_str()), ("svc", "any"));
        assert_eq!(client.grant_types, [GrantType::ClientCredentials]);
        assert_eq!(client.audiences, Vec::<String>::new());
    }

    // [back-channel §2.2]: `backchannel_logout_uri` is an absolute https URL without a fragment; http is for
    //   loopback addresses
    // [registration RFC 7591 §2 f]: `jwks_uri` and `jwks` are not both present
    // [mutual-tls RFC 8705 §2.1.2]: A client has exactly one of the five subjects
    // [fetches #5]: http, ftp, file, data, a user in the URL | refused when the client is registered, and
    //   again when it is fetched
    #[test]
    fn every_field_is_validated() {
        let long = "a".repeat(256);
        for (settings, expected) in [
            (json!({ "name": "" }), "/name"),
            (json!({ "name": long }), "/name"),
            (json!({ "name": "a\nb" }), "/name"),
            (json!({ "description": "" }), "/description"),
            (json!({ "description": "ä".repeat(257) }), "/description"),
            (json!({ "description": "a\nb" }), "/description"),
            (json!({ "contacts": ["ops@example.com", ""] }), "/contacts/1"),
            (json!({ "contacts": ["a", "a"] }), "/contacts/1"),
            (json!({ "contacts": (0..11).map(|nth| nth.to_string()).collect::<Vec<_>>() }), "/contacts"),
            (json!({ "purpose": "service" }), "/purpose"),
            (json!({ "claims": { "sub": "x" } }), "/claims/sub"),
            (json!({ "claims": { "urn:latchkey:x": "x" } }), "/claims/urn:latchkey:x"),
            (json!({ "claims": { "plan": { "name": "pro" } } }), "/claims/plan"),
            (json!({ "claims": { "plan": "x".repeat(1_024) } }), "/claims"),
            (json!({ "rotate": { "every": "59m", "into": "s:p#k" } }), "/rotate/every"),
            (json!({ "rotate": { "every": "401d", "into": "s:p#k" } }), "/rotate/every"),
            (json!({ "rotate": { "every": "1d", "into": "s:p#k", "grace": "1d" } }), "/rotate/grace"),
            (json!({ "rotate": { "every": "1d", "into": "p#k" } }), "/rotate/into"),
            (json!({ "token_endpoint_auth_method": "none" }), "/token_endpoint_auth_method"),
            (json!({ "token_endpoint_auth_method": "private_key_jwt" }), "/token_endpoint_auth_method"),
            (json!({ "token_endpoint_auth_method": "magic" }), "/token_endpoint_auth_method"),
            (json!({ "grant_types": ["client_credentials", "password"] }), "/grant_types/1"),
            (json!({ "grant_types": ["refresh_token", "refresh_token"] }), "/grant_types/1"),
            (json!({ "scopes": ["a b"] }), "/scopes/0"),
            (json!({ "scopes": ["a", "a"] }), "/scopes/1"),
            (json!({ "audiences": ["a", "a"] }), "/audiences/1"),
            (json!({ "audiences": [""] }), "/audiences/0"),
            (json!({ "audiences": ["urn:latchkey:admin"] }), "/audiences/0"),
            (json!({ "audiences": ["urn:latchkey:tenant:other"] }), "/audiences/0"),
            (json!({ "audiences": ["api", "urn:latchkey:tenant:t"] }), "/audiences/1"),
            (json!({ "resources": ["api"] }), "/resources/0"),
            (json!({ "resources": ["https://a.example.com#x"] }), "/resources/0"),
            (json!({ "resources": [format!("https://{}", "a".repeat(2048))] }), "/resources/0"),
            (json!({ "resources": ["urn:latchkey:tenant:other"] }), "/resources/0"),
            (json!({ "access_token_lifetime": 0 }), "/access_token_lifetime"),
            (json!({ "access_token": { "format": "paseto" } }), "/access_token/format"),
            (json!({ "access_token": { "reuse": "1h" } }), "/access_token/reuse"),
            (json!({ "token": { "issuer": "https://else.example.com" } }), "/token/issuer"),
            (json!({ "introspection": "all" }), "/introspection"),
            (json!({ "token_endpoint_auth_method": "tls_client_auth" }), "/token_endpoint_auth_method"),
            (
                json!({ "token_endpoint_auth_method": "self_signed_tls_client_auth" }),
                "/token_endpoint_auth_method",
            ),
            (json!({ "tls_client_auth_subject_dn": "client" }), "/tls_client_auth_subject_dn"),
            (json!({ "tls_client_auth_san_dns": "*.example.com" }), "/tls_client_auth_san_dns"),
            (json!({ "tls_client_auth_san_uri": "client" }), "/tls_client_auth_san_uri"),
            (json!({ "tls_client_auth_san_ip": "192.0.2.0/24" }), "/tls_client_auth_san_ip"),
            (json!({ "tls_client_auth_san_email": "client" }), "/tls_client_auth_san_email"),
            (
                json!({ "tls_client_auth_san_dns": "a.example.com", "tls_client_auth_san_ip": "192.0.2.1" }),
                "/tls_client_auth_san_ip",
            ),
            (json!({ "grant_types": ["authorization_code"] }), "/redirect_uris"),
            (json!({ "scopes": ["openid", "offline_access"] }), "/scopes/1"),
            (json!({ "redirect_uris": ["https://a.example/", "https://a.example/"] }), "/redirect_uris/1"),
            (json!({ "redirect_uris": ["https://a.example/#b"] }), "/redirect_uris/0"),
            (json!({ "redirect_uris": ["http://a.example/"] }), "/redirect_uris/0"),
            (json!({ "redirect_uris": ["com.example.app:/cb"] }), "/redirect_uris/0"),
            (json!({ "redirect_uris": vec!["https://a.example/"; 51] }), "/redirect_uris"),
            (json!({ "post_logout_redirect_uris": ["javascript:alert(1)"] }), "/post_logout_redirect_uris/0"),
            (json!({ "backchannel_logout_uri": "http://a.example/out" }), "/backchannel_logout_uri"),
            (json!({ "backchannel_logout_uri": "http://localhost:3000/out" }), "/backchannel_logout_uri"),
            (json!({ "backchannel_logout_uri": "https://a.example/#out" }), "/backchannel_logout_uri"),
            (json!({ "backchannel_logout_uri": "com.example.app:/out" }), "/backchannel_logout_uri"),
            (json!({ "subject_type": "private" }), "/subject_type"),
            (json!({ "userinfo": "none" }), "/userinfo"),
            (json!({ "groups": { "claim": "scope" } }), "/groups/claim"),
            (json!({ "groups": { "claim": "entitlements" } }), "/groups/claim"),
            (json!({ "groups": { "claim": "URN:latchkey:groups" } }), "/groups/claim"),
            (json!({ "groups": { "claim": "urn:Latchkey:groups" } }), "/groups/claim"),
            (json!({ "groups": { "claim": "https://a.example/#groups" } }), "/groups/claim"),
            (json!({ "groups": { "claim": format!("urn:{}", "a".repeat(252)) } }), "/groups/claim"),
            (json!({ "groups": { "in": ["id_token", "jwt"] } }), "/groups/in/1"),
            (json!({ "groups": { "in": ["id_token", "id_token"] } }), "/groups/in/1"),
            (json!({ "sector_identifier_uri": "http://127.0.0.1/" }), "/sector_identifier_uri"),
            (json!({ "refresh_token": { "rotation": "sometimes" } }), "/refresh_token/rotation"),
            (json!({ "sector_identifier_uri": "https://user@sector.example/" }), "/sector_identifier_uri"),
            (json!({ "sector_identifier_uri": "sector.example" }), "/sector_identifier_uri"),
            (
                json!({ "token_endpoint_auth_method": "none", "grant_types": [], "require_pkce": false }),
                "/require_pkce",
            ),
            (json!({ "jwks": { "keys": [] } }), "/jwks/keys"),
            (json!({ "jwks_uri": "" }), "/jwks_uri"),
            (json!({ "jwks_uri": "keys.example.com" }), "/jwks_uri"),
            (json!({ "jwks_uri": "http://keys.example.com/" }), "/jwks_uri"),
            (json!({ "jwks_uri": "http://10.0.0.1/" }), "/jwks_uri"),
            (json!({ "jwks_uri": "http://localhost/" }), "/jwks_uri"),
            (json!({ "jwks_uri": "https://keys.example.com/#a" }), "/jwks_uri"),
            (json!({ "jwks_uri": "https://user@keys.example.com/" }), "/jwks_uri"),
            (json!({ "jwks_uri": "https://:word@keys.example.com/" }), "/jwks_uri"),
            (json!({ "jwks_uri": "ftp://keys.example.com/" }), "/jwks_uri"),
            (json!({ "jwks_uri": "file:///etc/passwd" }), "/jwks_uri"),
            (json!({ "jwks_uri": "https://keys.example.com/ a" }), "/jwks_uri"),
            (json!({ "jwks_uri": format!("https://keys.example.com/{}", "a".repeat(2048)) }), "/jwks_uri"),
        ] {
            check("t", settings, &[expected]);
        }
        for settings in [
            json!({ "description": "ä".repeat(256) }),
            json!({ "contacts": ["ops@example.com", "the billing team"] }),
            json!({ "purpose": "service_account" }),
            json!({ "claims": { "plan": "pro", "seats": 3, "trial": false, "roles": ["a", 1] } }),
            json!({ "rotate": { "every": "1h", "into": "s:p" } }),
            json!({ "token_endpoint_auth_method": "client_secret_post", "grant_types": ["refresh_token"] }),
            json!({ "audiences": ["urn:latchkey:tenant:t"], "scopes": ["read", "latchkey:clients"] }),
            json!({ "dpop_bound_access_tokens": true }),
            json!({ "tls_client_certificate_bound_access_tokens": true }),
            json!({ "audiences": ["api"], "resources": ["urn:latchkey:tenant:t", "https://a.example.com"] }),
            json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://keys.example.com:8443/jwks?a=b" }),
            json!({ "jwks_uri": "https://10.0.0.1/jwks" }),
            json!({ "jwks_uri": "http://127.0.0.1:8080/jwks" }),
            json!({ "jwks_uri": "http://[::1]/jwks" }),
            json!({ "token_endpoint_auth_method": "none", "grant_types": ["authorization_code"], "redirect_uris": ["com.example.app:/cb"] }),
            json!({ "grant_types": ["refresh_token"], "scopes": ["offline_access"] }),
            json!({ "redirect_uris": ["https://a.example/cb?a=b", "http://localhost:3000/cb", "http://127.0.0.1/cb"] }),
            json!({ "post_logout_redirect_uris": ["https://a.example/"], "first_party": true, "require_pkce": false }),
            json!({ "backchannel_logout_uri": "https://a.example/out?a=b", "backchannel_logout_session_required": true }),
            json!({ "backchannel_logout_uri": "http://127.0.0.1:3000/out" }),
            json!({ "userinfo": "separate" }),
            json!({ "access_token": { "format": "opaque", "reuse": "20%" } }),
            json!({ "subject_type": "pairwise", "sector_identifier_uri": "https://sector.example/clients.json" }),
            json!({ "claims_in_id_token": true }),
            json!({ "groups": { "claim": "roles", "in": ["access_token", "userinfo", "id_token"] } }),
            json!({ "groups": { "claim": "https://a.example/groups", "in": [] } }),
            json!({ "groups": { "claim": "urn:example:groups" } }),
            json!({ "default_max_age": 0, "refresh_token": { "idle": "1d" } }),
            json!({ "access_token_lifetime": 1, "token": { "issuer": "thunder" }, "introspection": "tenant" }),
            json!({ "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": "CN=a, O=b" }),
            json!({ "token_endpoint_auth_method": "any", "tls_client_auth_san_uri": "spiffe://example.com/a" }),
        ] {
            check("t", settings, &[]);
        }
        check("platform", json!({ "audiences": ["urn:latchkey:admin"] }), &[]);
        check("platform", json!({ "audiences": ["urn:latchkey:tenant:platform"] }), &["/audiences/0"]);
    }

    #[test]
    fn client_with_only_admin_scopes_gets_admin_audience() {
        let of = |tenant, scopes: &[&str]| check(tenant, json!({ "scopes": scopes }), &[]).audiences;
        assert_eq!(of("t", &["latchkey:clients", "latchkey:audit"]), ["urn:latchkey:tenant:t"]);
        assert_eq!(of("platform", &["latchkey:tenants"]), ["urn:latchkey:admin"]);
        assert_eq!(of("t", &["latchkey:clients", "read"]), Vec::<String>::new());
        assert_eq!(of("t", &[]), Vec::<String>::new());
        let named = json!({ "scopes": ["latchkey:clients"], "audiences": ["api"] });
        assert_eq!(check("t", named, &[]).audiences, ["api"]);
    }
}

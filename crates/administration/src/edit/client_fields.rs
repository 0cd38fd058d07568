//! The rules over a client's fields by themselves: from what a door was sent to a registration (RFC 7591 §2).

use protocol::{ClientAuthenticationMethod, GrantType, ScopeToken};
use registry::{Client, ClientId, ClientStatus, IntrospectionRight};
use tenancy::{Issuer, Tenant};

use super::privilege;
use super::text::{FieldErrors, LONGEST_URI, is_absolute_uri};
use crate::ClientSettings;

/// The registration, of no use where faults were found.
pub(super) fn read(
    errors: &mut FieldErrors,
    tenant: &Tenant,
    id: &ClientId,
    settings: &ClientSettings,
) -> Client {
    let ClientSettings {
        name,
        token_endpoint_auth_method,
        grant_types,
        audiences,
        resources,
        scopes,
        access_token_lifetime,
        token,
        introspection,
    } = settings;
    let name = name.clone().unwrap_or_else(|| id.to_string());
    errors.check_title("/name", &name);
    let scope: protocol::Scope = errors.scopes("/scopes", scopes).into_iter().collect();
    let client = Client {
        tenant: tenant.id.clone(),
        id: id.clone(),
        name,
        status: ClientStatus::Active,
        authentication_method: method(errors, token_endpoint_auth_method),
        grant_types: read_grant_types(errors, grant_types),
        audiences: read_audiences(errors, tenant, audiences, &scope),
        resources: read_resources(errors, tenant, resources),
        scope,
        access_token_lifetime: access_token_lifetime
            .map(|seconds| errors.span("/access_token_lifetime", seconds, 1)),
        issuer: read_issuer(errors, tenant, token.issuer.as_deref()),
        introspection: read_introspection(errors, introspection),
        secrets: Vec::new(),
    };
    privilege::check_grantable(errors, &client);
    client
}

fn method(errors: &mut FieldErrors, name: &str) -> ClientAuthenticationMethod {
    let method = name.parse().unwrap_or(ClientAuthenticationMethod::None);
    if !method.allows_secret() {
        let served = ClientAuthenticationMethod::SERVED.join(", ");
        errors.add("/token_endpoint_auth_method", format!("this is not served; write any, {served}"));
    }
    method
}

fn read_grant_types(errors: &mut FieldErrors, names: &[String]) -> Vec<GrantType> {
    errors.check_distinct("/grant_types", names);
    let mut known = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        match name.parse() {
            Ok(grant_type) => known.push(grant_type),
            Err(_) => {
                let all: Vec<_> = GrantType::ALL.into_iter().map(GrantType::as_str).collect();
                let detail = format!("this is not a grant type; write one of {}", all.join(", "));
                errors.add(&format!("/grant_types/{index}"), detail);
            }
        }
    }
    known
}

/// The audience of the administration stands alone: a token for it and for somebody else could be sent on by him. A client of
/// which the administration is all that it may do needs no other.
fn read_audiences(
    errors: &mut FieldErrors,
    tenant: &Tenant,
    audiences: &[String],
    scope: &protocol::Scope,
) -> Vec<String> {
    errors.check_distinct("/audiences", audiences);
    let own = tenant.id.admin_audience();
    for (index, audience) in audiences.iter().enumerate() {
        let at = format!("/audiences/{index}");
        if *audience != own {
            errors.check_name(&at, "the audience", audience, LONGEST_URI);
        } else if audiences.len() > 1 {
            errors.add(&at, "the audience of the administration must be the client's only one");
        }
    }
    if audiences.is_empty() && !scope.is_empty() && scope.iter().all(ScopeToken::is_reserved) {
        return vec![own];
    }
    audiences.to_vec()
}

fn read_resources(errors: &mut FieldErrors, tenant: &Tenant, resources: &[String]) -> Vec<String> {
    errors.check_distinct("/resources", resources);
    let own = tenant.id.admin_audience();
    for (index, resource) in resources.iter().enumerate().filter(|(_, resource)| **resource != own) {
        let at = format!("/resources/{index}");
        if is_absolute_uri(resource) {
            errors.check_name(&at, "the resource", resource, LONGEST_URI);
        } else {
            errors.add(
                &at,
                "a resource is an absolute URI without a fragment (RFC 8707 section 2), up to 2048 bytes",
            );
        }
    }
    resources.to_vec()
}

fn read_issuer(errors: &mut FieldErrors, tenant: &Tenant, issuer: Option<&str>) -> Option<Issuer> {
    let issuer = issuer?;
    if !tenant.is_issuer(issuer) {
        errors.add("/token/issuer", "this is neither the tenant's issuer nor one of its aliases");
    }
    Issuer::parse(issuer).ok()
}

fn read_introspection(errors: &mut FieldErrors, name: &str) -> IntrospectionRight {
    let all = [IntrospectionRight::Own, IntrospectionRight::Audience, IntrospectionRight::Tenant];
    all.into_iter().find(|right| right.as_str() == name).unwrap_or_else(|| {
        errors.add("/introspection", "write own, audience or tenant");
        IntrospectionRight::Own
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::test_states::{client_id, state};
    use super::*;

    fn check(tenant: &str, settings: Value, expected: &[&str]) -> Client {
        let described = settings.to_string();
        let mut errors = FieldErrors::below("/client");
        let settings = ClientSettings::read(settings).unwrap();
        let client = read(&mut errors, &state(tenant).tenant, &client_id("svc"), &settings);
        let found: Vec<_> =
            errors.into_vec().into_iter().map(|error| error.pointer.replacen("/client", "", 1)).collect();
        assert_eq!(found, expected, "{described}");
        client
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let client = check("t", json!({}), &[]);
        assert_eq!((client.name.as_str(), client.authentication_method.as_str()), ("svc", "any"));
        assert_eq!(client.grant_types, [GrantType::ClientCredentials]);
        assert_eq!(client.audiences, Vec::<String>::new());
    }

    #[test]
    fn each_field_has_its_rule() {
        let long = "a".repeat(256);
        for (settings, expected) in [
            (json!({ "name": "" }), "/name"),
            (json!({ "name": long }), "/name"),
            (json!({ "name": "a\nb" }), "/name"),
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
            (json!({ "access_token_lifetime": u64::MAX }), "/access_token_lifetime"),
            (json!({ "token": { "issuer": "https://else.example.com" } }), "/token/issuer"),
            (json!({ "introspection": "all" }), "/introspection"),
        ] {
            check("t", settings, &[expected]);
        }
        for settings in [
            json!({ "token_endpoint_auth_method": "client_secret_post", "grant_types": ["refresh_token"] }),
            json!({ "audiences": ["urn:latchkey:tenant:t"], "scopes": ["read", "latchkey:clients"] }),
            json!({ "audiences": ["api"], "resources": ["urn:latchkey:tenant:t", "https://a.example.com"] }),
            json!({ "access_token_lifetime": 1, "token": { "issuer": "thunder" }, "introspection": "tenant" }),
        ] {
            check("t", settings, &[]);
        }
        check("platform", json!({ "audiences": ["urn:latchkey:admin"] }), &[]);
        check("platform", json!({ "audiences": ["urn:latchkey:tenant:platform"] }), &["/audiences/0"]);
    }

    #[test]
    fn a_client_with_admin_scopes_only_gets_the_admin_audience() {
        let of = |tenant, scopes: &[&str]| check(tenant, json!({ "scopes": scopes }), &[]).audiences;
        assert_eq!(of("t", &["latchkey:clients", "latchkey:audit"]), ["urn:latchkey:tenant:t"]);
        assert_eq!(of("platform", &["latchkey:tenants"]), ["urn:latchkey:admin"]);
        assert_eq!(of("t", &["latchkey:clients", "read"]), Vec::<String>::new());
        assert_eq!(of("t", &[]), Vec::<String>::new());
        let named = json!({ "scopes": ["latchkey:clients"], "audiences": ["api"] });
        assert_eq!(check("t", named, &[]).audiences, ["api"]);
    }
}

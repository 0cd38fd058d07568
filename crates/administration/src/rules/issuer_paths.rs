//! Where verifiers look for the metadata of an issuer, and which issuers below the public URL can serve it
//! there.

use std::collections::BTreeMap;

use tenancy::{Issuer, Tenant, TenantId};

use super::FieldErrors;
use crate::edit::FieldError;

/// The owners of issuers and aliases.
pub type IssuerOwners<'a> = BTreeMap<&'a str, &'a TenantId>;

/// The first segments of the program's routes. If a route and an issuer's metadata have the same path, the
/// route wins. The derived issuers of all tenants are below `/api`.
pub const PROGRAM_PATHS: [&str; 23] = [
    "/.well-known",
    "/account",
    "/api",
    "/applications",
    "/assets",
    "/console",
    "/device",
    "/docs",
    "/flow",
    "/health",
    "/metrics",
    "/oauth/revoke",
    "/oauth/token",
    "/oauth2/authorize",
    "/oauth2/device_authorization",
    "/oauth2/introspect",
    "/oauth2/jwks",
    "/oauth2/logout",
    "/oauth2/par",
    "/oauth2/revoke",
    "/oauth2/token",
    "/oauth2/userinfo",
    "/openapi.json",
];

/// The path of an issuer below the public URL, without a trailing slash. `None` if the issuer is elsewhere.
fn below<'i>(public_url: &str, issuer: &'i str) -> Option<&'i str> {
    let path = issuer.strip_prefix(public_url.trim_end_matches('/'))?;
    (path.is_empty() || path.starts_with('/')).then(|| path.trim_end_matches('/'))
}

/// Whether the path equals the route or is below it.
fn is_at(path: &str, route: &str) -> bool {
    path.strip_prefix(route).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The locations of an issuer's metadata: OpenID Connect Discovery §4 and RFC 8414 §3.1.
fn locations(issuer: &str) -> [String; 2] {
    let issuer = issuer.trim_end_matches('/');
    let host = issuer.find("://").map_or(0, |at| at + 3);
    let (origin, path) = issuer.split_at(issuer[host..].find('/').map_or(issuer.len(), |at| host + at));
    let appended = format!("{issuer}/.well-known/openid-configuration");
    [appended, format!("{origin}/.well-known/oauth-authorization-server{path}")]
}

/// Warns of an issuer outside the public URL: a proxy must forward the URLs of its metadata to this server.
pub(super) fn elsewhere(public_url: &str, id: &str, issuer: &str) -> Option<FieldError> {
    if below(public_url, issuer).is_some() {
        return None;
    }
    let [openid, oauth] = locations(issuer);
    let own = format!("{}/api/v1/tenant/{id}", public_url.trim_end_matches('/'));
    let detail = format!(
        "the issuer is not below `public_url`, so this server cannot serve its metadata at {openid} and {oauth}, where verifiers look"
    );
    let hint = format!(
        "make a proxy forward these two URLs to {own}/.well-known/openid-configuration, or remove `issuer`"
    );
    Some(FieldError::at("/issuer", detail).with_hint(hint))
}

/// Whether other issuers can be below this one. Not if it is the public URL itself or a derived issuer.
pub(crate) fn has_path(public_url: &str, tenant: &TenantId, issuer: &Issuer) -> bool {
    below(public_url, issuer.as_str()).is_some_and(|path| !path.is_empty())
        && *issuer != Issuer::derived(public_url, tenant)
}

/// The possible issuers at the same path and at each path above it, with and without a trailing slash.
pub(crate) fn issuers_above(public_url: &str, issuer: &Issuer) -> Vec<Issuer> {
    let Some(path) = below(public_url, issuer.as_str()) else { return Vec::new() };
    let base = public_url.trim_end_matches('/');
    let ends = path.match_indices('/').map(|(at, _)| at).skip(1).chain([path.len()]);
    let spellings = ends.flat_map(|end| ["", "/"].map(|slash| format!("{base}{}{slash}", &path[..end])));
    spellings.filter(|text| text != issuer.as_str()).filter_map(|text| Issuer::parse(&text).ok()).collect()
}

const HINT: &str = "choose an issuer with its own path, or remove `issuer`";

/// Why verifiers do not find the metadata of the tenant's issuer. A new issuer is refused for this reason.
#[must_use]
pub fn undiscoverable(public_url: &str, tenant: &Tenant, owners: &IssuerOwners<'_>) -> Option<FieldError> {
    let issuer = &tenant.issuer;
    let path = below(public_url, issuer.as_str())?;
    if *issuer == Issuer::derived(public_url, &tenant.id) {
        return None;
    }
    if let Some(route) = PROGRAM_PATHS.into_iter().find(|route| is_at(path, route)) {
        let detail =
            format!("the server has its own routes at {route}, so it cannot serve metadata for this issuer");
        return Some(FieldError::at("/issuer", detail).with_hint(HINT));
    }
    let above = issuers_above(public_url, issuer);
    let mut owned = above.iter().filter_map(|above| Some((above, *owners.get(above.as_str())?)));
    let (above, owner) = owned.find(|(_, owner)| **owner != tenant.id)?;
    let detail = format!("the issuer is at or below {above}, which belongs to tenant `{owner}`");
    Some(FieldError::at("/issuer", detail).with_hint(HINT))
}

/// Why the issuer would hide the issuer of another tenant.
pub(crate) fn above_another(
    public_url: &str,
    tenant: &Tenant,
    owners: &IssuerOwners<'_>,
) -> Option<FieldError> {
    let issuer = &tenant.issuer;
    if !has_path(public_url, &tenant.id, issuer) {
        return None;
    }
    let from = format!("{}/", issuer.as_str().trim_end_matches('/'));
    let mut lower = owners.range(from.as_str()..).take_while(|(lower, _)| lower.starts_with(&from));
    let (lower, owner) = lower.find(|(_, owner)| ***owner != tenant.id)?;
    let detail = format!("the issuer is above {lower}, which belongs to tenant `{owner}`");
    Some(FieldError::at("/issuer", detail).with_hint(HINT))
}

/// Refuses an issuer at a route of the program, or at, below or above the issuer of another tenant. An issuer
/// that the tenant had before stays.
pub(crate) fn check_new_issuer(
    errors: &mut FieldErrors,
    public_url: &str,
    before: Option<&Tenant>,
    after: &Tenant,
    owners: &IssuerOwners<'_>,
) {
    if before.is_none_or(|before| before.issuer != after.issuer) {
        let found = undiscoverable(public_url, after, owners);
        errors.extend(Vec::from_iter(found.or_else(|| above_another(public_url, after, owners))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::test_states::{state, tenant_id};

    #[test]
    fn foreign_issuer_finding_names_metadata_locations() {
        for (issuer, locations) in [
            (
                "https://a.example",
                ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"],
            ),
            (
                "https://a.example/x/y/",
                ["/x/y/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/x/y"],
            ),
        ] {
            let found = elsewhere("https://id.example.com/auth", "t", issuer).unwrap();
            for location in locations {
                assert!(
                    found.detail.contains(&format!("https://a.example{location} "))
                        || found.detail.contains(&format!("https://a.example{location},")),
                    "{}",
                    found.detail
                );
            }
        }
        for issuer in
            ["https://id.example.com/auth", "https://id.example.com/auth/", "https://id.example.com/auth/x"]
        {
            assert!(elsewhere("https://id.example.com/auth/", "t", issuer).is_none(), "{issuer}");
        }
        assert!(elsewhere("https://id.example.com/auth", "t", "https://id.example.com/authority").is_some());
    }

    #[test]
    fn new_issuer_overlapping_route_or_issuer_is_refused() {
        const URL: &str = "https://id.example.com/auth";
        let (other, taken) = (tenant_id("other"), |text: &str| format!("{URL}{text}"));
        let check = |path: &str, owned: &str, is_refused: bool| {
            let mut tenant = state("t").tenant;
            tenant.issuer = Issuer::parse(&taken(path)).unwrap();
            let owned = taken(owned);
            let owners = IssuerOwners::from([(owned.as_str(), &other)]);
            let mut errors = FieldErrors::default();
            check_new_issuer(&mut errors, URL, None, &tenant, &owners);
            assert_eq!(!errors.into_vec().is_empty(), is_refused, "{path} beside {owned}");
            let mut errors = FieldErrors::default();
            check_new_issuer(&mut errors, URL, Some(&tenant), &tenant, &owners);
            assert!(errors.into_vec().is_empty(), "{path} is not new");
            let owners = IssuerOwners::from([(owned.as_str(), &tenant.id)]);
            let mut errors = FieldErrors::default();
            check_new_issuer(&mut errors, URL, None, &tenant, &owners);
            assert!(errors.into_vec().is_empty() || owned.ends_with("/none"), "{path} beside one's own");
        };
        for path in
            ["/console", "/console/", "/console/x", "/oauth2/token", "/api", "/api/v1/x", "/.well-known/x"]
        {
            check(path, "/none", true);
        }
        for path in ["", "/", "/consoles", "/oauth2", "/login/blue", "/apis", "/api/v1/tenant/t"] {
            check(path, "/none", false);
        }
        for (path, owned, is_refused) in [
            ("/login/blue", "/login", true),
            ("/login/blue", "/login/", true),
            ("/login/blue", "/login/blue/", true),
            ("/login/blue/", "/login/blue", true),
            ("/a/b/c/d", "/a", true),
            ("", "/", true),
            ("/", "", true),
            // All paths are below the public URL.
            ("/login", "", false),
            ("/login", "/login/blue", true),
            ("/login/", "/login/blue/red/", true),
            ("/login", "/login-blue", false),
            ("/login", "/loginblue", false),
            ("/login/blue", "/log", false),
        ] {
            check(path, owned, is_refused);
        }
    }
}

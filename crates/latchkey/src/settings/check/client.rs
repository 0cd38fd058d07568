//! The rules over a tenant's clients: how they prove who they are, what they may ask for, and that no client's id can
//! be taken for an audience or an issuer.

use std::collections::HashMap;

use super::{
    super::{
        findings::{Findings, Location},
        resolved::{ResolvedAdmin, ResolvedClient, ResolvedTenant},
        scalar::{Lifetime, cropped},
    },
    method::check_method,
    secret::check_imported,
    text::{
        LONGEST_ID, LONGEST_URI, check_distinct, check_name, check_scope, is_absolute_uri, is_scope_token,
        unfit,
    },
};

/// Every client of a tenant.
pub(crate) fn check(tenant: &ResolvedTenant, at: &Location, findings: &mut Findings) {
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
            let hint = "add it to the tenant's `issuer_aliases`, or leave it out";
            findings.error(at.key("token").key("issuer"), problem, hint);
        }
    }
}

/// The users that may sign in at `/flow/execute`.
pub(crate) fn check_admins(admins: &[ResolvedAdmin], at: &Location, findings: &mut Findings) {
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

fn names_taken(tenant: &ResolvedTenant) -> HashMap<&str, &'static str> {
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

fn check_reach(client: &ResolvedClient, at: &Location, findings: &mut Findings) {
    for (index, scope) in client.scopes.iter().enumerate() {
        check_scope(findings, at.item("scopes", index), scope);
    }
    for (index, audience) in client.audiences.iter().enumerate() {
        check_name(findings, at.item("audiences", index), false, "the audience", audience);
    }
    for (index, resource) in client.resources.iter().enumerate() {
        let at = at.item("resources", index);
        if resource.len() > LONGEST_URI || !is_absolute_uri(resource) {
            let problem =
                format!("`{}` is not an absolute URI without a fragment (RFC 8707 §2)", cropped(resource));
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

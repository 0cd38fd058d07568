//! Names that must not mean two things within a tenant: a token without an asked resource may have its client's id as `aud`, so no
//! audience, resource or issuer may be called like a client. Deleted rows keep their names only among their own kind.

use registry::Client;
use tenancy::{Issuer, Tenant, TenantId};

use super::text::{FieldErrors, member};
use crate::{ResourceServerState, TenantState};

/// A client, as it is to be, against all other names of its tenant.
pub(super) fn check_client(errors: &mut FieldErrors, client: &Client, tenant: &Tenant, state: &TenantState) {
    let others = || {
        let rows = state.clients.iter().filter(|row| row.lifecycle.deleted_at.is_none());
        rows.map(|row| &row.client).filter(|other| other.id != client.id)
    };
    let id = client.id.as_str();
    let is_named_by = |other: &Client| other.audiences.iter().chain(&other.resources).any(|name| name == id);
    if let Some(what) = taken_by_tenant(id, tenant, &state.resource_servers) {
        errors.add("/client_id", format!("the client id is {what} of this tenant, too"));
    } else if let Some(other) = others().find(|other| is_named_by(other)) {
        errors.add("/client_id", format!("the client id is an audience or resource of client {}", other.id));
    }
    for (list, names) in [("audiences", &client.audiences), ("resources", &client.resources)] {
        for (index, name) in names.iter().enumerate() {
            if name == id || others().any(|other| other.id.as_str() == name) {
                errors.add(&format!("/{list}/{index}"), "this is the id of a client of this tenant");
            }
        }
    }
}

/// A tenant, as it is to be, against the ids of its clients.
pub(super) fn check_tenant(errors: &mut FieldErrors, tenant: &Tenant, state: &TenantState) {
    let is_client = |name: &str| {
        let mut rows = state.clients.iter().filter(|row| row.lifecycle.deleted_at.is_none());
        rows.any(|row| row.client.id.as_str() == name)
    };
    let clash = "this is the id of a client of this tenant";
    if is_client(tenant.issuer.as_str()) {
        errors.add("/issuer", clash);
    }
    for (index, alias) in tenant.issuer_aliases.iter().enumerate() {
        if is_client(alias.as_str()) {
            errors.add(&format!("/issuer_aliases/{index}"), clash);
        }
    }
    for server in &tenant.resource_servers {
        if is_client(&server.audience) {
            errors.add(&member("/resource_servers", &server.audience), clash);
        }
    }
}

/// An issuer is one tenant's over all tenants, whatever became of its owner.
pub(super) fn check_issuers(errors: &mut FieldErrors, tenant: &Tenant, owners: &[(Issuer, TenantId)]) {
    let owner = |issuer: &Issuer| {
        owners.iter().find(|(taken, owner)| taken == issuer && *owner != tenant.id).map(|(_, owner)| owner)
    };
    if let Some(owner) = owner(&tenant.issuer) {
        errors.add("/issuer", format!("tenant {owner} has the same issuer or alias"));
    }
    for (index, alias) in tenant.issuer_aliases.iter().enumerate() {
        if let Some(owner) = owner(alias) {
            errors.add(
                &format!("/issuer_aliases/{index}"),
                format!("tenant {owner} has the same issuer or alias"),
            );
        }
    }
}

/// A retired resource server counts: it comes back when it is named again.
fn taken_by_tenant(name: &str, tenant: &Tenant, servers: &[ResourceServerState]) -> Option<&'static str> {
    let retired = servers.iter().filter(|row| row.lifecycle.deleted_at.is_none());
    let mut servers = retired.map(|row| &row.resource_server).chain(&tenant.resource_servers);
    if tenant.issuer.as_str() == name {
        Some("the issuer")
    } else if tenant.issuer_aliases.iter().any(|alias| alias.as_str() == name) {
        Some("an issuer alias")
    } else {
        servers.any(|server| server.audience == name).then_some("a resource server")
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_states::{NOW, client, state, tenant_id};
    use super::*;
    use crate::{ManagedBy, RowLifecycle};

    fn check(id: &str, audiences: &[&str], resources: &[&str], expected: &[&str]) {
        let mut state = state("t");
        state.clients[0].client.resources = vec!["https://r.example.com".to_owned()];
        state.clients.push(client("t", "gone", ""));
        state.clients[2].lifecycle.deleted_at = Some(NOW);
        state.clients[2].client.audiences = vec!["of-gone".to_owned()];
        let mut retired = state.resource_servers[0].clone();
        retired.resource_server.audience = "retired".to_owned();
        retired.lifecycle.retired_at = Some(NOW);
        state.resource_servers.push(retired);
        let mut new = client("t", id, "").client;
        new.audiences = audiences.iter().map(|&name| name.to_owned()).collect();
        new.resources = resources.iter().map(|&name| name.to_owned()).collect();
        let mut errors = FieldErrors::default();
        check_client(&mut errors, &new, &state.tenant, &state);
        let found: Vec<_> = errors.into_vec().into_iter().map(|error| error.pointer).collect();
        assert_eq!(found, expected, "{id} {audiences:?} {resources:?}");
    }

    #[test]
    fn no_client_is_called_like_an_audience_and_no_audience_like_a_client() {
        check("new", &["api", "other"], &[], &[]);
        for id in
            ["api", "retired", "thunder", "https://id.example.com/api/v1/tenant/t", "https://r.example.com"]
        {
            check(id, &[], &[], &["/client_id"]);
        }
        check("new", &["x", "svc"], &["ops", "y"], &["/audiences/1", "/resources/0"]);
        check("new", &["new"], &["new"], &["/audiences/0", "/resources/0"]);
        // A deleted client has given its names back to the other kinds.
        check("of-gone", &["gone"], &[], &[]);
    }

    #[test]
    fn names_of_a_tenant_are_not_those_of_its_clients() {
        let mut state = state("t");
        let after = |change: &dyn Fn(&mut Tenant)| {
            let mut after = super::super::test_states::state("t").tenant;
            change(&mut after);
            after
        };
        let check = |state: &TenantState, change: &dyn Fn(&mut Tenant), expected: &[&str]| {
            let mut errors = FieldErrors::default();
            check_tenant(&mut errors, &after(change), state);
            let found: Vec<_> = errors.into_vec().into_iter().map(|error| error.pointer).collect();
            assert_eq!(found, expected);
        };
        check(&state, &|_| {}, &[]);
        check(&state, &|t| t.issuer = Issuer::parse("svc").unwrap(), &["/issuer"]);
        check(&state, &|t| t.issuer_aliases = vec![Issuer::parse("ops").unwrap()], &["/issuer_aliases/0"]);
        let named = |t: &mut Tenant| t.resource_servers[0].audience = "svc".to_owned();
        check(&state, &named, &["/resource_servers/svc"]);
        // A client that was declared and retired comes back with its name.
        state.clients[0].lifecycle =
            RowLifecycle { retired_at: Some(NOW), ..RowLifecycle::fresh(ManagedBy::Config, NOW) };
        check(&state, &named, &["/resource_servers/svc"]);
        state.clients[0].lifecycle.deleted_at = Some(NOW);
        check(&state, &named, &[]);
    }

    #[test]
    fn an_issuer_of_another_tenant_is_taken_and_one_s_own_is_not() {
        let tenant = state("t").tenant;
        let check = |issuer: &str, owner: &str, expected: &[&str]| {
            let mut errors = FieldErrors::default();
            let owners = [(Issuer::parse(issuer).unwrap(), tenant_id(owner))];
            check_issuers(&mut errors, &tenant, &owners);
            let found: Vec<_> = errors.into_vec().into_iter().map(|error| error.pointer).collect();
            assert_eq!(found, expected);
        };
        check("thunder", "other", &["/issuer_aliases/0"]);
        check("thunder", "t", &[]);
        check("https://id.example.com/api/v1/tenant/t", "other", &["/issuer"]);
        check("unrelated", "other", &[]);
    }
}

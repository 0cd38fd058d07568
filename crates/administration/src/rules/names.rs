//! Names that must not mean two things within a tenant. A token without a requested resource may have its
//! client's id as `aud`, so no audience, resource or issuer may have the name of a client.

use std::collections::HashMap;

use registry::Client;
use tenancy::{Issuer, ResourceServer, Tenant, TenantId};

use super::FieldErrors;
use super::text::member;
use crate::TenantState;

/// The names of a tenant that no client may have as its id, each with what it is.
#[derive(Debug)]
pub struct TakenNames<'a>(HashMap<&'a str, &'static str>);

impl<'a> TakenNames<'a> {
    /// The names of a tenant with these resource servers and clients.
    pub fn new(
        tenant: &'a Tenant,
        servers: impl Iterator<Item = &'a ResourceServer>,
        clients: impl Iterator<Item = &'a Client>,
    ) -> Self {
        let mut taken = HashMap::new();
        for client in clients {
            taken.extend(client.resources.iter().map(|name| (name.as_str(), "a resource")));
            taken.extend(client.audiences.iter().map(|name| (name.as_str(), "an audience")));
        }
        taken.extend(servers.map(|server| (server.audience.as_str(), "a resource server")));
        taken.extend(tenant.issuer_aliases.iter().map(|name| (name.as_str(), "an issuer alias")));
        taken.insert(tenant.issuer.as_str(), "the issuer");
        Self(taken)
    }

    /// The other meaning of this client's id, if it has one.
    #[must_use]
    pub fn role_of(&self, client: &Client) -> Option<&'static str> {
        self.0.get(client.id.as_str()).copied()
    }

    /// No client has the id of something else.
    pub fn check(&self, errors: &mut FieldErrors, client: &Client) {
        if let Some(what) = self.role_of(client) {
            let detail = format!("the client id is {what} of this tenant, too");
            errors.refuse("/client_id", detail, "choose another id for the client");
        }
    }
}

/// Checks the new state of a client against all other names of its tenant. Names of deleted rows are free for
/// other kinds. A retired resource server keeps its name, because it may be declared again.
pub(crate) fn check_client_names(
    errors: &mut FieldErrors,
    client: &Client,
    tenant: &Tenant,
    state: &TenantState,
) {
    let others = || {
        let rows = state.clients.iter().filter(|row| row.lifecycle.deleted_at.is_none());
        rows.map(|row| &row.client).filter(|other| other.id != client.id)
    };
    let rows = state.resource_servers.iter().filter(|row| row.lifecycle.deleted_at.is_none());
    let servers = rows.map(|row| &row.resource_server).chain(&tenant.resource_servers);
    TakenNames::new(tenant, servers, others()).check(errors, client);
    for (list, names) in [("audiences", &client.audiences), ("resources", &client.resources)] {
        for (index, name) in names.iter().enumerate() {
            if *name == client.id.as_str() || others().any(|other| other.id.as_str() == name) {
                errors.refuse(&format!("/{list}/{index}"), CLASH, HINT);
            }
        }
    }
}

const CLASH: &str = "this is the id of a client of this tenant";
const HINT: &str = "choose another name";
const OWN: &str = "give every tenant issuers of its own";

/// A tenant, as it is to be, against the ids of its clients.
pub(crate) fn check_tenant_names(errors: &mut FieldErrors, tenant: &Tenant, state: &TenantState) {
    let is_client = |name: &str| {
        let mut rows = state.clients.iter().filter(|row| row.lifecycle.deleted_at.is_none());
        rows.any(|row| row.client.id.as_str() == name)
    };
    let servers = tenant.resource_servers.iter().map(|server| &server.audience);
    let servers = servers.map(|audience| (member("/resource_servers", audience), audience.as_str()));
    let issuers = issuers(tenant).map(|(at, issuer)| (at, issuer.as_str()));
    for (at, _) in issuers.chain(servers).filter(|(_, name)| is_client(name)) {
        errors.refuse(&at, CLASH, HINT);
    }
}

/// The tenant's issuer and its aliases, each with its pointer.
fn issuers(tenant: &Tenant) -> impl Iterator<Item = (String, &Issuer)> {
    let aliases = tenant.issuer_aliases.iter().enumerate();
    let aliases = aliases.map(|(index, alias)| (format!("/issuer_aliases/{index}"), alias));
    std::iter::once(("/issuer".to_owned(), &tenant.issuer)).chain(aliases)
}

/// An issuer or alias belongs to one tenant, whatever the status of that tenant is. `owner_of` finds the
/// tenant that has an issuer; this may be the checked tenant itself.
pub fn check_issuer_owners<'a>(
    errors: &mut FieldErrors,
    tenant: &Tenant,
    owner_of: impl Fn(&Issuer) -> Option<&'a TenantId>,
) {
    for (at, issuer) in issuers(tenant) {
        if let Some(owner) = owner_of(issuer).filter(|owner| **owner != tenant.id) {
            errors.refuse(&at, format!("tenant `{owner}` has the same issuer or alias"), OWN);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::test_states::{NOW, client, pointers, state, tenant_id, with};
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
        check_client_names(&mut errors, &new, &state.tenant, &state);
        assert_eq!(pointers(errors.into_vec()), expected, "{id} {audiences:?} {resources:?}");
    }

    // [rfc9700 §2.6 b]: A client cannot choose an identifier that could be confused with a resource owner or
    //   a resource | No client id equals an audience, resource, issuer or alias of its tenant, at every
    //   interface, in both directions
    // [V9 9.2.4]
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
        let before = state.tenant.clone();
        let check = |state: &TenantState, change: &dyn Fn(&mut Tenant), expected: &[&str]| {
            let mut errors = FieldErrors::default();
            check_tenant_names(&mut errors, &with(before.clone(), change), state);
            assert_eq!(pointers(errors.into_vec()), expected);
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
            let (taken, owner) = (Issuer::parse(issuer).unwrap(), tenant_id(owner));
            check_issuer_owners(&mut errors, &tenant, |issuer| (*issuer == taken).then_some(&owner));
            assert_eq!(pointers(errors.into_vec()), expected);
        };
        check("thunder", "other", &["/issuer_aliases/0"]);
        check("thunder", "t", &[]);
        check("https://id.example.com/api/v1/tenant/t", "other", &["/issuer"]);
        check("unrelated", "other", &[]);
    }
}

//! Ambiguous names within a tenant. A token for a request without a resource may have the client's id as
//! `aud`. So no audience, resource or issuer may have the name of a client. Another spelling of the same URI
//! is refused, too, if one of the two names is new.

use std::collections::HashMap;

use protocol::CanonicalResource;
use registry::Client;
use tenancy::{Issuer, ResourceServer, Tenant, TenantId};

use super::FieldErrors;
use super::text::member;
use crate::edit::FieldError;
use crate::kinds::TenantState;

/// The names of a tenant that no client may have as its id, with the meaning of each.
#[derive(Debug)]
pub struct TakenNames<'a> {
    exact: HashMap<&'a str, &'static str>,
    canonical: HashMap<CanonicalResource<'a>, &'a str>,
}

impl<'a> TakenNames<'a> {
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
        Self {
            canonical: taken.keys().map(|name| (CanonicalResource::new(name), *name)).collect(),
            exact: taken,
        }
    }

    /// The other meaning of this client's id, if there is one.
    #[must_use]
    pub fn role_of(&self, client: &Client) -> Option<&'static str> {
        self.exact.get(client.id.as_str()).copied()
    }

    /// Another spelling of this client's id that has a different meaning, if there is one.
    pub(crate) fn other_spelling(&self, client: &Client) -> Option<&'a str> {
        let found = self.canonical.get(&CanonicalResource::new(client.id.as_str())).copied();
        found.filter(|name| *name != client.id.as_str())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.exact.contains_key(name)
    }

    fn spelled_otherwise(&self, client: &Client) -> Option<FieldError> {
        let name = self.other_spelling(client).filter(|_| self.role_of(client).is_none())?;
        let detail =
            format!("`{name}` is {} of this tenant and another spelling of the client id", self.exact[name]);
        Some(FieldError::at("/client_id", detail).with_hint("choose another id for the client"))
    }

    /// Refuses a client id that has another meaning.
    pub fn check(&self, errors: &mut FieldErrors, client: &Client) {
        if let Some(what) = self.role_of(client) {
            let detail = format!("the client id is also {what} of this tenant");
            errors.refuse("/client_id", detail, "choose another id for the client");
        }
    }

    /// Warns of a client id if another spelling of it has a different meaning. Both may be in the store
    /// already, so this is not an error.
    pub fn warn_of_spelling(&self, errors: &mut FieldErrors, client: &Client) {
        self.spelled_otherwise(client).into_iter().for_each(|warning| errors.warn(warning));
    }
}

/// Refuses those of the new names that are another spelling of an existing or new name, each at its pointer.
pub(crate) fn spelled_twice<'n>(
    names: impl Iterator<Item = (String, &'n String)>,
    had: impl Fn(&String) -> bool,
) -> Vec<FieldError> {
    let (old, new): (Vec<_>, Vec<_>) = names.partition(|(_, name)| had(name));
    let mut seen: HashMap<_, _> =
        old.into_iter().map(|(_, name)| (CanonicalResource::new(name), name)).collect();
    let new = new.into_iter().filter_map(|(at, name)| {
        let known = *seen.entry(CanonicalResource::new(name)).or_insert(name);
        let detail = format!("`{name}` is another spelling of `{known}` (RFC 3986 §6.2)");
        (known != name).then(|| FieldError::at(at, detail).with_hint("remove one of the two"))
    });
    new.collect()
}

/// Whether a name is the id of one of the clients. `any_spelling` also compares other spellings.
fn is_id_of<'a>(mut clients: impl Iterator<Item = &'a Client>, name: &str, any_spelling: bool) -> bool {
    let canonical = CanonicalResource::new(name);
    clients.any(|client| {
        let id = client.id.as_str();
        id == name || (any_spelling && CanonicalResource::new(id) == canonical)
    })
}

/// Checks the new state of a client against all other names of its tenant. Other kinds of rows may use the
/// names of deleted rows. A retired resource server keeps its name, because it may be declared again.
pub(crate) fn check_client_names(
    errors: &mut FieldErrors,
    before: Option<&Client>,
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
    let taken = TakenNames::new(tenant, servers, others());
    taken.check(errors, client);
    if before.is_none() {
        errors.extend(taken.spelled_otherwise(client).into_iter().collect());
    }
    let had = |name: &String| {
        before.is_some_and(|before| before.audiences.contains(name) || before.resources.contains(name))
    };
    for (list, names) in [("audiences", &client.audiences), ("resources", &client.resources)] {
        for (index, name) in names.iter().enumerate() {
            if is_id_of(others().chain([client]), name, !had(name)) {
                errors.refuse(&format!("/{list}/{index}"), CLASH, HINT);
            }
        }
    }
}

const CLASH: &str = "a client of this tenant has this id";
const HINT: &str = "choose another name";
const OWN: &str = "give each tenant its own issuers";

/// Checks the new state of a tenant against the ids of its clients.
pub(crate) fn check_tenant_names(
    errors: &mut FieldErrors,
    before: Option<&Tenant>,
    tenant: &Tenant,
    state: &TenantState,
) {
    let is_client = |name: &str| {
        let rows = state.clients.iter().filter(|row| row.lifecycle.deleted_at.is_none());
        let had =
            before.is_some_and(|before| before.is_issuer(name) || before.resource_server(name).is_some());
        is_id_of(rows.map(|row| &row.client), name, !had)
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

/// Requires that each issuer or alias belongs to one tenant, whatever the tenant's status is. `owner_of`
/// finds the tenant with an issuer, which may be the checked tenant itself.
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
    use crate::kinds::state::{ManagedBy, RowLifecycle};

    fn check(id: &str, audiences: &[&str], resources: &[&str], expected: &[&str]) {
        check_since(false, id, audiences, resources, expected);
    }

    fn check_since(has_names: bool, id: &str, audiences: &[&str], resources: &[&str], expected: &[&str]) {
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
        let before = has_names.then(|| new.clone());
        let mut errors = FieldErrors::default();
        check_client_names(&mut errors, before.as_ref(), &new, &state.tenant, &state);
        assert_eq!(pointers(errors.into_vec()), expected, "{id} {audiences:?} {resources:?}");
    }

    // [rfc9700 §2.6 b]: A client cannot choose an identifier that could be confused with a resource owner or
    //   a resource | No client id equals an audience, resource, issuer or alias of its tenant, at every
    //   interface, in both directions
    // [V9 9.2.4]
    #[test]
    fn client_ids_and_audiences_must_differ() {
        check("new", &["api", "other"], &[], &[]);
        for id in
            ["api", "retired", "thunder", "https://id.example.com/api/v1/tenant/t", "https://r.example.com"]
        {
            check(id, &[], &[], &["/client_id"]);
        }
        check("new", &["x", "svc"], &["ops", "y"], &["/audiences/1", "/resources/0"]);
        check("new", &["new"], &["new"], &["/audiences/0", "/resources/0"]);
        // Other kinds of rows may use the names of a deleted client.
        check("of-gone", &["gone"], &[], &[]);
    }

    // For example `https://mcp.example.com` is a client id and `https://mcp.example.com/` a resource.
    #[test]
    fn new_name_cannot_be_another_spelling() {
        for id in ["https://r.example.com/", "HTTPS://R.example.com:443"] {
            check(id, &[], &[], &["/client_id"]);
            check_since(true, id, &[], &[], &[]);
        }
        check("https://r.example.com/v1", &["https://r.example.com/v2"], &[], &[]);
        let (id, other) = ("https://c.example.com", ["https://C.example.com/"]);
        check(id, &[], &other, &["/resources/0"]);
        check_since(true, id, &[], &other, &[]);
        check_since(true, id, &[id], &[], &["/audiences/0"]);

        let mut state = state("t");
        state.clients[0].client.id = "https://c.example.com".parse().unwrap();
        let before = state.tenant.clone();
        let named = with(before.clone(), |t| t.resource_servers[0].audience = other[0].to_owned());
        for (before, expected) in
            [(&before, &["/resource_servers/https:~1~1C.example.com~1"][..]), (&named, &[])]
        {
            let mut errors = FieldErrors::default();
            check_tenant_names(&mut errors, Some(before), &named, &state);
            assert_eq!(pointers(errors.into_vec()), expected);
        }
    }

    #[test]
    fn tenant_names_cannot_equal_client_ids() {
        let mut state = state("t");
        let before = state.tenant.clone();
        let check = |state: &TenantState, change: &dyn Fn(&mut Tenant), expected: &[&str]| {
            let mut errors = FieldErrors::default();
            check_tenant_names(&mut errors, Some(&before), &with(before.clone(), change), state);
            assert_eq!(pointers(errors.into_vec()), expected);
        };
        check(&state, &|_| {}, &[]);
        check(&state, &|t| t.issuer = Issuer::parse("svc").unwrap(), &["/issuer"]);
        check(&state, &|t| t.issuer_aliases = vec![Issuer::parse("ops").unwrap()], &["/issuer_aliases/0"]);
        let named = |t: &mut Tenant| t.resource_servers[0].audience = "svc".to_owned();
        check(&state, &named, &["/resource_servers/svc"]);
        // A client that was declared and retired gets its name back.
        state.clients[0].lifecycle =
            RowLifecycle { retired_at: Some(NOW), ..RowLifecycle::fresh(ManagedBy::Config, NOW) };
        check(&state, &named, &["/resource_servers/svc"]);
        state.clients[0].lifecycle.deleted_at = Some(NOW);
        check(&state, &named, &[]);
    }

    #[test]
    fn issuer_of_another_tenant_is_refused() {
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

//! Creates a tenant, with its first client if the request has one.

use tenancy::{Tenant, TenantId};

use super::client_create::{NewClientRow, make};
use super::{Edit, EditContext, Facts, invalid, ok_unless_errors, resource_servers};
use crate::rules::{FieldErrors, check_introspection_clients, check_issuer_owners, check_tenant};
use crate::{
    Change, ChangeKind, ClientState, EditError, ManagedBy, Permission, ResourceServerState, RowChange,
    RowLifecycle, TenantSettings, TenantState, limits, new_names,
};

/// The id of a tenant that an interface may create.
pub(crate) fn new_tenant_id(text: &str) -> Result<TenantId, EditError> {
    let id = TenantId::parse(text).map_err(|error| invalid("/id", error.to_string()))?;
    if id.as_str() == TenantId::PLATFORM {
        return Err(invalid("/id", "`platform` is Latchkey's own; `latchkey admin init` makes it"));
    }
    Ok(id)
}

/// What is written, and the tenant after it.
pub(crate) fn create(
    context: EditContext<'_>,
    facts: &Facts,
    id: &TenantId,
    settings: &TenantSettings,
    first: Option<&NewClientRow<'_>>,
) -> Result<(Edit, TenantState), EditError> {
    context.by.require_everywhere(Permission::Tenants)?;
    if let Some(state) = &facts.state {
        return Err(EditError::Conflict(if state.lifecycle.deleted_at.is_some() {
            format!("tenant {id} was deleted and its id stays reserved; choose another id")
        } else {
            format!("tenant {id} exists already")
        }));
    }
    let mut errors = FieldErrors::default();
    let tenant = check_tenant(&mut errors, context.tenant_context(), id, settings);
    errors.extend(new_names::of_tenant(None, &tenant));
    errors.extend(limits::of_tenant(None, &tenant));
    check_issuer_owners(&mut errors, &tenant, |issuer| facts.owner_of(issuer));
    check_introspection_clients(&mut errors, None, &tenant, |client| {
        first.is_some_and(|first| first.id.as_str() == client)
    });
    let mut state = ok_unless_errors(fresh(context, tenant), errors.into_vec())?;
    let mut edit = add(&state.tenant);
    if let Some(first) = first {
        let (more, client) = make(context, &state, first)?;
        edit.extend(more);
        state.clients.push(client);
    }
    Ok((edit, state))
}

/// The rows of a new tenant.
fn fresh(context: EditContext<'_>, tenant: Tenant) -> TenantState {
    let lifecycle = RowLifecycle::fresh(ManagedBy::Api, context.now);
    let rows = tenant.resource_servers.iter();
    TenantState {
        resource_servers: rows
            .map(|server| ResourceServerState { resource_server: server.clone(), lifecycle })
            .collect(),
        tenant,
        lifecycle,
        revision: 1,
        previous_tokens_until: None,
        client_count: 0,
        clients: Vec::<ClientState>::new(),
        first_key_thumbprint: None,
        has_had_keys: false,
    }
}

/// What writes them.
fn add(tenant: &Tenant) -> Edit {
    let row = RowChange::of(ChangeKind::Added, None, tenant.clone());
    let mut edit = Edit::of(Change::Tenant(row));
    edit.changes.extend(resource_servers::changes(None, tenant));
    edit
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::test_states::{
        NOW, ask, client_id, described, facts, material, operator, state, tenant_id,
    };
    use super::*;
    use crate::ClientSettings;

    fn check(facts: &Facts, settings: Value, first: Option<(&str, Value)>, expected: &str) {
        let settings = TenantSettings::read(settings).unwrap();
        let secret = material();
        let first = first.map(|(id, settings)| (id, ClientSettings::read(settings).unwrap()));
        let row = first.as_ref().map(|(id, settings)| NewClientRow {
            id: client_id(id),
            settings,
            secret: &secret,
            at: "/client",
        });
        let made = ask(&operator(), |context| {
            create(context, facts, &tenant_id("acme"), &settings, row.as_ref()).map(|(edit, _)| edit)
        });
        assert_eq!(described(made), expected);
    }

    #[test]
    fn a_tenant_comes_with_its_resource_servers_and_its_first_client() {
        let none = Facts::default();
        check(&none, json!({}), None, "tenant added");
        let servers = json!({ "resource_servers": { "api": { "clients": ["svc"] } } });
        check(
            &none,
            servers.clone(),
            Some(("svc", json!({ "scopes": ["latchkey:clients"] }))),
            "tenant added, api added, svc added, svc/s1 added until never",
        );
        check(&none, servers.clone(), Some(("other", json!({}))), "/resource_servers/api/clients/0");
        check(&none, servers, Some(("api", json!({}))), "/resource_servers/api/clients/0");
        check(
            &none,
            json!({ "resource_servers": { "api": {} } }),
            Some(("api", json!({}))),
            "/client/client_id",
        );
        check(&none, json!({}), Some(("urn:latchkey:x", json!({}))), "/client/client_id");
        check(&none, json!({}), Some(("svc", json!({ "scopes": [""] }))), "/client/scopes/0");
    }

    #[test]
    fn an_id_is_given_once_and_an_issuer_to_one_tenant() {
        check(&facts(state("acme")), json!({}), None, "conflict");
        let mut deleted = state("acme");
        deleted.lifecycle.deleted_at = Some(NOW);
        check(&facts(deleted), json!({}), None, "conflict");
        let thunder = tenancy::Issuer::parse("thunder").unwrap();
        let taken = Facts { issuer_owners: vec![(thunder, tenant_id("other"))], ..Facts::default() };
        check(&taken, json!({ "issuer_aliases": ["thunder"] }), None, "/issuer_aliases/0");
        check(&taken, json!({}), None, "tenant added");
    }

    #[test]
    fn an_id_has_a_shape_and_is_not_the_platform_s() {
        for (id, fits) in [("acme", true), ("platform", false), ("Acme", false), ("", false), ("a_b", false)]
        {
            assert_eq!(new_tenant_id(id).is_ok(), fits, "{id}");
        }
    }

    #[test]
    fn created_tenants_are_shown_as_stored() {
        let settings = TenantSettings::default();
        let (edit, made) = ask(&operator(), |context| {
            create(context, &Facts::default(), &tenant_id("acme"), &settings, None)
        })
        .unwrap();
        let Change::Tenant(row) = &edit.changes[0] else { panic!("{edit:?}") };
        assert_eq!((&*row.after, made.lifecycle.created_at), (&made.tenant, NOW));
    }
}

//! Creates a tenant, with its first client if the request has one.

use tenancy::TenantId;

use super::client_create::{NewClientRow, make};
use super::{Edit, EditContext, invalid, ok_unless_errors, resource_servers, taken};
use crate::rules::{FieldErrors, check_introspection_clients, check_issuer_owners, check_tenant};
use crate::{
    Change, ChangeKind, EditError, ManagedBy, Permission, RowChange, RowLifecycle, TenantSettings,
    TenantState, limits, new_names,
};

/// The id of a tenant that an interface may create.
pub(crate) fn new_tenant_id(text: &str) -> Result<TenantId, EditError> {
    let id = TenantId::parse(text).map_err(|error| invalid("/id", error.to_string()))?;
    if id.as_str() == TenantId::PLATFORM {
        return Err(invalid("/id", "`platform` is Latchkey's own; `latchkey admin init` makes it"));
    }
    Ok(id)
}

/// A tenant with its resource servers and its first client.
pub(crate) fn create(
    context: EditContext<'_>,
    id: &TenantId,
    settings: &TenantSettings,
    first: Option<&NewClientRow<'_>>,
) -> Result<Edit, EditError> {
    context.by.require_everywhere(Permission::Tenants)?;
    if let Some(state) = &context.facts.state {
        return Err(taken("tenant", id, &state.lifecycle));
    }
    let mut errors = FieldErrors::default();
    let tenant = check_tenant(&mut errors, context.tenant_context(), id, settings);
    errors.extend(new_names::of_tenant(None, &tenant));
    errors.extend(limits::of_tenant(None, &tenant));
    check_issuer_owners(&mut errors, &tenant, |issuer| context.facts.owner_of(issuer));
    check_introspection_clients(&mut errors, None, &tenant, |client| {
        first.is_some_and(|first| first.id.as_str() == client)
    });
    let tenant = ok_unless_errors(tenant, errors.into_vec())?;
    let mut edit = Edit::of(Change::Tenant(RowChange::of(ChangeKind::Added, None, tenant.clone())));
    edit.changes.extend(resource_servers::changes(None, &tenant));
    if let Some(first) = first {
        let state = TenantState::added(tenant, RowLifecycle::fresh(ManagedBy::Api, context.now));
        edit.extend(make(context, &state, first)?);
    }
    Ok(edit)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::Facts;
    use super::super::test_states::{
        NOW, ask, client_id, described, facts, material, operator, state, tenant_id,
    };
    use super::*;
    use crate::ClientSettings;

    fn check(facts: &Facts, settings: Value, first: Option<(&str, Value)>, expected: &str) {
        let settings = TenantSettings::read(settings).unwrap();
        let first = first.map(|(id, settings)| (id, ClientSettings::read(settings).unwrap()));
        let row = first.as_ref().map(|(id, settings)| NewClientRow {
            id: client_id(id),
            settings,
            secret: material(),
            at: "/client",
        });
        let made = ask(&operator(), |context| {
            create(context.on(facts), &tenant_id("acme"), &settings, row.as_ref())
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
        let (settings, client) = (TenantSettings::default(), ClientSettings::default());
        let first = NewClientRow { id: client_id("svc"), settings: &client, secret: material(), at: "" };
        let request = ask(&operator(), |context| {
            let edit = create(context.on(&Facts::default()), &tenant_id("acme"), &settings, Some(&first))?;
            Ok::<_, EditError>(edit.into_request(context.by.actor(), context.now, Facts::default()))
        });
        let request = request.unwrap();
        let made = request.after().unwrap();
        let Change::Tenant(row) = &request.changes[0] else { panic!("{request:?}") };
        assert_eq!((&*row.after, made.lifecycle.created_at), (&made.tenant, NOW));
        let client = made.client(&client_id("svc")).unwrap();
        assert_eq!((client.lifecycle.created_at, client.secrets[0].secret.hint.as_str()), (NOW, "9xQ2"));
    }
}

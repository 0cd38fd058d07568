//! Creates a client with its first secret.

use registry::{Client, ClientId};
use tenancy::TenantId;

use super::{Edit, EditContext, SecretMaterial, ok_unless_errors, privilege, secret_create, taken};
use crate::rules::{FieldErrors, LONGEST_ID, check_client, check_client_names};
use crate::{
    Change, ChangeKind, ClientSettings, EditError, Permission, RowChange, TenantState, limits, new_names,
};

/// The client to create. `at` is its pointer in the request, for errors.
#[derive(Debug)]
pub(crate) struct NewClientRow<'a> {
    pub(crate) id: ClientId,
    pub(crate) settings: &'a ClientSettings,
    pub(crate) secret: SecretMaterial,
    pub(crate) at: &'static str,
}

/// A client and its secret.
pub(crate) fn create(
    context: EditContext<'_>,
    tenant: &TenantId,
    new: &NewClientRow<'_>,
) -> Result<Edit, EditError> {
    context.by.require_in(tenant, Permission::Clients)?;
    make(context, context.facts.tenant()?, new)
}

/// As [`create`], in a tenant that may be as new, for an actor that may create clients in it.
pub(super) fn make(
    context: EditContext<'_>,
    state: &TenantState,
    new: &NewClientRow<'_>,
) -> Result<Edit, EditError> {
    let NewClientRow { id, settings, secret, at } = new;
    let mut errors = FieldErrors::below(at);
    let client = check_client(&mut errors, &state.tenant, id, settings);
    let secret = Some(secret).filter(|_| client.authentication_method.allows_secret());
    register(context, state, errors, client, secret)
}

/// Adds a client whose fields were read to those of the tenant.
pub(super) fn register(
    context: EditContext<'_>,
    state: &TenantState,
    mut errors: FieldErrors,
    client: Client,
    secret: Option<&SecretMaterial>,
) -> Result<Edit, EditError> {
    let id = &client.id;
    if let Some(row) = state.clients.iter().find(|row| row.client.id == *id) {
        return Err(taken("client", id, &row.lifecycle));
    }
    let count = state.client_count;
    if let Some(message) = limits::of_clients(&state.tenant, count, count + 1, context.policy.clients) {
        return Err(EditError::LimitReached(format!("tenant {} {message}", state.tenant.id)));
    }
    errors.extend(limits::of_client(None, &client));
    errors.check_name("/client_id", "the client id", id.as_str(), LONGEST_ID);
    errors.extend(new_names::of_client(None, &client));
    check_client_names(&mut errors, &client, &state.tenant, state);
    let client = ok_unless_errors(client, errors.into_vec())?;
    privilege::require_grant(context, None, &client)?;
    let secret = secret.map(|secret| secret_create::add(&client, &[], secret, None, context.now));
    let mut edit = Edit::of(Change::Client(RowChange::of(ChangeKind::Added, None, client)));
    edit.extend(secret.unwrap_or_default());
    Ok(edit)
}

#[cfg(test)]
mod tests {
    use super::super::test_states::{
        NOW, ask, client_id, described, facts, material, operator, policy, state, tenant_id,
    };
    use super::*;
    use crate::ManagedBy;

    fn check(id: &str, change: impl Fn(&mut TenantState), expected: &str) {
        let mut state = state("t");
        change(&mut state);
        let settings = ClientSettings::default();
        let new = NewClientRow { id: client_id(id), settings: &settings, secret: material(), at: "" };
        let made = ask(&operator(), |context| create(context.on(&facts(state)), &tenant_id("t"), &new));
        assert_eq!(described(made), expected);
    }

    #[test]
    fn a_tenant_at_its_limit_gets_no_more_clients() {
        let settings = ClientSettings::default();
        for (count, expected) in [
            (policy().clients - 1, "new added, new/s1 added until never"),
            (policy().clients, "limit reached"),
            (policy().clients + 5, "limit reached"),
        ] {
            let new = NewClientRow { id: client_id("new"), settings: &settings, secret: material(), at: "" };
            let facts = facts(TenantState { client_count: count, ..state("t") });
            let made = ask(&operator(), |context| create(context.on(&facts), &tenant_id("t"), &new));
            assert_eq!(described(made), expected, "{count}");
        }
    }

    #[test]
    fn an_id_is_given_once() {
        check("new", |_| {}, "new added, new/s1 added until never");
        check("svc", |_| {}, "conflict");
        check("svc", |t| t.clients[0].lifecycle.deleted_at = Some(NOW), "conflict");
        check("svc", |t| t.clients[0].lifecycle.managed_by = ManagedBy::Config, "conflict");
        check("api", |_| {}, "/client_id");
        check("urn:latchkey:x", |_| {}, "/client_id");
        for unseen in ["new\u{200b}", "n\u{202e}ew", "\u{feff}new", "new\u{2028}"] {
            check(unseen, |_| {}, "/client_id");
        }
        check("new", |t| t.lifecycle.deleted_at = Some(NOW), "there is no tenant of this id");
        // The tenant is declared; clients of the API's live in it all the same.
        check("new", |t| t.lifecycle.managed_by = ManagedBy::Config, "new added, new/s1 added until never");
    }
}

//! Creates, replaces or deletes an application with its client. The rules for clients also apply to the
//! client of an application.

use protocol::GrantType;
use registry::{Client, ClientId};
use secrets::{PasswordSalt, SecretHash, salt_of};
use values::{Secret, Timestamp};

use super::{Edit, EditContext, Edited, SecretMaterial, client, privilege, secret};
use crate::documents::application;
use crate::documents::application::{ApplicationError, ApplicationState};
use crate::edit::EditError;
use crate::kinds::change::{ChangeKind, RowChange};
use crate::kinds::{Permission, TenantState};
use crate::rules::FieldErrors;
use crate::{edit, kinds};

/// A request, with the ids for new rows.
#[derive(Clone, Copy)]
pub(crate) struct NewApplication<'a> {
    pub(crate) id: application::ApplicationId,
    pub(crate) put: application::PutApplication<'a>,
    /// The id of the client if the request has none.
    pub(crate) client: &'a ClientId,
}

/// The result of putting an application.
pub(crate) enum Put {
    Edit(Edit, Box<ApplicationState>),
    /// The secret of this client must be hashed first, with the salt of the client's chosen secrets.
    Hash(ClientId, Option<PasswordSalt>),
}

/// Deletes the application with its client. The name becomes available again. The id of the client stays
/// reserved.
pub(crate) fn delete(context: EditContext<'_>) -> Result<Edit, ApplicationError> {
    let (_, application, row) = find(context)?;
    let mut edit =
        Edit::from_change(RowChange::new(ChangeKind::Deleted, Some(application), application.clone()));
    edit.extend(end_client(context, row)?);
    Ok(edit)
}

/// The application with its client. The client is left out if it is retired or deleted.
pub(crate) fn look(context: EditContext<'_>) -> Result<ApplicationState, ApplicationError> {
    let (_, application, row) = find(context)?;
    let client = row.filter(|row| row.lifecycle.is_live()).map(|row| row.client.clone());
    Ok(ApplicationState { application: application.clone(), client, secret: None })
}

/// Creates or replaces an application with its client. A new client gets a secret unless it is public. An
/// existing client gets a secret only if the request has one. `hashed` is the result of the last
/// [`Put::Hash`].
pub(crate) fn put<E: From<EditError> + From<ApplicationError>>(
    context: EditContext<'_>,
    new: NewApplication<'_>,
    hashed: Option<&(ClientId, SecretMaterial)>,
    translate: &application::Translate<'_, E>,
) -> Result<Put, E> {
    let NewApplication { id, put, client: new_id } = new;
    let (state, before, row) = if put.replaces.is_some() {
        let (state, before, row) = find(context)?;
        (state, Some(before), row)
    } else {
        (serving(context)?, None, None)
    };
    let tenant = context.tenant;
    let now = row.map(|row| &row.client);
    let client_id = now.map_or(new_id, |client| &client.id);
    let application::ApplicationDraft { document, client } =
        translate(application::ApplicationContext { tenant: &state.tenant, before, client: now, client_id })?;
    if context.facts.name_owner.is_some_and(|owner| owner != id) {
        return Err(ApplicationError::NameTaken.into());
    }
    let name = put.name.to_owned();
    let client = client.map(|client| Client { tenant: tenant.clone(), name: name.clone(), ..client });
    let hashes = client.as_ref().and_then(|client| match row {
        Some(row) => put.secret.map(|_| &row.client.id),
        None => (!client.is_public()).then_some(&client.id),
    });
    let secret = match (hashes, hashed) {
        (None, _) => None,
        (Some(client), Some((of, secret))) if of == client => Some(secret),
        (Some(client), _) => {
            return Ok(Put::Hash(client.clone(), row.and_then(|row| salt(row, context.now))));
        }
    };
    let (mut edit, client) = match client {
        Some(client) => put_client(context, state, row, client, secret)?,
        None => (end_client(context, row)?, None),
    };
    let (tenant, client_id) = (tenant.clone(), client.as_ref().map(|client| client.id.clone()));
    let created_at = before.map_or(context.now, |before| before.created_at);
    let application = application::Application { tenant, id, name, client: client_id, document, created_at };
    if before != Some(&application) {
        let kind = if before.is_some() { ChangeKind::Changed } else { ChangeKind::Added };
        edit.changes.push(RowChange::new(kind, before, application.clone()).into());
    }
    let secret = secret.map(|secret| Secret::new(secret.value.expose().to_owned()));
    Ok(Put::Edit(edit, Box::new(ApplicationState { application, client, secret })))
}

/// Creates the client. If the client exists, replaces the translated fields, and all secrets if there is a
/// new one.
fn put_client(
    context: EditContext<'_>,
    state: &TenantState,
    row: Option<&kinds::client::State>,
    client: Client,
    secret: Option<&SecretMaterial>,
) -> Result<(Edit, Option<Client>), ApplicationError> {
    let errors = FieldErrors::default();
    let Some(row) = row else {
        let made = client::register(context, state, errors, client.clone(), secret);
        return Ok((made.map_err(ApplicationError::Client)?, Some(client)));
    };
    privilege::require_touch(context, &row.client)?;
    check_id(&client, row)?;
    let mut code_flow = row.client.code_flow.clone();
    if client.grant_types.contains(&GrantType::AuthorizationCode) {
        code_flow.redirect_uris = client.code_flow.redirect_uris;
        code_flow.require_pkce = client.code_flow.require_pkce;
    }
    // Fields that the interface does not translate stay unchanged.
    let Client { name, authentication_method, grant_types, resources, scope, .. } = client;
    let Client { access_token_lifetime, issuer, .. } = client;
    let client = Client {
        name,
        authentication_method,
        grant_types,
        resources,
        scope,
        access_token_lifetime,
        issuer,
        code_flow,
        ..row.client.clone()
    };
    let replaced = client::replace(context, state, row, (errors, client.clone()), None);
    let mut edit = replaced.map_err(ApplicationError::Client)?;
    if let Some(secret) = secret {
        privilege::require_secret(context, &state.tenant, &row.client)?;
        edit.extend(secret::replace_all(row, secret, context.now));
    }
    Ok((edit, Some(client)))
}

/// The salt that the client's chosen secrets share.
fn salt(row: &kinds::client::State, now: Timestamp) -> Option<PasswordSalt> {
    let mut live = row.secrets.iter().map(|row| &row.secret).filter(|secret| secret.is_live(now));
    live.find_map(|secret| match &secret.hash {
        SecretHash::Password(phc) => salt_of(phc),
        SecretHash::Token(_) => None,
    })
}

/// Returns the tenant if it is active and the caller may change it.
fn serving(context: EditContext<'_>) -> Edited<&TenantState> {
    context.by.require_in(context.tenant, Permission::Clients)?;
    let state = context.facts.tenant()?;
    if state.lifecycle.serves() { Ok(state) } else { Err(EditError::NotFound("tenant")) }
}

fn find(
    context: EditContext<'_>,
) -> Result<(&TenantState, &application::Application, Option<&kinds::client::State>), ApplicationError> {
    let state = serving(context)?;
    let application = context.facts.application.as_ref().ok_or(ApplicationError::NotFound)?;
    let row = state.clients.iter().find(|row| Some(&row.client.id) == application.client.as_ref());
    Ok((state, application, row))
}

fn check_id(client: &Client, row: &kinds::client::State) -> Result<(), ApplicationError> {
    if client.id != row.client.id {
        Err(ApplicationError::ClientIdChanged)
    } else if row.lifecycle.deleted_at.is_some() {
        Err(ApplicationError::ClientDeleted)
    } else {
        Ok(())
    }
}

/// Deletes the client, unless another interface has already deleted it.
fn end_client(context: EditContext<'_>, row: Option<&kinds::client::State>) -> Edited {
    match row.filter(|row| row.lifecycle.deleted_at.is_none()) {
        Some(row) => client::step(context, &row.client.id, edit::client::Step::Delete),
        None => Ok(Edit::default()),
    }
}

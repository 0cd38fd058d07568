//! Applications: an application is put or deleted with its client. The rules of clients hold for its client, too.

use protocol::ClientAuthenticationMethod;
use registry::{Client, ClientId};
use secrets::{PasswordSalt, SecretHash, salt_of};
use tenancy::TenantId;

use super::{
    ClientStep, Edit, EditContext, Facts, SecretMaterial, client_create, client_lifecycle, client_patch,
    privilege, secret_create,
};
use crate::rules::FieldErrors;
use crate::{
    Application, ApplicationContext, ApplicationDraft, ApplicationError, ApplicationId, ApplicationState,
    Change, ChangeKind, ClientState, EditError, Permission, PutApplication, RowChange, TenantState,
    Translate,
};

/// A request with the identifiers that its rows get.
#[derive(Clone, Copy)]
pub(crate) struct NewApplication<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) id: ApplicationId,
    pub(crate) put: PutApplication<'a>,
    /// The id of its client where none is requested.
    pub(crate) client: &'a ClientId,
}

/// A translated request beside the present rows.
pub(crate) struct Draft<'a> {
    new: NewApplication<'a>,
    state: &'a TenantState,
    before: Option<&'a Application>,
    row: Option<&'a ClientState>,
    draft: ApplicationDraft,
}

/// The application is deleted with its client. Its name is free again, the client's id stays reserved.
pub(crate) fn delete(
    context: EditContext<'_>,
    facts: &Facts,
    tenant: &TenantId,
) -> Result<Edit, ApplicationError> {
    let (_, application, row) = find(context, facts, tenant)?;
    let mut edit = Edit::of(change(ChangeKind::Deleted, Some(application), application));
    edit.extend(end_client(context, facts, row)?);
    Ok(edit)
}

/// The application with its client, unless that is retired or deleted.
pub(crate) fn look(
    context: EditContext<'_>,
    facts: &Facts,
    tenant: &TenantId,
) -> Result<ApplicationState, ApplicationError> {
    let (_, application, row) = find(context, facts, tenant)?;
    let client = row.filter(|row| row.lifecycle.is_live()).map(|row| row.client.clone());
    Ok(ApplicationState { application: application.clone(), client, secret: None })
}

/// Translates the request and checks what holds whatever its client is.
pub(crate) fn draft<'a, E: From<EditError> + From<ApplicationError>>(
    context: EditContext<'_>,
    facts: &'a Facts,
    new: NewApplication<'a>,
    translate: &Translate<'_, E>,
) -> Result<Draft<'a>, E> {
    let (state, before, row) = if new.put.replaces.is_some() {
        let (state, before, row) = find(context, facts, new.tenant)?;
        (state, Some(before), row)
    } else {
        (serving(context, facts, new.tenant)?, None, None)
    };
    let client_id = row.map_or(new.client, |row| &row.client.id);
    let draft = translate(ApplicationContext { tenant: &state.tenant, before, client_id })?;
    if facts.name_owner.is_some_and(|owner| owner != new.id) {
        return Err(ApplicationError::NameTaken.into());
    }
    Ok(Draft { new, state, before, row, draft })
}

impl Draft<'_> {
    /// The client whose secret must be hashed before the decision: a new client, unless it is public, and a client for which a secret was
    /// sent.
    pub(crate) fn secret_client(&self) -> Option<ClientId> {
        let client = self.draft.client.as_ref()?;
        if let Some(row) = self.row {
            return self.new.put.secret.map(|_| row.client.id.clone());
        }
        let is_public = client.authentication_method == ClientAuthenticationMethod::None;
        (!is_public).then(|| client.id.clone())
    }

    /// The salt of the client's chosen secrets.
    pub(crate) fn salt(&self, context: EditContext<'_>) -> Option<PasswordSalt> {
        let live = self.row.into_iter().flat_map(|row| &row.secrets).map(|row| &row.secret);
        live.filter(|secret| secret.is_live(context.now)).find_map(|secret| match &secret.hash {
            SecretHash::Password(phc) => salt_of(phc),
            SecretHash::Token(_) => None,
        })
    }

    /// The edit and the application after it.
    pub(crate) fn put(
        self,
        context: EditContext<'_>,
        facts: &Facts,
        secret: Option<&SecretMaterial>,
    ) -> Result<(Edit, ApplicationState), ApplicationError> {
        let Self { new, state, before, row, draft: ApplicationDraft { document, client } } = self;
        let name = new.put.name.to_owned();
        let (mut edit, client) = match (client, row) {
            (Some(client), None) => {
                let client = Client { tenant: new.tenant.clone(), name, ..client };
                let errors = FieldErrors::default();
                let made = client_create::register(context, state, errors, client, secret);
                let (edit, made) = made.map_err(ApplicationError::Client)?;
                (edit, Some(made.client))
            }
            (Some(client), Some(row)) => {
                privilege::require_touch(context, &row.client)?;
                check_id(&client, row)?;
                let client = Client {
                    tenant: new.tenant.clone(),
                    name,
                    status: row.client.status,
                    description: row.client.description.clone(),
                    audiences: row.client.audiences.clone(),
                    introspection: row.client.introspection,
                    ..client
                };
                let replaced =
                    client_patch::replace(context, state, row, FieldErrors::default(), client.clone());
                let mut edit = replaced.map_err(ApplicationError::Client)?;
                if let Some(secret) = secret {
                    privilege::require_secret(context, &state.tenant, &row.client)?;
                    edit.extend(secret_create::replace_all(row, secret, context.now));
                }
                (edit, Some(client))
            }
            (None, row) => (end_client(context, facts, row)?, None),
        };
        let application = Application {
            tenant: new.tenant.clone(),
            id: new.id,
            name: new.put.name.to_owned(),
            client: client.as_ref().map(|client| client.id.clone()),
            document,
            created_at: before.map_or(context.now, |before| before.created_at),
        };
        if before != Some(&application) {
            let kind = if before.is_some() { ChangeKind::Changed } else { ChangeKind::Added };
            edit.changes.push(change(kind, before, &application));
        }
        Ok((edit, ApplicationState { application, client, secret: None }))
    }
}

/// The tenant, if it serves and the actor may change it.
fn serving<'a>(
    context: EditContext<'_>,
    facts: &'a Facts,
    tenant: &TenantId,
) -> Result<&'a TenantState, EditError> {
    context.by.require_in(tenant, Permission::Clients)?;
    let state = facts.tenant()?;
    if state.lifecycle.serves() { Ok(state) } else { Err(EditError::NotFound("tenant")) }
}

/// The application and its client.
fn find<'a>(
    context: EditContext<'_>,
    facts: &'a Facts,
    tenant: &TenantId,
) -> Result<(&'a TenantState, &'a Application, Option<&'a ClientState>), ApplicationError> {
    let state = serving(context, facts, tenant)?;
    let application = facts.application.as_ref().ok_or(ApplicationError::NotFound)?;
    let row = state.clients.iter().find(|row| Some(&row.client.id) == application.client.as_ref());
    Ok((state, application, row))
}

fn check_id(client: &Client, row: &ClientState) -> Result<(), ApplicationError> {
    if client.id != row.client.id {
        Err(ApplicationError::ClientIdChanged)
    } else if row.lifecycle.deleted_at.is_some() {
        Err(ApplicationError::ClientDeleted)
    } else {
        Ok(())
    }
}

/// Deletes the client, unless another interface has deleted it already.
fn end_client(context: EditContext<'_>, facts: &Facts, row: Option<&ClientState>) -> Result<Edit, EditError> {
    match row.filter(|row| row.lifecycle.deleted_at.is_none()) {
        Some(row) => {
            client_lifecycle::step(context, facts, (&row.client.tenant, &row.client.id), ClientStep::Delete)
        }
        None => Ok(Edit::default()),
    }
}

fn change(kind: ChangeKind, before: Option<&Application>, after: &Application) -> Change {
    Change::Application(RowChange::of(kind, before, after.clone()))
}

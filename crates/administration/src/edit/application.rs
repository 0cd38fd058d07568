//! An application of the Thunder-compatible API is put or goes: its own row, and its client by the rules of every door, whose refusals are told
//! in the codes of this one.

use registry::{Client, ClientId};
use tenancy::TenantId;

use super::application_draft::{Draft, NewApplication, draft, find};
use super::text::FieldErrors;
use super::{
    Edit, EditContext, Facts, SecretMaterial, client_create, client_lifecycle, client_patch, privilege,
    secret_create,
};
use crate::applications::{ApplicationDocument, Registration};
use crate::{
    Application, ApplicationCode, ApplicationError, Change, ChangeKind, ClientState, EditError,
    RejectedApplication, RowChange,
};

/// A secret that was hashed for this client.
pub(crate) struct PreparedSecret<'a> {
    pub(crate) client: &'a ClientId,
    pub(crate) material: &'a SecretMaterial,
}

/// An application as it is or will be.
pub(crate) struct ApplicationState {
    pub(crate) application: Application,
    pub(crate) document: ApplicationDocument,
    pub(crate) client: Option<Client>,
}

/// What is written, and what then is there; nothing where the prepared secret is not the one that is wanted any more.
pub(crate) fn put(
    context: EditContext<'_>,
    facts: &Facts,
    new: NewApplication<'_>,
    secret: Option<&PreparedSecret<'_>>,
) -> Result<Option<(Edit, ApplicationState)>, ApplicationError> {
    let draft = draft(context, facts, new)?;
    if draft.wants_secret(new).as_ref() != secret.map(|secret| secret.client) {
        return Ok(None);
    }
    let secret = secret.map(|secret| secret.material);
    let Draft { state, before, row, mut document, registration } = draft;
    let name = document.name.clone();
    let (mut edit, client) = match (registration, row) {
        (Some(registration), None) => {
            let id = registration.client_id.clone().unwrap_or_else(|| new.client.clone());
            let client = Client { name, ..registration.client(new.tenant, id) };
            let made = client_create::register(
                context,
                (state, facts.client_count),
                FieldErrors::default(),
                client,
                secret,
            );
            let (edit, made) = made.map_err(application_error)?;
            (edit, Some(made.client))
        }
        (Some(registration), Some(row)) => {
            privilege::require_touch(context, &row.client)?;
            let id = check_id(&registration, row)?;
            let client = Client {
                name,
                status: row.client.status,
                audiences: row.client.audiences.clone(),
                introspection: row.client.introspection,
                ..registration.client(new.tenant, id)
            };
            let replaced = client_patch::replace(context, state, row, FieldErrors::default(), client.clone());
            let mut edit = replaced.map_err(application_error)?;
            if let Some(secret) = secret {
                privilege::require_secret(context, &state.tenant, &row.client)?;
                edit.extend(secret_create::replace_all(row, secret, context.now));
            }
            (edit, Some(client))
        }
        (None, row) => (end_client(context, facts, row)?, None),
    };
    if let (Some(config), Some(client)) = (document.oauth_mut(), &client) {
        config.client_id = Some(client.id.to_string());
    }
    let application = Application {
        tenant: new.tenant.clone(),
        id: new.id,
        name: document.name.clone(),
        client: client.as_ref().map(|client| client.id.clone()),
        document: serde_json::to_value(&document).expect("a document of texts and JSON is JSON"),
        created_at: before.map_or(context.now, |before| before.created_at),
    };
    if before != Some(&application) {
        let kind = if before.is_some() { ChangeKind::Changed } else { ChangeKind::Added };
        edit.changes.push(change(kind, before, &application));
    }
    Ok(Some((edit, ApplicationState { application, document, client })))
}

/// It goes with its client. Its name is free again, the client's id stays reserved.
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
    Ok(ApplicationState {
        application: application.clone(),
        document: ApplicationDocument::of(application)?,
        client,
    })
}

fn check_id(registration: &Registration, row: &ClientState) -> Result<ClientId, RejectedApplication> {
    let id = &row.client.id;
    let (code, why) = if registration.client_id.as_ref().is_some_and(|requested| requested != id) {
        let why = "The client_id of an application cannot change; make another application";
        (ApplicationCode::InvalidClientId, why)
    } else if row.lifecycle.deleted_at.is_some() {
        let why =
            "The application's client was deleted and its id stays reserved; delete the application too";
        (ApplicationCode::ClientIdExists, why)
    } else {
        return Ok(id.clone());
    };
    Err(RejectedApplication::new(code, why))
}

/// A client that another door has deleted is gone already.
fn end_client(context: EditContext<'_>, facts: &Facts, row: Option<&ClientState>) -> Result<Edit, EditError> {
    match row.filter(|row| row.lifecycle.deleted_at.is_none()) {
        Some(row) => client_lifecycle::delete(context, facts, (&row.client.tenant, &row.client.id), None),
        None => Ok(Edit::default()),
    }
}

/// What stands against a client, in the codes that callers of this surface know.
fn application_error(error: EditError) -> ApplicationError {
    match error {
        EditError::Conflict(message) => {
            RejectedApplication::new(ApplicationCode::ClientIdExists, message).into()
        }
        EditError::Invalid(errors) => {
            let is_id = errors.iter().any(|error| error.pointer == "/client_id");
            let code =
                if is_id { ApplicationCode::InvalidClientId } else { ApplicationCode::InvalidOauthConfig };
            let details: Vec<_> = errors.into_iter().map(|error| error.detail).collect();
            RejectedApplication::new(code, details.join("; ")).into()
        }
        EditError::LimitReached(_) => {
            RejectedApplication::new(ApplicationCode::InvalidOauthConfig, error.to_string()).into()
        }
        other => other.into(),
    }
}

fn change(kind: ChangeKind, before: Option<&Application>, after: &Application) -> Change {
    let before = before.cloned().map(Box::new);
    Change::Application(RowChange { kind, before, after: Box::new(after.clone()) })
}

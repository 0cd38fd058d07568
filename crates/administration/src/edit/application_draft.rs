//! What is asked of an application, beside what there is of it: who asks may, it can stand, and its name is free.

use protocol::ClientAuthenticationMethod;
use registry::{ClientId, PasswordSalt, SecretHash, bidi_control_in_name, salt_of};
use tenancy::TenantId;

use super::{EditContext, Facts};
use crate::applications::{ApplicationDocument, Registration, judge};
use crate::new_names::code_point;
use crate::{
    Application, ApplicationCode, ApplicationError, ApplicationId, ApplicationRequest, ClientState,
    EditError, Permission, RejectedApplication, TenantState,
};

/// What is to stand in an application's place.
#[derive(Clone, Copy)]
pub(crate) struct NewApplication<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) id: ApplicationId,
    pub(crate) request: &'a ApplicationRequest,
    /// The id of its client where none is asked for.
    pub(crate) client: &'a ClientId,
    /// Whether there must be one already.
    pub(crate) replaces: bool,
}

/// What is asked for, beside what there is.
pub(super) struct Draft<'a> {
    pub(super) state: &'a TenantState,
    pub(super) before: Option<&'a Application>,
    pub(super) row: Option<&'a ClientState>,
    pub(super) document: ApplicationDocument,
    pub(super) registration: Option<Registration>,
}

/// For which client a secret must be hashed before anything is decided, and with which salt: for one that is made, unless it is public,
/// and for one that is sent a secret.
pub(crate) fn secret_wanted(
    context: EditContext<'_>,
    facts: &Facts,
    new: NewApplication<'_>,
) -> Result<Option<(ClientId, Option<PasswordSalt>)>, ApplicationError> {
    let draft = draft(context, facts, new)?;
    let live = draft.row.into_iter().flat_map(|row| &row.secrets).map(|row| &row.secret);
    let salt = live.filter(|secret| secret.is_live(context.now)).find_map(|secret| match &secret.hash {
        SecretHash::Password(phc) => salt_of(phc),
        SecretHash::Token(_) => None,
    });
    Ok(draft.wants_secret(new).map(|client| (client, salt)))
}

/// Refuses what cannot stand, whatever its client.
pub(super) fn draft<'a>(
    context: EditContext<'_>,
    facts: &'a Facts,
    new: NewApplication<'_>,
) -> Result<Draft<'a>, ApplicationError> {
    let mut document = new.request.document.clone();
    let (state, before, row) = if new.replaces {
        let (state, before, row) = find(context, facts, new.tenant)?;
        document = document.keeping_unseen(&ApplicationDocument::of(before)?);
        (state, Some(before), row)
    } else {
        (serving(context, facts, new.tenant)?, None, None)
    };
    let registration = judge(&document, new.request.secret.as_ref(), &state.tenant)?;
    let is_new_name = before.is_none_or(|before| before.name != document.name);
    if let Some(turning) = bidi_control_in_name(&document.name).filter(|_| is_new_name) {
        let why = format!("name holds {}, which turns the direction of what follows", code_point(turning));
        return Err(RejectedApplication::new(ApplicationCode::InvalidName, why).into());
    }
    if facts.name_owner.is_some_and(|owner| owner != new.id) {
        let why = "Another application of this tenant has the name";
        return Err(RejectedApplication::new(ApplicationCode::NameExists, why).into());
    }
    Ok(Draft { state, before, row, document, registration })
}

impl Draft<'_> {
    pub(super) fn wants_secret(&self, new: NewApplication<'_>) -> Option<ClientId> {
        let registration = self.registration.as_ref()?;
        if let Some(row) = self.row {
            return new.request.secret.as_ref().map(|_| row.client.id.clone());
        }
        let is_public = registration.authentication_method == ClientAuthenticationMethod::None;
        (!is_public).then(|| registration.client_id.as_ref().unwrap_or(new.client).clone())
    }
}

/// The tenant, if it serves and is the asker's to change.
fn serving<'a>(
    context: EditContext<'_>,
    facts: &'a Facts,
    tenant: &TenantId,
) -> Result<&'a TenantState, EditError> {
    context.require_in(tenant, Permission::Clients)?;
    let state = facts.tenant()?;
    if state.lifecycle.serves() { Ok(state) } else { Err(EditError::NotFound("tenant")) }
}

/// The application that was asked about, and its client.
pub(super) fn find<'a>(
    context: EditContext<'_>,
    facts: &'a Facts,
    tenant: &TenantId,
) -> Result<(&'a TenantState, &'a Application, Option<&'a ClientState>), ApplicationError> {
    let state = serving(context, facts, tenant)?;
    let application = facts.application.as_ref().ok_or_else(RejectedApplication::not_found)?;
    let row = state.clients.iter().find(|row| Some(&row.client.id) == application.client.as_ref());
    Ok((state, application, row))
}

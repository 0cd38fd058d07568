//! All tokens that a client or a tenant was issued until now are revoked. Nothing else of it changes, and it goes on getting tokens.

use registry::ClientId;
use tenancy::TenantId;

use super::client_patch::find;
use super::{Edit, EditContext};
use crate::{Change, EditError, Permission};

/// As suspending, it takes no privilege over the client.
pub(crate) fn of_client(context: EditContext<'_>, names: (&TenantId, &ClientId)) -> Result<Edit, EditError> {
    let (_, row) = find(context, names)?;
    Ok(Edit::of(Change::Tokens(names.0.clone(), Some(row.client.id.clone()))))
}

/// Of the platform's own tenant as well: its administrators request new tokens.
pub(crate) fn of_tenant(context: EditContext<'_>) -> Result<Edit, EditError> {
    context.by.require_everywhere(Permission::Tenants)?;
    Ok(Edit::of(Change::Tokens(context.facts.tenant()?.tenant.id.clone(), None)))
}

//! The rules of living administration, pure: what is asked and what there is go in; changes come out, or everything that stands
//! against them. Who may ask stands first in each, so that nobody learns of rows that he may not see.

mod application;
mod client_create;
mod client_lifecycle;
mod client_patch;
mod first_admin;
mod key_advance;
mod key_commands;
mod key_edit;
mod privilege;
mod resource_servers;
mod secret_change;
mod secret_create;
mod tenant_create;
mod tenant_lifecycle;
mod tenant_patch;

#[cfg(test)]
mod test_keys;
#[cfg(test)]
pub(crate) mod test_states;

use protocol::Timestamp;
use registry::ClientId;
use secrets::SecretHash;
use tenancy::{Issuer, TenantId};

use crate::rules::TenantContext;
use crate::{
    Application, ApplicationId, Authority, Change, ClientState, EditError, EditPolicy, FieldError, KeyCommit,
    NewSecret, Permission, SecretForm, TenantMetadata, TenantState,
};

pub(crate) use application::{
    NewApplication, PreparedSecret, delete as delete_application, look as application,
    put as put_application, secret_wanted,
};
pub(crate) use client_create::{NewClientRow, create as create_client};
pub(crate) use client_lifecycle::{
    delete as delete_client, resume as resume_client, suspend as suspend_client,
};
pub(crate) use client_patch::{client_names, patch as patch_client};
pub(crate) use first_admin::first_admin;
pub(crate) use key_advance::{advance as advance_keys, polls};
pub(crate) use key_commands::{
    import as import_key, key_policy, revoke as revoke_key, rotate as rotate_key,
    rotate_in_emergency as rotate_key_in_emergency,
};
pub(crate) use key_edit::{KeyDecision, KeyEdit};
pub(crate) use secret_change::{expire as expire_secret, revoke as revoke_secret};
pub(crate) use secret_create::{create as create_secret, rotate as rotate_secret};
pub(crate) use tenant_create::{create as create_tenant, new_tenant_id};
pub(crate) use tenant_lifecycle::{
    cancel_deletion, delete as delete_tenant, is_due, resume as resume_tenant, schedule_deletion,
    suspend as suspend_tenant,
};
pub(crate) use tenant_patch::{patch as patch_tenant, patched_issuers};

/// Who asks, under which policy, and when.
#[derive(Clone, Copy)]
pub(crate) struct EditContext<'a> {
    pub(crate) by: &'a Authority,
    pub(crate) policy: &'a EditPolicy,
    pub(crate) now: Timestamp,
}

/// What the store holds of the tenant that an edit is about.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// The tenant, whole or as far as the edit touches it; a deleted one too.
    pub(crate) state: Option<TenantState>,
    /// Who has the issuers that were asked about.
    pub(crate) issuer_owners: Vec<(Issuer, TenantId)>,
    /// How many live clients the tenant has, where one more is asked for; counted up to the limit.
    pub(crate) client_count: u64,
    /// The application that was asked about.
    pub(crate) application: Option<Application>,
    /// Which application has the name that was asked about.
    pub(crate) name_owner: Option<ApplicationId>,
}

/// What an edit writes. Nothing where everything already is as it was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Edit {
    pub(crate) changes: Vec<Change>,
    /// The hashes of the secrets that are added.
    pub(crate) secrets: Vec<NewSecret>,
    pub(crate) keys: KeyCommit,
    pub(crate) tenant_metadata: Vec<TenantMetadata>,
}

/// A secret's value after it was made or hashed; the value itself stays outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SecretMaterial {
    pub(crate) hash: SecretHash,
    pub(crate) hint: String,
    pub(crate) form: SecretForm,
}

impl EditContext<'_> {
    /// What the rules over a tenant need.
    fn tenant_context(&self) -> TenantContext<'_> {
        TenantContext { public_url: &self.policy.public_url, l1_lifetime: self.policy.l1_lifetime }
    }

    /// Whether the asker may do this across all tenants.
    pub(crate) fn require_everywhere(&self, permission: Permission) -> Result<(), EditError> {
        if self.by.holds_everywhere(permission) { Ok(()) } else { Err(EditError::Forbidden(permission)) }
    }

    /// Whether the asker may do this in the tenant, which need not even exist.
    pub(crate) fn require_in(&self, tenant: &TenantId, permission: Permission) -> Result<(), EditError> {
        if self.by.holds_in(tenant, permission) { Ok(()) } else { Err(EditError::Forbidden(permission)) }
    }

    /// Whether a private key may be brought into the tenant. Its holder can sign in the name of each of the tenant's clients, so only
    /// the platform may; in the tenant `platform` that is the name of each administrator, so there only an operator may.
    pub(crate) fn require_key_import(&self, tenant: &TenantId) -> Result<(), EditError> {
        self.require_everywhere(Permission::Tenants)?;
        if tenant.as_str() != TenantId::PLATFORM || self.by.is_operator() {
            return Ok(());
        }
        let message = "only an operator imports a key of the tenant `platform`: `latchkey key import platform FILE` beside the store";
        Err(EditError::InsufficientPrivilege(message.to_owned()))
    }
}

impl Facts {
    /// The tenant, unless it is deleted.
    pub(crate) fn tenant(&self) -> Result<&TenantState, EditError> {
        let live = self.state.as_ref().filter(|state| state.lifecycle.deleted_at.is_none());
        live.ok_or(EditError::NotFound("tenant"))
    }

    /// One of the tenant's clients, unless it is deleted.
    pub(crate) fn client(&self, client: &ClientId) -> Result<(&TenantState, &ClientState), EditError> {
        let state = self.tenant()?;
        let row = state.clients.iter().find(|row| row.client.id == *client);
        let live = row.filter(|row| row.lifecycle.deleted_at.is_none());
        Ok((state, live.ok_or(EditError::NotFound("client"))?))
    }
}

impl Edit {
    /// Whether there is nothing to write.
    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Of one change.
    pub(crate) fn of(change: Change) -> Self {
        Self { changes: vec![change], ..Self::default() }
    }

    /// Takes over what another one writes, after its own.
    pub(crate) fn extend(&mut self, other: Self) {
        self.changes.extend(other.changes);
        self.secrets.extend(other.secrets);
        let KeyCommit { added, times, destroyed, due } = other.keys;
        self.keys.added.extend(added);
        self.keys.times.extend(times);
        self.keys.destroyed.extend(destroyed);
        self.keys.due.extend(due);
        self.tenant_metadata.extend(other.tenant_metadata);
    }
}

/// One fault by itself.
pub(crate) fn invalid(pointer: impl Into<String>, detail: impl Into<String>) -> EditError {
    EditError::Invalid(vec![FieldError::at(pointer, detail)])
}

/// The value, or all faults.
fn ok_unless_errors<T>(value: T, errors: Vec<FieldError>) -> Result<T, EditError> {
    if errors.is_empty() { Ok(value) } else { Err(EditError::Invalid(errors)) }
}

//! The rules of administration, pure: a request and the rows go in; changes come out, or all errors. Each rule checks the
//! caller's permission first, so that no caller learns of rows that it may not see.

mod after;
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

use protocol::{Lifetime, Timestamp};
use registry::ClientId;
use secrets::SecretHash;
use tenancy::{Issuer, TenantId};

use crate::rules::TenantContext;
use crate::{
    Application, ApplicationId, Authority, Change, ClientState, EditError, EditPolicy, FieldError, KeyCommit,
    NewSecret, SecretForm, TenantKeys, TenantMetadata, TenantState, VerifierFetch,
};

pub(crate) use application::{
    NewApplication, delete as delete_application, draft as application_draft, look as application,
};
pub(crate) use client_create::{NewClientRow, create as create_client};
pub use client_lifecycle::ClientStep;
pub(crate) use client_lifecycle::step as step_client;
pub(crate) use client_patch::{client_names, patch as patch_client};
pub(crate) use first_admin::first_admin;
pub(crate) use key_advance::{advance as advance_keys, polls};
pub use key_commands::KeyCommand;
pub(crate) use key_commands::{command as command_keys, import as import_key, key_policy};
pub(crate) use key_edit::KeyDecision;
pub use secret_change::SecretStep;
pub(crate) use secret_change::step as step_secret;
pub(crate) use secret_create::{create as create_secret, rotate as rotate_secret};
pub(crate) use tenant_create::{create as create_tenant, new_tenant_id};
pub use tenant_lifecycle::TenantStep;
pub(crate) use tenant_lifecycle::{is_due, step as step_tenant};
pub(crate) use tenant_patch::{patch as patch_tenant, patched_issuers};

/// The caller, its condition, the policy and the time.
#[derive(Clone, Copy)]
pub(crate) struct EditContext<'a> {
    pub(crate) by: &'a Authority,
    /// The entity tag that a changed row must still have.
    pub(crate) if_match: Option<&'a str>,
    pub(crate) policy: &'a EditPolicy,
    pub(crate) now: Timestamp,
}

/// What the store holds of the tenant that an edit is about.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// The tenant, whole or as far as the edit touches it; a deleted one too.
    pub(crate) state: Option<TenantState>,
    /// The owners of the issuers that the edit names.
    pub(crate) issuer_owners: Vec<(Issuer, TenantId)>,
    /// The application that the edit is about.
    pub(crate) application: Option<Application>,
    /// The application that has the requested name.
    pub(crate) name_owner: Option<ApplicationId>,
    /// The tenant's keys; of a deleted tenant too.
    pub(crate) keys: Option<TenantKeys>,
    /// The fetches of verifiers, where the policy of keys needs them.
    pub(crate) fetches: Vec<VerifierFetch>,
    /// Whether another tenant has, or had, the key that is imported.
    pub(crate) key_is_taken: bool,
}

/// What an edit writes. Nothing where every row is as requested already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Edit {
    pub(crate) changes: Vec<Change>,
    /// The hashes of the secrets that are added.
    pub(crate) secrets: Vec<NewSecret>,
    pub(crate) keys: KeyCommit,
    pub(crate) tenant_metadata: Vec<TenantMetadata>,
    /// How old the decision may be when it is written; any age without it.
    pub(crate) valid_for: Option<Lifetime>,
}

/// A secret after it was generated or hashed, without its value.
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
}

impl Facts {
    /// The tenant that has this issuer, if one has.
    fn owner_of(&self, issuer: &Issuer) -> Option<&TenantId> {
        self.issuer_owners.iter().find(|(owned, _)| owned == issuer).map(|(_, owner)| owner)
    }

    /// The tenant, unless it is deleted.
    pub(crate) fn tenant(&self) -> Result<&TenantState, EditError> {
        let live = self.state.as_ref().filter(|state| state.lifecycle.deleted_at.is_none());
        live.ok_or(EditError::NotFound("tenant"))
    }

    /// The tenant's keys, unless the tenant is deleted.
    pub(crate) fn keys(&self) -> Result<&TenantKeys, EditError> {
        let live = self.keys.as_ref().filter(|keys| keys.lifecycle.deleted_at.is_none());
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
        self.changes.is_empty() && self.keys.due.is_empty()
    }

    /// Of one change.
    pub(crate) fn of(change: Change) -> Self {
        Self { changes: vec![change], ..Self::default() }
    }

    /// Takes over what another one writes, after its own.
    pub(crate) fn extend(&mut self, other: Self) {
        self.changes.extend(other.changes);
        self.secrets.extend(other.secrets);
        let KeyCommit { added, due } = other.keys;
        self.keys.added.extend(added);
        self.keys.due.extend(due);
        self.tenant_metadata.extend(other.tenant_metadata);
    }
}

/// One error by itself.
pub(crate) fn invalid(pointer: impl Into<String>, detail: impl Into<String>) -> EditError {
    EditError::Invalid(vec![FieldError::at(pointer, detail)])
}

/// The value, or all errors.
fn ok_unless_errors<T>(value: T, errors: Vec<FieldError>) -> Result<T, EditError> {
    if errors.is_empty() { Ok(value) } else { Err(EditError::Invalid(errors)) }
}

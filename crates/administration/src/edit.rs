//! The pure rules of administration. Their input is a request with the stored rows. Their output is either
//! the changes or all errors. Each rule first checks the caller's permission, so that no caller learns about
//! rows that it may not see.

pub mod account;
pub(crate) mod account_import;
mod after;
pub mod api_key;
pub(crate) mod application;
pub mod client;
pub(crate) mod error;
pub(crate) mod first_admin;
pub(crate) mod key_advance;
pub(crate) mod key_commands;
pub(crate) mod key_edit;
mod live_credentials;
pub(crate) mod new_names;
pub(crate) mod privilege;
mod resource_servers;
pub mod secret;
pub(crate) mod tenant;

#[cfg(test)]
mod test_keys;
#[cfg(test)]
pub(crate) mod test_states;

use std::fmt::Display;

use registry::ClientId;
use secrets::SecretHash;
use serde::Serialize;
use serde_json::{Value, json};
use sessions::FoundSession;
use tenancy::{Issuer, TenantId};
use values::{Secret, Timestamp};

use crate::administrator::EditPolicy;
use crate::administrator::secret_writer::SecretWriter;
use crate::documents::application::{Application, ApplicationId};
use crate::kinds;
use crate::kinds::authority::Authority;
use crate::kinds::change::{ChangeKind, RowChange};
use crate::kinds::state;
use crate::kinds::{Change, TenantState};
use crate::mail::QueuedMail;
use crate::{documents, rules, store};

pub use account::SignInEnd;
pub use error::{EditError, FieldError};
pub use key_commands::KeyCommand;
pub use live_credentials::LiveCredentials;
pub use tenant::TenantStep;

/// The input of a rule: the tenant, the caller and its conditions, the policy, the time, and the stored
/// facts.
#[derive(Clone, Copy)]
pub struct EditContext<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) by: &'a Authority,
    /// The entity tag that the row must still have.
    pub(crate) if_match: Option<&'a str>,
    pub(crate) policy: &'a EditPolicy,
    pub(crate) now: Timestamp,
    pub(crate) facts: &'a Facts,
    /// Knows the places where secrets may be written.
    pub(crate) secret_writer: &'a dyn SecretWriter,
}

/// The stored facts about the tenant of an edit.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// The tenant, completely or as far as the edit needs it. The tenant may be deleted.
    pub(crate) state: Option<TenantState>,
    /// The owners of the issuers that the edit names, and of issuers above or below a new issuer.
    pub(crate) issuer_owners: Vec<(Issuer, TenantId)>,
    pub(crate) application: Option<Application>,
    /// The application that has the requested name.
    pub(crate) name_owner: Option<ApplicationId>,
    /// The tenant's keys, even of a deleted tenant.
    pub(crate) keys: Option<store::TenantKeys>,
    /// The fetches of verifiers, if the key policy needs them.
    pub(crate) fetches: Vec<store::VerifierFetch>,
    /// The sessions of the account that the edit is about.
    pub(crate) sessions: Vec<FoundSession>,
    pub(crate) live_api_keys: u64,
    pub(crate) consents: Vec<state::ConsentState>,
    /// Whether another tenant has the imported key, or had it.
    pub(crate) key_is_taken: bool,
}

/// A secret to add, with its tenant and client.
pub type NewSecret = ((TenantId, ClientId), state::SecretState);

/// The changes of an edit or a plan, with the data that they need. Empty if every row already is as
/// requested.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edit {
    pub changes: Vec<Change>,
    pub secrets: Vec<NewSecret>,
    pub passwords: Vec<store::NewPassword>,
    /// Messages that are queued with the changes.
    pub mail: Vec<QueuedMail>,
    pub keys: store::KeyCommit,
    pub tenant_metadata: Vec<store::TenantMetadata>,
    /// For the audit, if a client gains a permission: the ids of the credentials that it keeps, and of those
    /// that are revoked.
    pub credentials: Option<(Vec<String>, Vec<String>)>,
    /// The maximum number of live API keys that the client of new API keys may have before them.
    pub live_api_keys: Option<u64>,
}

/// A secret after it was generated or hashed: the stored form, and the value to show once.
#[derive(Debug)]
pub(crate) struct SecretMaterial {
    pub(crate) hash: SecretHash,
    pub(crate) hint: String,
    pub(crate) name: Option<String>,
    pub(crate) value: Secret,
}

impl SecretMaterial {
    /// Adds the name that a person chose for the secret.
    pub(crate) fn named(self, name: Option<String>) -> Edited<Self> {
        let mut errors = rules::FieldErrors::default();
        if let Some(name) = &name {
            errors.check_title("/name", name);
        }
        ok_unless_errors(Self { name, ..self }, errors.into_vec())
    }
}

/// The decision about a request, or why the request is refused.
pub(crate) type Edited<T = Edit> = Result<T, EditError>;

impl EditContext<'_> {
    /// Refuses the edit if the row has changed since the caller read it.
    fn require_match<V: Serialize>(&self, view: impl FnOnce() -> V) -> Edited<()> {
        let matches = self
            .if_match
            .is_none_or(|if_match| documents::EntityTag::from_document(&view()).matches(if_match));
        if matches { Ok(()) } else { Err(EditError::Stale) }
    }

    fn view(&self) -> documents::ViewContext<'_> {
        documents::ViewContext { policy: self.policy, now: self.now }
    }

    fn tenant_context(&self) -> rules::TenantContext<'_> {
        rules::TenantContext {
            public_url: &self.policy.public_url,
            l1_lifetime: self.policy.l1_lifetime,
            branding: self.facts.state.as_ref().map(|state| &state.tenant.branding),
        }
    }
}

impl Facts {
    fn owners(&self) -> rules::IssuerOwners<'_> {
        self.issuer_owners.iter().map(|(issuer, owner)| (issuer.as_str(), owner)).collect()
    }

    fn owner_of(&self, issuer: &Issuer) -> Option<&TenantId> {
        self.issuer_owners.iter().find(|(owned, _)| owned == issuer).map(|(_, owner)| owner)
    }

    /// The tenant, unless it is deleted.
    pub(crate) fn tenant(&self) -> Edited<&TenantState> {
        let state = self.any_tenant()?;
        if state.tenant.is_unreadable {
            let message = format!(
                "this version cannot read the settings of tenant {}; you can only suspend or delete the tenant",
                state.tenant.id
            );
            return Err(EditError::Conflict(message));
        }
        Ok(state)
    }

    /// The tenant, even if its settings cannot be read.
    pub(crate) fn any_tenant(&self) -> Edited<&TenantState> {
        let live = self.state.as_ref().filter(|state| state.lifecycle.deleted_at.is_none());
        live.ok_or(EditError::NotFound("tenant"))
    }

    /// The tenant's keys, unless the tenant is deleted.
    pub(crate) fn keys(&self) -> Edited<&store::TenantKeys> {
        let live = self.keys.as_ref().filter(|keys| keys.lifecycle.deleted_at.is_none());
        live.ok_or(EditError::NotFound("tenant"))
    }

    /// One of the tenant's clients, unless it is deleted.
    pub(crate) fn client(&self, client: &ClientId) -> Edited<(&TenantState, &kinds::client::State)> {
        let state = self.tenant()?;
        let row = state.client(client)?;
        if row.lifecycle.deleted_at.is_some() { Err(EditError::NotFound("client")) } else { Ok((state, row)) }
    }
}

impl Edit {
    pub(crate) fn from_change(change: impl Into<Change>) -> Self {
        Self { changes: vec![change.into()], ..Self::default() }
    }

    /// A step in a row's life. The row then has the fields of `after`. Empty if the step was taken before.
    fn of_step<T: Clone>(kind: ChangeKind, (before, lifecycle): (&T, &state::RowLifecycle), after: T) -> Self
    where
        Change: From<RowChange<T>>,
    {
        if lifecycle.is_after(kind) {
            return Self::default();
        }
        Self::from_change(RowChange::new(kind, Some(before), after))
    }

    pub(crate) fn extend(&mut self, other: Self) {
        self.changes.extend(other.changes);
        self.secrets.extend(other.secrets);
        self.passwords.extend(other.passwords);
        self.mail.extend(other.mail);
        let store::KeyCommit { added, due } = other.keys;
        self.keys.added.extend(added);
        self.keys.due.extend(due);
        self.tenant_metadata.extend(other.tenant_metadata);
        self.credentials = self.credentials.take().or(other.credentials);
        self.live_api_keys = self.live_api_keys.or(other.live_api_keys);
    }
}

/// Refuses a change of a row that the operator's files declare. `instead` says what to do.
fn declared(what: &str, id: impl Display, instead: &str) -> EditError {
    EditError::Conflict(format!("{what} {id} is declared in the operator's files; {instead}"))
}

/// The error for creating a row that exists or existed: says the state of the row, and which step to take
/// instead.
fn taken(what: &str, id: impl Display, lifecycle: &state::RowLifecycle) -> EditError {
    if lifecycle.deleted_at.is_some() {
        let text = format!("{what} {id} was deleted and its id stays reserved; choose another id");
        return EditError::Conflict(text);
    }
    let declared = lifecycle.is_config_managed();
    let by =
        if declared { "declared in the operator's files" } else { "managed through the administration API" };
    let next = match lifecycle.status() {
        "deleting" => "cancel its deletion, or choose another id",
        "retired" => "declare it in the operator's files again, or choose another id",
        "suspended" => "resume it, or choose another id",
        _ if declared => "change it there, or choose another id",
        _ => "change it, or choose another id",
    };
    EditError::Conflict(format!("{what} {id} already exists: it is {} and {by}; {next}", lifecycle.status()))
}

fn patched<S: Serialize>(
    settings: &S,
    patch: &Value,
    read: fn(Value) -> Result<S, Vec<FieldError>>,
) -> Edited<S> {
    if !patch.is_object() {
        return Err(invalid("", "a merge patch must be an object"));
    }
    read(documents::merge_patch(json!(settings), patch.clone())).map_err(EditError::Invalid)
}

pub(crate) fn invalid(pointer: impl Into<String>, detail: impl Into<String>) -> EditError {
    EditError::Invalid(vec![FieldError::at(pointer, detail)])
}

fn ok_unless_errors<T>(value: T, errors: Vec<FieldError>) -> Edited<T> {
    if errors.is_empty() { Ok(value) } else { Err(EditError::Invalid(errors)) }
}

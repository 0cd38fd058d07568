//! Commands for signing keys: `latchkey:keys`, at the platform or in the tenant; to import a key more is needed.
//! And the step that the scheduler takes.

use keys::{ImportError, KeyId, KeySpec};
use protocol::{Secret, SigningAlgorithm, Timestamp};
use tenancy::TenantId;

use super::idempotency::IdempotencyScope;
use super::key_change::{KeyFacts, KeyRequest};
use super::key_material::{KeyMaterial, off_the_runtime};
use super::{Administrator, Created, Idempotency};
use crate::edit::{self, EditContext, invalid};
use crate::{Authority, EditError, ImportSettings, KeysChanged, Permission};

/// What a step of a tenant's keys came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyStep {
    /// When to look again; nothing is planned without it.
    pub due_at: Option<Timestamp>,
    /// The key that was made and announced, if one was.
    pub announced: Option<KeySpec>,
}

impl Administrator {
    /// The next key takes over as soon as verifiers can know it.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn rotate_key(
        &self,
        by: &Authority,
        tenant: &TenantId,
        idempotency: Option<&Idempotency>,
        now: Timestamp,
    ) -> Result<Created<KeysChanged>, EditError> {
        self.context(by, now).require_in(tenant, Permission::Keys)?;
        let idempotency_scope = IdempotencyScope::of(by, tenant, "rotate key", idempotency)?;
        let decide = |context: EditContext<'_>, facts: &KeyFacts| edit::rotate_key(context, &facts.state);
        Ok(self.change_keys(KeyRequest { by, tenant, idempotency_scope, now }, None, decide).await?.0)
    }

    /// A new key signs at once and all others are gone at once.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn rotate_key_in_emergency(
        &self,
        by: &Authority,
        tenant: &TenantId,
        idempotency: Option<&Idempotency>,
        now: Timestamp,
    ) -> Result<Created<KeysChanged>, EditError> {
        self.context(by, now).require_in(tenant, Permission::Keys)?;
        let idempotency_scope = IdempotencyScope::of(by, tenant, "rotate key", idempotency)?;
        let decide = |context: EditContext<'_>, facts: &KeyFacts| {
            Ok(edit::rotate_key_in_emergency(context, &facts.state))
        };
        Ok(self.change_keys(KeyRequest { by, tenant, idempotency_scope, now }, None, decide).await?.0)
    }

    /// This key is gone at once.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn revoke_key(
        &self,
        by: &Authority,
        tenant: &TenantId,
        key: KeyId,
        now: Timestamp,
    ) -> Result<KeysChanged, EditError> {
        self.context(by, now).require_in(tenant, Permission::Keys)?;
        let decide =
            |context: EditContext<'_>, facts: &KeyFacts| edit::revoke_key(context, &facts.state, key);
        Ok(self
            .change_keys(KeyRequest { by, tenant, idempotency_scope: None, now }, None, decide)
            .await?
            .0
            .value)
    }

    /// A key from outside takes the place of the next one. It takes `latchkey:tenants`, and an operator for the tenant `platform`:
    /// a holder of the key signs as every client of the tenant.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn import_key(
        &self,
        by: &Authority,
        tenant: &TenantId,
        settings: ImportSettings,
        idempotency: Option<&Idempotency>,
        now: Timestamp,
    ) -> Result<Created<KeysChanged>, EditError> {
        let ImportSettings { key, algorithm } = settings;
        let text = Secret::new(key);
        self.context(by, now).require_key_import(tenant)?;
        let idempotency_scope = IdempotencyScope::of(by, tenant, "import key", idempotency)?;
        let algorithm = algorithm.as_deref().map(read_algorithm).transpose()?;
        // Its numbers are checked against each other, which takes a while.
        let read = move || keys::import_key(&text, algorithm).map_err(unusable);
        let mut imported = off_the_runtime(read).await?;
        let material = KeyMaterial::take(&mut imported);
        let decide =
            |context: EditContext<'_>, facts: &KeyFacts| edit::import_key(context, &facts.state, &imported);
        Ok(self
            .change_keys(KeyRequest { by, tenant, idempotency_scope, now }, Some(material), decide)
            .await?
            .0)
    }

    /// What time and policy ask for now, in one commit. The scheduler's step: its actor is `latchkey`.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn advance_keys(&self, tenant: &TenantId, now: Timestamp) -> Result<KeyStep, EditError> {
        let by = Authority::itself();
        let decide = |context: EditContext<'_>, facts: &KeyFacts| {
            Ok(edit::advance_keys(context, &facts.state, &facts.fetches))
        };
        match self
            .change_keys(KeyRequest { by: &by, tenant, idempotency_scope: None, now }, None, decide)
            .await
        {
            Ok((_, step)) => Ok(step),
            // It was deleted since it was found to be due.
            Err(EditError::NotFound(_)) => Ok(KeyStep::default()),
            Err(error) => Err(error),
        }
    }
}

fn read_algorithm(name: &str) -> Result<SigningAlgorithm, EditError> {
    let all = || SigningAlgorithm::ALL.map(SigningAlgorithm::as_str).join(", ");
    name.parse().map_err(|_| invalid("/algorithm", format!("write one of {}", all())))
}

fn unusable(error: ImportError) -> EditError {
    let pointer = match error {
        ImportError::NoAlgorithm | ImportError::OtherAlgorithm { .. } => "/algorithm",
        ImportError::NotPem
        | ImportError::NotJwk
        | ImportError::JwkSet
        | ImportError::NotForSigning
        | ImportError::Incomplete(_)
        | ImportError::Public
        | ImportError::Encrypted
        | ImportError::Malformed
        | ImportError::UnknownAlgorithm
        | ImportError::Mismatch { .. }
        | ImportError::RsaSize { .. }
        | ImportError::RsaExponent => "/key",
    };
    invalid(pointer, error.to_string())
}

//! Commands for signing keys, and the step of the scheduler. Commands need `latchkey:keys`, of the platform
//! or of the tenant. Importing a key needs more.

use keys::{ImportError, KeySpec};
use protocol::SigningAlgorithm;
use tenancy::TenantId;
use values::{Secret, Timestamp};

use super::key_material::{KeyMaterial, off_the_runtime};
use super::{Administrator, Caller, Created, InTenant};
use crate::documents::{ImportSettings, KeysChanged};
use crate::edit;
use crate::edit::{Edited, KeyCommand};
use crate::kinds::Permission;

impl InTenant<'_> {
    /// Rotates or revokes keys.
    pub async fn command_keys(&self, command: KeyCommand) -> Edited<Created<KeysChanged>> {
        self.require(Permission::Keys)?;
        let operation = match command {
            KeyCommand::Rotate | KeyCommand::RotateInEmergency => Some("rotate key"),
            KeyCommand::Revoke(_) => None,
        };
        self.change_keys(operation, None, |context| {
            edit::key_commands::command(context, context.facts.keys()?, command)
        })
        .await
    }

    /// Imports a key as the next key. This needs `latchkey:tenants`, and for the tenant `platform` an
    /// operator, because whoever has the private key can sign as every client of the tenant.
    pub async fn import_key(&self, settings: ImportSettings) -> Edited<Created<KeysChanged>> {
        let ImportSettings { key, algorithm } = settings;
        let text = Secret::new(key);
        self.caller.authority.require_key_import(self.tenant)?;
        let algorithm = algorithm.as_deref().map(read_algorithm).transpose()?;
        // Checking the numbers of a key takes a while.
        let read = move || keys::import_key(&text, algorithm).map_err(unusable);
        let mut imported = off_the_runtime(read).await?;
        let material = KeyMaterial::take(&mut imported);
        self.change_keys(Some("import key"), Some(material), |context| {
            edit::key_commands::import(context, context.facts.keys()?, &imported, context.facts.key_is_taken)
        })
        .await
    }
}

impl Administrator {
    /// Takes the steps that are due by time and policy, in one commit. Returns the kind of the key that was
    /// announced, if any. Only the scheduler calls this function; the audit names `latchkey` as the actor.
    pub async fn advance_keys(&self, tenant: &TenantId, now: Timestamp) -> Edited<Option<KeySpec>> {
        let (caller, mut announced) = (Caller::itself(now), None);
        let within = self.of(&caller, tenant);
        let changed = within.change_keys(None, None, |context| {
            let decision = edit::key_advance::advance(context, context.facts.keys()?, &context.facts.fetches);
            announced = decision.plan.announce.map(|announced| announced.spec());
            Ok(decision)
        });
        match changed.await {
            Ok(_) => Ok(announced),
            // The tenant was deleted since the step was found to be due.
            Err(edit::EditError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn read_algorithm(name: &str) -> Edited<SigningAlgorithm> {
    let all = || SigningAlgorithm::ALL.map(SigningAlgorithm::as_str).join(", ");
    name.parse().map_err(|_| edit::invalid("/algorithm", format!("use one of {}", all())))
}

fn unusable(error: ImportError) -> edit::EditError {
    let pointer = match error {
        ImportError::NoAlgorithm | ImportError::OtherAlgorithm { .. } => "/algorithm",
        _ => "/key",
    };
    edit::invalid(pointer, error.to_string())
}

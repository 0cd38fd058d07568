//! Generates secrets, and hashes chosen ones: off the worker threads, a few at a time, and outside any
//! transaction.

use std::time::Duration;

use registry::ClientId;
use secrets::{GeneratedSecret, MAX_SECRET_LENGTH, PasswordSalt, hash_password, hash_token, is_fit_secret};
use tenancy::TenantId;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use uuid::Uuid;
use values::Secret;

use super::Administrator;
use crate::documents::{FileSecret, NewClient};
use crate::edit;
use crate::edit::SecretMaterial;
use crate::edit::client::NewRegistration;

/// How long a request waits for its slow hash to begin.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

impl Administrator {
    /// A new client with its secret. An id or secret that the request lacks is generated. `at` is the pointer
    /// to the client in the request.
    pub(super) async fn prepare_client<'a>(
        &self,
        tenant: &TenantId,
        new: &'a NewClient,
        at: &'static str,
    ) -> edit::Edited<NewRegistration<'a>> {
        let id = new.client_id.clone().unwrap_or_else(|| Uuid::new_v4().to_string());
        let id = ClientId::parse(&id)
            .map_err(|error| edit::invalid(format!("{at}/client_id"), error.to_string()))?;
        let secret = match new.client_secret.as_ref().map(FileSecret::expose) {
            None if !new.settings.federated.is_empty() => None,
            None => Some(self.generate_secret(tenant, &id)),
            Some(chosen) if is_fit_secret(chosen) => {
                let chosen = Secret::new(chosen.to_owned());
                Some(self.take_secret(tenant, &id, chosen, None).await?)
            }
            Some(_) => {
                let message = format!(
                    "a secret must be 1 to {MAX_SECRET_LENGTH} bytes of UTF-8 without control characters"
                );
                return Err(edit::invalid(format!("{at}/client_secret"), message));
            }
        };
        Ok(NewRegistration { id, settings: &new.settings, secret, at })
    }

    pub(super) fn generate_secret(&self, tenant: &TenantId, client: &ClientId) -> SecretMaterial {
        let GeneratedSecret { secret: value, hint } = GeneratedSecret::from_tenant(tenant);
        SecretMaterial { hash: hash_token(&self.pepper, tenant, client, &value), hint, name: None, value }
    }

    /// Checks a chosen secret and returns its stored form. A secret in the generated form is stored like a
    /// generated secret. All chosen secrets of a client share one salt.
    pub(super) async fn take_secret(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        value: Secret,
        salt: Option<PasswordSalt>,
    ) -> edit::Edited<SecretMaterial> {
        let chosen = value.expose();
        if GeneratedSecret::is_well_formed(chosen) {
            let hash = hash_token(&self.pepper, tenant, client, &value);
            let hint = GeneratedSecret::hint(chosen).to_owned();
            return Ok(SecretMaterial { hash, hint, name: None, value });
        }
        let permit = timeout(PATIENCE, self.slow_hashes.take(tenant)).await;
        let _permit = permit.ok().and_then(Result::ok).ok_or(edit::EditError::Busy)?;
        let salt = salt.unwrap_or_else(PasswordSalt::generate);
        let hashing = spawn_blocking(move || hash_password(&value, &salt).map(|hash| (hash, value)));
        let (hash, value) = hashing.await.map_err(|_| edit::EditError::Busy)??;
        Ok(SecretMaterial { hash, hint: String::new(), name: None, value })
    }
}

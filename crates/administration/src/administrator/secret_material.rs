//! Generates secrets, and hashes chosen ones: off the workers, few at once, outside any transaction.

use std::time::Duration;

use protocol::Secret;
use registry::ClientId;
use secrets::{
    GeneratedSecret, MAX_SECRET_LENGTH, PasswordSalt, SecretHash, hash_password, hash_token, is_fit_secret,
};
use tenancy::TenantId;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::Administrator;
use crate::edit::{SecretMaterial, invalid};
use crate::{EditError, SecretForm};

/// So long a request waits for its slow hash to begin.
const PATIENCE: Duration = Duration::from_secs(10);

/// A secret on its way: what is stored, and the value to show once.
pub(super) struct NewSecretValue {
    pub(super) material: SecretMaterial,
    pub(super) value: Secret,
}

impl Administrator {
    /// A new secret of the platform's own making.
    pub(super) fn generate_secret(&self, tenant: &TenantId, client: &ClientId) -> NewSecretValue {
        let GeneratedSecret { secret, hint } = GeneratedSecret::generate();
        let hash = hash_token(&self.pepper, tenant, client, &secret);
        NewSecretValue { material: SecretMaterial { hash, hint, form: SecretForm::Generated }, value: secret }
    }

    /// The secret of the request, or a generated one. `at` is the location of the secret in the request.
    pub(super) async fn prepare_secret(
        &self,
        (tenant, client): (&TenantId, &ClientId),
        chosen: Option<&str>,
        at: &str,
    ) -> Result<NewSecretValue, EditError> {
        let Some(chosen) = chosen else { return Ok(self.generate_secret(tenant, client)) };
        if !is_fit_secret(chosen) {
            let message =
                format!("a secret is 1 to {MAX_SECRET_LENGTH} bytes of UTF-8 without control characters");
            return Err(invalid(at, message));
        }
        self.take_secret((tenant, client), Secret::new(chosen.to_owned()), PasswordSalt::generate).await
    }

    /// A chosen secret that passes the rules. One of the generated form is stored as generated.
    pub(super) async fn take_secret(
        &self,
        (tenant, client): (&TenantId, &ClientId),
        value: Secret,
        salt: impl FnOnce() -> PasswordSalt,
    ) -> Result<NewSecretValue, EditError> {
        let chosen = value.expose();
        if GeneratedSecret::is_well_formed(chosen) {
            let hash = hash_token(&self.pepper, tenant, client, &value);
            let hint = chosen[chosen.len() - 4..].to_owned();
            let material = SecretMaterial { hash, hint, form: SecretForm::Generated };
            return Ok(NewSecretValue { material, value });
        }
        let (hash, value) = self.hash_slowly(value, salt()).await?;
        let material = SecretMaterial { hash, hint: String::new(), form: SecretForm::Chosen };
        Ok(NewSecretValue { material, value })
    }

    /// The hash of a chosen secret, and the secret back. All chosen secrets of a client share one salt.
    pub(super) async fn hash_slowly(
        &self,
        value: Secret,
        salt: PasswordSalt,
    ) -> Result<(SecretHash, Secret), EditError> {
        let permit = timeout(PATIENCE, self.slow_hashes.acquire()).await;
        let _permit = permit.ok().and_then(Result::ok).ok_or(EditError::Busy)?;
        let hashing = spawn_blocking(move || hash_password(&value, &salt).map(|hash| (hash, value)));
        Ok(hashing.await.map_err(|_| EditError::Busy)??)
    }
}

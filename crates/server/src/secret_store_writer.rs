//! Writes the secrets of rotations to the secret stores of the settings.

use std::sync::Arc;

use administration::administrator::secret_writer::{SecretPlace, SecretWriter, WriteFailure};
use async_trait::async_trait;
use outbound::WriteError;
use settings::SecretStores;
use tenancy::TenantId;
use values::Secret;

/// The secret stores of the settings that were read last.
pub(crate) struct StoreWriter(pub(crate) Arc<SecretStores>);

#[async_trait]
impl SecretWriter for StoreWriter {
    fn check(&self, SecretPlace { store, path, key }: &SecretPlace) -> Result<(), String> {
        self.0.check_place(store, path, key.is_some())
    }

    fn allows(&self, tenant: &TenantId, place: &SecretPlace) -> bool {
        self.0.allows(tenant, &place.store, &place.path)
    }

    async fn write(&self, place: &SecretPlace, value: &Secret) -> Result<String, WriteFailure> {
        let SecretPlace { store, path, key } = place;
        let opened = self.0.open(store).await.map_err(WriteFailure::Refused)?;
        let opened =
            opened.ok_or_else(|| WriteFailure::Refused(format!("secret store {store} does not exist")))?;
        opened.write(path, key.as_deref(), value).await.map_err(|error| match error {
            WriteError::Refused(error) => WriteFailure::Refused(error.to_string()),
            WriteError::Unknown(error) => WriteFailure::Unknown(error.to_string()),
        })
    }
}

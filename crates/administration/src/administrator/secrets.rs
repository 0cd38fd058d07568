//! Secrets of clients. Their administration needs `latchkey:clients`, of the platform or of the tenant.

use registry::{Client, ClientId, SecretId};
use serde_json::Value;
use tenancy::TenantId;
use values::Timestamp;

use super::idempotency::IdempotencyScope;
use super::rotation_into::RotationError;
use super::{Administrator, Caller, Created};
use crate::edit::{
    self, EditContext, Edited, SecretStep,
    secret::{GRACE, SecretEnds},
};
use crate::{
    ClientState, CreatedSecret, EditError, NewSecretSettings, Permission, RotateSettings, RotatedSecret,
    SecretView, TenantState,
};

impl Administrator {
    /// All secrets of a client, with revoked and expired ones.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn secrets(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        client: &ClientId,
    ) -> Edited<Vec<SecretView>> {
        let row = self.client_state(caller, tenant, client).await?;
        self.secret_views(caller, &row).await
    }

    /// Creates one more secret.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn create_secret(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        client: &ClientId,
        settings: NewSecretSettings,
    ) -> Edited<Created<CreatedSecret>> {
        let ends = SecretEnds { expires_at: settings.expires_at.map(Timestamp::from), grace: None };
        self.make_secret(caller, (tenant, client), "create secret", (settings.name, ends)).await
    }

    /// Creates one more secret. All others end after a grace period.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn rotate_secret(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        client: &ClientId,
        settings: RotateSettings,
    ) -> Edited<Created<RotatedSecret>> {
        let RotateSettings { name, grace, expires_at, into } = settings;
        let grace = Some(grace.unwrap_or(GRACE));
        let ends = SecretEnds { expires_at: expires_at.map(Timestamp::from), grace };
        if let Some(place) = into {
            caller.authority.require_in(tenant, Permission::Clients)?;
            let place = self.place(caller, tenant, &place)?;
            let rotated = self.rotate_into(caller, (tenant, client), (name, ends), place).await;
            return rotated.map_err(|error| match error {
                RotationError::Edit(error) => error,
                RotationError::NotWritten(secret) => {
                    EditError::Conflict(secret.told(caller.authority.is_of_platform()))
                }
            });
        }
        let Created { value, replayed } =
            self.make_secret(caller, (tenant, client), "rotate secret", (name, ends)).await?;
        let CreatedSecret { client_secret, secret } = value;
        let value = RotatedSecret { client_secret: Some(client_secret), into: None, version: None, secret };
        Ok(Created { value, replayed })
    }

    /// Moves the end of a secret, or revokes it.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn step_secret(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        client: &ClientId,
        secret: &SecretId,
        step: SecretStep,
    ) -> Edited<SecretView> {
        let decide = |context: EditContext<'_>| edit::secret::step(context, client, secret, step);
        let answer = |after: &TenantState| after.client(client).cloned();
        let names = (tenant, client);
        let row = self.edit::<Client, _>(caller, names, &Value::Null, None, decide, answer).await?.value;
        let all = self.secret_views(caller, &row).await?;
        all.into_iter().find(|view| view.id == secret.as_str()).ok_or(EditError::NotFound("secret"))
    }

    pub(super) async fn secret_views(&self, caller: &Caller, row: &ClientState) -> Edited<Vec<SecretView>> {
        let usage = self.store.secret_usage(&row.client.tenant, &row.client.id).await?;
        let view = |secret| SecretView::new(secret, &row.secrets, &usage, caller.now);
        Ok(row.secrets.iter().map(view).collect())
    }

    async fn make_secret(
        &self,
        caller: &Caller,
        names @ (tenant, client): (&TenantId, &ClientId),
        operation: &str,
        (name, ends): (Option<String>, SecretEnds),
    ) -> Edited<Created<CreatedSecret>> {
        caller.authority.require_in(tenant, Permission::Clients)?;
        let idempotency = IdempotencyScope::new(caller, tenant, &format!("{operation} of {client}"));
        let secret = self.generate_secret(tenant, client).named(name)?;
        let decide = |context: EditContext<'_>| edit::secret::create(context, client, &secret, ends);
        let answer = |after: &TenantState| {
            let made = after.client(client)?.secrets.last().ok_or(EditError::NotFound("secret"))?;
            let view = SecretView::new(made, std::slice::from_ref(made), &[], caller.now);
            Ok(CreatedSecret { client_secret: secret.value.expose().to_owned(), secret: view })
        };
        self.edit::<Client, _>(caller, names, &Value::Null, idempotency, decide, answer).await
    }
}

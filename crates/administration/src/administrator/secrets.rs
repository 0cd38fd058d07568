//! Secrets of clients. Their administration needs `latchkey:clients`, of the platform or of the tenant.

use registry::{Client, ClientId, SecretId};
use serde_json::Value;
use values::Timestamp;

use super::rotation_into::RotationError;
use super::{Created, InTenant};
use crate::edit::{
    self, EditContext, Edited, SecretStep,
    secret::{GRACE, SecretEnds},
};
use crate::{
    ClientState, CreatedSecret, EditError, NewSecretSettings, Permission, RotateSettings, RotatedSecret,
    SecretView, TenantState,
};

impl InTenant<'_> {
    /// All secrets of a client, with revoked and expired ones.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn secrets(&self, client: &ClientId) -> Edited<Vec<SecretView>> {
        let row = self.client_state(client).await?;
        self.secret_views(&row).await
    }

    /// Creates one more secret.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn create_secret(
        &self,
        client: &ClientId,
        settings: NewSecretSettings,
    ) -> Edited<Created<CreatedSecret>> {
        let ends = SecretEnds { expires_at: settings.expires_at.map(Timestamp::from), grace: None };
        self.make_secret(client, "create secret", settings.name, ends).await
    }

    /// Creates one more secret. All others end after a grace period.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn rotate_secret(
        &self,
        client: &ClientId,
        settings: RotateSettings,
    ) -> Edited<Created<RotatedSecret>> {
        let RotateSettings { name, grace, expires_at, into } = settings;
        let grace = Some(grace.unwrap_or(GRACE));
        let ends = SecretEnds { expires_at: expires_at.map(Timestamp::from), grace };
        if let Some(place) = into {
            self.require(Permission::Clients)?;
            let place = self.place(&place)?;
            let rotated = self.rotate_into(client, name, ends, place).await;
            return rotated.map_err(|error| match error {
                RotationError::Edit(error) => error,
                RotationError::NotWritten(secret) => {
                    EditError::Conflict(secret.told(self.caller.authority.is_of_platform()))
                }
            });
        }
        let Created { value, replayed } = self.make_secret(client, "rotate secret", name, ends).await?;
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
        client: &ClientId,
        secret: &SecretId,
        step: SecretStep,
    ) -> Edited<SecretView> {
        let decide = |context: EditContext<'_>| edit::secret::step(context, client, secret, step);
        let answer = |after: &TenantState| after.client(client).cloned();
        let row = self.edit::<Client, _>(client, &Value::Null, None, decide, answer).await?.value;
        let all = self.secret_views(&row).await?;
        all.into_iter().find(|view| view.id == secret.as_str()).ok_or(EditError::NotFound("secret"))
    }

    pub(super) async fn secret_views(&self, row: &ClientState) -> Edited<Vec<SecretView>> {
        let usage = self.store.secret_usage(&row.client.tenant, &row.client.id).await?;
        let view = |secret| SecretView::new(secret, &row.secrets, &usage, self.caller.now);
        Ok(row.secrets.iter().map(view).collect())
    }

    async fn make_secret(
        &self,
        client: &ClientId,
        operation: &str,
        name: Option<String>,
        ends: SecretEnds,
    ) -> Edited<Created<CreatedSecret>> {
        self.require(Permission::Clients)?;
        let idempotency = self.idempotency(&format!("{operation} of {client}"));
        let secret = self.generate_secret(self.tenant, client).named(name)?;
        let decide = |context: EditContext<'_>| edit::secret::create(context, client, &secret, ends);
        let answer = |after: &TenantState| {
            let made = after.client(client)?.secrets.last().ok_or(EditError::NotFound("secret"))?;
            let view = SecretView::new(made, std::slice::from_ref(made), &[], self.caller.now);
            Ok(CreatedSecret { client_secret: secret.value.expose().to_owned(), secret: view })
        };
        self.edit::<Client, _>(client, &Value::Null, idempotency, decide, answer).await
    }
}

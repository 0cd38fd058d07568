//! Secrets of clients. Their administration needs `latchkey:clients`, of the platform or of the tenant.

use registry::{Client, ClientId, SecretId};
use serde_json::Value;
use values::Timestamp;

use super::rotation_into::RotationError;
use super::{Created, InTenant};
use crate::documents::{CreatedSecret, SecretView};
use crate::edit::EditError;
use crate::edit::Edited;
use crate::edit::secret::{Ends, GRACE};
use crate::{documents, edit, kinds};

impl InTenant<'_> {
    /// All secrets of a client, including revoked and expired ones.
    pub async fn secrets(&self, client: &ClientId) -> Edited<Vec<SecretView>> {
        let row = self.client_state(client).await?;
        self.secret_views(&row).await
    }

    pub async fn create_secret(
        &self,
        client: &ClientId,
        settings: documents::NewSecretSettings,
    ) -> Edited<Created<CreatedSecret>> {
        let ends = Ends { expires_at: settings.expires_at.map(Timestamp::from), grace: None };
        self.make_secret(client, "create secret", settings.name, ends).await
    }

    /// Creates an additional secret. All other secrets expire after a grace period.
    pub async fn rotate_secret(
        &self,
        client: &ClientId,
        settings: documents::RotateSettings,
    ) -> Edited<Created<documents::RotatedSecret>> {
        let documents::RotateSettings { name, grace, expires_at, into } = settings;
        let grace = Some(grace.unwrap_or(GRACE));
        let ends = Ends { expires_at: expires_at.map(Timestamp::from), grace };
        if let Some(place) = into {
            self.require(kinds::Permission::Clients)?;
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
        let value = documents::RotatedSecret {
            client_secret: Some(client_secret),
            into: None,
            version: None,
            secret,
        };
        Ok(Created { value, replayed })
    }

    /// Changes when a secret expires, or revokes it.
    pub async fn step_secret(
        &self,
        client: &ClientId,
        secret: &SecretId,
        step: edit::secret::Step,
    ) -> Edited<SecretView> {
        let decide = |context: edit::EditContext<'_>| edit::secret::step(context, client, secret, step);
        let answer = |after: &kinds::TenantState| after.client(client).cloned();
        let row = self.edit::<Client, _>(client, &Value::Null, None, decide, answer).await?.value;
        let all = self.secret_views(&row).await?;
        all.into_iter().find(|view| view.id == secret.as_str()).ok_or(EditError::NotFound("secret"))
    }

    pub(super) async fn secret_views(&self, row: &kinds::client::State) -> Edited<Vec<SecretView>> {
        let usage = self.store.secret_usage(&row.client.tenant, &row.client.id).await?;
        let view = |secret| SecretView::new(secret, &row.secrets, &usage, self.caller.now);
        Ok(row.secrets.iter().map(view).collect())
    }

    async fn make_secret(
        &self,
        client: &ClientId,
        operation: &str,
        name: Option<String>,
        ends: Ends,
    ) -> Edited<Created<CreatedSecret>> {
        self.require(kinds::Permission::Clients)?;
        let idempotency = self.idempotency(&format!("{operation} of {client}"));
        let secret = self.generate_secret(self.tenant, client).named(name)?;
        let decide = |context: edit::EditContext<'_>| edit::secret::create(context, client, &secret, ends);
        let answer = |after: &kinds::TenantState| {
            let made = after.client(client)?.secrets.last().ok_or(EditError::NotFound("secret"))?;
            let view = SecretView::new(made, std::slice::from_ref(made), &[], self.caller.now);
            Ok(CreatedSecret { client_secret: secret.value.expose().to_owned(), secret: view })
        };
        self.edit::<Client, _>(client, &Value::Null, idempotency, decide, answer).await
    }
}

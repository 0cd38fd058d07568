//! Secrets of clients: `latchkey:clients`, of the platform or of the tenant.

use registry::{ClientId, SecretId};
use tenancy::TenantId;

use super::commit_with_retry::EditRequest;
use super::idempotency::IdempotencyScope;
use super::load::LoadScope;
use super::{Administrator, Caller, Created};
use crate::edit::{self, Edit, EditContext, Facts, SecretMaterial, SecretStep};
use crate::{
    ClientState, CreatedSecret, EditError, NewSecretSettings, Permission, RelatedClients, RotateSettings,
    SecretState, SecretView,
};

impl Administrator {
    /// All secrets of a client, revoked and expired ones too.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn secrets(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        client: &ClientId,
    ) -> Result<Vec<SecretView>, EditError> {
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
    ) -> Result<Created<CreatedSecret>, EditError> {
        self.make_secret(caller, (tenant, client), "create secret", |context, facts, secret| {
            edit::create_secret(context, facts, (tenant, client), secret, &settings)
        })
        .await
    }

    /// Creates one more secret and lets all others end after a time of grace.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn rotate_secret(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        client: &ClientId,
        settings: RotateSettings,
    ) -> Result<Created<CreatedSecret>, EditError> {
        self.make_secret(caller, (tenant, client), "rotate secret", |context, facts, secret| {
            edit::rotate_secret(context, facts, (tenant, client), secret, &settings)
        })
        .await
    }

    /// Moves a secret's end or revokes the secret.
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
    ) -> Result<SecretView, EditError> {
        let row = self.edit_client(caller, (tenant, client), &[], |context, facts| {
            edit::step_secret(context, facts, (tenant, client), secret, step)
        });
        let all = self.secret_views(caller, &row.await?).await?;
        all.into_iter().find(|view| view.id == secret.as_str()).ok_or(EditError::NotFound("secret"))
    }

    async fn secret_views(&self, caller: &Caller, row: &ClientState) -> Result<Vec<SecretView>, EditError> {
        let usage = self.store.secret_usage(&row.client.tenant, &row.client.id).await?;
        let view = |secret| SecretView::of(secret, &row.secrets, &usage, caller.now);
        Ok(row.secrets.iter().map(view).collect())
    }

    async fn make_secret(
        &self,
        caller: &Caller,
        (tenant, client): (&TenantId, &ClientId),
        operation: &str,
        mut decide: impl FnMut(EditContext<'_>, &Facts, &SecretMaterial) -> Result<(Edit, SecretState), EditError>
        + Send,
    ) -> Result<Created<CreatedSecret>, EditError> {
        caller.authority.require_in(tenant, Permission::Clients)?;
        let related = RelatedClients { ids: &[client.as_str()], listed: &[] };
        let request = EditRequest { caller, tenant, scope: LoadScope::Related(related) };
        let idempotency = IdempotencyScope::of(caller, tenant, &format!("{operation} of {client}"))?;
        let secret = self.generate_secret(tenant, client);
        self.commit_with_retry(request, idempotency, |context, facts| {
            let (edit, made) = decide(context, facts, &secret.material)?;
            let view = SecretView::of(&made, std::slice::from_ref(&made), &[], caller.now);
            let client_secret = secret.value.expose().to_owned();
            Ok((edit, CreatedSecret { client_secret, secret: view }))
        })
        .await
    }
}

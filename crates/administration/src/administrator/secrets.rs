//! Secrets of clients: `latchkey:clients`, at the platform or in the tenant.

use protocol::Timestamp;
use registry::{ClientId, SecretId};
use tenancy::TenantId;

use super::idempotency::IdempotencyScope;
use super::{Administrator, Created, EditRequest, Idempotency, LoadScope};
use crate::edit::{self, Edit, EditContext, Facts, SecretMaterial};
use crate::{
    Authority, CreatedSecret, EditError, NewSecretSettings, Permission, RelatedClients, RotateSettings,
    SecretState, SecretView,
};

impl Administrator {
    /// All secrets of a client, revoked and expired ones too.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn secrets(
        &self,
        by: &Authority,
        tenant: &TenantId,
        client: &ClientId,
        now: Timestamp,
    ) -> Result<Vec<SecretView>, EditError> {
        let row = self.client_state(by, tenant, client, now).await?;
        let usage = self.store.secret_usage(tenant, client).await?;
        Ok(row.secrets.iter().map(|secret| SecretView::of(secret, &row.secrets, &usage, now)).collect())
    }

    /// Makes one more secret.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn create_secret(
        &self,
        by: &Authority,
        tenant: &TenantId,
        client: &ClientId,
        settings: NewSecretSettings,
        idempotency: Option<&Idempotency>,
        now: Timestamp,
    ) -> Result<Created<CreatedSecret>, EditError> {
        let operation = format!("create secret of {client}");
        self.make_secret(by, (tenant, client), (&operation, idempotency), now, |context, facts, secret| {
            edit::create_secret(context, facts, (tenant, client), secret, &settings)
        })
        .await
    }

    /// Makes one more secret and lets all others end after a time of grace.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn rotate_secret(
        &self,
        by: &Authority,
        tenant: &TenantId,
        client: &ClientId,
        settings: RotateSettings,
        idempotency: Option<&Idempotency>,
        now: Timestamp,
    ) -> Result<Created<CreatedSecret>, EditError> {
        let operation = format!("rotate secret of {client}");
        self.make_secret(by, (tenant, client), (&operation, idempotency), now, |context, facts, secret| {
            edit::rotate_secret(context, facts, (tenant, client), secret, &settings)
        })
        .await
    }

    /// Moves a secret's end; `None`: it never ends.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn expire_secret(
        &self,
        by: &Authority,
        tenant: &TenantId,
        client: &ClientId,
        secret: &SecretId,
        expires_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<SecretView, EditError> {
        self.edit_client(by, (tenant, client), &[], now, |context, facts| {
            edit::expire_secret(context, facts, (tenant, client), secret, expires_at)
        })
        .await?;
        self.secret(by, (tenant, client), secret, now).await
    }

    /// Ends a secret at once.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn revoke_secret(
        &self,
        by: &Authority,
        tenant: &TenantId,
        client: &ClientId,
        secret: &SecretId,
        now: Timestamp,
    ) -> Result<SecretView, EditError> {
        self.edit_client(by, (tenant, client), &[], now, |context, facts| {
            edit::revoke_secret(context, facts, (tenant, client), secret)
        })
        .await?;
        self.secret(by, (tenant, client), secret, now).await
    }

    async fn secret(
        &self,
        by: &Authority,
        (tenant, client): (&TenantId, &ClientId),
        secret: &SecretId,
        now: Timestamp,
    ) -> Result<SecretView, EditError> {
        let all = self.secrets(by, tenant, client, now).await?;
        all.into_iter().find(|view| view.id == secret.as_str()).ok_or(EditError::NotFound("secret"))
    }

    async fn make_secret(
        &self,
        by: &Authority,
        (tenant, client): (&TenantId, &ClientId),
        (operation, idempotency): (&str, Option<&Idempotency>),
        now: Timestamp,
        mut decide: impl FnMut(EditContext<'_>, &Facts, &SecretMaterial) -> Result<(Edit, SecretState), EditError>
        + Send,
    ) -> Result<Created<CreatedSecret>, EditError> {
        self.context(by, now).require_in(tenant, Permission::Clients)?;
        let related = RelatedClients { ids: &[client.as_str()], listed: &[] };
        let edit_request = EditRequest { by, tenant, scope: LoadScope::Related(related), now };
        let idempotency_scope = IdempotencyScope::of(by, tenant, operation, idempotency)?;
        let secret = self.generate_secret(tenant, client);
        self.commit_idempotently(edit_request, idempotency_scope, |context, facts| {
            let (edit, made) = decide(context, facts, &secret.material)?;
            let view = SecretView::of(&made, std::slice::from_ref(&made), &[], now);
            let client_secret = secret.value.expose().to_owned();
            Ok((edit, CreatedSecret { client_secret, secret: view }))
        })
        .await
    }
}

//! Applications: each is a client of the tenant and a row beside it, written and deleted together. An interface translates its
//! own form of one.

use protocol::{Secret, Timestamp};
use registry::ClientId;
use secrets::PasswordSalt;
use tenancy::TenantId;
use uuid::Uuid;

use super::commit_with_retry::{ATTEMPTS, pause};
use super::{AboutApplication, Administrator, EditRequest, LoadScope, NewSecretValue};
use crate::edit::{self, NewApplication, PreparedSecret};
use crate::{
    Application, ApplicationError, ApplicationId, ApplicationState, Authority, EditError, Permission,
    PutApplication, Translate,
};

impl Administrator {
    /// One application, without its secret.
    ///
    /// # Errors
    /// [`ApplicationError`].
    pub async fn application(
        &self,
        by: &Authority,
        tenant: &TenantId,
        id: ApplicationId,
        now: Timestamp,
    ) -> Result<ApplicationState, ApplicationError> {
        let context = self.context(by, now);
        context.require_in(tenant, Permission::Clients)?;
        let facts = self.load(about(by, tenant, &id, now)).await?;
        edit::application(context, &facts, tenant)
    }

    /// The number of a tenant's applications, and a page of them in the order in which they were created.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn applications(
        &self,
        by: &Authority,
        tenant: &TenantId,
        offset: u32,
        limit: u32,
        now: Timestamp,
    ) -> Result<(u64, Vec<Application>), EditError> {
        self.context(by, now).require_in(tenant, Permission::Clients)?;
        Ok(self.store.list_applications(tenant, offset, limit).await?)
    }

    /// Creates an application with its client, or replaces one. A new client gets a generated secret where none is sent. The
    /// client of a replaced application stays; a secret that is sent replaces all earlier ones.
    ///
    /// # Errors
    /// Those of the translation, [`ApplicationError`] and [`EditError`].
    pub async fn put_application<E: From<EditError> + From<ApplicationError> + Send>(
        &self,
        by: &Authority,
        tenant: &TenantId,
        put: PutApplication<'_>,
        translate: &Translate<'_, E>,
        now: Timestamp,
    ) -> Result<ApplicationState, E> {
        self.context(by, now).require_in(tenant, Permission::Clients)?;
        let id = put.replaces.unwrap_or_else(ApplicationId::random);
        let client = ClientId::parse(&Uuid::new_v4().to_string()).expect("a UUID is a client id");
        let new = NewApplication { tenant, id, put, client: &client };
        let client = put.client_id.filter(|id| !id.is_empty()).unwrap_or(client.as_str());
        let about = AboutApplication { id: &id, name: put.name, client };
        let edit_request = EditRequest { by, tenant, scope: LoadScope::Application(about), now };
        for attempt in 0..ATTEMPTS {
            pause(attempt).await;
            // Hashed before the lock is taken. Where the secret is another client's by then, once more.
            let secret = self.application_secret(edit_request, new, translate).await?;
            let prepared = secret.as_ref();
            let prepared =
                prepared.map(|(client, secret)| PreparedSecret { client, material: &secret.material });
            let put = self.commit_with_retry(edit_request, |context, facts| {
                let put = edit::put_application(context, facts, new, prepared.as_ref(), translate)?;
                Ok::<_, E>(put.map_or_else(Default::default, |(edit, put)| (edit, Some(put))))
            });
            if let Some(put) = put.await? {
                return Ok(ApplicationState { secret: secret.map(|(_, secret)| secret.value), ..put });
            }
        }
        Err(EditError::Contended.into())
    }

    /// Deletes an application with its client. The name is free again, the client's id stays reserved.
    ///
    /// # Errors
    /// [`ApplicationError`].
    pub async fn delete_application(
        &self,
        by: &Authority,
        tenant: &TenantId,
        id: ApplicationId,
        now: Timestamp,
    ) -> Result<(), ApplicationError> {
        self.context(by, now).require_in(tenant, Permission::Clients)?;
        self.commit_with_retry(about(by, tenant, &id, now), |context, facts| {
            Ok((edit::delete_application(context, facts, tenant)?, ()))
        })
        .await
    }

    /// The secret that was sent, or a generated one, and the client that it is for.
    async fn application_secret<E: From<EditError> + From<ApplicationError>>(
        &self,
        edit_request: EditRequest<'_>,
        new: NewApplication<'_>,
        translate: &Translate<'_, E>,
    ) -> Result<Option<(ClientId, NewSecretValue)>, E> {
        let facts = self.load(edit_request).await?;
        let context = self.context(edit_request.by, edit_request.now);
        let Some((client, salt)) = edit::secret_wanted(context, &facts, new, translate)? else {
            return Ok(None);
        };
        let secret = match new.put.secret {
            Some(sent) => {
                let (names, sent) = ((new.tenant, &client), Secret::new(sent.expose().to_owned()));
                self.take_secret(names, sent, || salt.unwrap_or_else(PasswordSalt::generate)).await?
            }
            None => self.generate_secret(new.tenant, &client),
        };
        Ok(Some((client, secret)))
    }
}

fn about<'a>(
    by: &'a Authority,
    tenant: &'a TenantId,
    id: &'a ApplicationId,
    now: Timestamp,
) -> EditRequest<'a> {
    let about = AboutApplication { id, name: "", client: "" };
    EditRequest { by, tenant, scope: LoadScope::Application(about), now }
}

//! Thunder-compatible applications, carried out: each is a client of the tenant's registry and a row beside it, written and deleted together.

use protocol::{Secret, Timestamp};
use registry::{ClientId, PasswordSalt};
use tenancy::TenantId;
use uuid::Uuid;

use super::commit_with_retry::{ATTEMPTS, pause};
use super::{AboutApplication, Administrator, EditRequest, LoadScope, NewSecretValue};
use crate::applications::{ApplicationDocument, Shown, list, shape};
use crate::edit::{self, ApplicationState, NewApplication, PreparedSecret};
use crate::{
    ApplicationError, ApplicationId, ApplicationRequest, Authority, EditError, Permission,
    RejectedApplication, Shape, Spelling,
};

impl Administrator {
    /// Makes an application and, where it asks for one, its client. A secret is made where none is sent.
    ///
    /// # Errors
    /// [`ApplicationError`].
    pub async fn create_application(
        &self,
        by: &Authority,
        tenant: &TenantId,
        request: &ApplicationRequest,
        now: Timestamp,
    ) -> Result<Shape, ApplicationError> {
        let (id, client) = (ApplicationId::random(), new_client_id());
        let new = NewApplication { tenant, id, request, client: &client, replaces: false };
        self.put_application(by, new, now).await
    }

    /// One application, without its secret.
    ///
    /// # Errors
    /// [`ApplicationError`].
    pub async fn application(
        &self,
        by: &Authority,
        tenant: &TenantId,
        id: &str,
        now: Timestamp,
    ) -> Result<Shape, ApplicationError> {
        let context = self.context(by, now);
        context.require_in(tenant, Permission::Clients)?;
        let facts = self.load(about(by, tenant, &read_id(id)?, now)).await?;
        Ok(shown(&edit::application(context, &facts, tenant)?, None, Spelling::Snake))
    }

    /// Some of a tenant's applications, in the order in which they were made.
    ///
    /// # Errors
    /// [`ApplicationError`].
    pub async fn applications(
        &self,
        by: &Authority,
        tenant: &TenantId,
        offset: u32,
        limit: u32,
        now: Timestamp,
    ) -> Result<Shape, ApplicationError> {
        self.context(by, now).require_in(tenant, Permission::Clients)?;
        let listed = self.store.list_applications(tenant, offset, limit).await;
        let (total, page) = listed.map_err(EditError::from)?;
        let with_document =
            |application| ApplicationDocument::of(&application).map(|document| (application, document));
        let page: Result<Vec<_>, EditError> = page.into_iter().map(with_document).collect();
        Ok(list(total, &page?))
    }

    /// Puts another application in the place of one. Its client stays the same one; a secret that is sent replaces all earlier ones.
    ///
    /// # Errors
    /// [`ApplicationError`].
    pub async fn replace_application(
        &self,
        by: &Authority,
        tenant: &TenantId,
        id: &str,
        request: &ApplicationRequest,
        now: Timestamp,
    ) -> Result<Shape, ApplicationError> {
        self.context(by, now).require_in(tenant, Permission::Clients)?;
        let (id, client) = (read_id(id)?, new_client_id());
        let new = NewApplication { tenant, id, request, client: &client, replaces: true };
        self.put_application(by, new, now).await
    }

    /// Deletes an application with its client. The name is free again, the client's id stays reserved.
    ///
    /// # Errors
    /// [`ApplicationError`].
    pub async fn delete_application(
        &self,
        by: &Authority,
        tenant: &TenantId,
        id: &str,
        now: Timestamp,
    ) -> Result<(), ApplicationError> {
        self.context(by, now).require_in(tenant, Permission::Clients)?;
        self.commit_with_retry(about(by, tenant, &read_id(id)?, now), |context, facts| {
            Ok((edit::delete_application(context, facts, tenant)?, ()))
        })
        .await
    }

    async fn put_application(
        &self,
        by: &Authority,
        new: NewApplication<'_>,
        now: Timestamp,
    ) -> Result<Shape, ApplicationError> {
        self.context(by, now).require_in(new.tenant, Permission::Clients)?;
        let NewApplication { tenant, id, request, client, .. } = new;
        let requested_id = request.document.oauth().and_then(|config| config.client_id.as_deref());
        let client = requested_id.filter(|id| !id.is_empty()).unwrap_or(client.as_str());
        let about = AboutApplication { id: &id, name: &request.document.name, client };
        let edit_request = EditRequest { by, tenant, scope: LoadScope::Application(about), now };
        for attempt in 0..ATTEMPTS {
            pause(attempt).await;
            // Hashed before it is this writer's turn. Where the secret is another client's by then, once more.
            let secret = self.application_secret(edit_request, new).await?;
            let prepared = secret.as_ref();
            let prepared =
                prepared.map(|(client, secret)| PreparedSecret { client, material: &secret.material });
            let put = self.commit_with_retry(edit_request, |context, facts| {
                let put = edit::put_application(context, facts, new, prepared.as_ref())?;
                Ok::<_, ApplicationError>(put.map_or_else(Default::default, |(edit, put)| (edit, Some(put))))
            });
            if let Some(put) = put.await? {
                let value = secret.as_ref().map(|(_, secret)| &secret.value);
                return Ok(shown(&put, value, request.spelling()));
            }
        }
        Err(EditError::Contended.into())
    }

    /// The secret that was sent, or one that is made, and the client that it is for.
    async fn application_secret(
        &self,
        edit_request: EditRequest<'_>,
        new: NewApplication<'_>,
    ) -> Result<Option<(ClientId, NewSecretValue)>, ApplicationError> {
        let facts = self.load(edit_request).await?;
        let wanted = edit::secret_wanted(self.context(edit_request.by, edit_request.now), &facts, new)?;
        let Some((client, salt)) = wanted else { return Ok(None) };
        let secret = match &new.request.secret {
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

fn read_id(id: &str) -> Result<ApplicationId, RejectedApplication> {
    ApplicationId::parse(id).ok_or_else(RejectedApplication::not_found)
}

fn new_client_id() -> ClientId {
    ClientId::parse(&Uuid::new_v4().to_string()).expect("a UUID is a client id")
}

fn shown(state: &ApplicationState, secret: Option<&Secret>, spelling: Spelling) -> Shape {
    let ApplicationState { application, document, client } = state;
    let secret = secret.map(Secret::expose);
    shape(&Shown { application, document, client: client.as_ref(), secret }, spelling)
}

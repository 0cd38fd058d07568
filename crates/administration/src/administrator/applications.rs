//! Applications: each is a client of the tenant and a row beside it, written and deleted together. An interface translates its
//! own form of one.

use protocol::Secret;
use registry::ClientId;
use tenancy::TenantId;
use uuid::Uuid;

use super::commit_with_retry::{Decision, EditRequest, Preparation, Prepared};
use super::load::{AboutApplication, LoadScope};
use super::{Administrator, Caller};
use crate::edit::{self, NewApplication};
use crate::{
    Application, ApplicationError, ApplicationId, ApplicationState, EditError, Permission, PutApplication,
    Translate,
};

impl Administrator {
    /// One application, without its secret.
    ///
    /// # Errors
    /// [`ApplicationError`].
    pub async fn application(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        id: ApplicationId,
    ) -> Result<ApplicationState, ApplicationError> {
        caller.authority.require_in(tenant, Permission::Clients)?;
        let facts = self.load(tenant, of(&id)).await?;
        edit::application(self.context(caller), &facts, tenant)
    }

    /// The number of a tenant's applications, and a page of them in the order in which they were created.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn applications(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        offset: u32,
        limit: u32,
    ) -> Result<(u64, Vec<Application>), EditError> {
        caller.authority.require_in(tenant, Permission::Clients)?;
        Ok(self.store.list_applications(tenant, offset, limit).await?)
    }

    /// Creates an application with its client, or replaces one. A new client gets a generated secret where none is sent. The
    /// client of a replaced application stays; a secret that is sent replaces all earlier ones.
    ///
    /// # Errors
    /// Those of the translation, [`ApplicationError`] and [`EditError`].
    pub async fn put_application<E: From<EditError> + From<ApplicationError> + Send>(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        put: PutApplication<'_>,
        translate: &Translate<'_, E>,
    ) -> Result<ApplicationState, E> {
        caller.authority.require_in(tenant, Permission::Clients)?;
        let id = put.replaces.unwrap_or_else(ApplicationId::random);
        let client = ClientId::parse(&Uuid::new_v4().to_string()).expect("a UUID is a client id");
        let new = NewApplication { tenant, id, put, client: &client };
        let client = put.client_id.filter(|id| !id.is_empty()).unwrap_or(client.as_str());
        let about = AboutApplication { id: &id, name: put.name, client };
        let request = EditRequest { caller, tenant, scope: LoadScope::Application(about) };
        let decided = self.commit_prepared(request, None, None, |context, facts, prepared| {
            let draft = edit::application_draft(context, facts, new, translate)?;
            let secret = match (draft.secret_client(), prepared) {
                (None, _) => None,
                (Some(client), Some(Prepared::Secret(of, secret))) if *of == client => Some(secret),
                (Some(client), _) => {
                    let sent = put.secret.map(|sent| Secret::new(sent.expose().to_owned()));
                    return Ok(Decision::Prepare(Preparation::Secret {
                        client,
                        sent,
                        salt: draft.salt(context),
                    }));
                }
            };
            let (edit, state) = draft.put(context, facts, secret.map(|secret| &secret.material))?;
            let secret = secret.map(|secret| Secret::new(secret.value.expose().to_owned()));
            Ok::<_, E>(Decision::Commit(edit, ApplicationState { secret, ..state }))
        });
        Ok(decided.await?.value)
    }

    /// Deletes an application with its client. The name is free again, the client's id stays reserved.
    ///
    /// # Errors
    /// [`ApplicationError`].
    pub async fn delete_application(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        id: ApplicationId,
    ) -> Result<(), ApplicationError> {
        caller.authority.require_in(tenant, Permission::Clients)?;
        let request = EditRequest { caller, tenant, scope: of(&id) };
        let deleted = self.commit_with_retry(request, None, |context, facts| {
            Ok::<_, ApplicationError>((edit::delete_application(context, facts, tenant)?, ()))
        });
        deleted.await.map(drop)
    }
}

fn of(id: &ApplicationId) -> LoadScope<'_> {
    LoadScope::Application(AboutApplication { id, name: "", client: "" })
}

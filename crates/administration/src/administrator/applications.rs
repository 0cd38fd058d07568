//! Applications: each is a client of the tenant and a row beside it. Both are written and deleted together.
//! An interface translates its own form of an application.

use async_trait::async_trait;
use registry::ClientId;
use secrets::PasswordSalt;
use tenancy::{StoreError, TenantId};
use uuid::Uuid;
use values::Secret;

use super::attempts::{ATTEMPTS, pause};
use super::commit_with_retry::{Decision, EditRequest};
use super::load::Scope;
use super::{Administrator, Caller};
use crate::edit::{
    self, EditContext, Edited, Facts, SecretMaterial,
    application::{NewApplication, Put},
};
use crate::{
    AdministrationStore, Application, ApplicationError, ApplicationId, ApplicationState, EditError,
    Permission, PutApplication, RelatedClients, Translate,
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
        let facts = self.load(tenant, &of(id)).await?;
        edit::application::look(self.context(caller, tenant, &facts))
    }

    /// The number of a tenant's applications, and a page of them in the order of their creation.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn applications(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        offset: u32,
        limit: u32,
    ) -> Edited<(u64, Vec<Application>)> {
        caller.authority.require_in(tenant, Permission::Clients)?;
        Ok(self.store.list_applications(tenant, offset, limit).await?)
    }

    /// Creates an application with its client, or replaces one. A new client gets a generated secret if none
    /// is sent. The client of a replaced application stays; a secret that is sent replaces all earlier ones.
    ///
    /// # Errors
    /// The errors of the translation, [`ApplicationError`] and [`EditError`].
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
        let new = NewApplication { id, put, client: &client };
        let client = put.client_id.filter(|id| !id.is_empty()).unwrap_or(client.as_str());
        let about = AboutApplication { id, name: put.name.to_owned(), client: client.to_owned() };
        let request = EditRequest { caller, tenant, scope: Box::new(about) };
        let decide = |context: EditContext<'_>, hashed: &mut Option<_>| match edit::application::put(
            context,
            new,
            hashed.as_ref(),
            translate,
        )? {
            Put::Hash(client, salt) => {
                let sent = put.secret.map(|sent| Secret::new(sent.expose().to_owned()));
                Ok::<_, E>(Decision::Prepare(Box::pin(self.hash_for(tenant, client, sent, salt))))
            }
            Put::Edit(edit, state) => Ok(Decision::Commit { edit, value: *state, valid_for: None }),
        };
        Ok(self.commit_prepared(request, None, None, decide, |value, _| Ok(value)).await?.value)
    }

    /// Deletes an application with its client. The name becomes free, and the client's id stays reserved.
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
        let delete = async |scope: Box<dyn Scope>| {
            let request = EditRequest { caller, tenant, scope };
            self.commit_with_retry(request, None, edit::application::delete, |_| Ok(())).await.map(drop)
        };
        match delete(Box::new(of(id))).await {
            Err(ApplicationError::Edit(EditError::Store(StoreError::Fault(_)))) => {
                delete(Box::new(UnreadableApplication(id))).await
            }
            deleted => deleted,
        }
    }

    /// The secret that was sent or a generated one, hashed for its client.
    async fn hash_for(
        &self,
        tenant: &TenantId,
        client: ClientId,
        sent: Option<Secret>,
        salt: Option<PasswordSalt>,
    ) -> Edited<(ClientId, SecretMaterial)> {
        let secret = match sent {
            Some(sent) => self.take_secret((tenant, &client), sent, salt).await?,
            None => self.generate_secret(tenant, &client),
        };
        Ok((client, secret))
    }
}

/// The tenant, with what stands in for an application that this version cannot read, and its client. A client
/// that this version cannot read either stays, and is deleted as a client.
struct UnreadableApplication(ApplicationId);

#[async_trait]
impl Scope for UnreadableApplication {
    async fn load(&self, store: &dyn AdministrationStore, tenant: &TenantId) -> Edited<Facts> {
        let mut application = match store.find_unreadable_application(tenant, &self.0).await? {
            None => store.find_application(tenant, &self.0).await?,
            found => found,
        };
        let client = application.as_ref().and_then(|application| application.client.clone());
        let ids: Vec<_> = client.iter().map(ClientId::as_str).collect();
        let related = RelatedClients { ids: &ids, listed: &[] };
        let state = match store.load_with_related_clients(tenant, related).await {
            Err(StoreError::Fault(_)) => {
                application.iter_mut().for_each(|application| application.client = None);
                store.load_with_related_clients(tenant, RelatedClients::default()).await?
            }
            state => state?,
        };
        Ok(Facts { state, application, ..Facts::default() })
    }
}

/// The tenant, with an application and its client.
struct AboutApplication {
    id: ApplicationId,
    /// The name that it is to have.
    name: String,
    /// The client that it is to have.
    client: String,
}

fn of(id: ApplicationId) -> AboutApplication {
    AboutApplication { id, name: String::new(), client: String::new() }
}

#[async_trait]
impl Scope for AboutApplication {
    /// The application is read twice: before the tenant, because the client's name is needed to load the
    /// client, and after it.
    async fn load(&self, store: &dyn AdministrationStore, tenant: &TenantId) -> Edited<Facts> {
        let Self { id, name, client } = self;
        for attempt in 0..ATTEMPTS {
            pause(attempt).await;
            let known = store.find_application(tenant, id).await?.and_then(|known| known.client);
            let ids = &[client.as_str(), known.as_ref().map_or(client, ClientId::as_str)];
            let related = RelatedClients { ids, listed: &[client] };
            let state = store.load_with_related_clients(tenant, related).await?;
            let application = store.find_application(tenant, id).await?;
            if application.as_ref().and_then(|application| application.client.as_ref()) == known.as_ref() {
                let name_owner = store.find_application_named(tenant, name).await?;
                return Ok(Facts { state, application, name_owner, ..Facts::default() });
            }
        }
        Err(EditError::Contended)
    }
}

//! Applications. Each application consists of a client of the tenant and one more row, which are written and
//! deleted together. Each interface translates its own form of an application.

use registry::ClientId;
use secrets::PasswordSalt;
use tenancy::StoreError;
use uuid::Uuid;
use values::Secret;

use super::InTenant;
use super::commit_with_retry::Decision;
use super::load::Needs;
use crate::documents::application::{
    Application, ApplicationError, ApplicationId, ApplicationState, PutApplication, Translate,
};
use crate::edit;
use crate::edit::application::{NewApplication, Put};
use crate::kinds::Permission;
use crate::store::UnreadableRow;

impl InTenant<'_> {
    /// One application, without its secret.
    pub async fn application(&self, id: ApplicationId) -> Result<ApplicationState, ApplicationError> {
        self.require(Permission::Clients)?;
        let facts = self.load(self.tenant, &Needs { application: Some(id), ..Needs::default() }).await?;
        edit::application::look(self.context(&facts))
    }

    /// The number of a tenant's applications, and a page of them in the order of their creation.
    pub async fn applications(&self, offset: u32, limit: u32) -> edit::Edited<(u64, Vec<Application>)> {
        self.require(Permission::Clients)?;
        Ok(self.store.list_applications(self.tenant, offset, limit).await?)
    }

    /// Creates an application with its client, or replaces one. A new client gets a generated secret if none
    /// is sent. The client of a replaced application stays; a secret that is sent replaces all earlier ones.
    ///
    /// # Errors
    /// The errors of the translation, [`ApplicationError`] and [`edit::EditError`].
    pub async fn put_application<E: From<edit::EditError> + From<ApplicationError> + Send>(
        &self,
        put: PutApplication<'_>,
        translate: &Translate<'_, E>,
    ) -> Result<ApplicationState, E> {
        self.require(Permission::Clients)?;
        let id = put.replaces.unwrap_or_else(ApplicationId::random);
        let client = ClientId::parse(&Uuid::new_v4().to_string()).expect("a UUID is a client id");
        let new = NewApplication { id, put, client: &client };
        let clients = vec![put.client_id.filter(|id| !id.is_empty()).unwrap_or(client.as_str()).to_owned()];
        let needs = Needs {
            listed: clients.clone(),
            clients,
            application: Some(id),
            application_name: Some(put.name.to_owned()),
            ..Needs::default()
        };
        let decide = |context: edit::EditContext<'_>, hashed: &mut Option<_>| match edit::application::put(
            context,
            new,
            hashed.as_ref(),
            translate,
        )? {
            Put::Hash(client, salt) => {
                let sent = put.secret.map(|sent| Secret::new(sent.expose().to_owned()));
                Ok::<_, E>(Decision::Prepare(Box::pin(self.hash_for(client, sent, salt))))
            }
            Put::Edit(edit, state) => Ok(Decision::Commit { edit, value: *state, valid_for: None }),
        };
        Ok(self.commit_prepared(needs, None, None, decide, |value, _| Ok(value)).await?.value)
    }

    /// Deletes an application with its client. The name becomes free, and the client's id stays reserved.
    pub async fn delete_application(&self, id: ApplicationId) -> Result<(), ApplicationError> {
        self.require(Permission::Clients)?;
        let delete = async |needs| {
            self.commit_with_retry(needs, None, edit::application::delete, |_| Ok(())).await.map(drop)
        };
        match delete(Needs { application: Some(id), ..Needs::default() }).await {
            Err(ApplicationError::Edit(edit::EditError::Store(StoreError::Fault(_)))) => {
                delete(UnreadableRow::Application(id).into()).await
            }
            deleted => deleted,
        }
    }

    /// Hashes the secret that was sent, or generates one.
    async fn hash_for(
        &self,
        client: ClientId,
        sent: Option<Secret>,
        salt: Option<PasswordSalt>,
    ) -> edit::Edited<(ClientId, edit::SecretMaterial)> {
        let secret = match sent {
            Some(sent) => self.take_secret(self.tenant, &client, sent, salt).await?,
            None => self.generate_secret(self.tenant, &client),
        };
        Ok((client, secret))
    }
}

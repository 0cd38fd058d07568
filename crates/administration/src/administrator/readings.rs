//! Reads together what one page shows together, so that the page takes few statements: a tenant with its
//! usage, an application with its usage, and the credentials of an application. Data that the caller may not
//! see is left out.

use registry::{Client, ClientId};
use values::Timestamp;

use super::cursor::Paging;
use super::load::Needs;
use super::usage::UsageQuery;
use super::{Administrator, Caller, InTenant};
use crate::edit::Edited;
use crate::{
    ApiKeyQuery, ApiKeyView, ClientView, EditError, Page, Permission, PlatformStatus, Refusal, RefusalQuery,
    SecretView, TenantView, UsageOf, UsageView,
};

/// A tenant.
pub struct TenantReading {
    /// What it is.
    pub tenant: TenantView,
    /// Its usage, for a caller with `latchkey:audit`.
    pub usage: Option<UsageView>,
    /// When its keys are to be looked at next, with `latchkey:keys`.
    pub next_key_step_at: Option<Timestamp>,
}

/// An application as its managers see it.
pub struct ApplicationReading {
    /// What it is.
    pub client: ClientView,
    /// Its usage, for a caller with `latchkey:audit`.
    pub usage: Option<UsageView>,
    /// Its last refused requests, for a caller with `latchkey:audit`.
    pub refusals: Option<Page<Refusal>>,
}

/// The credentials of an application.
pub struct CredentialsReading {
    /// The client.
    pub client: ClientView,
    /// Its secrets, with ended ones.
    pub secrets: Vec<SecretView>,
    /// A page of its API keys.
    pub api_keys: Page<ApiKeyView>,
}

/// Replicas and tenants that the status of the platform names.
const NAMED: u32 = 20;

impl InTenant<'_> {
    /// A tenant, for a caller with any permission in it.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn read_tenant(&self, span: UsageQuery) -> Edited<TenantReading> {
        let Self { caller, tenant, .. } = *self;
        let holds = |permission| caller.authority.holds_in(tenant, permission);
        if !Permission::NAMED.iter().any(|(_, permission)| holds(*permission)) {
            return Err(EditError::Forbidden(Permission::Tenants));
        }
        let facts = self.load(tenant, &Needs::default()).await?;
        let view = TenantView::new(facts.tenant()?, &self.policy);
        let usage = if holds(Permission::Audit) {
            Some(self.read_usage(UsageOf::Tenant(tenant), span, caller.now).await?)
        } else {
            None
        };
        let steps = if holds(Permission::Keys) {
            self.store.next_key_steps(Some(tenant), 1).await?
        } else {
            Vec::new()
        };
        Ok(TenantReading { tenant: view, usage, next_key_step_at: steps.first().map(|(_, at)| *at) })
    }

    /// An application with its use.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn read_application(
        &self,
        client: &ClientId,
        span: UsageQuery,
        refusals: u32,
    ) -> Edited<ApplicationReading> {
        let Self { caller, tenant, .. } = *self;
        let view = self.look::<Client>(client).await?;
        if !caller.authority.holds_in(tenant, Permission::Audit) {
            return Ok(ApplicationReading { client: view, usage: None, refusals: None });
        }
        let usage = self.read_usage(UsageOf::Client(tenant, client), span, caller.now).await?;
        let query = RefusalQuery { client: Some(client.clone()), ..RefusalQuery::default() };
        let refusals = self.read_refusals(tenant, Paging::new(None, refusals)?, query).await?;
        Ok(ApplicationReading { client: view, usage: Some(usage), refusals: Some(refusals) })
    }

    /// The credentials of an application, with so many of its API keys.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn read_credentials(
        &self,
        client: &ClientId,
        cursor: Option<&str>,
        api_keys: u32,
    ) -> Edited<CredentialsReading> {
        let row = self.client_state(client).await?;
        let query = ApiKeyQuery { client: Some(client.clone()), ..ApiKeyQuery::default() };
        Ok(CredentialsReading {
            client: ClientView::new(&row, self.caller.now),
            secrets: self.secret_views(&row).await?,
            api_keys: self.read_api_keys(Paging::new(cursor, api_keys)?, query).await?,
        })
    }
}

impl Administrator {
    /// How the platform runs: with `latchkey:audit` of the platform.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn status(&self, caller: &Caller) -> Edited<PlatformStatus> {
        caller.authority.require_everywhere(Permission::Audit)?;
        let replicas = self.store.list_replicas(NAMED).await?;
        let steps = self.store.next_key_steps(None, NAMED).await?;
        Ok(PlatformStatus::new(replicas, steps))
    }
}

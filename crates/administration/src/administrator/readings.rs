//! Reads everything that one page of the console shows, so that the page takes few statements: a tenant with
//! its usage, an application with its usage, and the credentials of an application. Data that the caller may
//! not see is left out.

use registry::{Client, ClientId};
use values::Timestamp;

use super::cursor::Paging;
use super::load::Needs;
use super::usage::UsageQuery;
use super::{Administrator, Caller, InTenant};
use crate::audit::refusals::Refusal;
use crate::documents;
use crate::documents::ClientView;
use crate::edit::EditError;
use crate::edit::Edited;
use crate::kinds;
use crate::kinds::Permission;
use crate::store::{RefusalQuery, UsageOf};

pub struct TenantReading {
    pub tenant: documents::TenantView,
    /// For a caller with `latchkey:audit`.
    pub usage: Option<documents::UsageView>,
    /// When the scheduler checks the keys next. For a caller with `latchkey:keys`.
    pub next_key_step_at: Option<Timestamp>,
}

/// An application as its managers see it.
pub struct ApplicationReading {
    pub client: ClientView,
    /// For a caller with `latchkey:audit`.
    pub usage: Option<documents::UsageView>,
    /// The most recent refused requests, for a caller with `latchkey:audit`.
    pub refusals: Option<documents::Page<Refusal>>,
}

pub struct CredentialsReading {
    pub client: ClientView,
    /// Includes expired and revoked secrets.
    pub secrets: Vec<documents::SecretView>,
    pub api_keys: documents::Page<documents::ApiKeyView>,
}

/// The most replicas, and the most tenants, that the status of the platform names.
const NAMED: u32 = 20;

impl InTenant<'_> {
    /// A tenant, for a caller with any permission in it.
    pub async fn read_tenant(&self, span: UsageQuery) -> Edited<TenantReading> {
        let Self { caller, tenant, .. } = *self;
        let holds = |permission| caller.authority.holds_in(tenant, permission);
        if !Permission::NAMED.iter().any(|(_, permission)| holds(*permission)) {
            return Err(EditError::Forbidden(Permission::Tenants));
        }
        let facts = self.load(tenant, &Needs::default()).await?;
        let view = documents::TenantView::new(facts.tenant()?, &self.policy);
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

    /// The credentials of an application, with at most this many API keys.
    pub async fn read_credentials(
        &self,
        client: &ClientId,
        cursor: Option<&str>,
        api_keys: u32,
    ) -> Edited<CredentialsReading> {
        let row = self.client_state(client).await?;
        let query =
            kinds::api_key::Query { client: Some(client.clone()), ..kinds::api_key::Query::default() };
        Ok(CredentialsReading {
            client: ClientView::new(&row, self.caller.now),
            secrets: self.secret_views(&row).await?,
            api_keys: self.read_api_keys(Paging::new(cursor, api_keys)?, query).await?,
        })
    }
}

impl Administrator {
    /// The status of the platform, for a caller with `latchkey:audit` of the platform.
    pub async fn status(&self, caller: &Caller) -> Edited<documents::PlatformStatus> {
        caller.authority.require_everywhere(Permission::Audit)?;
        let replicas = self.store.list_replicas(NAMED).await?;
        let steps = self.store.next_key_steps(None, NAMED).await?;
        Ok(documents::PlatformStatus::new(replicas, steps))
    }
}

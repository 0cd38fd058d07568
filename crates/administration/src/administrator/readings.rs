//! Reads everything that one page of the console shows, so that the page takes few statements: a tenant with
//! its usage, an application with its usage, the credentials of an application, and a person. Leaves out data
//! that the caller may not see.

use std::mem::take;

use accounts::{AccountId, SignInCheck};
use registry::{Client, ClientId};
use values::Timestamp;

use super::account_sign_ins::live;
use super::cursor::Paging;
use super::load::Needs;
use super::usage::UsageQuery;
use super::{Administrator, Caller, InTenant};
use crate::audit::refusals::Refusal;
use crate::documents;
use crate::documents::{AccountView, ClientView, ConsentView, SessionView, ThrottlingView};
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

/// An account as its managers see it.
pub struct PersonReading {
    pub account: AccountView,
    pub sessions: Vec<SessionView>,
    pub consents: Vec<ConsentView>,
    pub throttling: ThrottlingView,
    /// What a sign-in checks, in its order, and whether the account passes.
    pub checks: [(SignInCheck, bool); SignInCheck::ORDER.len()],
    /// The permissions that the caller can grant.
    pub grantable: Vec<&'static str>,
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

    pub async fn read_person(&self, account: &AccountId) -> Edited<PersonReading> {
        self.require(Permission::Accounts)?;
        let Self { caller, tenant, .. } = *self;
        let needs = Needs { consents_of: Some(account.clone()), ..Needs::sessions(account) };
        let mut facts = self.sign_ins_of(account, needs).await?;
        let (sessions, consents) = (take(&mut facts.sessions), take(&mut facts.consents));
        let state = facts.tenant()?;
        let row = state.account(account)?;
        let (throttled, failures) = (self.throttled)(tenant, account, caller.now);
        let check =
            |check: SignInCheck| (check, check.passes(&state.tenant, &row.account, throttled.is_some()));
        Ok(PersonReading {
            account: AccountView::from(row),
            checks: SignInCheck::ORDER.map(check),
            throttling: ThrottlingView::new(throttled, failures),
            grantable: caller.authority.grantable(tenant),
            sessions: live(sessions, state.tenant.sign_in.session, caller.now),
            consents: consents.into_iter().map(ConsentView::from).collect(),
        })
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

//! Advice on a tenant, with `latchkey:audit` of the platform or of the tenant. It changes nothing.

use tenancy::TenantId;

use super::{Administrator, Caller};
use crate::advice::{self, Known, NEAR, SPAN};
use crate::edit::Edited;
use crate::limits::Limit;
use crate::{AdviceList, ApiKeyQuery, EditError, Permission};

/// API keys that are looked at: those that end first.
const KEYS: u32 = 1_000;

impl Administrator {
    /// What the tenant's administrators could do better.
    ///
    /// # Errors
    /// [`EditError`].
    pub async fn advice(&self, caller: &Caller, tenant: &TenantId) -> Edited<AdviceList> {
        caller.authority.require_in(tenant, Permission::Audit)?;
        let now = caller.now;
        let state = self.store.load_state(tenant).await?;
        let state = state.filter(|state| state.lifecycle.deleted_at.is_none());
        let state = state.ok_or(EditError::NotFound("tenant"))?;
        let (today, since) = (now.seconds() / 86_400, now.saturating_sub(SPAN).seconds() / 86_400);
        let ending = ApiKeyQuery { ends_before: Some(now + NEAR), limit: KEYS, ..ApiKeyQuery::default() };
        let known = Known {
            state: &state,
            most_clients: Limit::of_clients(&state.tenant, self.policy.clients).most,
            secret_uses: &self.store.secret_usage_of_tenant(tenant).await?,
            ended_keys: &self.store.list_api_keys(tenant, &ending).await?,
            counts: &self.store.client_counts(tenant, &(since..=today)).await?,
            is_counted: self.store.first_day_of_usage(tenant).await?.is_some_and(|first| first <= since),
            now,
        };
        Ok(AdviceList::of(known.is_counted, advice::advise(&known)))
    }
}

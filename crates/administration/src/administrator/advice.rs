//! Advice on a tenant, which needs `latchkey:audit` of the platform or of the tenant. It changes nothing.

use registry::ClientId;

use super::InTenant;
use super::cursor::Paging;
use super::load::Needs;
use crate::advice::{self, Known, NEAR, SPAN};
use crate::edit::Edited;
use crate::limits::TenantLimit;
use crate::{AdviceList, ApiKeyQuery, ClientCounts, ClientQuery, Permission, TenantState, readable};

/// The most API keys that are checked, the first to end first.
const KEYS: u32 = 1_000;

impl InTenant<'_> {
    /// Advice for the tenant's administrators about a page of clients, in the order of their ids. The first
    /// page includes advice on the tenant and its API keys.
    ///
    /// # Errors
    /// [`EditError`](crate::EditError).
    pub async fn advice(&self, cursor: Option<&str>, limit: u32) -> Edited<AdviceList> {
        let Self { caller, tenant, .. } = *self;
        self.require(Permission::Audit)?;
        let paging = Paging::<ClientId>::new(cursor, limit)?;
        let (now, store) = (caller.now, &self.store);
        let tenant_alone = self.load(tenant, &Needs::default()).await?.tenant()?.clone();
        let query =
            ClientQuery { after: paging.after.clone(), limit: paging.rows(), ..ClientQuery::default() };
        let clients = store.list_clients(tenant, &query).await?;
        let clients = paging.readable(clients, |row| row.client.id.clone(), |row| row);
        let state = TenantState { clients: clients.items, ..tenant_alone };
        let (today, since) = (now.seconds() / 86_400, now.saturating_sub(SPAN).seconds() / 86_400);
        let (mut secret_uses, mut known) = (Vec::new(), ClientCounts::default());
        if let (Some(first), Some(last)) = (state.clients.first(), state.clients.last()) {
            let ids = first.client.id.clone()..=last.client.id.clone();
            secret_uses = store.secret_usage_of_clients(tenant, &ids).await?;
            known = store.client_counts(tenant, &ids, &(since..=today)).await?;
        }
        let is_counted = known.first_day.is_some_and(|first| first <= since);
        let ending = ApiKeyQuery { ends_before: Some(now + NEAR), limit: KEYS, ..ApiKeyQuery::default() };
        let is_first = paging.after.is_none();
        let known = Known {
            state: &state,
            most_clients: is_first.then(|| TenantLimit::of_clients(&state.tenant, self.policy.clients).most),
            secret_uses: &secret_uses,
            ended_keys: &if is_first {
                readable(store.list_api_keys(tenant, &ending).await?)
            } else {
                Vec::new()
            },
            counts: &known.counts,
            is_counted,
            now,
        };
        Ok(AdviceList::new(is_counted, advice::advise(&known), clients.next_cursor))
    }
}

//! The commit of an edit, and the rows as they are after it. A commit writes what was decided on its revision or nothing, so an
//! interface answers with these rows and reads none again.

use protocol::Timestamp;
use tenancy::{Tenant, TenantStatus};

use super::{Edit, EditContext, Facts};
use crate::rows::Decided;
use crate::{AuditRecord, ClientState, CommitRequest, EditError, ManagedBy, TenantState};

impl Edit {
    /// The request that writes this edit on the revision of these facts.
    pub(crate) fn into_request(self, context: EditContext<'_>, facts: &Facts) -> CommitRequest {
        let Self { changes, secrets, keys, tenant_metadata, valid_for: _ } = self;
        let (actor, now) = (context.by.actor(), context.now);
        let of_keys = facts.keys.iter().map(|keys| (keys.tenant.id.clone(), keys.revision));
        let of_state = facts.state.iter().map(|state| (state.tenant.id.clone(), state.revision));
        CommitRequest {
            expected_revisions: of_state.chain(of_keys).collect(),
            before: facts.state.iter().map(|state| state.changed_by(&changes)).collect(),
            audit: changes.iter().map(|change| AuditRecord::of(change, actor, now)).collect(),
            changes,
            secrets,
            keys,
            tenant_metadata,
            ..CommitRequest::empty(ManagedBy::Api, now)
        }
    }

    /// The tenant and its loaded clients after this edit of rows that exist.
    pub(crate) fn tenant_after(
        &self,
        context: EditContext<'_>,
        facts: &Facts,
    ) -> Result<TenantState, EditError> {
        let mut state = facts.state.clone().ok_or(EditError::NotFound("tenant"))?;
        let request = self.clone().into_request(context, facts);
        let decided = Decided::of(&request).map_err(|error| EditError::Unreadable(Box::new(error)))?;
        // Changes that do not fit the rows were decided on other rows.
        let Decided { mut tenants, resource_servers, mut clients, mut secrets, .. } =
            decided.ok_or(EditError::Contended)?;
        for server in resource_servers.into_values() {
            let audience = &server.resource_server.audience;
            state.resource_servers.retain(|row| row.resource_server.audience != *audience);
            state.resource_servers.push(server);
        }
        if let Some(row) = tenants.remove(&state.tenant.id) {
            let status = match row.keys_published_until.unwrap_or(Timestamp::from_seconds(0)) {
                _ if row.lifecycle.serves() => TenantStatus::Active,
                keys_published_until => TenantStatus::Suspended { keys_published_until },
            };
            (state.tenant, state.lifecycle) = (Tenant { status, ..row.tenant }, row.lifecycle);
        }
        let live = state.resource_servers.iter().filter(|row| row.lifecycle.is_live());
        state.tenant.resource_servers = live.map(|row| row.resource_server.clone()).collect();
        for row in &mut state.clients {
            let key = (row.client.tenant.clone(), row.client.id.clone());
            if let Some(ClientState { client, lifecycle, .. }) = clients.remove(&key) {
                (row.client, row.lifecycle) = (client, lifecycle);
            }
            for secret in &mut row.secrets {
                let key = (key.0.clone(), key.1.clone(), secret.secret.id.clone());
                if let Some(after) = secrets.remove(&key) {
                    *secret = after;
                }
            }
        }
        Ok(state)
    }
}

//! The commit of an edit, and the rows as they are after it. A commit writes what was decided on its revision or nothing, so an
//! interface answers with these rows and reads none again.

use protocol::Timestamp;
use tenancy::{Tenant, TenantStatus};

use super::{Edit, Edited, Facts};
use crate::rows::{Decided, DecidedTenant};
use crate::{Actor, AuditRecord, CommitRequest, EditError, ManagedBy, TenantState};

impl Edit {
    /// The request that writes this edit on the revision of these facts.
    pub(crate) fn into_request(self, actor: &Actor, now: Timestamp, facts: Facts) -> CommitRequest {
        let Self { changes, secrets, passwords, keys, tenant_metadata } = self;
        let of_keys = facts.keys.iter().map(|keys| (keys.tenant.id.clone(), keys.revision));
        let of_state = facts.state.iter().map(|state| (state.tenant.id.clone(), state.revision));
        CommitRequest {
            expected_revisions: of_state.chain(of_keys).collect(),
            before: facts.state.into_iter().collect(),
            audit: changes.iter().map(|change| AuditRecord::of(change, actor, now)).collect(),
            changes,
            secrets,
            passwords,
            keys,
            tenant_metadata,
            ..CommitRequest::empty(ManagedBy::Api, now)
        }
    }
}

impl CommitRequest {
    /// The tenant after this commit, with the clients that were loaded and those that are new.
    pub(crate) fn after(&self) -> Edited<TenantState> {
        let decided = Decided::of(self).map_err(|error| EditError::Unreadable(Box::new(error)))?;
        // Changes that do not fit the rows were decided on other rows.
        let Decided { tenants, resource_servers, clients, accounts, secrets, new_secrets } =
            decided.ok_or(EditError::Contended)?;
        let tenant = tenants.into_values().next();
        let added = || tenant.as_ref().map(|row| TenantState::added(row.tenant.clone(), row.lifecycle));
        let before = self.before.first().cloned().or_else(added);
        let mut state = before.ok_or(EditError::NotFound("tenant"))?;
        if let Some(DecidedTenant { tenant, lifecycle, keys_published_until, .. }) = tenant {
            let status = match keys_published_until.unwrap_or(Timestamp::from_seconds(0)) {
                _ if lifecycle.serves() => TenantStatus::Active,
                keys_published_until => TenantStatus::Suspended { keys_published_until },
            };
            (state.tenant, state.lifecycle) = (Tenant { status, ..tenant }, lifecycle);
        }
        for server in resource_servers.into_values() {
            let audience = &server.resource_server.audience;
            state.resource_servers.retain(|row| row.resource_server.audience != *audience);
            state.resource_servers.push(server);
        }
        let live = state.resource_servers.iter().filter(|row| row.lifecycle.is_live());
        state.tenant.resource_servers = live.map(|row| row.resource_server.clone()).collect();
        for row in clients.into_values() {
            match state.clients.iter_mut().find(|before| before.client.id == row.client.id) {
                Some(before) => (before.client, before.lifecycle) = (row.client, row.lifecycle),
                None => state.clients.push(row),
            }
        }
        for row in accounts.into_values() {
            state.accounts.retain(|before| before.account.id != row.account.id);
            state.accounts.push(row);
        }
        // New secrets come last.
        for ((_, client, id), secret) in secrets.into_iter().chain(new_secrets) {
            let Some(row) = state.clients.iter_mut().find(|row| row.client.id == client) else { continue };
            row.secrets.retain(|before| before.secret.id != id);
            row.secrets.push(secret);
        }
        Ok(state)
    }
}

//! A commit: its rows are written in a copy of all rows, which takes their place if every revision is the expected one.

use std::collections::BTreeSet;

use administration::rows::{Decided, DecidedTenant};
use administration::{
    Application, Change, ChangeKind, ClientState, CommitOutcome, CommitRequest, RowChange, RowLifecycle,
    TenantState, invalidations,
};
use protocol::Timestamp;
use registry::ClientId;
use tenancy::{StoreError, TenantId};

use super::rows::{Rows, TenantRow};

/// Why nothing was written.
pub(super) enum CommitRefusal {
    StaleRevision,
    Failed(StoreError),
}

impl Rows {
    pub(super) fn commit(&mut self, request: &CommitRequest) -> Result<CommitOutcome, StoreError> {
        let mut rows = self.clone();
        match rows.write(request) {
            Ok(generation) => {
                *self = rows;
                Ok(CommitOutcome::Committed { generation })
            }
            Err(CommitRefusal::StaleRevision) => Ok(CommitOutcome::StaleRevision),
            Err(CommitRefusal::Failed(error)) => Err(error),
        }
    }

    fn write(&mut self, request: &CommitRequest) -> Result<Option<u64>, CommitRefusal> {
        let decided =
            Decided::of(request).map_err(|error| CommitRefusal::Failed(StoreError::fault(error)))?;
        let decided = decided.ok_or(CommitRefusal::StaleRevision)?;
        let generation = self.write_generation(request)?;
        for (tenant, revision) in &request.expected_revisions {
            let state = &mut self.tenant_row(tenant)?.state;
            require(state.revision == *revision)?;
            state.revision += 1;
        }
        self.write_revocations(request);
        self.write_accounts(request, &decided)?;
        self.write_decided(decided)?;
        self.write_logos(request);
        for change in &request.changes {
            match change {
                Change::Client(change) if change.kind == ChangeKind::Deleted => {
                    let (tenant, id) = (&change.after.tenant, &change.after.id);
                    let clients = &mut self.tenant_row(tenant)?.state.clients;
                    clients.iter_mut().filter(|row| row.client.id == *id).for_each(|row| row.secrets.clear());
                    self.secret_usage.retain(|used| used.tenant != *tenant || used.client != *id);
                }
                Change::Application(change) => self.write_application(change)?,
                _ => {}
            }
        }
        self.write_keys(request)?;
        for (tenant, _) in &request.first_keys {
            self.write_first_key(request, tenant)?;
        }
        self.empty_deleted(request);
        for metadata in &request.tenant_metadata {
            self.write_metadata(request, metadata)?;
        }
        self.check_issuers()?;
        if let Some(answer) = &request.idempotent {
            self.write_idempotent_answer(answer, request.now)?;
        }
        self.audit.extend(request.audit.iter().cloned());
        self.changes.extend(invalidations(&request.changes));
        Ok(generation)
    }

    fn write_decided(&mut self, decided: Decided) -> Result<(), CommitRefusal> {
        for (id, DecidedTenant { tenant, lifecycle, keys_published_until, revision }) in decided.tenants {
            let is_new = revision == 1;
            require(self.tenants.contains_key(&id) != is_new)?;
            let row = self.tenants.entry(id).or_insert_with(|| {
                TenantRow::added(tenant.clone(), lifecycle.managed_by, lifecycle.created_at)
            });
            require(row.state.revision == revision)?;
            row.keys_published_until = keys_published_until;
            row.state = TenantState { tenant, lifecycle, ..row.state.clone() };
        }
        for ((tenant, audience), decided) in decided.resource_servers {
            let rows = &mut self.tenant_row(&tenant)?.state.resource_servers;
            rows.retain(|row| row.resource_server.audience != audience);
            rows.push(decided);
        }
        for ((tenant, id), decided) in decided.clients {
            let rows = &mut self.tenant_row(&tenant)?.state.clients;
            let place = rows.iter().position(|row| row.client.id == id);
            let secrets = place.map(|place| rows.remove(place).secrets).unwrap_or_default();
            rows.push(ClientState { secrets, ..decided });
        }
        for ((tenant, client, id), decided) in decided.secrets {
            let rows = &mut self.client_row(&tenant, &client)?.secrets;
            let row = rows.iter_mut().find(|row| row.secret.id == id).ok_or(CommitRefusal::StaleRevision)?;
            *row = decided;
        }
        for ((tenant, client, id), decided) in decided.new_secrets {
            let rows = &mut self.client_row(&tenant, &client)?.secrets;
            require(rows.iter().all(|row| row.secret.id != id))?;
            rows.push(decided);
        }
        Ok(())
    }

    fn write_application(&mut self, change: &RowChange<Application>) -> Result<(), CommitRefusal> {
        let new = &change.after;
        let rows = &mut self.applications;
        let same = |row: &Application| row.tenant == new.tenant && row.id == new.id;
        let namesake = |row: &Application| row.tenant == new.tenant && row.name == new.name && !same(row);
        let place = rows.iter().position(same);
        require(place.is_some() != (change.kind == ChangeKind::Added))?;
        require(change.kind == ChangeKind::Deleted || !rows.iter().any(namesake))?;
        match place {
            None => rows.push(Application::clone(new)),
            Some(place) if change.kind == ChangeKind::Deleted => drop(rows.remove(place)),
            Some(place) => {
                rows[place] = Application { created_at: rows[place].created_at, ..Application::clone(new) };
            }
        }
        Ok(())
    }

    /// An issuer is one tenant's, whatever became of that tenant.
    fn check_issuers(&self) -> Result<(), CommitRefusal> {
        let mut seen = BTreeSet::new();
        let tenants = self.tenants.values().map(|row| &row.state.tenant);
        let mut issuers =
            tenants.flat_map(|tenant| std::iter::once(&tenant.issuer).chain(&tenant.issuer_aliases));
        require(issuers.all(|issuer| seen.insert(issuer)))
    }

    fn empty_deleted(&mut self, request: &CommitRequest) {
        for change in &request.changes {
            if let Change::Tenant(change) = change
                && change.kind == ChangeKind::Deleted
            {
                self.empty(&change.after.id, request.now);
            }
        }
    }

    /// What a deleted tenant leaves behind: rows that reserve their names.
    fn empty(&mut self, tenant: &TenantId, now: Timestamp) {
        if let Some(row) = self.tenants.get_mut(tenant) {
            let gone =
                |lifecycle: &mut RowLifecycle| lifecycle.deleted_at = lifecycle.deleted_at.or(Some(now));
            row.state.resource_servers.iter_mut().for_each(|row| gone(&mut row.lifecycle));
            for client in &mut row.state.clients {
                gone(&mut client.lifecycle);
                client.secrets.clear();
            }
        }
        if let Some(keys) = self.keys.get_mut(tenant) {
            keys.keys.clear();
        }
        self.schedules.remove(tenant);
        self.fetches.retain(|seen| seen.tenant != *tenant);
        self.secret_usage.retain(|used| used.tenant != *tenant);
        self.accounts.retain(|(of, _), _| of != tenant);
        self.applications.retain(|row| row.tenant != *tenant);
        self.idempotent_answers.retain(|row| row.tenant != *tenant);
        self.revocations.remove(tenant);
    }

    fn client_row(&mut self, tenant: &TenantId, id: &ClientId) -> Result<&mut ClientState, CommitRefusal> {
        let rows = &mut self.tenant_row(tenant)?.state.clients;
        rows.iter_mut().find(|row| row.client.id == *id).ok_or(CommitRefusal::StaleRevision)
    }

    pub(super) fn tenant_row(&mut self, id: &TenantId) -> Result<&mut TenantRow, CommitRefusal> {
        self.tenants.get_mut(id).ok_or(CommitRefusal::StaleRevision)
    }
}

pub(super) fn require(holds: bool) -> Result<(), CommitRefusal> {
    if holds { Ok(()) } else { Err(CommitRefusal::StaleRevision) }
}

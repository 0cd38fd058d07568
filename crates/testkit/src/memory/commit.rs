//! A commit: every change is made in a copy of the rows, which takes their place if nothing that the changes rest on is
//! otherwise than it was when they were planned.

use std::collections::BTreeSet;

use administration::rows::check_complete;
use administration::{
    Application, Change, ChangeKind, ClientState, CommitOutcome, CommitRequest, ResourceServerState,
    RowChange, RowLifecycle, invalidations,
};
use protocol::Timestamp;
use registry::Client;
use tenancy::{ResourceServer, StoreError, Tenant, TenantId, TenantStatus};

use super::commit_lifecycle::transition;
use super::rows::{Rows, TenantRow};

/// Something is not as the plan says.
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
        check_complete(request).map_err(|error| CommitRefusal::Failed(StoreError::fault(error)))?;
        let generation = self.write_generation(request)?;
        for (tenant, revision) in &request.expected_revisions {
            let state = &mut self.tenant_row(tenant)?.state;
            require(state.revision == *revision)?;
            state.revision += 1;
        }
        for change in &request.changes {
            match change {
                Change::Tenant(change) => self.write_tenant(request, change)?,
                Change::ResourceServer(tenant, change) => {
                    self.write_resource_server(request, tenant, change)?;
                }
                Change::Client(change) => self.write_client(request, change)?,
                Change::Secret(tenant, client, change) => {
                    self.write_secret(request, tenant, client, change)?;
                }
                // Written below: those of the keys' commit are in the order in which they are numbered.
                Change::FirstKey(..) | Change::Key(..) => {}
                Change::Application(change) => self.write_application(change)?,
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

    fn write_tenant(
        &mut self,
        request: &CommitRequest,
        change: &RowChange<Tenant>,
    ) -> Result<(), CommitRefusal> {
        let id = &change.after.id;
        if change.kind == ChangeKind::Added {
            require(!self.tenants.contains_key(id))?;
            let row = TenantRow::added(Tenant::clone(&change.after), request.managed_by, request.now);
            self.tenants.insert(id.clone(), row);
            return Ok(());
        }
        let row = self.tenant_row(id)?;
        transition(&mut row.state.lifecycle, request, change.kind)?;
        match change.after.status {
            _ if row.state.lifecycle.serves() => row.keys_published_until = None,
            TenantStatus::Suspended { keys_published_until } => {
                row.keys_published_until = row.keys_published_until.max(Some(keys_published_until));
            }
            TenantStatus::Active => {}
        }
        if has_new_fields(change.kind) {
            row.state.tenant = Tenant::clone(&change.after);
        }
        Ok(())
    }

    fn write_resource_server(
        &mut self,
        request: &CommitRequest,
        tenant: &TenantId,
        change: &RowChange<ResourceServer>,
    ) -> Result<(), CommitRefusal> {
        let rows = &mut self.tenant_row(tenant)?.state.resource_servers;
        let found = rows.iter_mut().find(|row| row.resource_server.audience == change.after.audience);
        let Some(row) = found else {
            require(change.kind == ChangeKind::Added)?;
            let lifecycle = RowLifecycle::fresh(request.managed_by, request.now);
            rows.push(ResourceServerState {
                resource_server: ResourceServer::clone(&change.after),
                lifecycle,
            });
            return Ok(());
        };
        transition(&mut row.lifecycle, request, change.kind)?;
        if has_new_fields(change.kind) {
            row.resource_server = ResourceServer::clone(&change.after);
        }
        Ok(())
    }

    fn write_client(
        &mut self,
        request: &CommitRequest,
        change: &RowChange<Client>,
    ) -> Result<(), CommitRefusal> {
        let (tenant, id) = (&change.after.tenant, &change.after.id);
        let rows = &mut self.tenant_row(tenant)?.state.clients;
        let client = Client { secrets: Vec::new(), ..Client::clone(&change.after) };
        let Some(row) = rows.iter_mut().find(|row| row.client.id == *id) else {
            require(change.kind == ChangeKind::Added)?;
            let lifecycle = RowLifecycle::fresh(request.managed_by, request.now);
            rows.push(ClientState { client, lifecycle, secrets: Vec::new() });
            return Ok(());
        };
        transition(&mut row.lifecycle, request, change.kind)?;
        if has_new_fields(change.kind) {
            row.client = client;
        }
        if change.kind == ChangeKind::Deleted {
            row.secrets.clear();
            self.secret_usage.retain(|used| used.tenant != *tenant || used.client != *id);
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
        self.applications.retain(|row| row.tenant != *tenant);
        self.idempotent_answers.retain(|row| row.tenant != *tenant);
    }

    pub(super) fn tenant_row(&mut self, id: &TenantId) -> Result<&mut TenantRow, CommitRefusal> {
        self.tenants.get_mut(id).ok_or(CommitRefusal::StaleRevision)
    }
}

/// Whether the change is to what the row says, not only to how it stands.
fn has_new_fields(kind: ChangeKind) -> bool {
    matches!(kind, ChangeKind::Changed | ChangeKind::Restored)
}

pub(super) fn require(holds: bool) -> Result<(), CommitRefusal> {
    if holds { Ok(()) } else { Err(CommitRefusal::StaleRevision) }
}

//! A commit: every change is made in a copy of the rows, which takes their place if nothing that the changes rest on is
//! otherwise than it was when they were planned.

use std::collections::BTreeSet;

use administration::{
    Change, ChangeKind, ClientState, CommitOutcome, CommitRequest, Generation, ResourceServerState,
    RowChange, Standing, TenantMark, invalidations,
};
use registry::Client;
use tenancy::{ResourceServer, StoreError, Tenant, TenantId};

use super::rows::{Rows, TenantRow};

/// Something is not as the plan says.
pub(super) enum Refusal {
    Superseded,
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
            Err(Refusal::Superseded) => Ok(CommitOutcome::Superseded),
            Err(Refusal::Failed(error)) => Err(error),
        }
    }

    fn write(&mut self, request: &CommitRequest) -> Result<Option<u64>, Refusal> {
        let generation = self.write_generation(request)?;
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
                Change::FirstKey(tenant, _) => self.write_first_key(request, tenant)?,
            }
        }
        for mark in &request.marks {
            self.write_mark(mark)?;
        }
        self.check_issuers()?;
        self.audit.extend(request.audit.iter().cloned());
        self.changes.extend(invalidations(&request.changes));
        Ok(generation)
    }

    fn write_generation(&mut self, request: &CommitRequest) -> Result<Option<u64>, Refusal> {
        let Some(new) = request.generation else { return Ok(None) };
        let latest = self.generations.last().map(|generation| generation.number);
        require(latest == new.expected_latest)?;
        let number = latest.unwrap_or(0) + 1;
        self.generations.push(Generation { number, content: new.content, applied_at: request.now });
        Ok(Some(number))
    }

    fn write_tenant(&mut self, request: &CommitRequest, change: &RowChange<Tenant>) -> Result<(), Refusal> {
        let id = &change.after.id;
        if change.kind == ChangeKind::Added {
            require(!self.tenants.contains_key(id))?;
            let row = TenantRow::added(Tenant::clone(&change.after), request.managed_by);
            self.tenants.insert(id.clone(), row);
            return Ok(());
        }
        let row = self.tenant_row(id)?;
        let same =
            change.before.as_ref().is_some_and(|before| own_fields(before) == own_fields(&row.state.tenant));
        require(same)?;
        step(&mut row.state.standing, request, change.kind)?;
        row.state.tenant = Tenant::clone(&change.after);
        row.show_live_resource_servers();
        Ok(())
    }

    fn write_resource_server(
        &mut self,
        request: &CommitRequest,
        tenant: &TenantId,
        change: &RowChange<ResourceServer>,
    ) -> Result<(), Refusal> {
        let row = self.tenant_row(tenant)?;
        let rows = &mut row.state.resource_servers;
        let found = rows.iter_mut().find(|row| row.resource_server.audience == change.after.audience);
        match found {
            None => {
                require(change.kind == ChangeKind::Added)?;
                let standing = Standing::fresh(request.managed_by);
                rows.push(ResourceServerState {
                    resource_server: ResourceServer::clone(&change.after),
                    standing,
                });
            }
            Some(row) => {
                require(change.before.as_deref() == Some(&row.resource_server))?;
                step(&mut row.standing, request, change.kind)?;
                row.resource_server = ResourceServer::clone(&change.after);
            }
        }
        row.show_live_resource_servers();
        Ok(())
    }

    fn write_client(&mut self, request: &CommitRequest, change: &RowChange<Client>) -> Result<(), Refusal> {
        let rows = &mut self.tenant_row(&change.after.tenant)?.state.clients;
        let client = Client { secrets: Vec::new(), ..Client::clone(&change.after) };
        match rows.iter_mut().find(|row| row.client.id == client.id) {
            None => {
                require(change.kind == ChangeKind::Added)?;
                let standing = Standing::fresh(request.managed_by);
                rows.push(ClientState { client, standing, secrets: Vec::new() });
            }
            Some(row) => {
                require(change.before.as_deref() == Some(&row.client))?;
                step(&mut row.standing, request, change.kind)?;
                row.client = client;
            }
        }
        Ok(())
    }

    fn write_first_key(&mut self, request: &CommitRequest, tenant: &TenantId) -> Result<(), Refusal> {
        let of = request.first_keys.iter().find(|(owner, _)| owner == tenant);
        let (_, key) = of.ok_or_else(|| incomplete("a first key without its record"))?;
        self.tenant_row(tenant)?.state.first_key_thumbprint = Some(key.thumbprint.clone());
        require(self.keys(tenant).keys.is_empty() && self.add_key(tenant, key))?;
        // The commit tells of all its changes itself.
        self.changes.pop();
        Ok(())
    }

    fn write_mark(&mut self, mark: &TenantMark) -> Result<(), Refusal> {
        let row = self.tenant_row(&mark.tenant)?;
        row.fingerprint = mark.fingerprint;
        if mark.earlier_tokens_until.is_some() {
            row.state.earlier_tokens_until = mark.earlier_tokens_until;
        }
        Ok(())
    }

    /// An issuer is one tenant's, whatever became of that tenant.
    fn check_issuers(&self) -> Result<(), Refusal> {
        let mut seen = BTreeSet::new();
        let tenants = self.tenants.values().map(|row| &row.state.tenant);
        let mut issuers =
            tenants.flat_map(|tenant| std::iter::once(&tenant.issuer).chain(&tenant.issuer_aliases));
        require(issuers.all(|issuer| seen.insert(issuer)))
    }

    pub(super) fn tenant_row(&mut self, id: &TenantId) -> Result<&mut TenantRow, Refusal> {
        self.tenants.get_mut(id).ok_or(Refusal::Superseded)
    }
}

/// How a row that was there stands after the change; another door's row is not touched.
fn step(standing: &mut Standing, request: &CommitRequest, kind: ChangeKind) -> Result<(), Refusal> {
    require(standing.managed_by == request.managed_by && standing.deleted_at.is_none())?;
    match kind {
        ChangeKind::Added => return Err(Refusal::Superseded),
        ChangeKind::Changed => require(standing.retired_at.is_none())?,
        ChangeKind::Restored => standing.retired_at = None,
        ChangeKind::Retired => standing.retired_at = Some(request.now),
    }
    Ok(())
}

/// Resource servers are rows of their own.
fn own_fields(tenant: &Tenant) -> Tenant {
    Tenant { resource_servers: Vec::new(), ..tenant.clone() }
}

pub(super) fn require(holds: bool) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(Refusal::Superseded) }
}

pub(super) fn incomplete(what: &'static str) -> Refusal {
    Refusal::Failed(StoreError::fault(what))
}

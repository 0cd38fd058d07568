//! The rows, and how requests see them.

use std::collections::BTreeMap;

use administration::{
    AuditRecord, ClientState, Fingerprint, Generation, Invalidation, ManagedBy, ResourceServerState,
    SecretState, Standing, TenantState,
};
use keys::{KeyId, KeyRecord, KeyRecords};
use registry::{Client, ClientId, ClientSecret, ClientStatus};
use tenancy::{Tenant, TenantId};

#[derive(Clone, Default)]
pub(super) struct Rows {
    pub(super) tenants: BTreeMap<TenantId, TenantRow>,
    pub(super) keys: BTreeMap<TenantId, KeyRecords>,
    pub(super) sealed: BTreeMap<String, Vec<u8>>,
    pub(super) generations: Vec<Generation>,
    pub(super) audit: Vec<AuditRecord>,
    /// A position in it is a count of its entries.
    pub(super) changes: Vec<Invalidation>,
}

#[derive(Clone)]
pub(super) struct TenantRow {
    /// In `tenant`, the resource servers are those that are live; `has_had_keys` is looked up when asked.
    pub(super) state: TenantState,
    pub(super) fingerprint: Option<Fingerprint>,
}

impl Rows {
    pub(super) fn tenant(&self, id: &TenantId) -> Option<Tenant> {
        let row = self.tenants.get(id).filter(|row| row.state.standing.deleted_at.is_none())?;
        Some(row.state.tenant.clone())
    }

    pub(super) fn client(&self, tenant: &TenantId, id: &ClientId) -> Option<Client> {
        let clients = &self.tenants.get(tenant)?.state.clients;
        let row = clients.iter().find(|row| row.client.id == *id)?;
        let standing = row.standing;
        if standing.deleted_at.is_some() {
            return None;
        }
        let mut client = row.client.clone();
        client.secrets = row.secrets.iter().map(|row| row.secret.clone()).collect();
        if standing.retired_at.is_some() || standing.suspended_at.is_some() {
            client.status = ClientStatus::Suspended;
        }
        Some(client)
    }

    pub(super) fn keys(&self, tenant: &TenantId) -> KeyRecords {
        let none = || KeyRecords { next: KeyId::numbered(1), keys: Vec::new() };
        self.keys.get(tenant).cloned().unwrap_or_else(none)
    }

    pub(super) fn add_key(&mut self, tenant: &TenantId, key: &KeyRecord) -> bool {
        let mut records = self.keys(tenant);
        if key.id != records.next {
            return false;
        }
        records.next = KeyId::numbered(key.id.number() + 1);
        records.keys.push(key.clone());
        self.keys.insert(tenant.clone(), records);
        self.changes.push(Invalidation::Keys(tenant.clone()));
        true
    }

    pub(super) fn put_tenant(&mut self, tenant: Tenant) {
        let mut row = TenantRow::added(tenant.clone(), ManagedBy::Config);
        row.state.resource_servers = tenant
            .resource_servers
            .iter()
            .map(|server| ResourceServerState {
                resource_server: server.clone(),
                standing: Standing::fresh(ManagedBy::Config),
            })
            .collect();
        if let Some(before) = self.tenants.remove(&tenant.id) {
            row.state.clients = before.state.clients;
        }
        row.show_live_resource_servers();
        self.tenants.insert(tenant.id, row);
    }

    pub(super) fn put_client(&mut self, mut client: Client) {
        let row = self.tenants.get_mut(&client.tenant);
        let row = row.unwrap_or_else(|| panic!("tenant {} is not there", client.tenant));
        let secrets = std::mem::take(&mut client.secrets);
        let secrets =
            secrets.into_iter().map(|secret| added_secret(secret, ManagedBy::Config, None)).collect();
        let standing = Standing::fresh(ManagedBy::Config);
        row.state.clients.retain(|row| row.client.id != client.id);
        row.state.clients.push(ClientState { client, standing, secrets });
    }
}

impl TenantRow {
    pub(super) fn added(tenant: Tenant, managed_by: ManagedBy) -> Self {
        let mut state = TenantState {
            tenant,
            standing: Standing::fresh(managed_by),
            earlier_tokens_until: None,
            resource_servers: Vec::new(),
            clients: Vec::new(),
            first_key_thumbprint: None,
            has_had_keys: false,
        };
        state.tenant.resource_servers.clear();
        Self { state, fingerprint: None }
    }

    pub(super) fn show_live_resource_servers(&mut self) {
        let live = self.state.resource_servers.iter().filter(|row| row.standing.is_live());
        let mut servers: Vec<_> = live.map(|row| row.resource_server.clone()).collect();
        servers.sort_by(|left, right| left.audience.cmp(&right.audience));
        self.state.tenant.resource_servers = servers;
    }
}

pub(super) fn added_secret(
    secret: ClientSecret,
    managed_by: ManagedBy,
    declared_digest: Option<[u8; 32]>,
) -> SecretState {
    let declared_expires_at = secret.expires_at.filter(|_| managed_by == ManagedBy::Config);
    SecretState { secret, managed_by, revoked_by: None, declared_digest, declared_expires_at }
}

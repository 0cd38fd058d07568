//! The rows, and how requests see them.

use std::collections::BTreeMap;
use std::sync::Arc;

use accounts::{AccountId, AccountPassword};
use administration::{
    AccountState, Application, AuditRecord, ClientState, Fingerprint, Generation, IdempotentAnswer,
    Invalidation, ManagedBy, ResourceServerState, RowLifecycle, SecretState, SecretUsage, TenantState,
    VerifierFetch,
};
use grants::{Consent, DeviceCode, GrantId, QueuedLogout, RefreshFamily};
use keys::{KeyId, KeyRecord, KeyRecords};
use protocol::Timestamp;
use registry::{Client, ClientId, ClientSecret, ClientStatus, RevokedSubject};
use sessions::{Session, SessionId};
use tenancy::{Logo, Tenant, TenantId, TenantStatus};

use super::commit_keys::Schedule;
use super::logouts::LogoutKey;
use super::revocations::RevokedRow;
use super::sign_ins::{CodeRow, PushedRow};
use crate::fixtures::NOW;

#[derive(Clone, Default)]
pub(super) struct Rows {
    pub(super) tenants: BTreeMap<TenantId, TenantRow>,
    /// Of every tenant that ever had a key.
    pub(super) keys: BTreeMap<TenantId, KeyRecords>,
    /// The owner of each thumbprint, forever.
    pub(super) thumbprints: BTreeMap<String, TenantId>,
    pub(super) schedules: BTreeMap<TenantId, Schedule>,
    /// Holder and end.
    pub(super) leases: BTreeMap<String, (String, Timestamp)>,
    pub(super) fetches: Vec<VerifierFetch>,
    pub(super) secret_usage: Vec<SecretUsage>,
    /// Each with its password.
    pub(super) accounts: BTreeMap<(TenantId, AccountId), (AccountState, Option<AccountPassword>)>,
    /// In the order in which they were made.
    pub(super) applications: Vec<Application>,
    pub(super) idempotent_answers: Vec<IdempotentAnswer>,
    /// When each expires, by its digest.
    pub(super) used_identifiers: BTreeMap<(TenantId, [u8; 32]), Timestamp>,
    /// By partition and identifier.
    pub(super) sessions: BTreeMap<(TenantId, u32, SessionId), Session>,
    /// By partition and digest.
    pub(super) codes: BTreeMap<(TenantId, u32, [u8; 32]), CodeRow>,
    /// By partition and digest.
    pub(super) device_codes: BTreeMap<(TenantId, u32, [u8; 32]), DeviceCode>,
    pub(super) pushed: BTreeMap<(TenantId, u32, [u8; 32]), PushedRow>,
    /// Whose session has given which client a code.
    pub(super) session_clients: BTreeMap<LogoutKey, AccountId>,
    /// Each with the time of its next attempt.
    pub(super) logouts: BTreeMap<LogoutKey, (QueuedLogout, Timestamp)>,
    /// What people have allowed.
    pub(super) families: BTreeMap<(TenantId, u32, GrantId), RefreshFamily>,
    pub(super) consents: BTreeMap<(TenantId, AccountId, ClientId), Consent>,
    /// What clients publish, by tenant and URL.
    pub(super) published_jwks: BTreeMap<(TenantId, String), String>,
    /// Until which `iat` tokens are invalid, and when the last of them expires.
    pub(super) revocations: BTreeMap<TenantId, BTreeMap<RevokedSubject, RevokedRow>>,
    /// By tenant and digest.
    pub(super) logos: BTreeMap<(TenantId, String), Arc<Vec<u8>>>,
    pub(super) sealed: BTreeMap<String, Vec<u8>>,
    pub(super) generations: Vec<Generation>,
    pub(super) sealed_sources: BTreeMap<u64, Vec<u8>>,
    /// The position of a record is a count of those up to it.
    pub(super) audit: Vec<AuditRecord>,
    /// A position in it is a count of its entries.
    pub(super) changes: Vec<Invalidation>,
}

#[derive(Clone)]
pub(super) struct TenantRow {
    /// What is derived from other rows in it is filled in when it is asked for, by [`Rows::state`].
    pub(super) state: TenantState,
    pub(super) keys_published_until: Option<Timestamp>,
    pub(super) fingerprint: Option<Fingerprint>,
}

impl Rows {
    pub(super) fn tenant(&self, id: &TenantId) -> Option<Tenant> {
        let row = self.tenants.get(id).filter(|row| row.state.lifecycle.deleted_at.is_none())?;
        Some(row.seen().tenant)
    }

    pub(super) fn client(&self, tenant: &TenantId, id: &ClientId) -> Option<Client> {
        let clients = &self.tenants.get(tenant)?.state.clients;
        let row = clients.iter().find(|row| row.client.id == *id)?;
        let row = Some(seen(row)).filter(|row| row.lifecycle.deleted_at.is_none())?;
        let secrets = row.secrets.into_iter().map(|row| row.secret).collect();
        Some(Client { secrets, ..row.client })
    }

    pub(super) fn state(&self, tenant: &TenantId) -> Option<TenantState> {
        let mut state = self.tenants.get(tenant)?.seen();
        state.has_had_keys = self.keys.contains_key(tenant);
        Some(state)
    }

    pub(super) fn keys(&self, tenant: &TenantId) -> KeyRecords {
        let none = || KeyRecords { next: KeyId::numbered(1), keys: Vec::new() };
        self.keys.get(tenant).cloned().unwrap_or_else(none)
    }

    pub(super) fn add_key(&mut self, tenant: &TenantId, key: &KeyRecord) -> bool {
        let mut records = self.keys(tenant);
        let deleted = |row: &TenantRow| row.state.lifecycle.deleted_at.is_some();
        if key.id != records.next || self.tenants.get(tenant).is_none_or(deleted) {
            return false;
        }
        if self.thumbprints.entry(key.thumbprint.clone()).or_insert_with(|| tenant.clone()) != tenant {
            return false;
        }
        records.next = KeyId::numbered(key.id.number() + 1);
        records.keys.push(key.clone());
        self.keys.insert(tenant.clone(), records);
        true
    }

    pub(super) fn put_tenant(&mut self, tenant: Tenant) {
        self.put_logos(&tenant);
        let mut row = TenantRow::added(tenant.clone(), ManagedBy::Config, NOW);
        let of = |server: &tenancy::ResourceServer| ResourceServerState {
            resource_server: server.clone(),
            lifecycle: RowLifecycle::fresh(ManagedBy::Config, NOW),
        };
        row.state.resource_servers = tenant.resource_servers.iter().map(of).collect();
        if let TenantStatus::Suspended { keys_published_until } = tenant.status {
            row.state.lifecycle.suspended_at = Some(NOW);
            row.keys_published_until = Some(keys_published_until);
        }
        if let Some(before) = self.tenants.remove(&tenant.id) {
            row.state.clients = before.state.clients;
            row.state.revision = before.state.revision + 1;
        }
        self.tenants.insert(tenant.id, row);
    }

    pub(super) fn put_client(&mut self, mut client: Client) {
        let row = self.tenants.get_mut(&client.tenant);
        let row = row.unwrap_or_else(|| panic!("tenant {} is not there", client.tenant));
        let secrets = std::mem::take(&mut client.secrets);
        let secrets =
            secrets.into_iter().map(|secret| added_secret(secret, ManagedBy::Config, None)).collect();
        let mut lifecycle = RowLifecycle::fresh(ManagedBy::Config, NOW);
        lifecycle.suspended_at = (client.status == ClientStatus::Suspended).then_some(NOW);
        row.state.revision += 1;
        row.state.clients.retain(|row| row.client.id != client.id);
        row.state.clients.push(ClientState { client, lifecycle, secrets });
    }
}

impl TenantRow {
    pub(super) fn added(tenant: Tenant, managed_by: ManagedBy, now: Timestamp) -> Self {
        let state = TenantState::added(tenant, RowLifecycle::fresh(managed_by, now));
        Self { state, keys_published_until: None, fingerprint: None }
    }

    /// With what follows from how the rows stand, and in the order of their names.
    fn seen(&self) -> TenantState {
        let mut state = self.state.clone();
        state.tenant.status = TenantStatus::Active;
        if !state.lifecycle.serves() {
            let keys_published_until = self.keys_published_until.unwrap_or(Timestamp::from_seconds(0));
            state.tenant.status = TenantStatus::Suspended { keys_published_until };
        }
        let branding = &mut state.tenant.branding;
        for logo in [&mut branding.logo, &mut branding.logo_dark].into_iter().flatten() {
            *logo = Logo::stored(logo.hash().to_owned());
        }
        let name = |row: &ResourceServerState| row.resource_server.audience.clone();
        state.resource_servers.sort_by_key(name);
        let live = state.resource_servers.iter().filter(|row| row.lifecycle.is_live());
        state.tenant.resource_servers = live.map(|row| row.resource_server.clone()).collect();
        state.client_count = state.clients.iter().filter(|row| row.lifecycle.is_live()).count() as u64;
        state.clients = state.clients.iter().map(seen).collect();
        state.clients.sort_by(|left, right| left.client.id.cmp(&right.client.id));
        state
    }
}

fn seen(row: &ClientState) -> ClientState {
    let mut row = row.clone();
    row.client.status = if row.lifecycle.serves() { ClientStatus::Active } else { ClientStatus::Suspended };
    row.secrets.sort_by_key(|row| (row.secret.created_at, row.secret.id.clone()));
    row
}

pub(super) fn added_secret(
    secret: ClientSecret,
    managed_by: ManagedBy,
    declared_digest: Option<[u8; 32]>,
) -> SecretState {
    let declared_expires_at = secret.expires_at.filter(|_| managed_by == ManagedBy::Config);
    SecretState { secret, managed_by, revoked_by: None, declared_digest, declared_expires_at }
}

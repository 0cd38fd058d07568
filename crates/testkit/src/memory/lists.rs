//! What is looked up across rows, each time by reading all of them.

use super::MemoryStore;
use administration::rows::{TenantSearch, latest_usage};
use administration::{
    AuditLog, AuditQuery, AuditRecord, ClientQuery, ClientState, CommitOutcome, CommitRequest,
    KEPT_ADDRESSES, ManagedBy, RelatedClients, SecretUsage, TenantCursor, TenantList, TenantQuery,
    TenantRows, TenantState, TenantSummary, UsageLog, VerifierFetch, search_terms,
};
use async_trait::async_trait;
use protocol::Timestamp;
use registry::ClientId;
use std::sync::atomic::Ordering;
use tenancy::StoreError;
use tenancy::{Issuer, TenantId};

use super::rows::{Rows, TenantRow};
use super::{as_count, as_position};

#[async_trait]
impl TenantRows for MemoryStore {
    async fn list_tenant_summaries(&self, declared: &[TenantId]) -> Result<Vec<TenantSummary>, StoreError> {
        self.administer(|rows| rows.list_tenant_summaries(declared)).await
    }

    async fn load_state(&self, tenant: &TenantId) -> Result<Option<TenantState>, StoreError> {
        self.administer(|rows| rows.state(tenant)).await
    }

    async fn load_with_related_clients(
        &self,
        tenant: &TenantId,
        related: RelatedClients<'_>,
    ) -> Result<Option<TenantState>, StoreError> {
        let state = self.administer(|rows| rows.state_with_related_clients(tenant, related)).await?;
        let clients = state.as_ref().map_or(0, |state| state.clients.len());
        self.calls.clients_loaded.fetch_add(clients as u64, Ordering::SeqCst);
        Ok(state)
    }

    async fn list_clients(
        &self,
        tenant: &TenantId,
        query: &ClientQuery,
    ) -> Result<Vec<ClientState>, StoreError> {
        self.administer(|rows| rows.list_clients(tenant, query)).await
    }

    async fn find_issuer_owners(&self, issuers: &[Issuer]) -> Result<Vec<(Issuer, TenantId)>, StoreError> {
        self.administer(|rows| rows.issuer_owners(issuers)).await
    }

    async fn find_key_owners(&self, thumbprints: &[&str]) -> Result<Vec<(String, TenantId)>, StoreError> {
        let is_requested =
            |(thumbprint, _): &(&String, &TenantId)| thumbprints.contains(&thumbprint.as_str());
        self.administer(|rows| {
            let found = rows.thumbprints.iter().filter(is_requested);
            found.map(|(thumbprint, owner)| (thumbprint.clone(), owner.clone())).collect()
        })
        .await
    }

    async fn find_due_deletions(&self, now: Timestamp, limit: u32) -> Result<Vec<TenantId>, StoreError> {
        self.administer(|rows| rows.due_deletions(now).take(as_count(limit)).collect()).await
    }

    async fn commit(&self, request: &CommitRequest) -> Result<CommitOutcome, StoreError> {
        self.administer(|rows| rows.commit(request)).await?
    }
}

#[async_trait]
impl TenantList for MemoryStore {
    async fn list_tenants(
        &self,
        query: &TenantQuery,
    ) -> Result<Vec<(TenantCursor, TenantState)>, StoreError> {
        self.administer(|rows| rows.list_tenants(query)).await
    }
}

#[async_trait]
impl UsageLog for MemoryStore {
    async fn secret_usage(
        &self,
        tenant: &TenantId,
        client: &ClientId,
    ) -> Result<Vec<SecretUsage>, StoreError> {
        self.administer(|rows| rows.usage_of(tenant, client)).await
    }

    async fn record_secret_usage(&self, usage: &[SecretUsage]) -> Result<(), StoreError> {
        self.administer(|rows| rows.record_usage(usage)).await
    }

    async fn verifier_fetches(&self, tenant: &TenantId) -> Result<Vec<VerifierFetch>, StoreError> {
        self.administer(|rows| rows.fetches_of(tenant)).await
    }

    async fn record_verifier_fetches(&self, fetches: &[VerifierFetch]) -> Result<(), StoreError> {
        self.administer(|rows| rows.record_fetches(fetches)).await
    }
}

#[async_trait]
impl AuditLog for MemoryStore {
    async fn list_audit(&self, query: &AuditQuery) -> Result<Vec<(i64, AuditRecord)>, StoreError> {
        self.administer(|rows| rows.list_audit(query)).await
    }
}

impl Rows {
    pub(super) fn list_tenant_summaries(&self, declared: &[TenantId]) -> Vec<TenantSummary> {
        let rows = self.tenants.iter();
        rows.filter(|(id, row)| row.state.lifecycle.managed_by == ManagedBy::Config || declared.contains(id))
            .map(|(id, row)| TenantSummary {
                tenant: id.clone(),
                lifecycle: row.state.lifecycle,
                fingerprint: row.fingerprint,
            })
            .collect()
    }

    pub(super) fn state_with_related_clients(
        &self,
        tenant: &TenantId,
        related: RelatedClients<'_>,
    ) -> Option<TenantState> {
        let mut state = self.state(tenant)?;
        let lists = |ClientState { client, lifecycle, .. }: &ClientState, name: &str| {
            let mut listed = client.audiences.iter().chain(&client.resources);
            lifecycle.deleted_at.is_none()
                && client.id.as_str() != name
                && listed.any(|listed| listed == name)
        };
        let listing = |name: &&str| state.clients.iter().find(|row| lists(row, name));
        let listing: Vec<_> =
            related.listed.iter().filter_map(listing).map(|row| row.client.id.clone()).collect();
        state.clients.retain(|ClientState { client, .. }| {
            related.ids.contains(&client.id.as_str()) || listing.contains(&client.id)
        });
        Some(state)
    }

    pub(super) fn issuer_owners(&self, issuers: &[Issuer]) -> Vec<(Issuer, TenantId)> {
        let tenants = self.tenants.values().map(|row| &row.state.tenant);
        tenants
            .flat_map(|tenant| {
                let names = std::iter::once(&tenant.issuer).chain(&tenant.issuer_aliases);
                names.map(move |issuer| (issuer.clone(), tenant.id.clone()))
            })
            .filter(|(issuer, _)| issuers.contains(issuer))
            .collect()
    }

    pub(super) fn list_tenants(&self, query: &TenantQuery) -> Vec<(TenantCursor, TenantState)> {
        let live = self.tenants.iter().filter(|(_, row)| row.state.lifecycle.deleted_at.is_none());
        let with_terms: Vec<_> = live.map(|(id, row)| (id, terms(row))).collect();
        let having = |prefix: &str| {
            with_terms.iter().flat_map(|(_, terms)| terms).filter(|word| word.starts_with(prefix)).count()
        };
        let search = TenantSearch::of(query, |prefix| having(prefix) as u64);
        let found = with_terms.iter().filter_map(|(id, terms)| {
            let begun = |prefix: &String| terms.iter().any(|word| word.starts_with(prefix.as_str()));
            let word = match &search {
                None => String::new(),
                Some(search) => terms.iter().find(|word| word.starts_with(&search.prefix))?.clone(),
            };
            query.terms.iter().all(begun).then(|| (word, TenantId::clone(id)))
        });
        let mut found: Vec<_> = found.collect();
        found.sort();
        let later = |place: &(String, TenantId)| {
            query.after.as_ref().is_none_or(|after| (&after.word, &after.tenant) < (&place.0, &place.1))
        };
        found.retain(later);
        let page = found.into_iter().take(as_count(query.limit)).filter_map(|(word, tenant)| {
            let state = TenantState { clients: Vec::new(), ..self.state(&tenant)? };
            Some((TenantCursor { word, tenant }, state))
        });
        page.collect()
    }

    pub(super) fn list_clients(&self, tenant: &TenantId, query: &ClientQuery) -> Vec<ClientState> {
        let mut clients = self.state(tenant).map(|state| state.clients).unwrap_or_default();
        let part = query.search.as_deref().unwrap_or_default().to_ascii_lowercase();
        let matches = |text: &str| text.to_ascii_lowercase().contains(&part);
        clients.retain(|row| row.lifecycle.deleted_at.is_none());
        clients.retain(|row| matches(row.client.id.as_str()) || matches(&row.client.name));
        clients.retain(|row| query.after.as_ref().is_none_or(|after| *after < row.client.id));
        clients.truncate(as_count(query.limit));
        clients
    }

    pub(super) fn usage_of(&self, tenant: &TenantId, client: &ClientId) -> Vec<SecretUsage> {
        let usage = self.secret_usage.iter();
        let mut usage: Vec<_> =
            usage.filter(|used| used.tenant == *tenant && used.client == *client).cloned().collect();
        usage.sort_by(|left, right| {
            (&left.secret, right.at, &left.address).cmp(&(&right.secret, left.at, &right.address))
        });
        usage
    }

    pub(super) fn record_usage(&mut self, usage: &[SecretUsage]) {
        let known = |used: &&SecretUsage| {
            let clients = self.tenants.get(&used.tenant).map(|row| row.state.clients.iter());
            let client = clients.and_then(|mut rows| rows.find(|row| row.client.id == used.client));
            client.is_some_and(|row| row.secrets.iter().any(|row| row.secret.id == used.secret))
        };
        let new = usage.iter().filter(known).cloned();
        let all: Vec<_> = self.secret_usage.iter().cloned().chain(new).collect();
        self.secret_usage = latest_usage(&all, KEPT_ADDRESSES);
    }

    pub(super) fn list_audit(&self, query: &AuditQuery) -> Vec<(i64, AuditRecord)> {
        let newest_first = self.audit.iter().enumerate().rev();
        let placed = newest_first.map(|(index, record)| (as_position(index + 1), record));
        placed
            .filter(|(position, record)| {
                query.before.is_none_or(|before| *position < before) && is_asked_for(query, record)
            })
            .take(as_count(query.limit))
            .map(|(position, record)| (position, record.clone()))
            .collect()
    }

    pub(super) fn due_deletions(&self, now: Timestamp) -> impl Iterator<Item = TenantId> {
        let rows = self.tenants.iter();
        let mut due: Vec<_> = rows
            .filter_map(|(id, row)| Some((row.state.lifecycle.deletion_due_at?, id.clone())))
            .filter(|(due_at, _)| *due_at <= now)
            .collect();
        due.sort();
        due.into_iter().map(|(_, id)| id)
    }
}

fn terms(row: &TenantRow) -> Vec<String> {
    let tenant = &row.state.tenant;
    search_terms(&format!("{} {}", tenant.id, tenant.name))
}

fn is_asked_for(query: &AuditQuery, record: &AuditRecord) -> bool {
    let AuditQuery { tenant, actor, action, subject, since, until, before: _, limit: _ } = query;
    let below =
        |subject: &String| record.subject.strip_prefix(subject).is_some_and(|rest| rest.starts_with('/'));
    tenant.as_ref().is_none_or(|tenant| *tenant == record.tenant)
        && actor.as_ref().is_none_or(|actor| *actor == record.actor)
        && action.as_ref().is_none_or(|action| match action.strip_suffix('.') {
            Some(_) => record.action.starts_with(action),
            None => *action == record.action,
        })
        && subject.as_ref().is_none_or(|subject| *subject == record.subject || below(subject))
        && since.is_none_or(|since| since <= record.at.0)
        && until.is_none_or(|until| record.at.0 < until)
}

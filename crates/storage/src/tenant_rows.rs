//! The reads of tenants and clients for administration. Module `commit` writes them.

use administration::kinds;
use administration::kinds::TenantState;
use administration::kinds::state::TenantSummary;
use administration::store;
use administration::store::TenantRows;
use administration::store::query::{ClientQuery, RelatedClients};
use async_trait::async_trait;
use registry::{ClientId, TrustRules};
use tenancy::{Issuer, Stored, TenantId};
use values::Timestamp;

use crate::column::is_text;
use crate::database::Database;
use crate::error::repeated;
use crate::statement::Statement;
use crate::transaction::TransactionPurpose;
use crate::{clients, signing_keys, tenants};

#[async_trait]
impl TenantRows for Database {
    async fn list_tenant_summaries(&self, declared: &[TenantId]) -> Stored<Vec<TenantSummary>> {
        let statement =
            Statement::from_text(tenants::SUMMARIES).bind(list(declared.iter().map(TenantId::as_str)));
        Ok(self.read(statement).await?)
    }

    async fn load_state(&self, tenant: &TenantId) -> Stored<Option<TenantState>> {
        let mut transaction = self.begin(TransactionPurpose::Reads(Some(tenant))).await?;
        let state: Option<TenantState> =
            transaction.first(Statement::from_text(tenants::SELECT).bind(tenant)).await?;
        let Some(state) = state.map(tenants::readable).transpose()? else { return Ok(None) };
        let clients = transaction.all(Statement::from_text(clients::SELECT_ALL).bind(tenant)).await?;
        transaction.commit().await?;
        Ok(Some(TenantState { clients, ..state }))
    }

    async fn load_with_related_clients(
        &self,
        tenant: &TenantId,
        related: RelatedClients<'_>,
    ) -> Stored<Option<TenantState>> {
        let texts = |names: &[&str]| list(names.iter().copied().filter(|name| is_text(name)));
        let (ids, listed) = (texts(related.ids), texts(related.listed));
        // Makes two lookups without a transaction. If a commit comes between them, the revision is outdated,
        // and a commit based on it fails as stale.
        let found: Vec<TenantState> =
            self.look_up(Statement::from_text(tenants::SELECT).bind(tenant)).await?;
        let Some(state) = found.into_iter().next() else { return Ok(None) };
        if related.ids.is_empty() && related.listed.is_empty() {
            return Ok(Some(state));
        }
        let clients = self.look_up(clients::related(tenant, ids, listed, self.dialect())).await?;
        Ok(Some(TenantState { clients, ..state }))
    }

    async fn list_clients(
        &self,
        tenant: &TenantId,
        query: &ClientQuery,
    ) -> Stored<Vec<store::Listed<kinds::client::State>>> {
        let search = query.search.as_deref().unwrap_or_default().to_ascii_lowercase();
        if !is_text(&search) {
            return Ok(Vec::new());
        }
        let after = query.after.as_ref().map_or("", ClientId::as_str);
        let statement = Statement::from_text(clients::SELECT_PAGE)
            .bind(tenant)
            .bind(search)
            .bind(after)
            .bind(query.limit);
        Ok(self.read(statement).await?)
    }

    async fn list_trust_rules(&self, tenant: &TenantId, limit: u32) -> Stored<Vec<(ClientId, TrustRules)>> {
        let statement = Statement::from_text(clients::SELECT_FEDERATED).bind(tenant).bind(limit);
        Ok(self.read(statement).await?)
    }

    async fn find_issuer_owners(&self, issuers: &[Issuer]) -> Stored<Vec<(Issuer, TenantId)>> {
        let statement =
            Statement::from_text(tenants::ISSUER_OWNERS).bind(list(issuers.iter().map(Issuer::as_str)));
        Ok(self.read(statement).await?)
    }

    async fn find_issuers_below(&self, issuers: &[Issuer]) -> Stored<Vec<(Issuer, TenantId)>> {
        let issuers = issuers.iter().map(|issuer| issuer.as_str().trim_end_matches('/'));
        Ok(self.read(Statement::from_text(tenants::ISSUERS_BELOW).bind(list(issuers))).await?)
    }

    async fn find_key_owners(&self, thumbprints: &[&str]) -> Stored<Vec<(String, TenantId)>> {
        let statement = Statement::from_text(signing_keys::OWNERS).bind(list(thumbprints.iter().copied()));
        Ok(self.read(statement).await?)
    }

    async fn find_due_deletions(&self, now: Timestamp, limit: u32) -> Stored<Vec<TenantId>> {
        Ok(self.read(Statement::from_text(tenants::DUE_DELETIONS).bind(now).bind(limit)).await?)
    }

    async fn commit(&self, commit: &store::Commit) -> Stored<store::CommitOutcome> {
        match repeated!(crate::commit::commit(self, commit)) {
            Err(error) if error.is_stale() => Ok(store::CommitOutcome::StaleRevision),
            outcome => Ok(outcome?),
        }
    }
}

fn list<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    serde_json::json!(texts.collect::<Vec<_>>()).to_string()
}

//! What a commit writes beside the rows: generation, first keys, marks at tenants, answers to idempotency keys.

use super::{MemoryStore, as_count};
use administration::{
    Application, ApplicationId, Applications, CommitRequest, Fingerprint, Generation, Generations,
    IdempotentAnswer, IdempotentAnswers, KEPT_SOURCES, ManagedBy, TenantMetadata,
};
use async_trait::async_trait;
use protocol::Timestamp;
use tenancy::StoreError;
use tenancy::TenantId;

use super::commit::{CommitRefusal, require};
use super::rows::Rows;

#[async_trait]
impl Applications for MemoryStore {
    async fn find_application(
        &self,
        tenant: &TenantId,
        application: &ApplicationId,
    ) -> Result<Option<Application>, StoreError> {
        let is_requested = |row: &&Application| row.tenant == *tenant && row.id == *application;
        self.administer(|rows| rows.applications.iter().find(is_requested).cloned()).await
    }

    async fn find_application_named(
        &self,
        tenant: &TenantId,
        name: &str,
    ) -> Result<Option<ApplicationId>, StoreError> {
        let is_requested = |row: &&Application| row.tenant == *tenant && row.name == name;
        self.administer(|rows| rows.applications.iter().find(is_requested).map(|row| row.id)).await
    }

    async fn list_applications(
        &self,
        tenant: &TenantId,
        offset: u32,
        limit: u32,
    ) -> Result<(u64, Vec<Application>), StoreError> {
        self.administer(|rows| {
            let all: Vec<_> = rows.applications.iter().filter(|row| row.tenant == *tenant).collect();
            let page = all.iter().skip(as_count(offset)).take(as_count(limit));
            (all.len() as u64, page.copied().cloned().collect())
        })
        .await
    }
}

#[async_trait]
impl Generations for MemoryStore {
    async fn latest_generation(&self) -> Result<Option<Generation>, StoreError> {
        self.administer(|rows| rows.generations.last().cloned()).await
    }

    async fn is_known_generation(&self, content: &Fingerprint) -> Result<bool, StoreError> {
        self.administer(|rows| rows.generations.iter().any(|known| known.content == *content)).await
    }

    async fn list_generations(&self, limit: u32) -> Result<Vec<Generation>, StoreError> {
        self.administer(|rows| rows.whole_generations().take(as_count(limit)).cloned().collect()).await
    }

    async fn find_generation_sources(&self, number: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.administer(|rows| rows.sealed_sources.get(&number).cloned()).await
    }
}

#[async_trait]
impl IdempotentAnswers for MemoryStore {
    async fn find_idempotent_answer(
        &self,
        tenant: &TenantId,
        key: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<IdempotentAnswer>, StoreError> {
        let is_requested =
            |row: &&IdempotentAnswer| row.tenant == *tenant && row.key == *key && now < row.expires_at;
        self.administer(|rows| rows.idempotent_answers.iter().find(is_requested).cloned()).await
    }
}

impl Rows {
    pub(super) fn write_generation(&mut self, request: &CommitRequest) -> Result<Option<u64>, CommitRefusal> {
        let Some(new) = &request.generation else { return Ok(None) };
        let latest = self.generations.last().map(|generation| generation.number);
        require(latest == new.expected_latest)?;
        let number = latest.unwrap_or(0) + 1;
        let (content, left_out) = (new.content, new.left_out.clone());
        self.generations.push(Generation { number, content, applied_at: request.now, left_out });
        if let Some(sealed) = &new.sealed_sources {
            self.sealed_sources.insert(number, sealed.clone());
        }
        let kept = usize::try_from(KEPT_SOURCES).unwrap_or(usize::MAX);
        let too_old = self.whole_generations().nth(kept).map_or(0, |generation| generation.number);
        self.sealed_sources.retain(|of, _| *of > too_old);
        Ok(Some(number))
    }

    /// The newest first.
    pub(super) fn whole_generations(&self) -> impl Iterator<Item = &Generation> {
        self.generations.iter().rev().filter(|generation| generation.left_out.is_empty())
    }

    pub(super) fn write_first_key(
        &mut self,
        request: &CommitRequest,
        tenant: &TenantId,
    ) -> Result<(), CommitRefusal> {
        let of = request.first_keys.iter().find(|(owner, _)| owner == tenant);
        let (_, key) = of.ok_or(CommitRefusal::StaleRevision)?;
        self.tenant_row(tenant)?.state.first_key_thumbprint = Some(key.thumbprint.clone());
        require(self.keys(tenant).keys.is_empty() && self.add_key(tenant, key))?;
        self.schedule(tenant).due_at = Some(key.active_from);
        Ok(())
    }

    /// Only the files have a declaration to note.
    pub(super) fn write_metadata(
        &mut self,
        request: &CommitRequest,
        metadata: &TenantMetadata,
    ) -> Result<(), CommitRefusal> {
        let row = self.tenant_row(&metadata.tenant)?;
        if request.managed_by == ManagedBy::Config {
            require(row.state.lifecycle.managed_by == ManagedBy::Config)?;
            row.fingerprint = metadata.fingerprint;
        }
        if metadata.previous_tokens_until.is_some() {
            row.state.previous_tokens_until = metadata.previous_tokens_until;
        }
        let deleted = row.state.lifecycle.deleted_at.is_some();
        if let Some(previous) = metadata.previous_jwks.filter(|_| !deleted) {
            self.note_previous_jwks(&metadata.tenant, previous, request.now);
        }
        Ok(())
    }

    pub(super) fn write_idempotent_answer(
        &mut self,
        answer: &IdempotentAnswer,
        now: Timestamp,
    ) -> Result<(), CommitRefusal> {
        let rows = &mut self.idempotent_answers;
        rows.retain(|row| row.expires_at > now);
        require(!rows.iter().any(|row| row.tenant == answer.tenant && row.key == answer.key))?;
        rows.push(answer.clone());
        Ok(())
    }
}

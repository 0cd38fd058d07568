//! What a commit writes beside the rows: generation, first keys, marks at tenants, answers to idempotency keys.

use administration::{CommitRequest, Generation, IdempotentAnswer, KEPT_SOURCES, ManagedBy, TenantMark};
use protocol::Timestamp;
use tenancy::TenantId;

use super::commit::{Refusal, require};
use super::rows::Rows;

impl Rows {
    pub(super) fn write_generation(&mut self, request: &CommitRequest) -> Result<Option<u64>, Refusal> {
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
    ) -> Result<(), Refusal> {
        let of = request.first_keys.iter().find(|(owner, _)| owner == tenant);
        let (_, key) = of.ok_or(Refusal::Superseded)?;
        self.tenant_row(tenant)?.state.first_key_thumbprint = Some(key.thumbprint.clone());
        require(self.keys(tenant).keys.is_empty() && self.add_key(tenant, key))?;
        self.schedule(tenant).due_at = Some(key.active_from);
        Ok(())
    }

    /// Only the files have a declaration to note.
    pub(super) fn write_mark(&mut self, request: &CommitRequest, mark: &TenantMark) -> Result<(), Refusal> {
        let row = self.tenant_row(&mark.tenant)?;
        if request.managed_by == ManagedBy::Config {
            require(row.state.standing.managed_by == ManagedBy::Config)?;
            row.fingerprint = mark.fingerprint;
        }
        if mark.earlier_tokens_until.is_some() {
            row.state.earlier_tokens_until = mark.earlier_tokens_until;
        }
        let deleted = row.state.standing.deleted_at.is_some();
        if let Some(earlier) = mark.earlier_jwks.filter(|_| !deleted) {
            self.note_earlier_jwks(&mark.tenant, earlier, request.now);
        }
        Ok(())
    }

    pub(super) fn write_idempotent_answer(
        &mut self,
        answer: &IdempotentAnswer,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let rows = &mut self.idempotent_answers;
        rows.retain(|row| row.expires_at > now);
        require(!rows.iter().any(|row| row.tenant == answer.tenant && row.key == answer.key))?;
        rows.push(answer.clone());
        Ok(())
    }
}

//! The shell around comparing: reads the store, hashes and seals what is new outside any transaction, and commits once.

use std::sync::Arc;

use keys::{KeyId, KeyRecord, KeySealer, SealingContext};
use protocol::Timestamp;
use registry::Pepper;
use tenancy::TenantId;
use tokio::task::spawn_blocking;

use crate::compare::{Context, Current, Triage, compare};
use crate::hashing::{self, Prepared};
use crate::outcome::ATTEMPTS;
use crate::{
    Actor, AdministrationStore, AuditRecord, Change, CommitOutcome, CommitRequest, ContentHash, Declaration,
    Fingerprint, ManagedBy, NewGeneration, NewSecret, Options, Outcome, Plan, ReconcileError, invalidations,
};

/// Makes the store agree with a declaration.
pub struct Reconciler {
    store: Arc<dyn AdministrationStore>,
    sealer: Arc<dyn KeySealer>,
    pepper: Arc<Pepper>,
}

impl Reconciler {
    /// Over a store, with what is needed to write secrets and keys into it.
    #[must_use]
    pub fn new(store: Arc<dyn AdministrationStore>, sealer: Arc<dyn KeySealer>, pepper: Arc<Pepper>) -> Self {
        Self { store, sealer, pepper }
    }

    /// What would change; writes nothing, and so needs no right to.
    ///
    /// # Errors
    /// [`ReconcileError`].
    pub async fn plan(&self, declaration: &Declaration, now: Timestamp) -> Result<Plan, ReconcileError> {
        let ids: Vec<TenantId> = declaration.tenants.keys().cloned().collect();
        let triage = Triage::of(&self.pepper, declaration, self.store.survey(&ids).await?);
        let mut current = Current::default();
        for id in &triage.load {
            if let Some(state) = self.store.load_state(id).await? {
                current.states.insert(id.clone(), state);
            }
        }
        if !triage.issuers.is_empty() {
            current.issuer_owners = self.store.find_issuer_owners(&triage.issuers).await?;
        }
        let context = Context { pepper: &self.pepper, now };
        Ok(compare(context, declaration, triage, &current)?)
    }

    /// Makes the store agree with the declaration, whole or not at all. `content` is of everything that the declaration was read
    /// from.
    ///
    /// # Errors
    /// [`ReconcileError`].
    pub async fn apply(
        &self,
        declaration: &Declaration,
        content: &ContentHash,
        options: &Options,
    ) -> Result<Outcome, ReconcileError> {
        let content = content.keyed(&self.pepper);
        for _ in 0..ATTEMPTS {
            let latest = self.store.latest_generation().await?;
            if latest.is_some_and(|latest| latest.content == content) {
                return Ok(Outcome::Unchanged);
            }
            if !options.force_generation && self.store.is_known_generation(&content).await? {
                return Ok(Outcome::OlderGeneration);
            }
            let plan = self.plan(declaration, options.now).await?;
            if !options.prune && plan.exceeds(&options.max_retired) {
                return Ok(Outcome::TooManyRetired { plan });
            }
            let expected_latest = latest.map(|latest| latest.number);
            let request = self.request(declaration, &plan, content, expected_latest, options.now).await?;
            if let CommitOutcome::Committed { generation } = self.store.commit(&request).await? {
                let invalidations = invalidations(&plan.changes);
                return Ok(Outcome::Applied { plan, generation: generation.unwrap_or(0), invalidations });
            }
        }
        Err(ReconcileError::Contended)
    }

    async fn request(
        &self,
        declaration: &Declaration,
        plan: &Plan,
        content: Fingerprint,
        expected_latest: Option<u64>,
        now: Timestamp,
    ) -> Result<CommitRequest, ReconcileError> {
        let actor = Actor { name: "config".to_owned(), source: None };
        Ok(CommitRequest {
            managed_by: ManagedBy::Config,
            generation: Some(NewGeneration { content, expected_latest, sealed_sources: None }),
            rests_on: plan.rests_on.clone(),
            changes: plan.changes.clone(),
            secrets: self.hash(declaration, plan, now).await?,
            first_keys: self.seal_first_keys(declaration, plan, now).await?,
            marks: plan.marks.clone(),
            audit: plan.changes.iter().map(|change| AuditRecord::of(change, &actor, now)).collect(),
            idempotent: None,
            now,
        })
    }

    async fn seal_first_keys(
        &self,
        declaration: &Declaration,
        plan: &Plan,
        now: Timestamp,
    ) -> Result<Vec<(TenantId, KeyRecord)>, ReconcileError> {
        let mut sealed = Vec::new();
        for change in &plan.changes {
            let Change::FirstKey(tenant, first) = change else { continue };
            let Some(key) = declaration.tenants.get(tenant).and_then(|declared| declared.first_key.as_ref())
            else {
                continue;
            };
            let id = KeyId::numbered(1);
            let context = SealingContext::SigningKey { tenant, id, algorithm: first.algorithm };
            let record = KeyRecord {
                id,
                algorithm: first.algorithm,
                sealed_private_key: self.sealer.seal(&context, key.pkcs8.expose()).await?,
                thumbprint: first.thumbprint.clone(),
                announced_at: now,
                active_from: now,
                retiring_from: None,
                removed_at: None,
            };
            sealed.push((tenant.clone(), record));
        }
        Ok(sealed)
    }

    /// Nothing of it stands in the way of other work: slow hashes take 11 ms each.
    async fn hash(
        &self,
        declaration: &Declaration,
        plan: &Plan,
        now: Timestamp,
    ) -> Result<Vec<NewSecret>, ReconcileError> {
        let Prepared { mut rows, slow } = hashing::prepare(&self.pepper, declaration, &plan.secrets, now)?;
        if !slow.is_empty() {
            rows.extend(spawn_blocking(|| hashing::hash_slow(slow)).await??);
        }
        Ok(rows)
    }
}

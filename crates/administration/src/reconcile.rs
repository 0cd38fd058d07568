//! The shell around comparing: reads the store, hashes and seals what is new outside any transaction, and commits once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use keys::{KeyId, KeyRecord, KeySealer, SealingContext};
use protocol::{Lifetime, Timestamp};
use registry::Pepper;
use tenancy::TenantId;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::compare::{self, Context, Current, Triage, compare};
use crate::hashing::{self, Prepared};
use crate::outcome::ATTEMPTS;
use crate::{
    Actor, AdministrationStore, Along, AuditRecord, Change, CommitOutcome, CommitRequest, ContentHash,
    Declaration, Drift, Fingerprint, Generation, ManagedBy, NewGeneration, NewSecret, Options, Outcome, Plan,
    Progress, ReconcileError, invalidations,
};

/// How often whoever waits for slow hashes is told.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Makes the store agree with a declaration.
pub struct Reconciler {
    store: Arc<dyn AdministrationStore>,
    sealer: Arc<dyn KeySealer>,
    pepper: Arc<Pepper>,
    l1_lifetime: Lifetime,
}

/// For how long replicas go on with rows from their own memory, unless it is said otherwise.
const L1_LIFETIME: Lifetime = Lifetime::from_seconds(10);

impl Reconciler {
    /// Over a store, with what is needed to write secrets and keys into it.
    #[must_use]
    pub fn new(store: Arc<dyn AdministrationStore>, sealer: Arc<dyn KeySealer>, pepper: Arc<Pepper>) -> Self {
        Self { store, sealer, pepper, l1_lifetime: L1_LIFETIME }
    }

    /// With another time for which a replica may go on with rows from its own memory.
    #[must_use]
    pub fn with_l1_lifetime(self, l1_lifetime: Lifetime) -> Self {
        Self { l1_lifetime, ..self }
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
        let context = Context { pepper: &self.pepper, now, l1_lifetime: self.l1_lifetime };
        Ok(compare(context, declaration, triage, &current)?)
    }

    /// How the store differs from the declaration, also in what applying would leave alone; writes nothing.
    ///
    /// # Errors
    /// [`ReconcileError`].
    pub async fn drift(&self, declaration: &Declaration, now: Timestamp) -> Result<Drift, ReconcileError> {
        let mut left_alone = Vec::new();
        for id in declaration.tenants.keys() {
            let state = self.store.load_state(id).await?;
            left_alone.extend(compare::left_alone(declaration, &state, now));
        }
        Ok(Drift { plan: self.plan(declaration, now).await?, left_alone })
    }

    /// What a generation was read from, if it is still kept.
    ///
    /// # Errors
    /// [`ReconcileError`].
    pub async fn sources_of(
        &self,
        generation: &Generation,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, ReconcileError> {
        let Some(sealed) = self.store.find_generation_sources(generation.number).await? else {
            return Ok(None);
        };
        let context = SealingContext::Sources(generation.content.as_bytes());
        Ok(Some(self.sealer.unseal(&context, &sealed).await?))
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
        self.apply_along(declaration, content, options, Along::NONE).await
    }

    /// As [`Reconciler::apply`], keeping what the declaration was read from and telling how far it has come.
    ///
    /// # Errors
    /// [`ReconcileError`].
    pub async fn apply_along(
        &self,
        declaration: &Declaration,
        content: &ContentHash,
        options: &Options,
        along: Along<'_>,
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
            (along.progress)(Progress::Comparing);
            let plan = self.plan(declaration, options.now).await?;
            if !options.prune && plan.exceeds(&options.max_retired) {
                return Ok(Outcome::TooManyRetired { plan });
            }
            let expected_latest = latest.map(|latest| latest.number);
            let generation = NewGeneration {
                content,
                expected_latest,
                sealed_sources: self.seal_sources(&content, along.sources).await?,
            };
            let request = self.request(declaration, &plan, generation, options.now, along.progress).await?;
            (along.progress)(Progress::Writing { changes: plan.changes.len() });
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
        generation: NewGeneration,
        now: Timestamp,
        progress: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<CommitRequest, ReconcileError> {
        let actor = Actor { name: "config".to_owned(), source: None };
        Ok(CommitRequest {
            managed_by: ManagedBy::Config,
            generation: Some(generation),
            rests_on: plan.rests_on.clone(),
            changes: plan.changes.clone(),
            secrets: self.hash(declaration, plan, now, progress).await?,
            first_keys: self.seal_first_keys(declaration, plan, now).await?,
            keys: Default::default(),
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
        progress: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Vec<NewSecret>, ReconcileError> {
        let Prepared { mut rows, slow } = hashing::prepare(&self.pepper, declaration, &plan.secrets, now)?;
        if slow.is_empty() {
            return Ok(rows);
        }
        let (done, of) = (Arc::new(AtomicUsize::new(0)), slow.len());
        let mut hashing = spawn_blocking({
            let done = Arc::clone(&done);
            move || hashing::hash_slow(slow, &done)
        });
        loop {
            progress(Progress::Hashing { done: done.load(Ordering::Relaxed), of });
            if let Ok(hashed) = timeout(LOOK_EVERY, &mut hashing).await {
                rows.extend(hashed??);
                return Ok(rows);
            }
        }
    }

    /// Bound to their content, so that the sources of one generation cannot be put in the place of another's.
    async fn seal_sources(
        &self,
        content: &Fingerprint,
        sources: Option<&[u8]>,
    ) -> Result<Option<Vec<u8>>, ReconcileError> {
        let Some(sources) = sources else { return Ok(None) };
        Ok(Some(self.sealer.seal(&SealingContext::Sources(content.as_bytes()), sources).await?))
    }
}

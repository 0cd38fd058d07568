//! The shell around comparing: reads the store, hashes and seals what is new outside any transaction, and commits once.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::available_parallelism;

use keys::{KeyId, KeyRecord, KeySealer, SealError, SealingContext};
use protocol::{Secret, Timestamp};
use registry::{
    ChosenSalt, ClientSecret, GeneratedSecret, OutOfMemory, Pepper, SecretHash, UnknownHashFormat,
    hash_chosen, hash_generated,
};
use tenancy::{StoreError, TenantId};
use tokio::task::{JoinError, spawn_blocking};

use crate::compare::{Context, Current, Triage, compare};
use crate::plan::PlannedSecret;
use crate::{
    AdministrationStore, AuditRecord, Change, CommitOutcome, CommitRequest, Conflicts, ContentHash,
    Declaration, DeclaredSecret, Fingerprint, Invalidation, ManagedBy, NewGeneration, NewSecret, Plan,
    Retirements, invalidations,
};

/// Who the audit says it was.
const ACTOR: &str = "config";
/// How often a plan is made anew because somebody else was faster; each time somebody got further.
const ATTEMPTS: usize = 5;

/// Makes the store agree with a declaration.
pub struct Reconciler {
    store: Arc<dyn AdministrationStore>,
    sealer: Arc<dyn KeySealer>,
    pepper: Arc<Pepper>,
}

/// How far applying may go.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How many rows may be retired without being asked.
    pub max_retired: Retirements,
    /// The operator asks for it: retire as many as there are.
    pub prune: bool,
    /// The operator asks for it: apply again what a later configuration has replaced.
    pub force_generation: bool,
    /// When.
    pub now: Timestamp,
}

/// What became of a declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is what was applied last; nothing was looked at.
    Unchanged,
    /// The store agrees with it now.
    Applied {
        /// What changed.
        plan: Plan,
        /// Its number.
        generation: u64,
        /// What caches must forget.
        invalidations: Vec<Invalidation>,
    },
    /// A later one has replaced it, so the store is served as it is: this replica was left behind.
    OlderGeneration,
    /// It would retire more than is allowed unasked, as a truncated file would; nothing was written.
    TooManyRetired {
        /// What would change.
        plan: Plan,
    },
}

/// A declaration could not be applied; nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The declaration and the store contradict each other.
    #[error(transparent)]
    Conflicts(#[from] Conflicts),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A first key could not be sealed.
    #[error("a first key cannot be sealed")]
    Seal(#[from] SealError),
    /// A secret could not be hashed.
    #[error(transparent)]
    Hash(#[from] OutOfMemory),
    /// A declared hash is of no known format, although the comparison let it through.
    #[error(transparent)]
    UnknownHash(#[from] UnknownHashFormat),
    /// The program is stopping or out of threads.
    #[error("hashing was interrupted")]
    Interrupted(#[from] JoinError),
    /// Others kept writing; another try will find their work.
    #[error("the store was changed at the same time, {ATTEMPTS} times in a row")]
    Contended,
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
        Ok(CommitRequest {
            managed_by: ManagedBy::Config,
            generation: Some(NewGeneration { content, expected_latest }),
            changes: plan.changes.clone(),
            secrets: self.hash(declaration, &plan.secrets, now).await?,
            first_keys: self.seal_first_keys(declaration, plan, now).await?,
            marks: plan.marks.clone(),
            audit: plan.changes.iter().map(|change| AuditRecord::of(change, ACTOR, now)).collect(),
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

    /// Slow hashes go to blocking threads, as many at once as there are cores: each takes 19 MiB besides its time.
    async fn hash(
        &self,
        declaration: &Declaration,
        planned: &[PlannedSecret],
        now: Timestamp,
    ) -> Result<Vec<NewSecret>, ReconcileError> {
        let mut rows: Vec<Option<NewSecret>> = Vec::with_capacity(planned.len());
        let mut slow = Vec::new();
        let mut salts = HashMap::new();
        for (index, secret) in planned.iter().enumerate() {
            let (client, at) = secret.place;
            let hash = match &declaration.tenants[&secret.tenant].clients[client].secrets[at] {
                DeclaredSecret::Hash { phc, .. } => phc.parse()?,
                DeclaredSecret::Value { secret: value, .. }
                    if GeneratedSecret::is_well_formed(value.expose()) =>
                {
                    let hint = value.expose()[value.expose().len() - 4..].to_owned();
                    let hash = hash_generated(&self.pepper, &secret.tenant, &secret.client, value);
                    rows.push(Some(row(secret, hash, hint, now)));
                    continue;
                }
                DeclaredSecret::Value { secret: value, .. } => {
                    let fresh = || secret.salt.clone().unwrap_or_else(ChosenSalt::generate);
                    let salt = salts.entry((&secret.tenant, &secret.client)).or_insert_with(fresh).clone();
                    slow.push((index, Secret::new(value.expose().to_owned()), salt));
                    rows.push(None);
                    continue;
                }
            };
            rows.push(Some(row(secret, hash, String::new(), now)));
        }
        for (index, hash) in hash_in_parallel(slow).await? {
            rows[index] = Some(row(&planned[index], hash, String::new(), now));
        }
        Ok(rows.into_iter().flatten().collect())
    }
}

async fn hash_in_parallel(
    mut jobs: Vec<(usize, Secret, ChosenSalt)>,
) -> Result<Vec<(usize, SecretHash)>, ReconcileError> {
    let threads = available_parallelism().map_or(1, NonZeroUsize::get);
    let share = jobs.len().div_ceil(threads).max(1);
    let mut running = Vec::new();
    while !jobs.is_empty() {
        let own = jobs.split_off(jobs.len().saturating_sub(share));
        running.push(spawn_blocking(move || {
            own.iter().map(|(index, secret, salt)| Ok((*index, hash_chosen(secret, salt)?))).collect()
        }));
    }
    let mut hashed = Vec::new();
    for task in running {
        let done: Result<Vec<_>, OutOfMemory> = task.await?;
        hashed.extend(done?);
    }
    Ok(hashed)
}

fn row(planned: &PlannedSecret, hash: SecretHash, hint: String, now: Timestamp) -> NewSecret {
    let PlannedSecret { tenant, client, id, digest, expires_at, .. } = planned.clone();
    let secret = ClientSecret { id, hash, hint, created_at: now, expires_at, revoked_at: None };
    NewSecret { tenant, client, secret, declared_digest: digest }
}

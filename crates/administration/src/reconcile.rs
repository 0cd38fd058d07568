//! The service layer of files: it reads the store, compares, hashes and seals outside any transaction, and
//! commits once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use keys::{KeyRecord, KeySealer, SealingContext};
use registry::{Client, DeclaredPassword};
use secrets::Pepper;
use tenancy::{Stored, TenantId};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use values::{Lifetime, Secret, Timestamp};
use zeroize::Zeroizing;

use crate::administrator::find_declared;
use crate::compare::{self, Classification, CompareContext, CurrentRows, compare};
use crate::hashing::{self, Prepared};
use crate::limits::of_rows;
use crate::outcome::ATTEMPTS;
use crate::rules::overlapping_rows;
use crate::{
    Actor, AdministrationStore, Along, AuditRecord, Change, Commit, CommitOutcome, Conflict, ConflictKind,
    ContentHash, Declaration, DeclaredAccount, Drift, Edit, Fingerprint, Generation, KeyCommit, ManagedBy,
    NewGeneration, NewPassword, NewSecret, Outcome, Plan, Progress, ReconcileError, ReconcileOptions,
    Subject, TenantQuery,
};

/// How often the progress of slow hashes is reported.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Makes the store agree with a declaration.
pub struct Reconciler {
    store: Arc<dyn AdministrationStore>,
    sealer: Arc<dyn KeySealer>,
    pepper: Arc<Pepper>,
    /// For how long replicas use rows from their own memory.
    pub l1_lifetime: Lifetime,
    /// How many clients a tenant may have.
    pub clients: u64,
}

/// The result of a step, or the error that prevented it.
type Reconciled<T> = Result<T, ReconcileError>;

/// The default number of clients that a tenant may have.
const CLIENTS: u64 = 10_000;

/// How many tenants are listed at a time.
const PAGE: u32 = 500;

/// The default time for which replicas use rows from their own memory.
const L1_LIFETIME: Lifetime = Lifetime::from_seconds(10);

impl Reconciler {
    /// Over a store, with what is needed to write secrets and keys into it.
    #[must_use]
    pub fn new(store: Arc<dyn AdministrationStore>, sealer: Arc<dyn KeySealer>, pepper: Arc<Pepper>) -> Self {
        Self { store, sealer, pepper, l1_lifetime: L1_LIFETIME, clients: CLIENTS }
    }

    /// The planned changes. The call writes nothing, so it needs no permission to write.
    ///
    /// # Errors
    /// [`ReconcileError`].
    pub async fn plan(&self, declaration: &Declaration, now: Timestamp) -> Result<Plan, ReconcileError> {
        self.plan_ending(declaration, now, false).await
    }

    async fn plan_ending(
        &self,
        declaration: &Declaration,
        now: Timestamp,
        ends_previous: bool,
    ) -> Result<Plan, ReconcileError> {
        let ids: Vec<TenantId> = declaration.tenants.keys().cloned().collect();
        let summaries = self.store.list_tenant_summaries(&ids).await?;
        let classification = Classification::new(&self.pepper, declaration, summaries, ends_previous);
        let mut current = CurrentRows::default();
        for id in &classification.load {
            if let Some(mut state) = self.store.load_state(id).await? {
                if let Some(declared) = declaration.tenants.get(id) {
                    state.accounts = find_declared(&*self.store, declared).await?;
                }
                current.states.insert(id.clone(), state);
            }
        }
        if !classification.issuers.is_empty() {
            current.issuer_owners = self.store.find_issuer_owners(&classification.issuers).await?;
        }
        if !classification.above.is_empty() {
            current.issuer_owners.extend(self.store.find_issuers_below(&classification.above).await?);
        }
        let first_keys = classification.first_keys();
        if !first_keys.is_empty() {
            current.key_owners = self.store.find_key_owners(&first_keys).await?;
        }
        let context = CompareContext {
            pepper: &self.pepper,
            now,
            l1_lifetime: self.l1_lifetime,
            clients: self.clients,
            ends_previous,
        };
        Ok(compare(context, declaration, classification, current)?)
    }

    /// Rows that exceed a limit. They stay valid, and may shrink. One tenant at a time is in memory.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn rows_beyond_limits(&self) -> Stored<Vec<Conflict>> {
        let mut query = TenantQuery { limit: PAGE, ..TenantQuery::default() };
        let mut found = Vec::new();
        loop {
            let page = self.store.list_tenants(&query).await?;
            let Some((last, _)) = page.last() else { return Ok(found) };
            query.after = Some(last.clone());
            for (_, listed) in page.iter().filter(|(_, listed)| !listed.tenant.is_unreadable) {
                if let Some(state) = self.store.load_state(&listed.tenant.id).await? {
                    let live =
                        || state.clients.iter().filter(|row| row.lifecycle.is_live()).map(|row| &row.client);
                    found.extend(of_rows(&state.tenant, live(), self.clients));
                    let rules = live().map(|client| (&client.id, &client.federated));
                    let shared = overlapping_rows(&state.tenant, rules).into_iter();
                    found.extend(shared.map(|(client, warning)| Conflict {
                        subject: Subject::new::<Client>(&state.tenant.id, &client),
                        kind: ConflictKind::BeyondLimit(warning),
                    }));
                }
            }
        }
    }

    /// The differences between the store and the declaration, with those that applying would not undo. The
    /// call writes nothing.
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

    /// The content that a generation was read from, if it is still stored.
    ///
    /// # Errors
    /// [`ReconcileError`].
    pub async fn sources_of(&self, generation: &Generation) -> Reconciled<Option<Zeroizing<Vec<u8>>>> {
        let Some(sealed) = self.store.find_generation_sources(generation.number).await? else {
            return Ok(None);
        };
        let context = SealingContext::Sources(generation.content.as_bytes());
        Ok(Some(self.sealer.unseal(&context, &sealed).await?))
    }

    /// Makes the store agree with the declaration in one commit, except for tenants with a conflict.
    /// `content` is the hash of everything that the declaration was read from.
    ///
    /// # Errors
    /// [`ReconcileError`].
    pub async fn apply(
        &self,
        declaration: &Declaration,
        content: &ContentHash,
        options: &ReconcileOptions,
        along: Along<'_>,
    ) -> Result<Outcome, ReconcileError> {
        let now = options.now;
        let content = content.keyed(&self.pepper);
        for _ in 0..ATTEMPTS {
            let latest = self.store.latest_generation().await?;
            let same = latest.as_ref().filter(|latest| latest.content == content);
            if same.is_some_and(|latest| latest.left_out.is_empty()) && !options.ends_previous {
                return Ok(Outcome::Unchanged);
            }
            if same.is_none() && !options.force_generation && self.store.is_known_generation(&content).await?
            {
                // Another replica may have applied these settings since the latest generation was read.
                let newer = self.store.latest_generation().await?;
                if newer.map(|newer| newer.number) != latest.map(|latest| latest.number) {
                    continue;
                }
                return Ok(Outcome::OlderGeneration);
            }
            (along.progress)(Progress::Comparing);
            let mut plan = self.plan_ending(declaration, now, options.ends_previous).await?;
            let left_out = plan.left_out();
            if plan.is_empty() && left_out.is_empty() && same.is_some_and(|latest| latest.left_out.is_empty())
            {
                return Ok(Outcome::Unchanged);
            }
            // If a secret store did not return a secret, the content is not the configured one.
            let is_unread = left_out.iter().all(|tenant| declaration.unread.contains_key(tenant));
            let is_known = same.is_some_and(|latest| latest.left_out == left_out);
            if plan.is_empty() && (is_known || is_unread && !left_out.is_empty()) {
                return Ok(Outcome::StillLeftOut { plan });
            }
            if !options.prune && plan.exceeds(&options.max_retired) {
                return Ok(Outcome::TooManyRetired { plan });
            }
            let expected_latest = latest.map(|latest| latest.number);
            // A rollback needs a generation that left out no tenant.
            let sources = along.sources.filter(|_| left_out.is_empty());
            let sealed_sources = self.seal_sources(&content, sources).await?;
            let generation = NewGeneration { content, expected_latest, sealed_sources, left_out };
            let commit = self.decide(declaration, &mut plan, generation, now, along.progress).await?;
            let Some(commit) = commit else { continue };
            (along.progress)(Progress::Writing { changes: plan.changes.len() });
            if let CommitOutcome::Committed { generation, .. } = self.store.commit(&commit).await? {
                let invalidations = commit.changed;
                return Ok(Outcome::Applied { plan, generation: generation.unwrap_or(0), invalidations });
            }
        }
        Err(ReconcileError::Contended)
    }

    /// The commit of a plan, with its secrets hashed and its keys sealed. None if the rows have changed
    /// meanwhile.
    async fn decide(
        &self,
        declaration: &Declaration,
        plan: &mut Plan,
        generation: NewGeneration,
        now: Timestamp,
        progress: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Option<Commit>, ReconcileError> {
        let (before, actor) = (std::mem::take(&mut plan.before), Actor::named("config", None));
        let revisions = before.iter().map(|state| (state.tenant.id.clone(), state.revision));
        let audit = plan.changes.iter().map(|change| AuditRecord::from_change(change, &actor, now));
        let edit = Edit {
            changes: plan.changes.clone(),
            secrets: self.hash(declaration, plan, now, progress).await?,
            passwords: self.hash_passwords(declaration, plan).await?,
            keys: KeyCommit { added: self.seal_first_keys(declaration, plan, now).await?, due: Vec::new() },
            tenant_metadata: plan.tenant_metadata.clone(),
            ..Edit::default()
        };
        let commit = Commit::decide(edit, ManagedBy::Config, &before, revisions.collect(), now);
        let (generation, audit) = (Some(generation), audit.collect());
        Ok(commit.map(|commit| Commit { generation, audit, ..commit }))
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
            let id = first.id;
            let context = SealingContext::SigningKey { tenant, id, algorithm: first.algorithm };
            let record = KeyRecord {
                id,
                algorithm: first.algorithm,
                sealed_private_key: self.sealer.seal(&context, key.pkcs8.expose()).await?,
                thumbprint: first.thumbprint.clone(),
                public_jwk: Some(key.public_jwk.clone()),
                announced_at: now,
                active_from: now,
                retiring_from: None,
                removed_at: None,
                shown: keys::ShownTimes::default(),
            };
            sealed.push((tenant.clone(), record));
        }
        Ok(sealed)
    }

    /// A slow hash takes 11 ms, so other threads compute them.
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

    /// Each password takes 11 ms, so another thread computes them.
    async fn hash_passwords(&self, declaration: &Declaration, plan: &Plan) -> Reconciled<Vec<NewPassword>> {
        let declared = plan.passwords.iter().map(|planned| {
            let DeclaredAccount { account, password, .. } =
                &declaration.tenants[&planned.tenant].accounts[planned.account];
            let password = password.as_ref().map(|password| match password {
                DeclaredPassword::Value(value) => {
                    DeclaredPassword::Value(Secret::new(value.expose().to_owned()))
                }
                DeclaredPassword::Hash(phc) => DeclaredPassword::Hash(phc.clone()),
            });
            (account.id.clone(), password, planned.clone())
        });
        let declared: Vec<_> = declared.collect();
        if declared.is_empty() {
            return Ok(Vec::new());
        }
        let pepper = Arc::clone(&self.pepper);
        spawn_blocking(move || hashing::hash_passwords(&pepper, declared)).await?
    }

    /// Seals the sources for their content, so that the sources of one generation cannot replace those of
    /// another.
    async fn seal_sources(
        &self,
        content: &Fingerprint,
        sources: Option<&[u8]>,
    ) -> Result<Option<Vec<u8>>, ReconcileError> {
        let Some(sources) = sources else { return Ok(None) };
        Ok(Some(self.sealer.seal(&SealingContext::Sources(content.as_bytes()), sources).await?))
    }
}

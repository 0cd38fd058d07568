//! The way of every change to a tenant's keys: load them, decide, make the key that is needed, commit on the revision that was decided
//! upon, invalidate the caches. After a concurrent commit or a delay it does all of them again, but for the key.
//!
//! From the moment of the decision a key's publication is counted, so nothing slow may stand between that and the commit: making a key
//! takes seconds, and others wait for theirs before it.

use std::time::Duration;

use keys::KeyRecords;
use protocol::Timestamp;
use tenancy::{StoreError, TenantId};
use tokio::time::timeout;

use super::commit_with_retry::{ATTEMPTS, pause};
use super::idempotency::IdempotencyScope;
use super::key_material::{KeyMaterial, KeyOrigin};
use super::{Administrator, Created, KeyStep};
use crate::edit::{Edit, EditContext, KeyDecision, KeyEdit};
use crate::{Authority, BrokenTokensView, EditError, KeyView, KeysChanged, TenantKeys, VerifierFetch};

/// So often it may have been too late before a store is too slow.
const MOST_LATE: u32 = 3;

/// What is decided upon.
pub(super) struct KeyFacts {
    pub(super) state: TenantKeys,
    /// Who fetches the keys, where the policy asks for it.
    pub(super) fetches: Vec<VerifierFetch>,
}

/// Who asks for a change of whose keys, and when he did.
pub(super) struct KeyRequest<'a> {
    pub(super) by: &'a Authority,
    pub(super) tenant: &'a TenantId,
    pub(super) idempotency_scope: Option<IdempotencyScope>,
    pub(super) now: Timestamp,
}

impl Administrator {
    /// Decides and writes, as often as it takes; says what was decided in the end, and the keys as they are then.
    pub(super) async fn change_keys(
        &self,
        key_request: KeyRequest<'_>,
        mut material: Option<KeyMaterial>,
        mut decide: impl FnMut(EditContext<'_>, &KeyFacts) -> Result<KeyDecision, EditError> + Send,
    ) -> Result<(Created<KeysChanged>, KeyStep), EditError> {
        let KeyRequest { by, tenant, idempotency_scope, now: requested_at } = key_request;
        let clock = || requested_at.max((self.clock)());
        let mut late = 0;
        let mut turn = self.tenant_locks.take(tenant).await;
        for attempt in 0..ATTEMPTS {
            pause(attempt).await;
            if let Some(value) = self.answered(idempotency_scope.as_ref(), requested_at).await? {
                return Ok((Created { value, replayed: true }, KeyStep::default()));
            }
            let facts = self.load_keys(tenant).await?;
            let now = clock();
            let decision = decide(self.context(by, now), &facts)?;
            if idempotency_scope.is_none() && decision.changes_nothing(&facts.state) {
                return Ok(done(&decision, &facts.state.records, now));
            }
            let mut made = None;
            if let Some(announced) = decision.plan.announce {
                let made_as = KeyOrigin::Made(announced.spec());
                let origin = if decision.imports { KeyOrigin::Brought } else { made_as };
                match material.as_mut().filter(|material| material.origin() == origin) {
                    Some(material) => match material.record(announced) {
                        Some(record) => made = Some(record),
                        None => {
                            self.seal_key(tenant, announced, material).await?;
                            continue;
                        }
                    },
                    None => {
                        // It may take long, and others have their turn meanwhile.
                        drop(turn);
                        material = Some(self.make_key(announced.spec()).await?);
                        turn = self.tenant_locks.take(tenant).await;
                        continue;
                    }
                }
            }
            let KeyEdit { changes, keys, records } = decision.edit(&facts.state, made, now);
            let done = done(&decision, &records, now);
            let idempotent = match &idempotency_scope {
                Some(key) => Some(self.seal_answer(key, &done.0.value, now).await?),
                None => None,
            };
            let edit = Edit { changes, keys, ..Edit::default() };
            let expected_revisions = vec![(tenant.clone(), facts.state.revision)];
            let written = self.write(by, expected_revisions, Vec::new(), edit, idempotent, now);
            let left = margin(&facts.state).saturating_sub(clock().seconds().saturating_sub(now.seconds()));
            let committed = match decision.cuts {
                // What is cut off is cut off in the past, and never late.
                true => Some(written.await?),
                false if left == 0 => None,
                false => timeout(Duration::from_secs(left), written).await.ok().transpose()?,
            };
            match committed {
                Some(true) => return Ok(done),
                Some(false) => {}
                None => late += 1,
            }
            if late == MOST_LATE {
                return Err(StoreError::unavailable("it takes longer than keys can wait").into());
            }
        }
        Err(EditError::Contended)
    }

    /// A tenant that is not deleted, with its keys.
    pub(super) async fn load_keys(&self, tenant: &TenantId) -> Result<KeyFacts, EditError> {
        let state = self.store.load_keys(tenant).await?;
        let state = state.filter(|state| state.lifecycle.deleted_at.is_none());
        let state = state.ok_or(EditError::NotFound("tenant"))?;
        let fetches = match state.tenant.signing.hold_activation {
            Some(_) => self.store.verifier_fetches(tenant).await?,
            None => Vec::new(),
        };
        Ok(KeyFacts { state, fetches })
    }
}

/// How many seconds a decision may be old when it is written. Of the window that a key is published for, verifiers may use up all but
/// the skew, which is there for clocks that differ and is left over by clocks that are kept in step. So what clocks differ by and what
/// a commit takes share it. Where a commit is given up and its last word to the database arrives there all the same, the key is later
/// than this: that word alone is not bounded.
fn margin(state: &TenantKeys) -> u64 {
    const LEAST: u64 = 1;
    const MOST: u64 = 10;
    state.tenant.signing.skew.seconds().clamp(LEAST, MOST)
}

fn done(decision: &KeyDecision, records: &KeyRecords, now: Timestamp) -> (Created<KeysChanged>, KeyStep) {
    let value = KeysChanged {
        items: KeyView::all(records, now),
        breaks: decision.breaks.iter().copied().map(BrokenTokensView::from).collect(),
    };
    let announced = decision.plan.announce.map(|announced| announced.spec());
    (Created { value, replayed: false }, KeyStep { due_at: decision.plan.due_at, announced })
}
